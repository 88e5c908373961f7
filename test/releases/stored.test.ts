/** Requests fare by what an API server of the release in force stores: fields that it drops, and objects that it refuses, do nothing. */
import { acceptedMesh } from '../../src/check/accepted';
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import type { MeshOptions } from '../../src/model/mesh-options';
import { trace } from '../../src/trace/index';

const INGRESS = `
{apiVersion: v1, kind: Namespace, metadata: {name: edge}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: gateway, namespace: edge}, spec: {selector: {matchLabels: {istio: ingress}}, template: {metadata: {labels: {istio: ingress, sidecar.istio.io/inject: "true"}, annotations: {inject.istio.io/templates: gateway}}, spec: {containers: [{name: istio-proxy, image: auto}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: gateway, namespace: edge}, spec: {selector: {istio: ingress}, ports: [{name: http, port: 80, targetPort: 80}]}}
---
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: gateway, namespace: edge}, spec: {selector: {istio: ingress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}}
---
`;
const REDIRECT = `${INGRESS}{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: moved, namespace: edge}, spec: {hosts: [shop.example.com], gateways: [gateway], http: [{match: [{uri: {prefix: /old}}], redirect: {prefixRewrite: /new}}]}}`;
const DOMAINS = `${INGRESS}{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: shop, namespace: edge}, spec: {hosts: [shop.example.com], gateways: [gateway], http: [{directResponse: {status: 200}}]}}
---
{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: partners, namespace: edge}, spec: {action: DENY, rules: [{from: [{source: {trustDomains: [corp.example], notPrincipals: [corp.example/ns/a/sa/b]}}]}]}}`;
const CORS = `${INGRESS}
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: web, namespace: edge}, spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: cors, namespace: edge}, spec: {parentRefs: [{name: web}], rules: [{filters: [{type: CORS, cors: {allowOrigins: ["https://app.example.com"]}}, {type: RequestRedirect, requestRedirect: {scheme: https}}]}]}}`;

const ask = (yaml: string, options: MeshOptions, gateway: string, path: string) =>
  trace(acceptedMesh(loadText(yaml).manifests, options), {
    from: 'outside',
    at: `edge/${gateway}`,
    request: `http://shop.example.com${path}`,
  });

describe('what an API server of the release in force stores', () => {
  it('is followed, and what it drops is told', () => {
    const now = ask(REDIRECT, { istioVersion: '1.31' }, 'gateway', '/old/cart');
    expect(now).toMatchObject({ outcome: 'answered', answer: { location: 'http://shop.example.com/new/cart' } });
    const then = ask(REDIRECT, { istioVersion: '1.30' }, 'gateway', '/old/cart');
    expect(then.outcome).toBe('refused');
    expect(then.notes.join('\n')).toContain('spec.http[0].redirect.prefixRewrite of VirtualService edge/moved is not followed: an API server drops it, since it needs Istio 1.31'); // prettier-ignore
    expect(then.notes.join('\n')).toContain("VirtualService edge/moved is not followed: istiod's webhook refuses it");
  });

  it('leaves a rule of access with what is left of it', () => {
    // Who has no identity is of no trust domain, and is not the one that is spared either.
    expect(ask(DOMAINS, { istioVersion: '1.30' }, 'gateway', '/').outcome).toBe('answered');
    const then = ask(DOMAINS, { istioVersion: '1.29' }, 'gateway', '/');
    expect(then.outcome).toBe('refused');
    expect(then.notes.join('\n')).toContain('spec.rules[0].from[0].source.trustDomains of AuthorizationPolicy edge/partners'); // prettier-ignore
  });

  it('is without an object that it refuses', () => {
    expect(ask(CORS, { gatewayApiVersion: '1.5' }, 'web', '/').outcome).toBe('answered');
    const then = ask(CORS, { gatewayApiVersion: '1.4' }, 'web', '/');
    expect(then.outcome).toBe('refused');
    expect(then.notes.join('\n')).toMatch(/HTTPRoute edge\/cors is not followed: an API server refuses it, since .*: it needs Gateway API 1\.5/); // prettier-ignore
  });

  it('is without an object that breaks a rule of the CRD once a field is dropped', () => {
    const limit = (selectors: string): string =>
      `{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: BackendTrafficPolicy, metadata: {name: limit, namespace: edge}, spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: cors}], rateLimit: {type: Local, local: {rules: [{clientSelectors: [{${selectors}}], limit: {requests: 1, unit: Hour}}]}}}}`;
    const kept = (selectors: string, envoyGatewayVersion: string): number =>
      acceptedMesh(loadText(limit(selectors)).manifests, { envoyGatewayVersion }).manifests.length;
    const query = 'queryParams: [{name: key, value: a}]';
    expect(kept(query, '1.7')).toBe(1);
    expect(kept(query, '1.6')).toBe(0);
    expect(kept(`${query}, methods: [{value: GET}]`, '1.6')).toBe(1);
  });

  it('is without a token that it does not know to be required', () => {
    const tokens = DOMAINS.replace(/\{apiVersion: security.*$/s, '{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: tokens, namespace: edge}, spec: {jwtRules: [{issuer: "https://id.example.com", jwksUri: "https://id.example.com/keys", presence: REQUIRED}]}}'); // prettier-ignore
    const now = ask(tokens, { istioVersion: '1.32' }, 'gateway', '/');
    expect(now.refusal).toMatchObject({ code: 'jwt_authn', status: 401 });
    expect(ask(tokens, { istioVersion: '1.31' }, 'gateway', '/').outcome).toBe('answered');
  });

  it('is compared where releases differ', () => {
    const { manifests } = loadText(REDIRECT);
    const { changes, notes } = diff(manifests, manifests, { mesh: { istioVersion: '1.30' }, meshAfter: { istioVersion: '1.31' }, exhaustive: true }); // prettier-ignore
    expect(changes.length).toBeGreaterThan(0);
    expect(notes.join('\n')).toContain('redirect.prefixRewrite of VirtualService edge/moved is left out where an API server drops it'); // prettier-ignore
  });

  it('is what manifests say where nobody tells a release', () => {
    expect(ask(REDIRECT, {}, 'gateway', '/old').outcome).toBe('answered');
  });
});
