/** Backends that resolve the host of a request, behind routes of connections: as the translator of 1.7.0 and the sources of 1.9.1 have it. */
import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { outcome, traceIn } from '../trace/text';

const MESH = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  gatewayClassName: eg
  listeners:
    - {name: pass, port: 8443, protocol: TLS, tls: {mode: Passthrough}}
    - {name: ends, port: 9443, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: front}]}}
    - {name: tcp, port: 5432, protocol: TCP}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: any, namespace: edge}
spec: {type: DynamicResolver}
`;

const route = (kind: string, version: string, listener: string, more = ''): string => `---
apiVersion: gateway.networking.k8s.io/${version}
kind: ${kind}
metadata: {name: any, namespace: edge}
spec:
  parentRefs: [{name: front, sectionName: ${listener}}]
  ${more}
  rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: any}]}]
`;
const tls = (listener: string): string => route('TLSRoute', 'v1alpha3', listener, 'hostnames: ["*.example.com"]');
const tcp = route('TCPRoute', 'v1alpha2', 'tcp');

it.each([
  ['TLS that passes through', tls('pass'), 'tls://a.example.com:8443', '1.8', 'NC - at envoy-gateway'],
  ['TLS that passes through', tls('pass'), 'tls://a.example.com:8443', '1.9', 'delivered to a.example.com:443'],
  ['TLS that ends there', tls('ends'), 'tls://a.example.com:9443', '1.9', 'NC - at envoy-gateway'],
  ['TCP', tcp, 'tcp://198.51.100.1:5432', '1.9', 'NC - at envoy-gateway'],
])('%s: found where its connections are closed', (_what, yaml, request, envoyGatewayVersion, expected) => {
  const told = traceIn(MESH + yaml, { envoyGatewayVersion })(request, { from: 'outside', at: 'edge/front' });
  expect(outcome(told)).toBe(expected);
  const found = check(loadText(MESH + yaml), { envoyGatewayVersion }).findings.filter(({ id }) => id === 'EDGE804');
  expect(found.map(({ field }) => field)).toEqual(
    told.outcome === 'delivered' ? [] : ['spec.rules[0].backendRefs[0].name'],
  );
  expect(told.refusal?.fix ?? '').not.toContain('give it one');
});
