import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Api } from './api';
import { tryImage } from './images';
import { DNS_IP, inNamespace, KUBERNETES_SERVICE_IP, NODE_IP, PodNetwork } from './network';
import { capture, Daemon, type Ended, until } from './process';
import { type Container, expand, type Pod } from './podspec';
import { passes } from './probe';
import { RootFs } from './rootfs';
import { PodData } from './volumes';

/** Where a Pod's files are. */
export interface PodFolders {
  /** Logs and volumes. */
  readonly state: string;
  /** Its containers' root file systems. */
  readonly layers: string;
  /** The file that holds its network namespace. */
  readonly namespace: string;
  readonly caBundle: string;
}

interface RunningContainer {
  readonly spec: Container;
  readonly root: RootFs;
  daemon: Daemon | undefined;
  /** The exit status, once it ended for good. */
  exit?: string;
}

/** The user that a container runs as where neither it nor the Pod says. */
const DEFAULT_USER = 0;
/** The user that `exec` runs as: an application, so neither root nor the proxy, whose traffic is not captured. */
const APPLICATION_USER = 1000;

/** One Pod on this machine, from its network to its end. */
export class RunningPod {
  public readonly key: string;
  public readonly uid: string;
  private readonly data: PodData;
  private readonly containers: RunningContainer[] = [];
  private network: PodNetwork | undefined;
  private started: Promise<void> | undefined;
  private ending: Promise<void> | undefined;
  private reported: boolean | undefined;
  private over = false;

  public constructor(
    private readonly api: Api,
    public readonly pod: Pod,
    public readonly address: string,
    private readonly folders: PodFolders,
    private readonly say: (line: string) => void,
  ) {
    this.key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    this.uid = pod.metadata.uid;
    this.data = new PodData(api, pod, address);
  }

  /** Whether it was last reported ready. */
  public get ready(): boolean {
    return this.reported === true;
  }

  /** Starts it and looks after it until `end` is called. */
  public async run(): Promise<void> {
    this.started = this.start();
    await this.started;
    while (!this.isEnding && !this.over) {
      await this.report(await this.isReady());
      await new Promise((resolve) => setTimeout(resolve, this.ready ? 500 : 50));
    }
  }

  /** Runs a command as an application in this Pod would: in its network and its first container's files. */
  public async exec(command: readonly string[], user = APPLICATION_USER, timeoutSeconds = 30): Promise<Ended> {
    const container = this.containers.find(({ spec }) => spec.name !== 'istio-proxy') ?? this.containers[0];
    if (!this.network || !container) throw new Error(`Pod ${this.key} is not running yet`);
    const as = ['setpriv', '--reuid', `${user}`, '--regid', `${user}`, '--clear-groups', '--'];
    return capture(inNamespace(this.network.file, ['chroot', container.root.path, ...as, ...command]), timeoutSeconds);
  }

  /** Kills a container as a crash would; it is started again as the Pod's restart policy says, and is ready when it says so anew. */
  public async crash(name: string): Promise<void> {
    const container = this.containers.find(({ spec }) => spec.name === name);
    if (!container?.daemon) throw new Error(`Pod ${this.key} runs no container "${name}"`);
    container.daemon.crash();
    await this.report(false);
  }

  public end(): Promise<void> {
    return (this.ending ??= this.tearDown());
  }

  private get isEnding(): boolean {
    return this.ending !== undefined;
  }

  private async tearDown(): Promise<void> {
    await this.started?.catch(() => {});
    await Promise.all(this.containers.map(({ daemon }) => daemon?.stop()));
    for (const { root } of this.containers) await root.destroy();
    await this.network?.destroy();
    fs.rmSync(this.folders.layers, { recursive: true, force: true });
  }

  private async start(): Promise<void> {
    this.network = await PodNetwork.create(this.folders.namespace, this.address);
    // istiod knows a proxy by the address of its Pod.
    await this.report(false);
    await this.waitForVolumes();
    for (const spec of this.pod.spec.initContainers ?? []) {
      if (this.isEnding) return;
      if (spec.restartPolicy === 'Always') await this.startSidecar(spec);
      else await this.runToEnd(spec);
    }
    for (const spec of this.pod.spec.containers) {
      if (this.isEnding) return;
      await this.startContainer(spec);
    }
  }

  private async waitForVolumes(): Promise<void> {
    for (const volume of this.pod.spec.volumes ?? []) {
      if (volume.hostPath) continue;
      await until(`volume ${volume.name}`, 600, async () => {
        if (!this.isEnding) await this.data.fill(volume, this.volumeFolder(volume.name));
        return true;
      });
    }
  }

  private volumeFolder(name: string): string {
    const volume = this.pod.spec.volumes?.find((candidate) => candidate.name === name);
    return volume?.hostPath?.path ?? path.join(this.folders.state, 'volumes', name);
  }

  private async startSidecar(spec: Container): Promise<void> {
    await this.startContainer(spec);
    if (!spec.startupProbe) return;
    await until(`${this.key}: start-up of ${spec.name}`, 600, async () =>
      this.isEnding || (await passes(spec.startupProbe!, spec, this.address)) ? true : undefined,
    );
  }

