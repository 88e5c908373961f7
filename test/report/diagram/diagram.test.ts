import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, loadObjects } from '../../../src/model/load';
import { buildMesh, type Mesh } from '../../../src/model/mesh';
import { edgePicture, requestPicture } from '../../../src/report/diagram';
import { edgeMap, type Lane } from '../../../src/report/diagram/flows';
import { trace } from '../../../src/trace';

const root = join(__dirname, '..', '..', '..');

function meshOf(...path: string[]): Mesh {
  return buildMesh(load([join(root, ...path)]).manifests);
}

function told({ from, speaks, via, links, end, flows }: Lane): string {
  const way = [...via.map(({ name }) => name), end === '' ? flows.map(({ to }) => to).join(' ') : end];
  return `${from.join('+')}, ${speaks}: ${way.join(' > ')} [${links.map(({ label }) => label).join(' | ')}]`;
}

/** Text of a page or picture, without its markup. */
function words(picture: string): string {
  return picture
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
}

const company = meshOf('test', 'diff', 'fixtures', 'company.yaml');

describe('the picture of the whole edge', () => {
  it('is drawn for a namespace that no API server takes, whose name holds a slash', () => {
    const deployment = (namespace: string) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace },
      spec: { template: { metadata: { labels: { app: 'web' } } } },
    });
    const mesh = buildMesh(loadObjects(['a/B'].map(deployment)).manifests);
    expect(edgeMap(mesh).others).toEqual([{ from: ['every workload'], text: 'pass' }]);
  });

  it('joins clients and hosts that go the same way, and names who refuses the others', () => {
    const lanes = edgeMap(company).lanes.map(told);
    expect(lanes).toContain(
      'shop/payments, HTTP on port 80: istio-egress/egress > http://api.stripe.com/ [HTTP in mesh mTLS | HTTP in TLS]',
    );
    expect(lanes).toContain('shop/cart, HTTP on port 80: istio-egress/egress > refused 403 (RBAC) [HTTP in mesh mTLS]');
    expect(lanes).toContain(
      "batch+shop+web+any other namespace, HTTPS on port 443: https://*.example.org/ [app's own TLS]",
    );
    expect(lanes).toContain(
      'outside, HTTP on port 80: istio-system/ingress > http://www.shop.example/ [HTTP, plain text | HTTP in mesh mTLS]',
    );
  });

  it("shows document 000's way in: Envoy Gateway, its sidecar, and the service by mutual TLS", () => {
    const paths = ['envoy-gateway-in-mesh', 'apps-gateway-http', 'demo-httpbin'].map((name) =>
      join(root, 'dist', name),
    );
    const lanes = edgeMap(buildMesh(load(paths).manifests)).lanes.filter(({ outcome }) => outcome === 'delivered');
    expect(lanes.map(({ via }) => via.map(({ role }) => role))).toEqual([['Envoy Gateway', 'sidecar']]);
    expect(lanes[0]?.flows.map(({ to }) => to)).toEqual(['http://www.example.com/httpbin']);
    expect(lanes[0]?.links.map(({ tls }) => tls)).toEqual(['NONE', 'NONE', 'ISTIO_MUTUAL']);
  });

  it('says what becomes of hosts that no object names', () => {
    expect(edgeMap(company).others).toEqual([
      { from: ['batch', 'shop', 'web', 'any other namespace'], text: 'are blocked (502)' },
      { from: ['legacy'], text: 'are blocked' },
    ]);
  });

  it('draws every lane in each form', () => {
    for (const format of ['svg', 'html'] as const) {
      const text = words(edgePicture(company, format));
      for (const part of [
        'shop/payments',
        'istio-egress/egress',
        'http://api.stripe.com/',
        'refused 403 (RBAC)',
        'Entering the mesh',
      ])
        expect(text).toContain(part);
    }
    const mermaid = edgePicture(company, 'mmd');
    expect(mermaid).toMatch(/^flowchart LR\n {2}subgraph mesh/);
    expect(mermaid).toMatch(/client\d+ -->\|"HTTP on port 80: HTTP in mesh mTLS"\| gateway\d+/);
    expect(mermaid).toMatch(/gateway\d+ -\.-x\|"refused 403 \(RBAC\)"\| host\d+/);
  });

  it('grows with the ways and not with the hosts', () => {
    const entries = Array.from({ length: 500 }, (_, index) => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: `e${index}`, namespace: 'shop' },
      spec: {
        hosts: [`h${index}.example.com`],
        location: 'MESH_EXTERNAL',
        resolution: 'DNS',
        ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
      },
    }));
    const mesh = buildMesh(loadObjects(entries).manifests);
    expect(edgeMap(mesh).lanes).toHaveLength(1);
    const page = edgePicture(mesh, 'html');
    expect(page.match(/class="host"/g)).toHaveLength(500);
    expect(words(page)).toContain('and 495 more');
    expect(words(edgePicture(mesh, 'svg'))).toContain('and 495 more');
  });

  it('needs nothing from elsewhere, and lets no name of an object become markup', () => {
    const evil = '"><script>alert(1)</script>';
    const mesh = buildMesh(
      loadObjects([
        {
          apiVersion: 'networking.istio.io/v1',
          kind: 'ServiceEntry',
          metadata: { name: evil, namespace: 'shop' },
          spec: { hosts: [`${evil}.example.com`], ports: [{ number: 80, name: 'http', protocol: 'HTTP' }] },
        },
      ]).manifests,
    );
    for (const format of ['html', 'svg', 'mmd'] as const) {
      const picture = edgePicture(mesh, format);
      expect(picture).not.toContain('<script>alert');
      expect(picture.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/(src|href)="?https?:|@import|url\(http/);
    }
  });

  it('is a page for the keyboard, for readers of text, and for dark rooms', () => {
    const page = edgePicture(company, 'html');
    expect(page).toContain('<html lang="en">');
    expect(page).toMatch(/<label for="search">/);
    expect(page).toMatch(/<button type="button" class="host"/);
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).toContain('aria-label="plain text"');
  });
});

