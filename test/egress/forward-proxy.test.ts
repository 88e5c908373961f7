import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalServiceProps } from '../../src/egress/external-service';
import { Resolution } from '../../src/egress/resolution';
import { SidecarEgress } from '../../src/egress/sidecar-egress';
import { outcome, traceIn } from '../trace/text';
import { Mesh, http, https, payments } from './policy-mesh';

const ANY: Partial<ExternalServiceProps> = {
  hosts: ['*.example.com'],
  resolution: Resolution.dynamicForwardProxy(),
};

function patches(mesh: Mesh): string[] {
  return mesh.spec('EnvoyFilter').configPatches.map(({ applyTo, match, patch }: any) => {
    const { cluster, listener } = match;
    const place = cluster ? `${cluster.service}:${cluster.portNumber}` : (listener.filterChain.sni ?? 'any');
    return `${applyTo} ${patch.operation} ${place} ${patch.value.name ?? patch.value.cluster_type.name}`;
  });
}

describe('a wildcard whose names the gateway resolves', () => {
  it('makes its clusters dynamic forward proxies, and resolves names by SNI and by Host', () => {
    const mesh = new Mesh();
    mesh.gateway.forward(mesh.service('any', ANY), { http: HttpEgress.originateTls() });
    expect(patches(mesh)).toEqual([
      'CLUSTER MERGE *.example.com:443 envoy.clusters.dynamic_forward_proxy',
      'NETWORK_FILTER INSERT_BEFORE *.example.com envoy.filters.network.sni_dynamic_forward_proxy',
      'HTTP_FILTER INSERT_BEFORE any envoy.filters.http.dynamic_forward_proxy',
    ]);
    expect(mesh.spec('EnvoyFilter').workloadSelector).toEqual({ labels: { istio: 'egressgateway' } });
    expect(mesh.spec('ServiceEntry')).toMatchObject({
      resolution: 'DNS',
      endpoints: [{ address: 'dynamic-forward-proxy.mesh-edge.invalid' }],
    });
  });

  it('takes no port from a Host header', () => {
    const mesh = new Mesh();
    mesh.gateway.forward(mesh.service('any', { ...ANY, ports: [http] }));
    const [, atGateway] = mesh.spec('VirtualService').http;
    expect(atGateway.match).toEqual([
      { gateways: ['istio-system/istio-egressgateway'], port: 80, authority: { regex: '[^:]+' } },
    ]);
  });

  it('shares one EnvoyFilter with other wildcards of policies', () => {
    const mesh = new Mesh();
    const any = mesh.service('any', { ...ANY, ports: [ExternalPort.tls(8443)] });
    const other = { ...ANY, hosts: ['*.example.net'] };
    mesh.policy(
      { from: [payments], to: [any] },
      { from: [payments], to: [mesh.service('other', other)], http: HttpEgress.originateTls() },
    );
    expect(patches(mesh)).toEqual([
      'CLUSTER MERGE *.example.com:8443 envoy.clusters.dynamic_forward_proxy',
      'CLUSTER MERGE *.example.net:80 envoy.clusters.dynamic_forward_proxy',
      'CLUSTER MERGE *.example.net:443 envoy.clusters.dynamic_forward_proxy',
      'NETWORK_FILTER INSERT_BEFORE *.example.com envoy.filters.network.sni_dynamic_forward_proxy',
      'NETWORK_FILTER INSERT_BEFORE *.example.net envoy.filters.network.sni_dynamic_forward_proxy',
      'HTTP_FILTER INSERT_BEFORE any envoy.filters.http.dynamic_forward_proxy',
    ]);
    const [, , , bySni] = mesh.spec('EnvoyFilter').configPatches;
    expect(bySni.patch.value.typed_config.port_value).toBe(8443);
    expect(mesh.refused()).toBe('');
  });

  it('is all that needs an EnvoyFilter', () => {
    const mesh = new Mesh();
    mesh.gateway.forward(mesh.service('a.example.com'));
    expect(mesh.names('EnvoyFilter')).toEqual([]);
  });

  it.each<[string, Partial<ExternalServiceProps>, RegExp]>([
    [
      'a host that is known',
      { hosts: ['a.example.com'] },
      /host "a\.example\.com" with Resolution\.dynamicForwardProxy/,
    ],
    ['TCP', { ports: [ExternalPort.tcp(5432)], addresses: ['203.0.113.30'] }, /TCP port 5432 with Resolution\.dynamic/],
    ['HTTP on a port that a Host header would name', { ports: [ExternalPort.http(8080)] }, /HTTP port 8080 with/],
    ['gRPC', { ports: [ExternalPort.grpc(50051)] }, /GRPC port 50051 with/],
  ])('refuses %s', (_, props, said) => {
    const mesh = new Mesh();
    mesh.gateway.forward(mesh.service('any', { ...ANY, ...props }));
    expect(mesh.refused()).toMatch(said);
  });

  it.each([
    ['forward', (mesh: Mesh, to: ReturnType<Mesh['service']>) => mesh.gateway.forward(to, { http: HttpEgress.originateTls() })], // prettier-ignore
    ['a policy', (mesh: Mesh, to: ReturnType<Mesh['service']>) => mesh.policy({ from: [payments], to: [to], http: HttpEgress.originateTls() })], // prettier-ignore
  ])('refuses TLS made for a port that the gateway would not dial, by %s', (_, take) => {
    const mesh = new Mesh();
    take(mesh, mesh.service('any', { ...ANY, ports: [http, ExternalPort.tls(8443)] }));
    expect(mesh.refused()).toContain('TLS origination for "*.example.com", whose TLS is on port 8443');
  });

  it('refuses to let it leave from a sidecar', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('any', ANY)], direct: true });
    const service = mesh.service('more', { ...ANY, hosts: ['*.example.net'], ports: [http, https] });
    new SidecarEgress(mesh.chart, 'Direct', { service, http: HttpEgress.originateTls() });
    const said = mesh.refused();
    expect(said).toContain('"*.example.com" with Resolution.dynamicForwardProxy(), from a sidecar');
    expect(said).toContain('"*.example.net" with Resolution.dynamicForwardProxy(), from a sidecar');
  });
});

