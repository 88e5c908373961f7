/** Runs a command as a whole process, and says how long it took and how much memory it held at most. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

export interface Measured {
  readonly seconds: number;
  /** Processor seconds of the process, all threads (Linux only; 0 elsewhere): what counts on a machine that others use too. */
  readonly cpu: number;
  /** Peak resident memory of the process, in MB (Linux only; 0 elsewhere). */
  readonly megabytes: number;
  readonly ok: boolean;
  /** Whether it was ended because it took longer than it was given. */
  readonly cutShort: boolean;
}

export interface MeasureOptions {
  readonly stdoutTo?: 'ignore' | number;
  readonly cwd?: string;
  /** @default no limit */
  readonly limitSeconds?: number;
  /** Exit statuses that are no failure. @default 0 alone */
  readonly expected?: readonly number[];
}

const TICKS_PER_SECOND = 100;

export function measure(file: string, args: readonly string[], options: MeasureOptions = {}): Promise<Measured> {
  return new Promise((done) => {
    const start = process.hrtime.bigint();
    const child = spawn(file, args, { stdio: ['ignore', options.stdoutTo ?? 'ignore', 'pipe'], cwd: options.cwd });
    let said = '';
    let peak = 0;
    let ticks = 0;
    let cutShort = false;
    child.stderr?.on('data', (data) => (said += data));
    const look = () => {
      try {
        // The kernel keeps the high-water mark, so a look now and then misses nothing but the last moment.
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
        // Fields 14 and 15 of the line, counted from behind the command's name, which may hold anything.
        const fields = (readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').pop() ?? '').split(' ');
        ticks = Math.max(ticks, Number(fields[11] ?? 0) + Number(fields[12] ?? 0));
      } catch {
        // ended, or not Linux
      }
    };
    const timer = setInterval(look, 5);
    const limit = options.limitSeconds;
    const ending = limit === undefined ? undefined : setTimeout(() => (cutShort = child.kill('SIGKILL')), limit * 1000);
    child.on('close', (code) => {
      clearInterval(timer);
      clearTimeout(ending);
      const ok = (options.expected ?? [0]).includes(code ?? -1);
      if (!ok && !cutShort) process.stderr.write(`${file} ${args.join(' ')}: exit ${code}\n${said.slice(0, 500)}\n`);
      done({
        seconds: Number(process.hrtime.bigint() - start) / 1e9,
        cpu: ticks / TICKS_PER_SECOND,
        megabytes: peak / 1024,
        ok,
        cutShort,
      });
    });
  });
}

/** The run in the middle, by time. */
export function median(runs: readonly Measured[]): Measured {
  return [...runs].sort((a, b) => a.seconds - b.seconds)[Math.floor(runs.length / 2)];
}

/** The exponent k of time ~ n^k between two measurements. */
export function growth(small: { n: number; seconds: number }, large: { n: number; seconds: number }): number {
  return Math.log(large.seconds / small.seconds) / Math.log(large.n / small.n);
}

/** A line for reports: on what they were measured, and how busy it was. */
export function conditions(): string {
  return `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Node ${process.versions.node}; load average when the run ended: ${(loadavg()[0] ?? 0).toFixed(1)}.`;
}
