import { type GatewayView, gatewaysByName, nameOf, push } from '../edge';
import type { Rule } from '../rule';
import { mayShare } from './servers-conflict-on-port';

export const rule: Rule = {
  id: 'EDGE604',
  name: 'same-host-on-gateways',
  severity: 'error',
  title: 'Two Gateways serve one host on one port of the same pods',
  why: 'The first of them gets the host, and the other is ignored for it: its TLS settings and its routes are never used.',
  fix: 'Write one server for the host, in one Gateway, and bind all routes to it.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0145/',
  reads: ['Gateway'],
  footguns: ['W05', 'W10'],
  *check(context) {
    const claims = new Map<string, { gateway: GatewayView; server: number; host: number }[]>();
    for (const gateway of context.index(gatewaysByName).values()) {
      for (const [s, { hosts = [], port }] of (gateway.spec.servers ?? []).entries()) {
        for (const [h, host] of hosts.entries()) {
          const bare = host.replace(/^\.\//, `${gateway.manifest.namespace}/`).replace(/^\*\//, '');
          push(claims, `${port?.number ?? 0} ${bare}`, { gateway, server: s, host: h });
        }
      }
    }
    for (const [claim, servers] of claims) {
      const [port, host] = claim.split(' ');
      for (const [index, { gateway, server, host: at }] of servers.entries()) {
        const other = servers
          .slice(0, index)
          .find((candidate) => candidate.gateway !== gateway && mayShare(candidate.gateway, gateway));
        if (!other) continue;
        yield {
          manifest: gateway.manifest,
          field: ['spec', 'servers', server, 'hosts', at],
          // Two Gateways for every host are usual where each is for the routes of its own namespace.
          severity: host === '*' ? 'warning' : 'error',
          what: `${host} on port ${port} is served by ${nameOf(gateway.manifest)} and by ${nameOf(other.gateway.manifest)}, which select the same pods`,
        };
      }
    }
  },
};
