/** One finding for each cause that breaks paths, however many requests it breaks. */
import { push } from '../../model/objects';
import type { Manifest } from '../../model/manifest';
import { type CheckContext, defineIndex } from '../context';
import { gatewaysByName, virtualServices, fullHost } from '../edge';
import { envoyGateways } from '../envoy-gateway';
import { formatField } from '../../model/field-path';
import type { Hit } from '../rule';
import { waysFor } from '../egress-gateways';
import { isSubsetOf } from '../../model/hostnames';
import { NETWORKING, specOf } from '../istio';
import type { Client } from './clients';
import { findDecided } from './decided';
import type { Probe } from './probes';
import type { Break } from './breaks';
import { type BrokenPath, brokenPaths } from './paths';

/** Kinds that speak of requests. */
export const PATH_KINDS = [
  'ServiceEntry',
  'VirtualService',
  'DestinationRule',
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
];

/** Pages for requests that come in, where those of the rules are about what goes out. */
const SEE_AT_INGRESS: { readonly [kind in Break]?: string } = {
  'no-listener': 'https://istio.io/latest/docs/tasks/traffic-management/ingress/ingress-control/',
  'sni-not-served': 'https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/',
  'tls-mode':
    'https://istio.io/latest/docs/reference/config/security/peer_authentication/#PeerAuthentication-MutualTLS-Mode',
  'no-subset': 'https://istio.io/latest/docs/reference/config/networking/destination-rule/#Subset',
  policy: 'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
  other: 'https://istio.io/latest/docs/tasks/traffic-management/ingress/ingress-control/',
};

export function* brokenPathHits(
  context: CheckContext,
  kinds: readonly Break[],
  adjust?: (path: BrokenPath, all: readonly BrokenPath[]) => Partial<Hit> | undefined,
): Generator<Hit> {
  const causes = new Map<string, { first: BrokenPath; others: Set<string>; all: BrokenPath[] }>();
  for (const path of context.index(brokenPaths)) {
    if (!kinds.includes(path.kind)) continue;
    const { manifest, field, trace } = path;
    const key = `${path.isDoubtful} ${path.share?.isCopy === true} ${manifest.index} ${formatField(field)} ${trace.refusal?.code ?? ''} ${trace.refusal?.what ?? ''} ${withoutClient(trace.refusal?.fix ?? '', path)}`;
    const cause = causes.get(key);
    const request = `${path.probe.url} from ${path.client.from}`;
    if (!cause) causes.set(key, { first: path, others: new Set([request]), all: [path] });
    else {
      cause.others.add(request);
      cause.all.push(path);
    }
  }
  for (const { first, others, all } of causes.values()) {
    const { refusal } = first.trace;
    if (!refusal) continue;
    const { isDoubtful } = first;
    const more = others.size > 1 ? ` (and ${others.size - 1} more)` : '';
    yield {
      manifest: first.manifest,
      field: first.field,
      what: `${requestOf(first, more)} refused${statusOf(refusal.status, refusal.code)} at ${placeOf(first)}: ${refusal.what}`,
      fix: sentence(withClients(withoutClient(refusal.fix, first), all)),
      ...seeOf(first),
      ...(isDoubtful ||
      first.share?.isCopy === true ||
      all.every((path) => isLeftOut(path) || path.probe.isByAddress === true)
        ? { severity: 'warning' as const }
        : {}),
      onTheWay: onTheWay(context, all),
      ...adjust?.(first, all),
    };
  }
}

/** Stands for the namespace of a client in advice that several clients are given. */
const CLIENTS = '\0';

function withoutClient(fix: string, { client: { namespace } }: BrokenPath): string {
  if (namespace === '' || !fix.includes(namespace)) return fix;
  // A name within another, of a host or `namespace/name`, is not the client's.
  return fix.replaceAll(new RegExp(`(?<![\\w./-])${escaped(namespace)}(?![\\w./-])`, 'g'), CLIENTS);
}

