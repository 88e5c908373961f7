import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

/** A headless Service, whose clients may dial any port of its Pods: of 9999 nothing tells whether the Pods listen there. */
const MESH = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: store, namespace: shop }
spec: { clusterIP: None, selector: { app: store }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: store, namespace: shop, labels: { app: store } }
spec: { containers: [{ name: store, image: store, ports: [{ containerPort: 8080 }] }] }
status: { podIP: 10.0.0.5 }
---
`;
const denied = (namespace: string): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: denied, namespace: shop }
spec: { action: DENY, rules: [{ from: [{ source: { namespaces: [${namespace}] } }], to: [{ operation: { ports: ['9999'] } }] }] }
`;
const rule = (name: string): string => `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name}, namespace: shop }
spec: { host: store.shop.svc.cluster.local, trafficPolicy: { loadBalancer: { simple: RANDOM } } }
`;
const between = (was: string, is: string): ReturnType<typeof diff> =>
  diff(loadText(MESH + was).manifests, loadText(MESH + is).manifests);

describe('a Pod of which nothing tells whether it listens', () => {
  it('listens before as after, or not: what fares alike if it does is no change', () => {
    const [was, is] = ['one', 'other'].map((name) => denied('shop') + rule(name));
    expect(between(was ?? '', is ?? '')).toMatchObject({ changes: [], complete: true, undecided: [] });
  });

  it('is undecided where it matters', () => {
    expect(between(denied('shop') + rule('one'), denied('other') + rule('one'))).toMatchObject({
      changes: [],
      complete: false,
    });
  });
});
