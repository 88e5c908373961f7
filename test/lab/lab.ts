import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import * as readline from 'node:readline';
import { Api, type KubeObject } from './api';
import { build, installPackages, labParts } from './build';
import { cacheRoot } from './cache';
import { type Commands } from './control';
import { guessWhyEnded, keepLogs, whyEnded } from './ended';
import { readSiteLog, type SiteLine } from './internet';
import { LabEnded, tail, until } from './process';
import { istioVersion } from './versions';

export interface LabOptions {
  /** Labs of different names run side by side. */
  readonly name?: string;
  /** Whether the lab ends when this process does. */
  readonly attached: boolean;
  readonly say?: (line: string) => void;
}

/** A line of a proxy's access log in Istio's default JSON format. */
export type AccessLine = Readonly<Record<string, string | number | null>>;

/** A running lab, seen from outside: its Kubernetes API, its Pods, and the logs of all of it. */
export class Lab {
  /** Builds what a lab needs and this machine lacks: before several are started at once, which would each build it. */
  public static async prepare(say: (line: string) => void = () => {}): Promise<void> {
    await installPackages(say);
    await build(labParts(), say);
  }

  /**
   * Starts a lab, building first what it lacks.
   *
   * @throws where this machine cannot run one, or one of that name is running
   */
  public static async start({ name = 'lab', attached, say = () => {} }: LabOptions): Promise<Lab> {
    const folder = folderOf(name);
    demandNamespaces();
    if (await answers(folder))
      throw new Error(`a lab named "${name}" is running already: npm run lab -- down --name ${name}`);
    await Lab.prepare(say);
    await sweep(say);
    claim(folder, name);
    fs.mkdirSync(path.join(folder, 'pki'), { mode: 0o700 });
    say(`starting lab "${name}" with Istio ${istioVersion()} in ${folder}`);
    const host = spawnHost(folder, attached);
    try {
      await firstLine(host, path.join(folder, 'host.log'));
    } catch (error) {
      fs.rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    if (!attached) host.unref();
    return new Lab(name, folder);
  }

  /** @throws where no lab of that name runs */
  public static async connect(name = 'lab'): Promise<Lab> {
    const folder = folderOf(name);
    if (!(await answers(folder))) {
      const ended = fs.existsSync(folder) && !isStarting(folder) ? ` any more: ${guessWhyEnded(folder)}\n` : ': ';
      throw new LabEnded(`no lab named "${name}" is running${ended}npm run lab -- up --name ${name}`);
    }
    return new Lab(name, folder);
  }

  public readonly api: Api;

  private constructor(
    public readonly name: string,
    public readonly folder: string,
  ) {
    const target = { tls: false, socketPath: path.join(folder, 'control.sock') };
    this.api = new Api(target, (error) => this.explain(error));
  }

  /** Whether it still runs. */
  public answers(): Promise<boolean> {
    return answers(this.folder);
  }

  /** Resolves with the reason when it ends. */
  public async ended(): Promise<string> {
    while (await this.answers()) await new Promise((resolve) => setTimeout(resolve, 1000));
    return guessWhyEnded(this.folder);
  }

  /** What the host has said since it was started, of parts that it had to start again among it. */
  public hostLog(): string {
    return fs.readFileSync(path.join(this.folder, 'host.log'), 'utf8');
  }

  private explain(error: NodeJS.ErrnoException): Error {
    const isGone = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
    if (!isGone && whyEnded(this.folder) === undefined) return error;
    return new LabEnded(`the lab "${this.name}" has ended: ${guessWhyEnded(this.folder)}`, { cause: error });
  }

  /** Runs one of the lab's commands. */
  public run<K extends keyof Commands>(name: K, request: Parameters<Commands[K]>[0]): ReturnType<Commands[K]> {
    return this.api.request('POST', `/lab/${name}`, request) as ReturnType<Commands[K]>;
  }

  /** Applies objects; namespaces first, then service accounts. */
  public async apply(objects: readonly KubeObject[], options: { dryRun?: boolean } = {}): Promise<void> {
    const [first, rest] = split(objects, isNamespace);
    for (const object of first) {
      await this.api.apply(object, options);
      if (!options.dryRun) await this.defaultAccount(object.metadata.name);
    }
    // Admission refuses a Pod whose account is not there yet.
    const [accounts, others] = split(rest, ({ kind }) => kind === 'ServiceAccount');
    for (const some of [accounts, others]) await Promise.all(some.map((object) => this.api.apply(object, options)));
  }

  /** A controller makes it for each namespace; without it no Pod is admitted there. */
  private async defaultAccount(namespace: string): Promise<void> {
    await until(`the default ServiceAccount of ${namespace}`, 30, () =>
      this.api.tryGet({ apiVersion: 'v1', kind: 'ServiceAccount' }, 'default', namespace),
    );
  }

  /** Deletes objects and waits until those that take time, Pods and namespaces, are gone. */
  public async delete(objects: readonly KubeObject[]): Promise<void> {
    const [last, rest] = split(objects, isNamespace);
    await Promise.all(rest.map((object) => this.api.delete(object)));
    // The namespace controller looks again after half a Pod's grace period; with no Pods left it need not.
    await Promise.all(last.map((object) => this.empty(object.metadata.name)));
    await Promise.all(last.map((object) => this.api.delete(object)));
    const slow = objects.filter(({ kind }) => kind === 'Pod' || kind === 'Namespace');
    await Promise.all(slow.map((object) => this.gone(object)));
  }

  private async empty(namespace: string): Promise<void> {
    await until(`no Pods are left in ${namespace}`, 60, async () => {
      const pods = await this.api.list({ apiVersion: 'v1', kind: 'Pod' });
      return pods.some(({ metadata }) => metadata.namespace === namespace) ? undefined : true;
    });
  }

  private async gone(object: KubeObject): Promise<void> {
    const { name, namespace } = object.metadata;
    await until(`${object.kind} ${name} is gone`, 60, async () => {
      return (await this.api.tryGet(object, name, namespace)) === undefined ? true : undefined;
    });
  }

  /** Waits until a Pod is ready. */
  public async ready(pod: string, seconds = 60): Promise<void> {
    await until(`Pod ${pod} is ready`, seconds, async () => {
      const { ready } = await this.run('pod', { pod });
      return ready ? true : undefined;
    });
  }

  /** Waits until istiod is idle and every proxy has acknowledged all it was sent. */
  public settle(seconds?: number): Promise<void> {
    return this.run('settle', { seconds });
  }

  /** The access log of a Pod's proxy so far. */
  public async accessLog(pod: string): Promise<readonly AccessLine[]> {
    // The last piece may be half a line still.
    const lines = (await this.containerLog(pod, 'istio-proxy')).split('\n').slice(0, -1);
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as AccessLine);
  }

