/** What is not known is not judged: findings that hang on a value that something else writes before the object is applied. */
import type { FieldPath, Manifest } from '../model/manifest';
import { isPlaceholder, placeholdersIn, unknownFields } from '../model/placeholders';
import { isRecord } from '../model/recognize';
import { type CheckContext, defineIndex } from './context';
import type { Hit, Rule } from './rule';

/** Objects that hold such values, by their place among all; with the fields, so far as a report names them. */
export const unknownValues = defineIndex('unknown values', (context): ReadonlyMap<number, readonly FieldPath[]> => {
  const found = new Map<number, readonly FieldPath[]>();
  for (const manifest of context.loaded.manifests) {
    const fields = unknownFields(manifest, 3);
    if (fields.length > 0) found.set(manifest.index, fields);
  }
  return found;
});

/** Objects with values of another type than their schema has, which are not read: what hangs on them is told by the rule on their form. */
const malformed = defineIndex('malformed', ({ admitted }): ReadonlySet<number> => {
  const broken = admitted.filter(({ violations }) => violations.some(({ isUnknownField }) => isUnknownField !== true));
  return new Set(broken.map(({ manifest }) => manifest.index));
});

/** Rules on the form of one value. They judge what is written; only where a placeholder stands, nothing is. */
const FORM = /^EDGE(00[234]|10\d)$/;

/** Rules that speak of the files themselves. */
const OF_FILES = /^EDGE(001|00[6-9]|01\d)$/;

export function isKnown(rule: Rule, hit: Hit, context: CheckContext): boolean {
  if (OF_FILES.test(rule.id)) return true;
  // Each quoted value in a sentence is some object's: one of them that is not known is enough.
  if (isPlaceholder(hit.what)) return false;
  if (hit.beside?.some(({ index }) => context.index(malformed).has(index)) === true) return false;
  const unknown = context.index(unknownValues);
  if (hit.manifest === undefined || unknown.size === 0) return true;
  if (FORM.test(rule.id)) return isKnownForm(hit.manifest, hit.what, hit.field, unknown.get(hit.manifest.index) ?? []);
  return ![hit.manifest, ...(hit.onTheWay ?? []), ...(hit.beside ?? [])].some(({ index }) => unknown.has(index));
}

/** Whether what is wrong with the form of one value is not that it stands for another. `unknown`: where the object holds such values. */
export function isKnownForm(
  manifest: Manifest,
  what: string,
  field: FieldPath,
  unknown: readonly FieldPath[],
): boolean {
  return !isPlaceholder(what) && (unknown.length === 0 || !holdsPlaceholder(manifest, field, unknown));
}

function holdsPlaceholder(manifest: Manifest, field: FieldPath, own: readonly FieldPath[]): boolean {
  if (own.some((path) => path.join('\n') === field.join('\n'))) return true;
  const value = valueAt(manifest.body, field);
  return value === undefined
    ? own.some((path) => startsWith(path, field.slice(0, -1)))
    : placeholdersIn(value, 1, field).length > 0;
}

function startsWith(path: FieldPath, head: FieldPath): boolean {
  return head.length > 1 && head.every((part, at) => path[at] === part);
}

/** As it was written: the schema has taken out of the admitted object what does not fit. */
function valueAt(body: unknown, field: FieldPath): unknown {
  let value = body;
  for (const part of field) {
    if (Array.isArray(value)) value = value[Number(part)];
    else if (isRecord(value)) value = value[part];
    else return undefined;
  }
  return value;
}
