/** What an API server would say of each manifest, and the manifest as it would store it. */
import { record } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { metadataViolations } from './metadata';
import { type Schemas, releasesServing, schemaIn } from './store';
import { type Ruled, type Schema, type Violation, conform } from './structural';

export interface Admitted {
  /** As it was read. */
  readonly original: Manifest;
  /** With defaults, and without what has no place or the wrong type: rules may rely on the types of the schema. */
  readonly manifest: Manifest;
  readonly violations: readonly Violation[];
  /** Values that have CEL rules; none if the schema was broken in a way that keeps an API server from running them. */
  readonly ruled: readonly Ruled[];
  /** Whether it is that an API server does not run rules at all. */
  readonly isBlocked: boolean;
}

export function admit(manifest: Manifest, schemas: Schemas): Admitted {
  const known = schemas.versionsOf(manifest.group, manifest.kind);
  const unjudged = { original: manifest, manifest, violations: [], ruled: [], isBlocked: false };
  if (!known) return unjudged;
  const isServed = known.includes(manifest.version);
  const schema = isServed ? schemas.schemaOf(manifest) : schemaInstead(manifest, known, schemas);
  if (!schema) return unjudged;
  const { violations, value, ruled, isBlocked } = conform(
    schema,
    manifest.body,
    schemas.resolve,
    manifest.lineOf.written,
  );
  // SOPS keeps how a file is encrypted beside its content, and takes it away when it decrypts it.
  const own = violations.filter(({ field }) => field[0] !== 'sops');
  return {
    original: manifest,
    manifest: value === manifest.body ? manifest : { ...manifest, body: record(value) },
    violations: isServed ? [...own, ...metadataViolations(manifest)] : [],
    ruled: isServed ? ruled : [],
    isBlocked,
  };
}

/** A version that is not served is reported elsewhere; its fields are read as another release has them, or as those of a version that is known. */
function schemaInstead(manifest: Manifest, known: readonly string[], schemas: Schemas): Schema | undefined {
  const [release] = releasesServing(manifest);
  if (release !== undefined) return schemaIn(release, manifest);
  return schemas.schemaOf({ group: manifest.group, kind: manifest.kind, version: known[0] ?? '' });
}
