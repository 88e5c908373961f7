import type { FieldPath } from './manifest';

/** `['spec', 'http', 0]` as `spec.http[0]`; a key that is no plain word is quoted: `metadata.labels["a/b"]`. */
export function formatField(field: FieldPath): string {
  return field
    .map((step) => (typeof step === 'number' ? `[${step}]` : /^[\w$-]+$/.test(step) ? `.${step}` : `["${step}"]`))
    .join('')
    .replace(/^\./, '');
}

/** A field as `formatField` writes it. */
export function parseField(field: string): FieldPath {
  return field
    .split(/[.[\]]+/)
    .filter((step) => step !== '')
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
