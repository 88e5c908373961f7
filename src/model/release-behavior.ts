/**
 * What releases do otherwise with the same objects, each with the note or source that says so. Nothing else asks for a version: whoever
 * needs one asks for a switch of this file.
 */
import type { UnreadKind } from './listener-problems';
import { type Component, EXPERIMENTAL, isSince } from './releases';
import { compareVersions, type ReleaseInForce, type ReleasesInForce } from './releases-in-force';

interface Switch {
  /** The first release that does it. */
  readonly since: string;
  /** The first one that does it no more. */
  readonly until?: string;
  /** Patch releases that began with it, where not all of their release do: `1.7.4` of an older release, or `1.8.2` of the first one. */
  readonly patches?: readonly string[];
  /** Release note or source, in the repository of the component. */
  readonly source: string;
}

const ISTIO = {
  /** istiod reads TLSRoutes, as v1, and listeners for them, without PILOT_ENABLE_ALPHA_GATEWAY_API; before that as v1alpha2, if it is told to. */
  readsTlsRoutes: { since: '1.30', source: 'releasenotes/notes/tls-protocol-gateway-no-alpha-gate.yaml' },
  /** The same of TCPRoutes. */
  readsTcpRoutes: { since: '1.31', source: 'pilot/pkg/config/kube/gateway/controller.go' },
  /** istiod reads ListenerSets; before that XListenerSets, if PILOT_ENABLE_ALPHA_GATEWAY_API tells it to. */
  readsListenerSets: { since: '1.30', source: 'releasenotes/notes/agw-fix-listenerset-not-allowed-reporting.yaml' },
  /** Sidecars resolve names of wildcards with DYNAMIC_DNS, as waypoints do; and their ports may be GRPC and HTTP2, their location MESH_INTERNAL. */
  resolvesWildcardsInSidecars: { since: '1.30', source: 'releasenotes/notes/se-wildcard-host-sidecar.yaml' },
  /** Entries of MESH_INTERNAL with DYNAMIC_DNS are no services of a waypoint, though ztunnel leads connections for them there. */
  keepsInternalWildcardsFromWaypoints: { since: '1.30', source: 'releasenotes/notes/se-wildcard-host-sidecar.yaml; findWaypointResources of pilot/pkg/networking/core/waypoint.go' }, // prettier-ignore
  /** Sources of an AuthorizationPolicy have trustDomains, and conditions source.trustDomain. */
  knowsTrustDomains: {
    since: '1.30',
    patches: ['1.30.2'],
    source: 'releasenotes/notes/add-trust-domains-to-authz-policy.yaml',
  },
  /** Of one host in several other namespaces a sidecar takes a Service of Kubernetes, else the oldest entry, unless PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE is off; before, that of the first namespace by name. */
  picksBestNamespace: { since: '1.30', source: 'releasenotes/notes/sidecar-pick-best-service-namespace.yaml; pickBestVisibleNamespace of pilot/pkg/model/sidecar.go' }, // prettier-ignore
  /** HTTPRoutes and GRPCRoutes for one host of a listener are joined; before, they are two sets of routes, and of one namespace the HTTPRoutes alone. */
  joinsRoutesOfBothKinds: { since: '1.30', source: 'releasenotes/notes/http-grpc-same-hostname.yaml; httpAndGrpcVS of pilot/pkg/config/kube/gateway/controller.go' }, // prettier-ignore
  /** Istio's Gateways of other namespaces are not for Pods that istiod makes for the Gateway API, unless PILOT_ENABLE_STRICT_GATEWAY_MERGING is off. */
  keepsGatewaysApart: { since: '1.31', source: 'releasenotes/notes/strict-gateway-merging.yaml; filterStrictGatewayMerging of pilot/pkg/model/push_context.go' }, // prettier-ignore
  /** Of a DestinationRule and a BackendTLSPolicy for one host, the former counts, and the latter where it says nothing; before, the latter's policy is the only one. */
  prefersDestinationRules: { since: '1.31', source: 'releasenotes/notes/60358.yaml; mergeBackendPolicyTrafficPolicy of pilot/pkg/model/destination_rule.go' }, // prettier-ignore
  /** ztunnel knows ServiceEntries with ranges among their addresses, and takes the narrowest range that an address is in. */
  tellsZtunnelOfRanges: { since: '1.30', source: 'releasenotes/notes/59797.yaml; toNetworkAddressFromCidr of pilot/pkg/serviceregistry/ambient/helpers.go' }, // prettier-ignore
  /** Namespaces in defaultServiceExportTo and defaultVirtualServiceExportTo count, also beside `.`; before, the first of `.` and `*` alone does. */
  readsAllOfExportDefaults: { since: '1.31', patches: ['1.30.3'], source: 'releasenotes/notes/60560.yaml; serviceExportTo of pilot/pkg/model/push_context.go' }, // prettier-ignore
  /** `~NAMESPACE/HOST` among the hosts of a Sidecar takes hosts away that others import. */
  excludesHostsOfSidecars: { since: '1.31', source: 'releasenotes/notes/60139.yaml' },
  /** A rule of an HTTPRoute without backendRefs is answered with 404, and with 500 before and after. */
  answersNoBackendsWith404: { since: '1.30', until: '1.31', source: 'releasenotes/notes/59356.yaml, releasenotes/notes/60787.yaml' }, // prettier-ignore
  /** Of a ReferenceGrant with several entries in `to`, each counts; before that the last one alone. */
  readsAllOfGrant: { since: '1.30', source: 'releasenotes/notes/reference-grant-to-or-semantics.yaml' },
  /** Listeners for TLS take TLSRoutes whatever their mode; before, those that terminate it take TCPRoutes alone. */
  takesTlsRoutesOfAnyMode: { since: '1.30', source: 'generateSupportedKinds of pilot/pkg/config/kube/gateway/conditions.go' }, // prettier-ignore
  /** A TLSRoute at a listener with a hostname is for what both have; before, for all of its hostnames. */
  narrowsTlsHosts: { since: '1.30', patches: ['1.28.6', '1.29.2'], source: 'releasenotes/notes/fix-tls-route-hostname-bypass.yaml; route_collections.go' }, // prettier-ignore
  /** Of listeners of a Gateway and its sets that clash, the first is served, and the others are not; before, their servers are merged as those of Istio's Gateways. */
  comparesListeners: { since: '1.30', patches: ['1.30.4'], source: 'releasenotes/notes/listenerset-conflict-resolution.yaml; listener_conflict.go of pilot/pkg/config/kube/gatewaycommon' }, // prettier-ignore
  /** Routes for a Service or ServiceEntry whose waypoint is another controller's are that one's, and not for sidecars either. */
  leavesRoutesToOtherWaypoints: { since: '1.31', patches: ['1.29.7', '1.30.4'], source: 'waypointManagedByAnotherController of pilot/pkg/config/kube/gateway/conversion.go' }, // prettier-ignore
  /** Of one workload several providers may be asked (CUSTOM), if PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS is set; before, none is, and the rules deny. */
  asksSeveralProviders: { since: '1.30', source: 'releasenotes/notes/58082.yaml; pilot/pkg/security/authz/builder/builder.go' }, // prettier-ignore
  /** istio.io/ignore-policy-attachment keeps a BackendTLSPolicy from istiod. */
  leavesPoliciesToOthers: { since: '1.30', patches: ['1.30.1'], source: 'releasenotes/notes/60122.yaml' },
  /** istio.io/use-waypoint-canary leads a share of connections through a second waypoint. */
  sharesWaypoints: { since: '1.31', source: 'releasenotes/notes/60801-weighted-waypoint-canary.yaml' },
  /** Sidecars send HTTP for hosts that nobody declares to what the Host resolves to, if outboundTrafficPolicy has mode ALLOW_ANY_DYNAMIC_DNS. */
  resolvesUnknownHosts: { since: '1.31', source: 'releasenotes/notes/allow-any-dynamic-dns.yaml' },
  /** That mode is a word of the mesh configuration; before, all of the configuration that has it is passed over. */
  knowsDynamicOutbound: { since: '1.30', source: 'mesh/v1alpha1/config.proto of istio.io/api; pkg/config/mesh/meshwatcher/collection.go' }, // prettier-ignore
  /** istiod reads XBackends, if PILOT_ENABLE_ALPHA_GATEWAY_API tells it to; before, a backend of that kind is none. */
  readsXBackends: { since: '1.32', source: 'releasenotes/notes/61012.yaml' },
  /** meshConfig.serviceEntryVisibility says which namespaces know a ServiceEntry, beside exportTo. */
  limitsEntries: { since: '1.31', source: 'releasenotes/notes/60870-serviceentry-visibility.yaml; serviceExportTo of pilot/pkg/model/push_context.go, pilot/pkg/serviceregistry/ambient/waypoints.go' }, // prettier-ignore
  /** Where a listener has an option tls-terminate-mode, and spec.tls.frontend asks for certificates, the option holds; before, certificates are demanded. */
  keepsTerminateMode: { since: '1.30', source: 'releasenotes/notes/59098.yaml; buildTLS of pilot/pkg/config/kube/gateway/conversion.go' }, // prettier-ignore
  /** Gateways are given the CA of their clients (spec.tls.frontend) that is in a Secret; before, only one in the Secret of a certificate of the listener. */
  tellsClientCaSecrets: { since: '1.31', source: 'releasenotes/notes/cacert-secret-sds-auth.yaml; MergeGateways of pilot/pkg/model/gateway.go' }, // prettier-ignore
  /** Mode AllowInsecureFallback of spec.tls.frontend lets clients in without a certificate; before, it is not read. */
  readsInsecureFallback: { since: '1.31', source: 'releasenotes/notes/gateway-insecure-fallback.yaml' },
  /** Sidecars open no connection where the authority of a BackendTLSPolicy cannot be read; before, they send plain text. */
  closesWithoutAuthority: { since: '1.31', patches: ['1.29.7', '1.30.4', '1.31.1'], source: 'GHSA-qm8v-g4f9-qhjx; announcements of 1.29.7, 1.30.4 and 1.31.1' }, // prettier-ignore
  /** Proxies that normalize paths take `.;v=1` and `..;v=1` for dot segments; before, for names. */
  foldsParameters: { since: '1.31', patches: ['1.29.7', '1.30.4'], source: 'CVE-2026-73551 of Envoy; announcements of 1.29.7 and 1.30.4 (ISTIO-SECURITY-2026-006)' }, // prettier-ignore
  /** A waypoint has the routes of all VirtualServices for a host; before, of the first that has any. */
  joinsRoutesOfWaypoints: { since: '1.30', patches: ['1.28.6', '1.29.2'], source: 'releasenotes/notes/59484.yaml; buildWaypointInboundHTTPRouteConfig of pilot/pkg/networking/core/listener_waypoint.go' }, // prettier-ignore
  /** A value of a header filter with a line break or another control character keeps a route from being converted; before, the header is left out. */
  refusesHeaderValues: { since: '1.31', patches: ['1.28.8', '1.29.4', '1.30.1'], source: 'releasenotes/notes/59933.yaml; createHeadersFilter of pilot/pkg/config/kube/gateway/conversion.go' }, // prettier-ignore
  /** Proxies take the service accounts of an AuthorizationPolicy as they are written; before, a dot in one stands for any character. */
  quotesAccounts: { since: '1.30', patches: ['1.28.6', '1.29.2'], source: 'CVE-2026-39350; releasenotes/notes/59700.yaml; serviceAccountRegex of pilot/pkg/security/authz/model/generator.go' }, // prettier-ignore
  /** The same of its namespaces, and of principals with a star in front; before, what follows the star is an expression. */
  quotesIdentities: { since: '1.30', patches: ['1.28.7', '1.29.3'], source: 'releasenotes/notes/59992.yaml; StringMatcherWithPrefix of pilot/pkg/security/authz/matcher/string.go, srcNamespaceGenerator of pilot/pkg/security/authz/model/generator.go' }, // prettier-ignore
} as const satisfies Record<string, Switch>;

