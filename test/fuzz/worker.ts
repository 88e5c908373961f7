/**
 * Runs one command after the other in one process, as each would run in its own: the bundle is evaluated anew for each, in a folder of its
 * own, with its own standard input. Starting Node for each would take most of the time.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

export interface Job {
  readonly cwd: string;
  readonly args: readonly string[];
  /** A file that is standard input. */
  readonly input?: string;
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Of processor time: other processes on the machine do not count. */
  readonly ms: number;
}

type Loaded = (exports: object, require: NodeJS.Require, module: object, file: string, folder: string) => void;

const bundle = process.argv[2] ?? '';
const load = new Script(
  `(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, 'utf8').replace(/^#!.*/, '')}\n})`,
  {
    filename: bundle,
  },
).runInThisContext() as Loaded;
const require = createRequire(bundle);

interface Running {
  readonly out: string[];
  readonly err: string[];
  readonly since: NodeJS.CpuUsage;
}
let running: Running | undefined;

/** A stream that keeps what is written to it. */
function keep(stream: NodeJS.WriteStream, into: string[]): void {
  stream.removeAllListeners('error');
  stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    into.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const done = rest.at(-1);
    if (typeof done === 'function') (done as () => void)();
    return true;
  }) as typeof stream.write;
}

process.on('message', ({ cwd, args, input = '/dev/null' }: Job) => {
  // Whatever the command waits for keeps this process awake; once nothing does, it has ended.
  process.channel?.unref();
  closeSync(0);
  openSync(input, 'r');
  process.chdir(cwd);
  process.argv = [process.execPath, bundle, ...args];
  process.exitCode = undefined;
  running = { out: [], err: [], since: process.cpuUsage() };
  keep(process.stdout, running.out);
  keep(process.stderr, running.err);
  const module = { exports: {} };
  load(module.exports, require, module, bundle, dirname(bundle));
});

process.on('beforeExit', (code) => {
  if (running === undefined) return;
  const { user, system } = process.cpuUsage(running.since);
  const ran: Ran = {
    status: code,
    stdout: running.out.join(''),
    stderr: running.err.join(''),
    ms: (user + system) / 1000,
  };
  running = undefined;
  process.channel?.ref();
  process.chdir('/');
  process.send?.(ran);
});

process.send?.('ready');