describe('the picture of a request', () => {
  const request = { from: 'default/sleep', request: 'http://www.aliyun.com/' };
  const mesh = meshOf('dist', 'gateway-tls-origination-subset');

  it.each(['svg', 'html', 'mmd'] as const)(
    'shows each stop of document 004 with the object that decides, as .%s',
    (format) => {
      const text = words(requestPicture(trace(mesh, request), request, format).replace(/<br\/>/g, ' '));
      const [sidecar, gateway, end] = ['sidecar', 'egress gateway', 'www.aliyun.com:443'].map((stop) =>
        text.indexOf(stop, text.indexOf('sidecar')),
      );
      expect(sidecar).toBeGreaterThan(0);
      expect(gateway).toBeGreaterThan(sidecar ?? 0);
      expect(end).toBeGreaterThan(0);
      for (const part of ['VirtualService', 'spec.http[0]', 'spec.http[1]']) expect(text).toContain(part);
    },
  );

  it('shows a refusal with its reason and its cure', () => {
    const refused = { from: 'shop/cart', request: 'http://api.stripe.com/' };
    const text = words(requestPicture(trace(company, refused), refused, 'svg'));
    expect(text).toContain('RBAC 403');
    expect(text).toContain('Fix:');
  });
});

describe('mesh-edge diagram', () => {
  const folder = mkdtempSync(join(tmpdir(), 'diagram-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const { status, stdout, stderr } = spawnSync(join(root, 'bin', 'mesh-edge'), ['diagram', ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  it('writes the form that the ending of the file names', () => {
    expect(run('dist/gateway-http', '-o', join(folder, 'edge.svg'))).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(folder, 'edge.svg'), 'utf8')).toMatch(/^<svg /);
    expect(
      run(
        'dist/gateway-http',
        '-o',
        join(folder, 'way.html'),
        '--request',
        'http://edition.cnn.com/',
        '--from',
        'default/sleep',
      ).status,
    ).toBe(0);
    expect(readFileSync(join(folder, 'way.html'), 'utf8')).toMatch(/^<!doctype html>/);
  });

  it.each([
    [['dist/gateway-http', '-o', 'edge.png'], 'ends in none of .mmd, .svg, .html'],
    [['dist/gateway-http', '-o', join(folder, 'no', 'edge.svg')], 'cannot be written'],
    [['dist/gateway-http', '-o', join(folder, 'x.svg'), '--request', 'http://a/'], '--request needs --from'],
    [
      ['dist/gateway-http', '-o', join(folder, 'x.svg'), '--request', 'nonsense', '--from', 'a'],
      '"nonsense" is no request',
    ],
    [['nowhere', '-o', join(folder, 'x.svg')], 'nowhere'],
  ])('refuses %j with status 2 and a reason', (args, reason) => {
    expect(run(...args)).toEqual({ status: 2, stdout: '', stderr: expect.stringContaining(reason) });
  });
});
