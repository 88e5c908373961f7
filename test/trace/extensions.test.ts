import { outcome, traceIn } from './text';

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: sleep, namespace: app, labels: {app: sleep}}
spec: {containers: [{name: sleep, image: sleep}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: app, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cnn, namespace: app}
spec:
  hosts: [edition.cnn.com]
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
  resolution: DNS
`;

const filter = (patch: string, namespace = 'istio-system', selector = ''): string => `
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: patch, namespace: ${namespace}}
spec: {${selector}configPatches: [${patch}]}`;

const HTTP = 'http://edition.cnn.com/';
const TLS = 'https://edition.cnn.com/';
const lua = (context: string, listener = '{}'): string =>
  `{applyTo: HTTP_FILTER, match: {context: ${context}, listener: ${listener}}, patch: {operation: INSERT_BEFORE, value: {name: lua}}}`;
const cluster = (value: string, match = '{}'): string =>
  `{applyTo: CLUSTER, match: {context: SIDECAR_OUTBOUND, cluster: ${match}}, patch: {operation: MERGE, value: ${value}}}`;

const limit = (applyTo: string, operation: string, type = 'local_ratelimit.v3.LocalRateLimit'): string => {
  const config = `{"@type": type.googleapis.com/udpa.type.v1.TypedStruct, type_url: type.googleapis.com/envoy.extensions.filters.http.${type}, value: {}}`;
  const value =
    operation === 'MERGE' ? `{typed_per_filter_config: {limit: ${config}}}` : `{name: limit, typed_config: ${config}}`;
  return `{applyTo: ${applyTo}, match: {context: SIDECAR_OUTBOUND}, patch: {operation: ${operation}, value: ${value}}}`;
};
const versions = (more = ''): string =>
  cluster(
    `{transport_socket: {name: envoy.transport_sockets.tls, typed_config: {"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, common_tls_context: {tls_params: {tls_minimum_protocol_version: TLSv1_3}${more}}}}}`,
  );
const ORIGINATED = `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: cnn, namespace: app}
spec: {host: edition.cnn.com, trafficPolicy: {tls: {mode: SIMPLE, sni: edition.cnn.com}}}`;

const extension = (kind: string, spec: string, namespace: string): string => `
---
apiVersion: extensions.istio.io/v1alpha1
kind: ${kind}
metadata: {name: plugin, namespace: ${namespace}}
spec: {${spec}}`;

/** The fields of a WasmPlugin as a TrafficExtension has them. */
const wasmIn = (spec: string): string =>
  /^type: /.test(spec)
    ? `wasm: {url: "oci://example.org/plugin", ${spec}}`
    : `wasm: {url: "oci://example.org/plugin"}, ${spec}`;

const OUTSIDE = { from: 'outside', at: 'istio-system/edge' } as const;
const GATEWAY = `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: app}
spec: {hosts: [shop.example.com], gateways: [istio-system/edge], http: [{route: [{destination: {host: shop}}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec: {template: {metadata: {labels: {istio: ingressgateway}, annotations: {inject.istio.io/templates: gateway}}, spec: {containers: [{name: istio-proxy, image: auto}]}}}
`;
const WAYPOINT =
  MESH.replace(
    'labels: {istio-injection: enabled}',
    'labels: {istio.io/dataplane-mode: ambient, istio.io/use-waypoint: main, istio.io/use-waypoint-namespace: edge}',
  ) +
  `
---
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: main, namespace: edge}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE, allowedRoutes: {namespaces: {from: All}}}]}
`;

describe('an EnvoyFilter', () => {
  it('that says versions to a cluster which makes TLS changes nothing, and wraps what another sends', () => {
    const told = (yaml: string) => outcome(traceIn(MESH + yaml)(HTTP));
    expect(told(ORIGINATED + filter(versions()))).toBe(told(ORIGINATED));
    expect(told(filter(versions()))).toBe('unknown');
    expect(told(ORIGINATED + filter(versions(', alpn_protocols: [h2]')))).toBe('unknown');
  });

  it('that does more to a route than count its requests leaves the outcome unknown', () => {
    const told = traceIn(MESH + filter(limit('HTTP_ROUTE', 'MERGE', 'ext_authz.v3.ExtAuthzPerRoute')))(HTTP);
    expect(outcome(told)).toBe('unknown');
  });

  it.each([
    ['an HTTP filter of every outbound listener', lua('SIDECAR_OUTBOUND'), HTTP],
    ['an HTTP filter of its port', lua('ANY', '{portNumber: 80}'), HTTP],
    ['another endpoint for its cluster', cluster('{load_assignment: {}}', '{service: edition.cnn.com}'), HTTP],
    ['other TLS for its cluster', cluster('{transport_socket: {}}'), TLS],
    [
      'its virtual host',
      '{applyTo: VIRTUAL_HOST, match: {routeConfiguration: {vhost: {name: "edition.cnn.com:80"}}}, patch: {operation: MERGE, value: {}}}',
      HTTP,
    ],
  ])('that patches %s leaves the outcome unknown, and says what it would be', (_what, patch, request) => {
    const told = traceIn(MESH + filter(patch))(request);
    expect(outcome(told)).toBe('unknown');
    expect(told.hops).toHaveLength(1);
    expect(told.notes.join()).toContain('EnvoyFilter istio-system/patch spec.configPatches[0]');
    expect(told.notes.join()).toContain('without it the request is delivered');
  });

  it.each([
    ['listeners of servers', filter(lua('SIDECAR_INBOUND')), HTTP],
    ['gateways', filter(lua('GATEWAY')), HTTP],
    ['another port', filter(lua('ANY', '{portNumber: 8080}')), HTTP],
    ['HTTP, where TLS is passed through', filter(lua('ANY')), TLS],
    ['another namespace', filter(lua('ANY'), 'web'), HTTP],
    ['other workloads', filter(lua('ANY'), 'app', 'workloadSelector: {labels: {app: other}}, '), HTTP],
    ['another cluster', filter(cluster('{type: STATIC}', '{service: example.org}')), HTTP],
    ['timeouts alone', filter(cluster('{connect_timeout: 5s}')), HTTP],
    [
      'settings of the connection manager',
      filter('{applyTo: NETWORK_FILTER, match: {context: ANY}, patch: {operation: MERGE, value: {name: hcm}}}'),
      HTTP,
    ],
    [
      'a rate that requests may have',
      filter(`${limit('HTTP_FILTER', 'INSERT_BEFORE')}, ${limit('HTTP_ROUTE', 'MERGE')}`),
      HTTP,
    ],
  ])('for %s changes nothing', (_what, yaml, request) => {
    expect(traceIn(MESH + yaml)(request)).toEqual(traceIn(MESH)(request));
  });
});

describe('an EnvoyFilter that is merged into the connection manager', () => {
  const merged = (settings: string): string =>
    filter(
      `{applyTo: NETWORK_FILTER, match: {context: ANY}, patch: {operation: MERGE, value: {name: envoy.filters.network.http_connection_manager, typed_config: ${settings}}}}`,
    );
  const REDIRECTS = GATEWAY.replace(
    'hosts: [shop.example.com]}',
    'hosts: [shop.example.com], tls: {httpsRedirect: true}}',
  );

  it.each([
    ['times and logs', '{stream_idle_timeout: 0s, access_log: [], server_name: shop}', {}],
    ['hops that it trusts, where nothing is forwarded', '{xff_num_trusted_hops: 2}', {}],
    ['paths, where this one is plain', '{normalize_path: true, mergeSlashes: true}', {}],
    ['upgrades, where none is asked for', '{upgrade_configs: [{upgrade_type: websocket}]}', {}],
    ['replies of its own, where the server replies', '{local_reply_config: {mappers: [{status_code: 418}]}}', {}],
    ['bodies of its replies', '{local_reply_config: {body_format: {text_format: sorry}}}', { 'x-a': 'b' }],
  ])('with settings of %s changes nothing', (_what, settings, headers) => {
    expect(traceIn(MESH + merged(settings))(HTTP, { headers })).toEqual(traceIn(MESH)(HTTP, { headers }));
  });

  it.each([
    ['hops that it trusts', '{xff_num_trusted_hops: 1}', HTTP, { 'x-forwarded-proto': 'https' }],
    ['paths', '{merge_slashes: true}', 'http://edition.cnn.com/a//b', {}],
    ['escapes', '{pathWithEscapedSlashesAction: UNESCAPE_AND_FORWARD}', 'http://edition.cnn.com/a%2Fb', {}],
    ['ports of hosts', '{strip_any_host_port: true}', HTTP, { host: 'edition.cnn.com:8080' }],
    ['upgrades', '{upgrade_configs: [{upgrade_type: websocket, enabled: false}]}', HTTP, { upgrade: 'websocket' }],
    ['filters', '{http_filters: [{name: lua}]}', HTTP, {}],
    ['routes', '{route_config: {name: own}}', HTTP, {}],
    ['a codec', '{codec_type: HTTP2}', HTTP, {}],
  ])('with settings of %s leaves the outcome unknown', (_what, settings, request, headers) => {
    const told = traceIn(MESH + merged(settings))(request, { headers });
    expect(outcome(told)).toBe('unknown');
    expect(told.notes.join()).toContain('EnvoyFilter istio-system/patch spec.configPatches[0]');
  });

  it('may have a redirect go otherwise, by hops that it trusts and by replies of its own', () => {
    const told = (settings: string, headers: Readonly<Record<string, string>> = {}) =>
      outcome(traceIn(MESH + REDIRECTS + merged(settings))('http://shop.example.com/', { ...OUTSIDE, headers }));
    expect(told('{xff_num_trusted_hops: 1}')).toBe(told('{}'));
    expect(told('{}')).toContain('301');
    expect(told('{xff_num_trusted_hops: 1}', { 'x-forwarded-proto': 'https' })).toBe('unknown');
    expect(told('{local_reply_config: {mappers: [{status_code: 418}]}}')).toBe('unknown');
  });
});

describe.each([
  [
    'a WasmPlugin',
    (spec: string, at = 'app') => extension('WasmPlugin', `url: "oci://example.org/plugin", ${spec}`, at),
  ],
  [
    'a TrafficExtension with WebAssembly',
    (spec: string, at = 'app') => extension('TrafficExtension', wasmIn(spec), at),
  ],
])('%s', (_kind, plugin) => {
  it.each([
    ['selects the client', 'selector: {matchLabels: {app: sleep}}', HTTP],
    ['selects the server', 'selector: {matchLabels: {app: shop}}', 'http://shop/'],
    ['is for clients', 'match: [{mode: CLIENT}]', HTTP],
    ['is for TCP', 'type: NETWORK', TLS],
  ])('that %s leaves the outcome unknown', (_what, spec, request) => {
    expect(outcome(traceIn(MESH + plugin(spec))(request))).toBe('unknown');
  });

  it.each([
    ['selects another workload', 'selector: {matchLabels: {app: other}}', HTTP],
    ['is for servers', 'match: [{mode: SERVER}]', HTTP],
    ['is for another port', 'match: [{ports: [{number: 8080}]}]', HTTP],
    ['reads HTTP, where TLS is passed through', 'phase: AUTHN', TLS],
    ['targets what is no Gateway', 'targetRefs: [{kind: Service, group: "", name: shop}]', 'http://shop/'],
  ])('that %s changes nothing', (_what, spec, request) => {
    expect(traceIn(MESH + plugin(spec))(request).outcome).toBe('delivered');
  });

  it('counts a gateway as a client, whichever port its Service has', () => {
    const told = (match: string): string =>
      outcome(
        traceIn(MESH + GATEWAY + plugin(`match: [${match}]`, 'istio-system'))('http://shop.example.com/', OUTSIDE),
      );
    expect(told('{mode: SERVER, ports: [{number: 80}]}')).toBe('delivered to shop.app.svc.cluster.local:80');
    expect(told('{mode: CLIENT, ports: [{number: 81}]}')).toBe('delivered to shop.app.svc.cluster.local:80');
    for (const match of ['{mode: CLIENT}', '{ports: [{number: 80}]}', '{ports: [{number: 8080}]}'])
      expect(told(match)).toBe('unknown');
  });

  it('at a waypoint is told by targetRefs alone, from the namespace of the service, and knows no port', () => {
    const told = (spec: string, at = 'app'): string =>
      outcome(traceIn(WAYPOINT + plugin(spec, at))('http://shop.app/', { from: 'app/sleep' }));
    const shop = 'targetRefs: [{kind: Service, group: "", name: shop}]';
    expect(told(shop)).toBe('unknown');
    expect(told(`${shop}, match: [{mode: SERVER}]`)).toBe('unknown');
    expect(told('targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: main}]', 'edge')).toBe('unknown');
    expect(told('targetRefs: [{kind: GatewayClass, group: gateway.networking.k8s.io, name: istio-waypoint}]', 'istio-system')).toBe('unknown'); // prettier-ignore
    const untouched = 'delivered to shop.app.svc.cluster.local:80';
    expect(told('selector: {matchLabels: {}}', 'edge')).toBe(untouched);
    expect(told(shop, 'edge')).toBe(untouched);
    expect(told(`${shop}, match: [{mode: CLIENT}]`)).toBe(untouched);
    expect(told(`${shop}, match: [{ports: [{number: 80}]}]`)).toBe(untouched);
    expect(told('targetRefs: [{kind: Service, group: "", name: other}]')).toBe(untouched);
  });
});

describe('a TrafficExtension with Lua', () => {
  const lua = (spec: string): string =>
    extension('TrafficExtension', `lua: {inlineCode: "function envoy_on_request(handle) end"}, ${spec}`, 'app');

  it('is for HTTP, and leaves unknown what it does there', () => {
    expect(outcome(traceIn(MESH + lua(''))(HTTP))).toBe('unknown');
    expect(traceIn(MESH + lua(''))(HTTP).notes.join()).toContain('TrafficExtension app/plugin changes what');
    expect(traceIn(MESH + lua(''))(TLS)).toEqual(traceIn(MESH)(TLS));
  });
});

describe('a RequestAuthentication', () => {
  const authentication = `
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: app}
spec:
  selector: {matchLabels: {app: shop}}
  jwtRules: [{issuer: "https://login.example.com", jwksUri: "https://login.example.com/keys"}]`;
  const required = `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: jwt, namespace: app}
spec:
  selector: {matchLabels: {app: shop}}
  rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]`;
  const token = (issuer: string): string =>
    [{ alg: 'RS256' }, { iss: issuer, sub: 'me' }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .concat('signature')
      .join('.');
  const ask = (yaml: string, authorization?: string): string =>
    outcome(traceIn(MESH + yaml)('http://shop/', authorization === undefined ? {} : { headers: { authorization } }));
  const delivered = 'delivered to shop.app.svc.cluster.local:80';

  it('lets a request without a token pass', () => {
    expect(ask(authentication)).toBe(delivered);
    expect(ask(authentication, 'Basic dXNlcg==')).toBe(delivered);
  });

  it('refuses what is no token, and tokens of other issuers', () => {
    expect(ask(authentication, 'Bearer nonsense')).toBe('jwt_authn 401 at sidecar');
    expect(ask(authentication, `Bearer ${token('https://other.example.com')}`)).toBe('jwt_authn 401 at sidecar');
  });

  it('leaves a token of its issuer unknown: its signature is not in the manifests', () => {
    expect(ask(authentication, `Bearer ${token('https://login.example.com')}`)).toBe('unknown');
  });

  it('is what claims are known by: without one, nobody has any', () => {
    expect(ask(authentication + required)).toBe('RBAC 403 at sidecar');
    expect(ask(required, `Bearer ${token('https://login.example.com')}`)).toBe('RBAC 403 at sidecar');
  });
});

describe('what Envoy does beside the way of a request', () => {
  const route = (effect: string): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cnn, namespace: app}
spec: {hosts: [edition.cnn.com], http: [{route: [{destination: {host: edition.cnn.com}}], ${effect}}]}`;

  it.each([
    'mirror: {host: shop.app.svc.cluster.local}',
    'retries: {attempts: 3, perTryTimeout: 1s}',
    'timeout: 1s',
    'fault: {delay: {fixedDelay: 1s, percentage: {value: 100}}}',
    'corsPolicy: {allowOrigins: [{exact: "*"}]}',
  ])('%s changes nothing', (effect) => {
    const told = traceIn(MESH + route(effect))(HTTP);
    expect(outcome(told)).toBe('delivered to edition.cnn.com:80');
    expect(told.hops).toHaveLength(1);
  });
});
