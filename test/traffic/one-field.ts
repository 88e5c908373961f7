/** Changes of one field, of any object: what a sibling of the same kind says there, or nothing; or one object more, or fewer. */
import type { Random } from './worlds';

export type Body = any;

const pick = <T>(next: Random, of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;

type Path = readonly (string | number)[];

const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Where two values differ: every place at which the one could be given the other's. */
function differing(one: unknown, other: unknown, at: Path = []): Path[] {
  if (JSON.stringify(one) === JSON.stringify(other)) return [];
  const inner = isTree(one) && isTree(other) && Array.isArray(one) === Array.isArray(other) ? keysOf(one, other) : [];
  return [at, ...inner.flatMap((key) => differing(valueAt(one, key), valueAt(other, key), [...at, key]))];
}

function keysOf(one: Record<string, unknown>, other: Record<string, unknown>): readonly (string | number)[] {
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Array.isArray(one) ? keys.map(Number) : keys;
}

const valueAt = (of: unknown, key: string | number): unknown => (isTree(of) ? of[key] : undefined);

function put(into: Body, [first = '', ...rest]: Path, value: unknown): void {
  if (rest.length > 0) return put(into[first], rest, value);
  if (value !== undefined) into[first] = structuredClone(value);
  else if (Array.isArray(into)) into.splice(Number(first), 1);
  else delete into[first];
}

/** An API server gives each Service an address of its own, and takes no port twice. */
const IMPOSSIBLE = new Set(['Service spec.clusterIP']);

const nameOf = ({ kind, metadata }: Body): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** What of an object decides about traffic, and may change while it stays the same object. */
function partsOf({ spec, metadata, data, endpoints, ports }: Body): Body {
  return { spec, metadata: { labels: metadata.labels, annotations: metadata.annotations }, data, endpoints, ports };
}

export interface Changed {
  readonly how: string;
  readonly objects: Body[];
}

/**
 * `siblings` are of another mesh of the same vocabulary. Undefined where nothing could be changed.
 * @param isFixed objects that stay as they are
 */
export function oneField(
  next: Random,
  given: readonly Body[],
  siblings: readonly Body[],
  isFixed: (body: Body) => boolean = () => false,
): Changed | undefined {
  const objects = structuredClone(given) as Body[];
  const kinds = [...new Set(objects.filter((one) => !isFixed(one)).map(({ kind }) => kind as string))];
  const kind = pick(next, kinds);
  const of = objects.filter((one) => one.kind === kind && !isFixed(one));
  const object = pick(next, of);
  const share = next();
  if (share < 0.08) {
    objects.splice(objects.indexOf(object), 1);
    return { how: `${kind} is gone`, objects };
  }
  const others = siblings.filter((one) => one.kind === kind && !isFixed(one));
  if (share < 0.16) {
    const names = new Set(objects.map(nameOf));
    const more = others.find((one) => !names.has(nameOf(one)));
    if (more !== undefined) return { how: `${kind} is new`, objects: [...objects, structuredClone(more)] };
  }
  const sibling = pick(
    next,
    [...others, ...of].filter((one) => differing(partsOf(object), partsOf(one)).length > 0),
  );
  if (sibling === undefined) return undefined;
  // Deep places are the many: each depth is as likely.
  const places = differing(partsOf(object), partsOf(sibling)).filter((path) => path.length > 1);
  const depth = pick(next, [...new Set(places.map(({ length }) => length))]);
  const path = pick(next, places.filter(({ length }) => length === depth)); // prettier-ignore
  if (path === undefined) return undefined;
  if (IMPOSSIBLE.has(`${kind} ${path.join('.')}`)) return undefined;
  const value = next() < 0.15 ? undefined : path.reduce<unknown>(valueAt, partsOf(sibling));
  put(object, path, value);
  return { how: `${kind} ${path.slice(0, 3).filter((part) => typeof part === 'string').join('.')}`, objects }; // prettier-ignore
}
