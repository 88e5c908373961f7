/** A folder that somebody prepared: two sides of manifests under odd names, and what else a command is given. All of it as data. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { type Mutation, mutated, mutation } from './mutation';
import { SEEDS, seedObjects, textOf } from './seeds';
import { ENCODINGS, WRITINGS, yamlOf } from './text';

/** A file that holds a seed, spoilt. */
export interface Written {
  readonly seed: string;
  readonly mutations: readonly Mutation[];
  readonly isJson: boolean;
  readonly writing: string;
  readonly encoding: string;
  readonly number: number;
}

export interface NamedFile {
  /** As Latin-1, so that any bytes can be said. */
  readonly name: string;
  readonly content: Written | { readonly link: string } | { readonly pipe: true };
}

export interface World {
  readonly files: readonly NamedFile[];
  /** What the other side has: the same, the same without its last mutations, or nothing of it. */
  readonly former: 'same' | 'before' | 'none';
  readonly extras: Readonly<Record<string, Written>>;
  /** Whether both sides are revisions of a repository, and `mesh-edge.yaml` is in force. */
  readonly isGit: boolean;
  readonly isConfigured: boolean;
}

const utf8 = (name: string): string => Buffer.from(name).toString('latin1');

const ODD_NAMES = [
  'c.json',
  'd.values',
  'e.YAML',
  'Chart.yaml',
  'values.yaml',
  '.hidden.yaml',
  '-x.yaml',
  '--help.yaml',
  'a b.yaml',
  'a#b?c.yaml',
  '%0a.yaml',
  '%0A::error::x.yaml',
  'a\nb.yaml',
  '::error::x.yaml',
  'a\n::error::x.yaml',
  'a\r##[error]x.yaml',
  '\u001b[2J.yaml',
  '<img src=x onerror=y>.yaml',
  '`x`|[a](https:).yaml',
  '@octocat.yaml',
  '=1+1.yaml',
  '\u202e.yaml',
  '日本.yaml',
  `${'n'.repeat(250)}.yaml`,
  'templates/x.yaml',
  'charts/web/Chart.yaml',
  'charts/web/templates/x.yaml',
  'constructor.yaml',
  '__proto__/constructor.yaml',
  'node_modules/x.yaml',
  'vendor/y.yaml',
  'a.yaml.gz',
  'package.json',
  'cdk8s.yaml',
  'patch.yaml',
  'overlays/p/a.yaml',
  'base/a.yaml',
  '$(touch x).yaml',
  ';ls.yaml',
  'C:\\x.yaml',
  '*.yaml',
  '[x].yaml',
  '!(a).yaml',
].map(utf8);

const written = (seeds: readonly string[], most = 4): fc.Arbitrary<Written> =>
  fc.record({
    seed: fc.constantFrom(...seeds),
    mutations: fc.array(mutation, { maxLength: most }),
    isJson: fc.boolean(),
    writing: fc.oneof({ weight: 6, arbitrary: fc.constant('as it is') }, fc.constantFrom(...Object.keys(WRITINGS))),
    encoding: fc.oneof({ weight: 14, arbitrary: fc.constant('UTF-8') }, fc.constantFrom(...Object.keys(ENCODINGS))),
    number: fc.nat(200),
  });

const LINKS = [
  '.',
  '..',
  'a.yaml',
  'nowhere',
  '/etc',
  '/dev/zero',
  '/dev/stdin',
  '/proc/self/environ',
  'link',
  'a\n::error::x',
];

