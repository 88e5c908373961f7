import { loadObjects } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';
import { LAB_RELEASES } from '../lab/versions';
import { WORLD } from '../mesh/ambient-variations';
import { traceIn } from './text';

// What a real istiod and waypoint did with the same world is asked by test/mesh/ambient-trace.test.ts.
const mesh = buildMesh(loadObjects(WORLD).manifests, { istioVersion: LAB_RELEASES.istioVersion });

function outcome(request: string): string {
  const { hops, destination, refusal, answer, outcome: is } = trace(mesh, { from: 'shop/caller', request });
  const way = hops.map(({ proxy }) => (proxy.kind === 'waypoint' ? proxy.workload : proxy.kind)).join(' > ');
  const end =
    destination === null
      ? `${(refusal ?? answer)?.code} ${(refusal ?? answer)?.status}`
      : `${destination.port} ${destination.tls}`;
  return `${way}: ${is === 'unknown' ? is : end}`;
}

describe('a request of an ambient workload', () => {
  it.each([
    ['is led by the label of the namespace', 'by-namespace', 'ztunnel > main: 80 NONE'],
    ['goes straight where the service opts out', 'opted-out', 'ztunnel: 80 NONE'],
    ['looks for the waypoint beside the service where no namespace is named', 'own-label', 'ztunnel: 80 NONE'],
    ['goes straight where the waypoint admits no such namespace', 'not-admitted', 'ztunnel: 80 NONE'],
    ['is led by a waypoint for all traffic, and held there', 'admitted', 'ztunnel > closed: RBAC 403'],
    ['goes straight where the waypoint is for workloads', 'to-workloads', 'ztunnel: 80 NONE'],
    ['goes straight where the waypoint is for nothing', 'to-nothing', 'ztunnel: 80 NONE'],
    ['goes straight where there is no such waypoint', 'missing', 'ztunnel: 80 NONE'],
    ['is led whomever the service is exported to', 'private', 'ztunnel > main: 80 NONE'],
    ['is not known without an address', 'no-address', 'ztunnel: 80 NONE'],
    ['is not known with resolution NONE', 'no-resolution', 'ztunnel: 80 NONE'],
    ['is not known where a range is among the addresses', 'range', 'ztunnel: 80 NONE'],
    ['gets TLS by a rule beside the waypoint', 'tls-beside-waypoint', 'ztunnel > main: 443 SIMPLE'],
    ['gets TLS by a rule beside the service', 'tls-beside-entry', 'ztunnel > main: 443 SIMPLE'],
    ['gets no TLS by a rule of a third namespace', 'tls-elsewhere', 'ztunnel > main: 443 NONE'],
    ['gets no TLS by a rule that the waypoint is not shown', 'tls-private', 'ztunnel > main: 443 NONE'],
    ['gets no TLS by a rule for a service that the waypoint is not shown', 'private-tls', 'ztunnel > main: 443 NONE'],
    ['gets no mutual TLS of the mesh towards a site', 'tls-of-mesh', 'ztunnel > main: 80 NONE'],
    ['passes a policy that selects the waypoint’s Pods', 'by-selector', 'ztunnel > main: 80 NONE'],
    ['is held by a policy that targets the service', 'by-target', 'ztunnel > main: RBAC 403'],
    ['passes a policy that targets it from another namespace', 'by-target-elsewhere', 'ztunnel > main: 80 NONE'],
    ['passes a policy that is only rehearsed', 'rehearsed', 'ztunnel > main: 80 NONE'],
    ['is held by a policy that targets the waypoint', 'of-closed', 'ztunnel > closed: RBAC 403'],
    [
      'is routed by a VirtualService beside the waypoint',
      'routed-beside-waypoint',
      'ztunnel > main: direct_response 418',
    ],
    ['is routed by a VirtualService beside the service', 'routed-beside-entry', 'ztunnel > main: direct_response 418'],
    ['is not routed by a VirtualService of a third namespace', 'routed-elsewhere', 'ztunnel > main: 80 NONE'],
    ['is routed by an HTTPRoute for the service', 'by-http-route', 'ztunnel > main: redirect 302'],
    ['is not routed by labels of its workload', 'by-labels', 'ztunnel > main: direct_response 419'],
    ['takes the waypoint’s namespace for its own in routes', 'by-source', 'ztunnel > main: direct_response 419'],
    ['gets 404 where no route takes it', 'unmatched', 'ztunnel > main: NR 404'],
    ['gets 503 where the route leads to nobody', 'to-nobody', 'ztunnel > main: NC 503'],
  ])('%s', (_, name, expected) => expect(outcome(`http://${name}.example.com/`)).toBe(expected));

  it.each([
    ['held by a policy', 'by-target', 'inbound-vip|80|http|by-target.example.com'],
    ['answered by a redirect', 'by-http-route', null],
  ])('tells the cluster that the waypoint logs where it is %s', (_, name, cluster) => {
    const { hops } = trace(mesh, { from: 'shop/caller', request: `http://${name}.example.com/` });
    expect(hops.at(-1)?.cluster).toBe(cluster);
  });

  it('is refused by ztunnel on a port that a service without waypoint has not', () => {
    expect(outcome('http://unbound.example.com:82/')).toBe('ztunnel: UH null');
  });

  it('is refused by the waypoint on a port that its service has not', () => {
    expect(outcome('http://by-namespace.example.com:82/')).toBe('ztunnel > main: NR null');
  });

  it('is told why a label leads nowhere', () => {
    const { notes } = trace(mesh, { from: 'shop/caller', request: 'http://to-workloads.example.com/' });
    expect(notes.join()).toContain('Gateway waypoints/for-workloads is for traffic "workload" (istio.io/waypoint-for)');
  });

  it('is held by the policies of its own network on the way to the waypoint', () => {
    const policy = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'cut', namespace: 'shop' },
      spec: { podSelector: {}, policyTypes: ['Egress'] },
    };
    const held = buildMesh(loadObjects([...WORLD, policy]).manifests);
    const { refusal } = trace(held, { from: 'shop/caller', request: 'http://by-namespace.example.com/' });
    expect(refusal).toMatchObject({ code: 'UF', by: { kind: 'NetworkPolicy', name: 'cut' } });
  });
});

