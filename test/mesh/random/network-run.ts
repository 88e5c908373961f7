/** Random NetworkPolicies in a lab that enforces them, and what requests then do, against `trace`. */
import fc from 'fast-check';
import { loadText } from '../../../src/model/load';
import { buildMesh } from '../../../src/model/mesh';
import { trace } from '../../../src/trace';
import { type Trace } from '../../../src/trace/types';
import { toYaml } from '../../trace/oracle/compare';
import { type Thing } from '../../trace/oracle/vocabulary';
import { ApiError, type KubeObject } from '../../lab/api';
import { fixture, type Mesh } from '../mesh';
import { type LiveAsk } from './meshes';
import { type NetworkAsk, networkSets } from './network-policies';
import { NETWORK_PROXIES, NETWORK_WORLD, SITES } from './network-world';
import { type Observation, Observer } from './observe';
import { LAB_RELEASES } from '../../lab/versions';

const KIND = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };

export interface NetworkDifference {
  readonly set: number;
  readonly ask: NetworkAsk;
  readonly what: string;
  readonly trace: Trace;
  readonly seen: Observation;
  readonly yaml: string;
}

export interface NetworkTotals {
  sets: number;
  policies: number;
  requests: number;
  delivered: number;
  answered: number;
  refused: number;
  unknown: number;
  /** Policies that admission refused, which are left out for both. */
  refusedObjects: number;
  readonly differences: NetworkDifference[];
}

/** Policies that go by the client's own address outside are assumed to let it pass, which trace says. */
const isUnknown = ({ outcome, notes }: Trace): boolean =>
  outcome === 'unknown' || notes.some((note) => note.startsWith('assumed that NetworkPolicies'));

/** One difference in a sentence; undefined where they agree. */
function disagreement(ask: NetworkAsk, own: Trace, seen: Observation): string | undefined {
  if (isUnknown(own)) return undefined;
  const words = `status ${seen.status}, curl ${seen.exit}`;
  const isWeb = ![53, 15012].includes(ask.port);
  const passed = isWeb ? seen.status === 200 : seen.isConnected;
  if (own.outcome === 'delivered') return passed ? undefined : `trace says delivered; ${words}`;
  if (passed) return `trace says ${own.refusal?.what ?? 'refused'}; ${words}`;
  const where = own.refusal?.proxy;
  const last = where === undefined || where.kind === 'none' ? 'nobody' : `${where.namespace}/${where.workload ?? ''}`;
  const logged = seen.hops.at(-1)?.proxy ?? 'nobody';
  return last === logged ? undefined : `trace says that ${last} is held back; the last to log was ${logged} (${words})`;
}

export class NetworkComparison {
  /** Puts in what random policies are about. */
  public static async open(mesh: Mesh): Promise<NetworkComparison> {
    const { lab } = mesh;
    const left = await lab.api.list(KIND);
    await lab.delete(left.map(({ metadata }) => ({ ...KIND, metadata })));
    await lab.apply(NETWORK_WORLD);
    const pods = NETWORK_WORLD.filter(({ kind }) => kind === 'Pod');
    await Promise.all(pods.map(({ metadata }) => lab.ready(`${metadata.namespace}/${metadata.name}`)));
    await lab.settle();
    const observer = await Observer.open(lab, NETWORK_PROXIES);
    const running = (await lab.api.list({ apiVersion: 'v1', kind: 'Pod' })) as readonly (KubeObject & PodStatus)[];
    const services = await lab.api.list({ apiVersion: 'v1', kind: 'Service' });
    return new NetworkComparison(mesh, observer, running, services);
  }

  private readonly addresses: ReadonlyMap<string, string>;
  private applied: readonly KubeObject[] = [];

  private constructor(
    private readonly mesh: Mesh,
    private readonly observer: Observer,
    private readonly running: readonly (KubeObject & PodStatus)[],
    private readonly services: readonly KubeObject[],
  ) {
    this.addresses = new Map(running.map((pod) => [keyOf(pod), pod.status.podIP]));
  }

