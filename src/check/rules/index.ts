/** Every rule, by its id. Written by `node scripts/rules-index.mjs`; a test fails if a rule is left out. */
import type { Rule } from '../rule';
import { rule as unreadableDocument } from './unreadable-document';
import { rule as schemaViolation } from './schema-violation';
import { rule as celRuleViolation } from './cel-rule-violation';
import { rule as unknownKind } from './unknown-kind';
import { rule as duplicateObject } from './duplicate-object';
import { rule as unusedSuppression } from './unused-suppression';
import { rule as suppressionWithoutReason } from './suppression-without-reason';
import { rule as unrenderedValues } from './unrendered-values';
import { rule as worldNotBuilt } from './world-not-built';
import { rule as releaseNotModelled } from './release-not-modelled';
import { rule as releasesDisagree } from './releases-disagree';
import { rule as settingNeedsNewerRelease } from './setting-needs-newer-release';
import { rule as serviceEntryRefused } from './service-entry-refused';
import { rule as virtualServiceRefused } from './virtual-service-refused';
import { rule as destinationRuleRefused } from './destination-rule-refused';
import { rule as gatewayRefused } from './gateway-refused';
import { rule as sidecarRefused } from './sidecar-refused';
import { rule as authorizationPolicyRefused } from './authorization-policy-refused';
import { rule as peerAuthenticationRefused } from './peer-authentication-refused';
import { rule as requestAuthenticationRefused } from './request-authentication-refused';
import { rule as telemetryRefused } from './telemetry-refused';
import { rule as tcpWithoutAddress } from './tcp-without-address';
import { rule as tcpPortsCollide } from './tcp-ports-collide';
import { rule as portProtocolConflict } from './port-protocol-conflict';
import { rule as hostInSeveralEntries } from './host-in-several-entries';
import { rule as httpOn443 } from './http-on-443';
import { rule as reservedPort } from './reserved-port';
import { rule as serverFirstDeclaredTls } from './server-first-declared-tls';
import { rule as metadataServerByName } from './metadata-server-by-name';
import { rule as hostsShareEndpoints } from './hosts-share-endpoints';
import { rule as egressBypassesGateway } from './egress-bypasses-gateway';
import { rule as gatewayLoop } from './gateway-loop';
import { rule as matchGatewayNotBound } from './match-gateway-not-bound';
import { rule as gatewayNotFound } from './gateway-not-found';
import { rule as hostNotOnGateway } from './host-not-on-gateway';
import { rule as noListenerOnGateway } from './no-listener-on-gateway';
import { rule as noRouteOnGateway } from './no-route-on-gateway';
import { rule as hostsOverlapOnMesh } from './hosts-overlap-on-mesh';
import { rule as hostsOverlapOnGateway } from './hosts-overlap-on-gateway';
import { rule as unknownDestination } from './unknown-destination';
import { rule as destinationMissing } from './destination-missing';
import { rule as destinationPortOmitted } from './destination-port-omitted';
import { rule as subsetMissing } from './subset-missing';
import { rule as noEndpoint } from './no-endpoint';
import { rule as unreachableRule } from './unreachable-rule';
import { rule as claimsWithoutAuthentication } from './claims-without-authentication';
import { rule as tcpRoutesCollide } from './tcp-routes-collide';
import { rule as routeNotConsulted } from './route-not-consulted';
import { rule as podNotInjected } from './pod-not-injected';
import { rule as ruleOfOtherKind } from './rule-of-other-kind';
import { rule as requestRefused } from './request-refused';
import { rule as tlsInsideTls } from './tls-inside-tls';
import { rule as plainTextToTlsPort } from './plain-text-to-tls-port';
import { rule as sniNotServed } from './sni-not-served';
import { rule as tlsModesDiffer } from './tls-modes-differ';
import { rule as portPolicyDropsTls } from './port-policy-drops-tls';
import { rule as serversConflictOnPort } from './servers-conflict-on-port';
import { rule as credentialWithoutSelector } from './credential-without-selector';
import { rule as credentialNamespace } from './credential-namespace';
import { rule as tlsNotVerified } from './tls-not-verified';
import { rule as principalsOnPassthrough } from './principals-on-passthrough';
import { rule as httpFieldsOnTcp } from './http-fields-on-tcp';
import { rule as tunnelOnHttpRoute } from './tunnel-on-http-route';
import { rule as proxyDeclaredHttp } from './proxy-declared-http';
import { rule as sanMismatch } from './san-mismatch';
import { rule as certificateNameNotAsked } from './certificate-name-not-asked';
import { rule as credentialNotReadable } from './credential-not-readable';
import { rule as certificateFileNotMounted } from './certificate-file-not-mounted';
import { rule as proxyOutOfReach } from './proxy-out-of-reach';
import { rule as delegateNotMerged } from './delegate-not-merged';
import { rule as redirectToItself } from './redirect-to-itself';
import { rule as rewriteJoinsPaths } from './rewrite-joins-paths';
import { rule as redirectBehindTls } from './redirect-behind-tls';
import { rule as assumedObjects } from './assumed-objects';
import { rule as policyUntoldToZtunnel } from './policy-untold-to-ztunnel';
import { rule as unreachableRouteRule } from './unreachable-route-rule';
import { rule as authorizationRuleNeverMet } from './authorization-rule-never-met';
import { rule as allowAlwaysDenied } from './allow-always-denied';
import { rule as securityPolicyRuleIdle } from './security-policy-rule-idle';
import { rule as destinationNotDeclared } from './destination-not-declared';
import { rule as sidecarImportsNothing } from './sidecar-imports-nothing';
import { rule as sidecarPortHidesRest } from './sidecar-port-hides-rest';
import { rule as severalSidecars } from './several-sidecars';
import { rule as destinationRuleSplit } from './destination-rule-split';
import { rule as wildcardMutualTls } from './wildcard-mutual-tls';
import { rule as objectSelectsNothing } from './object-selects-nothing';
import { rule as subsetSelectsNothing } from './subset-selects-nothing';
import { rule as outboundModeOverridden } from './outbound-mode-overridden';
import { rule as captureExcluded } from './capture-excluded';
import { rule as policyForgetsDns } from './policy-forgets-dns';
import { rule as blockedByNetworkPolicy } from './blocked-by-network-policy';
import { rule as policyForgetsIstiod } from './policy-forgets-istiod';
import { rule as policyByServicePort } from './policy-by-service-port';
import { rule as gatewayCannotLeave } from './gateway-cannot-leave';
import { rule as gatewayWithoutPolicy } from './gateway-without-policy';
import { rule as workloadWithoutSidecar } from './workload-without-sidecar';
import { rule as udpPort } from './udp-port';
import { rule as halfDedicatedNodes } from './half-dedicated-nodes';
import { rule as broadPassthrough } from './broad-passthrough';
import { rule as policySelectsNothing } from './policy-selects-nothing';
import { rule as portMtlsWithoutPort } from './port-mtls-without-port';
import { rule as callerNotAdmitted } from './caller-not-admitted';
import { rule as policyNamesUnknownNamespace } from './policy-names-unknown-namespace';
import { rule as authorizationByOtherPort } from './authorization-by-other-port';
import { rule as tokenNotRequired } from './token-not-required';
import { rule as policyHostWithoutPort } from './policy-host-without-port';
import { rule as principalNeverMatches } from './principal-never-matches';
import { rule as authorizerNotUsable } from './authorizer-not-usable';
import { rule as policyForWhatLeaves } from './policy-for-what-leaves';
import { rule as starWithinValue } from './star-within-value';
import { rule as preflightNotAnswered } from './preflight-not-answered';
import { rule as clientAddressNotKept } from './client-address-not-kept';
import { rule as gatewaySelectsNothing } from './gateway-selects-nothing';
import { rule as gatewayPortNotOnService } from './gateway-port-not-on-service';
import { rule as sameHostOnGateways } from './same-host-on-gateways';
import { rule as gatewayPodNotInjected } from './gateway-pod-not-injected';
import { rule as contradictingInjection } from './contradicting-injection';
import { rule as severalTelemetries } from './several-telemetries';
import { rule as telemetryProviderUnknown } from './telemetry-provider-unknown';
import { rule as singleGatewayReplica } from './single-gateway-replica';
import { rule as egressGatewayExposed } from './egress-gateway-exposed';
import { rule as waypointNotUsable } from './waypoint-not-usable';
import { rule as registryOnlyInAmbient } from './registry-only-in-ambient';
import { rule as sidecarObjectsInAmbient } from './sidecar-objects-in-ambient';
import { rule as selectorOnGatewayApi } from './selector-on-gateway-api';
import { rule as entryPastWaypoint } from './entry-past-waypoint';
import { rule as unknownToZtunnel } from './unknown-to-ztunnel';
import { rule as waypointOpenToAll } from './waypoint-open-to-all';
import { rule as endpointsPastWaypoint } from './endpoints-past-waypoint';
import { rule as routeNotReadByWaypoint } from './route-not-read-by-waypoint';
import { rule as waypointTlsIgnored } from './waypoint-tls-ignored';
import { rule as policyWithoutWaypoint } from './policy-without-waypoint';
import { rule as clientsBehindWaypoint } from './clients-behind-waypoint';
import { rule as ingressPastWaypoint } from './ingress-past-waypoint';
import { rule as routeWithoutWaypoint } from './route-without-waypoint';
import { rule as clientsPastWaypoint } from './clients-past-waypoint';
import { rule as routeNotAttached } from './route-not-attached';
import { rule as referenceNotGranted } from './reference-not-granted';
import { rule as backendNotFound } from './backend-not-found';
import { rule as meshRouteParent } from './mesh-route-parent';
import { rule as meshRouteAndVirtualService } from './mesh-route-and-virtual-service';
import { rule as policyTargetNotFound } from './policy-target-not-found';
import { rule as envoyGatewayInMesh } from './envoy-gateway-in-mesh';
import { rule as hostKeptThroughSidecar } from './host-kept-through-sidecar';
import { rule as xdsPortProtocol } from './xds-port-protocol';
import { rule as listenersWithoutHostname } from './listeners-without-hostname';
import { rule as replacementWithoutSlash } from './replacement-without-slash';
import { rule as ruleWithoutBackend } from './rule-without-backend';
import { rule as oidcPathOutsideRoute } from './oidc-path-outside-route';
import { rule as oidcCookiesShared } from './oidc-cookies-shared';
import { rule as oidcProviderOutOfReach } from './oidc-provider-out-of-reach';
import { rule as backendTlsPort } from './backend-tls-port';
import { rule as backendTlsInMesh } from './backend-tls-in-mesh';
import { rule as injectionNotOnPods } from './injection-not-on-pods';
import { rule as proxiesCannotReachController } from './proxies-cannot-reach-controller';
import { rule as rateLimitServiceMissing } from './rate-limit-service-missing';
import { rule as routingTypeIgnored } from './routing-type-ignored';
import { rule as gatewayClassNotUsable } from './gateway-class-not-usable';
import { rule as routePolicyReplacesGateway } from './route-policy-replaces-gateway';
import { rule as clientPolicyRefused } from './client-policy-refused';
import { rule as policiesOfOneTarget } from './policies-of-one-target';
import { rule as ownProxyReplacesClass } from './own-proxy-replaces-class';
import { rule as clientTlsWithoutTls } from './client-tls-without-tls';
import { rule as backendAuthorityNotUsable } from './backend-authority-not-usable';
import { rule as listenerNotProgrammed } from './listener-not-programmed';
import { rule as policyNotCarriedOut } from './policy-not-carried-out';
import { rule as policyReferenceNotUsable } from './policy-reference-not-usable';
import { rule as streamPolicyRefused } from './stream-policy-refused';
import { rule as refusedByEnvoy } from './refused-by-envoy';
import { rule as configurationNotWritten } from './configuration-not-written';
import { rule as credentialOnSeveralGateways } from './credential-on-several-gateways';
import { rule as subsetsNotAtIngress } from './subsets-not-at-ingress';
import { rule as httpToHttpsPort } from './http-to-https-port';
import { rule as envoyFilterOrder } from './envoy-filter-order';
import { rule as externalNameNotDeclared } from './external-name-not-declared';
import { rule as envoyFilterIgnored } from './envoy-filter-ignored';