  private async runToEnd(spec: Container): Promise<void> {
    for (;;) {
      const container = await this.startContainer(spec, false);
      const how = (await container.daemon?.ended) ?? 'exit status 0';
      if (how === 'exit status 0' || this.isEnding) return;
      this.say(`${this.key}: init container ${spec.name} ended with ${how}`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  private async startContainer(spec: Container, restart = true): Promise<RunningContainer> {
    const root = await RootFs.create(path.join(this.folders.layers, `${spec.name}-${this.containers.length}`));
    const container: RunningContainer = { spec, root, daemon: undefined };
    this.containers.push(container);
    await root.write('/etc/resolv.conf', this.resolvConf());
    await root.bind(this.folders.caBundle, '/etc/ssl/certs/ca-certificates.crt');
    for (const mount of spec.volumeMounts ?? []) {
      await root.bind(path.join(this.volumeFolder(mount.name), mount.subPath ?? ''), mount.mountPath);
    }
    const image = tryImage(spec.image);
    if (!image) return container;
    await image.prepare?.(root);
    const env = {
      ...image.environment?.(spec.args ?? []),
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/tmp',
      // By these a client in a Pod finds the API server.
      KUBERNETES_SERVICE_HOST: KUBERNETES_SERVICE_IP,
      KUBERNETES_SERVICE_PORT: '443',
      ...(await this.data.environment(spec)),
    };
    const command = [...(spec.command ?? image.entrypoint), ...(spec.args ?? [])].map((word) => expand(word, env));
    const launch = () => {
      const log = path.join(this.folders.state, `${spec.name}.log`);
      container.daemon = new Daemon(spec.name, log, this.enter(container, command), { env }).onUnexpectedEnd((how) => {
        if (this.isEnding || !restart) return;
        const policy = spec.restartPolicy ?? this.pod.spec.restartPolicy ?? 'Always';
        if (policy === 'Always' || (policy === 'OnFailure' && how !== 'exit status 0')) {
          this.say(`${this.key}: ${spec.name} ended with ${how} and is started again`);
          setTimeout(() => !this.isEnding && launch(), 200);
        } else {
          container.exit = how;
        }
      });
    };
    launch();
    return container;
  }

  /** The command as a container runs it: in the Pod's network, its own processes, its own root, as its user. */
  private enter({ spec, root }: RunningContainer, command: readonly string[]): string[] {
    const contexts = [spec.securityContext, this.pod.spec.securityContext];
    const user = contexts.find((context) => context?.runAsUser !== undefined)?.runAsUser ?? DEFAULT_USER;
    const group = contexts.find((context) => context?.runAsGroup !== undefined)?.runAsGroup ?? user;
    return inNamespace(this.network!.file, [
      'unshare',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      `--root=${root.path}`,
      `--wd=${spec.workingDir ?? '/'}`,
      '--mount-proc',
      '--',
      ...(user === 0 ? [] : ['setpriv', '--reuid', `${user}`, '--regid', `${group}`, '--clear-groups', '--']),
      ...command,
    ]);
  }

  private resolvConf(): string {
    const suffixes = [`${this.pod.metadata.namespace}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local'];
    return `search ${suffixes.join(' ')}\nnameserver ${DNS_IP}\noptions ndots:5\n`;
  }

  private async isReady(): Promise<boolean> {
    const probed = this.containers.filter(({ spec }) => spec.readinessProbe !== undefined);
    const results = probed.map(({ spec }) => passes(spec.readinessProbe!, spec, this.address));
    return (await Promise.all(results)).every(Boolean);
  }

  /** Writes the status back, where it changed. */
  private async report(ready: boolean): Promise<void> {
    const main = this.containers.filter(({ spec }) => this.pod.spec.containers.includes(spec));
    const ended = main.length > 0 && main.every(({ exit }) => exit !== undefined);
    if (this.isEnding || (ready === this.reported && !ended)) return;
    this.reported = ready;
    this.over = ended;
    const failed = main.some(({ exit }) => exit !== 'exit status 0');
    const phase = ended ? (failed ? 'Failed' : 'Succeeded') : 'Running';
    const at = new Date().toISOString();
    const status = ready && !ended ? 'True' : 'False';
    const conditions = [
      { type: 'Initialized', status: 'True', lastTransitionTime: at },
      { type: 'ContainersReady', status, lastTransitionTime: at },
      { type: 'Ready', status, lastTransitionTime: at },
      { type: 'PodScheduled', status: 'True', lastTransitionTime: at },
    ];
    const address = {
      podIP: this.address,
      podIPs: [{ ip: this.address }],
      hostIP: NODE_IP,
      hostIPs: [{ ip: NODE_IP }],
    };
    try {
      await this.api.patchStatus(this.pod, {
        phase,
        conditions,
        startTime: this.pod.metadata.creationTimestamp,
        ...address,
      });
    } catch (error) {
      // It may have been deleted meanwhile; any other reason is met again at the next report.
      this.reported = undefined;
      this.say(`${this.key}: ${(error as Error).message}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
