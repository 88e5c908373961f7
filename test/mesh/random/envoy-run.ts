/** Random ways in through Envoy Gateway, one after the other, in a lab that runs it: what is seen there against `trace`. */
import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { loadText } from '../../../src/model/load';
import { buildMesh } from '../../../src/model/mesh';
import { trace } from '../../../src/trace';
import { type Trace } from '../../../src/trace/types';
import { ApiError, type KubeObject } from '../../lab/api';
import { MESH_CONFIG, meshConfigMap } from '../../lab/istiod';
import { until } from '../../lab/process';
import { toYaml } from '../../trace/oracle/compare';
import { type Thing } from '../../trace/oracle/vocabulary';
import { EnvoyGateway, NAMESPACE } from '../envoy-gateway';
import { committed, type Mesh, PLAIN } from '../mesh';
import { ENVOY_FRONT, type EnvoyAsk, type EnvoyMesh, envoyMeshes } from './envoy-gateway';
import { services } from './ingress';
import { WORLD, credentials } from './world';
import { LAB_RELEASES } from '../../lab/versions';

export interface EnvoySeen {
  readonly status: number;
  /** The Pod that answered; empty where the gateway did. */
  readonly server: string;
}

export interface EnvoyDifference {
  readonly mesh: number;
  readonly ask: EnvoyAsk;
  readonly what: string;
  readonly trace: Trace;
  readonly yaml: string;
}

export interface EnvoyTotals {
  meshes: number;
  requests: number;
  delivered: number;
  answered: number;
  refused: number;
  unknown: number;
  readonly differences: EnvoyDifference[];
}

/** A user whom nobody is: the hash is that of random bytes. */
const USERS = `nobody:{SHA}${createHash('sha1').update(randomBytes(20)).digest('base64')}\n`;

/** Sidecars beside the gateway's proxies know few of the hosts that are asked for. */
const OUTBOUND = 'ALLOW_ANY';

/** Envoy Gateway takes Secrets of that type alone. */
function certificate(secrets: readonly KubeObject[]): KubeObject {
  const own = secrets.find(({ metadata }) => metadata.name === 'cert' && metadata.namespace === 'edge')!;
  const { data } = own as KubeObject & { readonly data: Readonly<Record<string, string>> };
  const files = { 'tls.crt': data['tls.crt'], 'tls.key': data['tls.key'] };
  return {
    ...own,
    metadata: { name: 'front', namespace: 'edge' },
    type: 'kubernetes.io/tls',
    data: files,
  } as KubeObject;
}

const WORKS = new Set(['shop', 'store']);

/** The servers of random meshes, and the Gateway. Namespace `web` is the one that a listener selects. */
const FURNITURE: readonly KubeObject[] = [
  ...WORLD.filter(
    ({ kind, metadata }) =>
      kind === 'Namespace' || (['Pod', 'ServiceAccount', 'ConfigMap'].includes(kind) && WORKS.has(metadata.name)),
  ).map((object) =>
    object.kind === 'Namespace' && object.metadata.name === 'web'
      ? { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, team: 'pay' } } }
      : object.kind === 'ConfigMap'
        ? (JSON.parse(JSON.stringify(object).replaceAll('$hostname', object.metadata.name)) as KubeObject)
        : object,
  ),
  ...(services as readonly unknown[] as readonly KubeObject[]).filter(({ metadata: { name } }) => WORKS.has(name)),
  ENVOY_FRONT,
  ...['app', 'web', 'edge'].map((namespace): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'users', namespace },
    stringData: { '.htpasswd': USERS },
  })),
];

/** One difference in a sentence; undefined where they agree. */
export function envoyDisagreement(told: Trace, seen: EnvoySeen): string | undefined {
  if (told.outcome === 'unknown') return undefined;
  // Such a listener stays what it was before, in the mesh that came before.
  if (told.refusal?.what.startsWith('Envoy refuses the ') === true) return undefined;
  const gateway = told.hops.find(({ proxy }) => proxy.kind === 'envoy-gateway');
  // Another one of a weighted route.
  if ((gateway?.alternatives.length ?? 0) > 0 && [200, 500, 503].includes(seen.status)) return undefined;
  if (told.outcome === 'delivered') {
    const [server = ''] = (told.destination?.host ?? '').split('.');
    if (seen.status !== 200) return `status ${seen.status}, trace says delivered to ${server}`;
    return seen.server === server ? undefined : `${seen.server} answered, trace says ${server}`;
  }
  const { status, code, what } = (told.refusal ?? told.answer)!;
  return seen.status === (status ?? 0)
    ? undefined
    : `status ${seen.status} ${seen.server}, trace says ${status} (${code}: ${what})`;
}

