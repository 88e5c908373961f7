import { effectOf, wayOf } from '../../src/diff/way';
import { loadText } from '../../src/model/load';
import { buildMesh, type Mesh } from '../../src/model/mesh';
import type { MeshOptions } from '../../src/model/mesh-options';
import { trace } from '../../src/trace';

const mesh = (gatewayClass: string, filters: string) => `
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: web}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: web}
spec:
  gatewayClassName: ${gatewayClass}
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: alt, port: 8080, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: web}
spec:
  parentRefs: [{name: edge}]
  hostnames: [shop.example.com]
  rules:
  - matches: [{path: {type: PathPrefix, value: /old}}]
    ${filters}
`;

const meshOf = (yaml: string): Mesh => buildMesh(loadText(yaml).manifests, {});

const FORWARD = 'backendRefs: [{name: shop, port: 80}]';
const to = (redirect: string) => `filters: [{type: RequestRedirect, requestRedirect: ${redirect}}]`;
const follow = (yaml: string, request: string) => trace(meshOf(yaml), { from: 'outside', at: 'web/edge', request });

describe.each(['istio', 'eg'])('a redirect of an HTTPRoute at class %s', (gatewayClass) => {
  // Location as RouteEntryImplBase::newUri of Envoy writes it, by what each control plane makes of the filter.
  it.each([
    [
      '{scheme: https, statusCode: 301}',
      'http://shop.example.com/old/a?b=1',
      301,
      'https://shop.example.com/old/a?b=1',
    ],
    ['{scheme: https}', 'http://shop.example.com:8080/old', 302, 'https://shop.example.com:8080/old'],
    ['{hostname: new.example.com}', 'http://shop.example.com/old', 302, 'http://new.example.com/old'],
    ['{scheme: https, port: 8443}', 'http://shop.example.com/old', 302, 'https://shop.example.com:8443/old'],
    [
      '{path: {type: ReplaceFullPath, replaceFullPath: /new}}',
      'http://shop.example.com/old/a?b=1',
      302,
      'http://shop.example.com/new?b=1',
    ],
    [
      '{path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}}',
      'http://shop.example.com/old/a?b=1',
      302,
      'http://shop.example.com/new/a?b=1',
    ],
    [
      '{path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}',
      'http://shop.example.com/old/a',
      302,
      'http://shop.example.com/a',
    ],
  ])('%s is the answer to %s', (redirect, request, status, location) => {
    const told = follow(mesh(gatewayClass, to(redirect)), request);
    expect(told).toMatchObject({ outcome: 'answered', refusal: null, destination: null, answer: { status, location } });
  });

  it('is a change of traffic in either direction', () => {
    const [answering, forwarding] = [mesh(gatewayClass, to('{scheme: https}')), mesh(gatewayClass, FORWARD)];
    const way = (yaml: string) => wayOf(meshOf(yaml), follow(yaml, 'http://shop.example.com/old'), 'shop.example.com');
    expect(effectOf(way(answering), way(forwarding))).toBe('widened');
    expect(effectOf(way(forwarding), way(answering))).toBe('narrowed');
    expect(way(answering).text).toMatch(/^answered with 302, to https:\/\/shop\.example\.com\/old by gateway /);
  });
});

it('keeps the port of the listener in a redirect of class istio, and of Envoy Gateway from 1.9 on', () => {
  const asked = (gatewayClass: string, options: MeshOptions = {}) => {
    const { manifests } = loadText(mesh(gatewayClass, to('{hostname: new.example.com}')));
    const request = { from: 'outside', at: 'web/edge', request: 'http://shop.example.com:8080/old' };
    return trace(buildMesh(manifests, options), request).answer?.location;
  };
  expect(asked('istio')).toBe('http://new.example.com:8080/old');
  expect(asked('eg', { envoyGatewayVersion: '1.8' })).toBe('http://new.example.com/old');
  expect(asked('eg', { envoyGatewayVersion: '1.9' })).toBe('http://new.example.com:8080/old');
});

const ISTIO = (rule: string, redirects = false) => `
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: web}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: ${redirects}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: web}
spec: {hosts: [shop.example.com], gateways: [edge], http: [${rule}]}
`;

describe('a rule of a VirtualService that answers by itself', () => {
  it.each([
    [
      '{redirect: {authority: new.example.com, uri: /, redirectCode: 308}}',
      { status: 308, location: 'http://new.example.com/' },
    ],
    ['{redirect: {scheme: https, port: 443}}', { status: 301, location: 'https://shop.example.com/a' }],
    ['{directResponse: {status: 204}}', { status: 204 }],
  ])('%s', (rule, answer) => {
    const told = follow(ISTIO(rule), 'http://shop.example.com/a');
    expect(told).toMatchObject({ outcome: 'answered', answer, refusal: null });
    if (!('location' in answer)) expect(told.answer).not.toHaveProperty('location');
  });

  it('refuses from status 400 on', () => {
    const told = follow(ISTIO('{directResponse: {status: 503}}'), 'http://shop.example.com/a');
    expect(told).toMatchObject({ outcome: 'refused', refusal: { code: 'direct_response', status: 503 } });
    expect(told).not.toHaveProperty('answer');
  });

  it('is not asked where its server redirects to HTTPS', () => {
    const told = follow(ISTIO('{directResponse: {status: 204}}', true), 'http://shop.example.com/a');
    expect(told).toMatchObject({
      outcome: 'answered',
      answer: { status: 301, location: 'https://shop.example.com/a' },
    });
  });
});
