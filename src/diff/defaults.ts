/** Objects as an API server stores them: a default that somebody writes out is no difference. */
import { schemasInForce } from '../check/context';
import { admit } from '../check/schema/admit';
import type { Schemas } from '../check/schema/store';
import type { Manifest } from '../model/manifest';
import type { MeshOptions } from '../model/mesh-options';
import { releasesInForce } from '../model/releases-in-force';
import { releasesOfCrds } from '../model/revision-releases';
import type { ObjectChange } from './objects';

/** The changes with the defaults of the schemas, each side by its own releases. What a schema has something against stays as it is written. */
export function withDefaults(
  changes: readonly ObjectChange[],
  [was, is]: readonly [Side, Side],
): readonly ObjectChange[] {
  if (changes.length === 0) return changes;
  const [before, after] = [schemasOf(was), schemasOf(is)];
  return changes.map((change) => ({
    ref: change.ref,
    was: change.was && stored(change.was, before),
    is: change.is && stored(change.is, after),
  }));
}

interface Side {
  readonly manifests: readonly Manifest[];
  readonly options: MeshOptions | undefined;
}

function schemasOf({ manifests, options = {} }: Side): Schemas {
  return schemasInForce(manifests, releasesOfCrds(manifests, releasesInForce(manifests, options)));
}

function stored(one: Manifest, schemas: Schemas): Manifest {
  const { manifest, violations } = admit(one, schemas);
  return violations.length === 0 ? manifest : one;
}
