import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const pod = (name: string, owner: string, more = ''): string => `
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop, uid: u-${name}, labels: { app: web${more} }${owner} }
spec: { nodeName: n1, containers: [{ name: web }] }
status: { phase: Running, podIP: 10.0.0.${name.length} }
`;
const replicaSet = (name: string): string =>
  `, generateName: ${name}-, ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: ${name}, uid: r, controller: true }]`;
const told = (...pods: readonly string[]): string[] =>
  check(loadText(`apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { istio-injection: enabled } }\n${pods.join('')}`, 'a.yaml'))
    .findings.filter(({ id }) => id === 'EDGE219')
    .map(({ what }) => what); // prettier-ignore

it('tells Pods that run without a sidecar once for each controller', () => {
  const hash = ', pod-template-hash: 5c9f7b6d4';
  const web = ['web-5c9f7b6d4-aaaaa', 'web-5c9f7b6d4-bbbbb', 'web-5c9f7b6d4-ccccc'].map((name) => pod(name, replicaSet('web-5c9f7b6d4'), hash)); // prettier-ignore
  const job = pod('lonely', '');
  expect(told(...web, job).sort()).toEqual([
    'namespace shop is injected, and 3 Pods of shop/web (web-5c9f7b6d4-aaaaa and others), which are there already, have no istio-proxy',
    'namespace shop is injected, and Pod shop/lonely, which is there already, has no istio-proxy',
  ]);
  // Without generateName Istio does not know the Deployment, and the ReplicaSet is what there is to restart.
  expect(told(...web.map((one) => one.replace(/generateName: \S+ /, '')))[0]).toContain('3 Pods of shop/web-5c9f7b6d4');
  expect(told(web[0] ?? '')).toEqual([
    'namespace shop is injected, and Pod shop/web-5c9f7b6d4-aaaaa, which is there already, has no istio-proxy',
  ]);
});