  /** What a container has printed so far. */
  public async containerLog(pod: string, container: string): Promise<string> {
    const { name } = await this.run('pod', { pod });
    const log = path.join(this.folder, 'pods', name.replace('/', '_'), `${container}.log`);
    if (!fs.existsSync(log)) throw new Error(`container "${container}" of ${name} has no log`);
    return fs.readFileSync(log, 'utf8');
  }

  /** What the internet's servers have logged so far. */
  public siteLog(): readonly SiteLine[] {
    return readSiteLog(this.folder);
  }

  /** Ends it, and waits until it is gone with its logs. */
  public async down(): Promise<void> {
    await this.run('down', {});
    await until(`lab "${this.name}" is gone`, 10, async () => ((await answers(this.folder)) ? undefined : true));
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

function folderOf(name: string): string {
  if (!/^[a-z0-9-]{1,20}$/.test(name))
    throw new Error(`"${name}" is no name for a lab: use a-z, 0-9 and -, 20 at most`);
  return path.join(cacheRoot(), 'run', name);
}

/** @throws where another lab of that name is starting at this moment */
function claim(folder: string, name: string): void {
  // The folder appears with its starter in it: without one it would look like the folder of a lab that has ended.
  const prepared = fs.mkdtempSync(path.join(cacheRoot(), 'starting-'));
  fs.chmodSync(prepared, 0o755);
  fs.writeFileSync(path.join(prepared, 'starter'), `${process.pid}`);
  try {
    fs.renameSync(prepared, folder);
  } catch (error) {
    fs.rmSync(prepared, { recursive: true, force: true });
    if (!['EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new Error(`a lab named "${name}" is starting already`, { cause: error });
  }
}

function isStarting(folder: string): boolean {
  const starter = path.join(folder, 'starter');
  if (fs.existsSync(path.join(folder, 'control.sock')) || !fs.existsSync(starter)) return false;
  return fs.existsSync(`/proc/${fs.readFileSync(starter, 'utf8')}`);
}

/** Takes away the files of labs that no longer run, all but their logs: a crash leaves those, and nothing else. */
export async function sweep(say: (line: string) => void): Promise<void> {
  const runs = path.join(cacheRoot(), 'run');
  fs.mkdirSync(runs, { recursive: true });
  for (const name of fs.readdirSync(runs)) {
    const folder = path.join(runs, name);
    if (isStarting(folder) || (await answers(folder))) continue;
    const why = guessWhyEnded(folder);
    if (keepLogs(folder)) say(`lab "${name}" has ended: ${why}`);
  }
}

const isNamespace = (object: KubeObject) => object.kind === 'Namespace';

function split<T>(all: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [all.filter(test), all.filter((item) => !test(item))];
}

/** @throws in a sentence, where this machine or user cannot make the namespaces that a lab lives in */
function demandNamespaces(): void {
  if (process.platform !== 'linux') throw new Error(`the lab needs Linux's namespaces; this is ${process.platform}`);
  if (process.getuid?.() !== 0) throw new Error('the lab needs root, for network namespaces and packet filters');
  try {
    execFileSync('unshare', ['--mount', '--pid', '--net', '--fork', '--kill-child', '--mount-proc', 'true'], {
      stdio: 'pipe',
    });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    throw new Error(`the lab cannot make namespaces here: ${stderr?.toString().trim() || (error as Error).message}`, {
      cause: error,
    });
  }
  if (!/\boverlay\b/.test(fs.readFileSync('/proc/filesystems', 'utf8'))) {
    throw new Error('the lab needs the overlay file system, which this kernel does not offer');
  }
}

/** Whether a lab answers in that folder, and is not about to end. */
async function answers(folder: string): Promise<boolean> {
  return (await accepts(folder)) && whyEnded(folder) === undefined;
}

function accepts(folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path.join(folder, 'control.sock'));
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    // A lab that is too busy to be connected to (EAGAIN) is alive.
    const isGone = ({ code = '' }: NodeJS.ErrnoException) => ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(code);
    socket.on('connect', () => end(true)).on('error', (error) => end(!isGone(error)));
  });
}

function spawnHost(folder: string, attached: boolean): ChildProcess {
  const log = fs.openSync(path.join(folder, 'host.log'), 'a');
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child', '--mount-proc'];
  const options = JSON.stringify({ folder, attached });
  const node = [process.execPath, '--import', 'tsx', path.join(__dirname, 'host.ts'), options];
  const host = spawn('unshare', [...namespaces, '--', ...node], {
    cwd: path.resolve(__dirname, '../..'),
    stdio: [attached ? 'pipe' : 'ignore', 'pipe', log],
    detached: !attached,
  });
  fs.closeSync(log);
  return host;
}

/** Waits for the host's answer. */
async function firstLine(host: ChildProcess, log: string): Promise<void> {
  const ended = new Promise<never>((_, reject) =>
    host.on('exit', () => setTimeout(() => reject(new Error(`the lab ended while starting:\n${tail(log)}`)), 100)),
  );
  ended.catch(() => {});
  const line = new Promise<string>((resolve) => readline.createInterface(host.stdout!).once('line', resolve));
  const { error } = JSON.parse(await Promise.race([line, ended])) as { error?: string };
  if (error !== undefined) throw new Error(`the lab did not start: ${error}`, { cause: error });
  host.stdout!.destroy();
}