interface Conditions {
  readonly conditions?: readonly { readonly observedGeneration?: number }[];
}
interface Judged extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation: number };
  readonly status?: Conditions & {
    readonly parents?: readonly Conditions[];
    readonly ancestors?: readonly Conditions[];
  };
}

export class EnvoyComparison {
  public static async open(mesh: Mesh): Promise<EnvoyComparison> {
    const envoyGateway = await EnvoyGateway.install(mesh);
    await mesh.lab.apply(FURNITURE.filter(({ kind }) => kind === 'Namespace'));
    const secrets = await credentials(mesh);
    await mesh.lab.apply([
      ...secrets,
      certificate(secrets),
      meshConfigMap({ ...MESH_CONFIG, outboundTrafficPolicy: { mode: OUTBOUND } }),
    ]);
    await mesh.lab.apply(FURNITURE);
    const service = await until('Envoy Gateway made a Service for the Gateway', 60, async () => {
      const services = await mesh.lab.api.list({ apiVersion: 'v1', kind: 'Service' });
      return services.find(({ metadata }) => metadata.labels?.['gateway.envoyproxy.io/owning-gateway-name'] === 'front')
        ?.metadata.name;
    });
    await mesh.lab.ready(`${NAMESPACE}/${service}`, 90);
    await mesh.lab.ready('app/shop');
    await mesh.lab.ready('web/store');
    await mesh.lab.settle();
    return new EnvoyComparison(mesh, envoyGateway, `${service}.${NAMESPACE}`);
  }

  private applied: readonly KubeObject[] = [];

  private constructor(
    private readonly mesh: Mesh,
    private readonly envoyGateway: EnvoyGateway,
    private readonly service: string,
  ) {}

  public async run(options: {
    readonly seed: number;
    readonly seconds: number;
    readonly requests: number;
    readonly skip?: number;
    readonly meshes?: number;
    readonly say?: (totals: EnvoyTotals) => void;
    readonly differs?: (difference: EnvoyDifference) => void;
  }): Promise<EnvoyTotals> {
    const end = Date.now() + options.seconds * 1000;
    const totals: EnvoyTotals = {
      meshes: 0,
      requests: 0,
      delivered: 0,
      answered: 0,
      refused: 0,
      unknown: 0,
      differences: [],
    };
    for (let index = options.skip ?? 0; Date.now() < end && totals.meshes < (options.meshes ?? Infinity); index += 1) {
      const [mesh] = fc.sample(envoyMeshes(options.requests), { numRuns: 1, seed: options.seed * 100_000 + index });
      const known = totals.differences.length;
      await this.one(mesh!, index, totals);
      totals.differences.slice(known).forEach((difference) => options.differs?.(difference));
      options.say?.(totals);
    }
    return totals;
  }

  private async one(mesh: EnvoyMesh, index: number, totals: EnvoyTotals): Promise<void> {
    const { traces, yaml } = await this.apply(mesh);
    let found = await this.differing(mesh, traces);
    // Envoy Gateway leaves out endpoints of clusters that change fast, and Envoy then has no such cluster (NC): what differs is asked
    // of proxies that have no past.
    if (found.size > 0) {
      await this.restartProxies();
      found = await this.differing(mesh, traces);
    }
    totals.meshes += 1;
    for (const [position, ask] of mesh.asks.entries()) {
      totals.requests += 1;
      totals[traces[position]!.outcome] += 1;
      const what = found.get(position);
      if (what !== undefined) totals.differences.push({ mesh: index, ask, what, trace: traces[position]!, yaml });
    }
  }

  /** Applies a set of routes, and says what trace makes of them. */
  private async apply(mesh: EnvoyMesh): Promise<{ readonly traces: readonly Trace[]; readonly yaml: string }> {
    const served = await this.use(mesh.things);
    const install = [...committed('envoy-gateway-in-mesh'), ...FURNITURE.filter(({ kind }) => kind !== 'Secret')];
    const yaml = toYaml([...install, ...served] as unknown as readonly Thing[]);
    const model = buildMesh(loadText(yaml).manifests, { ...LAB_RELEASES, outbound: OUTBOUND });
    const traces = mesh.asks.map(({ method, headers, scheme, host, port, path }) => {
      const request = `${scheme}://${host}:${port}${path}`;
      return trace(model, { from: 'outside', at: 'edge/front', request, method, headers });
    });
    return { traces, yaml };
  }

