/**
 * Where a broken path is to be mended. Two objects disagree, and the trace names the one that refuses; what a reader has to change
 * is mostly the other: the route that names what is not there, the sender's TLS, the rule that misses the gateway.
 */
import type { FieldPath, Manifest } from '../../model/manifest';
import type { Decision, Reason } from '../../trace';
import type { CheckContext } from '../context';
import { MESH, gatewaysByName, isVisible, ruleMatches, virtualServices, fullHost } from '../edge';
import { ROUTE_KINDS, routeSpec } from '../gateway-api';
import { overlaps } from '../../model/hostnames';
import { specOf } from '../istio';
import { findDecided, parseField } from './decided';
import type { Break } from './breaks';
import type { FollowedHop, Path } from './followed';

export interface Blamed {
  readonly manifest: Manifest;
  readonly field: FieldPath;
}

export function blame(context: CheckContext, path: Path, kind: Break): Blamed | undefined {
  const { hops, refusal } = path.trace;
  const last = hops.at(-1);
  if (!refusal || !last) return undefined;
  switch (kind) {
    case 'no-listener':
      return routeFor(context, refusal.by, path.probe.host, ['http', 'tls', 'tcp']);
    case 'no-destination':
      return refusal.by === null || refusal.by.field === 'spec.ports'
        ? lacksHost(refusal.reason)
          ? destinationOf(context, last, 'host')
          : portOfRoute(context, last, refusal.by)
        : undefined;
    case 'no-subset':
      return refusal.by === null ? destinationOf(context, last, 'subset') : undefined;
    case 'plaintext-to-tls':
      return tlsOf(context, last) ?? destinationOf(context, last, 'destination');
    case 'sni-not-served':
      return senderOf(context, hops) ?? routeFor(context, refusal.by, path.probe.host, ['http', 'tcp']);
    case 'tls-mode':
      return senderOf(context, hops);
    case 'no-route':
      return (
        hiddenFrom(context, refusal.by, refusal.proxy.namespace, path.probe.host) ??
        routeFor(context, refusal.by, path.probe.host, ['http']) ??
        routeFor(context, refusal.by, path.probe.host, ['tls', 'tcp']) ??
        // A rule on the gateway speaks of the request, and is none that takes it.
        (path.probe.at !== undefined && path.probe.manifest.kind === 'VirtualService'
          ? { manifest: path.probe.manifest, field: path.probe.field }
          : undefined)
      );
    default:
      return undefined;
  }
}

/** Whether nothing is there by the name that a route sends to, whatever the port. */
function lacksHost(reason: Reason): boolean {
  return reason.kind === 'no-cluster' && (reason.cause.is === 'no-such-name' || reason.cause.is === 'no-service');
}

/** A port that a route names and the host lacks. Of a gateway's Service it is the Service that lags behind its Gateway. */
function portOfRoute(context: CheckContext, hop: FollowedHop, by: Decision | null): Blamed | undefined {
  const port = Number(hop.cluster?.split('|')[1]);
  const isServed = (): boolean =>
    isOfGateway(context, hop) &&
    [...context.index(gatewaysByName).values()].some(({ spec }) =>
      (spec.servers ?? []).some((server) => server.port?.number === port),
    );
  if (by?.kind === 'Service' && isServed()) return undefined;
  return destinationOf(context, hop, 'port');
}

/** Whether a hop leads to a Service of gateways, as far as manifests show. */
function isOfGateway({ mesh }: CheckContext, { cluster }: FollowedHop): boolean {
  const host = cluster?.split('|')[3] ?? '';
  return [...mesh.services.named(host).values()].some(
    (service) => service.assumed || mesh.workloads.behind(service).some(({ membership }) => membership === 'gateway'),
  );
}

type Part = 'host' | 'port' | 'subset' | 'destination';

/** The destination of the rule that chose a hop's cluster. */
function destinationOf(context: CheckContext, hop: FollowedHop, part: Part): Blamed | undefined {
  const { route, cluster } = hop;
  if (!route?.rule) return undefined;
  if (route.kind !== 'VirtualService') return backendOf(context, hop, part);
  const found = findDecided(context, { ...route, field: `spec.${route.rule}` });
  const [section, index] = parseField(route.rule);
  if (!found || (section !== 'http' && section !== 'tls' && section !== 'tcp')) return undefined;
  const [, , subset = '', host = ''] = cluster?.split('|') ?? [];
  const rule = specOf('VirtualService', found.manifest)[section]?.[Number(index)];
  const at = (rule?.route ?? []).findIndex(
    ({ destination }) =>
      fullHost(context, destination?.host ?? '', route.namespace) === host && (destination?.subset ?? '') === subset,
  );
  if (at < 0) return undefined;
  const { port } = rule?.route?.[at]?.destination ?? {};
  const own = part === 'port' ? (port ? ['port', 'number'] : []) : part === 'destination' ? [] : [part];
  return { manifest: found.manifest, field: [...found.field, 'route', at, 'destination', ...own] };
}

