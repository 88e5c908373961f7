import type { Manifest } from '../../model/manifest';
import { istioBehavior } from '../../model/release-behavior';
import { COMPONENTS, EXPERIMENTAL, componentOf, gatewayApiBroughtBy } from '../../model/releases';
import type { CheckContext } from '../context';
import type { Hit, Rule } from '../rule';
import { releaseServing, releaseTitle } from '../schema/other-releases';
import { nearest, quote } from '../schema/structural';

export const rule: Rule = {
  id: 'EDGE004',
  name: 'unknown-kind',
  severity: 'error',
  title: 'The API group has no such kind, or not in this version',
  why: 'An API server without this kind and version refuses the object: "no matches for kind".',
  fix: 'Write a kind and version that the CRDs of the cluster serve.',
  see: 'https://istio.io/latest/docs/reference/config/',
  reads: [],
  footguns: ['G14'],
  *check(context) {
    const told = new Set<string>();
    for (const manifest of context.manifests) {
      const { group, version, kind } = manifest;
      const versions = context.schemas.versionsOf(group, kind);
      if (versions !== undefined) {
        if (!versions.includes(version)) {
          if (context.releases.gatewayApi.from !== 'default' || !isOfController(manifest, context))
            yield notServed(manifest, versions, context);
        } else yield* onlyExperimental(manifest, versions, context, told);
        continue;
      }
      const kinds = context.schemas.kindsOf(group);
      if (!kinds) continue;
      const meant = nearest(kind, kinds);
      // Projects keep documents of other kinds under their API group, which are never sent to a cluster.
      if (!meant && !group.endsWith('istio.io')) continue;
      yield {
        manifest,
        field: ['kind'],
        severity: meant ? 'error' : 'warning',
        what: `${group} has no kind ${quote(kind)}`,
        fix: meant ? `Did you mean ${meant}?` : `Its kinds are ${kinds.join(', ')}.`,
      };
    }
  },
};

/** A version, or a kind altogether, that the release in force does not serve: another release may. */
function notServed(manifest: Manifest, versions: readonly string[], context: CheckContext): Hit {
  const { group, version, kind, apiVersion } = manifest;
  const component = componentOf(group);
  const field = ['apiVersion'];
  const write = versions.length > 0 ? `Write apiVersion: ${group ? `${group}/` : ''}${versions.includes('v1') ? 'v1' : versions[0]}` : undefined; // prettier-ignore
  const inForce = component === undefined ? undefined : context.crds[component];
  const other = inForce === undefined ? undefined : releaseServing(manifest, inForce);
  if (component === undefined || inForce === undefined || other === undefined)
    return { manifest, field, what: `${kind} is not served as ${quote(apiVersion)}`, ...(write === undefined ? {} : { fix: `${write}.` }) }; // prettier-ignore
  if (context.schemas.releaseFor(group, kind) === null)
    return { manifest, field, what: `the CRD of ${kind} among the manifests does not serve ${version}`, ...(write === undefined ? {} : { fix: `${write}, or apply the CRD of ${releaseTitle(component, other.release)}.` }) }; // prettier-ignore
  const needed = releaseTitle(component, other.release);
  const { title } = COMPONENTS[component];
  return {
    manifest,
    field,
    // Without a word of a release, what an older one served may be served by the cluster all the same.
    severity: inForce.from === 'default' ? 'warning' : 'error',
    what: other.isNewer
      ? `${kind} ${version} needs ${needed}`
      : `${kind} ${version} was served up to ${needed}, and is not any more`,
    why: `${releaseTitle(component, inForce.release)} does not serve it, and an API server refuses the object: "no matches for kind".`,
    fix: other.isNewer
      ? `${write === undefined ? `Install ${needed}` : `${write}, or install ${needed}`}.`
      : `${write ?? `Take it away: ${title} has no such kind any more`}; if the cluster runs an older release, say it by ${OPTION[component]}.`,
  };
}

const OPTION = { istio: '--istio-version', gatewayApi: '--gateway-api-version', envoyGateway: '--envoy-gateway-version', kubernetes: '--kubernetes-version' } as const; // prettier-ignore

/**
 * Which channel is installed nobody said: a version of the experimental one alone is refused by the other, which serves a newer version.
 * Said once of each kind: who has one that is served has them all.
 */
function* onlyExperimental(
  manifest: Manifest,
  versions: readonly string[],
  context: CheckContext,
  told: Set<string>,
): Iterable<Hit> {
  const { group, version, kind } = manifest;
  if (version === 'v1' || !versions.includes('v1') || componentOf(group) !== 'gatewayApi') return;
  const { gatewayApi } = context.releases;
  if (gatewayApi.from !== 'default' || context.schemas.releaseFor(group, kind) === null) return;
  const standard = context.schemas.with('gatewayApi', gatewayApi.release.replace(EXPERIMENTAL, ''));
  if ((standard.versionsOf(group, kind) ?? []).includes(version)) return;
  if (isOfController(manifest, context)) return;
  if (told.has(`${kind} ${version}`)) return;
  told.add(`${kind} ${version}`);
  yield {
    manifest,
    field: ['apiVersion'],
    severity: 'warning',
    what: `${kind} ${version} is served by ${releaseTitle('gatewayApi', gatewayApi.release)} alone`,
    why: `The standard channel of ${COMPONENTS.gatewayApi.title} ${gatewayApi.release.replace(EXPERIMENTAL, '')} serves ${kind} as v1 and refuses other versions: "no matches for kind".`,
    fix: `Write apiVersion: ${group}/v1; if the cluster runs an older release, say it by --gateway-api-version.`,
  };
}

/**
 * Whether a controller whose release is stated goes with definitions that serve the version: Envoy Gateway brings them, of the experimental channel,
 * and istiod asks for it.
 */
function isOfController({ group, version, kind }: Manifest, { releases, schemas }: CheckContext): boolean {
  const { envoyGateway, istio } = releases;
  const brought = envoyGateway.from === 'default' ? undefined : gatewayApiBroughtBy(envoyGateway.release);
  if (brought !== undefined && (schemas.with('gatewayApi', brought).versionsOf(group, kind) ?? []).includes(version))
    return true;
  if (istio.from === 'default') return false;
  const { readsTlsRoutes, readsTcpRoutes, readsListenerSets } = istioBehavior(istio);
  const asked = [...(readsTlsRoutes ? [] : ['TLSRoute v1alpha2']), ...(readsTcpRoutes ? [] : ['TCPRoute v1alpha2']), ...(readsListenerSets ? [] : ['XListenerSet v1alpha1'])]; // prettier-ignore
  return asked.includes(`${kind} ${version}`);
}
