/**
 * Manifests that wait for the validations of cdk8s-cli, which run after the app has ended: the app leaves word in the folder of cdk8s-cli,
 * and the plugin puts them in place once every validation has passed.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { load } from 'js-yaml';
import { type FolderChange, replaceFolder } from './folder';
import { printable } from './printable';

const HELD = /^\.mesh-edge-held-[0-9a-f]{12}\.json$/;
const PLUGIN = 'MeshEdgeValidation';

/** Whether cdk8s-cli, which started this app, will run our plugin: it asks for metadata of constructs if it validates at all. */
export function isValidatedLater(): boolean {
  if (process.env.CDK8S_RECORD_CONSTRUCT_METADATA !== 'true' || !existsSync('cdk8s.yaml')) return false;
  try {
    const { validations } = load(readFileSync('cdk8s.yaml', 'utf8')) as { validations?: unknown };
    const list: unknown =
      typeof validations === 'string' && existsSync(validations)
        ? load(readFileSync(validations, 'utf8'))
        : validations;
    return Array.isArray(list) && list.some((one: { class?: unknown } | null) => one?.class === PLUGIN);
  } catch {
    return false; // cdk8s-cli says itself what is wrong with its file
  }
}

/** The word that is left: where the manifests go, and which they are. */
export function heldFile(target: string, files: Iterable<string>): { readonly name: string; readonly content: string } {
  const id = createHash('sha256').update(target).digest('hex').slice(0, 12);
  return { name: `.mesh-edge-held-${id}.json`, content: `${JSON.stringify({ target, files: [...files] })}\n` };
}

const waiting = new Set<string>();

/** Puts in place what waits beside these manifests when this process ends well, and leaves the folder as it was when it does not. */
export function placeWhenAccepted(manifests: readonly string[], say: (text: string) => void): void {
  for (const path of wordsAbove(manifests)) {
    if (waiting.has(path)) continue;
    waiting.add(path);
    process.once('exit', (code) => {
      try {
        const { target, files } = JSON.parse(readFileSync(path, 'utf8')) as { target: string; files: string[] };
        if (code !== 0) return say(`${shown(target)} stays as it was.`);
        const texts = new Map(files.map((file) => [file, readFileSync(join(dirname(path), file), 'utf8')]));
        say(summaryOf(target, replaceFolder(target, texts)));
      } catch (error) {
        say(error instanceof Error ? error.message : String(error));
        process.exitCode = 1;
      }
    });
  }
}

function wordsAbove(manifests: readonly string[]): Set<string> {
  const words = new Set<string>();
  const seen = new Set<string>();
  for (const manifest of manifests) {
    for (let folder = dirname(resolve(manifest)); !seen.has(folder); folder = dirname(folder)) {
      seen.add(folder);
      if (relative(process.cwd(), folder).startsWith('..') || folder === process.cwd()) break;
      for (const name of readdirSync(folder)) if (HELD.test(name)) words.add(join(folder, name));
    }
  }
  return words;
}

/** "dist/: 1 added, 2 changed, 33 as before". */
export function summaryOf(target: string, { added, changed, removed, same, kept }: FolderChange): string {
  const counts = [
    added && `${added} added`,
    changed && `${changed} changed`,
    removed && `${removed} removed`,
    same && `${same} as before`,
    kept.length &&
      `${kept.length} kept that synth did not write (${kept.slice(0, 5).map(printable).join(', ')}${kept.length > 5 ? ', ...' : ''})`,
  ].filter(Boolean);
  return `${shown(target)}: ${counts.join(', ') || 'nothing to write'}`;
}

export function shown(folder: string): string {
  const inside = relative(process.cwd(), folder);
  return `${inside.startsWith('..') ? folder : inside}/`;
}
