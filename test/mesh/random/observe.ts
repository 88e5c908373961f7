/** Sends requests in the lab and finds each again in the logs of the proxies and sites on its way. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type SiteLine } from '../../lab/internet';
import { type AccessLine, type Lab } from '../../lab/lab';
import { type LiveAsk } from './meshes';
import { PLAIN } from '../mesh';
import { CLIENTS, PROXIES } from './world';

/** What a proxy logged, and which one. */
export interface SeenHop {
  readonly proxy: string;
  readonly line: AccessLine;
}

/** What one request did. */
export interface Observation {
  /** The HTTP status that the client got; 0 where it got none. */
  readonly status: number;
  /** Whether its connection was taken, whatever came then. */
  readonly isConnected: boolean;
  /** curl's own exit status. */
  readonly exit: number;
  /** Proxies in the order in which they saw it. */
  readonly hops: readonly SeenHop[];
  /** The site of the internet that it reached. */
  readonly site: SiteLine | undefined;
}

/** What has been added to a file of lines since the last look. */
class Tail {
  private offset: number;
  private lines: string[] = [];

  public constructor(private readonly file: string) {
    this.offset = fs.existsSync(file) ? fs.statSync(file).size : 0;
  }

  /** All lines since the beginning, or since `forget`. */
  public read(): readonly string[] {
    if (!fs.existsSync(this.file)) return this.lines;
    const handle = fs.openSync(this.file, 'r');
    const more = Buffer.alloc(Math.max(0, fs.fstatSync(handle).size - this.offset));
    fs.readSync(handle, more, 0, more.length, this.offset);
    fs.closeSync(handle);
    const text = more.toString();
    const end = text.lastIndexOf('\n') + 1;
    this.offset += Buffer.byteLength(text.slice(0, end));
    this.lines.push(...text.slice(0, end).split('\n').slice(0, -1));
    return this.lines;
  }

  public forget(): void {
    this.read();
    this.lines = [];
  }
}

/** The lab's logs, and the requests that are looked for in them. */
export class Observer {
  /** Looks into the logs of these proxies. */
  public static async open(lab: Lab, proxies: readonly string[] = [...CLIENTS, ...PROXIES]): Promise<Observer> {
    const tails = new Map<string, Tail>();
    for (const pod of proxies) {
      const { name } = await lab.run('pod', { pod });
      tails.set(pod, new Tail(path.join(lab.folder, 'pods', name.replace('/', '_'), 'istio-proxy.log')));
    }
    return new Observer(lab, tails, new Tail(path.join(lab.folder, 'internet', 'access.log')));
  }

  private sent = 0;

  private constructor(
    private readonly lab: Lab,
    private readonly tails: ReadonlyMap<string, Tail>,
    private readonly sites: Tail,
  ) {}

  /** Makes requests side by side. */
  public async observe(asks: readonly LiveAsk[]): Promise<readonly Observation[]> {
    for (const tail of [...this.tails.values(), this.sites]) tail.forget();
    const ids = asks.map(() => `request-${++this.sent}`);
    const replies = await Promise.all(asks.map((ask, index) => this.curl(ask, ids[index] as string)));
    await this.quiet();
    const lines = [...this.tails].flatMap(([proxy, tail]): readonly SeenHop[] =>
      tail
        .read()
        .filter((line) => line.startsWith('{'))
        .map((line) => ({ proxy, line: JSON.parse(line) as AccessLine })),
    );
    const sites = this.sites.read().map((line) => JSON.parse(line) as SiteLine);
    return asks.map((ask, index) => {
      const [status = 0, port = 0, exit = 0] = replies[index] ?? [];
      const hops = wayOf(lines, ids[index] as string, ask.from, port);
      const last = hops[hops.length - 1]?.line;
      const site = sites.find(
        (line) =>
          line.agent === ids[index] ||
          (last !== undefined && sourceOf(last.upstream_local_address) === `${line.source}:${line.port}`),
      );
      return { status, isConnected: port > 0, exit, hops, site };
    });
  }

  private async curl(ask: LiveAsk, id: string): Promise<readonly number[]> {
    const { scheme, host, port } = ask;
    const address = ask.through ?? ask.address;
    const dial = address === undefined ? [] : ['--connect-to', `${host}:${port}:${address}:${port}`];
    const common = [
      '-s',
      '-o',
      '/dev/null',
      '--max-time',
      '4',
      '-w',
      '%{http_code} %{local_port} %{exitcode}',
      ...dial,
    ];
    const http = ['-k', '--path-as-is', '-A', id, '-X', ask.method];
    const headers = Object.entries(ask.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const command =
      scheme === 'tcp'
        ? ['sh', '-c', 'sleep 0.7 | curl "$@"', 'curl', ...common, `telnet://${host}:${port}`]
        : ['curl', ...common, ...http, ...headers, `${scheme}://${host}:${port}${ask.path}`];
    const { stdout } = await this.lab.run('exec', {
      pod: ask.client ?? (ask.from === 'outside' ? PLAIN : ask.from),
      command,
      timeoutSeconds: 8,
    });
    return stdout.split(' ').map(Number);
  }

  /** Waits until no log grows: a proxy writes its own 50 ms after a request's end at the latest. */
  private async quiet(): Promise<void> {
    const count = (): number => [...this.tails.values(), this.sites].reduce((sum, tail) => sum + tail.read().length, 0);
    for (let same = 0, last = count(); same < 2;) {
      await new Promise((resolve) => setTimeout(resolve, 80));
      const now = count();
      same = now === last ? same + 1 : 0;
      last = now;
    }
  }
}

function sourceOf(address: unknown): string {
  return typeof address === 'string' ? address : '-';
}

/** The lines of one request: by its user agent where it was read as HTTP, else by the ports of its connections. */
function wayOf(lines: readonly SeenHop[], id: string, from: string, port: number): readonly SeenHop[] {
  const first = lines.find(
    ({ proxy, line }) =>
      (from === 'outside' ? proxy.startsWith('edge/') : proxy === from) &&
      (line.user_agent === id || sourceOf(line.downstream_remote_address).endsWith(`:${port}`)),
  );
  const way: SeenHop[] = first === undefined ? [] : [first];
  for (let last = first; last !== undefined && way.length < 8;) {
    const { line } = last;
    const next = lines.find(
      (candidate) =>
        !way.includes(candidate) &&
        (candidate.line.user_agent === id ||
          (candidate.line.user_agent === null &&
            sourceOf(candidate.line.downstream_remote_address) === sourceOf(line.upstream_local_address))),
    );
    if (next !== undefined) way.push(next);
    last = next;
  }
  return way;
}
