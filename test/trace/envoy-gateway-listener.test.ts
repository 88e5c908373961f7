import { outcome, traceIn } from './text';

const MESH = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: app}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: 10.96.0.10, selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: app, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: app}
spec:
  gatewayClassName: eg
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - {name: www, port: 80, protocol: HTTP, hostname: www.example.com}
    - {name: alone, port: 8080, protocol: HTTP}
    - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}}
    - {name: tls, port: 8443, protocol: TLS, tls: {mode: Passthrough}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: app}
spec:
  parentRefs: [{name: front}]
  rules:
    - matches: [{path: {value: /v1/items}}]
      backendRefs: [{name: shop, port: 80}]
    - matches: [{path: {value: /team}, headers: [{name: x-team, value: pay}]}]
      backendRefs: [{name: shop, port: 80}]
`;
const client = (spec: string, section = ''): string => `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: clients${section}, namespace: app}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front${section && `, sectionName: ${section}`}}], ${spec}}`;
const asked = (more: string, url: string, request: object = {}): string =>
  outcome(traceIn(MESH + more)(url, { from: 'outside', at: 'app/front', ...request }));
const ask = (more: string, path: string, headers: Readonly<Record<string, string>> = {}): string =>
  asked(more, `http://shop.example.com${path}`, { headers });
const DELIVERED = 'delivered to shop.app.svc.cluster.local:80';

describe('a path at a listener of Envoy Gateway', () => {
  it.each([
    ['/v1//items', DELIVERED],
    ['/v2/../v1/items', DELIVERED],
    ['/v1%2Fitems', 'redirect 307 at envoy-gateway'],
    ['/v1/items%00', 'path_normalization_failed 400 at envoy-gateway'],
  ])('has its slashes merged, and a redirect from escaped ones: %s', (path, expected) => {
    expect(ask('', path)).toBe(expected);
  });

  it.each([
    ['{disableMergeSlashes: true}', '/v1//items', 'NR 404 at envoy-gateway'],
    ['{escapedSlashesAction: KeepUnchanged}', '/v1%2Fitems', 'NR 404 at envoy-gateway'],
    ['{escapedSlashesAction: UnescapeAndForward}', '/v1%2Fitems', DELIVERED],
    ['{escapedSlashesAction: RejectRequest}', '/v1%2Fitems', 'path_normalization_failed 400 at envoy-gateway'],
  ])('is treated as a ClientTrafficPolicy says: %s makes of %s', (path, asked, expected) => {
    expect(ask(client(`path: ${path}`), asked)).toBe(expected);
  });
});

describe('a ClientTrafficPolicy', () => {
  const health = 'healthCheck: {path: /ready}';
  const READY = 'direct_response 200 at envoy-gateway';

  it('of one listener goes before that of the Gateway', () => {
    const both = client('healthCheck: {path: /live}') + client(health, 'alone');
    expect(asked(both, 'http://shop.example.com:8080/ready')).toBe(READY);
    expect(asked(both, 'http://shop.example.com:8080/live')).toBe('NR 404 at envoy-gateway');
    expect(ask(both, '/live')).toBe(READY);
  });

  it('of one of two listeners of plain HTTP on a port is for none', () => {
    expect(ask(client(health, 'http'), '/ready')).toBe('NR 404 at envoy-gateway');
    expect(ask(client(health), '/ready')).toBe(READY);
  });

  it('says what becomes of headers with an underscore, which are refused without it', () => {
    const action = (one: string): string => client(`headers: {withUnderscoresAction: ${one}}`);
    const headers = { x_id: '1' };
    expect(ask('', '/v1/items', headers)).toBe('unexpected_underscore 400 at envoy-gateway');
    expect(ask(action('Allow'), '/v1/items', headers)).toBe(DELIVERED);
    expect(ask(action('DropHeader'), '/v1/items', headers)).toBe(DELIVERED);
  });

  it('sets headers before a route is looked for', () => {
    const set = client('headers: {earlyRequestHeaders: {set: [{name: x-team, value: pay}]}}');
    const remove = client('headers: {earlyRequestHeaders: {remove: [X-Team]}}');
    expect(ask('', '/team')).toBe('NR 404 at envoy-gateway');
    expect(ask(set, '/team')).toBe(DELIVERED);
    expect(ask(remove, '/team', { 'x-team': 'pay' })).toBe('NR 404 at envoy-gateway');
  });

  it('may want a header that tells who calls', () => {
    const detected = client('clientIPDetection: {customHeader: {name: X-Client, failClosed: true}}');
    expect(ask(detected, '/v1/items')).toBe('rejecting_because_detection_failed 403 at envoy-gateway');
    expect(ask(detected, '/v1/items', { 'x-client': '192.0.2.1' })).toBe(DELIVERED);
    expect(ask(detected, '/v1/items', { 'x-client': '2001:db8::1' })).toBe(DELIVERED);
    expect(ask(detected, '/v1/items', { 'x-client': '::ffff:192.0.2.1' })).toBe(DELIVERED);
    for (const no of ['', 'me', '192.0.2.1:80', '192.0.2.256', '1:2', '[::1]', '1::2::3', 'fe80::1%eth0'])
      expect(ask(detected, '/v1/items', { 'x-client': no })).toBe('rejecting_because_detection_failed 403 at envoy-gateway'); // prettier-ignore
  });

  it('may demand certificates, which a client is assumed to have', () => {
    const told = traceIn(MESH + client('tls: {clientValidation: {caCertificateRefs: [{name: ca}]}}'))(
      'https://shop.example.com/v1/items',
      { from: 'outside', at: 'app/front' },
    );
    expect(outcome(told)).toBe(DELIVERED);
    expect(told.hops[0]?.receives.tls).toBe('MUTUAL');
    expect(told.notes.join()).toContain('assumed that the client shows a certificate');
  });

  it.each(['proxyProtocol: {}', 'enableProxyProtocol: true'])(
    'that demands the PROXY protocol leaves open what comes: %s',
    (spec) => {
      expect(ask(client(spec), '/v1/items')).toBe('unknown');
      expect(ask(client('proxyProtocol: {optional: true}'), '/v1/items')).toBe(DELIVERED);
    },
  );
});

