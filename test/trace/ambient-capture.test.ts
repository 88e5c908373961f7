import { outcome, traceIn } from './text';

const client = (annotations = ''): string => `
{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio.io/dataplane-mode: ambient}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: plain}}
---
{apiVersion: v1, kind: Pod, metadata: {name: sleep, namespace: app, annotations: {${annotations}}}, spec: {containers: [{name: a, image: a}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: cron, namespace: plain}, spec: {containers: [{name: a, image: a}]}}
---
`;
const SERVER = (annotations: string): string => `
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: app, labels: {app: web}, annotations: {${annotations}}}, spec: {containers: [{name: a, image: a, ports: [{containerPort: 8080}]}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: app}, spec: {selector: {app: web}, ports: [{name: http, port: 8080}]}}
---
{apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: {name: default, namespace: app}, spec: {mtls: {mode: STRICT}}}
---
{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: nobody, namespace: app}, spec: {action: DENY, rules: [{from: [{source: {namespaces: [app]}}]}]}}
---
`;
const BYPASS = "ambient.istio.io/bypass-inbound-capture: 'true'";

describe('what comes to a Pod in ambient mode', () => {
  it.each([
    ['', 'RBAC - at ztunnel'],
    ["ambient.istio.io/bypass-inbound-capture: 'false'", 'RBAC - at ztunnel'],
    [BYPASS, 'delivered to web.app.svc.cluster.local:8080'],
  ])('in plain text is held by ztunnel, unless the Pod says %s', (annotations, told) =>
    expect(outcome(traceIn(client() + SERVER(annotations))('http://web.app:8080/', { from: 'plain/cron' }))).toBe(told),
  );

  it('through a tunnel is held all the same', () =>
    expect(outcome(traceIn(client() + SERVER(BYPASS))('http://web.app:8080/'))).toBe('RBAC - at ztunnel'));
});

const WAYPOINT = `
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: way, namespace: app}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}}
---
`;
const ENTRY = (more = ''): string => `
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: out, namespace: app, labels: {istio.io/use-waypoint: way}}, spec: {hosts: [api.example.com], ${more}location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}}
---
`;
const OFF = [
  '{apiVersion: v1, kind: ConfigMap, metadata: {name: istio-cni-config, namespace: istio-system}, data: {AMBIENT_DNS_CAPTURE: "false"}}',
  '{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: a}, spec: {values: {cni: {ambient: {dnsCapture: false}}}}}',
  '{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: cni, namespace: istio-system}, spec: {chart: {spec: {chart: cni}}, values: {ambient: {dnsCapture: false}}}}',
  '{apiVersion: sailoperator.io/v1, kind: IstioCNI, metadata: {name: default}, spec: {values: {cni: {ambient: {dnsCapture: false}}}}}',
];
const hops = (yaml: string): readonly string[] =>
  traceIn(yaml)('http://api.example.com/').hops.map(({ proxy }) => proxy.kind);

describe('the waypoint of a host without an address', () => {
  it('is found by the name, since ztunnel answers DNS', () =>
    expect(hops(client() + WAYPOINT + ENTRY())).toEqual(['ztunnel', 'waypoint']));

  it.each(OFF)('is not where the plugin has DNS left alone: %s', (installation) => {
    const yaml = `${installation}\n---${client() + WAYPOINT + ENTRY()}`;
    expect(hops(yaml)).toEqual(['ztunnel']);
    expect(traceIn(yaml)('http://api.example.com/').noted.map(({ kind }) => kind)).toContain('dns-not-captured');
  });

  it('hangs on the Pod first', () => {
    expect(hops(client("ambient.istio.io/dns-capture: 'false'") + WAYPOINT + ENTRY())).toEqual(['ztunnel']);
    expect(hops(`${OFF[0]}\n---${client("ambient.istio.io/dns-capture: 'true'") + WAYPOINT + ENTRY()}`)).toEqual(['ztunnel', 'waypoint']); // prettier-ignore
  });

  it('needs no DNS where the entry has an address', () =>
    expect(hops(`${OFF[0]}\n---${client() + WAYPOINT + ENTRY('addresses: [203.0.113.9], ')}`)).toEqual(['ztunnel', 'waypoint'])); // prettier-ignore
});
