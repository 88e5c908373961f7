// What the package exports, sorted by file. A file that holds more than API is exported by name.
export { type AccessOperation, type AccessRule, type AccessSource, type TokenClaim } from './access/access-rule';
export * from './access/access-target';
export * from './access/authorization-policy';
export * from './access/extension-code';
export * from './access/request-authentication';
export * from './access/traffic-extension';
export * from './app/edge-app';
export * from './app/output-file';
export * from './core/header-changes';
export * from './egress/cluster-lockdown';
export * from './egress/dedicated-nodes';
export * from './egress/direct-access';
export * from './egress/egress-assurance';
export * from './egress/egress-gateway';
export * from './egress/egress-gateway-workload';
export * from './egress/egress-lockdown';
export * from './egress/egress-proxy';
export * from './egress/egress-route';
export * from './egress/egress-traffic-policy';
export * from './egress/egress-waypoint';
export * from './egress/egress-ways';
export { ExternalPort, type ExternalPortOptions } from './egress/external-port';
export * from './egress/external-proxy';
export * from './egress/external-service';
export * from './egress/gateway-hop';
export * from './egress/resolution';
export * from './egress/server-trust';
export * from './egress/sidecar-egress';
export {
  type ConnectionLimits,
  type EgressRetries,
  type OutlierDetection,
  type UpstreamSettings,
} from './egress/upstream-settings';
export { type EgressRateLimit, type EgressTlsVersions } from './egress/upstream-filter';
export { LocalityPreference, type LocalityShare, type RegionFailover } from './egress/upstream-locality';
export { MirrorTarget, type FaultInjection, type RequestMirror } from './egress/upstream-requests';
export { TransparentProxy, type TransparentProxyProps } from './egress/transparent-proxy';
export {
  WaypointTrafficPolicy,
  type WaypointTrafficPolicyProps,
  type WaypointTrafficRule,
} from './egress/waypoint-traffic-policy';
export * from './ingress/backend-tls-policy';
export { ApiKeySource, type ApiKeys } from './ingress/api-keys';
export {
  type ActiveHealthCheck,
  Compression,
  type ErrorPage,
  ErrorPageBody,
  type PassiveHealthCheck,
  StickySessions,
} from './ingress/backend-health';
export * from './ingress/backend-traffic-policy';
export { type ClassicCors, CorsOrigin } from './ingress/classic-cors';
export * from './ingress/classic-gateway';
export * from './ingress/classic-ingress';
export { ClassicMatch, type ClassicMatchOptions } from './ingress/classic-match';
export * from './ingress/classic-route';
export { type ClassicClientCertificates, type ClassicIngressServer } from './ingress/classic-server';
export * from './ingress/client-traffic-policy';
export * from './ingress/envoy-backend';
export * from './ingress/envoy-extension';
export * from './ingress/envoy-extension-policy';
export * from './ingress/envoy-gateway-in-mesh';
export * from './ingress/envoy-proxy';
export { type EnvoyProxyPods, ProxyServiceType } from './ingress/envoy-proxy-pods';
export { type EnvoyProxySettings } from './ingress/envoy-proxy-settings';
export * from './ingress/experimental-backend';
export * from './ingress/external-backend';
export { type FrontendClientCertificates } from './ingress/frontend-certificates';
export * from './ingress/gateway-class';
export * from './ingress/global-rate-limit';
export * from './ingress/grpc-ingress-route';
export * from './ingress/http-ingress-route';
export * from './ingress/http-match';
export * from './ingress/http-rule';
export * from './ingress/http-route-filter';
export * from './ingress/ingress-backend';
export * from './ingress/ingress-class';
export * from './ingress/ingress-gateway';
export * from './ingress/ingress-listener';
export * from './ingress/listener-certificate';
export * from './ingress/listener-set';
export * from './ingress/reference-grant';
export * from './ingress/mesh-service';
export { type OidcLogin, type OidcProvider } from './ingress/oidc-login';
export { PolicyMerge } from './ingress/policy-merge';
export * from './ingress/policy-target';
export * from './ingress/published-service';
export * from './ingress/rate-limit';
export {
  type AuthorizationRule,
  type CorsRule,
  type ExternalAuthorization,
  type JwtProvider,
} from './ingress/request-checks';
export * from './ingress/rollout-restart';
export * from './ingress/security-policy';
export * from './ingress/service-versions';
export { SessionPersistence } from './ingress/session-persistence';
export * from './ingress/load-balancing';
export * from './ingress/shared-classic-ingress';
export { type DnsRecord, type PublishedPath, SharedIngress } from './ingress/shared-ingress';
export * from './ingress/shared-ingress-gateway';
export * from './ingress/stream-ingress-routes';
export * from './install/istio-install';
export * from './mesh/access-log';
export * from './mesh/audience';
export { ExternalAuthorizer, type GrpcAuthorizerOptions, type HttpAuthorizerOptions } from './mesh/external-authorizer';
export { MeshBoundary } from './mesh/mesh-boundary';
export * from './mesh/edge-invariant';
export * from './mesh/invariant-rule';
export { MeshTarget, type MeshTargetProps } from './mesh/mesh-target';
export * from './mesh/mesh-membership';
export * from './mesh/mesh-namespace';
export * from './mesh/outbound-traffic-policy';
export * from './mesh/proxy-telemetry';
export * from './mesh/sidecar-scope';
export * from './mesh/peer-authentication';
export * from './mesh/peer-scope';
export * from './mesh/tls-credential';
export * from './mesh/tls-version';
export * from './mesh/traffic-source';
export * from './mesh/workloads';
