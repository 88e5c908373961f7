/** Releases of Istio side by side: of a canary upgrade each revision has its own, and the cluster one set of CRDs. */
import type { Manifest } from './manifest';
import { readMeshConfig } from './mesh-config';
import { type ReleasesInForce, compareVersions } from './releases-in-force';

/**
 * The releases that the CRDs of the cluster are of. Where several revisions of istiod serve it, those of the newest: whoever upgrades by
 * revisions has to apply its CRDs before its istiod. Where nothing tells two releases apart, they may be those of the oldest.
 */
export function releasesOfCrds(manifests: readonly Manifest[], releases: ReleasesInForce): ReleasesInForce {
  const { istio } = releases;
  if (istio.others.length === 0) return releases;
  const { names } = readMeshConfig(manifests, {}).revisions;
  if (names.length < 2) return releases;
  const own = names.map((name) => readMeshConfig(manifests, {}, name).releases.istio);
  const newest = own.reduce((one, other) => (compareVersions(other.release, one.release) > 0 ? other : one));
  return { ...releases, istio: { ...newest, others: istio.others } };
}
