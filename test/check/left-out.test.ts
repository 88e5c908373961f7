/** Routes of a host that let only some requests through are no errors for what they leave out. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const mesh = (match: string, destination = 'api.example.com'): string => `
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: api, namespace: shop}, spec: {hosts: [api.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS, location: MESH_EXTERNAL}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: api, namespace: shop}, spec: {hosts: [api.example.com], http: [{match: [${match}], route: [{destination: {host: ${destination}}}]}]}}
`;
const found = (yaml: string): readonly string[] =>
  check(loadText(yaml), {}).findings.map(({ id, severity }) => `${id} ${severity}`);

describe('a host with routes for some requests alone', () => {
  it.each(['{uri: {prefix: /v1/}}', '{method: {exact: POST}}', '{headers: {x-tier: {exact: gold}}}', '{uri: {regex: "/v[12]/.*"}}'])(
    'has a warning for the others: %s',
    (match) => {
      expect(found(mesh(match))).toEqual(['EDGE299 warning']);
    },
  ); // prettier-ignore

  it('has an error where what the routes let through does not arrive', () => {
    expect(found(mesh('{uri: {prefix: /v1/}}', 'gone.example.com'))).toContain('EDGE211 error');
  });
});

it('asks with the cookies that an HTTPRouteFilter wants', () => {
  const yaml = `
{apiVersion: v1, kind: Namespace, metadata: {name: edge}}
---
{apiVersion: v1, kind: Service, metadata: {name: beta, namespace: edge}, spec: {selector: {app: beta}, ports: [{name: http, port: 80}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: front, namespace: edge}, spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: beta, namespace: edge}, spec: {parentRefs: [{name: front}], hostnames: [shop.example.com], rules: [{filters: [{type: ExtensionRef, extensionRef: {group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: beta}}], backendRefs: [{name: beta, port: 80}]}]}}
---
{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: HTTPRouteFilter, metadata: {name: beta, namespace: edge}, spec: {matches: [{cookies: [{name: beta, value: "1"}]}, {cookies: [{name: team, type: RegularExpression, value: "b.*"}]}]}}
`;
  expect(found(yaml).filter((one) => one.endsWith('error'))).toEqual([]);
});

it('tells each listener of a set whose place another one has, also where both have one name', () => {
  const set = (name: string): string =>
    `{apiVersion: gateway.networking.k8s.io/v1, kind: ListenerSet, metadata: {name: ${name}, namespace: edge}, spec: {parentRef: {name: front}, listeners: [{name: web, port: 80, protocol: HTTP, hostname: a.example.com}]}}`;
  const yaml = `
{apiVersion: v1, kind: Namespace, metadata: {name: edge}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: front, namespace: edge}, spec: {gatewayClassName: istio, allowedListeners: {namespaces: {from: Same}}, listeners: [{name: web, port: 80, protocol: HTTP, hostname: a.example.com}]}}
---
${set('one')}
---
${set('two')}
`;
  const told = check(loadText(yaml), {}).findings.filter(({ id }) => id === 'EDGE815');
  expect(told.map(({ object }) => object?.name)).toEqual(['one', 'two']);
});
