import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const deployment = (version: string): string => `---
apiVersion: apps/v1
kind: Deployment
metadata: { name: reviews-${version}, namespace: prod }
spec:
  selector: { matchLabels: { app: reviews, version: ${version} } }
  template:
    metadata: { labels: { app: reviews, version: ${version} } }
    spec: { containers: [{ name: reviews, image: reviews, ports: [{ containerPort: 9080 }] }] }
`;
const MESH = `
apiVersion: v1
kind: Namespace
metadata: { name: prod, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: prod }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: prod }
spec: { host: reviews, subsets: [{ name: v1, labels: { version: v1 } }] }
${deployment('v1')}${deployment('v2')}`;
const PINNED = `${MESH}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: prod }
spec: { hosts: [reviews], http: [{ route: [{ destination: { host: reviews, subset: v1 } }] }] }
`;
const AMBIENT = MESH.replace('istio-injection: enabled', 'istio.io/dataplane-mode: ambient');
const narrower = (mesh: string): string => mesh.replace('{ app: reviews }, ports: [{ name: http', '{ app: reviews, version: v1 }, ports: [{ name: http'); // prettier-ignore
const pod = (name: string): string => `---
apiVersion: v1
kind: Pod
metadata:
  name: reviews-v1-5d8f7c9b4-${name}
  generateName: reviews-v1-5d8f7c9b4-
  namespace: prod
  labels: { app: reviews, version: v1, pod-template-hash: 5d8f7c9b4 }
  ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: reviews-v1-5d8f7c9b4, uid: a, controller: true }]
spec:
  initContainers: [{ name: istio-init, image: istio/proxyv2 }]
  containers: [{ name: reviews, image: reviews, ports: [{ containerPort: 9080 }] }, { name: istio-proxy, image: istio/proxyv2 }]
status: { podIP: 10.0.0.${name.length} }
`;

function told(was: string, is: string): readonly string[] {
  const { changes, complete } = diff(loadText(was).manifests, loadText(is).manifests);
  expect(complete).toBe(true);
  return [...new Set(changes.map(({ effect, to, is: now }) => `${effect} ${to}: ${now.servers.join()}`))];
}

describe('workloads that may answer', () => {
  const to = 'rerouted http://reviews.prod.svc.cluster.local:9080/';

  it('are all that a Service has, once no route picks some', () => {
    expect(told(PINNED, MESH)).toEqual([`${to}: prod/reviews-v1,prod/reviews-v2`]);
    expect(told(MESH, PINNED)).toEqual([`${to}: prod/reviews-v1`]);
  });

  it.each([
    ['sidecars', MESH],
    ['ztunnel', AMBIENT],
  ])('are fewer where a Service selects fewer, for clients behind %s', (_proxy, mesh) => {
    expect(narrower(mesh)).not.toBe(mesh);
    expect(told(mesh, narrower(mesh))).toEqual([`${to}: prod/reviews-v1`]);
  });

  it('are more with a further Deployment that a Service selects', () => {
    expect(told(MESH, MESH + deployment('v3'))).toEqual([`${to}: prod/reviews-v1,prod/reviews-v2,prod/reviews-v3`]);
  });

  it('are the same whatever Pods they have', () => {
    expect(told(MESH + pod('a'), MESH + pod('bb') + pod('ccc'))).toEqual([]);
  });
});
