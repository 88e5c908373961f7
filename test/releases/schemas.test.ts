import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import type { MeshOptions } from '../../src/model/mesh-options';

const found = (yaml: string, options: MeshOptions): readonly string[] =>
  check(loadText(yaml), options)
    .findings.filter(({ id }) => /^EDGE00[234]$/.test(id))
    .map(({ severity, what }) => `${severity}: ${what}`);
const why = (yaml: string, options: MeshOptions): string => check(loadText(yaml), options).findings[0]?.why ?? '';

const object = (apiVersion: string, kind: string, spec: string): string =>
  `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: a, namespace: b}, spec: ${spec}}`;
const TRUST_DOMAINS = object('security.istio.io/v1', 'AuthorizationPolicy', '{action: ALLOW, rules: [{from: [{source: {trustDomains: [corp.example]}}]}]}'); // prettier-ignore
const REDIRECT = object('gateway.networking.k8s.io/v1', 'HTTPRoute', '{parentRefs: [{name: g}], rules: [{filters: [{type: RequestRedirect, requestRedirect: {statusCode: 308}}]}]}'); // prettier-ignore
const TLS_ROUTE = (version: string): string =>
  object(`gateway.networking.k8s.io/${version}`, 'TLSRoute', '{parentRefs: [{name: g}], hostnames: [a.example.com], rules: [{backendRefs: [{name: s, port: 443}]}]}'); // prettier-ignore
const GRANT = object('gateway.networking.k8s.io/v1', 'ReferenceGrant', '{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: a}], to: [{group: "", kind: Service}]}'); // prettier-ignore
const MERGE = object('gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy', '{targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}], mergeType: StrategicMerge, cors: {allowOrigins: ["https://a.example"]}}'); // prettier-ignore

const SPACED = object('gateway.networking.k8s.io/v1', 'HTTPRoute', '{parentRefs: [{name: g}], rules: [{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x, value: "a  b"}]}}]}]}'); // prettier-ignore
const CIDRS = object('gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy', '{targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}], authorization: {defaultAction: Deny, rules: [{action: Allow, principal: {clientCIDRs: [10.0.0.0/8], sourceCIDRs: [10.0.0.0/8]}}]}}'); // prettier-ignore

