/** Backends of a rule share one cluster at Envoy Gateway: how much each gets shows in no name of a cluster. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const SERVICES = ['web', 'api'].map((name) => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {clusterIP: 10.0.0.1, selector: {app: ${name}}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec: {selector: {matchLabels: {app: ${name}}}, template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: c, image: c}]}}}`); // prettier-ignore
const world = (kind: string, listener: string, refs: string, spare = false): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system}
${SERVICES.join('')}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: a, namespace: shop}
spec: {endpoints: [{ip: {address: 192.0.2.1, port: 80}}]}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: b, namespace: shop}
spec: {fallback: ${spare}, endpoints: [{ip: {address: 192.0.2.2, port: 80}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: shop}
spec: {gatewayClassName: eg, listeners: [{name: one, ${listener}}]}
---
apiVersion: gateway.networking.k8s.io/${kind === 'TCPRoute' ? 'v1alpha2' : 'v1'}
kind: ${kind}
metadata: {name: shop, namespace: shop}
spec: {parentRefs: [{name: front}], rules: [{backendRefs: [${refs}]}]}`;

const changes = (was: string, is: string): readonly string[] =>
  diff(loadText(was).manifests, loadText(is).manifests).changes.map(({ effect }) => effect);
const weights = (web: number, api: number): string =>
  `{name: web, port: 80, weight: ${web}}, {name: api, port: 80, weight: ${api}}`;
const HTTP = 'port: 80, protocol: HTTP';
const TCP = 'port: 5432, protocol: TCP';

describe('shares of backends at Envoy Gateway', () => {
  it.each([
    ['HTTPRoute', HTTP],
    ['TCPRoute', TCP],
  ])('are told where they change: %s', (kind, listener) => {
    const at = (web: number, api: number): string => world(kind, listener, weights(web, api));
    expect(changes(at(9, 1), at(8, 2))).toEqual(['rerouted']);
    expect(changes(at(9, 0), at(9, 1))).toEqual(['rerouted']);
    expect(changes(at(999, 1), at(998, 2))).toEqual(['rerouted']);
    expect(changes(at(9, 1), at(18, 2))).toEqual([]);
  });

  it('go to others where a backend is for the worst case alone', () => {
    const refs = ['a', 'b'].map((name) => `{group: gateway.envoyproxy.io, kind: Backend, name: ${name}}`).join(', ');
    expect(changes(world('HTTPRoute', HTTP, refs), world('HTTPRoute', HTTP, refs, true))).toEqual(['rerouted']);
  });
});
