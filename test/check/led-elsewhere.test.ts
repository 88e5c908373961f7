/** Connections that end at another host than they are for, and rules that what they are for never meets. */
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';
import { judge, NAMESPACES } from './judged';

const object = (api: string, kind: string, namespace: string, name: string, spec: string): string => `
---
apiVersion: ${api}
kind: ${kind}
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}`;
const istio = (kind: string, namespace: string, name: string, spec: string): string => object('networking.istio.io/v1', kind, namespace, name, spec); // prettier-ignore
const route = (kind: string, namespace: string, name: string, spec: string): string => object('gateway.networking.k8s.io/v1alpha2', kind, namespace, name, spec); // prettier-ignore

const ALPHA = object('install.istio.io/v1alpha1', 'IstioOperator', 'istio-system', 'mesh', '{values: {pilot: {env: {PILOT_ENABLE_ALPHA_GATEWAY_API: "true"}}}}'); // prettier-ignore
const SLEEP = `
---
apiVersion: v1
kind: Pod
metadata: {name: sleep, namespace: app, labels: {app: sleep}}
spec: {containers: [{name: sleep, image: curl}]}`;
const database = (name: string, address: string): string =>
  istio('ServiceEntry', 'app', name, `{hosts: [${name}.example.com], addresses: [${address}], ports: [{number: 3306, name: tcp, protocol: TCP}], resolution: DNS}`); // prettier-ignore
const BOTH = NAMESPACES + SLEEP + database('db1', '203.0.113.1') + database('db2', '203.0.113.2');
const OPTIONS = { istioVersion: '1.29', outbound: 'REGISTRY_ONLY' } as const;
const of = (yaml: string, id: string): ReturnType<typeof judge> => judge(yaml, OPTIONS).filter((one) => one.id === id);

describe('two databases behind one port of a gateway', () => {
  const backend = (name: string): string => `backendRefs: [{group: networking.istio.io, kind: Hostname, name: ${name}.example.com, port: 3306}]`; // prettier-ignore
  const byRoutes = (second: number): string =>
    `${BOTH}${ALPHA}${object('gateway.networking.k8s.io/v1', 'Gateway', 'app', 'eg', `{gatewayClassName: istio, listeners: [{name: one, port: 3306, protocol: TCP}, {name: two, port: 3307, protocol: TCP}]}`)}
${['db1', 'db2'].map((name) => route('TCPRoute', 'app', name, `{parentRefs: [{group: networking.istio.io, kind: ServiceEntry, name: ${name}}], rules: [{backendRefs: [{name: eg-istio, port: ${name === 'db1' ? 3306 : second}}]}]}`)).join('')}
${route('TCPRoute', 'app', 'at-db1', `{parentRefs: [{name: eg, sectionName: one}], rules: [{${backend('db1')}}]}`)}
${route('TCPRoute', 'app', 'at-db2', `{parentRefs: [{name: eg, port: ${second}}], rules: [{${backend('db2')}}]}`)}`;

  it('go to the one of the oldest TCPRoute', () => {
    const told = trace(buildMesh(loadText(byRoutes(3306)).manifests, OPTIONS), { from: 'app/sleep', request: 'tcp://203.0.113.2:3306' }); // prettier-ignore
    expect([told.destination?.host, told.noted.map(({ kind }) => kind)]).toEqual(['db1.example.com', expect.arrayContaining(['other-end'])]); // prettier-ignore
    expect(of(byRoutes(3306), 'EDGE217').map(({ severity, object: by, what }) => [severity, by?.name, what])).toEqual([
      ['error', 'at-db2', 'connections to port 3306 of gateway app/eg go to db1.example.com:3306 by TCPRoute app/at-db1, and never to db2.example.com:3306'], // prettier-ignore
    ]);
    expect(of(byRoutes(3307), 'EDGE217')).toEqual([]);
  });

  const EGRESS = 'egress.gw.svc.cluster.local';
  const bySni = (sni: string): string =>
    `${BOTH}
---
apiVersion: v1
kind: Pod
metadata: {name: egress, namespace: gw, labels: {istio: egress}, annotations: {inject.istio.io/templates: gateway}}
spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: egress, namespace: gw}
spec: {selector: {istio: egress}, ports: [{name: tls, port: 443, targetPort: 8443}]}${['db1', 'db2']
      .map(
        (name) =>
          istio('Gateway', 'gw', name, `{selector: {istio: egress}, servers: [{port: {number: 8443, name: tls-${name}, protocol: TLS}, hosts: [${name}.example.com], tls: {mode: ISTIO_MUTUAL}}]}`) +
          istio('VirtualService', 'app', name, `{hosts: [${name}.example.com], gateways: [mesh, gw/${name}], tcp: [{match: [{gateways: [mesh], port: 3306}], route: [{destination: {host: ${EGRESS}, subset: ${name}, port: {number: 443}}}]}, {match: [{gateways: [gw/${name}], port: 8443}], route: [{destination: {host: ${name}.example.com, port: {number: 3306}}}]}]}`), // prettier-ignore
      )
      .join('')}${istio('DestinationRule', 'gw', 'egress', `{host: ${EGRESS}, subsets: [{name: db1, trafficPolicy: {tls: {mode: ISTIO_MUTUAL, sni: db1.example.com}}}, {name: db2, trafficPolicy: {tls: {mode: ISTIO_MUTUAL, sni: ${sni}}}}]}`)}`; // prettier-ignore

  it('are told apart by the SNI that senders write', () => {
    expect(of(bySni('db2.example.com'), 'EDGE217')).toEqual([]);
    expect(of(bySni('db1.example.com'), 'EDGE217').map(({ severity, field }) => [severity, field])).toEqual([
      ['error', 'spec.subsets[1].trafficPolicy.tls'],
    ]);
  });
});

