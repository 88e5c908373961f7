/** Releases that addresses name: definitions that are fetched from the repositories of Gateway API and Envoy Gateway. */
import type { Remote } from './kustomize-resource';
import type { Manifest } from './manifest';
import { toManifest } from './object';
import { REMOTE_RELEASE } from './recognize';
import { type Component, EXPERIMENTAL } from './releases';

interface NamedRelease {
  readonly component: Component;
  /** As other places state it: `v1.5.1`, `v1.5.1/experimental`. */
  readonly stated: string;
}

const REPOSITORIES = { 'kubernetes-sigs/gateway-api': 'gatewayApi', 'envoyproxy/gateway': 'envoyGateway' } as const;

/**
 * The release of what is fetched from a repository of a project; undefined for other repositories, and for branches.
 *
 * @param address of the repository, or of a file or folder in it
 * @param path in the repository, where it is said by itself
 * @param revision where it is said by itself
 */
export function releaseNamedBy(address: string, path = '', revision = ''): NamedRelease | undefined {
  const repository = /(?:^|[/:@])(kubernetes-sigs\/gateway-api|envoyproxy\/gateway)(?=$|\.git|[/?])/.exec(address)?.[1];
  if (repository !== 'kubernetes-sigs/gateway-api' && repository !== 'envoyproxy/gateway') return undefined;
  const version =
    /^v?\d+\.\d+.*/.exec(revision)?.[0] ?? /(?:[/]|[?&](?:ref|version)=)(v\d+\.\d+[^/?&]*)/.exec(address)?.[1];
  if (version === undefined) return undefined;
  const component = REPOSITORIES[repository];
  const isExperimental = component === 'gatewayApi' && /experimental/.test(`${address} ${path}`);
  return { component, stated: isExperimental ? `${version}${EXPERIMENTAL}` : version };
}

/** What of the files that a kustomization fetches names a release, as manifests. */
export function remoteReleases(remote: readonly Remote[]): readonly Manifest[] {
  return remote.flatMap(({ entry, file }) => {
    if (releaseNamedBy(entry) === undefined) return [];
    return [toManifest({ kind: REMOTE_RELEASE, address: entry }, 0, { file, line: 1 }, () => undefined)];
  });
}
