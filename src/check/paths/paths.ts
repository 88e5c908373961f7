/**
 * The requests that manifests speak of, followed hop by hop for each client, and sorted by what became of them. Rules on
 * paths read from here, so that each request is followed once.
 */
import { push } from '../../model/objects';
import type { FieldPath, Manifest } from '../../model/manifest';
import { RequestError, type Trace, type TraceRequest, trace } from '../../trace';
import { traceBy, withShares } from '../../traffic/explore';
import { type CheckContext, defineIndex } from '../context';
import type { Service } from '../../model/services';
import type { Mesh } from '../../model/mesh';
import { type AuthorizationSource, SECURITY, specOf } from '../istio';

import { isOwnMatter, kindOf } from './alike';
import { blame } from './blame';
import { type Break, breakOf } from './breaks';
import { type Client, OUTSIDE, clients } from './clients';
import { findDecided } from './decided';
import type { Followed, FollowedHop, Path, Share } from './followed';
import { ingressProbes } from './ingress-probes';
import { meshRouteProbes } from './mesh-route-probes';
import { type Probe, probesOf } from './probes';

export type { Path } from './followed';

export interface BrokenPath extends Path {
  readonly kind: Break;
  /** Another client gets through, and nothing shows that this one has a sidecar, or was meant to be let out. */
  readonly isDoubtful: boolean;
  readonly manifest: Manifest;
  readonly field: FieldPath;
}

export const paths = defineIndex('paths', (context): readonly Path[] => {
  const found: Path[] = [];
  const all = context.index(clients);
  for (const probe of [...probesOf(context), ...meshRouteProbes(context)]) {
    const last: (Followed | undefined)[] = [];
    const through = new Map<string, readonly Followable[]>();
    for (const client of clientsFor(context, probe, all)) {
      const kind = kindOf(context, client);
      const known = kind === undefined ? undefined : through.get(kind);
      const standsIn = known !== undefined && !isOwnMatter(context, client.namespace, probe.host, waysOf(known));
      const ways = standsIn ? known : follow(context, probe, client);
      if (!standsIn && kind !== undefined && ways.length > 0 && isThrough(ways) && !isOwnMatter(context, client.namespace, probe.host, waysOf(ways))) through.set(kind, ways); // prettier-ignore
      for (const [at, { followed, share }] of ways.entries()) {
        const same = last[at];
        const told = same && (same === followed || goAlike(same, followed)) ? same : followed;
        last[at] = told;
        found.push({ probe, client, trace: told, ...(share === undefined ? {} : { share }) });
      }
    }
  }
  const entered = new Map<string, Probe>();
  for (const probe of ingressProbes(context)) {
    const key = `${probe.atGroup} ${probe.at} ${probe.url} ${probe.method ?? ''} ${JSON.stringify(probe.headers ?? {})} ${probe.manifest.index}`;
    if (!entered.has(key)) entered.set(key, probe);
  }
  for (const probe of entered.values()) {
    for (const { followed, share } of follow(context, probe, OUTSIDE))
      found.push({ probe, client: OUTSIDE, trace: followed, ...(share === undefined ? {} : { share }) });
  }
  return found;
});

const waysOf = (all: readonly Followable[]): readonly Followed[] => all.map(({ followed }) => followed);
const isThrough = (all: readonly Followable[]): boolean => all.every(({ followed }) => followed.outcome === 'delivered'); // prettier-ignore

/** Whether two clients get through in the same way, but for who they are: then one trace stands for both, as there may be hundreds of clients. */
function goAlike(one: Followed, other: Followed): boolean {
  return (
    one.outcome === 'delivered' &&
    other.outcome === 'delivered' &&
    one.strays === other.strays &&
    isSame(one.destination, other.destination) &&
    one.hops.length === other.hops.length &&
    one.hops.every((hop, at) => {
      const { proxy, receives, route, cluster, sends, decidedBy } = other.hops[at] as FollowedHop;
      return (
        hop.proxy.kind === proxy.kind &&
        hop.cluster === cluster &&
        isSame(hop.receives, receives) &&
        isSame(hop.route, route) &&
        isSame(hop.sends, sends) &&
        hop.decidedBy.length === decidedBy.length &&
        hop.decidedBy.every((decision, index) => isSame(decision, decidedBy[index]))
      );
    })
  );
}

/** Of flat objects of one kind. */
function isSame<T extends object>(one: T | null | undefined, other: T | null | undefined): boolean {
  if (one == null || other == null) return one === other;
  for (const key in one) if (one[key] !== other[key]) return false;
  return true;
}

interface Followable {
  readonly followed: Followed;
  readonly share?: Share;
}

