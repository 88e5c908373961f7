/** Runs a command as a whole process, and says how long it took and how much memory it held at most. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Measured {
  readonly seconds: number;
  /** Peak resident memory of the process, in MB (Linux only; 0 elsewhere). */
  readonly megabytes: number;
  readonly ok: boolean;
}

export function measure(
  file: string,
  args: readonly string[],
  stdoutTo: 'ignore' | number = 'ignore',
  cwd?: string,
): Promise<Measured> {
  return new Promise((done) => {
    const start = process.hrtime.bigint();
    const child = spawn(file, args, { stdio: ['ignore', stdoutTo, 'pipe'], cwd });
    let said = '';
    let peak = 0;
    child.stderr?.on('data', (data) => (said += data));
    const look = () => {
      try {
        // The kernel keeps the high-water mark, so a look now and then misses nothing but the last moment.
        peak = Math.max(
          peak,
          Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0),
        );
      } catch {
        // ended, or not Linux
      }
    };
    const timer = setInterval(look, 5);
    child.on('close', (code) => {
      clearInterval(timer);
      if (code !== 0) process.stderr.write(`${file} ${args.join(' ')}: exit ${code}\n${said.slice(0, 500)}\n`);
      done({ seconds: Number(process.hrtime.bigint() - start) / 1e9, megabytes: peak / 1024, ok: code === 0 });
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
