import * as fs from 'node:fs';
import * as http from 'node:http';
import { stringify } from 'yaml';
import { Api, type KubeObject } from './api';
import { built } from './build';
import { type ControlPlane, readYaml, type StartDaemon } from './controlplane';
import { ISTIOD_IP } from './network';
import { type Daemon, sh, until } from './process';

/** The mesh configuration that every test starts from. */
export const MESH_CONFIG: Readonly<Record<string, unknown>> = {
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  accessLogFile: '/dev/stdout',
  accessLogEncoding: 'JSON',
  outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
  enablePrometheusMerge: false,
  enableTracing: false,
  defaultConfig: { discoveryAddress: 'istiod.istio-system.svc:15012', concurrency: 1 },
};

/**
 * What `istioctl` installs, less what a lab does otherwise: istiod is a process, so no Deployment and a Service with
 * endpoints by hand; and with no `defaultProviders.metrics` in the mesh configuration a stock Envoy suffices.
 */
async function installation(): Promise<readonly KubeObject[]> {
  const manifest = await sh([built('istio', 'istioctl'), 'manifest', 'generate', '--set', 'profile=minimal']);
  const left = ['CustomResourceDefinition', 'HorizontalPodAutoscaler', 'PodDisruptionBudget', 'Deployment'];
  const objects = readYaml(manifest).filter(({ kind }) => !left.includes(kind));
  return [
    namespace('istio-system'),
    ...objects.flatMap((object) => {
      if (object.kind === 'ConfigMap' && object.metadata.name === 'istio') return [meshConfigMap(MESH_CONFIG)];
      if (object.kind === 'Service') return [withoutSelector(object)];
      if (object.kind === 'ValidatingWebhookConfiguration') return [object, defaultValidator(object)];
      return [object];
    }),
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'istiod-lab',
        namespace: 'istio-system',
        labels: { 'kubernetes.io/service-name': 'istiod' },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: [ISTIOD_IP], conditions: { ready: true } }],
      ports: [
        { name: 'grpc-xds', port: 15010, protocol: 'TCP' },
        { name: 'https-dns', port: 15012, protocol: 'TCP' },
        { name: 'https-webhook', port: 15017, protocol: 'TCP' },
        { name: 'http-monitoring', port: 15014, protocol: 'TCP' },
      ],
    },
  ];
}

const namespace = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

/** The ConfigMap that istiod reads its mesh configuration from, and follows. */
export function meshConfigMap(mesh: Readonly<Record<string, unknown>>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'istio-system' },
    data: { mesh: stringify(mesh), meshNetworks: 'networks: {}' },
  };
}

function withoutSelector(service: KubeObject): KubeObject {
  const { selector: _, ...spec } = service.spec as Record<string, unknown>;
  return { ...service, spec };
}

/** The chart "base" has it, `istioctl manifest generate` has not: the validator of objects with no revision label. */
function defaultValidator(configuration: KubeObject): KubeObject {
  const [webhook] = configuration.webhooks as readonly Record<string, unknown>[];
  const objectSelector = { matchExpressions: [{ key: 'istio.io/rev', operator: 'DoesNotExist' }] };
  return {
    apiVersion: configuration.apiVersion,
    kind: configuration.kind,
    metadata: { name: 'istiod-default-validator', labels: configuration.metadata.labels },
    webhooks: [{ ...webhook, name: 'validation.istio.io', objectSelector }],
  };
}

/** What makes istiod push only what a stock Envoy knows, and soon. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  REVISION: 'default',
  PILOT_CERT_PROVIDER: 'istiod',
  POD_NAME: 'istiod-lab',
  POD_NAMESPACE: 'istio-system',
  SERVICE_ACCOUNT: 'istiod',
  CLUSTER_ID: 'Kubernetes',
  PILOT_ENABLE_ALPN_FILTER: 'false',
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
  VALIDATION_WEBHOOK_CONFIG_NAME: 'istio-validator-istio-system',
  INJECTION_WEBHOOK_CONFIG_NAME: 'istio-sidecar-injector',
  PILOT_DEBOUNCE_AFTER: '50ms',
  ENABLE_LEADER_ELECTION: 'false',
};

/** What ambient mode asks of istiod besides, as `istioctl install --set profile=ambient` sets it. */
const AMBIENT: Readonly<Record<string, string>> = { PILOT_ENABLE_AMBIENT: 'true' };

