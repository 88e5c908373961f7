/**
 * What Envoy Gateway makes of listeners, policies and references that do not fit: told as Envoy Gateway 1.7.0 translates them (egctl x
 * translate) and as Envoy 1.37.0 takes the result.
 */
import { outcome, traceIn } from './text';

const BASE = `
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: auth}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: edge}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}, {name: tcp, port: 5432}]}
---
apiVersion: v1
kind: Service
metadata: {name: authorizer, namespace: auth}
spec: {selector: {app: authorizer}, ports: [{name: grpc, port: 9000}]}
`;
const gateway = (...listeners: readonly string[]) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  gatewayClassName: eg
  listeners:
${listeners.map((one) => `  - {${one}}`).join('\n')}
`;
const route = (kind: string, name: string, section: string, hostnames: string, rule = '', port = 80) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: edge}
spec:
  parentRefs: [{name: front, sectionName: ${section}}]
  ${hostnames === '' ? '' : `hostnames: [${hostnames}]`}
  rules: [{${rule}backendRefs: [{name: shop, port: ${port}}]}]
`;
const policy = (target: string, spec: string) => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: guard, namespace: edge}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, ${target}}]
  ${spec}
`;
const HTTP = 'name: http, port: 80, protocol: HTTP';
const TERMINATE = 'tls: {mode: Terminate, certificateRefs: [{name: cert}]}';
const PASS = 'tls: {mode: Passthrough}';
const SHOP = 'delivered to shop.edge.svc.cluster.local:80';
const DB = 'delivered to shop.edge.svc.cluster.local:5432';
const ask = (yaml: string, request: string, more: Parameters<ReturnType<typeof traceIn>>[1] = {}) =>
  traceIn(BASE + yaml)(request, { from: 'outside', at: 'edge/front', ...more });
const end = (...args: Parameters<typeof ask>) => outcome(ask(...args));

describe('listeners in conflict', () => {
  const https = `name: https, port: 443, protocol: HTTPS, hostname: '*.example.com', ${TERMINATE}`;
  const at443 = route('HTTPRoute', 'shop', 'https', 'shop.example.com');

  it.each([
    [
      'of one hostname for HTTPS and TLS',
      [https, `name: pass, port: 443, protocol: TLS, hostname: '*.example.com', ${PASS}`],
    ],
    ['of plain HTTP and HTTPS', [https, 'name: plain, port: 443, protocol: HTTP']],
    [
      'of one hostname and protocol',
      [https, `name: again, port: 443, protocol: HTTPS, hostname: '*.example.com', ${TERMINATE}`],
    ],
  ])('are all not programmed: %s', (_, listeners) => {
    const told = ask(gateway(...listeners) + at443, 'https://shop.example.com/');
    expect(outcome(told)).toBe('NR - at envoy-gateway');
    expect(told.refusal?.reason).toMatchObject({
      kind: 'listener-not-programmed',
      listener: 'https',
      problem: { neither: true, port: 443 },
    });
    expect(told.refusal?.what).toContain('is not programmed: it is in conflict with listener');
    expect(told.refusal?.by).toMatchObject({ kind: 'Gateway', field: 'spec.listeners[0]' });
  });

  it('of other hostnames are none', () => {
    const other = `name: pass, port: 443, protocol: TLS, hostname: pass.example.com, ${PASS}`;
    const routes = at443 + route('TLSRoute', 'pass', 'pass', 'pass.example.com', '', 5432);
    expect(end(gateway(https, other) + routes, 'https://shop.example.com/')).toBe(SHOP);
    expect(end(gateway(https, other) + routes, 'tls://pass.example.com:443')).toBe(DB);
  });

  it('of TCP leave the first of a port', () => {
    const two = gateway('name: a, port: 5432, protocol: TCP', 'name: b, port: 5432, protocol: TCP');
    expect(end(two + route('TCPRoute', 'db', 'a', '', '', 5432), 'tcp://198.51.100.1:5432')).toBe(DB);
    expect(end(two + route('TCPRoute', 'db', 'b', '', '', 5432), 'tcp://198.51.100.1:5432')).not.toBe(DB);
  });
});

describe('what Envoy refuses', () => {
  const https = `name: https, port: 443, protocol: HTTPS, ${TERMINATE}`;
  const pass = `name: pass, port: 443, protocol: TLS, hostname: pass.example.com, ${PASS}`;
  const shop = route('HTTPRoute', 'shop', 'https', 'shop.example.com');

  it('is a listener that takes every name beside one for TLS without a route', () => {
    const told = ask(gateway(https, pass) + shop, 'https://shop.example.com/');
    expect(told.refusal?.what).toBe(
      'Envoy refuses the listener: listener https and listener pass, which has no route both take every name',
    );
    const routed = route('TLSRoute', 'pass', 'pass', 'pass.example.com', '', 5432);
    expect(end(gateway(https, pass) + shop + routed, 'https://shop.example.com/')).toBe(SHOP);
  });

  it('is a host that routes have at two listeners of plain HTTP', () => {
    const any = 'name: any, port: 80, protocol: HTTP';
    const wild = "name: wild, port: 80, protocol: HTTP, hostname: '*.example.com'";
    const [one, two] = [
      route('HTTPRoute', 'one', 'any', 'a.example.com'),
      route('HTTPRoute', 'two', 'wild', 'a.example.com'),
    ];
    const told = ask(gateway(any, wild) + one + two, 'http://a.example.com/');
    expect(outcome(told)).toBe('NR 404 at envoy-gateway');
    expect(told.refusal?.what).toContain('HTTPRoute edge/one at listener any and HTTPRoute edge/two at listener wild');
    expect(
      end(gateway(any, wild) + one + route('HTTPRoute', 'two', 'wild', 'b.example.com'), 'http://a.example.com/'),
    ).toBe(SHOP);
  });

  it('is no such host at two listeners of HTTPS, which have their own lists', () => {
    const wild = `name: wild, port: 443, protocol: HTTPS, hostname: '*.example.com', ${TERMINATE}`;
    const [one, two] = [
      route('HTTPRoute', 'one', 'https', 'a.example.com'),
      route('HTTPRoute', 'two', 'wild', 'a.example.com'),
    ];
    expect(end(gateway(https, wild) + one + two, 'https://a.example.com/')).toBe(SHOP);
  });
});

it('takes the chain of the server names of routes, not of their listener', () => {
  const https = `name: https, port: 443, protocol: HTTPS, ${TERMINATE}`;
  const pass = `name: pass, port: 443, protocol: TLS, hostname: '*.example.com', ${PASS}`;
  const routes =
    route('HTTPRoute', 'shop', 'https', 'shop.example.com') +
    route('TLSRoute', 'pass', 'pass', 'pass.example.com', '', 5432);
  expect(end(gateway(https, pass) + routes, 'https://shop.example.com/')).toBe(SHOP);
  expect(end(gateway(https, pass) + routes, 'tls://pass.example.com:443')).toBe(DB);
});

it('passes TLS through a listener of TCP', () => {
  const yaml = gateway('name: tcp, port: 5432, protocol: TCP') + route('TCPRoute', 'db', 'tcp', '', '', 5432);
  expect(ask(yaml, 'tls://db.example.com:5432').destination).toMatchObject({ port: 5432, tls: 'APPLICATION' });
});

describe('authorization of connections', () => {
  const tcp =
    gateway('name: tcp, port: 5432, protocol: TCP') + route('TCPRoute', 'db', 'tcp', '', 'name: main, ', 5432);
  const GATEWAY = 'kind: Gateway, name: front';
  const ROUTE = 'kind: TCPRoute, name: db';
  const allow = (range: string) =>
    `authorization: {defaultAction: Deny, rules: [{action: Allow, principal: {clientCIDRs: ['${range}']}}]}`;
  const DENY = 'authorization: {defaultAction: Deny}';
  const JWT = "jwt: {providers: [{name: idp, remoteJWKS: {uri: 'https://idp.example.com/keys'}}]}";

  it.each([
    ['closes what nothing allows', policy(GATEWAY, DENY), 'RBAC - at envoy-gateway'],
    ['closes it by a policy of the listener', policy(`${GATEWAY}, sectionName: tcp`, DENY), 'RBAC - at envoy-gateway'],
    ['closes it by a policy of the route', policy(ROUTE, DENY), 'RBAC - at envoy-gateway'],
    ['closes it by a policy of the rule', policy(`${ROUTE}, sectionName: main`, DENY), 'RBAC - at envoy-gateway'],
    ['passes what everybody may', policy(GATEWAY, allow('0.0.0.0/0')), DB],
    ['hangs on the address of the client', policy(GATEWAY, allow('10.0.0.0/8')), 'unknown'],
    ['knows no part for requests', policy(GATEWAY, JWT), DB],
    ['is refused beside such a part at a TCPRoute', policy(ROUTE, `${DENY}\n  ${JWT}`), DB],
    ['is carried out beside such a part at a Gateway', policy(GATEWAY, `${DENY}\n  ${JWT}`), 'RBAC - at envoy-gateway'],
  ])('%s', (_, guard, expected) => expect(end(tcp + guard, 'tcp://198.51.100.1:5432')).toBe(expected));

  it('names a policy that is refused', () => {
    expect(ask(tcp + policy(ROUTE, JWT), 'tcp://198.51.100.1:5432').notes).toContainEqual(
      expect.stringContaining('Envoy Gateway refuses SecurityPolicy edge/guard for TCPRoute edge/db: it has jwt'),
    );
  });

  it('holds of TLS that passes through as well', () => {
    const tls =
      gateway(`name: pass, port: 443, protocol: TLS, ${PASS}`) +
      route('TLSRoute', 'pass', 'pass', 'a.example.com', '', 5432);
    expect(end(tls, 'tls://a.example.com:443')).toBe(DB);
    expect(end(tls + policy(GATEWAY, DENY), 'tls://a.example.com:443')).toBe('RBAC - at envoy-gateway');
  });
});

describe('the order of filters', () => {
  const PREFLIGHT = { method: 'OPTIONS', headers: { origin: 'https://a.net', 'access-control-request-method': 'GET' } };
  const JWT = "jwt: {providers: [{name: idp, remoteJWKS: {uri: 'https://idp.example.com/keys'}}]}";
  const cors = "filters: [{type: CORS, cors: {allowOrigins: ['https://a.net']}}], ";
  const yaml =
    gateway(HTTP) + route('HTTPRoute', 'shop', 'http', '', cors) + policy('kind: HTTPRoute, name: shop', JWT);
  const ordered = (entry: string) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, namespace: envoy-gateway-system, name: proxies}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: proxies, namespace: envoy-gateway-system}
spec: {filterOrder: [${entry}]}
`;

  it('has the CORS filter of a route answer before tokens are asked for', () => {
    const told = ask(yaml, 'http://shop.example.com/', PREFLIGHT);
    expect(told).toMatchObject({ outcome: 'answered', answer: { status: 200, by: { kind: 'HTTPRoute' } } });
    expect(end(yaml, 'http://shop.example.com/')).toBe('jwt 401 at envoy-gateway');
  });

  it.each([
    ['{name: envoy.filters.http.jwt_authn, before: envoy.filters.http.cors}', 'jwt 401 at envoy-gateway'],
    ['{name: envoy.filters.http.cors, after: envoy.filters.http.jwt_authn}', 'jwt 401 at envoy-gateway'],
    // A filter that is not set up is no mark.
    ['{name: envoy.filters.http.jwt_authn, before: envoy.filters.http.fault}', 'direct_response 200 at envoy-gateway'],
  ])('is that of an EnvoyProxy with filterOrder %s', (entry, expected) =>
    expect(end(yaml + ordered(entry), 'http://shop.example.com/', PREFLIGHT)).toBe(expected),
  );
});