export type IstioBehavior = Readonly<Record<keyof typeof ISTIO, boolean>>;

export const ISTIO_SWITCHES: Readonly<Record<keyof typeof ISTIO, Switch>> = ISTIO;

export function istioBehavior(inForce: Pick<ReleaseInForce, 'release' | 'patch'>): IstioBehavior {
  const { release } = inForce;
  const entries = Object.entries(ISTIO_SWITCHES).map(([name, one]) => [
    name,
    doesInPatch('istio', one, inForce) && (one.until === undefined || !isSince('istio', release, one.until)),
  ]);
  return Object.fromEntries(entries) as IstioBehavior;
}

const ENVOY_GATEWAY = {
  /** mergeType of a SecurityPolicy of a route: what it lacks it takes from the policy of the listener or Gateway. Before, it stands alone. */
  mergesSecurityPolicies: { since: '1.8', source: 'release-notes/v1.8.0.yaml; api/v1alpha1/securitypolicy_types.go has no such field in v1.7.0' }, // prettier-ignore
  /** The same of an EnvoyExtensionPolicy. */
  mergesExtensionPolicies: { since: '1.9', source: 'api/v1alpha1/envoyextensionypolicy_types.go has no such field in v1.8.3' }, // prettier-ignore
  /** ListenerSets of gateway.networking.k8s.io/v1 are read, without being told to; before, XListenerSets, and only if told to. */
  readsListenerSets: { since: '1.8', source: 'internal/provider/kubernetes/controller.go' },
  /** Proxies dial the Pods of the service that counts global limits; before, its Service. */
  dialsRateLimitPods: { since: '1.9', patches: ['1.9.1'], source: 'release-notes/v1.9.1.yaml; processRateLimitServiceCluster of internal/gatewayapi/globalresources.go' }, // prettier-ignore
  /** Listeners of a set that say nothing of namespaces, or Same, are for routes of the set's own; before, of the Gateway's. */
  readsNamespacesOfSets: { since: '1.8', patches: ['1.7.1'], source: 'AllowsNamespace of internal/gatewayapi/contexts.go' }, // prettier-ignore
  /** Listeners that are not valid by themselves are in conflict with none. */
  sparesInvalidListeners: {
    since: '1.8',
    patches: ['1.7.4'],
    source: 'isSpecValidForConflictChecks of internal/gatewayapi/validate.go',
  },
  /** A listener of TCP is in conflict with one of HTTP, HTTPS or TLS; before, they share a port. */
  comparesProtocolsOfStreams: { since: '1.8', source: 'validateConflictedProtocolsListeners of internal/gatewayapi/validate.go' }, // prettier-ignore
  /** Of listeners of one hostname that of the Gateway goes before those of sets, and the first set before the others; before, none is programmed. */
  prefersOwnHostnames: { since: '1.8', patches: ['1.8.2'], source: 'validateConflictedLayer7Listeners of internal/gatewayapi/validate.go in v1.8.3' }, // prettier-ignore
  /** The same of listeners of protocols that do not go together; and what lost its hostname leaves routes of that to the other. */
  prefersOwnListeners: { since: '1.9', source: 'validateConflictedHostnameListeners of internal/gatewayapi/validate.go' }, // prettier-ignore
  /** A BackendTrafficPolicy says how Services are dialled, before the EnvoyProxy does. */
  readsRoutingTypeOfPolicies: { since: '1.8', source: 'BuildBTPRoutingTypeIndex of internal/gatewayapi/backendtrafficpolicy.go' }, // prettier-ignore
  /** Services of type ExternalName are refused as backends; before, they have no endpoints. */
  refusesExternalNames: {
    since: '1.8',
    patches: ['1.7.5', '1.8.2'],
    source: 'isServiceExternalName of internal/gatewayapi/route.go in v1.8.3',
  },
  /** Backends whose own filters rewrite the path are refused. */
  refusesPathsOfBackends: { since: '1.8', source: 'validateBackendRefFilters of internal/gatewayapi/validate.go' },
  /** Redirects may have 303, 307 and 308 besides 301 and 302. */
  redirectsWithAnyCode: { since: '1.8', source: 'processRedirectFilter of internal/gatewayapi/filters.go' },
  /** An HTTPRoute none of whose rules is accepted answers 500 where its filters are at fault; before, it is not attached at all, as GRPCRoutes are. */
  answersForInvalidRoutes: { since: '1.8', source: 'processHTTPRouteParentRefs of internal/gatewayapi/route.go' },
  /** GRPCRoutes may name HTTPRouteFilters; before, that is a filter which is not known. */
  extendsGrpcRoutes: { since: '1.9', source: 'ValidateGRPCRouteFilter of internal/gatewayapi/helpers.go' },
  /** A GRPCRoute may not answer by itself that all is well. */
  refusesSuccessOfGrpc: { since: '1.9', source: 'grpcDirectResponse2xxMsg of internal/gatewayapi/filters.go' },
  /** spec.tls.frontend of a Gateway: which certificates clients show at its HTTPS listeners. */
  readsFrontendTls: { since: '1.8', source: 'ProcessGatewayTLS of internal/gatewayapi/listener.go' },
  /** A BackendTrafficPolicy may limit bandwidth; before, the API server drops the field. */
  limitsBandwidth: { since: '1.8', source: 'buildBandwidthLimit of internal/gatewayapi/backendtrafficpolicy.go' },
  /** requestBuffer and httpUpgrade of one BackendTrafficPolicy are refused together. */
  refusesBuffersOfUpgrades: { since: '1.8', source: 'buildTrafficFeatures of internal/gatewayapi/backendtrafficpolicy.go' }, // prettier-ignore
  /** Listeners of TLS and TCP that have no route share one filter chain; before, each has one that takes everything, and Envoy takes no two. */
  sharesEmptyChain: { since: '1.8', source: 'emptyFilterChainAdded of internal/xds/translator/translator.go' },
  /** targetSelectors of policies may select in other namespaces, which have to grant it. */
  selectsTargetsElsewhere: { since: '1.8', source: 'TargetSelectorNamespaces of api/v1alpha1/policy_helpers.go' },
  /** Bodies of responseOverride that a policy has from the Gateway's are looked for in that one's namespace; before, in its own. */
  readsBodiesOfParents: { since: '1.8', patches: ['1.6.5', '1.7.1'], source: 'buildBackendTrafficPolicyOwners of internal/gatewayapi/backendtrafficpolicy.go' }, // prettier-ignore
  /** clientValidation that verifies has to name a CA; before, no certificate is asked for without one. */
  wantsCaToVerify: { since: '1.8', source: 'buildListenerTLSParameters of internal/gatewayapi/clienttrafficpolicy.go' },
  /** A BackendTrafficPolicy of a route that says nothing of routingType, nor of mergeType, keeps that of the Gateway's away; before, the nearest that says something counts. */
  keepsRoutingTypeOfParents: { since: '1.9', source: 'isRouteEffective of internal/gatewayapi/policyindex.go' },
  /** Gateways with an address that is neither IPAddress nor Hostname are not accepted. */
  refusesNamedAddresses: { since: '1.8', source: 'unsupportedAddressType of internal/gatewayapi/translator.go' },
  /** Lua of EnvoyExtensionPolicies is off unless enableLua is set; before, it is on unless disableLua is. */
  wantsLuaEnabled: { since: '1.9', source: 'LuaDisabled of api/v1alpha1/envoygateway_helpers.go' },
  /** A DynamicResolver is kept from names of the proxy itself (127.0.0.1, localhost). */
  guardsLoopback: { since: '1.7', source: 'buildDFPLoopbackRBACPerRoute of internal/xds/translator/dynamic_forward_proxy.go' }, // prettier-ignore
  /** A TLSRoute may lead to a Backend of type DynamicResolver, which goes where the SNI says. */
  resolvesBySni: { since: '1.9', source: 'internal/gatewayapi/testdata/tlsroute-dynamic-resolver.out.yaml' },
  /** Of the BackendTLSPolicies of a backend one for the port counts before one for the whole; before, the oldest of them. */
  prefersSections: { since: '1.8', patches: ['1.7.4', '1.8.1'], source: 'getBackendTLSPolicy of internal/gatewayapi/backendtlspolicy.go in v1.8.3' }, // prettier-ignore
  /** A global limit of 0 requests lets none pass; before, such a limit is not carried out. */
  takesLimitsOfNone: { since: '1.9', source: 'release-notes/v1.9.0.yaml; buildRateLimitRule of internal/gatewayapi/backendtrafficpolicy.go' }, // prettier-ignore
  /** The issuer of an OpenID provider has to be an https URL without user, query and fragment. */
  wantsSecureIssuers: {
    since: '1.9',
    patches: ['1.9.1'],
    source: 'validateOIDCIssuerURL of internal/gatewayapi/securitypolicy.go',
  },
  /** TLSRoutes are asked for as v1, before as v1alpha3. */
  readsTlsRoutesAsV1: { since: '1.8', source: 'watchResources of internal/provider/kubernetes/controller.go' },
  /** TCPRoutes and UDPRoutes are asked for as v1, before as v1alpha2. */
  readsStreamRoutesAsV1: { since: '1.9', source: 'watchResources of internal/provider/kubernetes/controller.go' },
  /** A redirect that says neither scheme nor port keeps the port of the listener; before, that of the first listener that the route has from one parentRef. */
  redirectsByListener: { since: '1.9', source: 'processHTTPRouteParentRefListener of internal/gatewayapi/route.go' }, // prettier-ignore
  /** mergeType of an EnvoyProxy lays it over that of the class, and over the one of Envoy Gateway's own configuration. */
  mergesProxies: { since: '1.8', source: 'MergeEnvoyProxyConfigs of internal/gatewayapi/envoyproxy_merge.go' },
  /** A backend's authority is read from tls.crt too where there is no ca.crt. */
  readsAuthoritiesOfServers: { since: '1.9', source: 'getFirstMatchOrFirstFromData of internal/gatewayapi/helpers.go' }, // prettier-ignore
  /** Proxies take `.;v=1` and `..;v=1` for dot segments; before, for names. */
  foldsParameters: { since: '1.9', patches: ['1.9.1'], source: 'CVE-2026-73551 of Envoy; DefaultEnvoyProxyImage of api/v1alpha1/shared_types.go (1.39.1 in v1.9.1, 1.38.3 in v1.8.3)' }, // prettier-ignore
  /** A route of `*.com` is for a listener of `*.example.com`, under the narrower name. */
  takesBroaderHosts: {
    since: '1.8',
    patches: ['1.6.5', '1.7.1'],
    source: 'computeHosts of internal/gatewayapi/helpers.go',
  },
} as const satisfies Record<string, Switch>;

