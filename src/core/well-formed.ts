/** Halves of characters (lone surrogates): JSON can spell them out, and neither YAML nor what Kubernetes stores can hold them. */

/** Whether JSON, or YAML as it is written here, spells such a half: an escape is the only way to. */
export const mayHoldHalves = (text: string): boolean => /\\u[dD][89a-fA-F]/.test(text);

/** Each half becomes the sign for a character that cannot be read, as Go's JSON does. */
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\p{Cs}/gu, '\ufffd');
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [wellFormed(key), wellFormed(field)]));
}
