import { push } from '../../model/objects';
import { type GatewayView, gatewaysByName, nameOf } from '../edge';
import { isHttp } from '../protocol';
import type { Hit, Rule } from '../rule';
import { mayShare } from './servers-conflict-on-port';

export const rule: Rule = {
  id: 'EDGE604',
  name: 'same-host-on-gateways',
  severity: 'error',
  title: 'Two Gateways serve one host on one port of the same pods',
  why: 'istiod gives a name in TLS to the first server that has it, and leaves the other server out, with its TLS settings, its routes and its other hosts.',
  fix: 'Write one server for the host, in one Gateway, and bind all routes to it.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0145/',
  reads: ['Gateway'],
  footguns: ['W05', 'W10'],
  *check(context) {
    const claims = new Map<string, Claim[]>();
    for (const gateway of context.index(gatewaysByName).values()) {
      for (const [server, { hosts = [], port, tls }] of (gateway.spec.servers ?? []).entries()) {
        const layer = tls ? 'TLS' : isHttp(port?.protocol) ? 'HTTP' : 'TCP';
        for (const [at, host] of hosts.entries()) {
          const bare = host.replace(/^\.\//, `${gateway.manifest.namespace}/`).replace(/^\*\//, '');
          push(claims, `${port?.number ?? 0} ${bare} ${layer}`, { gateway, server, at });
        }
      }
    }
    for (const [claim, servers] of claims) {
      const [port, host, layer] = claim.split(' ');
      for (const [index, { gateway, server, at }] of servers.entries()) {
        const other = servers
          .slice(0, index)
          .find((candidate) => candidate.gateway !== gateway && mayShare(candidate.gateway, gateway));
        if (!other) continue;
        yield {
          manifest: gateway.manifest,
          field: ['spec', 'servers', server, 'hosts', at],
          ...(layer === 'HTTP' ? JOINED : {}),
          what: `${host} on port ${port} is served by ${nameOf(gateway.manifest)} and by ${nameOf(other.gateway.manifest)}, which select the same pods`,
        };
      }
    }
  },
};

interface Claim {
  readonly gateway: GatewayView;
  readonly server: number;
  readonly at: number;
}

/** Servers in plain HTTP are joined into one, whichever Gateway a route is bound to. */
const JOINED: Pick<Hit, 'severity' | 'why'> = {
  severity: 'info',
  why: 'In plain HTTP istiod joins the two, and the routes of both count, in the order of their age: nothing breaks until they overlap.',
};