describe('trace of a dynamic forward proxy', () => {
  const ROOT = join(__dirname, '../..');
  const files = ['dist/egress-wildcards/egress-wildcards.yaml', 'test/mesh/fixtures/base.yaml'];
  const install = readFileSync(join(ROOT, 'dist/egress-gateway-install/egress-gateway-install.yaml'), 'utf8');
  const yaml = [...files.map((file) => readFileSync(join(ROOT, file), 'utf8')), install].join('\n---\n');
  const told = (text: string, request: string, headers = {}) =>
    outcome(traceIn(text)(request, { from: 'default/client', headers }));
  const documents = yaml.split(/^---$/m);
  const without = (part: RegExp) =>
    documents.map((text) => (text.includes('kind: EnvoyFilter') ? text.replace(part, '') : text)).join('---');

  it('goes to the name that was asked for', () => {
    expect(told(yaml, 'http://eu.mirror.example.com/')).toBe('delivered to eu.mirror.example.com:443');
    expect(told(yaml, 'https://us.mirror.example.com/')).toBe('delivered to us.mirror.example.com:443');
  });

  it('refuses a Host header with a port, as the gateway does', () => {
    expect(told(yaml, 'http://eu.mirror.example.com/', { host: 'eu.mirror.example.com:80' })).toMatch(
      / at egress-gateway$/,
    );
  });

  it('finds no name where the filter before it is missing', () => {
    const noHttp = without(/ {4}- applyTo: HTTP_FILTER[^]*/);
    expect(told(noHttp, 'http://eu.mirror.example.com/')).toBe('UH 503 at egress-gateway');
    expect(told(noHttp, 'https://eu.mirror.example.com/')).toBe('delivered to eu.mirror.example.com:443');
    const noSni = without(/ {4}- applyTo: NETWORK_FILTER[^]*?(?= {4}- applyTo: HTTP_FILTER)/);
    expect(told(noSni, 'http://eu.mirror.example.com/')).toBe('delivered to eu.mirror.example.com:443');
    expect(told(noSni, 'https://eu.mirror.example.com/')).toBe('UH - at egress-gateway');
  });
});
