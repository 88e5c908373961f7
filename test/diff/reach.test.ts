/** What a diff leaves out must not have changed: following only what objects reach finds what following everything finds. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { diff } from '../../src/diff/diff';
import { load, loadObjects } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';

const root = join(__dirname, '..', '..');
const company = load([join(__dirname, 'fixtures', 'company.yaml')]).manifests;

function bodies(manifests: readonly Manifest[]): readonly unknown[] {
  return manifests.map((manifest) => manifest.body as unknown);
}

function without(manifests: readonly Manifest[], at: number): readonly Manifest[] {
  return loadObjects(bodies(manifests).filter((_, index) => index !== at)).manifests;
}

type Path = readonly (string | number)[];

/** Every way to leave out one field or one item of a list of the spec. */
function* cuts(value: unknown, path: Path = []): Generator<Path> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    const own = [...path, Array.isArray(value) ? Number(key) : key];
    yield own;
    yield* cuts(item, own);
  }
}

function cut(value: unknown, path: Path): unknown {
  const [first, ...rest] = path;
  if (first === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return rest.length === 0
      ? value.filter((_, index) => index !== first)
      : value.map((item: unknown, index) => (index === first ? cut(item, rest) : item));
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      key !== first ? [[key, item] as const] : rest.length === 0 ? [] : [[key, cut(item, rest)] as const],
    ),
  );
}

function agree(was: readonly Manifest[], is: readonly Manifest[], what: string): void {
  const narrow = diff(was, is);
  const wide = diff(was, is, { exhaustive: true });
  const told = (one: typeof wide): string[] =>
    one.changes
      .map(
        (change) =>
          `${change.effect} ${change.to} ${change.was.text} -> ${change.is.text} for ${change.from.join(', ')}`,
      )
      .sort();
  expect({ what, changes: told(narrow) }).toEqual({ what, changes: told(wide) });
}

describe('what a changed object can reach', () => {
  it.each(
    company.map((manifest, index) => [`${manifest.kind} ${manifest.namespace}/${manifest.name}`, index] as const),
  )('covers all that the removal and the addition of %s alters', (what, index) => {
    agree(company, without(company, index), `without ${what}`);
    agree(without(company, index), company, `with ${what}`);
  });

  it.each(
    company.map((manifest, index) => [`${manifest.kind} ${manifest.namespace}/${manifest.name}`, index] as const),
  )('covers all that leaving out any field of %s alters', (what, index) => {
    const own = bodies(company)[index] as { spec?: unknown; metadata?: { labels?: unknown } };
    const paths: Path[] = [...cuts({ spec: own.spec, metadata: { labels: own.metadata?.labels } })].filter(
      (path) => path.length > 1,
    );
    for (const path of paths) {
      const changed = bodies(company).map((body, at) => (at === index ? cut(body, path) : body));
      agree(company, loadObjects(changed).manifests, `${what} without ${path.join('.')}`);
    }
  });

  it.each(readdirSync(join(root, 'dist')))(
    'covers all that the removal of any object of scenario %s alters',
    (scenario) => {
      const { manifests } = load([join(root, 'dist', scenario)]);
      manifests.slice(0, 60).forEach((manifest, index) => {
        if (manifests.length > 1)
          agree(manifests, without(manifests, index), `without ${manifest.kind} ${manifest.name}`);
      });
    },
  );
});
