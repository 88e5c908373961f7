/**
 * What makes of a rendered object the one that was written: patches, field by field. What the schema of the kind fills in where nothing is written
 * is no difference, because an API server stores both alike.
 */
import { admit } from '../check/schema/admit';
import { Schemas } from '../check/schema/store';
import { canonical } from '../model/canonical';
import { record, type Json } from '../model/fields';
import { loadObjects } from '../model/load';
import { type Component, releaseNames } from '../model/releases';

export interface Patch {
  readonly op: 'add' | 'replace' | 'remove';
  /** JSON pointer. */
  readonly path: string;
  readonly value?: unknown;
}

/** Patches that turn `rendered` into `wanted`; none where an API server stores the two alike. */
export function patchesTo(rendered: Json, wanted: Json): readonly Patch[] {
  return walk({ is: rendered, stored: stored(rendered) }, { is: wanted, stored: stored(wanted) }, '');
}

/** A value as it is written, and as an API server has it with its defaults. */
interface Side {
  readonly is: unknown;
  readonly stored: unknown;
}

const newest = (component: Component): string => releaseNames(component)[0] ?? '';

/** Of the newest releases, with all that the experimental channel has. */
const SCHEMAS = new Schemas({
  istio: newest('istio'),
  gatewayApi: newest('gatewayApi'),
  envoyGateway: newest('envoyGateway'),
  kubernetes: newest('kubernetes'),
});

/** Where the schema takes a field away, what is written is all there is to compare. */
function stored(body: Json): Json {
  const [manifest] = loadObjects([body]).manifests;
  if (manifest === undefined) return body;
  const { manifest: kept, violations } = admit(manifest, SCHEMAS);
  return violations.length > 0 ? body : record(kept.body);
}

function walk(a: Side, b: Side, path: string): readonly Patch[] {
  if (canonical(a.stored) === canonical(b.stored)) return [];
  if (Array.isArray(a.is) && Array.isArray(b.is)) {
    if (a.is.length !== b.is.length || !isAlike(a.is, b.is)) return [{ op: 'replace', path, value: b.is }];
    return b.is.flatMap((_, index) => walk(at(a, index), at(b, index), `${path}/${index}`));
  }
  if (!isMap(a.is) || !isMap(b.is)) return [{ op: 'replace', path, value: b.is }];
  const [mine, theirs] = [record(a.is), record(b.is)];
  const own = (side: Json, key: string): boolean => Object.hasOwn(side, key) && side[key] !== undefined;
  return [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].flatMap((key): readonly Patch[] => {
    const pointer = `${path}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`;
    const [before, after] = [at(a, key), at(b, key)];
    if (canonical(before.stored) === canonical(after.stored)) return [];
    if (!own(theirs, key)) return [{ op: 'remove', path: pointer }];
    if (!own(mine, key)) return [{ op: 'add', path: pointer, value: after.is }];
    return walk(before, after, pointer);
  });
}

const isMap = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

function at(side: Side, key: string | number): Side {
  const pick = (value: unknown): unknown => (value as Readonly<Record<string, unknown>> | undefined)?.[key];
  return { is: pick(side.is), stored: pick(side.stored) };
}

/** Whether the entries of two lists stand for one another: those of another type or name are no change of a field. */
function isAlike(a: readonly unknown[], b: readonly unknown[]): boolean {
  return b.every((one, index) => {
    const [mine, theirs] = [record(a[index]), record(one)];
    return ['type', 'name'].every((key) => mine[key] === theirs[key]);
  });
}

/** How many values there are in something: what is at the end of each path. */
export function leaves(value: unknown): number {
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 1;
  return Object.values(value).reduce<number>((sum, one) => sum + leaves(one), 0);
}
