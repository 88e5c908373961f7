/**
 * The requests that manifests speak of, followed hop by hop for each client, and sorted by what became of them. Rules on
 * paths read from here, so that each request is followed once.
 */
import type { FieldPath, Manifest } from '../../model/manifest';
import { type Decision, RequestError, type Trace, type TraceRequest, trace } from '../../trace';
import { type CheckContext, defineIndex } from '../context';
import type { Service } from '../../model/services';
import { push } from '../edge';
import { type Client, clients } from './clients';
import { type Probe, probesOf } from './probes';

export interface Path {
  readonly probe: Probe;
  readonly client: Client;
  readonly trace: Trace;
}

/** Where a path breaks: what the rules on paths are named after. */
export type Break =
  | 'loop'
  | 'no-destination'
  | 'no-subset'
  | 'no-endpoint'
  | 'sni-not-served'
  | 'tls-mode'
  | 'double-tls'
  | 'plaintext-to-tls'
  | 'no-listener'
  | 'no-route'
  | 'not-declared'
  | 'policy'
  | 'other';

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
  for (const probe of probesOf(context)) {
    for (const client of clientsFor(context, probe, all)) {
      const followed = follow(context, probe, client);
      if (followed) found.push({ probe, client, trace: followed });
    }
  }
  return found;
});

/** Nothing for a client or host with a name that cannot be: that it cannot is for other rules to say. */
function follow(context: CheckContext, probe: Probe, client: Client): Trace | undefined {
  const request: TraceRequest = {
    from: client.from,
    ...(client.isAssumed ? { labels: client.labels } : {}),
    request: probe.url,
    ...(probe.method === undefined ? {} : { method: probe.method }),
    ...(probe.headers === undefined ? {} : { headers: probe.headers }),
  };
  try {
    return trace(context.mesh, request);
  } catch (error) {
    if (error instanceof RequestError) return undefined;
    throw error;
  }
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
  const delivered = new Set(
    all.filter(({ trace: { outcome } }) => outcome !== 'refused').map(({ probe }) => probe.url),
  );
  const broken: BrokenPath[] = [];
  for (const path of all) {
    const { refusal } = path.trace;
    if (!refusal) continue;
    const kind = classify(path);
    if (kind === undefined) continue;
    // A client that no manifest shows runs under an account that nobody knows, which policies may well admit.
    if (kind === 'policy' && path.client.isAssumed) continue;
    // What one client is not given and another is, is somebody's intent: a Sidecar, an audience, a policy.
    if ((kind === 'not-declared' || kind === 'policy') && delivered.has(path.probe.url)) continue;
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
    const by = refusal.by && !isMode ? findDecided(context, refusal.by) : undefined;
    const isOwn = path.client.namespace === path.probe.manifest.namespace;
    const isDoubtful = !path.client.hasSidecarForSure && !isOwn && delivered.has(path.probe.url);
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

function classify({ trace: { refusal, hops } }: Path): Break | undefined {
  if (!refusal) return undefined;
  const { code, what } = refusal;
  const atGateway = ['egress-gateway', 'ingress-gateway', 'envoy-gateway', 'waypoint'].includes(refusal.proxy.kind);
  switch (code) {
    case 'redirect':
    case 'direct_response':
    case 'FI':
      return undefined; // what the route is there for
    case 'loop':
      return 'loop';
    case 'DPE':
      return 'tls-mode';
    case 'UH':
      return 'no-endpoint';
    case 'NC':
      return what.includes('subset') ? 'no-subset' : 'no-destination';
    case 'UPE':
      return what.includes('TLS inside TLS') || what.includes('speaks TLS already') ? 'double-tls' : 'plaintext-to-tls';
    case 'NR':
      if (what.includes('takes plain text')) return 'tls-mode';
      if (what.includes('filter chain')) return 'sni-not-served';
      return atGateway ? 'no-route' : 'other';
    case 'UF':
      if (/NetworkPolicy/.test(what)) return 'policy';
      return /handshake|expects TLS|plain text|mutual TLS/.test(what)
        ? 'tls-mode'
        : atGateway
          ? 'no-listener'
          : 'other';
    case 'BlackHoleCluster':
      return hops.length > 1 ? 'no-destination' : 'not-declared';
    case 'RBAC':
      return undefined; // whether somebody may is for policies to say
    case 'NetworkPolicy':
      return 'policy';
    default:
      return 'other';
  }
}

export function findDecided(context: CheckContext, by: Decision): { manifest: Manifest; field: FieldPath } | undefined {
  const named = context.index(manifestsByName);
  const manifest = named.get(`${by.kind} ${by.namespace}/${by.name}`) ?? named.get(`${by.kind} /${by.name}`);
  return manifest ? { manifest, field: parseField(by.field) } : undefined;
}

const manifestsByName = defineIndex(
  'manifests by name',
  ({ manifests }): ReadonlyMap<string, Manifest> =>
    new Map(manifests.map((manifest) => [`${manifest.kind} ${manifest.namespace}/${manifest.name}`, manifest])),
);

const servicesOfEntry = defineIndex('services of an entry', ({ mesh }): ReadonlyMap<Manifest, readonly Service[]> => {
  const services = new Map<Manifest, Service[]>();
  for (const service of mesh.services.all) push(services, service.config.manifest, service);
  return services;
});

/** `spec.http[0].match` as a path. */
export function parseField(field: string): FieldPath {
  return [...field.matchAll(/\["([^"]+)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, name]) =>
    index === undefined ? (quoted ?? name ?? '') : Number(index),
  );
}