function withClients(fix: string, all: readonly BrokenPath[]): string {
  return fix.replaceAll(CLIENTS, [...new Set(all.map(({ client }) => client.namespace))].sort().join(', '));
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** What is, or are, refused: of a route with weights the share, and of copies that it is one. */
function requestOf({ probe, client, share }: BrokenPath, more: string): string {
  const whole = `${probe.url} from ${client.from}${more}`;
  if (share === undefined) return `${whole} is`;
  if (share.isCopy) return `the copy of ${whole} to ${share.cluster} is`;
  return `${share.weight} of ${share.of} parts of ${whole}, which go to ${share.cluster}, are`;
}

/** A host is declared with every request to it, and its routes may be there to let only some through: theirs are followed for themselves. */
function isLeftOut({ probe, trace }: BrokenPath): boolean {
  return probe.manifest.kind === 'ServiceEntry' && trace.refusal?.reason.kind === 'no-rule-matches';
}

function seeOf({ kind, probe }: BrokenPath): Pick<Hit, 'see'> {
  const see =
    probe.at === undefined
      ? undefined
      : kind === 'no-route'
        ? probe.atGroup === NETWORKING
          ? 'https://istio.io/latest/docs/tasks/traffic-management/ingress/ingress-control/'
          : 'https://gateway-api.sigs.k8s.io/concepts/api-overview/#attaching-routes-to-gateways'
        : SEE_AT_INGRESS[kind];
  return see === undefined ? {} : { see };
}

function statusOf(status: number | null, code: string): string {
  return status === null ? ` (${code})` : ` (${status} ${code})`;
}

function placeOf({ trace: { refusal } }: BrokenPath): string {
  if (!refusal) return '';
  const { kind, namespace, workload } = refusal.proxy;
  return kind === 'none' ? 'the network' : `the ${kind} of ${namespace}${workload ? `/${workload}` : ''}`;
}

function sentence(text: string): string {
  return text === '' ? '' : `${text[0]?.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** What is on the way of all of them: an object that only some meet is not why the others fail. */
function onTheWay(context: CheckContext, all: readonly BrokenPath[]): readonly Manifest[] {
  const [first, ...others] = all.map((path) => onTheWayOf(context, path));
  return [...(first ?? [])].filter((manifest) => others.every((one) => one.has(manifest)));
}

const BEHIND = new Set<Break>(['no-destination', 'no-subset', 'no-endpoint']);

/** What has a say in a path: what speaks of the request, what decides its hops, and the Gateways of its routes. */
function onTheWayOf(
  context: CheckContext,
  { probe, manifest, trace, client, kind }: BrokenPath,
): ReadonlySet<Manifest> {
  const found = new Set<Manifest>();
  const gateways = context.index(gatewaysByName);
  const named = context.index(gatewaysOfRoutes);
  if (kind === 'policy') for (const object of aroundPolicy(context, probe, client)) found.add(object);
  // A rule without TLS for the port decides nothing, and that is what is wrong with it.
  if (kind === 'plaintext-to-tls') for (const rule of rulesFor(context, trace.hops.at(-1)?.cluster)) found.add(rule);
  const entered = probe.at === undefined ? undefined : gatewayAt(context, probe.at);
  if (entered) found.add(entered);
  const runs = context.index(envoyGateways).find(({ gateway }) => gateway.config.manifest === entered);
  if (runs?.proxy.manifest) found.add(runs.proxy.manifest);
  const decisions = trace.hops.flatMap(({ decidedBy, route }) => [
    ...decidedBy,
    ...(route ? [{ ...route, field: '' }] : []),
  ]);
  const objects = decisions.flatMap((decision) => findDecided(context, decision)?.manifest ?? []);
  for (const object of [probe.manifest, manifest, ...objects]) {
    found.add(object);
    for (const name of named.get(object) ?? []) {
      const gateway = gateways.get(name);
      if (gateway) found.add(gateway.manifest);
    }
  }
  // Who has come in at a gateway got to it: what is behind is no matter of how.
  if (entered && BEHIND.has(kind)) found.delete(entered);
  return found;
}

const rulesByHost = defineIndex('rules by host', (context): ReadonlyMap<string, readonly Manifest[]> => {
  const rules = new Map<string, Manifest[]>();
  for (const manifest of context.of(NETWORKING, 'DestinationRule'))
    push(rules, fullHost(context, specOf('DestinationRule', manifest).host ?? '', manifest.namespace), manifest);
  return rules;
});

/** DestinationRules for the host of a cluster, by its name or by a wildcard, whether they decide anything of it or not. */
export function rulesFor(context: CheckContext, cluster: string | null | undefined): readonly Manifest[] {
  const host = cluster?.split('|')[3] ?? '';
  const exact = context.index(rulesByHost).get(host) ?? [];
  if (host === '') return exact;
  const wild = [...context.index(wildRules)].filter(([pattern]) => pattern !== host && isSubsetOf(host, pattern));
  return [...exact, ...wild.flatMap(([, rules]) => rules)];
}

const wildRules = defineIndex('rules for wildcards', (context) =>
  [...context.index(rulesByHost)].filter(([pattern]) => pattern.includes('*')),
);

/** What may have sent a connection where no policy lets it go: the client's own settings, and a gateway that it goes past. */
function aroundPolicy(context: CheckContext, { host }: Probe, client: Client): readonly Manifest[] {
  const { mesh } = context;
  const workload = mesh.workloads.find(client.namespace, client.from.split('/')[1] ?? '')?.manifest;
  const sidecar = mesh.sidecarFor(client.namespace, client.labels)?.manifest;
  const past = waysFor(context, host).map(({ service }) => service.manifest);
  return [workload, sidecar, ...past].filter((manifest) => manifest !== undefined);
}

/** The Gateway of Gateway API, or of Istio, at which a request comes in. */
function gatewayAt(context: CheckContext, at: string): Manifest | undefined {
  return [...context.of('gateway.networking.k8s.io', 'Gateway'), ...context.of('networking.istio.io', 'Gateway')].find(
    ({ namespace, name }) => `${namespace}/${name}` === at,
  );
}

const gatewaysOfRoutes = defineIndex(
  'gateways of routes',
  (context): ReadonlyMap<Manifest, readonly string[]> =>
    new Map(context.index(virtualServices).map(({ manifest, gateways }) => [manifest, gateways])),
);
