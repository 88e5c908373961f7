/** Policies on ports of Pods that no Service leads to: no request that is followed gets there, and diff does not call it decided. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const POD = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.0.0.9, selector: {app: web}, ports: [{name: http, port: 80, targetPort: serve}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web, ports: [{name: serve, containerPort: 8080}, {containerPort: 9999}]}]}}}}
`;
const policy = (apiVersion: string, kind: string, spec: string): string =>
  `---\n{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: p, namespace: shop}, spec: {${spec}}}\n`;
const SELECTOR = 'selector: {matchLabels: {app: web}}';

const compared = (was: string, is: string) => diff(loadText(POD + was).manifests, loadText(POD + is).manifests);

describe('a policy on a port of Pods', () => {
  it.each([
    ['PeerAuthentication', (port: number) => policy('security.istio.io/v1', 'PeerAuthentication', `${SELECTOR}, mtls: {mode: PERMISSIVE}, portLevelMtls: {${port}: {mode: STRICT}}`)],
    ['AuthorizationPolicy', (port: number) => policy('security.istio.io/v1', 'AuthorizationPolicy', `${SELECTOR}, action: DENY, rules: [{to: [{operation: {ports: ["${port}"]}}]}]`)],
  ] as const)('is decided where a Service leads there, and else told as not decided: %s', (_, of) => {
    expect(compared('', of(8080))).toMatchObject({ complete: true, undecided: [] });
    expect(compared('', of(8080)).changes).not.toEqual([]);
    const { changes, complete, undecided } = compared('', of(9999));
    expect([changes, complete]).toEqual([[], false]);
    expect(undecided[0]?.what).toContain('connections to port 9999 of the Pods of');
  }); // prettier-ignore

  it('is not decided for what a NetworkPolicy newly lets in there', () => {
    const lets = (...ports: number[]): string =>
      policy('networking.k8s.io/v1', 'NetworkPolicy', `podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [${ports.map((port) => `{port: ${port}}`).join()}]}]`); // prettier-ignore
    expect(compared(lets(8080), lets(8080, 9999)).undecided[0]?.what).toContain('port 9999');
    expect(compared(lets(8080), lets(8080)).complete).toBe(true);
  });
});

it('leaves undecided what a policy of ambient Pods is to who comes past the waypoint of their Service', () => {
  const ambient = (labels: string): string => `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient${labels}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.0.0.9, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}}}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: wp, namespace: shop}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}}
---
{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: strict, namespace: shop}, spec: {mtls: {mode: STRICT}}}
`;
  const only = policy('security.istio.io/v1', 'AuthorizationPolicy', `${SELECTOR}, rules: [{from: [{source: {principals: [cluster.local/ns/shop/sa/wp]}}]}]`); // prettier-ignore
  const between = (mesh: string) => diff(loadText(mesh + only).manifests, loadText(mesh).manifests);
  const bypassed = between(ambient(', istio.io/use-waypoint: wp'));
  expect([bypassed.changes, bypassed.complete]).toEqual([[], false]);
  expect(bypassed.undecided[0]?.why).toContain('past the waypoint');
  const direct = between(ambient(''));
  expect([direct.changes.length > 0, direct.complete]).toEqual([true, true]);
});
