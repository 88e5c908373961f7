/**
 * Names of fields in what is read as a Protobuf message and not by a CRD: the mesh configuration, and a proxy's. Both `outboundTrafficPolicy` and
 * `outbound_traffic_policy` are the field there (protojson; ApplyYAML of pkg/util/protomarshal in Istio).
 */
import type { Json } from './fields';

/** Maps, whose keys are their users' own. */
const MAPS = new Set(['proxyMetadata', 'matchLabels', 'labels', 'customTags', 'runtimeValues']);
const ORIGINAL = /^[a-z][a-z0-9]*(_[a-z0-9]+)+$/;

export function withFieldNames(message: Json): Json {
  return Object.fromEntries(
    Object.entries(message).map(([key, value]) => {
      const name = ORIGINAL.test(key) ? key.replace(/_([a-z0-9])/g, (_, first: string) => first.toUpperCase()) : key;
      return [name, MAPS.has(name) ? value : inner(value)];
    }),
  );
}

function inner(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inner);
  return typeof value === 'object' && value !== null ? withFieldNames(value as Json) : value;
}