describe('a SecurityPolicy whose reference Envoy Gateway cannot follow', () => {
  const authorizer = (more: string, ref = 'name: authorizer, namespace: auth, port: 9000') =>
    gateway(HTTP) +
    route('HTTPRoute', 'shop', 'http', '') +
    policy('kind: Gateway, name: front', `extAuth: {${more}grpc: {backendRefs: [{${ref}}]}}`);
  const GRANT = `---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: policies, namespace: auth}
spec:
  from: [{group: gateway.envoyproxy.io, kind: SecurityPolicy, namespace: edge}]
  to: [{group: '', kind: Service}]
`;
  const FAILS = 'direct_response 500 at envoy-gateway';

  it.each([
    ['answers 500 without a grant', authorizer(''), FAILS],
    ['hangs on the authorizer with one', authorizer('') + GRANT, 'unknown'],
    ['answers 500 without the Service', authorizer('', 'name: nobody, port: 9000'), FAILS],
    ['answers 500 without its port', authorizer('', 'name: shop, port: 9000'), FAILS],
    ['does without the authorizer that may fail', authorizer('failOpen: true, '), SHOP],
    [
      'answers 500 without a grant, whatever is there',
      authorizer('', 'name: x, namespace: elsewhere, port: 1') + GRANT,
      FAILS,
    ],
  ])('%s', (_, yaml, expected) => expect(end(yaml, 'http://shop.example.com/')).toBe(expected));

  it('does not fail open for another part', () => {
    const yaml =
      gateway(HTTP) +
      route('HTTPRoute', 'shop', 'http', '') +
      policy(
        'kind: Gateway, name: front',
        "jwt: {optional: true, providers: [{name: idp, remoteJWKS: {uri: 'https://idp.example.com/keys', backendRefs: [{name: nobody, port: 443}]}}]}",
      );
    expect(end(yaml, 'http://shop.example.com/')).toBe(FAILS);
  });

  it('names the policy and its field', () => {
    const told = ask(authorizer(''), 'http://shop.example.com/');
    expect(told.refusal).toMatchObject({
      by: { kind: 'SecurityPolicy', name: 'guard', field: 'spec.extAuth.grpc.backendRefs[0]' },
      fix: expect.stringContaining('write a ReferenceGrant in auth'),
    });
  });
});

