import * as path from 'node:path';
import { type KubeObject } from '../lab/api';
import { type HboneAnswer, type HboneRequest } from '../lab/hbone';
import { type SiteLine } from '../lab/internet';
import { type AccessLine } from '../lab/lab';
import { until } from '../lab/process';
import { fixture, Mesh } from './mesh';

/** What istiod tells every ztunnel of a service, as far as the tests look at it. */
export interface AmbientService {
  readonly name: string;
  readonly namespace: string;
  readonly hostname: string;
  readonly addresses?: readonly { readonly address: string }[];
  readonly ports?: readonly { readonly servicePort: number; readonly targetPort: number }[];
  readonly waypoint?: { readonly hostname: { readonly namespace: string; readonly hostname: string } };
  readonly loadBalancing?: { readonly mode?: string };
}

/** An endpoint or a Pod, as istiod tells every ztunnel of it. */
export interface AmbientWorkload {
  readonly name: string;
  readonly addresses?: readonly string[];
  readonly waypoint?: object;
}

/** An AuthorizationPolicy, as much of it as istiod leaves for ztunnels. */
export interface AmbientPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly action?: string;
  readonly groups?: readonly { readonly rules: readonly { readonly matches: readonly object[] }[] }[];
}

/** What a request through a waypoint did, at every place that logs. */
export interface SeenThroughWaypoint extends HboneAnswer {
  readonly waypoint: AccessLine | null;
  readonly site: SiteLine | null;
}

interface Told {
  readonly services: readonly AmbientService[];
  readonly workloads: readonly AmbientWorkload[];
  readonly policies: readonly AmbientPolicy[];
}

export interface AmbientRequest {
  /** The Pod, one of `callers`. */
  readonly from: string;
  /** Its service account. */
  readonly account: string;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The host that the application looked up, where it is not the URL's. */
  readonly host?: string;
  /** The address that it dials, where it is not the one that istiod gives the host. */
  readonly address?: string;
  /** Whether any certificate of the site will do. */
  readonly insecure?: boolean;
  /** The waypoint to ask, where it is not the one that istiod names for the host. */
  readonly waypoint?: string;
}

/** Namespace and service account of a workload that calls without a sidecar, with what its node's ztunnel would hold for it. */
export function caller(namespace: string, name: string): readonly KubeObject[] {
  const metadata = { name, namespace };
  const token = { serviceAccountToken: { audience: 'istio-ca', path: 'istio-token' } };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 0,
        serviceAccountName: name,
        containers: [
          {
            name,
            image: 'curlimages/curl',
            volumeMounts: [
              { name: 'token', mountPath: '/var/run/secrets/tokens' },
              { name: 'ca', mountPath: '/var/run/secrets/istio' },
            ],
          },
        ],
        volumes: [
          { name: 'token', projected: { sources: [token] } },
          { name: 'ca', configMap: { name: 'istio-ca-root-cert' } },
        ],
      },
    },
  ];
}

const text = (address: string): string => Buffer.from(address, 'base64').toString();

/** A lab whose istiod runs in ambient mode. ztunnel does not run in it: a test plays its part, by what istiod would tell it. */
export class AmbientMesh {
  public static async open(): Promise<AmbientMesh> {
    const mesh = await Mesh.open();
    await restart(mesh, true);
    await mesh.lab.apply(fixture('ambient.yaml'));
    return new AmbientMesh(mesh);
  }

  private constructor(public readonly mesh: Mesh) {}

  /** Applies a world, and waits until its waypoints run and have all of it. */
  public async use(objects: readonly KubeObject[]): Promise<void> {
    const asOne = objects.map(oneReplica);
    await this.mesh.use(asOne);
    const waypoints = asOne.filter(isWaypoint).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    await Promise.all(waypoints.map((name) => this.mesh.lab.ready(name)));
    await this.mesh.lab.settle();
  }

  /** Takes away what `use` applied. */
  public async clear(): Promise<void> {
    await this.mesh.clear();
    await until('no waypoint runs', 60, async () => {
      const pods = await this.mesh.lab.api.list({ apiVersion: 'v1', kind: 'Pod' });
      const isLeft = pods.some(({ metadata }) => metadata.labels?.['gateway.istio.io/managed'] !== undefined);
      return isLeft ? undefined : true;
    });
  }

  /** Has istiod run for sidecars alone again, as other tests expect it. */
  public async close(): Promise<void> {
    await this.mesh.lab.delete(fixture('ambient.yaml'));
    await restart(this.mesh, false);
    await this.mesh.lab.settle();
  }

  /** What every ztunnel is told. */
  public async told(): Promise<Told> {
    const page = (await this.mesh.lab.run('debug', { page: 'ambientz' })) as Partial<Told>;
    // A list without members is left out.
    return { services: page.services ?? [], workloads: page.workloads ?? [], policies: page.policies ?? [] };
  }

  /** The services that every ztunnel is told of. */
  public async services(): Promise<readonly AmbientService[]> {
    return (await this.told()).services;
  }

  /** What every ztunnel is told to be at an address: services, and workloads. */
  public async at(address: string): Promise<Pick<Told, 'services' | 'workloads'>> {
    const { services, workloads } = await this.told();
    return {
      services: services.filter(({ addresses = [] }) => addresses.some((one) => text(one.address) === address)),
      workloads: workloads.filter(({ addresses = [] }) => addresses.some((one) => text(one) === address)),
    };
  }