describe('an ambient Pod', () => {
  const namespace = (name: string, labels = ''): string => `
---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {${labels}}}`;
  const pod = (at: string, name: string, labels = ''): string => `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${at}, labels: {app: ${name}, ${labels}}}
spec: {serviceAccountName: ${name}, containers: [{name: c, image: c}]}`;
  const manifests = [
    namespace('amb', 'istio.io/dataplane-mode: ambient'),
    namespace('side', 'istio-injection: enabled'),
    namespace('plain'),
    pod('amb', 'shop'),
    pod('amb', 'caller'),
    pod('amb', 'out', 'istio.io/dataplane-mode: none'),
    pod('side', 'caller'),
    pod('plain', 'caller'),
    `
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: amb}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}`,
  ].join('');
  const strict = (field: string): string => `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: amb}
spec: ${field}`;
  const allow = (rule: string): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: allow, namespace: amb}
spec: {rules: [${rule}]}`;
  const asked = (from: string, more = ''): string => {
    const { hops, refusal } = traceIn(manifests + more, {})('http://shop.amb/', { from });
    const way = hops.map(({ proxy, receives }) => `${proxy.kind} ${receives.tls}`).join(' > ');
    return refusal === null ? way : `${way}: ${refusal.code} ${refusal.status ?? '-'}`;
  };

  it('is reached through its ztunnel, with mutual TLS by whoever is of the mesh', () => {
    expect(asked('amb/caller')).toBe('ztunnel NONE > ztunnel ISTIO_MUTUAL');
    expect(asked('side/caller')).toBe('sidecar NONE > ztunnel ISTIO_MUTUAL');
    expect(asked('plain/caller')).toBe('none NONE > ztunnel NONE');
    expect(asked('amb/out')).toBe('none NONE > ztunnel NONE');
  });

  it('takes no plain text where mutual TLS is demanded', () => {
    const all = strict('{mtls: {mode: STRICT}}');
    expect(asked('plain/caller', all)).toBe('none NONE > ztunnel NONE: RBAC -');
    expect(asked('amb/caller', all)).toBe('ztunnel NONE > ztunnel ISTIO_MUTUAL');
    expect(asked('plain/caller', strict('{mtls: {mode: PERMISSIVE}}'))).toBe('none NONE > ztunnel NONE');
    const port = 'selector: {matchLabels: {app: shop}}, portLevelMtls: {8080: {mode: PERMISSIVE}}';
    expect(asked('plain/caller', strict(`{${port}, mtls: {mode: STRICT}}`))).toBe('none NONE > ztunnel NONE');
  });

  it('is guarded by who sends', () => {
    const sidecars = allow('{from: [{source: {principals: ["cluster.local/ns/side/sa/caller"]}}]}');
    expect(asked('side/caller', sidecars)).toBe('sidecar NONE > ztunnel ISTIO_MUTUAL');
    expect(asked('amb/caller', sidecars)).toBe('ztunnel NONE > ztunnel ISTIO_MUTUAL: RBAC -');
    expect(asked('plain/caller', sidecars)).toBe('none NONE > ztunnel NONE: RBAC -');
    const ambient = allow('{from: [{source: {namespaces: [amb]}}]}');
    expect(asked('side/caller', ambient)).toBe('sidecar NONE > ztunnel ISTIO_MUTUAL: RBAC 503');
  });

  describe('under policies of which ztunnel is not told all', () => {
    const policy = (spec: string, more = ''): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: some, namespace: amb${more}}
spec: ${spec}`;
    const passed = 'ztunnel NONE > ztunnel ISTIO_MUTUAL';
    const held = `${passed}: RBAC -`;
    const domain = `
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {meshConfig: {trustDomain: corp.example.com, trustDomainAliases: [old.example.com]}}`;

    it.each([
      ['asks no authorizer', '{action: CUSTOM, provider: {name: gone}, rules: [{}]}', passed],
      ['passes over a DENY for an SNI', '{action: DENY, rules: [{when: [{key: connection.sni, values: [a.com]}]}]}', passed], // prettier-ignore
      ['passes over one for remoteIpBlocks', '{action: DENY, rules: [{from: [{source: {remoteIpBlocks: [192.0.2.1]}}]}]}', passed], // prettier-ignore
      ['passes over one for paths', '{action: DENY, rules: [{to: [{operation: {paths: ["/admin"]}}]}]}', passed],
      ['passes over one for paths by somebody', '{action: DENY, rules: [{from: [{source: {namespaces: [amb]}}], to: [{operation: {paths: ["/admin"]}}]}]}', passed], // prettier-ignore
      ['passes over one for a header', '{action: DENY, rules: [{from: [{source: {namespaces: [amb]}}], when: [{key: "request.headers[a]", values: [b]}]}]}', passed], // prettier-ignore
      ['leaves paths out of a DENY for ports', '{action: DENY, rules: [{to: [{operation: {ports: ["8080"], paths: ["/admin"]}}]}]}', held], // prettier-ignore
      ['leaves paths out of one beside another for ports', '{action: DENY, rules: [{to: [{operation: {paths: ["/admin"]}}, {operation: {notPorts: ["1"]}}]}]}', held], // prettier-ignore
      ['leaves requestPrincipals out of one for namespaces', '{action: DENY, rules: [{from: [{source: {namespaces: [amb], requestPrincipals: ["*"]}}]}]}', held], // prettier-ignore
      ['keeps what it knows of a DENY', '{action: DENY, rules: [{to: [{operation: {ports: ["1"], paths: ["/admin"]}}]}]}', passed], // prettier-ignore
      ['denies everybody by a rule without conditions', '{action: DENY, rules: [{}]}', held],
      ['leaves out an ALLOW for remoteIpBlocks', '{rules: [{from: [{source: {remoteIpBlocks: [0.0.0.0/0]}}]}]}', held],
      ['leaves out an ALLOW for anything but an SNI', '{rules: [{when: [{key: connection.sni, notValues: [a.com]}]}]}', held], // prettier-ignore
      ['leaves out an ALLOW for a service account in a condition', '{rules: [{when: [{key: source.serviceAccount, values: [amb/caller]}]}]}', held], // prettier-ignore
      ['takes one for a service account of a source', '{rules: [{from: [{source: {serviceAccounts: [amb/caller]}}]}]}', passed], // prettier-ignore
    ])('%s', (_, spec, expected) => expect(asked('amb/caller', policy(spec))).toBe(expected));

    it.each([
      ['the trust domain', 'corp.example.com', passed],
      ['what stands for it at Envoys', 'cluster.local', held],
      ['its alias', 'old.example.com', held],
    ])('knows no other name of a trust domain: %s', (_, name, expected) => {
      const allowed = policy(`{rules: [{from: [{source: {principals: [${name}/ns/amb/sa/caller]}}]}]}`);
      expect(asked('amb/caller', domain + allowed)).toBe(expected);
    });
  });

  describe('that is dialled by its address', () => {
    const led = (labels: string, forWhat: string, more = ''): string => {
      const told = `
---
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: amb, labels: {${labels}}}
spec: {serviceAccountName: alone, containers: [{name: c, image: c}]}
status: {podIP: 10.1.1.1, podIPs: [{ip: 10.1.1.1}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: way, namespace: amb, labels: {istio.io/waypoint-for: ${forWhat}}}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}`;
      const { hops, refusal } = traceIn(manifests + told + more, {})('http://10.1.1.1:8080/', { from: 'amb/caller' });
      const way = hops.map(({ proxy }) => proxy.kind).join(' > ');
      return refusal === null ? way : `${way}: ${refusal.code} ${refusal.status ?? '-'}`;
    };
    const asks = 'istio.io/use-waypoint: way';
    const policy = (kind: string, name: string, at: string, spec: string): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: some, namespace: ${at}}
spec: {targetRefs: [{group: "${kind === 'Service' ? '' : 'gateway.networking.k8s.io'}", kind: ${kind}, name: ${name}}], ${spec}}`;
    const deny = 'action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]';

    it.each([
      ['is led through a waypoint for workloads', asks, 'workload', '', 'ztunnel > waypoint > ztunnel'],
      ['is led through one for all', asks, 'all', '', 'ztunnel > waypoint > ztunnel'],
      ['is not led through one for services', asks, 'service', '', 'ztunnel > ztunnel'],
      ['is not led where it does not ask', 'a: b', 'all', '', 'ztunnel > ztunnel'],
      ['is held by a policy of the waypoint', asks, 'workload', policy('Gateway', 'way', 'amb', deny), 'ztunnel > waypoint: RBAC 403'], // prettier-ignore
      ['is held by a policy of its class', asks, 'all', policy('GatewayClass', 'istio-waypoint', 'istio-system', deny), 'ztunnel > waypoint: RBAC 403'], // prettier-ignore
      ['is held by none of a service', asks, 'all', policy('Service', 'shop', 'amb', deny), 'ztunnel > waypoint > ztunnel'], // prettier-ignore
      ['knows the waypoint for its caller', asks, 'all', allow('{from: [{source: {principals: [cluster.local/ns/amb/sa/caller]}}]}'), 'ztunnel > waypoint > ztunnel: RBAC 503'], // prettier-ignore
    ])('%s', (_, labels, forWhat, more, expected) => expect(led(labels, forWhat, more)).toBe(expected));
  });

  // As convertedSelectorPeerAuthentications and convertPeerAuthentication of istiod have it.
  describe('under a PeerAuthentication for a port', () => {
    const mtls = (name: string, at: string, spec: string): string => `
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: ${name}, namespace: ${at}}
spec: ${spec}`;
    const own = (port: number, mode: string, whole = ''): string =>
      mtls('own', 'amb', `{selector: {matchLabels: {app: shop}}, portLevelMtls: {${port}: {mode: ${mode}}}${whole}}`);
    const mesh = mtls('mesh', 'istio-system', '{mtls: {mode: STRICT}}');
    const ofNamespace = mtls('all', 'amb', '{mtls: {mode: STRICT}}');
    const passed = 'none NONE > ztunnel NONE';
    const held = `${passed}: RBAC -`;

    it.each([
      ['opens it against the namespace by PERMISSIVE', ofNamespace + own(8080, 'PERMISSIVE'), passed],
      ['opens no other', ofNamespace + own(1, 'PERMISSIVE'), held],
      ['opens it not by DISABLE, where it says nothing of the others', ofNamespace + own(8080, 'DISABLE'), held],
      ['opens it by DISABLE, where it says so of the others', own(8080, 'DISABLE', ', mtls: {mode: STRICT}'), passed],
      ['closes it', own(8080, 'STRICT'), held],
      ['closes it against the namespace', ofNamespace + own(8080, 'STRICT', ', mtls: {mode: PERMISSIVE}'), held],
      ['closes it not where the mesh is STRICT and the workload is not', mesh + own(8080, 'STRICT', ', mtls: {mode: PERMISSIVE}'), passed], // prettier-ignore
      ['opens all where the namespace’s says nothing', mesh + mtls('all', 'amb', '{}') + own(1, 'PERMISSIVE'), passed],
      ['opens one where the namespace has none', mesh + own(1, 'PERMISSIVE'), held],
    ])('%s', (_, policies, expected) => expect(asked('plain/caller', policies)).toBe(expected));
  });
});
