/** What remains of a lab that has ended: why, and its logs. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { cacheRoot } from './cache';
import { tail } from './process';

/** The file in a lab's folder that says which of its parts ended, where one did. */
export const LAST_WORDS = 'ended.txt';

/** How many labs' logs are kept. */
const KEPT = 5;
/** What of a lab's folder is no log: keys and tokens, data, and mount points. */
const NO_LOGS = ['pki', 'kubeconfig', 'etcd', 'layers', 'namespaces', 'internet', 'dns', 'istiod', 'control.sock'];

const grave = () => path.join(cacheRoot(), 'ended');

/** Why the lab of that folder ended; undefined where it may well be alive. */
export function whyEnded(folder: string): string | undefined {
  const words = path.join(folder, LAST_WORDS);
  return fs.existsSync(words) ? fs.readFileSync(words, 'utf8').trim() : undefined;
}

/** Why the lab of that folder, which does not answer any more, must have ended. */
export function guessWhyEnded(folder: string): string {
  const log = path.join(folder, 'host.log');
  return whyEnded(folder) ?? `its first process was killed. The end of its log:\n${tail(log, 4)}`;
}

/** Takes the folder of an ended lab away, its logs to where the last few are kept; false where another has just done so. */
export function keepLogs(folder: string): boolean {
  fs.mkdirSync(grave(), { recursive: true, mode: 0o700 });
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  const kept = path.join(grave(), `${time}-${path.basename(folder)}`);
  try {
    // The first step is the one that only one of two labs that start side by side can take.
    fs.renameSync(folder, kept);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
  for (const name of NO_LOGS) fs.rmSync(path.join(kept, name), { recursive: true, force: true });
  const all = fs.readdirSync(grave()).sort();
  for (const name of all.slice(0, -KEPT)) fs.rmSync(path.join(grave(), name), { recursive: true, force: true });
  return true;
}
