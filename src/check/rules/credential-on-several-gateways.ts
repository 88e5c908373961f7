import { push } from '../../model/objects';
import type { FieldPath, Manifest } from '../../model/manifest';
import { record, records, text } from '../../model/fields';
import type { CheckContext } from '../context';
import { type GatewayView, gatewaysByName, nameOf } from '../edge';
import type { Server } from '../istio';
import type { Hit, Rule } from '../rule';
import { mayShare } from './servers-conflict-on-port';

export const rule: Rule = {
  id: 'EDGE901',
  name: 'credential-on-several-gateways',
  severity: 'warning',
  title: 'One certificate is on several servers of the same pods',
  why: 'A browser keeps one HTTP/2 connection for all hosts of a certificate, and the gateway answers 404 for those that another Gateway, server or listener of the port has.',
  fix: 'Put all hosts of the certificate into one server of one Gateway, or give each its own certificate.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0138/',
  reads: ['Gateway'],
  footguns: ['I02'],
  *check(context) {
    yield* onServers(context);
    yield* onListeners(context);
  },
};

interface User {
  readonly gateway: GatewayView;
  readonly server: Server;
  readonly at: number;
}

function* onServers(context: CheckContext): Generator<Hit> {
  const users = new Map<string, User[]>();
  for (const gateway of context.index(gatewaysByName).values()) {
    for (const [at, server] of (gateway.spec.servers ?? []).entries()) {
      const { tls, port } = server;
      if (tls?.credentialName && tls.mode !== 'PASSTHROUGH')
        push(users, `${tls.credentialName} ${port?.number}`, { gateway, server, at });
    }
  }
  for (const [key, list] of users) {
    const [name = '', port = ''] = key.split(' ');
    for (const [index, { gateway, server, at }] of list.entries()) {
      const other = list
        .slice(0, index)
        .find((one) => (one.gateway === gateway ? isOther(one.server, server) : mayShare(one.gateway, gateway)));
      if (!other) continue;
      const isOne = other.gateway === gateway;
      yield {
        manifest: gateway.manifest,
        field: ['spec', 'servers', at, 'tls', 'credentialName'],
        what: isOne
          ? `servers ${other.at} and ${at} of ${nameOf(gateway.manifest)} both show the certificate ${name} on port ${port}, for ${hostsOf(other.server)} and ${hostsOf(server)}`
          : `${nameOf(gateway.manifest)} and ${nameOf(other.gateway.manifest)} both show the certificate ${name}`,
      };
    }
  }
}

const hostsOf = ({ hosts = [] }: Server): string => hosts.slice(0, 3).join(', ');

function isOther({ hosts = [] }: Server, { hosts: others = [] }: Server): boolean {
  return [...hosts].sort().join() !== [...others].sort().join();
}

/** The same of Istio's gateways by the Gateway API. Envoy Gateway offers no HTTP/2 where certificates overlap. */
function* onListeners({ mesh }: CheckContext): Generator<Hit> {
  for (const { config, listeners, controller } of mesh.gatewayApi.gateways) {
    if (controller !== 'istio') continue;
    const users = new Map<string, { manifest: Manifest; field: FieldPath; name: string; hostname: string }>();
    for (const { name, hostname, port, protocol, tls, index, set } of listeners) {
      if (protocol !== 'HTTPS' || set !== undefined) continue;
      for (const [c, reference] of records(record(tls).certificateRefs).entries()) {
        const secret = `${text(reference.namespace) || config.namespace}/${text(reference.name)}`;
        const other = users.get(`${secret} ${port}`);
        const field = ['spec', 'listeners', index, 'tls', 'certificateRefs', c];
        if (other === undefined) users.set(`${secret} ${port}`, { manifest: config.manifest, field, name, hostname });
        else if (other.hostname !== hostname)
          yield {
            manifest: config.manifest,
            field,
            what: `listeners ${other.name} and ${name} of Gateway ${config.namespace}/${config.name} both show the certificate ${secret} on port ${port}, for ${other.hostname} and ${hostname}`,
            fix: 'Serve all hosts of the certificate by one listener, for a wildcard that has them all, or give each listener its own certificate.',
          };
      }
    }
  }
}
