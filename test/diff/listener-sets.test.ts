import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const mesh = (frontend = '{default: {}}'): string => `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: app, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: edge}
spec:
  gatewayClassName: istio
  tls: {frontend: ${frontend}}
  allowedListeners: {namespaces: {from: All}}
  listeners: [{name: https, port: 443, protocol: HTTPS, hostname: www.example.com, tls: {certificateRefs: [{name: www}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: app}
spec:
  parentRefs: [{kind: ListenerSet, name: team}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
---
`;
const set = (port = 443): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: team, namespace: app}
spec:
  parentRef: {name: edge, namespace: edge}
  listeners: [{name: https, port: ${port}, protocol: HTTPS, hostname: team.example.com, tls: {certificateRefs: [{name: team}]}}]
`;
const changes = (old: string, next: string): string =>
  diff(loadText(old).manifests, loadText(next).manifests)
    .changes.map(({ effect, to }) => `${effect}: ${to}`)
    .join('\n');

describe('a diff of ListenerSets', () => {
  it('tells the hosts that a set opens, and the ports that it moves to', () => {
    expect(changes(mesh(), mesh() + set())).toBe('widened: https://team.example.com/');
    expect(
      changes(mesh() + set(), mesh() + set(8443))
        .split('\n')
        .sort(),
    ).toEqual(['narrowed: https://team.example.com/', 'widened: https://team.example.com:8443/']);
  });

  it('tells that clients have to show certificates, and no longer', () => {
    const asked = `{default: {validation: {caCertificateRefs: [{group: '', kind: ConfigMap, name: clients}]}}}`;
    const [open, closed] = [mesh() + set(), mesh(asked) + set()];
    expect(changes(open, closed)).toBe('rerouted: https://team.example.com/');
    expect(changes(closed, open)).toBe('weakened: https://team.example.com/');
  });
});
