/**
 * Passwords that Envoy Gateway takes and Envoy does not: Envoy Gateway looks at lines without the space around them (validateHtpasswdFormat), and
 * hands the text on as it is; Envoy reads line by line (source/extensions/filters/http/basic_auth/config.cc of 1.37.0, asked by `--mode validate`).
 */
import type { EnvoyRefusal } from './envoy-gateway-chains';
import { containerPort } from './envoy-gateway';
import { effectivePolicy } from './envoy-gateway-policies';
import { type Json, record, records, text } from './fields';
import type { ApiGateway } from './gateway-api';
import type { Mesh } from './mesh';
import { type PasswordRefusal, type RefusedPasswords, passwordsOf } from './secret-fault';

/** What Envoy refuses of the users of a SecurityPolicy; undefined where it takes them, or where they are not known. */
export function refusedPasswords(spec: Json, namespace: string, mesh: Mesh): RefusedPasswords | undefined {
  const name = text(record(record(spec.basicAuth).users).name);
  const value = name === '' ? undefined : passwordsOf(mesh.find('', 'Secret', namespace, name));
  const fault = value === undefined ? undefined : faultOf(value);
  return fault && { secret: { kind: 'Secret', namespace, name }, fault };
}

function faultOf(value: string): PasswordRefusal | undefined {
  const users = new Set<string>();
  for (const line of value.split('\n')) {
    if (line === '') continue;
    if (line.endsWith('\r')) return 'line-end';
    if (line.trimEnd() !== line || line.trim() === '') return 'space';
    const [user = ''] = line.split(':');
    if (user === '') return 'no-user';
    if (users.has(user)) return 'user-twice';
    users.add(user);
  }
  return undefined;
}

/** The same of the routes on a port of a Gateway: they share a listener of Envoy's, which is refused as a whole. */
export function passwordsRefusedAt(mesh: Mesh, gateway: ApiGateway, port: number): EnvoyRefusal | undefined {
  const { gatewayApi } = mesh;
  const { input } = gatewayApi;
  if (input.of('gateway.envoyproxy.io', 'SecurityPolicy').length === 0) return undefined;
  const own = containerPort(gateway, port, input);
  for (const one of gatewayApi.servedWith(gateway))
    for (const attachment of gatewayApi.attachedTo(one)) {
      const { route, listener } = attachment;
      if (containerPort(one, listener.port, input) !== own || !/^(HTTP|GRPC)Route$/.test(route.kind)) continue;
      for (const rule of records(route.config.spec.rules)) {
        const policy = effectivePolicy('SecurityPolicy', { ...attachment, rule: text(rule.name) }, mesh);
        const found = policy && refusedPasswords(policy.spec, policy.manifest.namespace, mesh);
        if (policy === undefined || found === undefined) continue;
        const { kind, namespace, name } = policy.manifest;
        return {
          is: 'listener',
          problem: { is: 'passwords', policy: { kind, namespace, name }, ...found },
          at: [{ gateway: one, listener }],
        };
      }
    }
  return undefined;
}
