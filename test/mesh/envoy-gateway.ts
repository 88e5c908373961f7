import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { type KubeObject } from '../lab/api';
import { buildEnvoyGateway, builtForIngress } from '../lab/envoy-gateway';
import { until } from '../lab/process';
import { committed, DIST, type Mesh, PLAIN, type Seen } from './mesh';

export const NAMESPACE = 'envoy-gateway-system';
/** The Pod that Envoy Gateway makes for document 000's Gateway, by the beginning of its name. */
export const PROXY = `${NAMESPACE}/envoy-httpbin-apps`;

/** A Deployment, as far as tests look into it. */
export type Deployment = KubeObject & {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly template: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec: unknown;
    };
  };
};

/** The chart with the values that a scenario has beside its manifests. */
function chart(scenario: string): readonly KubeObject[] {
  const values = parse(fs.readFileSync(path.join(DIST, scenario, 'install', 'envoy-gateway.values'), 'utf8')) as {
    deployment: { ports?: unknown };
  };
  // What the values say of the Service is left to the partial Service, as it is where the chart was installed before.
  delete values.deployment.ports;
  const args = ['template', 'eg', builtForIngress('controller', 'chart'), '--namespace', NAMESPACE, '--values', '-'];
  const text = execFileSync(builtForIngress('helm', 'helm'), args, {
    input: stringify(values),
    encoding: 'utf8',
    env: { ...process.env, HELM_CACHE_HOME: '/tmp', HELM_CONFIG_HOME: '/tmp', HELM_DATA_HOME: '/tmp' },
  });
  return parseAllDocuments(text).flatMap((document) => {
    const object = document.toJS() as KubeObject | null;
    return object ? [object] : [];
  });
}

/** A lab with Envoy Gateway in it. */
export class EnvoyGateway {
  /** Installs it as a user does: the namespace, the chart, then the rest of the scenario, by server-side apply. */
  public static async install(mesh: Mesh, scenario = 'envoy-gateway-in-mesh'): Promise<EnvoyGateway> {
    await buildEnvoyGateway((line) => process.stderr.write(`${line}\n`));
    const { lab } = mesh;
    const objects = committed(scenario);
    const kinds = (...names: readonly string[]) => objects.filter(({ kind }) => names.includes(kind));
    await lab.apply([...kinds('Namespace'), ...committed('demo-httpbin')]);
    const charted = chart(scenario);
    for (const object of charted) await lab.api.apply(object, { manager: 'helm' });
    await lab.apply(objects.filter(({ kind }) => kind !== 'Namespace'));
    await lab.ready(`${NAMESPACE}/envoy-gateway`, 120);
    await lab.ready('httpbin/httpbin');
    return new EnvoyGateway(mesh, [...charted, ...objects]);
  }

  private constructor(
    public readonly mesh: Mesh,
    private installed: readonly KubeObject[],
  ) {}

  /** Applies objects, and waits until the proxy of document 000's Gateway is there and all is quiet. */
  public async use(objects: readonly KubeObject[]): Promise<void> {
    await this.mesh.lab.apply(objects);
    await this.proxyReady();
    await this.mesh.lab.settle();
  }

  /** Waits until the Gateway has its one Pod, the former ones gone, and that is ready. */
  public async proxyReady(seconds = 90): Promise<void> {
    await this.onePod(seconds);
    await this.mesh.lab.ready(PROXY, seconds);
  }

  /** The one Pod of the Gateway's Deployment, once a rollout is over. */
  private onePod(seconds: number): Promise<{ readonly name: string }> {
    const { lab } = this.mesh;
    return until('the gateway has one Pod', seconds, () => lab.run('pod', { pod: PROXY }).catch(() => undefined));
  }

  /** Waits until Envoy Gateway has written an annotation into the Pod template of the Gateway's Deployment. */
  public async templateAnnotated(annotation: string): Promise<void> {
    await until(`the gateway's Pods are to have ${annotation}`, 30, async () => {
      const [name] = (await this.service()).split('.');
      const { annotations = {} } = (await this.deployment(name!)).spec.template.metadata ?? {};
      return annotation in annotations ? true : undefined;
    });
  }

  /** Makes a request from outside the mesh to document 000's Gateway, and sees what its sidecar logged. */
  public async request(requestPath: string, args: readonly string[] = [], scheme = 'http'): Promise<Seen> {
    const host = 'www.example.com';
    const port = scheme === 'https' ? 443 : 80;
    const to = ['--connect-to', `${host}:${port}:${await this.service()}:${port}`];
    return this.mesh.request({
      url: `${scheme}://${host}${requestPath}`,
      from: PLAIN,
      args: [...to, ...args],
      gateway: PROXY,
    });
  }

