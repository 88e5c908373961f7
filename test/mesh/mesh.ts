import * as fs from 'node:fs';
import * as path from 'node:path';
import { type KubeObject } from '../lab/api';
import { addNode } from '../lab/controlplane';
import { type SiteLine } from '../lab/internet';
import { MESH_CONFIG, meshConfigMap } from '../lab/istiod';
import { type AccessLine, Lab } from '../lab/lab';
import { readManifests } from '../lab/manifests';
import { LabEnded } from '../lab/process';

/** The Pods that every world has. */
export const CLIENT = 'default/client';
export const PLAIN = 'legacy/plain';
export const GATEWAY = 'istio-system/istio-egressgateway';

/** What one request did, as seen at every place that logs. A place that logged nothing is null. */
export interface Seen {
  /** The HTTP status that the client got; 0 where it got none. */
  readonly status: number;
  readonly body: string;
  readonly sidecar: AccessLine | null;
  readonly gateway: AccessLine | null;
  readonly site: SiteLine | null;
}

/** A request as curl makes it. */
export interface Request {
  readonly url: string;
  /** The Pod it comes from; the one with a sidecar where not said. */
  readonly from?: string;
  readonly args?: readonly string[];
  /** The user to be in the Pod; an application's where not said. */
  readonly user?: number;
  /** The gateway whose log is looked at. */
  readonly gateway?: string;
  /** The Pod and container of a server inside the lab whose log is looked at in the place of the internet's. */
  readonly server?: { readonly pod: string; readonly container: string };
}

export const say = (line: string) => process.stderr.write(`${line}\n`);

export const DIST = path.resolve(__dirname, '../../dist');

/** The objects of one scenario as committed under `dist/`, without its input for installers. */
export function committed(scenario: string): readonly KubeObject[] {
  const folder = path.join(DIST, scenario);
  const files = fs.readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return readManifests(files.sort().map((name) => path.join(folder, name)));
}

/** The mesh configuration that a scenario's input for istioctl asks for, if it has one. */
export function meshOptions(scenario: string): Readonly<Record<string, unknown>> {
  const file = path.join(DIST, scenario, 'install', 'istio-operator.yaml');
  if (!fs.existsSync(file)) return {};
  const [operator] = readManifests([file]) as readonly (KubeObject & {
    spec: { meshConfig?: Record<string, unknown> };
  })[];
  return operator!.spec.meshConfig ?? {};
}

/** The objects of files under `test/mesh/fixtures`. */
export function fixture(...names: readonly string[]): readonly KubeObject[] {
  return readManifests(names.map((name) => path.join(__dirname, 'fixtures', name)));
}

/** What every world has: two applications, and the egress gateway as this project installs it. */
const base = (): readonly KubeObject[] => [...fixture('base.yaml'), ...committed('egress-gateway-install')];

/** The lab as a test uses it: worlds come and go, requests are made and seen. */
export class Mesh {
  /** Starts a lab of that name, or takes the one that `MESH_EDGE_LAB` names, and furnishes it. */
  public static async start(name = process.env.MESH_EDGE_LAB_NAME): Promise<Mesh> {
    const running = process.env.MESH_EDGE_LAB !== undefined;
    const mesh = new Mesh(running ? await Lab.connect(name) : await Lab.start({ name, attached: true, say }));
    await mesh.furnish();
    return mesh;
  }

  /** The lab that runs; a new one, where the one that the tests started has ended. */
  public static async open(): Promise<Mesh> {
    try {
      return new Mesh(await Lab.connect(process.env.MESH_EDGE_LAB_NAME));
    } catch (error) {
      if (!(error instanceof LabEnded) || process.env.MESH_EDGE_LAB !== undefined) throw error;
      return Mesh.start();
    }
  }

  private used: readonly KubeObject[] = [];
  private rejectsBefore = '';

  public constructor(public readonly lab: Lab) {}

  /** Puts into an empty lab what every world has. */
  public async furnish(): Promise<void> {
    await addNode(this.lab.api, 'edge-1', { edge: 'egress' }, [{ key: 'edge', value: 'egress', effect: 'NoSchedule' }]);
    await this.lab.apply(base());
    await this.podsReady();
  }