export const ENVOY_GATEWAY_SWITCHES: Readonly<Record<keyof typeof ENVOY_GATEWAY, Switch>> = ENVOY_GATEWAY;

export type EnvoyGatewayBehavior = Readonly<Record<keyof typeof ENVOY_GATEWAY, boolean>>;

export function envoyGatewayBehavior(inForce: Pick<ReleaseInForce, 'release' | 'patch'>): EnvoyGatewayBehavior {
  const entries = Object.entries(ENVOY_GATEWAY_SWITCHES).map(([name, one]) => [
    name,
    doesInPatch('envoyGateway', one, inForce),
  ]);
  return Object.fromEntries(entries) as EnvoyGatewayBehavior;
}

/** Whether a release does what began with one, or with patches. A release whose patch nobody states is its newest one. */
export function doesInPatch(
  component: Component,
  { since, patches }: Pick<Switch, 'since' | 'patches'>,
  { release, patch }: Pick<ReleaseInForce, 'release' | 'patch'>,
): boolean {
  const began = patches?.find((one) => one.startsWith(`${release}.`));
  if (began === undefined) return isSince(component, release, since);
  return patch === null || compareVersions(patch, began) >= 0;
}

/** Releases of the Gateway API that serve what a release of istiod asks the API server for. */
const SERVED = {
  TLSRoute: { v1: '1.5' },
  TCPRoute: { v1: '1.6' },
  UDPRoute: { v1: '1.6' },
  BackendTLSPolicy: { v1: '1.4' },
} as const;

