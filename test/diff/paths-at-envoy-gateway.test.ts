import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const mesh = (section: string): ReturnType<typeof loadText>['manifests'] =>
  loadText(`
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: eg }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: eg, namespace: web }
spec:
  gatewayClassName: eg
  listeners: [{ name: one, port: 80, protocol: HTTP }, { name: other, port: 81, protocol: HTTP }]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: { name: kept, namespace: web }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: eg, sectionName: ${section} }]
  path: { escapedSlashesAction: KeepUnchanged }
`).manifests;

it('paths that are not canonical are undecided where a listener comes to read them otherwise', () => {
  const { complete, undecided } = diff(mesh('one'), mesh('other'));
  expect(complete).toBe(false);
  expect(undecided.map(({ why }) => why).join()).toContain('reads them otherwise than before');
  expect(diff(mesh('one'), mesh('one')).complete).toBe(true);
});
