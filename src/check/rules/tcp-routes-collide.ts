import type { CheckContext } from '../context';
import type { Attachment } from '../../model/attachments';
import { compareAge, config, push, type Config } from '../../model/objects';
import { MESH, type VirtualServiceView, gatewaysByName, haveCommonViewer, nameOf, ruleMatches, virtualServices, fullHost } from '../edge'; // prettier-ignore
import { overlaps } from '../../model/hostnames';
import type { Manifest } from '../../model/manifest';
import { tlsOf } from '../paths/blame';
import { paths } from '../paths/paths';
import { routeSpec } from '../gateway-api';
import type { Server } from '../istio';
import { isHttp } from '../protocol';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE217',
  name: 'tcp-routes-collide',
  severity: 'error',
  title: 'Two routes send the TCP of one gateway port to different hosts',
  why: 'Plain TCP names no host, so a server of a gateway has one TCP route: the first rule of the oldest VirtualService or TCPRoute takes every connection, those that were meant for the other host too, and delivers them to the wrong server.',
  fix: 'Give each host a port of its own on the gateway, and send its connections there; or pass TLS through and route by sniHosts.',
  see: 'https://istio.io/latest/docs/reference/config/networking/virtual-service/#TCPRoute',
  reads: ['VirtualService', 'Gateway', 'TCPRoute'],
  footguns: ['V20', 'S05'],
  *check(context) {
    yield* atListeners(context);
    yield* byName(context);
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
          if (first === undefined || other.to === first.to || !haveCommonViewer(context, first.service, other.service))
            continue;
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

/** A gateway that tells TCP apart by the SNI of the TLS around it, where the sender writes that of another host. */
function* byName(context: CheckContext): Generator<Hit> {
  const told = new Set<Manifest>();
  for (const { probe, client, trace } of context.index(paths)) {
    const [sender, gateway] = trace.hops.slice(-2);
    const sni = sender?.sends?.sni ?? '';
    if (!trace.strays || sender === undefined || gateway === undefined || gateway === sender || sni === '' || sni === probe.host) continue; // prettier-ignore
    const rule = tlsOf(context, sender);
    if (rule === undefined || told.has(rule.manifest)) continue;
    told.add(rule.manifest);
    const { namespace, workload } = gateway.proxy;
    yield {
      ...rule,
      what: `${probe.url} from ${client.from}, which is for ${probe.host}, goes to gateway ${namespace}/${workload ?? ''} with SNI ${sni}, and ends at ${trace.destination?.host ?? ''}`,
      why: 'Inside TLS nothing of TCP names a host: the gateway goes by the SNI that the sender writes, and leads the connection to the host of that name.',
      fix: `Write the SNI of the host, ${probe.host}, for the connections to it, in a subset of their own.`,
    };
  }
}

/** TCPRoutes of one listener of the Gateway API: istiod makes a VirtualService of each. */
function* atListeners({ mesh }: CheckContext): Generator<Hit> {
  const byListener = new Map<string, Attachment[]>();
  for (const one of mesh.gatewayApi.attachments) {
    const { route, gateway, listener } = one;
    if (route.kind !== 'TCPRoute' || gateway.controller !== 'istio') continue;
    push(byListener, `${gateway.config.namespace}/${gateway.config.name} ${listener.port}`, one);
  }
  for (const all of byListener.values()) {
    const [first, ...others] = [...all].sort((a, b) => compareAge(a.route.config, b.route.config));
    for (const { route, gateway, listener } of others) {
      if (first === undefined || route.config.manifest === first.route.config.manifest) continue;
      const [to, taken] = [backendsOf(route.config), backendsOf(first.route.config)];
      if (to === taken) continue;
      yield {
        manifest: route.config.manifest,
        field: ['spec', 'rules', 0],
        what: `connections to port ${listener.port} of gateway ${gateway.config.namespace}/${gateway.config.name} go to ${taken} by ${nameOf(first.route.config.manifest)}, and never to ${to}`,
        fix: 'Give each host a listener with a port of its own, and send its connections there; or pass TLS through and route by hostnames.',
      };
    }
  }
}

function backendsOf({ manifest }: Config): string {
  const [rule] = routeSpec(manifest).rules ?? [];
  return [...new Set((rule?.backendRefs ?? []).map(({ name = '', namespace, port }) => `${namespace ? `${namespace}/` : ''}${name}${port ? `:${port}` : ''}`))].sort().join(', '); // prettier-ignore
}

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
