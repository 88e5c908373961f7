import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Where built binaries are kept: outside the checkout, one folder a part and version. A part is built under another
 * name and renamed when whole, and its folder lists its files with their sizes, so that a build cut short is never
 * taken for a finished one.
 */
export function cacheRoot(): string {
  if (process.env.MESH_EDGE_CACHE) return path.resolve(process.env.MESH_EDGE_CACHE);
  // The proxies run as another user, who may not enter root's home.
  if (process.getuid?.() === 0) return '/var/cache/cdk8s-mesh-edge';
  const base = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  return path.join(base, 'cdk8s-mesh-edge', 'lab');
}

const MARKER = 'complete.json';

/** The folder of one part, for example `istio-1.29.1`. */
export function partFolder(id: string): string {
  return path.join(cacheRoot(), id);
}

/** Whether the part is there and whole. */
export function isWhole(id: string): boolean {
  if (!fs.existsSync(partFolder(id))) return false;
  const damage = damageOf(id);
  if (damage === undefined) return true;
  throw new Error(`half-built cache: ${partFolder(id)} ${damage}. Remove that folder; the next run builds it again.`);
}

function damageOf(id: string): string | undefined {
  const folder = partFolder(id);
  const marker = path.join(folder, MARKER);
  if (!fs.existsSync(marker)) return `has no ${MARKER}, so its build did not finish`;
  const files = JSON.parse(fs.readFileSync(marker, 'utf8')) as Record<string, number>;
  for (const [name, size] of Object.entries(files)) {
    const file = path.join(folder, name);
    if (!fs.existsSync(file)) return `lacks ${name}`;
    const actual = fs.statSync(file).size;
    if (actual !== size) return `has ${name} with ${actual} bytes where ${size} were built`;
  }
  return undefined;
}

/** Builds a part if it is not there. Who else wants it meanwhile, in this process or another, waits for it. */
export async function ensurePart(id: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const lock = `${partFolder(id)}.lock`;
  while (!isWhole(id)) {
    if (!isTaken(lock)) await wait(200);
    else
      try {
        if (!isWhole(id)) await fillPart(id, fill);
      } finally {
        fs.rmSync(lock, { force: true });
      }
  }
}

/** Takes a lock, and one whose process has ended at the next try. */
function isTaken(lock: string): boolean {
  fs.mkdirSync(path.dirname(lock), { recursive: true, mode: 0o755 });
  try {
    fs.writeFileSync(lock, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!isAlive(lock)) fs.rmSync(lock, { force: true });
    return false;
  }
}

function isAlive(lock: string): boolean {
  try {
    const pid = Number(fs.readFileSync(lock, 'utf8'));
    // Not written yet: it was made just now.
    return pid === 0 || process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Builds a part in a folder beside its place and moves it there when `fill` succeeds. */
export async function fillPart(id: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const partial = `${partFolder(id)}.partial-${process.pid}`;
  fs.rmSync(partial, { recursive: true, force: true });
  fs.mkdirSync(partial, { recursive: true, mode: 0o755 });
  try {
    await fill(partial);
    const sizes: Record<string, number> = {};
    for (const name of fs.readdirSync(partial).sort()) {
      const file = path.join(partial, name);
      fs.chmodSync(file, (fs.statSync(file).mode & 0o777) | 0o444);
      sizes[name] = fs.statSync(file).size;
    }
    fs.writeFileSync(path.join(partial, MARKER), JSON.stringify(sizes, undefined, 1));
    fs.renameSync(partial, partFolder(id));
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
}
