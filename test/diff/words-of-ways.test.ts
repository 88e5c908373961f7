/** Which of the proxies on a way is what, and what refuses, in the words of a change. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const example = (of: string): string =>
  ['invalid', 'valid'].map((kind) => readFileSync(join(__dirname, '..', kind, `${of}.yaml`), 'utf8')).join('\0');
const texts = (of: string, change = (yaml: string): string => yaml): readonly string[] => {
  const [was = '', is = ''] = example(of).split('\0');
  return diff(loadText(was).manifests, loadText(change(is)).manifests).changes.flatMap((one) => [one.was.text, one.is.text]); // prettier-ignore
};

it('a gateway and the waypoint behind it each have their own', () => {
  expect(texts('ingress-past-waypoint/envoy-gateway')).toContain(
    'through gateway envoy-gateway-system/envoy-shop-public in plain text, then waypoint shop/waypoint; reaches web.shop.svc.cluster.local:80 with mutual TLS of the mesh',
  );
});

it('a key that a proxy is not given is named with the account', () => {
  expect(texts('credential-not-readable/of-a-sidecar')).toContain(
    'refused with 503 by its own sidecar: its ServiceAccount app/caller may not list Secrets, of which client has its key',
  );
});

it('a PeerAuthentication that refuses at ztunnel is no AuthorizationPolicy', () => {
  const strict = `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec: { mtls: { mode: STRICT } }
`;
  const outside = (yaml: string): string => yaml.replace(/(name: envoy-gateway-system\n +labels:\n +istio.io\/dataplane-mode: )ambient/, '$1none') + strict; // prettier-ignore
  expect(texts('ingress-past-waypoint/envoy-gateway', outside)).toContainEqual(
    expect.stringContaining('it takes mutual TLS of the mesh only (shop/strict)'),
  );
});

it('a PeerAuthentication that takes TLS of the mesh and more refuses nothing for the lack of it', () => {
  const { manifests } = loadText(`
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 9090}]}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: api, namespace: shop}, spec: {selector: {matchLabels: {app: api}}, template: {metadata: {labels: {app: api}}, spec: {containers: [{name: c, image: x, ports: [{containerPort: 9090}]}]}}}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: api, namespace: shop}, spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}}
---
{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: istio-system}, spec: {mtls: {mode: STRICT}}}
`);
  const permissive = manifests.map((one) =>
    one.kind === 'PeerAuthentication' ? { ...one, body: { ...one.body, spec: { mtls: { mode: 'PERMISSIVE' } } } } : one,
  );
  const told = diff(manifests, permissive).changes.map(({ was, is }) => [was.text, is.text]);
  expect(told.length).toBeGreaterThan(0);
  for (const [was, is] of told)
    expect([was, is]).toEqual([expect.stringContaining('it takes mutual TLS of the mesh only'), expect.not.stringContaining('only')]); // prettier-ignore
});