describe('a Service that a chart makes', () => {
  const missing =
    gateway(HTTP) + route('HTTPRoute', 'shop', 'http', '').replace('name: shop, port', 'name: chart, port');
  it.each([
    ['a HelmRelease beside it', 'helm.toolkit.fluxcd.io/v2', 'HelmRelease', 'edge', '{}', 'unknown'],
    [
      'a HelmRelease aimed there',
      'helm.toolkit.fluxcd.io/v2',
      'HelmRelease',
      'flux',
      '{targetNamespace: edge}',
      'unknown',
    ],
    [
      'a HelmRelease aimed elsewhere',
      'helm.toolkit.fluxcd.io/v2',
      'HelmRelease',
      'edge',
      '{targetNamespace: other}',
      'direct_response 500 at envoy-gateway',
    ],
    ['an Application', 'argoproj.io/v1alpha1', 'Application', 'argocd', '{destination: {namespace: edge}}', 'unknown'],
    ['a HelmChart', 'helm.cattle.io/v1', 'HelmChart', 'kube-system', '{targetNamespace: edge}', 'unknown'],
    ['an operator', 'postgresql.cnpg.io/v1', 'Cluster', 'edge', '{}', 'unknown'],
    [
      'nothing of the kind',
      'external-secrets.io/v1',
      'ExternalSecret',
      'edge',
      '{}',
      'direct_response 500 at envoy-gateway',
    ],
  ])('is not known to be missing: %s', (_, apiVersion, kind, namespace, spec, expected) => {
    const chart = `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: chart, namespace: ${namespace}}\nspec: ${spec}\n`;
    expect(end(missing + chart, 'http://shop.example.com/')).toBe(expected);
  });
});

