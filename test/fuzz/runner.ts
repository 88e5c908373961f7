/** The worker, seen from outside: a command that hangs or takes its process down ends the worker, and a new one is started. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Job, Ran } from './worker';

const ROOT = join(__dirname, '../..');
const BUNDLES = ['lib/cli/mesh-edge.cjs', 'lib/cli/constructs.cjs'];
/** By the clock: what is slow by the processor is judged by its `ms`. */
const HANGS_AFTER_MS = 40_000;

export type Outcome = Ran | { readonly died: string };

export class Runner {
  private worker?: ChildProcess;
  private answered?: (outcome: Outcome) => void;
  private said = '';

  async run(job: Job): Promise<Outcome> {
    const worker = (this.worker ??= await this.start());
    return new Promise((resolve) => {
      const timer = setTimeout(() => worker.kill('SIGKILL'), HANGS_AFTER_MS);
      this.answered = (outcome) => {
        clearTimeout(timer);
        this.answered = undefined;
        resolve(outcome);
      };
      worker.send(job);
    });
  }

  async end(): Promise<void> {
    const { worker } = this;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.kill('SIGKILL');
    await ended;
  }

  private async start(): Promise<ChildProcess> {
    makeBundles();
    const worker = fork(join(__dirname, 'worker.ts'), [join(ROOT, BUNDLES[0] ?? '')], {
      cwd: ROOT,
      execArgv: ['--import', 'tsx', '--max-old-space-size=1500'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, NODE_OPTIONS: undefined },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    worker.stderr?.on('data', (text: Buffer) => (this.said = `${this.said}${text.toString()}`.slice(-2000)));
    await new Promise((resolve) => worker.once('message', resolve));
    worker.on('message', (ran: Ran) => this.answered?.(ran));
    worker.on('exit', (code, signal) => {
      this.worker = undefined;
      this.answered?.({
        died: signal === 'SIGKILL' ? `no answer after ${HANGS_AFTER_MS / 1000} s` : `${signal ?? code}: ${this.said}`,
      });
    });
    return worker;
  }
}

/** As a user's shell runs it, in a process of its own. */
export function runAlone({ cwd, args }: Job): Outcome {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/mesh-edge'), ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  });
  return status === null ? { died: `${signal}` } : { status, stdout, stderr, ms: 0 };
}

function makeBundles(): void {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { bundle, isFresh } = require('../../scripts/bundle-reading-half.cjs') as {
    bundle(files: readonly string[]): void;
    isFresh(file: string): boolean;
  };
  const stale = BUNDLES.filter((file) => !isFresh(file));
  if (stale.length > 0) bundle(stale);
}