/** The request, and each share of it that a route sends elsewhere. Nothing for a client or host with a name that cannot be: that it cannot is for other rules to say. */
function follow({ mesh }: CheckContext, probe: Probe, client: Client): readonly Followable[] {
  const request: TraceRequest = {
    from: client.from,
    ...(client.isAssumed ? { labels: client.labels } : {}),
    request: probe.url,
    ...(probe.at === undefined ? {} : { at: probe.at }),
    ...(probe.atGroup === undefined ? {} : { atGroup: probe.atGroup }),
    ...(probe.method === undefined ? {} : { method: probe.method }),
    ...(probe.headers === undefined ? {} : { headers: probe.headers }),
  };
  try {
    const told = trace(mesh, request);
    return [{ followed: keptOf(told) }, ...sharesOf(mesh, request, told)];
  } catch (error) {
    if (error instanceof RequestError) return [];
    throw error;
  }
}

function keptOf({ outcome, destination, refusal, hops, noted }: Trace): Followed {
  return {
    outcome,
    destination,
    refusal,
    strays: noted.some(({ kind }) => kind === 'other-end'),
    hops: hops.map(({ proxy, receives, route, cluster, sends, decidedBy }) => ({ proxy, receives, route, cluster, sends, decidedBy })), // prettier-ignore
  };
}

/** What becomes of the destinations of less weight, and of copies: a trace follows the one of the greatest. */
function sharesOf(mesh: Mesh, request: TraceRequest, greatest: Trace): readonly Followable[] {
  const found: Followable[] = [];
  const all = (told: Trace): readonly Share[] =>
    told.hops.flatMap(({ alternatives, weight, copies = [] }) => [
      ...alternatives.map(({ cluster, weight: own }) => ({ cluster, weight: own, of: total(alternatives) + (weight ?? 0), isCopy: false })), // prettier-ignore
      ...copies.map(({ cluster, percent }) => ({ cluster, weight: percent, of: 100, isCopy: true })),
    ]);
  const known = new Map<string, Share>();
  const open = (told: Trace): readonly string[] => {
    const shares = all(told).filter(({ cluster }) => !known.has(cluster));
    for (const share of shares) known.set(share.cluster, share);
    return shares.map(({ cluster }) => cluster);
  };
  withShares(
    (prefers) => {
      const [last] = [...prefers].slice(-1);
      const share = last === undefined ? undefined : known.get(last);
      if (share === undefined) return open(greatest);
      const told = traceBy(mesh, request, prefers);
      found.push({ followed: keptOf(told), share });
      return open(told);
    },
    () => undefined,
  );
  return found;
}

function total(all: readonly { readonly weight: number }[]): number {
  return all.reduce((sum, { weight }) => sum + weight, 0);
}

/** The clients that see what speaks of the request. */
function clientsFor(context: CheckContext, probe: Probe, all: readonly Client[]): readonly Client[] {
  const { mesh } = context;
  const services =
    probe.manifest.kind === 'ServiceEntry' ? context.index(servicesOfEntry).get(probe.manifest) : undefined;
  return all.filter((client) => {
    if (!probe.isFor(client)) return false;
    if (services && !services.some((service) => mesh.services.isVisible(service, client.namespace))) return false;
    // A namespace that no manifest shows stands for itself only: it has no business with what others keep.
    return (
      !client.isAssumed || client.namespace === probe.manifest.namespace || isNamed(probe.manifest, client.namespace)
    );
  });
}

function isNamed(manifest: Manifest, namespace: string): boolean {
  const { spec } = manifest.body as { spec?: { exportTo?: unknown } };
  return Array.isArray(spec?.exportTo) && spec.exportTo.includes(namespace);
}