  /** The name of the Service that Envoy Gateway made for document 000's Gateway. */
  public async service(): Promise<string> {
    const services = await this.mesh.lab.api.list({ apiVersion: 'v1', kind: 'Service' });
    const own = services.find(
      ({ metadata }) => metadata.labels?.['gateway.envoyproxy.io/owning-gateway-name'] === 'apps',
    );
    if (!own) throw new Error('Envoy Gateway made no Service for the Gateway "apps"');
    return `${own.metadata.name}.${NAMESPACE}`;
  }

  /** Installs it again with the values and manifests of another scenario, and restarts the controller, which reads its configuration once. */
  public async upgrade(scenario: string): Promise<void> {
    const { lab } = this.mesh;
    const jobs = ({ kind }: KubeObject) => kind !== 'Job';
    for (const object of chart(scenario).filter(jobs)) await lab.api.apply(object, { manager: 'helm' });
    await lab.apply(committed(scenario));
    this.installed = [...this.installed, ...committed(scenario)];
    await this.renewController();
  }

  /** Has the controller's Pod made anew. */
  public async renewController(): Promise<void> {
    const { lab } = this.mesh;
    const pod = `${NAMESPACE}/envoy-gateway`;
    const { name: old } = await lab.run('pod', { pod });
    await lab.delete([{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NAMESPACE, name: old.split('/')[1]! } }]);
    await until('the controller has a new Pod', 60, async () => {
      const now = await lab.run('pod', { pod }).catch(() => undefined);
      return now && now.name !== old && now.ready ? now : undefined;
    });
  }

  /** A Deployment of its namespace. */
  public async deployment(name: string): Promise<Deployment> {
    const kind = { apiVersion: 'apps/v1', kind: 'Deployment' };
    const found = await this.mesh.lab.api.tryGet(kind, name, NAMESPACE);
    if (!found) throw new Error(`there is no Deployment ${NAMESPACE}/${name}`);
    return found as Deployment;
  }

  /** Has the proxy's Pod made anew. */
  public async renewProxy(): Promise<void> {
    await this.dropProxy();
    await this.proxyReady();
  }

  /** Does something that makes Envoy Gateway replace the proxy's Pod, and waits until the new one is alone and ready. */
  public async replacingProxy(change: () => Promise<void>): Promise<void> {
    const { lab } = this.mesh;
    const { name: old } = await lab.run('pod', { pod: PROXY });
    await change();
    await until('the proxy has another Pod', 90, async () => {
      const now = await lab.run('pod', { pod: PROXY }).catch(() => undefined);
      return now && now.name !== old && now.ready ? now : undefined;
    });
    await lab.settle();
  }

  /** Deletes the proxy's Pod, and waits until the next one is there, ready or not. */
  public async dropProxy(): Promise<void> {
    const { lab } = this.mesh;
    const { name: old } = await this.onePod(90);
    await lab.delete([{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace: NAMESPACE, name: old.split('/')[1]! } }]);
    await until('the proxy has a new Pod', 30, async () => {
      const now = await lab.run('pod', { pod: PROXY }).catch(() => undefined);
      return now && now.name !== old ? now : undefined;
    });
  }

  /** The zone that the topology injector wrote onto the proxy's Pod. Kubernetes' own, since 1.35, is a label. */
  public async proxyZone(): Promise<string | undefined> {
    const { name } = await this.mesh.lab.run('pod', { pod: PROXY });
    const pod = await this.mesh.lab.api.tryGet({ apiVersion: 'v1', kind: 'Pod' }, name.split('/')[1]!, NAMESPACE);
    return pod?.metadata.annotations?.['topology.kubernetes.io/zone'];
  }

  /** Puts a file into the Pod of the client outside the mesh, and gives its path there. */
  public async clientFile(name: string, content: string): Promise<string> {
    const file = `/tmp/${name}`;
    const command = ['sh', '-c', 'printf %s "$1" > "$2"', 'sh', content, file];
    const { code, stderr } = await this.mesh.lab.run('exec', { pod: PLAIN, command });
    if (code !== 0) throw new Error(stderr);
    return file;
  }

  /** Takes it out of the lab. */
  public async remove(): Promise<void> {
    await this.mesh.lab.delete(
      [...this.installed, ...committed('demo-httpbin')].filter((one) => one.kind !== 'Namespace'),
    );
  }
}
