/**
 * What each field of the objects bears on, where it is not followed. Field by field after the schemas of the pinned releases; a field that
 * is in no row is one that nothing here reads, and is told as such.
 */

/** `followed`: shows in what requests do; `nothing`: names, statistics, logs. Of the rest the first five may decide who gets through. */
export type Bearing =
  | 'unread'
  | 'trust'
  | 'door'
  | 'share'
  | 'words'
  | 'timing'
  | 'limits'
  | 'endpoints'
  | 'wire'
  | 'content'
  | 'followed'
  | 'nothing';

/** Why nobody can tell from a request whether it fares as before; undefined of what alters no way that one takes. */
export const DOUBTFUL: Readonly<Partial<Record<Bearing, string>>> = {
  unread: 'nothing here reads that field',
  trust: 'whom it trusts, by keys, certificates, passwords or another server, no request here shows',
  door: 'clients outside the cluster come to it by what that says, which no request here shows',
  words: 'whether a claim of several words is a list of them, no token here shows',
  share: 'a share of the requests, which no single one shows, is answered by the proxy itself',
};

/** What differs, and alters no way that a request takes. */
export const WORDS: Readonly<Partial<Record<Bearing, string>>> = {
  timing: 'how long and how often proxies try',
  limits: 'how much proxies let through at once, and whom they take for ill',
  endpoints: 'which of several endpoints is taken',
  wire: 'versions and settings of TLS, HTTP and TCP',
  content: 'headers and bodies',
};

type Row = readonly [RegExp, Bearing];

const word = (names: string): RegExp => new RegExp(`(^|\\.)(${names})(\\.|$)`);
const from = (names: string): RegExp => new RegExp(`^(${names})(\\.|$)`);

/** Fields that say the same wherever they are. */
const COMMON: readonly Row[] = [
  [word('retryBudget|timeouts?|retries|retry|connectTimeout|backendSettings\\.timeout|fault\\.delay|faultInjection\\.delay|retryConstraint'), 'timing'],
  [word('connectionPool|inboundConnectionPool|outlierDetection|circuitBreaker|rateLimit|bandwidthLimit|admissionControl|requestBuffer|connectionLimit'), 'limits'],
  [word('loadBalancer|sessionPersistence|sessionAffinity|sessionAffinityConfig|trafficDistribution|internalTrafficPolicy|publishNotReadyAddresses|locality|ipFamil(ies|yPolicy)|hints|zone|nodeName|fallback'), 'endpoints'],
  [word('min(Protocol)?Version|max(Protocol)?Version|cipherSuites|ciphers|ecdhCurves|alpnProtocols|signatureAlgorithms|proxyProtocol|enableProxyProtocol|tcpKeepalive|http[123]|grpc\\.enableWeb|useClientProtocol|httpUpgrade|tls\\.options|options|tls\\.session|autoSNIFromEndpointHostname|appProtocols'), 'wire'],
  [word('responseHeaderModifier|requestHeaderModifier|headers\\.(request|response)|exposeHeaders|maxAge|allowHeaders|allowCredentials|corsPolicy\\.allowMethods|directResponse\\.(body|contentType|header)|compress(ion|or)'), 'content'],
  [word('fault\\.abort|faultInjection\\.abort|shadowFraction'), 'share'],
  [word('description|statPrefix|telemetry|mirror_percent\\.stat'), 'nothing'],
]; // prettier-ignore

const SERVER_TLS: readonly Row[] = [
  [/tls\.(mode|httpsRedirect)$/, 'followed'],
  [/\.tls\./, 'trust'],
];
const ROUTE: readonly Row[] = [
  [/^(parentRefs|hostnames)(\.|$)/, 'followed'],
  [/^rules\.((backendRefs\.)?filters\.(type|requestMirror|requestRedirect|urlRewrite|cors|extensionRef|externalAuth)|matches|name|backendRefs\.(group|kind|name|namespace|port|weight))(\.|$)/, 'followed'],
]; // prettier-ignore
const LISTENERS: readonly Row[] = [
  [/^listeners\.tls\.certificateRefs/, 'trust'],
  [/^listeners\.(allowedRoutes|hostname|name|port|protocol|tls\.mode)(\.|$)/, 'followed'],
];
const TARGETS: Row = [from('targetRefs?|targetSelectors'), 'followed'];

