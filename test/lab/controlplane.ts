import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { Api, type ApiTarget, type KubeObject } from './api';
import { built } from './build';
import { KUBERNETES_SERVICE_IP, NODE_IP, SERVICE_RANGE } from './network';
import { Authority, serviceAccountKeys } from './pki';
import { Daemon, until } from './process';

/** A Kubernetes control plane: etcd, the API server, and those controllers that a mesh needs, all the real ones. */
export interface ControlPlane {
  readonly api: Api;
  /** Where the API server listens. */
  readonly target: ApiTarget;
  /** Its administrator's. */
  readonly token: string;
  readonly kubeconfig: string;
  /** The certificate of the authority that signed the API server's. */
  readonly caCert: string;
}

/** What starts the lab's processes: it names their logs, and takes their unexpected end for the lab's. */
export type StartDaemon = (
  name: string,
  command: readonly string[],
  env?: Readonly<Record<string, string>>,
  /** What becomes of it when it ends unasked: the lab ends with it, unless this starts it again. */
  restart?: () => void,
) => Daemon;

/** The node controllers are left out: no kubelet of this lab sends heartbeats. */
const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'endpointslice-controller',
  'endpoints-controller',
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
  'namespace-controller',
  'garbage-collector-controller',
  'disruption-controller',
  'job-controller',
];

export async function startControlPlane(folder: string, start: StartDaemon): Promise<ControlPlane> {
  const pki = path.join(folder, 'pki');
  const authority = await Authority.create(path.join(pki, 'cluster'), 'lab-cluster-ca');
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  const addresses = ['127.0.0.1', KUBERNETES_SERVICE_IP, NODE_IP];
  const subjects = [...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP:${address}`)];
  const serving = await authority.issue('apiserver', 'kube-apiserver', subjects);
  const keys = await serviceAccountKeys(pki);
  const token = randomBytes(16).toString('hex');
  fs.writeFileSync(path.join(pki, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`);

  start('etcd', [
    built('etcd', 'etcd'),
    `--data-dir=${path.join(folder, 'etcd')}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
    '--listen-client-urls=http://127.0.0.1:2379',
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:2380',
  ]);
  const issuer = 'https://kubernetes.default.svc.cluster.local';
  start('apiserver', [
    built('kubernetes', 'kube-apiserver'),
    '--etcd-servers=http://127.0.0.1:2379',
    `--advertise-address=${NODE_IP}`,
    `--tls-cert-file=${serving.cert}`,
    `--tls-private-key-file=${serving.key}`,
    `--token-auth-file=${path.join(pki, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    `--service-account-issuer=${issuer}`,
    `--service-account-key-file=${keys.public}`,
    `--service-account-signing-key-file=${keys.private}`,
    `--api-audiences=${issuer},istio-ca`,
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--allow-privileged=true',
    // There is no kube-proxy on the node, so webhooks are called by their endpoints.
    '--enable-aggregator-routing=true',
    // No node controller would ever take the not-ready taint away.
    '--disable-admission-plugins=TaintNodesByCondition',
    '--enable-priority-and-fairness=false',
    '--profiling=false',
  ]);

  const target: ApiTarget = {
    tls: true,
    host: '127.0.0.1',
    port: 6443,
    servername: 'kubernetes',
    ca: fs.readFileSync(authority.cert),
    headers: { authorization: `Bearer ${token}` },
  };
  const api = new Api(target);
  const kubeconfig = path.join(folder, 'kubeconfig');
  fs.writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(authority.cert, token)), { mode: 0o600 });
  await until('the API server is ready', 60, async () => {
    return (await api.request('GET', '/readyz')) === 'ok' ? true : undefined;
  });

  const client = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
  start('controller-manager', [
    built('kubernetes', 'kube-controller-manager'),
    ...client,
    `--controllers=${CONTROLLERS.join(',')}`,
    `--service-account-private-key-file=${keys.private}`,
    `--root-ca-file=${authority.cert}`,
    '--kube-api-qps=500',
    '--kube-api-burst=500',
    '--concurrent-namespace-syncs=10',
  ]);
  start('scheduler', [
    built('kubernetes', 'kube-scheduler'),
    ...client,
    '--authentication-skip-lookup=true',
    '--kube-api-qps=500',
    '--kube-api-burst=500',
  ]);
  await Promise.all([addNode(api, 'node-1', {}), installCrds(api)]);
  return { api, target, token, kubeconfig, caCert: authority.cert };
}

function kubeconfigFor(caCert: string, token: string): unknown {
  const ca = fs.readFileSync(caCert).toString('base64');
  const cluster = { server: 'https://127.0.0.1:6443', 'certificate-authority-data': ca };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'lab', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'admin' } }],
    'current-context': 'lab',
  };
}

/** Adds a node for the scheduler to place Pods on. All nodes are this machine; what differs is labels and taints. */
export async function addNode(
  api: Api,
  name: string,
  labels: Readonly<Record<string, string>>,
  taints: readonly unknown[] = [],
): Promise<void> {
  const node: KubeObject = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels } },
    spec: { taints },
  };
  await api.apply(node);
  const allocatable = { cpu: '64', memory: '256Gi', pods: '500' };
  const now = new Date().toISOString();
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Lab',
    message: '',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  await api.patchStatus(node, { capacity: allocatable, allocatable, conditions: [ready] });
}

/** The objects of a YAML stream. */
export function readYaml(text: string): readonly KubeObject[] {
  return parseAllDocuments(text, { logLevel: 'error' })
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object): object is KubeObject => object !== null);
}

async function installCrds(api: Api): Promise<void> {
  const files = [built('istio', 'crds.yaml'), built('gateway-api', 'crds.yaml'), built('envoy-gateway', 'crds.yaml')];
  const objects = files.flatMap((file) => readYaml(fs.readFileSync(file, 'utf8')));
  const crds = objects.filter((object) => object.kind === 'CustomResourceDefinition');
  await Promise.all(crds.map((crd) => api.apply(crd)));
  await until('the CRDs are established', 60, async () => {
    const all = await api.list({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' });
    return all.length >= crds.length && all.every(isEstablished) ? true : undefined;
  });
}

function isEstablished(crd: KubeObject): boolean {
  const { conditions = [] } = (crd.status ?? {}) as { conditions?: readonly { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Established' && status === 'True');
}
