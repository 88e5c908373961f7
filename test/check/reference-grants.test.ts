/** EDGE803 by the grants as the control planes read them. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const GATEWAY = (className: string, more = ''): string => `
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: eg}, spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: front, namespace: edge}, spec: {gatewayClassName: ${className}, allowedListeners: {namespaces: {from: All}}, listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: shop, namespace: edge}, spec: {parentRefs: [{name: front}], rules: [{backendRefs: [{name: shop, namespace: app, port: 80}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: app}, spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}}
${more}`;
const GRANT = (to: string): string =>
  `---\n{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {name: shop, namespace: app}, spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge}], to: [${to}]}}\n`;
const SHOP = '{group: "", kind: Service, name: shop}';
const OTHER = '{group: "", kind: Service, name: other}';
const told = (yaml: string, istioVersion: string): readonly string[] =>
  check(loadText(yaml), { istioVersion })
    .findings.filter(({ id }) => id === 'EDGE803')
    .map(({ what }) => what);

describe('a reference into another namespace', () => {
  it('is granted by any entry, but before Istio 1.30 by the last of a kind alone', () => {
    const both = GATEWAY('istio', GRANT(`${SHOP}, ${OTHER}`));
    expect(told(both, '1.30')).toEqual([]);
    expect(told(both, '1.29')).toHaveLength(1);
    expect(told(GATEWAY('istio', GRANT(`${OTHER}, ${SHOP}`)), '1.29')).toEqual([]);
    expect(told(GATEWAY('eg', GRANT(`${SHOP}, ${OTHER}`)), '1.29')).toEqual([]);
    expect(told(GATEWAY('istio', GRANT(OTHER)), '1.30')).toHaveLength(1);
  });

  it('is one of a ListenerSet as of a Gateway', () => {
    const set = '---\n{apiVersion: gateway.networking.k8s.io/v1, kind: ListenerSet, metadata: {name: more, namespace: edge}, spec: {parentRef: {name: front}, listeners: [{name: tls, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: shop, namespace: app}]}}]}}\n'; // prettier-ignore
    const grant = GRANT(SHOP);
    expect(told(GATEWAY('eg', grant + set), '1.30')).toEqual(['no ReferenceGrant in app allows a ListenerSet of edge to use Secret app/shop']); // prettier-ignore
  });
});