/** Paths that do not arrive and were meant to. */
export const brokenPaths = defineIndex('broken paths', (context): readonly BrokenPath[] => {
  const all = context.index(paths);
  const delivered = new Set(all.filter(({ trace: { outcome } }) => outcome !== 'refused').map(wayOf));
  const broken: BrokenPath[] = [];
  for (const path of all) {
    const { refusal } = path.trace;
    if (!refusal || path.probe.isMeantFor?.(path.client) === false) continue;
    const kind = breakOf(path.trace);
    if (kind === undefined) continue;
    // A client that no manifest shows runs under an account that nobody knows, which policies may well admit.
    if (kind === 'policy' && path.client.isAssumed) continue;
    // A gateway that admits Pods alone is one for clients inside.
    if (kind === 'policy' && path.probe.at !== undefined && path.trace.hops.length === 0) continue;
    // What one client is not given and another is, is somebody's intent: a Sidecar, an audience, a policy.
    const isHeld = kind === 'not-declared' || kind === 'policy' || kind === 'authorization';
    if (isHeld && delivered.has(wayOf(path))) continue;
    if (kind === 'authorization' && (path.client.isAssumed || !isByCallerAlone(context, path))) continue;
    // That nothing leaves from the sidecar itself is what such a policy is written for.
    if (
      kind === 'policy' &&
      path.trace.hops.length === 1 &&
      path.trace.hops[0]?.cluster?.endsWith(`|${path.probe.host}`) &&
      path.probe.manifest.kind === 'ServiceEntry'
    )
      continue;
    // That the mesh lets out only what is declared is no fault: the object that speaks of the host is at odds with it.
    const isMode = kind === 'not-declared' && refusal.by?.kind !== 'Sidecar';
    const last = [...path.trace.hops].reverse().find(({ route }) => route !== null)?.route;
    const led = last ? { ...last, field: `spec.${last.rule}` } : undefined;
    const decided = isMode ? undefined : (refusal.by ?? led);
    const by = blame(context, path, kind) ?? (decided ? findDecided(context, decided) : undefined);
    const isOwn = path.client.namespace === path.probe.manifest.namespace;
    const isDoubtful =
      (!path.client.hasSidecarForSure && !isOwn && delivered.has(wayOf(path))) ||
      (kind === 'tls-mode' && isAssumedSidecar(context, path));
    broken.push({
      ...path,
      kind,
      isDoubtful,
      manifest: by?.manifest ?? path.probe.manifest,
      field: by?.field ?? path.probe.field,
    });
  }
  return broken;
});

/** A request, and where its route sends the share of it that is followed. */
function wayOf({ probe, share }: Path): string {
  return share === undefined ? probe.url : `${probe.url} ${share.cluster}`;
}

/** A server that refuses by a sidecar which nothing but habit says it has. */
function isAssumedSidecar(context: CheckContext, { client, trace: { refusal } }: Path): boolean {
  const { proxy } = refusal ?? {};
  if (proxy?.kind !== 'sidecar' || proxy.namespace === client.namespace) return false;
  const workload = context.mesh.workloads.find(proxy.namespace, proxy.workload ?? '');
  return workload?.membershipAssumed === true && !context.index(istioNamespaces).has(proxy.namespace);
}

/** Namespaces in which somebody configures Istio. */
const istioNamespaces = defineIndex(
  'istio namespaces',
  ({ manifests }): ReadonlySet<string> =>
    new Set(manifests.filter(({ group }) => group.endsWith('.istio.io')).map(({ namespace }) => namespace)),
);

/** Whether a refusal by policies hangs on who calls, and on nothing that another request to the same port would have. */
function isByCallerAlone({ mesh }: CheckContext, { trace: { refusal } }: Path): boolean {
  const { by, proxy } = refusal ?? {};
  if (!by || !proxy) return false;
  const policies = mesh
    .of(SECURITY, 'AuthorizationPolicy')
    .filter(({ namespace }) => namespace === by.namespace || namespace === proxy.namespace || namespace === mesh.config.rootNamespace); // prettier-ignore
  return policies.every((manifest) => {
    const { action = 'ALLOW', rules = [] } = specOf('AuthorizationPolicy', manifest);
    return (
      action === 'ALLOW' &&
      rules.every(
        ({ from = [], to = [], when = [] }) =>
          when.every(({ key, values = [] }) => key === 'connection.sni' && values.length > 0) &&
          to.every(({ operation = {} }) => Object.keys(operation).every((key) => key === 'ports' || key === 'hosts')) &&
          from.every(({ source = {} }) => Object.keys(source).every((key) => /^(principals|namespaces|serviceAccounts)$/.test(key)) && showsCallers(mesh, source)), // prettier-ignore
      )
    );
  });
}

/** Whether manifests show workloads of every namespace that a source names: one that they leave out may be whom it is for. */
function showsCallers({ workloads }: Mesh, { principals = [], namespaces = [] }: AuthorizationSource): boolean {
  const named = [...principals.map((principal) => /(?:^|\/)ns\/([^/*]+)\//.exec(principal)?.[1]), ...namespaces];
  return named.every(
    (namespace) =>
      namespace === undefined ||
      namespace.includes('*') ||
      workloads.inNamespace(namespace).some(({ manifest }) => manifest !== undefined),
  );
}

const servicesOfEntry = defineIndex('services of an entry', ({ mesh }): ReadonlyMap<Manifest, readonly Service[]> => {
  const services = new Map<Manifest, Service[]>();
  for (const service of mesh.services.all) push(services, service.config.manifest, service);
  return services;
});