  /** What differs, by the number of the request. */
  private async differing(mesh: EnvoyMesh, traces: readonly Trace[]): Promise<ReadonlyMap<number, string>> {
    let open = mesh.asks.map((_ask, position) => position);
    const found = new Map<number, string>();
    for (let attempt = 0; attempt < 6 && open.length > 0; attempt += 1) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, 300 * attempt));
      const seen = await Promise.all(open.map((position) => this.request(mesh.asks[position]!)));
      found.clear();
      open.forEach((position, at) => {
        const what = envoyDisagreement(traces[position]!, seen[at]!);
        if (what !== undefined) found.set(position, what);
      });
      open = [...found.keys()];
    }
    return found;
  }

  /** Puts new Pods in the place of those of Envoy Gateway's proxies. */
  private async restartProxies(): Promise<void> {
    const { lab } = this.mesh;
    const pods = (await lab.api.list({ apiVersion: 'v1', kind: 'Pod' })).filter(
      ({ metadata: { labels } }) => labels?.['gateway.envoyproxy.io/owning-gateway-name'] === 'front',
    );
    await lab.delete(pods);
    await lab.ready(`${NAMESPACE}/${this.service.split('.')[0]}`, 90);
    await lab.settle();
  }

  /** One request, from outside the mesh. */
  private async request({ scheme, host, port, path, method, headers }: EnvoyAsk): Promise<EnvoySeen> {
    const { code, stdout } = await this.mesh.lab.run('exec', {
      pod: PLAIN,
      command: [
        ...['curl', '-sk', '--path-as-is', '--max-time', '5', '-X', method, '-w', '\n%{http_code}'],
        ...['--connect-to', `${host}:${port}:${this.service}:${port}`],
        ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
        `${scheme}://${host}:${port}${path}`,
      ],
    });
    const lines = stdout.split('\n');
    const status = Number(lines.at(-1));
    return { status: code === 0 ? status : 0, server: /^(\S+) by https?$/.exec(lines[0] ?? '')?.[1] ?? '' };
  }

  private async use(things: readonly Thing[]): Promise<readonly KubeObject[]> {
    const { lab } = this.mesh;
    await lab.delete(this.applied);
    const served: KubeObject[] = [];
    for (const thing of things) {
      const { creationTimestamp: _, ...meta } = thing.metadata;
      const object = { ...thing, metadata: meta } as unknown as KubeObject;
      try {
        const { metadata } = await lab.api.apply(object);
        served.push({ ...object, metadata: { ...meta, creationTimestamp: metadata.creationTimestamp } } as KubeObject);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
    }
    this.applied = served;
    const judged = served.filter(({ kind }) => /Route$|Policy$/.test(kind));
    const all = until('Envoy Gateway has judged the routes and policies', 4, async () => {
      const now = await Promise.all(
        judged.map((object) => lab.api.tryGet(object, object.metadata.name, object.metadata.namespace)),
      );
      return now.every((object) => isJudged(object as Judged)) ? true : undefined;
    });
    // Of some it never says a word: those that name a listener which is not there.
    await all.catch(() => {});
    await lab.settle();
    return served;
  }

  public async close(): Promise<void> {
    await this.mesh.lab.delete(this.applied);
    const secrets = await credentials(this.mesh);
    await this.mesh.lab.apply([meshConfigMap(MESH_CONFIG)]);
    const left = [...FURNITURE, ...secrets, certificate(secrets)];
    await this.mesh.lab.delete(left.filter(({ kind }) => kind !== 'Namespace'));
    await this.envoyGateway.remove();
    await this.mesh.lab.settle();
  }
}

/** Whether the controller has said of every parent what it makes of the object as it is now. */
function isJudged({ metadata, status = {} }: Judged): boolean {
  const all = [...(status.parents ?? []), ...(status.ancestors ?? [])];
  return (
    all.length > 0 &&
    all.every(({ conditions = [] }) =>
      conditions.every(({ observedGeneration }) => observedGeneration === metadata.generation),
    )
  );
}
