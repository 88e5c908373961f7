import { type ChildProcess, execFile, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

/** What a command printed, and how it ended (`null`: by a signal). */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export function capture(command: readonly string[], timeoutSeconds = 60): Promise<Ended> {
  const [file, ...args] = command;
  return new Promise((resolve) => {
    const options = { timeout: timeoutSeconds * 1000, killSignal: 'SIGKILL', maxBuffer: 1 << 26 } as const;
    const child = execFile(file!, args, options, (error, stdout, stderr) =>
      resolve({
        code: error ? child.exitCode : 0,
        stdout,
        stderr: stderr || (error && !child.pid ? error.message : ''),
      }),
    );
  });
}

/**
 * Runs a command that has to succeed, with `input` on its standard input.
 *
 * @throws with what it printed on standard error
 */
export function sh(command: readonly string[], input?: string): Promise<string> {
  const [file, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(file!, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${command.join(' ')}: ${stderr.trim() || error.message}`)) : resolve(stdout),
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

/** Tries again what the kernel refuses while somebody else changes the same packet filter; the third refusal counts. */
export async function persist<T>(attempt: () => Promise<T>, tries = 3): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (tries <= 1) throw error;
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  return persist(attempt, tries - 1);
}

/** The last lines of a log, for a message about its process. */
export function tail(log: string, lines = 12): string {
  if (!fs.existsSync(log)) return '(no log)';
  return fs.readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}

/** A process that runs until told otherwise, its output appended to a log file. */
export class Daemon {
  private readonly child: ChildProcess;
  private ending = false;
  /** Resolves with how it ended. */
  public readonly ended: Promise<string>;

  public constructor(
    public readonly name: string,
    public readonly log: string,
    command: readonly string[],
    options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
  ) {
    fs.mkdirSync(path.dirname(log), { recursive: true });
    const output = fs.openSync(log, 'a');
    // A proxy opens /dev/stdout anew, as a user who is not root.
    fs.fchmodSync(output, 0o666);
    const [file, ...args] = command;
    this.child = spawn(file!, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', output, output],
      detached: true,
    });
    fs.closeSync(output);
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => resolve(error.message));
      this.child.on('exit', (code, signal) => resolve(signal ?? `exit status ${code}`));
    });
  }

  /** Calls back when it ends without `stop` having been called. */
  public onUnexpectedEnd(callback: (how: string) => void): this {
    void this.ended.then((how) => {
      if (!this.ending) callback(how);
    });
    return this;
  }

  /** Ends it and all it started, gently at first where `graceMs` says so. */
  public async stop(graceMs = 0): Promise<void> {
    this.ending = true;
    if (graceMs > 0) {
      this.signal('SIGTERM');
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise((resolve) => (timer = setTimeout(resolve, graceMs)));
      await Promise.race([this.ended, grace]);
      clearTimeout(timer);
    }
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Kills it as a crash would: whoever watches it sees an unexpected end. */
  public crash(): void {
    this.signal('SIGKILL');
  }

  private signal(signal: NodeJS.Signals): void {
    if (this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    try {
      process.kill(-this.child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** The lab that a command was for is no more. Nothing that is tried again can succeed. */
export class LabEnded extends Error {}

/** Calls `probe` until it gives something, and fails with its last reason when the time is up. */
export async function until<T>(what: string, seconds: number, probe: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + seconds * 1000;
  let reason = '';
  for (;;) {
    try {
      const result = await probe();
      if (result !== undefined) return result;
    } catch (error) {
      if (error instanceof LabEnded) throw error;
      reason = `: ${(error as Error).message}`;
    }
    if (Date.now() > end) throw new Error(`${what}: not so within ${seconds} s${reason}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
