/**
 * Reading fields of objects that anyone may have written: what has the wrong type counts as absent, so that a broken
 * object never stops a reader. That it is broken is for the checks to say.
 */

export type Json = Readonly<Record<string, unknown>>;

export function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function optionalRecord(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function records(value: unknown): readonly Json[] {
  return list(value).map(record);
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function texts(value: unknown): readonly string[] {
  return list(value).filter((item): item is string => typeof item === 'string');
}

export function number(value: unknown): number {
  const parsed = typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : NaN;
  return Number.isFinite(parsed) ? parsed : 0;
}

export function strings(value: unknown): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [key, item] of Object.entries(record(value)))
    if (item !== null && item !== undefined) result[key] = String(item);
  return result;
}

/** Whether every label asked for is there with its value. */
export function labelsMatch(
  wanted: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  for (const key of Object.keys(wanted)) if (labels[key] !== wanted[key]) return false;
  return true;
}