describe('a global rate limit', () => {
  const limited = (type: string) => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: limit, namespace: edge}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front}]
  rateLimit: {${type}: {rules: [{limit: {requests: 5, unit: Minute}}]}}
`;
  const settings = (more: string) => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
metadata: {name: settings}
gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
${more}
`;
  const counts = 'rateLimit: {backend: {type: Redis, redis: {url: redis.edge.svc:6379}}}';
  const http = gateway(HTTP) + route('HTTPRoute', 'shop', 'http', 'shop.example.com');

  it('is answered with 500 where Envoy Gateway is not told to count', () => {
    const told = ask(settings('') + http + limited('global'), 'http://shop.example.com/');
    expect(outcome(told)).toBe('direct_response 500 at envoy-gateway');
    expect(told.refusal?.what).toContain('BackendTrafficPolicy edge/limit');
    expect(told.refusal?.fix).toContain('rateLimit.backend');
  });

  it('lets requests pass where it is, where the limit is local, and with a doubt where no manifest tells', () => {
    expect(end(settings(counts) + http + limited('global'), 'http://shop.example.com/')).toBe(SHOP);
    expect(end(settings('') + http + limited('local'), 'http://shop.example.com/')).toBe(SHOP);
    const told = ask(http + limited('global'), 'http://shop.example.com/');
    expect(outcome(told)).toBe(SHOP);
    expect(told.notes.join()).toContain('always 500 if');
  });
});
