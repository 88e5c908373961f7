import { extensionFault, foreignCode } from '../../model/envoy-gateway-extension-faults';
import { effectiveProxy } from '../../model/envoy-gateway';
import { servedAt, type Served } from '../../model/envoy-gateway-chains';
import { effectivePolicy, type EffectivePolicy } from '../../model/envoy-gateway-policies';
import { trafficFault } from '../../model/envoy-gateway-traffic-faults';
import { parseField } from '../../model/field-path';
import { records, text } from '../../model/fields';
import type { ApiGateway } from '../../model/gateway-api';
import type { Mesh } from '../../model/mesh';
import type { PolicyFault } from '../../model/policy-problems';
import { faultOfClient } from '../../trace/envoy-gateway-listener';
import { policyFaultWords } from '../../trace/words/policy-problems';
import { asSentence } from '../../trace/words/words';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE842',
  name: 'policy-not-carried-out',
  severity: 'error',
  title: 'Envoy Gateway does not take a policy for traffic, clients or extensions',
  why: 'Envoy Gateway answers 500 on every route that the policy is for; listeners of TCP and TLS lose their routes.',
  fix: 'Correct the field.',
  see: 'https://gateway.envoyproxy.io/docs/api/extension_types/',
  reads: ['BackendTrafficPolicy', 'ClientTrafficPolicy', 'EnvoyExtensionPolicy'],
  footguns: ['Y25'],
  *check({ mesh }) {
    const told = new Set<string>();
    for (const { policy, field, problem } of [...ofRoutes(mesh), ...ofClients(mesh)]) {
      const key = `${policy.manifest.index} ${field}`;
      if (told.has(key)) continue;
      told.add(key);
      const { what, fix } = policyFaultWords(problem);
      yield { manifest: policy.manifest, field: parseField(`spec.${field}`), what, fix: asSentence(fix) };
    }
  },
};

type Found = PolicyFault & { readonly policy: EffectivePolicy };

/** By each rule that Envoy Gateway serves. */
function* ofRoutes(mesh: Mesh): Generator<Found> {
  for (const attachment of mesh.gatewayApi.attachments) {
    if (attachment.gateway.controller !== 'envoy-gateway') continue;
    const names = new Set(records(attachment.route.config.spec.rules).map(({ name }) => text(name)));
    for (const rule of names) {
      const place = { ...attachment, rule };
      const traffic = effectivePolicy('BackendTrafficPolicy', place, mesh);
      const ofTraffic = traffic && trafficFault(traffic, mesh);
      if (traffic !== undefined && ofTraffic !== undefined) yield { policy: traffic, ...ofTraffic };
      const extension = effectivePolicy('EnvoyExtensionPolicy', place, mesh);
      if (extension === undefined) continue;
      const { spec } = effectiveProxy(attachment.gateway, mesh.gatewayApi.input);
      const ofExtension = extensionFault(foreignCode(extension.manifest, extension.spec, spec, mesh));
      if (ofExtension !== undefined) yield { policy: extension, ...ofExtension };
    }
  }
}

/** By each listener, those of plain HTTP on one port together. */
function* ofClients(mesh: Mesh): Generator<Found> {
  for (const gateway of mesh.gatewayApi.gateways.filter(({ controller }) => controller === 'envoy-gateway'))
    for (const group of groupsOf(mesh, gateway)) {
      const fault = faultOfClient(mesh, group);
      if (fault !== undefined) yield fault;
    }
}

function groupsOf(mesh: Mesh, gateway: ApiGateway): readonly (readonly Served[])[] {
  return [...new Set(gateway.listeners.map(({ port }) => port))].flatMap((port) => {
    const served = servedAt(mesh.gatewayApi, gateway, port);
    const plain = served.filter(({ listener }) => listener.protocol === 'HTTP');
    return [...(plain.length > 0 ? [plain] : []), ...served.filter((one) => !plain.includes(one)).map((one) => [one])];
  });
}