  /** What every ztunnel is told of a host. */
  public async service(host: string): Promise<AmbientService | undefined> {
    return entryFor(await this.services(), host);
  }

  /** The address that ztunnel's DNS proxy answers with. */
  public async addressOf(host: string): Promise<string | undefined> {
    return addressIn(await this.service(host));
  }

  /** Makes a request as ztunnel would: to the waypoint that istiod names for the host, by the address that istiod gives it. */
  public async request(request: AmbientRequest): Promise<SeenThroughWaypoint> {
    const [seen] = await this.requests([request]);
    if (seen === undefined) throw new Error('no answer');
    return seen;
  }

  /** Makes requests of one Pod, one after the other. Of those to one address and port only the last log line is looked at. */
  public async requests(requests: readonly AmbientRequest[]): Promise<readonly SeenThroughWaypoint[]> {
    const { lab } = this.mesh;
    const services = await this.services();
    const asked = requests.map((request) => hboneRequest(request, services));
    const waypoints = [...new Set(asked.map(({ pod }) => pod))];
    const before = await this.logs(waypoints);
    const script = path.resolve(__dirname, '../lab/hbone.ts');
    const node = [process.execPath, '--import', require.resolve('tsx'), script];
    const command = [...node, JSON.stringify(asked.map(({ hbone }) => hbone))];
    const pod = requests[0]?.from ?? '';
    const { stdout, stderr } = await lab.run('exec', { pod, user: 0, command, timeoutSeconds: 30 + asked.length });
    if (stdout === '') throw new Error(stderr);
    // Envoy flushes its log every 50 ms, and closes a connection's line some time after the connection.
    await new Promise((resolve) => setTimeout(resolve, 250));
    const after = await this.logs(waypoints);
    const lines = after.waypoint.slice(before.waypoint.length);
    const site = after.site.slice(before.site.length);
    return (JSON.parse(stdout) as HboneAnswer[]).map((answer, at) => {
      const { target, url } = asked[at]!.hbone;
      const { pathname, search, protocol } = new URL(url);
      return {
        ...answer,
        // The tunnel itself has a line too where no chain takes what is inside.
        waypoint: lines.filter((line) => line.downstream_local_address === target).at(-1) ?? null,
        site: site.filter(({ uri }) => protocol === 'tcp:' || uri === pathname + search).at(-1) ?? null,
      };
    });
  }

  private async logs(
    waypoints: readonly string[],
  ): Promise<{ waypoint: readonly AccessLine[]; site: readonly SiteLine[] }> {
    const logs = await Promise.all(waypoints.map((pod) => this.mesh.lab.accessLog(pod)));
    return { waypoint: logs.flat(), site: this.mesh.lab.siteLog() };
  }
}

/** Starts istiod anew, and waits until the proxies that every world has are back: until then it has nobody to be behind. */
async function restart({ lab }: Mesh, ambient: boolean): Promise<void> {
  await lab.run('istiod', { running: false });
  await lab.run('istiod', { running: true, ambient });
  await until('proxies are connected again', 60, async () => {
    const proxies = JSON.stringify(await lab.run('debug', { page: 'syncz' }));
    return ['"client.default"', '"istio-egressgateway-'].every((name) => proxies.includes(name)) ? true : undefined;
  });
}

const addressIn = (service: AmbientService | undefined): string | undefined =>
  service?.addresses?.map(({ address }) => text(address)).find((one) => !one.includes(':'));

/** The entry of a host among what ztunnels are told: the host itself, else the wildcard that takes it in. */
function entryFor(services: readonly AmbientService[], host: string): AmbientService | undefined {
  const wildcard = services.find(({ hostname }) => hostname.startsWith('*.') && host.endsWith(hostname.slice(1)));
  return services.find(({ hostname }) => hostname === host) ?? wildcard;
}

function hboneRequest(
  request: AmbientRequest,
  services: readonly AmbientService[],
): { readonly pod: string; readonly hbone: HboneRequest } {
  const { from, account, url, method, headers, insecure } = request;
  const { hostname, port, protocol } = new URL(url);
  const host = request.host ?? hostname;
  const entry = entryFor(services, host);
  const address = request.address ?? addressIn(entry);
  const named = request.waypoint ?? entry?.waypoint?.hostname.hostname;
  if (address === undefined || named === undefined) throw new Error(`istiod tells ztunnel no waypoint for ${host}`);
  const [name = '', namespace = ''] = named.split('.');
  const hbone: HboneRequest = {
    identity: `spiffe://cluster.local/ns/${from.split('/')[0]}/sa/${account}`,
    waypoint: `${addressIn(entryFor(services, named))}:15008`,
    waypointIdentity: `spiffe://cluster.local/ns/${namespace}/sa/${name}`,
    target: `${address}:${port || (protocol === 'https:' ? 443 : 80)}`,
    url,
    method,
    headers,
    insecure,
  };
  return { pod: `${namespace}/${name}`, hbone };
}

const isWaypoint = ({ kind, spec }: KubeObject): boolean =>
  kind === 'Gateway' && (spec as { gatewayClassName?: string }).gatewayClassName === 'istio-waypoint';

/** One Pod, so that there is one log to look at. */
function oneReplica(object: KubeObject): KubeObject {
  if (object.kind !== 'ConfigMap' || !(object.data as { deployment?: string } | undefined)?.deployment) return object;
  return { ...object, data: { deployment: 'spec:\n  replicas: 1\n' } };
}
