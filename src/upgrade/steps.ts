/** In which order the steps of an upgrade have to be taken. */
import type { Manifest } from '../model/manifest';
import { ENVOY_GATEWAY_SWITCHES, ISTIO_SWITCHES } from '../model/release-behavior';
import { type Component, COMPONENTS, EXPERIMENTAL, gatewayApiBroughtBy, isSince } from '../model/releases';
import { compareVersions } from '../model/releases-in-force';
import type { Move } from './move';

export interface Step {
  readonly what: string;
  readonly why: string;
}

/** Releases of the Gateway API whose CRDs a controller needs before it is upgraded. */
const NEEDS: readonly { readonly component: Component; readonly release: string; readonly gatewayApi: string; readonly kinds: readonly string[]; readonly why: string }[] = [
  { component: 'istio', release: '1.30', gatewayApi: '1.5', kinds: ['TLSRoute', 'ListenerSet'], why: 'from 1.30 on istiod reads TLSRoutes and ListenerSets as v1, and does not process them until the CRDs serve it' },
  { component: 'istio', release: '1.31', gatewayApi: '1.6', kinds: ['TCPRoute'], why: 'from 1.31 on istiod reads TCPRoutes as v1, and does not process them until the CRDs serve it' },
  { component: 'envoyGateway', release: '1.8', gatewayApi: '1.5', kinds: ['Gateway', 'HTTPRoute', 'GRPCRoute', 'TLSRoute'], why: 'Envoy Gateway 1.8 watches ListenerSets, which the CRDs have from 1.5 on (release-notes/v1.8.0.yaml)' },
  { component: 'envoyGateway', release: '1.9', gatewayApi: '1.6', kinds: ['TCPRoute', 'UDPRoute'], why: 'Envoy Gateway 1.9 reads TCPRoutes and UDPRoutes as v1, and passes over them without a word until the CRDs serve it (release-notes/v1.9.0.yaml)' },
]; // prettier-ignore

/** The first releases of controllers that ask for a kind as v1, which is the only version of it that a standard channel serves; those before ask for an alpha one. */
const READ_AS_V1: readonly { readonly component: Component; readonly kind: string; readonly since: string }[] = [
  { component: 'istio', kind: 'TLSRoute', since: ISTIO_SWITCHES.readsTlsRoutes.since },
  { component: 'istio', kind: 'TCPRoute', since: ISTIO_SWITCHES.readsTcpRoutes.since },
  { component: 'envoyGateway', kind: 'TLSRoute', since: ENVOY_GATEWAY_SWITCHES.readsTlsRoutesAsV1.since },
  { component: 'envoyGateway', kind: 'TCPRoute', since: ENVOY_GATEWAY_SWITCHES.readsStreamRoutesAsV1.since },
  { component: 'envoyGateway', kind: 'UDPRoute', since: ENVOY_GATEWAY_SWITCHES.readsStreamRoutesAsV1.since },
];

/** A canary of a control plane may be two releases ahead of the one in use, and no more. */
const MOST_AT_ONCE = 2;

export function stepsOf(manifests: readonly Manifest[], moves: readonly Move[]): readonly Step[] {
  return [
    ...gatewayApiSteps(manifests, moves),
    ...betweenSteps(manifests, moves),
    ...versionSteps(manifests, moves),
    ...controllerSteps(manifests, moves),
    ...standardSteps(manifests, moves),
  ];
}

function gatewayApiSteps(manifests: readonly Manifest[], moves: readonly Move[]): readonly Step[] {
  const api = moves.find(({ component }) => component === 'gatewayApi');
  const reached = (component: Component, release: string): boolean => {
    const move = moves.find((one) => one.component === component);
    return move !== undefined && !isSince(component, move.from, release) && isSince(component, move.to, release);
  };
  const needs = NEEDS.filter(({ component, release, kinds }) => reached(component, release) && manifests.some(({ kind, group }) => group === 'gateway.networking.k8s.io' && kinds.includes(kind))); // prettier-ignore
  const steps = needs.map(({ component, release, gatewayApi, why }) => ({
    what: `Apply the CRDs of Gateway API ${gatewayApi} or newer before ${COMPONENTS[component].title} ${release} or newer`,
    why,
  }));
  if (api === undefined || steps.length > 0) return steps;
  return [{ what: `Apply the CRDs of Gateway API ${api.to.replace(EXPERIMENTAL, '')} before the objects that use what they bring`, why: 'an API server drops fields, and refuses versions, that its CRDs do not have' }]; // prettier-ignore
}

/** Controllers that would lose routes once a standard channel is there, until they are upgraded. */
function losing(manifests: readonly Manifest[], moves: readonly Move[]): readonly (typeof READ_AS_V1)[number][] {
  const api = moves.find(({ component }) => component === 'gatewayApi');
  if (api === undefined || api.to.endsWith(EXPERIMENTAL)) return [];
  const isThere = (kind: string): boolean => manifests.some((one) => one.group === 'gateway.networking.k8s.io' && one.kind === kind); // prettier-ignore
  return READ_AS_V1.filter(({ component, kind, since }) => {
    const move = moves.find((one) => one.component === component);
    return move !== undefined && isThere(kind) && !isSince(component, move.from, since) && isSince(component, move.to, since); // prettier-ignore
  });
}