describe('code of others in the proxies', () => {
  const patch = `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata: {name: patch, namespace: app}
spec: {targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: front}, type: JSONPatch, jsonPatches: []}`;
  const told = (apis: string): string => `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    extensionApis: {${apis}}`;

  it('makes what they do unknown', () => {
    const extension = `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: lua, namespace: app}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}], lua: [{type: Inline, inline: ''}]}`;
    expect(ask(extension, '/v1/items')).toBe('unknown');
    expect(ask(patch, '/v1/items')).toBe('unknown');
  });

  it('counts for nothing where Envoy Gateway is seen to take none', () => {
    expect(ask(patch + told(''), '/v1/items')).toBe(DELIVERED);
    expect(ask(patch + told('enableEnvoyPatchPolicy: true'), '/v1/items')).toBe('unknown');
  });

  const backend = (spec: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: out, namespace: app}
spec:
  parentRefs: [{name: front}]
  hostnames: [out.example.com]
  rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: site}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: site, namespace: app}
spec: ${spec}`;
  const SITE = '{endpoints: [{fqdn: {hostname: site.example.net, port: 443}}], tls: {wellKnownCACertificates: System}}';
  const out = (more: string): string => asked(more, 'http://out.example.com/');

  it('sends to a Backend, with TLS as it says', () => {
    const answer = traceIn(MESH + backend(SITE))('http://out.example.com/', { from: 'outside', at: 'app/front' });
    expect(answer.destination).toEqual({ host: 'site.example.net', port: 443, tls: 'SIMPLE', sni: 'out.example.com' });
    expect(out(backend(SITE.replace('tls: {', 'tls: {sni: site.example.net, ')))).toBe(
      'delivered to site.example.net:443',
    );
    expect(out(backend('{endpoints: [{ip: {address: 192.0.2.7, port: 8080}}]}'))).toBe('delivered to 192.0.2.7:8080');
    expect(out(backend('{type: DynamicResolver}'))).toBe('delivered to out.example.com:80');
  });

  it('answers 500 for a Backend that it may not or cannot use', () => {
    const REFUSED = 'direct_response 500 at envoy-gateway';
    expect(out(backend(SITE) + told(''))).toBe(REFUSED);
    expect(out(backend(SITE) + told('enableBackend: true'))).toBe('delivered to site.example.net:443');
    expect(out(backend('{endpoints: [{unix: {path: /run/site}}]}'))).toBe(REFUSED);
    expect(out(backend('{endpoints: [{ip: {address: 192.0.2.7, port: 443}}], tls: {}}'))).toBe(REFUSED);
    expect(out(backend(SITE).replace('name: site}]', 'name: other}]'))).toBe(REFUSED);
  });
});

describe('routes of TLS at one listener', () => {
  const route = (name: string, hosts: string, service: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TLSRoute
metadata: {name: ${name}, namespace: app}
spec: {parentRefs: [{name: front, sectionName: tls}], hostnames: [${hosts}], rules: [{backendRefs: [{name: ${service}, port: 80}]}]}`;
  const url = 'https://a.example.com:8443/';

  it('are told apart by the hostname that says most of the SNI', () => {
    const both = route('a-wide', '"*.example.com"', 'shop') + route('b-own', 'a.example.com', 'nobody');
    expect(asked(both, url)).toBe('NC - at envoy-gateway');
    expect(asked(both, url.replace('//a', '//b'))).toBe(DELIVERED);
  });

  it('with one hostname make Envoy refuse the listener', () => {
    const both = route('one', 'a.example.com, c.example.com', 'shop') + route('two', 'a.example.com', 'shop');
    expect(asked(both, url)).toBe('NR - at envoy-gateway');
    expect(asked(both, url.replace('//a', '//c'))).toBe('NR - at envoy-gateway');
  });
});

it('a SecurityPolicy with CORS answers preflight requests', () => {
  const cors = `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: cors, namespace: app}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}], cors: {allowOrigins: ['*']}, basicAuth: {users: {name: users}}}`;
  const preflight = { method: 'OPTIONS', headers: { origin: 'https://a.net', 'access-control-request-method': 'GET' } };
  expect(asked(cors, 'http://a.example.com/v1/items', preflight)).toBe('direct_response 200 at envoy-gateway');
  expect(ask(cors, '/v1/items')).toBe('basicAuth 401 at envoy-gateway');
  // A route without a backend answers by itself, and the filter for CORS takes no notice of such.
  const bare = cors.replace(', basicAuth: {users: {name: users}}', '');
  const nowhere = MESH.replace('{name: shop, port: 80}', '{name: absent, port: 80}');
  const asks = { from: 'outside', at: 'app/front', ...preflight };
  expect(outcome(traceIn(nowhere + bare)('http://a.example.com/v1/items', asks))).toBe(
    'direct_response 500 at envoy-gateway',
  );
});