/** The real istiod, as a process beside the API server. */
export class Istiod {
  public static async install(plane: ControlPlane, folder: string, start: StartDaemon): Promise<Istiod> {
    await applyAll(plane.api, await installation());
    const istiod = new Istiod(plane, folder, start);
    await istiod.start();
    await until('istiod has armed its validating webhook', 30, async () => {
      const kind = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' };
      const armed = (await plane.api.list(kind)).every((configuration) =>
        (configuration.webhooks as readonly { failurePolicy: string }[]).every((hook) => hook.failurePolicy === 'Fail'),
      );
      return armed ? true : undefined;
    });
    return istiod;
  }

  private daemon: Daemon | undefined;

  private constructor(
    private readonly plane: ControlPlane,
    private readonly folder: string,
    private readonly startDaemon: StartDaemon,
  ) {}

  public async start({ ambient = false } = {}): Promise<void> {
    fs.mkdirSync(this.folder, { recursive: true });
    const env = { ...ENVIRONMENT, ...(ambient ? AMBIENT : {}), PATH: process.env.PATH ?? '', HOME: this.folder };
    const command = [
      built('istio', 'pilot-discovery'),
      'discovery',
      `--kubeconfig=${this.plane.kubeconfig}`,
      '--domain=cluster.local',
      '--kubernetesApiQPS=2000',
      '--kubernetesApiBurst=2000',
      '--shutdownDuration=1s',
    ];
    const run = (): void => {
      // A kubelet would start it again too; it has been seen to panic.
      this.daemon = this.startDaemon('istiod', ['env', `--chdir=${this.folder}`, ...command], env, run);
    };
    run();
    await until('istiod is ready', 60, async () =>
      (await fetchLocal(8080, '/ready')).status === 200 ? true : undefined,
    );
  }

  public async stop(): Promise<void> {
    await this.daemon?.stop();
  }

  /** Its metrics, as Prometheus text. */
  public async metrics(): Promise<string> {
    return (await fetchLocal(15014, '/metrics')).text;
  }

  /** What one of its debug pages says. */
  public async debug(page: string): Promise<unknown> {
    return JSON.parse((await fetchLocal(8080, `/debug/${page}`)).text);
  }

  /**
   * Waits until it has nothing left to push and every proxy has acknowledged what it was sent. Before it, the absence
   * of an effect shows nothing.
   */
  public async settle(seconds = 30): Promise<void> {
    let previous = '';
    let same = 0;
    await until('istiod is idle and all proxies have acknowledged', seconds, async () => {
      const current = (await this.metrics())
        .split('\n')
        .filter((line) => /^pilot_(inbound_updates|push_triggers|xds_pushes)/.test(line))
        .join('\n');
      const behind = await this.behind();
      const why = current === previous ? behind : [...behind, 'istiod pushes'];
      same = why.length === 0 ? same + 1 : 0;
      previous = current;
      if (same >= 3) return true;
      throw new Error(why.join(', ') || 'not for long enough');
    });
  }

  /** The proxies that have not acknowledged all that they were sent, and what. */
  private async behind(): Promise<readonly string[]> {
    const { text } = await fetchLocal(8080, '/debug/syncz');
    const proxies = (text.trim() === '' ? [] : JSON.parse(text)) as
      readonly Record<string, string | undefined>[] | null;
    return (proxies ?? []).flatMap((proxy) => {
      const types = ['cluster', 'listener', 'route', 'endpoint'];
      const behind = types.filter((type) => (proxy[`${type}_sent`] ?? '') !== (proxy[`${type}_acked`] ?? ''));
      return behind.length === 0 ? [] : [`${proxy.proxy ?? '?'} lacks the ${behind.join(', ')} that it was sent`];
    });
  }
}

/** Applies objects in an order in which each finds what it needs: namespaces first, the rest side by side. */
export async function applyAll(api: Api, objects: readonly KubeObject[]): Promise<void> {
  const first = (object: KubeObject) => object.kind === 'Namespace' || object.kind === 'CustomResourceDefinition';
  await Promise.all(objects.filter(first).map((object) => api.apply(object)));
  await Promise.all(objects.filter((object) => !first(object)).map((object) => api.apply(object)));
}

function fetchLocal(port: number, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, timeout: 2000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('timeout', () => request.destroy(new Error(`port ${port} does not answer`)));
    request.on('error', reject);
  });
}
