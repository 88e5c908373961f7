/**
 * Reading fields of objects that anyone may have written: what has the wrong type counts as absent, so that a broken
 * object never stops a reader. That it is broken is for the checks to say.
 */

export type Json = Readonly<Record<string, unknown>>;

/** What is absent is the same nothing everywhere: most fields of most objects are. */
const NO_ITEMS: readonly never[] = Object.freeze([]);
const NO_FIELDS = Object.freeze(Object.create(null) as Record<string, never>);

export function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : NO_FIELDS;
}

export function optionalRecord(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NO_ITEMS;
}

export function records(value: unknown): readonly Json[] {
  return Array.isArray(value) && value.length > 0 ? value.map(record) : NO_ITEMS;
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) return NO_ITEMS;
  const isText = (item: unknown): item is string => typeof item === 'string';
  return value.every(isText) ? value : value.filter(isText);
}

export function number(value: unknown): number {
  const parsed = typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : NaN;
  return Number.isFinite(parsed) ? parsed : 0;
}

export function strings(value: unknown): Readonly<Record<string, string>> {
  const fields = record(value);
  if (fields === NO_FIELDS) return NO_FIELDS;
  // Keys are data: one may be that of something that every object has.
  const result = Object.create(null) as Record<string, string>;
  for (const key of Object.keys(fields)) {
    const item = fields[key];
    if (item !== null && item !== undefined) result[key] = String(item);
  }
  return result;
}

/** A switch as Go reads it from text (strconv.ParseBool), which is how istiod and its agents read their environment; undefined if it is none. */
export function goBoolean(value: unknown): boolean | undefined {
  const given = String(value);
  if (/^(1|t|T|true|True|TRUE)$/.test(given)) return true;
  return /^(0|f|F|false|False|FALSE)$/.test(given) ? false : undefined;
}

/** What a table has for a word that anybody may have written: `constructor` and `toString` are words like others. */
export function entry<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

/** Whether every label asked for is there with its value. */
export function labelsMatch(
  wanted: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  for (const key of Object.keys(wanted)) if (labels[key] !== wanted[key]) return false;
  return true;
}
