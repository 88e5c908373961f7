import { loadObjects } from '../../src/model/load';
import { agree, bodies, company } from './narrow-and-wide';

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

describe('what a changed object can reach', () => {
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
});
