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

  it('takes a dump from standard input', () => {
    const input = JSON.stringify(dump('outbound|80||a.example.com'));
    const { stdout, status } = spawnSync(process.execPath, [join(ROOT, 'bin/mesh-edge'), 'verify', manifests, '--config-dump', '-'], { encoding: 'utf8', input }); // prettier-ignore
    expect(stdout).toMatch(/^sidecar shop\/web-1: agreed/);
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

  /** The dump with a part of it altered, as JSON. */
  const altered = (name: string, change: (configs: any[]) => void): string => {
    const whole = JSON.parse(JSON.stringify(dump('outbound|80||a.example.com'))) as { configs: any[] };
    change(whole.configs);
    return write(name, whole);
  };
  const verified = (file: string) => {
    const { stdout, status } = run(manifests, '--config-dump', file, '--format', 'json');
    const { proxies } = JSON.parse(stdout) as {
      proxies: { verdict: string; differences: { part: string; of: string; proxy: unknown }[]; refused: object[] }[];
    };
    const [{ verdict, differences, refused } = { verdict: '', differences: [], refused: [] }] = proxies;
    return { verdict, status, refused, differences: differences.map(({ part, of, proxy }) => [part, of, proxy]) };
  };
  const differs = (...differences: readonly (readonly [string, string, null])[]) => ({ verdict: 'differs', status: 1, refused: [], differences }); // prettier-ignore

  it.each<[string, (configs: any[]) => void, ReturnType<typeof differs>]>([
    ['a listener', ([, , listeners]) => (listeners.dynamic_listeners = []), differs(['listener', '0.0.0.0_80', null])],
    [
      'a listener that is about to be there, or no more',
      ([
        ,
        ,
        {
          dynamic_listeners: [one],
        },
      ]) => {
        one.warming_state = one.active_state;
        one.draining_state = one.active_state;
        delete one.active_state;
      },
      differs(['listener', '0.0.0.0_80', null]),
    ],
    ['its routes', ([, , , routes]) => (routes.dynamic_route_configs = []), differs(['route', '80', null])],
    [
      'a cluster',
      ([, clusters]) => (clusters.dynamic_active_clusters = []),
      differs(['cluster', 'outbound|80||a.example.com', null]),
    ],
  ])('tells of a proxy that lacks %s', (what, change, expected) => {
    expect(verified(altered(`lacks ${what}.json`, change))).toEqual(expected);
  });

  it('tells what Envoy has refused, since it goes on with what it had', () => {
    const file = altered('refused.json', ([, , listeners, routes]) => {
      listeners.dynamic_listeners[0].error_state = { details: 'matches alike', failed_configuration: {} };
      routes.dynamic_route_configs[0].error_state = {
        details: 'Duplicate entry of domain a',
        failed_configuration: {},
      };
    });
    expect(verified(file)).toEqual({
      verdict: 'differs',
      status: 1,
      differences: [],
      refused: [
        { part: 'listener', of: '0.0.0.0_80', why: 'matches alike' },
        { part: 'route', of: '80', why: 'Duplicate entry of domain a' },
      ],
    });
    expect(run(manifests, '--config-dump', file).stdout).toContain('Envoy refused the last update of route 80');
  });

  it('reads dumps as shells and istioctl write them: with a mark, in UTF-16, as YAML', () => {
    const text = JSON.stringify(dump('outbound|80||a.example.com'));
    const utf16 = join(home, 'utf16.json');
    writeFileSync(utf16, Buffer.from(`\uFEFF${text}`, 'utf16le'));
    const yaml = `configs:\n${text.slice('{"configs":'.length, -1).replace(/^/gm, '  ')}\n`;
    for (const file of [write('mark.json', `\uFEFF${text}`), utf16, write('dump.yaml', yaml)])
      expect(verified(file).verdict).toBe('agreed');
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