/** Which kinds of the Gateway API istiod reads. */
export interface ApiKindsRead {
  readonly TLSRoute: boolean;
  readonly TCPRoute: boolean;
  readonly ListenerSet: boolean;
  readonly XListenerSet: boolean;
  readonly XBackend: boolean;
  /** Whether it may read them: where no manifest shows how istiod runs, nobody knows. */
  readonly InferencePool: boolean;
  /** By Envoy Gateway as well: both ask for it as v1 in all releases (minimumCRDVersions of pkg/kube/kclient/crdwatcher.go in Istio). */
  readonly BackendTLSPolicy: boolean;
}

/**
 * @param alpha whether PILOT_ENABLE_ALPHA_GATEWAY_API is set in istiod's environment
 * @param inference whether ENABLE_GATEWAY_API_INFERENCE_EXTENSION is, or nobody knows
 */
export function apiKindsRead({ istio, gatewayApi }: ReleasesInForce, alpha: boolean, inference: boolean): ApiKindsRead {
  const { readsTlsRoutes, readsTcpRoutes, readsListenerSets, readsXBackends } = istioBehavior(istio);
  // Where nobody says which Istio it is, it is one that goes with the Gateway API that is there.
  const serves = (kind: 'TLSRoute' | 'TCPRoute'): boolean =>
    istio.from === 'default' || isSince('gatewayApi', gatewayApi.release, SERVED[kind].v1);
  // A standard channel never served v1alpha2 of either.
  const servesAlpha = gatewayApi.from === 'default' || gatewayApi.release.endsWith(EXPERIMENTAL);
  return {
    TLSRoute: readsTlsRoutes ? serves('TLSRoute') : alpha && servesAlpha,
    TCPRoute: readsTcpRoutes ? serves('TCPRoute') : alpha && servesAlpha,
    ListenerSet: readsListenerSets,
    XListenerSet: !readsListenerSets && alpha,
    XBackend: readsXBackends && alpha,
    InferencePool: inference,
    BackendTLSPolicy:
      gatewayApi.from === 'default' || isSince('gatewayApi', gatewayApi.release, SERVED.BackendTLSPolicy.v1),
  };
}