  public async run(options: {
    readonly seed: number;
    readonly seconds: number;
    readonly requests: number;
    readonly skip?: number;
    readonly sets?: number;
    readonly say?: (totals: NetworkTotals) => void;
  }): Promise<NetworkTotals> {
    const end = Date.now() + options.seconds * 1000;
    const totals: NetworkTotals = {
      sets: 0,
      policies: 0,
      requests: 0,
      delivered: 0,
      answered: 0,
      refused: 0,
      unknown: 0,
      refusedObjects: 0,
      differences: [],
    };
    for (let set = options.skip ?? 0; Date.now() < end && totals.sets < (options.sets ?? Infinity); set += 1) {
      const [one] = fc.sample(networkSets(options.requests), { numRuns: 1, seed: options.seed * 100_000 + set });
      const { policies, asks } = JSON.parse(
        JSON.stringify(one).replace(/\{(\w+\/\w+)\}/g, (_all, key: string) => this.addresses.get(key) ?? key),
      ) as NonNullable<typeof one>;
      await this.use(policies as unknown as readonly KubeObject[], totals);
      await this.compare(asks, set, totals);
      options.say?.(totals);
    }
    return totals;
  }

  /** Takes all of it away. */
  public async close(): Promise<void> {
    const { lab } = this.mesh;
    await lab.delete([...this.applied, ...NETWORK_WORLD].filter(({ kind }) => kind !== 'Namespace'));
    await lab.settle();
  }

  private async use(policies: readonly KubeObject[], totals: NetworkTotals): Promise<void> {
    const { lab } = this.mesh;
    await lab.delete(this.applied);
    const applied: KubeObject[] = [];
    for (const policy of policies) {
      try {
        await lab.api.apply(policy);
        applied.push(policy);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        totals.refusedObjects += 1;
      }
    }
    this.applied = applied;
    totals.sets += 1;
    totals.policies += applied.length;
    await lab.settle();
  }

  private async compare(asks: readonly NetworkAsk[], set: number, totals: NetworkTotals): Promise<void> {
    const yaml = toYaml([...this.manifests(), ...this.applied] as unknown as readonly Thing[]);
    const model = buildMesh(loadText(yaml).manifests, { ...LAB_RELEASES, outbound: 'REGISTRY_ONLY' });
    const traces = asks.map((ask) =>
      trace(model, {
        from: ask.from,
        at: ask.from === 'outside' ? 'edge/in' : undefined,
        request: `${[53, 15012].includes(ask.port) ? 'tcp' : 'http'}://${ask.host}:${ask.port}`,
        address: SITES[ask.host as keyof typeof SITES],
      }),
    );
    const seen: Observation[] = [];
    let open = asks.map((_ask, position) => position);
    const differs = (position: number) =>
      disagreement(asks[position]!, traces[position]!, seen[position]!) !== undefined;
    // A machine that is busy may be late with a connection.
    for (let attempt = 0; attempt < 3 && open.length > 0; attempt += 1) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 500));
      const observed = await this.observer.observe(open.map((position) => this.live(asks[position]!)));
      open.forEach((position, at) => (seen[position] = observed[at]!));
      open = open.filter(differs);
    }
    for (const [position, ask] of asks.entries()) {
      const own = traces[position]!;
      totals.requests += 1;
      totals[isUnknown(own) ? 'unknown' : own.outcome] += 1;
      const what = disagreement(ask, own, seen[position]!);
      if (what !== undefined) totals.differences.push({ set, ask, what, trace: own, seen: seen[position]!, yaml });
    }
  }

  /** As clients that asked no DNS send it. */
  private live(ask: NetworkAsk): LiveAsk {
    const isOutside = ask.from === 'outside';
    const [name, home] = isOutside ? ['front', 'edge'] : ask.host.split('.');
    const service = this.services.find(({ metadata }) => metadata.name === name && metadata.namespace === home);
    return {
      from: ask.from,
      scheme: 'http',
      host: ask.host,
      port: ask.port,
      address:
        SITES[ask.host as keyof typeof SITES] ?? (service?.spec as { clusterIP?: string } | undefined)?.clusterIP,
      path: '/',
      method: 'GET',
      headers: {},
      ...(isOutside ? { client: 'internet' } : {}),
    };
  }

  /** The world as it runs, with the addresses of its Pods. */
  private manifests(): readonly KubeObject[] {
    const node = this.running.filter(({ metadata }) => ['coredns', 'istiod-lab'].includes(metadata.name));
    return [...NETWORK_WORLD, ...fixture('base.yaml'), ...node].map((object) => {
      if (object.kind !== 'Pod') return object;
      const podIP = this.addresses.get(keyOf(object));
      return { ...object, status: { podIP, podIPs: [{ ip: podIP }] } };
    });
  }
}

interface PodStatus {
  readonly status: { readonly podIP: string };
}

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;
