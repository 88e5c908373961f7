/** Random meshes, one after the other, in a lab that runs: what is seen there against `trace`. */
import fc from 'fast-check';
import { loadText } from '../../../src/model/load';
import { buildMesh } from '../../../src/model/mesh';
import { trace } from '../../../src/trace';
import { type Trace } from '../../../src/trace/types';
import { toYaml } from '../../trace/oracle/compare';
import { type Thing } from '../../trace/oracle/vocabulary';
import { ApiError, type KubeObject } from '../../lab/api';
import { RANDOM_SITES, siteAddress } from '../../lab/internet';
import { MESH_CONFIG, meshConfigMap } from '../../lab/istiod';
import { committed, type Mesh } from '../mesh';
import { disagreement } from './agree';
import { FRONT, INGRESS_WORLD, ingressMeshes } from './ingress';
import { type LiveAsk, type LiveMesh, liveMeshes } from './meshes';
import { Observer, type Observation } from './observe';
import { CLIENTS, credentials, PROXIES, WORLD } from './world';
import { LAB_RELEASES } from '../../lab/versions';

export interface Difference {
  readonly mesh: number;
  readonly ask: LiveAsk;
  readonly what: string;
  readonly trace: Trace;
  readonly seen: Observation;
  readonly yaml: string;
  readonly outbound: string;
}

export interface Totals {
  meshes: number;
  requests: number;
  hops: number;
  unknown: number;
  delivered: number;
  answered: number;
  refused: number;
  /** Objects that admission refused, which are left out for both. */
  refusedObjects: number;
  /** Meshes of which a proxy refused a part. */
  refusedMeshes: number;
  /** Requests at a listener that Envoy refuses. */
  skipped: number;
  readonly differences: Difference[];
}

const isServed = (thing: Thing): KubeObject => {
  const { creationTimestamp: _, ...metadata } = thing.metadata;
  return { ...thing, metadata } as unknown as KubeObject;
};

