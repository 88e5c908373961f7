import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const home = mkdtempSync(join(tmpdir(), 'verify-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const write = (name: string, content: object | string) => {
  const file = join(home, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};
const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(ROOT, 'bin/mesh-edge'), 'verify', ...args], { encoding: 'utf8' });

const MANIFESTS = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: site, namespace: shop }
spec:
  hosts: [a.example.com]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{ number: 80, name: http, protocol: HTTP }]
`;

/** A dump of a sidecar that has one HTTP listener, with this cluster behind the host. */
function dump(cluster: string, id = 'sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local'): object {
  const type = (name: string) => `type.googleapis.com/envoy.admin.v3.${name}`;
  const filter = (name: string, rest: object) => ({
    typed_config: { '@type': `type.googleapis.com/envoy.extensions.filters.network.${name}`, ...rest },
  });
  const listener = {
    name: '0.0.0.0_80',
    address: { socket_address: { address: '0.0.0.0', port_value: 80 } },
    filter_chains: [
      {
        filter_chain_match: { transport_protocol: 'raw_buffer', application_protocols: ['http/1.1', 'h2c'] },
        filters: [filter('http_connection_manager.v3.HttpConnectionManager', { rds: { route_config_name: '80' } })],
      },
    ],
    default_filter_chain: { filters: [filter('tcp_proxy.v3.TcpProxy', { cluster: 'PassthroughCluster' })] },
  };
  const route = { match: { prefix: '/' }, route: { cluster } };
  const hosts = [
    { name: 'a', domains: ['a.example.com', 'a.example.com:80'], routes: [route] },
    {
      name: 'allow_any',
      domains: ['*'],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'PassthroughCluster' } }],
    },
  ];
  return {
    configs: [
      { '@type': type('BootstrapConfigDump'), bootstrap: { node: { id, metadata: { LABELS: { app: 'web' } } } } },
      {
        '@type': type('ClustersConfigDump'),
        dynamic_active_clusters: [{ cluster: { name: 'outbound|80||a.example.com', type: 'STRICT_DNS' } }],
      },
      { '@type': type('ListenersConfigDump'), dynamic_listeners: [{ name: '0.0.0.0_80', active_state: { listener } }] },
      {
        '@type': type('RoutesConfigDump'),
        dynamic_route_configs: [{ route_config: { name: '80', virtual_hosts: hosts } }],
      },
    ],
  };
}

describe('mesh-edge verify', () => {
  const manifests = write('m.yaml', MANIFESTS);

  it('agrees, with exit status 0', () => {
    const { stdout, status } = run(manifests, '--config-dump', write('same.json', dump('outbound|80||a.example.com')));
    expect(stdout).toMatch(/^sidecar shop\/web-1: agreed \(1 listeners, 1 domains, 1 clusters/);
    expect(status).toBe(0);
  });

  it('does not call what could not be read agreed', () => {
    const file = write('beside.json', dump('outbound|80||a.example.com'));
    const { stderr, status } = run(manifests, write('broken.yaml', 'kind: [Service'), '--config-dump', file);
    expect(stderr).toMatch(/broken\.yaml:\d+: the document cannot be read/);
    expect(status).toBe(1);
  });

  it('tells a route that leads elsewhere, as data and with exit status 1', () => {
    const file = write('other.json', dump('outbound|80||evil.example.net'));
    const { stdout, status } = run(manifests, '--config-dump', file, '--format', 'json');
    const { proxies } = JSON.parse(stdout) as { proxies: { verdict: string; differences: object[] }[] };
    expect(proxies[0]).toMatchObject({
      verdict: 'differs',
      differences: [
        {
          part: 'route',
          of: '80 a.example.com, route 1',
          manifests: 'path ^ / -> to outbound|80||a.example.com',
          proxy: 'path ^ / -> to outbound|80||evil.example.net',
        },
      ],
    });
    expect(status).toBe(1);
  });

  it('says of all files at once what is wrong with them, and writes nothing', () => {
    const files = [
      write('no.json', 'not json'),
      write('empty.json', {}),
      write('eg.json', dump('x', 'envoy-1')),
      'none.json',
    ];
    const { stdout, stderr, status } = run(manifests, ...files.flatMap((file) => ['--config-dump', file]));
    expect(stdout).toBe('');
    expect(status).toBe(2);
    for (const said of ['no.json is no JSON', 'empty.json has no "configs"', 'no proxy of Istio', 'none.json'])
      expect(stderr).toContain(said);
  });
});
