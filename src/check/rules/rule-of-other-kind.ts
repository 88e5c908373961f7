import { hostsForNamespace, overlaps } from '../../model/hostnames';
import type { CheckContext } from '../context';
import { type GatewayView, MESH, type RuleMatch, type VirtualServiceView, gatewaysByName, ruleMatches, virtualServices } from '../edge'; // prettier-ignore
import type { Server } from '../istio';
import { isHttp, isPlainTcp } from '../protocol';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE220',
  name: 'rule-of-other-kind',
  severity: 'error',
  title: 'A rule is of a kind that no server of its Gateway takes',
  why: 'A server takes http rules where the gateway reads HTTP, tls rules where it passes TLS through, and tcp rules otherwise. Rules of another kind are left out without a word; a server without any gets no listener.',
  fix: 'Write the rule as one of the kind that the server takes, or the server as one that takes such rules.',
  see: 'https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService-tls',
  reads: ['VirtualService'],
  footguns: ['V23'],
  *check(context) {
    for (const service of context.index(virtualServices)) {
      const all = ruleMatches(service);
      const seen = new Set<number>();
      for (const name of new Set(all.flatMap(({ gateways }) => gateways))) {
        const gateway = name === MESH ? undefined : context.index(gatewaysByName).get(name);
        if (gateway === undefined) continue;
        const own = all.filter(({ gateways }) => gateways.includes(name));
        const idle = own.filter((one) => isIdle(service, one, gateway));
        const isWhole = idle.length === own.length;
        // A rule that counts elsewhere may be meant for there.
        const told = idle.filter((one) => (isWhole || !isUsedElsewhere(context, service, one, name)) && !seen.has(all.indexOf(one))); // prettier-ignore
        const [first] = told;
        if (first === undefined) continue;
        for (const one of told) seen.add(all.indexOf(one));
        const servers = serversFor(service, first, gateway);
        const kinds = [...new Set(servers.map(kindTaken))].join(' and ');
        yield {
          manifest: service.manifest,
          field: first.field,
          what: `${first.kind}[${first.rule}] is for Gateway ${name}, whose server${servers.length > 1 ? 's' : ''} ${servers.map(named).join(', ')} ${servers.length > 1 ? 'take' : 'takes'} ${kinds} rules${told.length > 1 ? ` (and ${told.length - 1} more)` : ''}`,
          fix: adviceFor(first, servers),
          ...(isWhole ? {} : { severity: 'warning' as const }),
        };
      }
    }
  },
};

type Kind = RuleMatch['kind'];

/** What istiod reads for a server; undefined where it reads nothing, or the webhook refuses the server. */
function kindTaken({ port, tls }: Server): Kind | undefined {
  const protocol = port?.protocol ?? '';
  if (isHttp(protocol)) return 'http';
  if (isPlainTcp(protocol)) return 'tcp';
  if (tls?.mode === undefined || tls.mode === 'AUTO_PASSTHROUGH') return undefined;
  if (tls.mode === 'PASSTHROUGH') return 'tls';
  return /^HTTPS$/i.test(protocol) ? 'http' : 'tcp';
}

/** Servers of the port of a rule that admit a host of its VirtualService. */
function serversFor(
  { manifest: { namespace }, hosts }: VirtualServiceView,
  { port }: RuleMatch,
  { manifest: gateway, spec: { servers = [] } }: GatewayView,
): readonly Server[] {
  return servers.filter((server) => {
    if (port !== undefined && port !== server.port?.number) return false;
    const own = (server.hosts ?? []).map((host) => host.replace(/^\.\//, `${gateway.namespace}/`));
    return hostsForNamespace(own, namespace).some((served) => hosts.some((host) => overlaps(host, served)));
  });
}

function isIdle(service: VirtualServiceView, one: RuleMatch, gateway: GatewayView): boolean {
  const kinds = serversFor(service, one, gateway).map(kindTaken);
  return kinds.length > 0 && kinds.every((kind) => kind !== undefined && kind !== one.kind);
}

/** Whether sidecars, or another gateway, may have the rule. */
function isUsedElsewhere(context: CheckContext, service: VirtualServiceView, one: RuleMatch, name: string): boolean {
  return one.gateways.some((other) => {
    if (other === name) return false;
    const gateway = context.index(gatewaysByName).get(other);
    return other === MESH || gateway === undefined || !isIdle(service, one, gateway);
  });
}

const named = ({ port, tls }: Server): string => `${port?.number} ${port?.protocol}${tls?.mode ? ` (${tls.mode})` : ''}`; // prettier-ignore

function adviceFor({ kind }: RuleMatch, servers: readonly Server[]): string {
  const [taken] = servers.map(kindTaken);
  if (taken === 'tls')
    return kind === 'http'
      ? 'Write a tls rule with sniHosts, since a gateway that passes TLS through reads no HTTP; or let the server end TLS: protocol HTTPS, mode SIMPLE, with a credentialName.'
      : 'Write a tls rule with sniHosts.';
  if (taken === 'http') return 'Write an http rule; or a server of mode PASSTHROUGH, where TLS is to pass through.';
  return kind === 'http'
    ? 'Write a server of HTTP or HTTPS, or a tcp rule.'
    : 'Write a tcp rule: a server that ends TLS, or has none, looks at no SNI.';
}
