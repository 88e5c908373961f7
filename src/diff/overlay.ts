/**
 * What a cluster would hold once manifests were applied to it: for drift between a live dump and what Git holds.
 * Objects that only the cluster has stay as they are, but for what its controllers make of the others.
 */
import { schemasInForce } from '../check/context';
import { admit } from '../check/schema/admit';
import type { Schemas } from '../check/schema/store';
import { canonical } from '../model/canonical';
import { record, type Json } from '../model/fields';
import { loadObjects } from '../model/load';
import type { Manifest } from '../model/manifest';
import type { MeshOptions } from '../model/mesh-options';
import { releasesInForce } from '../model/releases-in-force';
import { releasesOfCrds } from '../model/revision-releases';
import { apply } from './apply';
import { keptProxies } from './kept-proxies';
import { objectKey } from './objects';
import { prunable } from './prunable';
import { reconciled } from './reconciled';
import type { Undecided } from './types';

export interface Overlay {
  readonly before: readonly Manifest[];
  readonly after: readonly Manifest[];
  /** What applying them changes later. */
  readonly doubts: readonly Undecided[];
  /** What applying them leaves, and a prune would not. */
  readonly notes: readonly string[];
}

/** Metadata that a manifest says. The rest is the cluster's. */
const SAID = new Set(['name', 'namespace', 'labels', 'annotations', 'ownerReferences', 'finalizers']);

export function layOver(live: readonly Manifest[], applied: readonly Manifest[], options: MeshOptions = {}): Overlay {
  const before = lastOfEach(live);
  const schemas = schemasInForce(live, releasesOfCrds(live, releasesInForce(live, options)));
  const after = new Map(before);
  const given = lastOfEach(applied);
  for (const [key, manifest] of given) {
    const known = before.get(key);
    after.set(key, known === undefined ? manifest : merged(known, manifest, schemas));
  }
  const sides = reconciled({ before: [...before.values()], after: [...after.values()] });
  const notes = prunable([...before.values()], (one) => given.has(objectKey(one)));
  return { ...sides, doubts: keptProxies(sides), notes };
}

/** Of two documents for one object the later is the one that is applied last. */
function lastOfEach(manifests: readonly Manifest[]): ReadonlyMap<string, Manifest> {
  return new Map(manifests.map((manifest) => [objectKey(manifest), manifest]));
}

function merged(live: Manifest, applied: Manifest, schemas: Schemas): Manifest {
  const now = record(live.body);
  const said = withoutStatus(applied.body, now);
  const { manifest, violations } = admit(applied, schemas);
  const filled = violations.length === 0 ? withoutStatus(manifest.body, now) : said;
  const body = apply(now, { group: live.group, said, filled });
  if (canonical(body) === canonical(now)) return live;
  const [made] = loadObjects([body]).manifests;
  return made === undefined ? applied : { ...made, index: live.index, source: applied.source, lineOf: applied.lineOf };
}

/** What of a manifest is applied. Versions of an API are one to the cluster, which converts between them. */
function withoutStatus(applied: Json, { apiVersion }: Json): Json {
  const { status: _status, metadata, ...said } = applied;
  const own = Object.fromEntries(Object.entries(record(metadata)).filter(([name]) => SAID.has(name)));
  return { ...said, apiVersion, metadata: own };
}
