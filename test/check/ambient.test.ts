import { check } from '../../src/check/check';
import { loadObjects, loadText } from '../../src/model/load';
import { LAB_RELEASES } from '../lab/versions';
import { WORLD } from '../mesh/ambient-variations';

// What a real istiod and waypoint made of the same world is asked by test/mesh/ambient-trace.test.ts.
const found = check(loadObjects(WORLD), { istioVersion: LAB_RELEASES.istioVersion }).findings.filter(
  ({ id }) => /^EDGE7[01]/.test(id) && id !== 'EDGE709',
);
const about = (name: string): readonly string[] => [
  ...new Set(found.filter(({ object }) => object?.name === name).map(({ id }) => id)),
];

describe('check of a world whose waypoints were seen at work', () => {
  it.each([
    ['a waypoint that admits no such namespace', 'not-admitted', 'EDGE702'],
    ['a waypoint for workloads', 'to-workloads', 'EDGE702'],
    ['a waypoint for nothing', 'to-nothing', 'EDGE702'],
    ['a waypoint of another namespace that is not named', 'own-label', 'EDGE702'],
    ['a policy that selects the waypoint’s Pods', 'by-selector', 'EDGE706'],
    ['an entry that is bound to nothing, beside others that are', 'unbound', 'EDGE707'],
    ['an entry that is given no address', 'no-address', 'EDGE708'],
    ['an entry that is not resolved and has no address', 'no-resolution', 'EDGE708'],
    ['an entry with a range', 'range', 'EDGE708'],
    ['a wildcard that is resolved by DNS', 'wild-dns', 'EDGE708'],
    ['TLS to any name', 'wild-tls', 'EDGE708'],
    ['a static entry whose endpoint can be dialled', 'static', 'EDGE710'],
    ['a route of a third namespace', 'routed-elsewhere', 'EDGE711'],
    ['a route by labels', 'by-labels', 'EDGE711'],
    ['TLS asked for in a third namespace', 'tls-elsewhere', 'EDGE712'],
    ['TLS asked for in a rule that is not exported', 'tls-private', 'EDGE712'],
    ['TLS for an entry that is not exported', 'private-tls', 'EDGE712'],
    ['mutual TLS of the mesh', 'tls-of-mesh', 'EDGE712'],
  ])('finds %s', (_, name, id) => expect(about(name)).toContain(id));

  it.each([
    ...['by-namespace', 'admitted', 'private', 'original', 'wild', 'tls-beside-waypoint'],
    ...[
      'tls-beside-entry',
      'tls-of-root',
      'tls-of-subset',
      'by-target',
      'routed-beside-waypoint',
      'routed-beside-entry',
    ],
  ])('has nothing against %s', (name) => expect(about(name)).toEqual([]));
});

describe('check of a policy for Pods that only ztunnel guards', () => {
  const fields = (rule: string): readonly string[] =>
    check(
      loadText(`
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
---
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec: {containers: [{name: cart, image: cart}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: some, namespace: shop}
spec: {action: DENY, selector: {matchLabels: {app: cart}}, rules: [${rule}]}`),
    )
      .findings.filter(({ id }) => id === 'EDGE315')
      .map(({ field }) => `${field}`);

  it.each([
    ['{when: [{key: connection.sni, values: [a.com]}]}', ['spec.rules[0].when[0].key']],
    ['{when: [{key: remote.ip, values: [192.0.2.1]}]}', ['spec.rules[0].when[0].key']],
    ['{from: [{source: {notRemoteIpBlocks: [192.0.2.1]}}]}', ['spec.rules[0].from[0].source.notRemoteIpBlocks']],
    ['{when: [{key: source.ip, values: [192.0.2.1]}]}', []],
    ['{from: [{source: {ipBlocks: [192.0.2.1]}}]}', []],
  ])('names what ztunnel is not told of: %s', (rule, expected) => expect(fields(rule)).toEqual(expected));
});

describe('check of a wildcard that a waypoint resolves', () => {
  const world = (controller: string, env = ''): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: way }
spec: { controllerName: ${controller} }
---
apiVersion: v1
kind: Namespace
metadata: { name: out, labels: { istio.io/dataplane-mode: ambient } }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: way, namespace: out }
spec: { gatewayClassName: way, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: wild, namespace: out, labels: { istio.io/use-waypoint: way } }
spec: { hosts: ['*.example.com'], resolution: DYNAMIC_DNS, ports: [{ number: 443, name: tls, protocol: TLS }] }
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: { name: mesh, namespace: istio-system }
spec: { values: { pilot: { env: { ${env} } } } }
`;
  const ids = (yaml: string): readonly string[] => check(loadText(yaml)).findings.map(({ id }) => id);

  it('tells of its ports of TLS, unless istiod is told to take them, or another controller makes the waypoint', () => {
    const istio = 'istio.io/mesh-controller';
    expect(ids(world(istio))).toContain('EDGE708');
    expect(ids(world(istio, 'ENABLE_WILDCARD_HOST_SERVICE_ENTRIES_FOR_TLS: "true"'))).not.toContain('EDGE708');
    expect(ids(world('example.com/agents'))).not.toContain('EDGE708');
  });
});
