/** A CRD's schema as it is judged by: without what only people read, and without the status, which no manifest writes. */
import type { Json } from './difference';

export function withoutStatus(schema: Json, isObject = true): Json {
  const stripped = withoutProse(schema) as { properties?: Record<string, Json> };
  if (isObject && stripped.properties?.status !== undefined)
    stripped.properties.status = { 'x-kubernetes-preserve-unknown-fields': true };
  return stripped as Json;
}

function withoutProse(node: Json, inProperties = false): Json {
  if (Array.isArray(node)) return node.map((item: Json) => withoutProse(item));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => inProperties || !isProse(key, value))
      .map(([key, value]) => [key, withoutProse(value, !inProperties && key === 'properties')]),
  );
}

function isProse(key: string, value: Json): boolean {
  if (key === 'description' || key === 'externalDocs') return true;
  return (
    key.startsWith('x-kubernetes-') &&
    typeof value !== 'boolean' &&
    !['x-kubernetes-validations', 'x-kubernetes-list-map-keys', 'x-kubernetes-list-type'].includes(key)
  );
}