/** Why istiod does not take a listener of a protocol, which is that of a kind that it does not read. */
export function whyKindUnread(kind: 'TLSRoute' | 'TCPRoute', { istio, gatewayApi }: ReleasesInForce): UnreadKind {
  const { since } = ISTIO[kind === 'TLSRoute' ? 'readsTlsRoutes' : 'readsTcpRoutes'];
  const needs = { istio: istio.release, gatewayApi: gatewayApi.release, wanted: SERVED[kind].v1 };
  return { is: 'kind-unread', kind, since, needs: isSince('istio', istio.release, since) ? needs : null };
}

/** A kind of route that a release of Envoy Gateway asks for in a version that the Gateway API that is there does not serve. */
export interface UnservedKind {
  readonly is: 'kind-unserved';
  readonly kind: string;
  readonly envoyGateway: string;
  readonly gatewayApi: string;
  /** The Gateway API that serves it. */
  readonly wanted: string;
}

/** Undefined where Envoy Gateway reads routes of a kind, and where nobody says which releases there are. */
export function whyUnserved(kind: string, { envoyGateway, gatewayApi }: ReleasesInForce): UnservedKind | undefined {
  if (kind !== 'TLSRoute' && kind !== 'TCPRoute' && kind !== 'UDPRoute') return undefined;
  if (envoyGateway.from === 'default' || gatewayApi.from === 'default') return undefined;
  const { readsTlsRoutesAsV1, readsStreamRoutesAsV1 } = envoyGatewayBehavior(envoyGateway);
  const { v1 } = SERVED[kind];
  const asV1 = kind === 'TLSRoute' ? readsTlsRoutesAsV1 : readsStreamRoutesAsV1;
  // A standard channel never served what comes before v1.
  const isServed = asV1 ? isSince('gatewayApi', gatewayApi.release, v1) : gatewayApi.release.endsWith(EXPERIMENTAL);
  const wanted = asV1 ? v1 : `${gatewayApi.release}${EXPERIMENTAL}`;
  return isServed
    ? undefined
    : { is: 'kind-unserved', kind, envoyGateway: envoyGateway.release, gatewayApi: gatewayApi.release, wanted };
}
