import { loadText } from '../../../src/model/load';
import { buildMesh } from '../../../src/model/mesh';
import { edgeMap } from '../../../src/report/diagram/flows';

const EDGE = `
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: edge}
spec: {selector: {app: web}, ports: [{name: http, port: 80}, {name: tcp, port: 5432}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  gatewayClassName: eg
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: tcp, port: 5432, protocol: TCP}
  - {name: game, port: 19132, protocol: UDP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: edge}
spec: {parentRefs: [{name: front, sectionName: http}], hostnames: [a.example.com, b.example.com], rules: [{backendRefs: [{name: web, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: db, namespace: edge}
spec: {parentRefs: [{name: front, sectionName: tcp}], rules: [{backendRefs: [{name: web, port: 5432}]}]}
`;

describe('the picture of listeners without hostnames', () => {
  const { lanes } = edgeMap(buildMesh(loadText(EDGE).manifests, {}));
  const drawn = lanes.flatMap(({ flows, outcome }) => flows.map(({ to }) => `${outcome} ${to}`));

  it('has one path for a listener of TCP, whatever hosts other listeners have, and none for UDP', () => {
    expect([...drawn].sort()).toEqual([
      'delivered http://a.example.com/',
      'delivered http://b.example.com/',
      'delivered tcp://front.edge:5432',
    ]);
  });
});

it('draws a redirect as an answer, and not as a refusal', () => {
  const redirect = EDGE.replace(
    'hostnames: [a.example.com, b.example.com], rules: [{',
    'hostnames: [a.example.com], rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}], ',
  ).replace('backendRefs: [{name: web, port: 80}]', 'matches: []');
  const { lanes } = edgeMap(buildMesh(loadText(redirect).manifests, {}));
  expect(lanes.map(({ outcome, end }) => [outcome, end])).toContainEqual(['answered', 'answered 301 (redirect)']);
  expect(lanes.every(({ outcome }) => outcome !== 'refused')).toBe(true);
});

it('draws each rule whose Service no manifest shows, and not one of them for all', () => {
  const rules = ['cart', 'pay'].map((name) => `{matches: [{path: {value: /${name}}}], backendRefs: [{name: ${name}, namespace: elsewhere, port: 80}]}`); // prettier-ignore
  const istio = EDGE.replace('gatewayClassName: eg', 'gatewayClassName: istio');
  const granted = `${istio.replace('rules: [{backendRefs: [{name: web, port: 80}]}]', `rules: [${rules.join(', ')}]`)}---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: edge, namespace: elsewhere}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge}], to: [{group: "", kind: Service}]}
`;
  const { lanes } = edgeMap(buildMesh(loadText(granted).manifests, {}));
  const unknown = lanes
    .filter(({ outcome }) => outcome === 'unknown')
    .flatMap(({ flows }) => flows.map(({ to }) => to));
  expect(unknown).toEqual(expect.arrayContaining(['http://a.example.com/cart', 'http://a.example.com/pay']));
});