const KINDS = [
  { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
  { apiVersion: 'gateway.networking.k8s.io/v1beta1', kind: 'ReferenceGrant' },
  ...['ServiceEntry', 'Gateway', 'VirtualService', 'DestinationRule', 'Sidecar'].map((kind) => ({
    apiVersion: 'networking.istio.io/v1',
    kind,
  })),
  ...['PeerAuthentication', 'AuthorizationPolicy', 'RequestAuthentication'].map((kind) => ({
    apiVersion: 'security.istio.io/v1',
    kind,
  })),
];

/** Takes away what a run that was cut short has left in a lab. */
async function sweep(mesh: Mesh): Promise<void> {
  for (const kind of KINDS) {
    const left = await mesh.lab.api.list(kind);
    await Promise.all(left.map((object) => mesh.lab.api.delete({ ...kind, metadata: object.metadata })));
  }
}

/** What DNS tells clients, where no manifest does. */
function siteOf(host: string): string | undefined {
  return RANDOM_SITES.includes(host) ? siteAddress(host) : undefined;
}

export class LiveComparison {
  /** Puts in what random meshes run on. */
  public static async open(mesh: Mesh, isIngress = false): Promise<LiveComparison> {
    await sweep(mesh);
    await mesh.lab.apply(WORLD.filter(({ kind }) => kind === 'Namespace'));
    await mesh.lab.apply(await credentials(mesh));
    const own = isIngress ? INGRESS_WORLD : [];
    await mesh.lab.apply([...WORLD, ...own]);
    await Promise.all([...PROXIES, 'app/sleep', 'app/other', 'web/sleep'].map((pod) => mesh.lab.ready(pod)));
    if (isIngress) await mesh.lab.ready(FRONT, 90);
    await mesh.lab.settle();
    return new LiveComparison(
      mesh,
      await Observer.open(mesh.lab, [...CLIENTS, ...PROXIES, ...(isIngress ? [FRONT] : [])]),
      own,
    );
  }

  private applied: readonly KubeObject[] = [];

  private constructor(
    private readonly mesh: Mesh,
    private readonly observer: Observer,
    private readonly own: readonly KubeObject[],
  ) {}

  /** As many meshes as there is time for. */
  public async run(options: {
    readonly seed: number;
    readonly seconds: number;
    readonly requests: number;
    readonly skip?: number;
    readonly meshes?: number;
    readonly say?: (totals: Totals) => void;
    readonly differs?: (difference: Difference) => void;
  }): Promise<Totals> {
    const end = Date.now() + options.seconds * 1000;
    const totals: Totals = {
      meshes: 0,
      requests: 0,
      hops: 0,
      unknown: 0,
      delivered: 0,
      answered: 0,
      refused: 0,
      refusedObjects: 0,
      refusedMeshes: 0,
      skipped: 0,
      differences: [],
    };
    for (let index = options.skip ?? 0; Date.now() < end && totals.meshes < (options.meshes ?? Infinity); index += 1) {
      const generated = this.own.length > 0 ? ingressMeshes(options.requests) : liveMeshes(options.requests);
      const [mesh] = fc.sample(generated, { numRuns: 1, seed: options.seed * 100_000 + index });
      const known = totals.differences.length;
      await this.one(mesh as LiveMesh, index, totals);
      for (const difference of totals.differences.slice(known)) options.differs?.(difference);
      options.say?.(totals);
    }
    await this.clear();
    return totals;
  }

  private async one(mesh: LiveMesh, index: number, totals: Totals): Promise<void> {
    const served = await this.use(mesh, totals);
    const manifests = [
      ...WORLD,
      ...this.own,
      ...committed('egress-gateway-install').filter(({ kind }) => kind !== 'Service'),
    ];
    const yaml = toYaml([...manifests, ...served] as unknown as readonly Thing[]);
    const model = buildMesh(loadText(yaml).manifests, { ...LAB_RELEASES, outbound: mesh.outbound });
    const traces = mesh.asks.map((ask) =>
      trace(model, {
        from: ask.from,
        at: ask.at,
        request: `${ask.scheme}://${ask.host}:${ask.port}${ask.scheme === 'tcp' ? '' : ask.path}`,
        address: ask.address ?? siteOf(ask.host),
        method: ask.method,
        headers: ask.headers,
      }),
    );
    // A cluster that is still looking its endpoints up is not there yet: what differs is asked for again.
    let open = mesh.asks.map((_ask, position) => position);
    const seen: Observation[] = [];
    for (let attempt = 0; attempt < 3 && open.length > 0; attempt += 1) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 400));
      const observations = await this.observer.observe(open.map((position) => mesh.asks[position] as LiveAsk));
      open.forEach((position, at) => (seen[position] = observations[at] as Observation));
      open = open.filter(
        (position) => disagreement(traces[position] as Trace, seen[position] as Observation) !== undefined,
      );
    }
    totals.meshes += 1;
    for (const [position, ask] of mesh.asks.entries()) {
      const [own, observed] = [traces[position] as Trace, seen[position] as Observation];
      // Objects come one after the other: Envoy may have taken an earlier form of a listener, and goes on with that.
      // And curl has no certificate to show where trace assumes that a client has one.
      if (own.noted.some(({ kind }) => kind === 'listener-refused' || kind === 'client-certificate')) {
        totals.skipped += 1;
        continue;
      }
      totals.requests += 1;
      totals.hops += observed.hops.length;
      totals[own.outcome] += 1;
      const what = disagreement(own, observed);
      if (what !== undefined)
        totals.differences.push({ mesh: index, ask, what, trace: own, seen: observed, yaml, outbound: mesh.outbound });
    }
  }

  /** Replaces the objects of the mesh before; gives them as the API server has them. */
  private async use(mesh: LiveMesh, totals: Totals): Promise<readonly KubeObject[]> {
    const { lab } = this.mesh;
    // What a proxy refuses must not leave the former mesh's listener in its place.
    await this.takeAway();
    await lab.settle();
    const served: KubeObject[] = [];
    for (const thing of mesh.things) {
      const object = isServed(thing);
      try {
        const { metadata } = await lab.api.apply(object);
        const { creationTimestamp } = metadata;
        served.push({ ...object, metadata: { ...object.metadata, creationTimestamp } } as KubeObject);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        totals.refusedObjects += 1;
      }
    }
    const config = { ...MESH_CONFIG, outboundTrafficPolicy: { mode: mesh.outbound } };
    await lab.api.apply(meshConfigMap(config));
    this.applied = served.filter(({ kind, metadata }) => kind !== 'Service' || metadata.name !== 'istio-egressgateway');
    await lab.settle(6).catch(() => (totals.refusedMeshes += 1));
    return served;
  }

  /** Takes away what random meshes run on, so that other tests find the lab as it was. */
  public async close(): Promise<void> {
    await this.clear();
    const left = [...WORLD, ...this.own, ...(await credentials(this.mesh))];
    await this.mesh.lab.delete(left.filter(({ kind }) => kind !== 'Namespace'));
    await this.mesh.lab.settle();
  }

  /** istiod 1.29 panics (mergeHTTPRoutes) when the last routes of a host go at one moment, so they go one after the other. */
  private async takeAway(): Promise<void> {
    const { lab } = this.mesh;
    for (const route of this.applied.filter(({ kind }) => kind === 'HTTPRoute')) {
      await lab.api.delete(route);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await lab.delete(this.applied.filter(({ kind }) => kind !== 'HTTPRoute'));
  }

  private async clear(): Promise<void> {
    await this.takeAway();
    this.applied = [];
    await this.mesh.lab.apply(committed('egress-gateway-install'));
    await this.mesh.lab.api.apply(meshConfigMap(MESH_CONFIG));
  }
}