describe('schemas by release', () => {
  it.each<[string, string, MeshOptions]>([
    ['trustDomains', TRUST_DOMAINS, {}],
    ['trustDomains', TRUST_DOMAINS, { istioVersion: '1.30' }],
    ['a redirect with 308', REDIRECT, {}],
    ['a redirect with 308', REDIRECT, { gatewayApiVersion: '1.5' }],
    ['TLSRoute v1', TLS_ROUTE('v1'), {}],
    ['TLSRoute v1', TLS_ROUTE('v1'), { gatewayApiVersion: '1.5' }],
    ['TLSRoute v1alpha2', TLS_ROUTE('v1alpha2'), { gatewayApiVersion: '1.3/experimental' }],
    ['TLSRoute v1alpha3', TLS_ROUTE('v1alpha3'), { gatewayApiVersion: '1.7/experimental' }],
    ['ReferenceGrant v1', GRANT, {}],
    ['mergeType of a SecurityPolicy', MERGE, {}],
  ])('take %s where the release has it', (_, yaml, options) => {
    expect(found(yaml, options)).toEqual([]);
  });

  it.each<[string, string, MeshOptions, string]>([
    ['trustDomains', TRUST_DOMAINS, { istioVersion: '1.29.1' }, 'error: there is no field "trustDomains" here: it needs Istio 1.30'],
    ['a redirect with 308', REDIRECT, { gatewayApiVersion: '1.4' }, 'error: 308 is none of 301, 302: it needs Gateway API 1.5'],
    ['TLSRoute v1', TLS_ROUTE('v1'), { gatewayApiVersion: '1.4' }, 'error: TLSRoute v1 needs Gateway API 1.5'],
    ['TLSRoute v1alpha2 in a standard install', TLS_ROUTE('v1alpha2'), { gatewayApiVersion: '1.7' }, 'error: TLSRoute v1alpha2 needs the experimental channel of Gateway API 1.7'],
    ['TLSRoute v1alpha2, which istiod reads no more,', TLS_ROUTE('v1alpha2'), { istioVersion: '1.30' }, 'warning: TLSRoute v1alpha2 is served by the experimental channel of Gateway API 1.7 alone'],
    ['TLSRoute v1alpha2 where the channel is not known', TLS_ROUTE('v1alpha2'), {}, 'warning: TLSRoute v1alpha2 is served by the experimental channel of Gateway API 1.7 alone'],
    ['ReferenceGrant v1', GRANT, { gatewayApiVersion: '1.4' }, 'error: ReferenceGrant v1 needs Gateway API 1.5'],
    ['XListenerSet', object('gateway.networking.x-k8s.io/v1alpha1', 'XListenerSet', '{parentRef: {name: g}, listeners: [{name: l, port: 80, protocol: HTTP}]}'), { gatewayApiVersion: '1.7/experimental' }, 'error: XListenerSet v1alpha1 was served up to the experimental channel of Gateway API 1.4, and is not any more'],
    ['a form that the experimental channel alone asks for', SPACED, {}, 'warning: "a  b" does not have the form ^[!-~]+([\\t ]?[!-~]+)*$, by the experimental channel of Gateway API 1.7'],
    ['a form that the experimental channel alone asks for, where that is said', SPACED, { gatewayApiVersion: '1.7/experimental' }, 'error: "a  b" does not have the form ^[!-~]+([\\t ]?[!-~]+)*$: it was allowed up to Gateway API 1.7'],
    ['a field that is gone, where no release is told', CIDRS, {}, 'warning: there is no field "sourceCIDRs" here any more: it was up to Envoy Gateway 1.7'],
    ['a field that is gone', CIDRS, { envoyGatewayVersion: '1.8' }, 'error: there is no field "sourceCIDRs" here any more: it was up to Envoy Gateway 1.7'],
    ['mergeType of a SecurityPolicy', MERGE, { envoyGatewayVersion: '1.7' }, 'error: there is no field "mergeType" here: it needs Envoy Gateway 1.8'],
  ])('say which release %s needs', (_, yaml, options, wanted) => {
    expect(found(yaml, options)).toEqual([wanted]);
  }); // prettier-ignore

  it.each<[string, string, MeshOptions]>([
    ['Istio 1.29', TLS_ROUTE('v1alpha2'), { istioVersion: '1.29' }],
    ['Istio 1.29', object('gateway.networking.x-k8s.io/v1alpha1', 'XListenerSet', '{parentRef: {name: g}, listeners: [{name: l, port: 80, protocol: HTTP}]}'), { istioVersion: '1.29' }], // prettier-ignore
    ['Envoy Gateway 1.7', TLS_ROUTE('v1alpha3'), { envoyGatewayVersion: '1.7' }],
    ['Envoy Gateway 1.8', object('gateway.networking.k8s.io/v1alpha2', 'TCPRoute', '{parentRefs: [{name: g}], rules: [{backendRefs: [{name: b, port: 80}]}]}'), { envoyGatewayVersion: '1.8' }], // prettier-ignore
  ])('take what %s asks for, where nobody says which Gateway API is there', (_, yaml, options) => {
    expect(found(yaml, options)).toEqual([]);
  });

  it('know that the chart of Envoy Gateway brings the experimental channel', () => {
    const chart = (version: string): string =>
      object('source.toolkit.fluxcd.io/v1', 'OCIRepository', `{url: "oci://registry.example/envoyproxy/gateway-helm", ref: {tag: ${version}}}`); // prettier-ignore
    expect(found(`${TLS_ROUTE('v1alpha2')}\n---\n${chart('v1.8.1')}`, {})).toEqual([]);
    expect(found(`${TLS_ROUTE('v1alpha2')}\n---\n${chart('v1.8.1')}`, { gatewayApiVersion: '1.7' })).toHaveLength(1);
  });

  it('say what an older release does with a field that it does not have, and with a value', () => {
    expect(why(TRUST_DOMAINS, { istioVersion: '1.29' })).toContain('silently drops it');
    expect(why(REDIRECT, { gatewayApiVersion: '1.4' })).toContain('an API server refuses the object');
  });

  it('of CRDs among the manifests are believed before those of the package', () => {
    const crd = `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: authorizationpolicies.security.istio.io}
spec:
  group: security.istio.io
  scope: Namespaced
  names: {kind: AuthorizationPolicy, plural: authorizationpolicies}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {action: {type: string, enum: [ALLOW, DENY]}}, x-kubernetes-validations: [{rule: "self.action != 'ALLOW'", message: no allowing here}]}}}}
`;
    expect(found(`${TRUST_DOMAINS}\n${crd}`, {})).toEqual([
      'error: there is no field "rules" here: it needs Istio 1.32',
    ]);
    const deny = object('security.istio.io/v1', 'AuthorizationPolicy', '{action: ALLOW}');
    expect(found(`${deny}\n${crd}`, {})).toEqual(['error: no allowing here: it needs Istio 1.32']);
  });
});
