/** Routes to XBackends: read by istiod since 1.32, and only if it is told to; by Envoy Gateway not at all. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { outcome, traceIn } from '../trace/text';

const mesh = (className: string, env = ''): string => `
{apiVersion: v1, kind: Namespace, metadata: {name: app}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: edge, namespace: app}, spec: {gatewayClassName: ${className}, listeners: [{name: http, port: 80, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: pay, namespace: app}, spec: {parentRefs: [{name: edge}], hostnames: [pay.example.com], rules: [{backendRefs: [{group: gateway.networking.x-k8s.io, kind: XBackend, name: pay}]}]}}
---
{apiVersion: gateway.networking.x-k8s.io/v1alpha1, kind: XBackend, metadata: {name: pay, namespace: app}, spec: {type: ExternalHostname, externalHostname: {hostname: api.partner.example}, port: {number: 443}, protocol: HTTP}}
---
{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: mesh}, spec: {values: {pilot: {env: {${env}}}}}}
`;
const ALPHA = "PILOT_ENABLE_ALPHA_GATEWAY_API: 'true'";

describe('a route to an XBackend', () => {
  it.each([
    ['istio', ALPHA, '1.31', 'NC 500 at ingress-gateway', 'a backend of kind XBackend, as app/pay is, needs Istio 1.32'],
    ['istio', '', '1.32', 'NC 500 at ingress-gateway', 'istiod reads XBackend app/pay only with PILOT_ENABLE_ALPHA_GATEWAY_API=true in its environment'],
    ['istio', ALPHA, '1.32', 'unknown', ''],
    ['eg', ALPHA, '1.32', 'direct_response 500 at envoy-gateway', 'Envoy Gateway takes no backend of kind XBackend, as app/pay is'],
  ])('of class %s with {%s} and Istio %s ends in %s', (className, env, istioVersion, end, said) => {
    const yaml = mesh(className, env);
    expect(outcome(traceIn(yaml, { istioVersion })('http://pay.example.com/', { from: 'outside', at: 'app/edge' }))).toBe(end);
    const found = check(loadText(yaml), { istioVersion }).findings.filter(({ id }) => id === 'EDGE804');
    expect(found.map(({ field, what }) => [field, what])).toEqual(said === '' ? [] : [['spec.rules[0].backendRefs[0].kind', said]]);
  });
}); // prettier-ignore
