/** What a kustomization comes to, as manifests: what it builds, and what the files that it would fetch say by their addresses. */
import type { Built } from './kustomize-resource';
import type { Manifest } from './manifest';
import { toManifest } from './object';
import { remoteReleases } from './remote-releases';

export function manifestsOf({ resources, remote }: Built): Manifest[] {
  const own = resources.map(({ body, from }, index) => toManifest(body, index, from.source, from.lineOf));
  return [...own, ...remoteReleases(remote)];
}