/** The same of a route of Gateway API: the backend that has the name and the port of the cluster. */
function backendOf(context: CheckContext, { route, cluster }: FollowedHop, part: Part): Blamed | undefined {
  if (!route || part === 'subset' || !(ROUTE_KINDS as readonly string[]).includes(route.kind)) return undefined;
  const found = findDecided(context, { ...route, field: `spec.${route.rule}` });
  const index = Number(parseField(route.rule ?? '')[1]);
  if (!found) return undefined;
  const [, port = '', , host = ''] = cluster?.split('|') ?? [];
  const at = (routeSpec(found.manifest).rules?.[index]?.backendRefs ?? []).findIndex(
    (backend) =>
      `${backend.port ?? ''}` === port &&
      (backend.name === host ||
        host.startsWith(`${backend.name ?? ''}.${backend.namespace ?? found.manifest.namespace}.svc.`)),
  );
  if (at < 0) return undefined;
  const own = part === 'port' ? ['port'] : part === 'host' ? ['name'] : [];
  return { manifest: found.manifest, field: [...found.field, 'backendRefs', at, ...own] };
}

/** What a DestinationRule says of a hop's TLS, if one does. */
export function tlsOf(context: CheckContext, hop: FollowedHop): Blamed | undefined {
  const by = [...hop.decidedBy]
    .reverse()
    .find(({ kind, field }) => kind === 'DestinationRule' && /\.tls\b/.test(field));
  return by && findDecided(context, { ...by, field: by.field.replace(/\.tls\.mode$/, '.tls') });
}

/** The rule by which the sender of a hop chose its TLS; nothing if it is the application's. */
function senderOf(context: CheckContext, hops: readonly FollowedHop[]): Blamed | undefined {
  const sender = hops.at(-2);
  if (!sender || sender.sends?.tls === 'APPLICATION') return undefined;
  const subset = [...sender.decidedBy].reverse().find(({ kind }) => kind === 'DestinationRule');
  return tlsOf(context, sender) ?? (subset && findDecided(context, subset));
}

/** A VirtualService for a host that is bound to the Gateway, where the gateway's namespace does not see it. */
function hiddenFrom(
  context: CheckContext,
  gateway: Decision | null,
  namespace: string,
  host: string,
): Blamed | undefined {
  if (gateway?.kind !== 'Gateway') return undefined;
  const bound = context
    .index(virtualServices)
    .filter(
      ({ hosts, gateways }) =>
        gateways.includes(`${gateway.namespace}/${gateway.name}`) && hosts.some((one) => overlaps(one, host)),
    );
  const isSeen = (service: (typeof bound)[number]): boolean => isVisible(context, service, namespace);
  const [first] = bound;
  return first === undefined || bound.some(isSeen)
    ? undefined
    : { manifest: first.manifest, field: ['spec', 'exportTo'] };
}

/** A rule for a host, bound to the Gateway, that is none for the request: of another kind, or with a match that misses the port. */
function routeFor(
  context: CheckContext,
  gateway: Decision | null,
  host: string,
  kinds: readonly ('http' | 'tls' | 'tcp')[],
): Blamed | undefined {
  if (gateway?.kind !== 'Gateway') return undefined;
  const name = `${gateway.namespace}/${gateway.name}`;
  const ports = (context.index(gatewaysByName).get(name)?.spec.servers ?? []).map(({ port }) => port?.number);
  for (const service of context.index(virtualServices)) {
    if (!service.hosts.some((one) => overlaps(one, host))) continue;
    for (const rule of ruleMatches(service)) {
      if (!kinds.includes(rule.kind) || !rule.gateways.includes(name) || rule.gateways.includes(MESH)) continue;
      const missesPort = rule.port !== undefined && !ports.includes(rule.port);
      if (kinds.length === 1 && !missesPort) continue;
      return { manifest: service.manifest, field: missesPort ? [...rule.field, 'port'] : rule.field };
    }
  }
  return undefined;
}
