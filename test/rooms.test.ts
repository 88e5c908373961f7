import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const SRC = resolve(__dirname, '..', 'src');

/** Which rooms a room may import from, besides itself. `imports` are the generated bindings. */
const ARROWS: Record<string, readonly string[]> = {
  core: [],
  output: [],
  app: ['core', 'mesh', 'output'],
  mesh: ['core', 'imports'],
  egress: ['core', 'app', 'mesh', 'imports'],
  ingress: ['core', 'app', 'mesh', 'egress', 'imports'],
  access: ['core', 'mesh', 'ingress', 'imports'],
  install: ['core', 'app', 'mesh', 'egress'],
  scenarios: ['core', 'app', 'mesh', 'egress', 'ingress', 'access', 'install', 'imports'],
  'main.ts': ['app', 'mesh', 'scenarios'],
  'index.ts': ['core', 'app', 'mesh', 'egress', 'ingress', 'access', 'install'],
  model: ['output'],
  trace: ['model'],
  traffic: ['model', 'trace'],
  check: ['model', 'trace', 'traffic'],
  diff: ['model', 'trace', 'check', 'traffic'],
  verify: ['model', 'trace'],
  adopt: ['model', 'check', 'trace', 'traffic', 'diff'],
  upgrade: ['model', 'check', 'diff'],
  list: ['model', 'trace', 'traffic', 'diff'],
  prove: ['model', 'trace', 'traffic', 'diff', 'list'],
  report: ['model', 'trace', 'traffic', 'check', 'diff', 'upgrade', 'verify', 'list', 'prove'],
  cli: ['output', 'model', 'trace', 'check', 'diff', 'list', 'prove', 'adopt', 'upgrade', 'verify', 'report'],
  jest: ['model', 'trace', 'check', 'report', 'prove'],
  plugin: ['model', 'check', 'report', 'prove', 'output'],
};

/** What decides invariants is loaded where an app has one, and only then. */
const LAZY = 'mesh/edge-invariant.ts plugin';

const READING = [
  'model',
  'trace',
  'traffic',
  'check',
  'diff',
  'list',
  'prove',
  'report',
  'cli',
  'jest',
  'plugin',
  'adopt',
  'upgrade',
  'verify',
];

/** What a file imports at run time: types make no circle. */
function imported(file: string, all: ReadonlySet<string>): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+([^;]*?)\s*from\s+'(\.[^']*)'/gm)].flatMap(
    ([, what = '', specifier = '']) => {
      const names = /^\{([^]*)\}$/
        .exec(what)?.[1]
        ?.split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
      if (what.startsWith('type ') || names?.every((name) => name.startsWith('type ')) === true) return [];
      const target = resolve(dirname(file), specifier);
      return [`${target}.ts`, join(target, 'index.ts')].filter((path) => all.has(path)).slice(0, 1);
    },
  );
}

/** Files that reach themselves, in groups that reach each other. */
function circles(files: readonly string[]): string[] {
  const all = new Set(files);
  const next = new Map(files.map((file) => [file, imported(file, all)]));
  const reached = new Map(
    files.map((file) => {
      const seen = new Set<string>();
      const open = [...(next.get(file) ?? [])];
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        if (seen.has(at)) continue;
        seen.add(at);
        open.push(...(next.get(at) ?? []));
      }
      return [file, seen] as const;
    }),
  );
  const groups = files
    .filter((file) => reached.get(file)?.has(file) === true)
    .map((file) =>
      files.filter((other) => reached.get(file)?.has(other) === true && reached.get(other)?.has(file) === true),
    );
  return [
    ...new Set(
      groups.map((group) =>
        group
          .map((file) => relative(SRC, file))
          .sort()
          .join(' '),
      ),
    ),
  ].sort();
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : [];
  });
}

function roomOf(path: string): string {
  const inside = relative(SRC, path);
  return inside.startsWith('..') ? inside.split('/')[1] : inside.split('/')[0];
}

const arrows = sources(SRC).flatMap((file) => {
  const specifiers = [...readFileSync(file, 'utf8').matchAll(/(?:from|import\(|require\()\s*'(\.[^']*)'/g)].map(
    (match) => match[1],
  );
  return specifiers.map((specifier) => {
    const target = resolve(dirname(file), specifier);
    return {
      file: relative(SRC, file),
      from: roomOf(file),
      to: roomOf(target) === 'index' ? 'index.ts' : roomOf(target),
    };
  });
});

describe('the rooms of src/', () => {
  it('import only along the arrows', () => {
    const wrong = arrows.filter(
      ({ file, from, to }) => from !== to && !(ARROWS[from] ?? []).includes(to) && `${file} ${to}` !== LAZY,
    );
    expect(wrong).toEqual([]);
  });

  it('let constructs ask the reading half in one place, and load it only then', () => {
    const asked = sources(SRC).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^( *)(.*)require\(\s*'(\.\.\/plugin[^']*)'/gm)].map(
        ([, indent = '', , specifier]) => ({
          file: relative(SRC, file),
          isInFunction: indent.length >= 4,
          specifier,
        }),
      ),
    );
    expect(asked).toEqual([{ file: 'mesh/edge-invariant.ts', isInFunction: true, specifier: '../plugin/invariants' }]);
  });

  it('of the reading half import in no circle', () => {
    expect(circles(sources(SRC).filter((file) => READING.includes(roomOf(file))))).toEqual([]);
  });

  it('are all known here', () => {
    expect(
      sources(SRC)
        .map(roomOf)
        .filter((room) => !(room in ARROWS)),
    ).toEqual([]);
  });

  it('meet only in manifests: the reading half imports no construct', () => {
    const writing = ['core', 'app', 'mesh', 'egress', 'ingress', 'install', 'scenarios', 'imports'];
    expect(arrows.filter(({ from, to }) => READING.includes(from) && writing.includes(to))).toEqual([]);
  });
});
