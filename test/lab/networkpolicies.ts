import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Api, type KubeObject } from './api';
import { built } from './build';
import { type ControlPlane, type StartDaemon } from './controlplane';
import { DNS_IP, ISTIOD_IP } from './network';
import { persist, sh, until } from './process';
import { RootFs } from './rootfs';

/** Its queue, by its own default. */
const QUEUE = 100;
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** How long after a change the enforcer has surely heard of it: it watches the same API server as this process. */
const HEARD_MS = 300;

/**
 * What kube-network-policies would put in nftables itself where the kernel had nftables' queue: the first packet of each
 * connection, with its address already that of a Pod and not of a Service. Packets to the node itself are nobody's to
 * hold back (that is Kubernetes' own rule) but for those to its processes that stand for Pods.
 */
const RULES = `*mangle
:POLICIES - [0:0]
-A POLICIES -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
-A POLICIES -j NFQUEUE --queue-num ${QUEUE}
-A FORWARD -j POLICIES
-A INPUT -d ${DNS_IP},${ISTIOD_IP} -j POLICIES
COMMIT
`;
const NO_RULES = '*mangle\nCOMMIT\n';

/**
 * Enforces NetworkPolicies by the real kube-network-policies of Kubernetes' own SIG Network. It is started with the first
 * policy, and no packet is shown to it while there are none, so a lab without policies is as fast as it was.
 */
export class NetworkPolicies {
  private policies: ReadonlyMap<string, KubeObject> = new Map();
  private work = Promise.resolve();
  private changed = 0;
  private isStarted = false;
  private isInForce = false;

  public constructor(
    private readonly plane: ControlPlane,
    private readonly folder: string,
    private readonly startDaemon: StartDaemon,
  ) {}

  public async start(): Promise<void> {
    const kind = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' };
    this.policies = await this.plane.api.watch(kind, () => {
      this.changed = Date.now();
      this.work = this.work.then(() => this.follow());
    });
  }

  /** Waits until what was applied is in force. */
  public async settle(): Promise<void> {
    await this.work;
    while (this.isInForce && Date.now() - this.changed < HEARD_MS) {
      await new Promise((resolve) => setTimeout(resolve, HEARD_MS));
      await this.work;
    }
  }

  private async follow(): Promise<void> {
    const isWanted = this.policies.size > 0;
    if (isWanted === this.isInForce) return;
    if (isWanted) await this.startEnforcer();
    await persist(() => sh(['iptables-restore'], isWanted ? RULES : NO_RULES));
    this.isInForce = isWanted;
  }

  private async startEnforcer(): Promise<void> {
    if (this.isStarted) return;
    this.isStarted = true;
    const root = await RootFs.create(path.join(this.folder, 'layers', 'network-policies'));
    await root.write(`${ACCOUNT}/token`, this.plane.token, 0o600);
    await root.write(`${ACCOUNT}/ca.crt`, fs.readFileSync(this.plane.caCert, 'utf8'));
    const command = '/usr/local/bin/kube-network-policies';
    await root.bind(built('kube-network-policies', 'kube-network-policies'), command);
    const env = {
      PATH: process.env.PATH ?? '',
      KUBERNETES_SERVICE_HOST: this.plane.target.host!,
      KUBERNETES_SERVICE_PORT: `${this.plane.target.port}`,
    };
    const options = ['--hostname-override=node-1', '--metrics-bind-address=127.0.0.1:9080', '--v=2'];
    this.startDaemon('network-policies', ['chroot', root.path, command, ...options], env);
    await until('kube-network-policies reads its queue', 30, async () => {
      const queues = fs.readFileSync('/proc/net/netfilter/nfnetlink_queue', 'utf8');
      return queues.split('\n').some((line) => line.trim().startsWith(`${QUEUE} `)) ? true : undefined;
    });
  }
}

/** The Pods that DNS and istiod are elsewhere, for policies to select. No scheduler and no kubelet looks at these. */
export async function addPodsOfTheNode(api: Api): Promise<void> {
  await Promise.all([
    addPod(api, 'kube-system', 'coredns', { 'k8s-app': 'kube-dns' }, DNS_IP),
    addPod(api, 'istio-system', 'istiod-lab', { app: 'istiod', istio: 'pilot' }, ISTIOD_IP),
  ]);
}

async function addPod(
  api: Api,
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  address: string,
): Promise<void> {
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: { schedulerName: 'none', automountServiceAccountToken: false, containers: [{ name, image: 'none' }] },
  };
  // Its account is a controller's to make.
  await until(`Pod ${namespace}/${name}`, 30, async () => api.apply(pod));
  await api.patchStatus(pod, { phase: 'Running', podIP: address, podIPs: [{ ip: address }] });
}
