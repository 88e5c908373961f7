/** The register of what may cross the edge, as the command line prints it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const home = mkdtempSync(join(tmpdir(), 'list-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const entry = (name: string, host: string, namespace = 'shop') => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  hosts: [${host}]
  exportTo: ["."]
  location: MESH_EXTERNAL
  resolution: DNS
  ports: [{ number: 80, name: http, protocol: HTTP }]
---`;
const namespace = (name: string) => `
apiVersion: v1
kind: Namespace
metadata: { name: ${name}, labels: { istio-injection: enabled } }
---`;
const ROUTE = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: api, namespace: shop }
spec:
  hosts: [api.example.com]
  exportTo: ["."]
  http:
    - match: [{ uri: { prefix: /admin } }]
      directResponse: { status: 403 }
    - route: [{ destination: { host: api.example.com, port: { number: 80 } } }]
---`;
const PARTS = [namespace('shop'), namespace('billing'), entry('api', 'api.example.com'), ROUTE];
PARTS.push(entry('bank', 'bank.example.com', 'billing'), entry('unused', 'never.example.com', 'nobody'));

function list(parts: readonly string[], ...args: string[]) {
  const file = join(home, 'mesh.yaml');
  writeFileSync(file, parts.join('\n'));
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(ROOT, 'bin/mesh-edge'), 'list', file, '--outbound', 'REGISTRY_ONLY', ...args],
    { encoding: 'utf8' },
  );
  return { stdout, stderr, status };
}
interface Entry {
  readonly from: string[];
  readonly to: { host: string };
  readonly port: number;
  readonly requests: string;
  readonly outcome: string;
  readonly by: unknown[];
  readonly request: { request: string };
}
const entries = (...args: string[]) =>
  (JSON.parse(list(PARTS, '--format', 'json', ...args).stdout) as { entries: Entry[] }).entries;

describe('mesh-edge list', () => {
  it('says who may reach what, with which requests, and leaves out what is refused', () => {
    const found = entries();
    expect(found.map(({ to, outcome }) => `${to.host} ${outcome}`)).toEqual(
      expect.arrayContaining(['api.example.com delivered', 'bank.example.com delivered']),
    );
    const api = found.filter(({ to }) => to.host === 'api.example.com');
    expect(api.every(({ from }) => from.join() === 'shop')).toBe(true);
    expect(api.map(({ requests }) => requests).join()).toMatch(/admin/);
    expect(found.map(({ outcome }) => outcome)).not.toContain('refused');
    for (const { request } of api) expect(request.request).not.toMatch(/\/admin/);
  });

  it('is the same, byte for byte, in whatever order objects come', () => {
    for (const format of ['text', 'json', 'csv', 'html'])
      expect(list([...PARTS].reverse(), '--format', format).stdout).toBe(list(PARTS, '--format', format).stdout);
  });

  it('calls hosts and namespaces that nobody has by no name of its own', () => {
    const all = ['text', 'json', 'csv', 'html'].map(
      (format) => list(PARTS, '--outbound', 'ALLOW_ANY', '--format', format).stdout,
    );
    expect(all[0]).toMatch(/any other host port 443\n.*\n {4}path: caller's sidecar \(TLS APPLICATION, any SNI\)/);
    expect(all[0]).toContain('Namespaces that no manifest shows inject sidecars.');
    const { entries: found, ...others } = JSON.parse(all[1]!) as { entries: Entry[] };
    const told = found.map((one) => ({ ...one, request: undefined }));
    for (const text of [all[0], all[3], JSON.stringify([told, others])])
      expect(text).not.toMatch(/never-registered|other-namespace/);
  });

  it('takes one caller, one host, one object', () => {
    expect(new Set(entries('--from', 'billing').flatMap(({ from }) => from))).toEqual(new Set(['billing']));
    expect(new Set(entries('--to', 'bank.example.com').map(({ to }) => to.host))).toEqual(
      new Set(['bank.example.com']),
    );
    expect(new Set(entries('--by', 'VirtualService/shop/api').map(({ to }) => to.host))).toEqual(
      new Set(['api.example.com']),
    );
  });

  it('knows the entry behind a host, whether a route or TLS that is originated is cited as well', () => {
    expect(entries('--by', 'ServiceEntry/shop/api').map(({ to }) => to.host)).toContain('api.example.com');
    const tls = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: bank, namespace: billing }
spec: { host: bank.example.com, trafficPolicy: { tls: { mode: SIMPLE } } }
---`;
    const { stdout } = list(
      [...PARTS.map((one) => one.replace('number: 80,', 'number: 80, targetPort: 443,')), tls],
      '--format',
      'json',
      '--by',
      'ServiceEntry/billing/bank',
    );
    expect((JSON.parse(stdout) as { entries: Entry[] }).entries.map(({ to }) => to.host)).toContain('bank.example.com');
    expect(list(PARTS, '--by', 'ServiceEntry/nobody/unused').stdout).not.toMatch(/nothing uses/i);
  });

  it('says so of a caller and an object that nobody knows, with exit status 2 and nothing on standard output', () => {
    for (const args of [
      ['--from', 'shp'],
      ['--by', 'VirtualService/shop/apii'],
    ]) {
      const { stdout, stderr, status } = list(PARTS, ...args);
      expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
      expect(stderr).toContain(args[1]);
    }
  });

  it('writes CSV of one line an entry, and HTML without a script', () => {
    const lines = list(PARTS, '--format', 'csv').stdout.trimEnd().split('\r\n');
    expect(lines).toHaveLength(entries().length + 1);
    expect(lines[0]).toBe('from,to,port,protocol,requests,path,by,outcome');
    const { stdout } = list(PARTS, '--format', 'html');
    expect(stdout).toContain('api.example.com');
    expect(stdout).not.toContain('<script');
  });
});
