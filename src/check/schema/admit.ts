/** What an API server would say of each manifest, and the manifest as it would store it. */
import type { Manifest } from '../../model/manifest';
import { metadataViolations } from './metadata';
import { schemaOf, resolveDefinition, versionsOf } from './store';
import { type Ruled, type Violation, conform } from './structural';

export interface Admitted {
  /** With defaults, and without what has no place or the wrong type: rules may rely on the types of the schema. */
  readonly manifest: Manifest;
  readonly violations: readonly Violation[];
  /** Values that have CEL rules; none if the schema was broken in a way that keeps an API server from running them. */
  readonly ruled: readonly Ruled[];
}

export function admit(manifest: Manifest): Admitted {
  const known = versionsOf(manifest.group, manifest.kind);
  if (!known) return { manifest, violations: [], ruled: [] };
  // An unknown version of a known kind is reported elsewhere; its fields are read as those of a version that is known.
  const version = known.includes(manifest.version) ? manifest.version : (known[0] ?? '');
  const found = schemaOf({ group: manifest.group, kind: manifest.kind, version });
  if (!found) return { manifest, violations: [], ruled: [] };
  const { violations, value, ruled } = conform(found.schema, manifest.body, resolveDefinition);
  const all = version === manifest.version ? [...violations, ...metadataViolations(manifest)] : [];
  return {
    manifest: value === manifest.body ? manifest : { ...manifest, body: value },
    violations: all,
    ruled: version === manifest.version ? ruled : [],
  };
}
