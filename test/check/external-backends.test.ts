import { ids, judge } from './judged';

const GATEWAY = (gatewayClass: string): string => `
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: public, namespace: edge}, spec: {gatewayClassName: ${gatewayClass}, listeners: [{name: http, port: 80, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: eg}, spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---`;
const ROUTE = (backend: string): string => `
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: api, namespace: edge}, spec: {parentRefs: [{name: public}], hostnames: [api.example.com], rules: [{backendRefs: [{${backend}}]}]}}
---`;
const ENTRY = (protocol: string): string => `
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: out, namespace: edge}, spec: {hosts: [api.example.net], location: MESH_EXTERNAL, resolution: DNS, ports: [{number: 443, name: a, protocol: ${protocol}}]}}
---`;
const ORIGINATES = `
{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: out, namespace: edge}, spec: {host: api.example.net, trafficPolicy: {tls: {mode: SIMPLE}}}}
---`;
const HOSTNAME = 'group: networking.istio.io, kind: Hostname, name: api.example.net, port: 443';
const BACKEND = (port: number): string => `
{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: Backend, metadata: {name: out, namespace: edge}, spec: {endpoints: [{fqdn: {hostname: api.example.net, port: ${port}}}]}}
---`;
const BACKEND_REF = 'group: gateway.envoyproxy.io, kind: Backend, name: out';
const BACKEND_TLS = `
{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, metadata: {name: out, namespace: edge}, spec: {targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: out}], validation: {hostname: api.example.net, wellKnownCACertificates: System}}}
---`;
const CLASSIC = (host: string): string => `
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: classic, namespace: edge}, spec: {selector: {istio: ingress}, servers: [{hosts: ['*'], port: {number: 80, name: http, protocol: HTTP}}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: api, namespace: edge}, spec: {hosts: [${host}], gateways: [classic], http: [{route: [{destination: {host: api.example.net, port: {number: 443}}}]}]}}
---`;

describe('plain HTTP to the TLS port of a server outside', () => {
  it.each([
    ['of a Hostname at a Gateway of Istio', GATEWAY('istio') + ROUTE(HOSTNAME) + ENTRY('HTTPS'), 'HTTPRoute'],
    ['of a Backend at Envoy Gateway', GATEWAY('eg') + ROUTE(BACKEND_REF) + BACKEND(443), 'HTTPRoute'],
    ['of an entry at a classic Gateway', CLASSIC('api.example.com') + ENTRY('HTTPS'), 'VirtualService'],
  ])('is found: %s', (_what, yaml, kind) => {
    const found = judge(yaml).filter(({ id }) => id === 'EDGE302');
    expect(found.map(({ severity, object }) => [severity, object?.kind])).toEqual([['error', kind]]);
  });

  it.each([
    ['TLS is originated', GATEWAY('istio') + ROUTE(HOSTNAME) + ENTRY('HTTPS') + ORIGINATES],
    ['the entry declares HTTP, which another rule tells', GATEWAY('istio') + ROUTE(HOSTNAME) + ENTRY('HTTP')],
    ['a BackendTLSPolicy is for the Backend', GATEWAY('eg') + ROUTE(BACKEND_REF) + BACKEND(443) + BACKEND_TLS],
    ['the port is 80', GATEWAY('eg') + ROUTE(BACKEND_REF) + BACKEND(80)],
    ['a classic Gateway originates TLS', CLASSIC('api.example.com') + ENTRY('HTTPS') + ORIGINATES],
  ])('is not where %s', (_what, yaml) => expect(ids(yaml).join()).not.toContain('EDGE302'));
});

const CONFIGURED = (extensionApis: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    {apiVersion: gateway.envoyproxy.io/v1alpha1, kind: EnvoyGateway, gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}, extensionApis: ${extensionApis}}
---`;

it('finds a route to a Backend where Envoy Gateway is not told to take Backends', () => {
  const yaml = GATEWAY('eg') + ROUTE(BACKEND_REF) + BACKEND(80);
  const off = judge(yaml + CONFIGURED('{}')).filter(({ severity }) => severity === 'error');
  expect(off.map(({ id, object, fix }) => [id, object?.kind, fix])).toEqual([
    ['EDGE211', 'HTTPRoute', 'Set extensionApis.enableBackend in its configuration.'],
  ]);
  expect(ids(yaml + CONFIGURED('{enableBackend: true}')).join()).not.toContain('EDGE211');
});

it('leaves TLS to port 80 of a Service that a BackendTLSPolicy is for', () => {
  const yaml = `
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: edge}, spec: {selector: {app: web}, ports: [{name: web, port: 80, targetPort: 8443}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: edge, labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, metadata: {name: web, namespace: edge}, spec: {targetRefs: [{group: '', kind: Service, name: web}], validation: {hostname: web.example.net, wellKnownCACertificates: System}}}
---`;
  expect(ids(GATEWAY('eg') + ROUTE('name: web, port: 80') + yaml).join()).not.toContain('EDGE302');
  const outside = GATEWAY('eg') + ROUTE(BACKEND_REF) + BACKEND(80) + BACKEND_TLS;
  expect(ids(outside).join()).toContain('EDGE302');
});