  /** Applies a world of objects, beside what every world has, and waits until every proxy has it. */
  public async use(objects: readonly KubeObject[], mesh: Readonly<Record<string, unknown>> = {}): Promise<void> {
    // The test in which a lab ends fails, and says why; those after it have another one, at the same place.
    if (!(await this.lab.answers())) await Mesh.open();
    this.rejectsBefore = await this.rejects();
    this.used = objects;
    await this.lab.apply([meshConfigMap({ ...MESH_CONFIG, ...mesh }), ...objects]);
    await this.podsReady();
    await this.lab.settle();
  }

  /** Applies more objects, strictly one after the other, and waits until every proxy has them. */
  public async add(objects: readonly KubeObject[]): Promise<void> {
    this.used = [...this.used, ...objects];
    for (const object of objects) await this.lab.api.apply(object);
    await this.lab.settle();
  }

  /**
   * Takes away what `use` applied; what every world has becomes as it was. Namespaces stay, empty: their controller
   * waits 5 s before it deletes one.
   */
  public async clear(): Promise<void> {
    const kept = new Set(base().map(identity));
    const gone = this.used.filter((object) => object.kind !== 'Namespace' && !kept.has(identity(object)));
    await this.lab.delete(gone);
    await this.lab.apply([...base(), meshConfigMap(MESH_CONFIG)]);
    this.used = [];
    await this.podsReady();
    await this.lab.settle();
  }

  /** The proxies' refusals of what istiod sent since `use`: none, or the world was never in force. */
  public async newRejects(): Promise<string> {
    const rejects = await this.rejects();
    return rejects === this.rejectsBefore ? '' : rejects;
  }

  private async rejects(): Promise<string> {
    const lines = (await this.lab.run('metrics', {})).split('\n');
    return lines.filter((line) => line.startsWith('pilot_total_xds_rejects')).join('\n');
  }

  /** Waits for the Pods that the world has by themselves or by a Deployment. */
  private async podsReady(): Promise<void> {
    const workloads = this.used.filter(({ kind }) => kind === 'Pod' || kind === 'Deployment');
    const names = workloads.map(({ metadata }) => `${metadata.namespace ?? 'default'}/${metadata.name}`);
    await Promise.all([CLIENT, PLAIN, GATEWAY, ...names].map((name) => this.lab.ready(name)));
  }

  /** Makes a request and gives what was seen of it everywhere. */
  public async request(request: Request): Promise<Seen> {
    const { url, from = CLIENT, args = [], user } = request;
    const before = await this.logs(request);
    const { stdout } = await this.lab.run('exec', {
      pod: from,
      user,
      command: ['curl', '-s', '--max-time', '4', '-w', '\n%{http_code}', ...args, url],
    });
    const after = await this.grown(request, before);
    const newest = <T>(log: 'sidecar' | 'gateway' | 'site') =>
      (after[log].length > before[log].length ? after[log].at(-1)! : null) as T | null;
    const lines = stdout.split('\n');
    return {
      status: Number(lines.pop()),
      body: lines.join('\n'),
      sidecar: newest('sidecar'),
      gateway: newest('gateway'),
      site: newest('site'),
    };
  }

  /** The logs once they have stopped growing. A proxy writes its own 50 ms after a request's end at the latest. */
  private async grown(request: Request, before: Logs): Promise<Logs> {
    let last = before;
    for (let quiet = 0; quiet < 2;) {
      await new Promise((resolve) => setTimeout(resolve, 70));
      const now = await this.logs(request);
      quiet = size(now) === size(last) ? quiet + 1 : 0;
      last = now;
    }
    return last;
  }

  private async logs({ from = CLIENT, gateway: through = GATEWAY, server }: Request): Promise<Logs> {
    const noLog = (): readonly AccessLine[] => [];
    const [sidecar, gateway, site] = await Promise.all([
      this.lab.accessLog(from).catch(noLog),
      this.lab.accessLog(through).catch(noLog),
      server ? this.serverLog(server) : this.lab.siteLog(),
    ]);
    return { sidecar, gateway, site };
  }

  private async serverLog({ pod, container }: NonNullable<Request['server']>): Promise<readonly SiteLine[]> {
    const lines = (await this.lab.containerLog(pod, container)).split('\n').slice(0, -1);
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as SiteLine);
  }
}

interface Logs {
  readonly sidecar: readonly AccessLine[];
  readonly gateway: readonly AccessLine[];
  readonly site: readonly SiteLine[];
}

const size = ({ sidecar, gateway, site }: Logs) => sidecar.length + gateway.length + site.length;

const identity = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** Tries an assertion again for some seconds, since a change reaches the proxies in its own time. */
export async function eventually<T>(attempt: () => Promise<T>, seconds = 10): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof LabEnded || Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
