/** Which BackendTLSPolicy Envoy Gateway takes for a backend: internal/gatewayapi/backendtlspolicy.go of 1.7.0 and 1.8.3. */
import { MESH } from './envoy-gateway-world';
import { traceIn } from './text';

const SERVICE = 'group: "", kind: Service, name: shop';
const tls = (name: string, target: string, more = ''): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: ${name}, namespace: app${more}}
spec: {targetRefs: [{${target}}], validation: {wellKnownCACertificates: System, hostname: ${name}.example.com}}`;

const sni = (yaml: string, release: string): string | null | undefined => {
  const told = traceIn(yaml, { envoyGatewayVersion: release })('http://www.example.com/', {
    from: 'outside',
    at: 'app/front',
  });
  return told.hops.at(-1)?.sends?.sni;
};

describe('of several BackendTLSPolicies of one backend', () => {
  const whole = tls('a-whole', SERVICE);
  const port = tls('b-port', `${SERVICE}, sectionName: http`);

  it('one for the port counts since 1.8.1 and 1.7.4, and before the one that comes first', () => {
    for (const yaml of [MESH + whole + port, MESH + port + whole]) {
      expect(sni(yaml, '1.9')).toBe('b-port.example.com');
      for (const release of ['1.8', '1.8.1', '1.7', 'v1.7.5', '1.7.4'])
        expect(sni(yaml, release)).toBe('b-port.example.com');
      for (const release of ['1.8.0', 'v1.7.3', '1.7.0', '1.6']) expect(sni(yaml, release)).toBe('a-whole.example.com');
    }
  });

  it('the older counts, else the first by name, wherever it stands among the files', () => {
    const old = tls('z-old', SERVICE, ', creationTimestamp: "2024-01-01T00:00:00Z"');
    const young = tls('a-young', SERVICE, ', creationTimestamp: "2025-01-01T00:00:00Z"');
    expect(sni(MESH + young + old, '1.9')).toBe('z-old.example.com');
    expect(sni(MESH + tls('b', SERVICE) + tls('a', SERVICE), '1.9')).toBe('a.example.com');
  });

  it('a target of another group, kind or port is not it', () => {
    for (const target of ['group: example.com, kind: Service, name: shop', 'group: "", kind: ServiceImport, name: shop', `${SERVICE}, sectionName: https`])
      expect(sni(MESH + tls('a', target), '1.9')).toBeNull(); // prettier-ignore
  });

  it('an earlier target for the whole hides a later one for the port in the same policy', () => {
    const both = tls('b-both', `${SERVICE}}, {${SERVICE}, sectionName: http`);
    expect(sni(MESH + both + whole, '1.9')).toBe('a-whole.example.com');
  });
});

describe('the BackendTLSPolicy of a Backend', () => {
  const BACKEND = 'group: gateway.envoyproxy.io, kind: Backend, name: out';
  const world = (port: string): string =>
    `${MESH.replace('    - backendRefs: [{name: shop, port: 80}]', `    - backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: out${port}}]`)}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: out, namespace: app}
spec: {endpoints: [{fqdn: {hostname: out.example.org, port: 443}}]}`;

  it('names a port by its number, which counts where the route says one', () => {
    const policy = tls('a', `${BACKEND}, sectionName: "443"`);
    expect(sni(world(', port: 443') + policy, '1.9')).toBe('a.example.com');
    expect(sni(world('') + policy, '1.9')).toBeNull();
    expect(sni(world('') + tls('a', BACKEND), '1.9')).toBe('a.example.com');
  });

  it('is none that names the kind without its group', () => {
    expect(sni(world('') + tls('a', 'group: "", kind: Backend, name: out'), '1.9')).toBeNull();
  });
});

describe('the TLS of a Backend itself', () => {
  const world = (tls: string, endpoint = 'fqdn: {hostname: out.example.org, port: 443}'): string =>
    `${MESH.replace('    - backendRefs: [{name: shop, port: 80}]', '    - backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: out}]')}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: out, namespace: app}
spec: {endpoints: [{${endpoint}}], tls: {wellKnownCACertificates: System, ${tls}}}`;

  it('says the name of the endpoint where it is told to, unless a policy says another', () => {
    expect(sni(world('autoSNIFromEndpointHostname: true'), '1.9')).toBe('out.example.org');
    const named = 'hostname: named.example.org, ip: {address: 192.0.2.7, port: 443}';
    expect(sni(world('autoSNIFromEndpointHostname: true', named), '1.9')).toBe('named.example.org');
    expect(sni(world('sni: said.example.org'), '1.9')).toBe('said.example.org');
    const policy = tls('a', 'group: gateway.envoyproxy.io, kind: Backend, name: out');
    expect(sni(world('autoSNIFromEndpointHostname: true') + policy, '1.9')).toBe('a.example.com');
  });
});

describe('BackendTLSPolicies where the Gateway API does not serve them as v1', () => {
  const tlsWith = (gatewayApiVersion: string): string | null | undefined =>
    traceIn(MESH + tls('a', SERVICE), { gatewayApiVersion })('http://www.example.com/', { from: 'outside', at: 'app/front' }).hops.at(-1)?.sends?.sni; // prettier-ignore

  it('are read by neither product', () => {
    expect(tlsWith('1.4')).toBe('a.example.com');
    expect(tlsWith('1.3/experimental')).toBeNull();
  });
});