describe('a TLSRoute of the mesh for a domain', () => {
  const site = (host: string): string =>
    NAMESPACES + SLEEP + ALPHA + istio('ServiceEntry', 'app', 'site', `{hosts: [${host}], ports: [{number: 443, name: tls, protocol: TLS}], resolution: ${host.includes('*') ? 'NONE' : 'DNS'}}`); // prettier-ignore
  const tls = (name: string, hostname: string): string =>
    route('TLSRoute', 'app', name, `{hostnames: ['${hostname}'], parentRefs: [{group: networking.istio.io, kind: ServiceEntry, name: site}], rules: [{backendRefs: [{group: networking.istio.io, kind: Hostname, name: site.example.com, port: 443}]}]}`); // prettier-ignore

  it('lets out more than its parent declares', () => {
    const wide = site('site.example.com') + tls('site', '*.example.com');
    const told = trace(buildMesh(loadText(wide).manifests, OPTIONS), { from: 'app/sleep', request: 'https://any.example.com/' }); // prettier-ignore
    expect(told.outcome).toBe('delivered');
    expect(of(wide, 'EDGE514').map(({ field }) => field)).toEqual(['spec.hostnames[0]']);
    expect(of(site('site.example.com') + tls('site', 'site.example.com'), 'EDGE514')).toEqual([]);
  });

  it('meets another one for a host of the domain', () => {
    const two = site('site.example.com') + tls('a', 'site.example.com') + tls('b', '*.example.com');
    expect(of(two, 'EDGE806').map(({ object: by }) => by?.name)).toEqual(['b']);
  });
});

describe('a rule for TCP', () => {
  const rules = (protocol: string, port: number): string => `${NAMESPACES}${SLEEP}
${istio('ServiceEntry', 'app', 'api', `{hosts: [api.example.com], addresses: [203.0.113.3], ports: [{number: 8080, name: api, protocol: ${protocol}}], resolution: DNS}`)}
${istio('VirtualService', 'app', 'api', `{hosts: [api.example.com], tcp: [{match: [{port: ${port}}], route: [{destination: {host: api.example.com, port: {number: 8080}}}]}]}`)}`; // prettier-ignore

  it('is tried neither on HTTP nor on a port that the host lacks', () => {
    expect(of(rules('HTTP', 8080), 'EDGE218').map(({ field, fix }) => [field, fix])).toEqual([
      ['spec.tcp[0].match[0]', 'Write an http rule, which sidecars try on the requests of the port.'],
    ]);
    expect(of(rules('TCP', 9090), 'EDGE218')[0]?.what).toContain('and the rule asks for port 9090');
    expect(of(rules('TCP', 8080), 'EDGE218')).toEqual([]);
  });
});
