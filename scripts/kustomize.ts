/** The real kustomize, for comparison: `KUSTOMIZE` names the program, else it is built once from its Go module, beside the lab's cache. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { record } from '../src/model/fields';
import { Kustomizer } from '../src/model/kustomize-build';
import { NotBuilt } from '../src/model/kustomize-resource';
import { loadText } from '../src/model/load';

export const KUSTOMIZE_VERSION = 'v5.7.1';

export function kustomizeProgram(): string {
  if (process.env.KUSTOMIZE !== undefined) return process.env.KUSTOMIZE;
  const cache = join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    'cdk8s-mesh-edge',
    `kustomize-${KUSTOMIZE_VERSION}`,
  );
  const program = join(cache, 'kustomize');
  if (existsSync(program)) return program;
  mkdirSync(cache, { recursive: true });
  process.stderr.write(`building kustomize ${KUSTOMIZE_VERSION} into ${cache}\n`);
  execFileSync('go', ['install', `sigs.k8s.io/kustomize/kustomize/v5@${KUSTOMIZE_VERSION}`], {
    cwd: tmpdir(),
    env: { ...process.env, GOBIN: cache },
    stdio: 'inherit',
  });
  return program;
}

export type Verdict = 'same' | 'both refuse' | 'not built here' | 'built here only' | 'different';

export interface Comparison {
  readonly verdict: Verdict;
  /** Why it is not built here. */
  readonly reason: string;
  /** What kustomize says on standard error. */
  readonly said: string;
  /** Objects that only one of the two makes. */
  readonly here: readonly string[];
  readonly there: readonly string[];
}

export function compareBuilds(program: string, folder: string): Comparison {
  const real = spawnSync(program, ['build', folder], { encoding: 'utf8', maxBuffer: 1 << 28, timeout: 60_000 });
  if (real.error) throw real.error;
  const objects = real.status === 0 ? loadText(real.stdout).manifests.map(({ body }) => body as unknown) : undefined;
  const result = { reason: '', said: real.stderr, here: [], there: [] };
  let ours: readonly string[];
  const made = new Set<string>();
  try {
    const { resources } = new Kustomizer((text, file) => loadText(text, file, { named: false, by: 'kustomize' })).build(
      folder,
    );
    for (const { body } of resources)
      if (body.kind === 'ConfigMap' || body.kind === 'Secret') made.add(String(record(body.metadata).name));
    ours = texts(resources.map(({ body }) => body));
  } catch (error) {
    if (!(error instanceof NotBuilt)) throw error;
    return { ...result, reason: error.message, verdict: objects === undefined ? 'both refuse' : 'not built here' };
  }
  if (objects === undefined) return { ...result, verdict: 'built here only' };
  const theirs = texts(objects, made);
  const here = ours.filter((one) => !theirs.includes(one));
  const there = theirs.filter((one) => !ours.includes(one));
  return { ...result, here, there, verdict: here.length + there.length === 0 ? 'same' : 'different' };
}

/** Generators give names a hash there and none here, and what generated objects hold is not made here: neither is compared. */
function texts(objects: readonly unknown[], known: ReadonlySet<string> = new Set()): readonly string[] {
  const isKnown = (text: string): string => {
    const [, name = ''] = /^(.*)-[a-z0-9]{10}$/.exec(text) ?? [];
    return known.has(name) ? name : text;
  };
  const plain = (value: unknown): unknown => {
    if (typeof value === 'string') return isKnown(value);
    if (Array.isArray(value)) return value.map(plain);
    return typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
      : value;
  };
  return objects
    .map((one) => {
      const { kind, apiVersion, metadata } = record(one);
      // kustomize takes empty annotations away once it has used them.
      const { annotations, ...others } = record(metadata);
      const kept = Object.keys(record(annotations)).length === 0 ? others : metadata;
      const isMade = kind === 'ConfigMap' || kind === 'Secret';
      return JSON.stringify(
        sorted(plain(isMade ? { kind, apiVersion, metadata: kept } : { ...record(one), metadata: kept })),
      );
    })
    .sort();
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
