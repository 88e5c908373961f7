import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

/** Routes in a namespace of their own, which a listener takes by the labels of that namespace; their backend is elsewhere. */
const mesh = (gatewayClass: string, labels: string | undefined): string =>
  [
    ...(labels === undefined ? [] : [`{apiVersion: v1, kind: Namespace, metadata: {name: routes, labels: {${labels}}}}`]),
    '{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}',
    '{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {selector: {app: web}, ports: [{name: http, port: 80}]}}',
    '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}}}',
    `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: front, namespace: edge}, spec: {gatewayClassName: ${gatewayClass}, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {public: 'yes'}}}}}]}}`,
    '{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: web, namespace: routes}, spec: {parentRefs: [{name: front, namespace: edge}], hostnames: [shop.example.com], rules: [{backendRefs: [{name: web, namespace: shop, port: 80}]}]}}',
    '{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {name: routes, namespace: shop}, spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: routes}], to: [{group: "", kind: Service}]}}',
  ].join('\n---\n'); // prettier-ignore

describe('labels of a namespace that holds routes alone', () => {
  it.each([
    ['istio', 'changed', "public: 'no'"],
    ['istio', 'gone', undefined],
    ['eg', 'changed', "public: 'no'"],
    ['eg', 'gone', undefined],
  ])('close a listener of class %s to its routes where they are %s', (gatewayClass, _, labels) => {
    const [was, is] = ["public: 'yes'", labels].map((one) => loadText(mesh(gatewayClass, one)).manifests);
    const told = diff(was ?? [], is ?? []).changes.map(({ effect, to, from }) => `${effect} ${to} for ${from.join()}`);
    expect(told).toContain('narrowed http://shop.example.com/ for outside, at edge/front');
  });
});