/** Rows that come before those in common, and rows that come after them. */
type Own = readonly [before: readonly Row[], after: readonly Row[]];

/** By group and kind. */
const OWN: Readonly<Record<string, Own>> = {
  'networking.istio.io/VirtualService': [
    [[/^http\.(match\.)?(name|statPrefix)$/, 'nothing'], [from('http\\.match'), 'followed']],
    [[from('exportTo|gateways|hosts|tls|tcp|http\\.(route|redirect|rewrite|delegate|mirrors?|mirror_?[pP]ercent(age)?|directResponse\\.status|corsPolicy\\.(allowOrigins?|unmatchedPreflights))'), 'followed']],
  ],
  'networking.istio.io/DestinationRule': [
    [[/\.tls\.(privateKey|caCrl|caCertCredentialName)$/, 'trust']],
    [[from('exportTo|host|workloadSelector|subsets\\.(labels|name)|(subsets\\.)?trafficPolicy\\.(portLevelSettings\\.)?(port|tls|tunnel)'), 'followed']],
  ],
  'networking.istio.io/ServiceEntry': [
    [[from('subjectAltNames'), 'trust'], [from('endpoints\\.weight'), 'endpoints']],
    [[from('addresses|endpoints\\.(address|labels|ports|serviceAccount)|exportTo|hosts|location|ports|resolution|workloadSelector'), 'followed']],
  ],
  'networking.istio.io/WorkloadEntry': [[[from('weight'), 'endpoints']], [[from('address|labels|ports|serviceAccount'), 'followed']]],
  'networking.istio.io/WorkloadGroup': [
    [[from('probe'), 'endpoints'], [from('template\\.weight'), 'endpoints']],
    [[from('metadata|template\\.(address|labels|ports|serviceAccount)'), 'followed']],
  ],
  'networking.istio.io/Gateway': [
    [[/^servers\.(name|defaultEndpoint|port\.name)$/, 'nothing']],
    [...SERVER_TLS, [from('selector|servers\\.(bind|hosts|port)'), 'followed']],
  ],
  'networking.istio.io/Sidecar': [[], [...SERVER_TLS, [from('egress|ingress|outboundTrafficPolicy|workloadSelector'), 'followed']]],
  'networking.istio.io/ProxyConfig': [
    [[/^environmentVariables\.ISTIO_META_DNS/, 'followed'], [from('concurrency|image'), 'nothing']],
    [[from('selector'), 'followed']],
  ],
  'security.istio.io/AuthorizationPolicy': [[[from('action|provider|rules|selector|targetRefs?'), 'followed']], []],
  'security.istio.io/PeerAuthentication': [[], [[from('mtls|portLevelMtls|selector'), 'followed']]],
  'security.istio.io/RequestAuthentication': [
    [
      [/^jwtRules\.(jwks|jwks_uri|jwksUri)$/, 'trust'],
      [from('jwtRules\\.spaceDelimitedClaims'), 'words'],
      [from('jwtRules\\.(forwardOriginalToken|outputClaimToHeaders|outputPayloadToHeader)'), 'content'],
    ],
    [[from('jwtRules\\.(audiences|from(Cookies|Headers|Params)|issuer|presence)|selector|targetRefs?'), 'followed']],
  ],
  'telemetry.istio.io/Telemetry': [[[/./, 'nothing']], []],
  'networking.k8s.io/NetworkPolicy': [[[from('egress|ingress|podSelector|policyTypes'), 'followed']], []],
  'networking.k8s.io/IngressClass': [[[from('controller|parameters'), 'followed']], []],
  'networking.k8s.io/Ingress': [[[/^tls\.secretName$/, 'trust'], [from('defaultBackend|ingressClassName|rules|tls\\.hosts'), 'followed']], []],
  '/Service': [
    [
      [from('type|externalIPs|loadBalancerIP|loadBalancerClass|loadBalancerSourceRanges|externalTrafficPolicy|ports\\.nodePort'), 'door'],
      [from('healthCheckNodePort|allocateLoadBalancerNodePorts'), 'nothing'],
    ],
    [[from('clusterIPs?|externalName|ports|selector'), 'followed']],
  ],
  'gateway.networking.k8s.io/Gateway': [
    [
      [from('addresses|infrastructure'), 'door'],
      [/^tls\.(backend|frontend\..*caCertificateRefs)/, 'trust'],
    ],
    [[from('tls\\.frontend|gatewayClassName|allowedListeners'), 'followed'], ...LISTENERS],
  ],
  'gateway.networking.k8s.io/ListenerSet': [[], [[from('parentRef'), 'followed'], ...LISTENERS]],
  'gateway.networking.x-k8s.io/XListenerSet': [[], [[from('parentRef'), 'followed'], ...LISTENERS]],
  'gateway.networking.k8s.io/GatewayClass': [[[from('controllerName|parametersRef'), 'followed']], []],
  'gateway.networking.k8s.io/HTTPRoute': [[], ROUTE],
  'gateway.networking.k8s.io/GRPCRoute': [[], ROUTE],
  'gateway.networking.k8s.io/TLSRoute': [[], ROUTE],
  'gateway.networking.k8s.io/TCPRoute': [[], ROUTE],
  'gateway.networking.k8s.io/UDPRoute': [[], []],
  'gateway.networking.k8s.io/BackendTLSPolicy': [
    [[/^validation\.(caCertificateRefs|subjectAltNames|wellKnownCACertificates)/, 'trust']],
    [TARGETS, [from('validation\\.hostname'), 'followed']],
  ],
  'gateway.networking.x-k8s.io/XBackendTrafficPolicy': [[], [TARGETS]],
  'gateway.networking.x-k8s.io/XBackend': [[], []],
  'gateway.networking.x-k8s.io/XMesh': [[], []],
  'gateway.networking.x-k8s.io/XTelemetryPolicy': [[[/./, 'nothing']], []],
  'gateway.envoyproxy.io/Backend': [[[from('fallback'), 'followed']], [[/^tls\.sni$/, 'followed'], [from('tls'), 'trust'], [from('endpoints|type'), 'followed']]],
  'gateway.envoyproxy.io/BackendTrafficPolicy': [
    [[from('responseOverride'), 'content'], [from('healthCheck|connection'), 'limits'], [from('dns'), 'endpoints']],
    [[from('routingType|mergeType'), 'followed'], TARGETS],
  ],
  'gateway.envoyproxy.io/ClientTrafficPolicy': [
    [
      [from('headers\\.withUnderscoresAction|proxyProtocol|enableProxyProtocol|path|healthCheck'), 'followed'],
      [from('headers|scheme'), 'content'],
      [from('connection'), 'limits'],
    ],
    [[from('tls\\.clientValidation\\.(mode|optional)'), 'followed'], [from('tls|clientIPDetection'), 'trust'], TARGETS],
  ],
  'gateway.envoyproxy.io/SecurityPolicy': [
    [
      [from('jwt\\.providers\\.claimToHeaders'), 'content'],
      [from('jwt\\.providers\\.(localJWKS|remoteJWKS)'), 'trust'],
      [from('cors\\.(allowOrigins|allowMethods|allowHeaders|exposeHeaders|maxAge|allowCredentials)'), 'content'],
    ],
    [[from('apiKeyAuth|authorization|basicAuth|cors|csrf|extAuth|jwt|mergeType|oidc'), 'followed'], TARGETS],
  ],
  'gateway.envoyproxy.io/HTTPRouteFilter': [
    [[from('credentialInjection'), 'content']],
    [[from('directResponse\\.statusCode|urlRewrite'), 'followed']],
  ],
  'gateway.envoyproxy.io/EnvoyProxy': [
    [
      [from('backendTLS'), 'trust'],
      [from('provider\\.kubernetes\\.envoyService'), 'door'],
      [from('bootstrap|dynamicModules|luaValidation|extraArgs|mergeBackends|preserveRouteOrder|provider\\.kubernetes\\.\\w+\\.patch'), 'unread'],
      [from('mergeGateways|filterOrder|routingType|provider\\.type|targetRefs?'), 'followed'],
      [/./, 'nothing'],
    ],
    [],
  ],
}; // prettier-ignore

