/** One synth at a time writes a folder: the other waits the moment that it takes. */
import { linkSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** By the files that we leave for a moment beside a folder: whose they are. */
export const HOST = hostname().replace(/[^A-Za-z0-9]/g, '') || 'host';

/** Far longer than a folder takes. Whoever holds a lock longer, on a machine whose processes can't be asked for, is taken for dead. */
const HELD_AT_MOST_MS = 20_000;
const TURN_MS = 10;

/** Runs `action` while nobody else does so with the same lock; without one where no file can be made. */
export function withLock<T>(lock: string, action: () => T): T {
  const owner = `${HOST} ${process.pid} ${randomBytes(6).toString('hex')}`;
  const isLocked = acquired(lock, owner);
  try {
    return action();
  } finally {
    if (isLocked && ownerOf(lock) === owner) rmSync(lock, { force: true });
  }
}

function acquired(lock: string, owner: string): boolean {
  const own = `${lock}.${randomBytes(6).toString('hex')}`;
  try {
    for (;;) {
      const isMine = claimed(lock, owner, own);
      if (isMine !== undefined) return isMine;
      const other = ownerOf(lock);
      if (other !== undefined && isGone(lock, other)) takeAway(lock, other);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TURN_MS);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/**
 * Makes the lock with its owner in it at once, by a link to a file of our own: one that is empty, its maker killed between the two, would keep the
 * next one waiting. Undefined while another one has it, false where no file can be made.
 */
function claimed(lock: string, owner: string, own: string): boolean | undefined {
  try {
    writeFileSync(own, owner);
  } catch {
    // Nothing is written beside the folder then, by nobody.
    return false;
  }
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Without our own file, another one took it for a crash's, and it is made again.
    if (code === 'EEXIST' || code === 'ENOENT') return undefined;
  }
  try {
    writeFileSync(lock, owner, { flag: 'wx' }); // no file system for links
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST' ? undefined : false;
  }
}

/** By a rename, so that of several that wait only one takes it away; what turns out to be a newer one is put back. */
function takeAway(lock: string, owner: string): void {
  const aside = `${lock}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(lock, aside);
    if (ownerOf(aside) === owner) rmSync(aside, { force: true });
    else renameSync(aside, lock);
  } catch {
    // Another one was quicker.
  }
}

function ownerOf(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return undefined;
  }
}

function isGone(lock: string, owner: string): boolean {
  const [host, pid = ''] = owner.split(' ');
  if (host === HOST && /^\d+$/.test(pid)) return Number(pid) === process.pid || !isRunning(Number(pid));
  const since = lstatSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  return since !== undefined && Date.now() - since > HELD_AT_MOST_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