export const rules: readonly Rule[] = [
  unreadableDocument,
  schemaViolation,
  celRuleViolation,
  unknownKind,
  duplicateObject,
  unusedSuppression,
  suppressionWithoutReason,
  unrenderedValues,
  worldNotBuilt,
  releaseNotModelled,
  releasesDisagree,
  settingNeedsNewerRelease,
  serviceEntryRefused,
  virtualServiceRefused,
  destinationRuleRefused,
  gatewayRefused,
  sidecarRefused,
  authorizationPolicyRefused,
  peerAuthenticationRefused,
  requestAuthenticationRefused,
  telemetryRefused,
  tcpWithoutAddress,
  tcpPortsCollide,
  portProtocolConflict,
  hostInSeveralEntries,
  httpOn443,
  reservedPort,
  serverFirstDeclaredTls,
  metadataServerByName,
  hostsShareEndpoints,
  egressBypassesGateway,
  gatewayLoop,
  matchGatewayNotBound,
  gatewayNotFound,
  hostNotOnGateway,
  noListenerOnGateway,
  noRouteOnGateway,
  hostsOverlapOnMesh,
  hostsOverlapOnGateway,
  unknownDestination,
  destinationMissing,
  destinationPortOmitted,
  subsetMissing,
  noEndpoint,
  unreachableRule,
  claimsWithoutAuthentication,
  tcpRoutesCollide,
  routeNotConsulted,
  podNotInjected,
  ruleOfOtherKind,
  requestRefused,
  tlsInsideTls,
  plainTextToTlsPort,
  sniNotServed,
  tlsModesDiffer,
  portPolicyDropsTls,
  serversConflictOnPort,
  credentialWithoutSelector,
  credentialNamespace,
  tlsNotVerified,
  principalsOnPassthrough,
  httpFieldsOnTcp,
  tunnelOnHttpRoute,
  proxyDeclaredHttp,
  sanMismatch,
  certificateNameNotAsked,
  credentialNotReadable,
  certificateFileNotMounted,
  proxyOutOfReach,
  delegateNotMerged,
  redirectToItself,
  rewriteJoinsPaths,
  redirectBehindTls,
  assumedObjects,
  policyUntoldToZtunnel,
  unreachableRouteRule,
  authorizationRuleNeverMet,
  allowAlwaysDenied,
  securityPolicyRuleIdle,
  destinationNotDeclared,
  sidecarImportsNothing,
  sidecarPortHidesRest,
  severalSidecars,
  destinationRuleSplit,
  wildcardMutualTls,
  objectSelectsNothing,
  subsetSelectsNothing,
  outboundModeOverridden,
  captureExcluded,
  policyForgetsDns,
  blockedByNetworkPolicy,
  policyForgetsIstiod,
  policyByServicePort,
  gatewayCannotLeave,
  gatewayWithoutPolicy,
  workloadWithoutSidecar,
  udpPort,
  halfDedicatedNodes,
  broadPassthrough,
  policySelectsNothing,
  portMtlsWithoutPort,
  callerNotAdmitted,
  policyNamesUnknownNamespace,
  authorizationByOtherPort,
  tokenNotRequired,
  policyHostWithoutPort,
  principalNeverMatches,
  authorizerNotUsable,
  policyForWhatLeaves,
  starWithinValue,
  preflightNotAnswered,
  clientAddressNotKept,
  gatewaySelectsNothing,
  gatewayPortNotOnService,
  sameHostOnGateways,
  gatewayPodNotInjected,
  contradictingInjection,
  severalTelemetries,
  telemetryProviderUnknown,
  singleGatewayReplica,
  egressGatewayExposed,
  waypointNotUsable,
  registryOnlyInAmbient,
  sidecarObjectsInAmbient,
  selectorOnGatewayApi,
  entryPastWaypoint,
  unknownToZtunnel,
  waypointOpenToAll,
  endpointsPastWaypoint,
  routeNotReadByWaypoint,
  waypointTlsIgnored,
  policyWithoutWaypoint,
  clientsBehindWaypoint,
  ingressPastWaypoint,
  routeWithoutWaypoint,
  clientsPastWaypoint,
  routeNotAttached,
  referenceNotGranted,
  backendNotFound,
  meshRouteParent,
  meshRouteAndVirtualService,
  policyTargetNotFound,
  envoyGatewayInMesh,
  hostKeptThroughSidecar,
  xdsPortProtocol,
  listenersWithoutHostname,
  replacementWithoutSlash,
  ruleWithoutBackend,
  oidcPathOutsideRoute,
  oidcCookiesShared,
  oidcProviderOutOfReach,
  backendTlsPort,
  backendTlsInMesh,
  injectionNotOnPods,
  proxiesCannotReachController,
  rateLimitServiceMissing,
  routingTypeIgnored,
  gatewayClassNotUsable,
  routePolicyReplacesGateway,
  clientPolicyRefused,
  policiesOfOneTarget,
  ownProxyReplacesClass,
  clientTlsWithoutTls,
  backendAuthorityNotUsable,
  listenerNotProgrammed,
  policyNotCarriedOut,
  policyReferenceNotUsable,
  streamPolicyRefused,
  refusedByEnvoy,
  configurationNotWritten,
  credentialOnSeveralGateways,
  subsetsNotAtIngress,
  httpToHttpsPort,
  envoyFilterOrder,
  externalNameNotDeclared,
  envoyFilterIgnored,
];
