/** What one release's schema has otherwise than a newer one's: so that one schema is kept whole, and the others as differences. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** `0`: the same; `=`: another value; `-`, `+`, `/`: keys that are gone, that came or are replaced, and that differ inside; `@`: a list's entries. */
export type Difference = 0 | { readonly '=': Json } | { readonly '-'?: readonly string[]; readonly '+'?: { readonly [key: string]: Json }; readonly '/'?: { readonly [key: string]: Difference } } | { readonly '@': readonly Entry[] }; // prettier-ignore

/** An entry of a list: the number of the one that it is in the newer list, or a value of its own. */
type Entry = number | { readonly '=': Json };

/** The older value, from the newer one. */
export function applyDifference(newer: Json | undefined, difference: Difference): Json {
  if (difference === 0) return newer ?? null;
  if ('=' in difference) return difference['='];
  if ('@' in difference) {
    const list = newer as readonly Json[];
    return difference['@'].map((entry) => (typeof entry === 'number' ? (list[entry] ?? null) : entry['=']));
  }
  const result: Record<string, Json> = { ...(newer as { readonly [key: string]: Json }) };
  for (const key of difference['-'] ?? []) delete result[key];
  for (const [key, inside] of Object.entries(difference['/'] ?? {})) result[key] = applyDifference(result[key], inside);
  return Object.assign(result, difference['+']);
}

/** How the older value differs from the newer one. */
export function differenceOf(newer: Json | undefined, older: Json): Difference {
  if (newer === undefined) return { '=': older };
  if (JSON.stringify(newer) === JSON.stringify(older)) return 0;
  if (isList(newer) && isList(older)) {
    const texts = newer.map((entry) => JSON.stringify(entry));
    return {
      '@': older.map((entry) => {
        const at = texts.indexOf(JSON.stringify(entry));
        return at < 0 ? { '=': entry } : at;
      }),
    };
  }
  if (!isMap(newer) || !isMap(older)) return { '=': older };
  const gone = Object.keys(newer).filter((key) => !Object.hasOwn(older, key));
  const came: [string, Json][] = [];
  const changed: [string, Difference][] = [];
  for (const [key, value] of Object.entries(older)) {
    const inside = Object.hasOwn(newer, key) ? differenceOf(newer[key], value) : { '=': value };
    if (inside === 0) continue;
    if ('=' in inside) came.push([key, inside['=']]);
    else changed.push([key, inside]);
  }
  if (gone.length + came.length + changed.length === 0) return 0; // the same in another order
  return {
    ...(gone.length > 0 ? { '-': gone } : {}),
    ...(came.length > 0 ? { '+': Object.fromEntries(came) } : {}),
    ...(changed.length > 0 ? { '/': Object.fromEntries(changed) } : {}),
  };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isMap(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
