import type { CheckContext } from '../context';
import { compareAge, config } from '../../model/objects';
import { MESH, type VirtualServiceView, gatewaysByName, haveCommonViewer, nameOf, ruleMatches, virtualServices, fullHost } from '../edge'; // prettier-ignore
import { overlaps } from '../../model/hostnames';
import type { Server } from '../istio';
import { isHttp } from '../protocol';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE217',
  name: 'tcp-routes-collide',
  severity: 'error',
  title: 'Two VirtualServices send the TCP of one gateway port to different hosts',
  why: 'Plain TCP names no host, so a server of a gateway has one TCP route: the first rule of the oldest VirtualService takes every connection, those that were meant for the other host too, and delivers them to the wrong server.',
  fix: 'Give each host a port of its own on the gateway, and send its connections there; or pass TLS through and route by sniHosts.',
  see: 'https://istio.io/latest/docs/reference/config/networking/virtual-service/#TCPRoute',
  reads: ['VirtualService', 'Gateway'],
  footguns: ['V20', 'S05'],
  *check(context) {
    const services = [...context.index(virtualServices)]
      .filter(({ spec }) => (spec.tcp ?? []).length > 0)
      .sort((a, b) => compareAge(config(a.manifest), config(b.manifest)));
    if (services.length < 2) return;
    for (const [gateway, { spec }] of context.index(gatewaysByName)) {
      for (const server of spec.servers ?? []) {
        if (isHttp(server.port?.protocol) || server.tls?.mode === 'PASSTHROUGH') continue;
        const rules = services.flatMap((service) => tcpRuleFor(context, service, gateway, server) ?? []);
        const [first, ...others] = rules;
        for (const other of others) {
          if (first === undefined || other.to === first.to || !haveCommonViewer(first.service, other.service)) continue;
          yield {
            manifest: other.service.manifest,
            field: other.field,
            what: `connections to port ${server.port?.number ?? ''} of gateway ${gateway} go to ${first.to} by ${nameOf(first.service.manifest)}, and never to ${other.to}`,
          };
        }
      }
    }
  },
};

interface TcpRule {
  readonly service: VirtualServiceView;
  readonly field: readonly (string | number)[];
  readonly to: string;
}

/** The rule of a VirtualService that istiod would take for a server, if no older one has any: addresses and labels of clients count for nothing there. */
function tcpRuleFor(
  context: CheckContext,
  service: VirtualServiceView,
  gateway: string,
  { port, hosts = [] }: Server,
): TcpRule | undefined {
  const served = hosts.map((host) => host.slice(host.indexOf('/') + 1));
  if (!service.hosts.some((host) => served.some((own) => own === '*' || overlaps(own, host)))) return undefined;
  const found = ruleMatches(service).find(
    (rule) =>
      rule.kind === 'tcp' &&
      rule.gateways.some((name) => name !== MESH && name === gateway) &&
      (rule.port === undefined || rule.port === port?.number),
  );
  const routes = found === undefined ? [] : (service.spec.tcp?.[found.rule]?.route ?? []);
  if (found === undefined || routes.length === 0) return undefined;
  const to = routes.map(({ destination = {} }) => {
    const { host = '', port: at, subset } = destination;
    return `${fullHost(context, host, service.manifest.namespace)}${at?.number ? `:${at.number}` : ''}${subset ? ` (${subset})` : ''}`;
  });
  return { service, field: found.field, to: [...new Set(to)].sort().join(', ') };
}