/** Of the mesh's configuration, wherever it is written. */
const MESH: readonly Row[] = [
  [from('outboundTrafficPolicy|rootNamespace|trustDomain(Aliases)?|enableAutoMtls|default\\w+ExportTo|serviceEntryVisibility|ingress(ControllerMode|Class|Selector|Service)|discoverySelectors|pathNormalization|extensionProviders\\.name'), 'followed'],
  [/^defaultConfig\.(proxyMetadata\.ISTIO_META_DNS|interceptionMode)/, 'followed'],
  [/^defaultConfig\.(proxyMetadata|gatewayTopology|proxyHeaders|image\.)/, 'unread'],
  [from('defaultConfig|accessLog\\w*|enableTracing|defaultProviders|enablePrometheusMerge|(out|in)boundClusterStatName|disableEnvoyListenerLog|enableEnvoyAccessLogService|configSources|dnsRefreshRate|extensionProviders\\.\\w*(Otel|otel|zipkin|datadog|skywalking|opentelemetry|stackdriver|prometheus|envoyFileAccessLog|envoyHttpAls|envoyTcpAls|lightstep|opencensus)\\w*'), 'nothing'],
  [from('extensionProviders'), 'trust'],
  [from('connectTimeout|defaultHttpRetryPolicy|tcpKeepalive|hboneIdleTimeout'), 'timing'],
  [from('tlsDefaults|meshMTLS|h2UpgradePolicy'), 'wire'],
  [from('localityLbSetting|serviceScopeConfigs'), 'endpoints'],
  [from('caCertificates|certificates|verifyCertificateAtClient|ca'), 'trust'],
]; // prettier-ignore

