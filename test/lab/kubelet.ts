/**
 * What stands for the kubelet and the container runtime, on one machine and without images.
 *
 * - Every scheduled Pod gets a network namespace with an address of its own, and every container a root file system
 *   of its own over this machine's (rootfs.ts), with the Pod's volumes (Secret, ConfigMap, emptyDir, projected,
 *   downward API and tokens), environment, user and working directory.
 * - A container runs the command that its image stands for (images.ts). One of an image that the lab does not know
 *   runs nothing and counts as ready. Init containers run in turn; those with `restartPolicy: Always` go on beside
 *   the rest. What ends is started again, unless the Pod's `restartPolicy` says otherwise.
 * - Readiness and start-up probes (`httpGet`, `tcpSocket`) are made as a kubelet makes them, from the node.
 * - Status is written back: address, phase, conditions. Deployments, EndpointSlices and namespaces are the business
 *   of the real kube-controller-manager, placement that of the real kube-scheduler.
 *
 * A container's output is in `<lab>/pods/<namespace>_<pod>/<container>.log`.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Api, type KubeObject } from './api';
import { type Pod } from './podspec';
import { type PodFolders, RunningPod } from './runningpod';

export class Kubelet {
  private readonly running = new Map<string, RunningPod>();
  private pods: ReadonlyMap<string, KubeObject> = new Map();
  private lastAddress = 9;

  /** @param caBundle the file that stands for the machine's trusted certificate authorities inside Pods */
  public constructor(
    private readonly api: Api,
    private readonly folder: string,
    private readonly caBundle: string,
    private readonly say: (line: string) => void,
  ) {}

  public async start(): Promise<void> {
    this.pods = await this.api.watch({ apiVersion: 'v1', kind: 'Pod' }, () => this.reconcile());
    this.reconcile();
  }

  /**
   * The running Pod of that name. A Deployment's Pods have names with a random end, so `namespace/NAME` also finds
   * the one Pod whose name begins with `NAME-`.
   *
   * @throws where there is none, or more than one
   */
  public find(name: string): RunningPod {
    const exact = this.running.get(name);
    if (exact) return exact;
    const found = [...this.running.values()].filter((pod) => pod.key.startsWith(`${name}-`));
    if (found.length === 1) return found[0]!;
    const names = [...this.running.keys()].sort().join(', ') || 'none';
    throw new Error(`${found.length === 0 ? 'no Pod' : 'more than one Pod'} "${name}"; running: ${names}`);
  }

  private reconcile(): void {
    for (const object of this.pods.values()) {
      const pod = object as Pod;
      const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
      const known = this.running.get(key);
      if (pod.metadata.deletionTimestamp !== undefined) {
        if (known) this.end(known);
        // No event would come again for a Pod whose end got lost on the way.
        else void this.api.deleteAtOnce(pod).catch(() => setTimeout(() => this.reconcile(), 500).unref());
      } else if (known && known.uid !== pod.metadata.uid) {
        this.end(known);
      } else if (!known && pod.spec.nodeName !== undefined && !isOver(pod)) {
        this.begin(key, pod);
      }
    }
    for (const [key, pod] of this.running) if (!this.pods.has(key)) this.end(pod);
  }

  private begin(key: string, pod: Pod): void {
    const name = key.replace('/', '_');
    const folders: PodFolders = {
      state: path.join(this.folder, 'pods', name),
      layers: path.join(this.folder, 'layers', `${name}-${pod.metadata.uid}`),
      namespace: path.join(this.folder, 'namespaces', `${name}-${pod.metadata.uid}`),
      caBundle: this.caBundle,
    };
    fs.rmSync(folders.state, { recursive: true, force: true });
    const running = new RunningPod(this.api, pod, this.nextAddress(), folders, this.say);
    this.running.set(key, running);
    void running.run().catch((error: Error) => this.say(`${key}: ${error.message}`));
  }

  private end(pod: RunningPod): void {
    void pod
      .end()
      .catch((error: Error) => this.say(`${pod.key}: ${error.message}`))
      .then(async () => {
        if (this.running.get(pod.key) === pod) this.running.delete(pod.key);
        await this.api.deleteAtOnce(pod.pod).catch(() => {});
        this.reconcile();
      });
  }

  /** Addresses are not used twice, so that no old connection or cache can pass for a new one. */
  private nextAddress(): string {
    const number = ++this.lastAddress;
    return `10.244.${1 + Math.floor(number / 250)}.${(number % 250) + 2}`;
  }
}

const isOver = (pod: Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