const file: fc.Arbitrary<NamedFile> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ name: fc.constantFrom('a.yaml', 'b.yaml', 'a/c.yml', 'x.json'), content: written(SEEDS) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      name: fc.oneof(fc.constantFrom(...ODD_NAMES), fc.constant('caf\xe9.yaml')),
      content: written(SEEDS, 2),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      name: fc.constantFrom(
        'kustomization.yaml',
        'base/kustomization.yaml',
        'overlays/p/kustomization.yaml',
        'part/kustomization.yml',
      ),
      content: written(['kustomization']),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ name: fc.constantFrom('flux.yaml', 'clusters/a/apps.yaml'), content: written(['flux']) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      name: fc.constantFrom('link', 'link.yaml', 'base', 'a/link'),
      content: fc.oneof(
        fc.constantFrom(...LINKS).map((link) => ({ link })),
        fc.constant({ pipe: true as const }),
      ),
    }),
  },
);

export const world: fc.Arbitrary<World> = fc.record({
  files: fc.array(file, { minLength: 1, maxLength: 4 }),
  former: fc.constantFrom('same', 'before', 'before', 'none'),
  extras: fc.record(
    Object.fromEntries(['rules', 'requests', 'dump', 'configuration'].map((kind) => [kind, written([kind], 3)])),
  ),
  isGit: fc.nat(11).map((one) => one === 1),
  isConfigured: fc.nat(9).map((one) => one === 1),
});

function bytesOf({ seed, mutations, isJson, writing, encoding, number }: Written): Buffer {
  let text = textOf(seed);
  if (mutations.length > 0) {
    const objects = mutated(seedObjects(seed), mutations);
    text = isJson ? objects.map((one) => JSON.stringify(one)).join('\n---\n') : yamlOf(objects);
  }
  const odd = WRITINGS[writing]?.(text, number) ?? text;
  return ENCODINGS[encoding]?.(odd, number) ?? Buffer.from(odd);
}

/** Requests and such are lines of JSON. */
const linesOf = (one: Written): Buffer =>
  one.encoding === 'UTF-8' && one.writing === 'as it is'
    ? Buffer.from(
        mutated(seedObjects(one.seed), one.mutations)
          .map((line) => `${JSON.stringify(line)}\n`)
          .join(''),
      )
    : bytesOf(one);

/** Makes the files of a world; what no disk takes, such as two things of one name, is left out. */
export function lay(folder: string, { files, former, extras, isGit, isConfigured }: World): void {
  for (const side of ['old', 'new']) {
    const home = join(folder, isGit ? 'm' : side);
    mkdirSync(home, { recursive: true });
    if (side === 'old' && former === 'none') put(join(home, 'other.yaml'), Buffer.from(textOf(SEEDS[0] ?? '')));
    else
      for (const { name, content } of files)
        laid(home, name, side === 'old' && former === 'before' ? before(content) : content);
    if (isGit) commit(folder, side);
  }
  for (const [kind, one] of Object.entries(extras)) {
    if (kind !== 'configuration')
      put(join(folder, kind), kind === 'rules' ? bytesOf({ ...one, isJson: false }) : linesOf(one));
    else if (isConfigured) put(join(folder, 'mesh-edge.yaml'), bytesOf(one));
  }
}

function before(content: NamedFile['content']): NamedFile['content'] {
  return 'seed' in content ? { ...content, mutations: content.mutations.slice(1) } : content;
}

function laid(home: string, name: string, content: NamedFile['content']): void {
  const path = Buffer.from(join(home, name), 'latin1');
  quietly(() => {
    mkdirSync(Buffer.from(dirname(join(home, name)), 'latin1'), { recursive: true });
    if ('link' in content) symlinkSync(content.link, path);
    else if ('pipe' in content) execFileSync('mkfifo', [path.toString()], { stdio: 'ignore' });
    else put(path, bytesOf(content));
  });
}

const put = (path: string | Buffer, bytes: Buffer): void => {
  writeFileSync(path, bytes);
  chmodSync(path, 0o644);
};

function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // The name is too long, or taken.
  }
}

function commit(folder: string, side: string): void {
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: folder,
      stdio: 'ignore',
    });
  if (side === 'old') git('init', '-q', '-b', 'main');
  git('add', '-A', '-f');
  git('commit', '-q', '--allow-empty', '-m', side);
}