function betweenSteps(manifests: readonly Manifest[], moves: readonly Move[]): readonly Step[] {
  const [first] = losing(manifests, moves);
  const api = moves.find(({ component }) => component === 'gatewayApi');
  if (first === undefined || api === undefined) return [];
  const kinds = [...new Set(losing(manifests, moves).map(({ kind }) => kind))].join(', ');
  return [
    {
      what: `Take the experimental channel of Gateway API ${api.to} for these CRDs, until the controllers are upgraded`,
      why: `the standard one serves ${kinds} as v1 alone, for which ${COMPONENTS[first.component].title} before ${first.since} does not ask: routes would be gone in between`,
    },
  ];
}

/** What the experimental channel was taken for. */
function standardSteps(manifests: readonly Manifest[], moves: readonly Move[]): readonly Step[] {
  const api = moves.find(({ component }) => component === 'gatewayApi');
  if (api === undefined || losing(manifests, moves).length === 0) return [];
  return [{ what: `Apply the CRDs of the standard channel of Gateway API ${api.to}`, why: 'every controller asks for v1 now, and no manifest is written otherwise any more' }]; // prettier-ignore
}

function versionSteps(manifests: readonly Manifest[], moves: readonly Move[]): readonly Step[] {
  const api = moves.find(({ component }) => component === 'gatewayApi');
  if (api === undefined || api.to.endsWith(EXPERIMENTAL)) return [];
  const alpha = manifests.filter(({ group, kind, version }) => group === 'gateway.networking.k8s.io' && /^(TLS|TCP|UDP)Route$/.test(kind) && version !== 'v1'); // prettier-ignore
  if (alpha.length === 0) return [];
  return [
    {
      what: `Write ${[...new Set(alpha.map(({ kind }) => kind))].join(', ')} as gateway.networking.k8s.io/v1 as soon as the CRDs serve it, and before the next apply`,
      why: 'a standard install serves v1 alone, and refuses v1alpha2 and v1alpha3: "no matches for kind"',
    },
  ];
}

/** The releases that a component comes through on its way up; none on the way down. */
export function pathOf({ component, from, to }: Move): readonly string[] {
  const names = COMPONENTS[component].releases.map(({ name }) => name);
  const [old, now] = [from, to].map((release) => names.indexOf(release.replace(EXPERIMENTAL, ''))) as [number, number];
  const stride = component === 'istio' ? MOST_AT_ONCE : component === 'gatewayApi' ? old - now : 1;
  const path: string[] = [];
  for (let at = old; at > now;) {
    at = Math.max(now, at - stride);
    path.push(names[at] ?? '');
  }
  return path;
}

function controllerSteps(manifests: readonly Manifest[], moves: readonly Move[]): readonly Step[] {
  return moves
    .filter(({ component }) => component === 'istio' || component === 'envoyGateway')
    .flatMap((move) => {
      const { component, title, from, to } = move;
      const path = pathOf(move);
      if (path.length === 0)
        return [{ what: `Take back what only ${title} ${from} has, then go back to ${to}`, why: 'an older release drops or refuses it' }]; // prettier-ignore
      return component === 'istio'
        ? path.flatMap((release, at) => istioSteps(manifests, path[at - 1] ?? from, release))
        : path.map((release) => ({
            what: `Upgrade ${title} to ${release}, its CRDs before the controller${withoutOlder(release, moves)}`,
            why: 'a controller reads fields that its own CRDs have, and an older set drops them',
          }));
    });
}

/** The chart of Envoy Gateway brings the Gateway API that it was built for. */
function withoutOlder(release: string, moves: readonly Move[]): string {
  const api = moves.find(({ component }) => component === 'gatewayApi')?.to.replace(EXPERIMENTAL, '');
  const brought = gatewayApiBroughtBy(release)?.replace(EXPERIMENTAL, '');
  const isOlder = api !== undefined && brought !== undefined && brought !== api && isSince('gatewayApi', api, brought);
  return isOlder ? `, and without those of Gateway API ${brought} in its chart` : '';
}

function istioSteps(manifests: readonly Manifest[], from: string, to: string): readonly Step[] {
  const isAmbient = manifests.some(({ kind, labels }) => kind === 'ZTunnel' || labels['istio.io/dataplane-mode'] === 'ambient'); // prettier-ignore
  return [
    {
      what: `Upgrade Istio to ${to}: its CRDs first (chart base), then istiod beside the one of ${from}, as a revision of its own`,
      why: `an API server drops what its CRDs do not have; by a revision Istio may be ${MOST_AT_ONCE} releases ahead, in place one`,
    },
    ...(isAmbient
      ? [
          {
            what: `Upgrade istio-cni and ztunnel to ${to}, node by node, then the waypoints`,
            why: 'nothing injects them; connections of a node in ambient mode break when its ztunnel goes',
          },
        ]
      : []),
    {
      what: `Move namespaces and gateways to the revision of ${to}, restart their workloads, and take istiod ${from} away once no proxy asks it`,
      why: 'a proxy keeps the release that injected it until its Pod is made anew',
    },
  ];
}

/** From one patch to a newer one of the same release. */
export function patchSteps(patches: readonly Move[]): readonly Step[] {
  return patches
    .filter(({ from, to }) => !/^\d/.test(to) || (/^\d/.test(from) && compareVersions(from, to) < 0))
    .map(({ component, title, to }) =>
      component === 'istio'
        ? {
            what: `Upgrade istiod to ${to} in place, then restart gateways and workloads (in ambient mode ztunnel and the waypoints)`,
            why: 'what is mended in Envoy is there once a proxy runs its new image; what istiod writes otherwise, for all proxies at once',
          }
        : { what: `Upgrade ${title} to ${to}`, why: 'it starts its proxies anew with the image that goes with it' },
    );
}
