/** Rules about what filters let through, which Istio's simulation does not run: where the source of the control plane says so. */
import { type Confirmations } from './confirmation';

const read = (where: string, what: string) => ({ by: 'reason', reason: `read in ${where}: ${what}` }) as const;
const reason = (text: string) => ({ by: 'reason', reason: text }) as const;
const ATTACHED = 'shouldAttachPolicy of pilot/pkg/model/policyattachment.go (Istio 1.29.1)';
const AUTHZ = 'pilot/pkg/security/authz/model (Istio 1.29.1)';

export const BY_SOURCE: Confirmations = {
  'authorization-by-other-port': read(
    AUTHZ,
    'ports become destination_port of Envoy, which is the port that the connection came to; at a waypoint that is the port of the Service address',
  ),
  'http-fields-on-tcp/deny-in-a-namespace-with-a-database': read(
    AUTHZ,
    'a condition of HTTP is left out of a DENY for a TCP filter, so that it denies more',
  ),
  'http-fields-on-tcp/listener-of-tcp': read(
    AUTHZ,
    'a condition of HTTP is left out of a DENY for a TCP filter, so that it denies more',
  ),
  'http-fields-on-tcp/mesh-wide-at-ztunnel': read(
    'pilot/pkg/serviceregistry/kube/controller/ambient/authorization.go (Istio 1.29.1)',
    'ztunnel is told of a rule without its conditions of HTTP, and passes over one that has nothing else; a waypoint reads policies with targetRefs alone',
  ),
  'policy-target-not-found/class-in-another-namespace': read(ATTACHED, 'a class counts in the root namespace alone'),
  'policy-target-not-found/class-of-gateways': read(
    ATTACHED,
    'a class counts at waypoints, and by the name istio-waypoint, alone',
  ),
  'authorizer-not-usable': read(
    'pilot/pkg/security/authz/builder/extauthz.go, LookupCluster of pilot/pkg/model/telemetry_logging.go (Istio 1.29.1)',
    'a provider that is not there, named twice, one of several or without a service of the registry by its whole host name is an error, for which rules of DENY are generated',
  ),
  'http-fields-on-tcp/token-on-a-tcp-port': read(
    AUTHZ,
    'a condition of HTTP is left out of a DENY for a TCP filter, so that it denies more',
  ),
  'authorization-rule-never-met': read(
    AUTHZ,
    'the values of a field are joined by or, fields and conditions by and; a permission or principal of Envoy with both a value and its negation matches nothing',
  ),
  'allow-always-denied': read(
    'pilot/pkg/security/authz/builder/builder.go (Istio 1.29.1)',
    'the filter of DENY policies is put before that of ALLOW policies',
  ),
  'security-policy-rule-idle': read(
    'internal/xds/translator/authorization.go (Envoy Gateway 1.7.0)',
    "rules become a list of matchers of Envoy's, of which the first that fits decides",
  ),
  'unreachable-route-rule': read(
    'pilot/pkg/config/kube/gateway/conversion.go and route_collections.go (Istio 1.29.1)',
    'routes of one host and parent are joined into one VirtualService, whose rules are sorted by how specific they are and keep their order else; Envoy takes the first',
  ),
  'object-selects-nothing/wasm-plugin': read(
    'pilot/pkg/model/policyattachment.go (Istio 1.29.1)',
    'what has no targetRefs is attached to proxies whose labels have those of its selector, and to no other',
  ),
  'unknown-to-ztunnel/range': read(
    'toNetworkAddressFromCidr of pilot/pkg/serviceregistry/ambient/helpers.go (Istio after 1.29), and seen with 1.29.1',
    'before 1.30 ztunnels are told nothing of an entry with a range among its addresses',
  ),
  'listeners-without-hostname/no-hostname': read(
    'validateConflictedLayer7Listeners of internal/gatewayapi/validate.go (Envoy Gateway 1.9.1), and seen with 1.7.0',
    'listeners of one port, SNI and hostname are in conflict; since 1.8 what is not valid by itself, as without its Secret, is in conflict with none',
  ),
  'unknown-to-ztunnel/dns-not-captured': read(
    'cni/pkg/nodeagent/net.go and manifests/charts/istio-cni/templates/configmap-cni.yaml (Istio 1.29.1)',
    'DNS of Pods is led to ztunnel where AMBIENT_DNS_CAPTURE is true, unless an annotation of the Pod says otherwise',
  ),
  'policy-for-what-leaves': read(
    'pilot/pkg/networking/plugin/authz/authorization.go and pilot/pkg/networking/core/tls.go (Istio 1.29.1)',
    'BuildHTTP makes no filter for outbound listeners of sidecars (ListenerClassSidecarOutbound), and their chains of TCP and TLS are made by a builder without policies',
  ),
  'policy-target-not-found/chart': reason(
    'that a chart may bring the target is an assumption of ours; what a policy without its target does is seen with the other examples',
  ),
  'policy-target-not-found/section': read(
    'internal/gatewayapi/validate.go (Envoy Gateway 1.7.0)',
    'a policy whose sectionName names no listener of its Gateway, or no rule of its route, is refused with TargetNotFound',
  ),
  'token-not-required': read(
    'pilot/pkg/security/authn/policy_applier.go (Istio 1.29.1)',
    'jwt_authn allows a request without a token (allow_missing)',
  ),
  'policy-host-without-port': read(
    'pilot/pkg/security/authz/matcher/header.go (Istio 1.29.1)',
    'a host is compared with the whole :authority, and routes ignore its port',
  ),
  'principal-never-matches': read(
    AUTHZ,
    'a principal is compared whole, with spiffe:// put in front of what the policy says',
  ),
  'mesh-route-parent/hostnames': read(
    'HTTPRouteCollection of pilot/pkg/config/kube/gateway/route_collections.go (Istio 1.29.1)',
    'the VirtualService that is made for a parent of the mesh has the host of the parent, not those of the route',
  ),
  'preflight-not-answered': read(
    'pilot/pkg/networking/core/listener_builder.go (Istio 1.29.1)',
    'the filters for tokens and of AuthorizationPolicies are put before that for CORS',
  ),
  'star-within-value': read(
    'pilot/pkg/security/authz/matcher/string.go (Istio 1.29.1)',
    'a value with a star in front is compared as a suffix, one with a star at the end as a prefix, and any other as it is written',
  ),
  'policy-without-waypoint': read(
    'pilot/pkg/serviceregistry/kube/controller/ambient (Istio 1.29.1)',
    'a service without a waypoint is told to ztunnel as one, and policies with targetRefs are not told to it at all',
  ),
  'policy-untold-to-ztunnel': read(
    'pilot/pkg/serviceregistry/kube/controller/ambient/authorization.go (Istio 1.29.1)',
    'convertAuthorizationPolicy makes nothing of actions but ALLOW and DENY, convertPeerAuthentication skips a STRICT port where the mesh is STRICT, and convertedSelectorPeerAuthentications looks for PERMISSIVE alone',
  ),
  'clients-behind-waypoint': read(
    'pilot/pkg/networking/core/waypoint.go (Istio 1.29.1)',
    'a waypoint opens a tunnel to the Pod with the certificate of its own account',
  ),
  'ingress-past-waypoint': read(
    'pilot/pkg/xds/endpoints/endpoint_builder.go (Istio 1.29.1)',
    'a gateway gets the addresses of Pods unless the service asks for ingress-use-waypoint',
  ),
  'delegate-not-merged': read(
    'pilot/pkg/model/virtualservice.go (Istio 1.29.1)',
    'mergeVirtualServicesIfNeeded and mergeHTTPRoutes leave such rules out, with a warning in the log',
  ),
  'redirect-to-itself': reason(
    'it is what trace says of each answer in turn, and where redirects lead is compared with real proxies',
  ),
  'route-policy-replaces-gateway': read(
    'internal/gatewayapi/securitypolicy.go (Envoy Gateway 1.7.0)',
    'routes that have a policy of their own are left out of what is translated for their Gateway',
  ),
  'backend-authority-not-usable': read(
    'internal/gatewayapi/backendtlspolicy.go and route.go (Envoy Gateway 1.7.0)',
    'getCaCertsFromCARefs fails for a ConfigMap without ca.crt, tls.crt or a single key, and processDestination makes of that a backend that cannot be used (1.7.0, 1.8.0 and 1.9.1 alike)',
  ),
  'backend-authority-not-usable/istio': read(
    'pilot/pkg/config/kube/gateway/backend_policies.go (Istio 1.29.1)',
    'getBackendTLSCredentialName gives a credential invalid:// for what is no ConfigMap with ca.crt or cacert, which pilot/pkg/xds/sds.go sends to no proxy; the conformance test BackendTLSPolicyInvalidKind wants 500, 502 or 503',
  ),
  'client-policy-refused': read(
    'internal/gatewayapi/clienttrafficpolicy.go (Envoy Gateway 1.7.0)',
    'validatePortOverlapForClientTrafficPolicy refuses a policy for one of several HTTP listeners of a port',
  ),
  'redirect-behind-tls': reason(
    'the load balancer of a cloud is none of what the lab has; that a server with httpsRedirect redirects all that comes in plain text is compared with real proxies for trace',
  ),
  'clients-past-waypoint': read(
    'pilot/pkg/xds/endpoints/endpoint_builder.go (Istio 1.29.1), and Istio’s page on layer 7 in ambient mode',
    'endpoints of a waypoint are given to gateways alone, and whoever has no ztunnel dials the Pods; the page pairs policies of a waypoint with one for the Pods that admits its account alone',
  ),
  'client-tls-without-tls': read(
    'internal/gatewayapi/clienttrafficpolicy.go (Envoy Gateway 1.7.0)',
    'buildListenerTLSParameters returns nothing for a listener without TLS ("Return if this listener isn\'t a TLS listener")',
  ),
  'client-address-not-kept': reason(
    'what a node writes for the address of a client is Kubernetes’ own (externalTrafficPolicy), and a page of Istio tells it (Authorization on ingress gateways, source IP); that ipBlocks are compared with the peer is read in pilot/pkg/security/authz/model (Istio 1.29.1)',
  ),
  'backend-not-found/ingress': read(
    'pilot/pkg/config/kube/ingress/conversion.go (Istio 1.29.1)',
    'ingressBackendToHTTPRoute makes no route of a backend whose port has a name that resolveNamedPort does not find',
  ),
  'backend-not-found/other-kind': read(
    'conformance/tests/httproute-invalid-backendref-unknown-kind.go (Gateway API 1.6.3), conversion.go of Istio and validate.go of Envoy Gateway',
    'both controllers pass this test, which wants ResolvedRefs False with InvalidKind, and 500',
  ),
  'policy-not-carried-out': read(
    'internal/gatewayapi/backendtrafficpolicy.go, clienttrafficpolicy.go and envoyextensionpolicy.go (Envoy Gateway 1.6.3 to 1.9.1)',
    'buildTrafficFeatures, translateClientTrafficPolicyForListener and translateEnvoyExtensionPolicyForRoute set a direct response of 500 on the routes of a policy that they cannot translate; the end-to-end test FailedBackendTrafficPolicyDirectResponse asks for it',
  ),
  'listener-not-programmed': read(
    'conformance/tests/gateway-invalid-tls-configuration.go, listenerset-allowed-namespace-none.go and gateway-with-invalid-clientcertificate-validation.go (Gateway API 1.6.3)',
    'both controllers pass these tests, which want Programmed False or Accepted False of such listeners and sets; buildSecretReference and buildCaCertificateReference of Istio, validateTerminateModeAndGetTLSSecrets and ProcessGatewayTLS of Envoy Gateway',
  ),
  'route-not-attached/selector-by-expression': read(
    'internal/gatewayapi/route.go (Envoy Gateway 1.7.0) and pilot/pkg/config/kube/gateway (Istio 1.29.1)',
    'the selector of namespaces is a LabelSelector of Kubernetes, expressions included',
  ),
  'route-not-attached/foreign-filter': read(
    'pilot/pkg/config/kube/gateway/conversion.go and route_collections.go (Istio 1.29.1), and seen in the simulation',
    'a filter that convertHTTPRoute does not know is an error, and computeRoute then has no rule of the route at all',
  ),
  'route-not-attached/header-value': read(
    'pilot/pkg/config/kube/gateway/conversion.go and route_collections.go (Istio 1.29.4)',
    'createHeadersFilter has an error for a value with a control character, and computeRoute then has no rule of the route at all',
  ),
  'route-not-attached/kind-of-listener': read(
    'internal/gatewayapi/validate.go (Envoy Gateway 1.7.0), and seen in what egctl translates',
    'validateAllowedRoutes sets ResolvedRefs False, and validateListenerConditions leaves the listener out',
  ),
  'listeners-without-hostname/merged-gateways': read(
    'internal/gatewayapi/validate.go (Envoy Gateway 1.7.0)',
    'validateConflictedMergedListeners leaves out later listeners of one port, protocol and hostname',
  ),
  'policy-reference-not-usable/users-with-crlf': reason(
    "Envoy 1.37.0 refuses such users (--mode validate: invalid htpasswd format), and validateHtpasswdFormat of Envoy Gateway's internal/gatewayapi/securitypolicy.go (1.7.0 to 1.9.1) cuts the space off each line that it looks at",
  ),
  'policy-reference-not-usable': read(
    'internal/gatewayapi/securitypolicy.go (Envoy Gateway 1.7.0), and seen in what egctl translates',
    'errors of a policy become a direct response 500 of each of its routes',
  ),
  'stream-policy-refused': read(
    'internal/gatewayapi/securitypolicy.go (Envoy Gateway 1.7.0)',
    'validateSecurityPolicyForTCP refuses a policy with anything but authorization, validateSecurityPolicy mixed places of keys and tokens that nothing reads; the latter seen in what 1.7.0 translates',
  ),
  'refused-by-envoy': read(
    'internal/xds/translator/translator.go (Envoy Gateway 1.7.0), and seen in what egctl translates',
    'an empty route has no server names, and plain listeners of a port share a route configuration; Envoy 1.37.0 refuses both',
  ),
  'configuration-not-written': read(
    'internal/xds/translator/authorization_tcp.go (Envoy Gateway 1.7.0 to 1.9.1), and seen with each in the lab',
    'buildTCPPrincipalPredicate makes nothing of a rule without clientCIDRs, and the runner skips publishing for these proxies',
  ),
  'own-proxy-replaces-class': read(
    'internal/gatewayapi/translator.go (Envoy Gateway 1.7.0)',
    'a Gateway with parametersRef has its own EnvoyProxy, and that of its class is not looked at',
  ),
  'policies-of-one-target': read(
    'internal/gatewayapi/securitypolicy.go and clienttrafficpolicy.go (Envoy Gateway 1.7.0)',
    'the second policy for a target is given the condition Conflicted, and not translated',
  ),
  'credential-on-several-gateways/two-servers-of-one-gateway': read(
    'pilot/pkg/networking/core/gateway.go (Istio 1.29.1)',
    'each HTTPS server has a filter chain and a route configuration of its own, with its hosts alone',
  ),
  'credential-on-several-gateways/two-listeners': read(
    'pilot/pkg/config/kube/gateway/conversion.go (Istio 1.29.1)',
    'each listener becomes a Gateway with one server, and that a route configuration of its own',
  ),
  'hosts-overlap-on-gateway/prefix-of-the-other': read(
    'pilot/pkg/model/config.go (Istio 1.29.1)',
    'sortConfigByCreationTime goes by time, and by name only within one second',
  ),
  'tcp-routes-collide': read(
    'pilot/pkg/networking/core/gateway.go (Istio 1.29.1)',
    'buildGatewayNetworkFiltersFromTCPRoutes returns with the first rule that fits the port, whatever addresses it names',
  ),
  'route-not-consulted': read(
    'pilot/pkg/networking/core/httproute.go (Istio 1.29.1)',
    'off port 80 selectVirtualServices keeps those of services on the port, and virtual hosts are made for services of just that name',
  ),
  'pod-not-injected': read(
    'pkg/config/analysis/analyzers/injection/injection.go (Istio 1.29.1)',
    'the injector is a webhook of creation, and containers of a Pod cannot be added later',
  ),
};