/** Of what installs istiod. */
const INSTALL: readonly Row[] = [
  [/^env\.(PILOT_ENABLE_ALPHA_GATEWAY_API|ENABLE_INGRESS_WAYPOINT_ROUTING|ENABLE_TLS_ON_SIDECAR_INGRESS|PILOT_ENABLE_IP_AUTOALLOCATE|PILOT_ENABLE_STRICT_GATEWAY_MERGING|PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE)$/, 'followed'],
  [from('env|global\\.(network|multiCluster|meshID)'), 'unread'],
  [/./, 'nothing'],
]; // prettier-ignore

export const MESH_CONFIG = 'mesh configuration';
export const INSTALLATION = 'installation';

/** Undefined of a kind that is not gone through field by field. @param kind GROUP/KIND, or one of the two above */
export function bearingOf(kind: string, field: string): Bearing | undefined {
  const find = (rows: readonly Row[]): Bearing => rows.find(([pattern]) => pattern.test(field))?.[1] ?? 'unread';
  if (kind === MESH_CONFIG) return find(MESH);
  if (kind === INSTALLATION) return find(INSTALL);
  const own = Object.hasOwn(OWN, kind) ? OWN[kind] : undefined;
  return own && find([...own[0], ...COMMON, ...own[1]]);
}

/** Kinds whose fields are gone through. */
export const KINDS: readonly string[] = Object.keys(OWN);
