/** What Envoy Gateway 1.8 and 1.9 brought that decides about requests. */
import { outcome, traceIn } from './text';

const MESH = `
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: eg}, spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: app}}
---
{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: app}, spec: {clusterIP: 10.96.0.10, selector: {app: shop}, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: shop, namespace: app, labels: {app: shop}}, spec: {containers: [{name: shop, image: shop}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: front, namespace: app}, spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: shop, namespace: app, labels: {tier: public}}, spec: {parentRefs: [{name: front}], rules: [{backendRefs: [{name: shop, port: 80}]}]}}
---
`;
const TARGET = 'targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]';
const ask = (spec: string, path = '/', request: object = {}): string =>
  outcome(
    traceIn(`${MESH}{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: SecurityPolicy, metadata: {name: policy, namespace: app}, spec: {${spec}}}`)(`http://www.example.com${path}`, { from: 'outside', at: 'app/front', ...request }),
  ); // prettier-ignore
const DELIVERED = 'delivered to shop.app.svc.cluster.local:80';
const DENIED = 'RBAC 403 at envoy-gateway';

describe('authorization by path', () => {
  const allowed = (match: string, path: string): string =>
    ask(`${TARGET}, authorization: {rules: [{action: Allow, operation: {path: {${match}}}, principal: {clientCIDRs: ["0.0.0.0/0"]}}]}`, path); // prettier-ignore

  it.each([
    ['value: /public', '/public/a', DELIVERED],
    ['value: /public', '/public?a=b', DELIVERED],
    ['value: /public', '/publicity', DENIED],
    ['type: Exact, value: /public', '/public?a=b', DELIVERED],
    ['type: Exact, value: /public', '/public/a', DENIED],
    ['value: /public, invert: true', '/public', DENIED],
    ['value: /public, invert: true', '/other', DELIVERED],
    ['type: RegularExpression, value: "/p.*"', '/public', 'unknown'],
  ])('{%s} of %s: %s', (match, path, expected) => {
    expect(allowed(match, path)).toBe(expected);
  });
});

describe('authorization by an expression', () => {
  it('is unknown, unless the answer is the same without it', () => {
    const rule = (action: string): string => `{action: ${action}, cel: "request.headers['x-a'] == 'b'"}`;
    expect(ask(`${TARGET}, authorization: {rules: [${rule('Allow')}]}`)).toBe('unknown');
    expect(ask(`${TARGET}, authorization: {rules: [${rule('Deny')}]}`)).toBe(DENIED);
  });
});

describe('tokens that fail open', () => {
  const jwt = 'jwt: {failOpen: true, providers: [{name: id, issuer: "https://id.example.com", localJWKS: {type: Inline, inline: "{}"}}]}'; // prettier-ignore
  const broken = { headers: { authorization: 'Bearer none' } };

  it('let a request without a token pass, and one whose token is none', () => {
    expect(ask(`${TARGET}, ${jwt}`)).toBe(DELIVERED);
    expect(ask(`${TARGET}, ${jwt}`, '/', broken)).toBe(DELIVERED);
    expect(ask(`${TARGET}, ${jwt.replace('failOpen: true, ', '')}`, '/', broken)).toMatch(/401/);
  });

  it('count for nothing where authorization asks for a claim', () => {
    const rules = 'rules: [{action: Allow, principal: {jwt: {provider: id, claims: [{name: a, values: [b]}]}}}]';
    expect(ask(`${TARGET}, ${jwt}, authorization: {${rules}}`, '/', broken)).toBe(DENIED);
  });
});

describe('requests that another site makes a browser send', () => {
  it.each([
    ['GET', {}, DELIVERED],
    ['POST', {}, 'csrf_origin_mismatch 403 at envoy-gateway'],
    ['POST', { origin: 'https://partner.example' }, DELIVERED],
    ['POST', { origin: 'https://www.example.com' }, 'unknown'],
  ])('%s with %j: %s', (method, headers, expected) => {
    expect(ask(`${TARGET}, csrf: {additionalOrigins: ["https://partner.example"]}`, '/', { method, headers })).toBe(expected); // prettier-ignore
  });
});

describe('targets by selector', () => {
  it('may be chosen by expressions', () => {
    const by = (values: string): string =>
      ask(`targetSelectors: [{group: gateway.networking.k8s.io, kind: HTTPRoute, matchExpressions: [{key: tier, operator: In, values: [${values}]}]}], authorization: {defaultAction: Deny}`); // prettier-ignore
    expect(by('public, open')).toBe(DENIED);
    expect(by('internal')).toBe(DELIVERED);
  });
});
