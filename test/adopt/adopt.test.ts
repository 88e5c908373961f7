/** What adopt writes is synthesized here, and must carry the same traffic as what it was made from. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adopt as adoptWith, type Adopted } from '../../src/adopt/adopt';
import type { ProjectFile } from '../../src/adopt/project';
import type { Constructs } from '../../src/adopt/run';
import { diff } from '../../src/diff/diff';
import { load, loadObjects } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';
import { synthesize } from './synthesize';

const root = join(__dirname, '..', '..');
const scenarios = readdirSync(join(root, 'dist')).map((name) => [name, join(root, 'dist', name)] as const);
const fixtures = [
  ['a company with gateways, policies and scopes', join(root, 'test', 'diff', 'fixtures', 'company.yaml')],
  ['hosts copied one by one', join(__dirname, 'fixtures', 'copied.yaml')],
] as const;

const constructs: Constructs = { cdk8s: jest.requireActual('cdk8s'), edge: jest.requireActual('../../src/index') };
const adopt = (manifests: readonly Manifest[]): Adopted => adoptWith(manifests, {}, constructs);

function sourceOf(files: readonly ProjectFile[], path: string): string {
  return files.find((file) => file.path === path)?.text ?? '';
}

describe('what adopt writes', () => {
  it.each([...scenarios, ...fixtures])('carries the same traffic as the manifests of %s', (_name, path) => {
    const { manifests } = load([path]);
    const adopted = adopt(manifests);
    const kept = manifests.filter(({ kind }) => kind !== 'Secret');
    const found = diff(kept, [...synthesize(adopted.files), ...adopted.left], { exhaustive: true });
    expect(found.changes.map(({ from, to, was, is }) => `${from.join()} ${to}: ${was.text} -> ${is.text}`)).toEqual([]);
    expect(adopted.lifted + adopted.raw + adopted.left.length).toBe(kept.length);
  });

  it('says copied hosts by one gateway and a line for each, and leaves Secrets out', () => {
    const { files, lifted, raw, notes } = adopt(load([join(__dirname, 'fixtures', 'copied.yaml')]).manifests);
    expect({ lifted, raw }).toEqual({ lifted: 9, raw: 0 });
    const edge = sourceOf(files, 'edge.ts');
    expect(edge).toContain("EgressGateway.fromInstalled(this, 'EgressGateway'");
    expect(edge).toMatch(/gateway\.forward\(editionCnnCom, \{\s+http: HttpEgress\.originateTls\(/);
    expect(edge).toMatch(/gateway\.forward\(wwwWikipediaOrg, \{ https: TlsEgress\.passthrough\(\)/);
    expect(files.map(({ path }) => path)).toEqual([
      'main.ts',
      'edge.ts',
      'package.json',
      'tsconfig.json',
      'cdk8s.yaml',
    ]);
    expect(notes).toEqual([expect.stringContaining('Secret default/client-credential is left out')]);
  });

  it.each([
    'gateway-http',
    'gateway-tls-passthrough',
    'gateway-tls-origination-subset',
    'sidecar-http',
    'sidecar-http-https',
  ])('needs no raw object for scenario %s', (name) => {
    expect(adopt(load([join(root, 'dist', name)]).manifests).raw).toBe(0);
  });

  it('gives variables and constructs names that TypeScript and cdk8s take, whatever the objects are called', () => {
    const names = ['id', 'scope', 'arguments', 'eval', 'undefined', 'carry', 'constructor', 'this', 'toString', 'a-b', '9'].map((name) => name.toLowerCase()); // prettier-ignore
    const { manifests } = loadObjects(
      names.flatMap((name) => [
        {
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'Gateway',
          metadata: { name, namespace: 'edge' },
          spec: {
            gatewayClassName: 'istio',
            listeners: [{ name: 'http', port: 80, protocol: 'HTTP', hostname: `${name}.example.com` }],
          },
        },
        {
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'HTTPRoute',
          metadata: { name, namespace: 'edge' },
          spec: {
            parentRefs: [{ name }],
            hostnames: [`${name}.example.com`],
            rules: [{ backendRefs: [{ name, port: 80 }] }],
          },
        },
      ]),
    );
    const adopted = adopt(manifests);
    expect(adopted.raw).toBe(0);
    expect(diff(manifests, synthesize(adopted.files)).changes).toEqual([]);
    expect(synthesize(adopted.files)).toHaveLength(manifests.length);
  });

  it('leaves in YAML what cdk8s would write otherwise, and says why', () => {
    const own = (name: string, headers: object, labels: object): object => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name, namespace: 'shop', labels },
      spec: { hosts: [`${name}.example.com`], http: [{ match: [{ headers }], directResponse: { status: 403 } }] },
    });
    const { manifests } = loadObjects([
      own('kept', { 'x-a': { exact: 'b' } }, {}),
      own('inherited', JSON.parse('{ "__proto__": { "exact": "b" } }') as object, {}),
      own('number', { 'x-a': { exact: 'b' } }, { version: 1 }),
    ]);
    const adopted = adopt(manifests);
    expect(adopted.left.map(({ name }) => name)).toEqual(['inherited', 'number']);
    expect(adopted.notes).toEqual(
      expect.arrayContaining([
        'VirtualService shop/inherited stays in YAML: cdk8s renders it otherwise than it is written',
        'VirtualService shop/number stays in YAML: an API server refuses it, since its label version is no text',
      ]),
    );
    expect(synthesize(adopted.files).map(({ name }) => name)).toEqual(['kept']);
  });

  it('keeps what no construct says in full', () => {
    const odd = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: "it's", namespace: 'shop', labels: { a: '`${x}`' } },
      spec: {
        hosts: ['a.example'],
        ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
        endpoints: [{ address: '192.0.2.1' }],
        resolution: 'STATIC',
      },
    };
    const { files, raw } = adopt(loadObjects([odd]).manifests);
    expect(raw).toBe(1);
    expect(synthesize(files).map(({ body }) => body as unknown)).toEqual([odd]);
  });
});

const serviceEntry = (namespace: string, name: string, spec: object, metadata: object = {}): object => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'ServiceEntry',
  metadata: { name, namespace, ...metadata },
  spec: { location: 'MESH_EXTERNAL', resolution: 'DNS', exportTo: ['.'], ...spec },
});

it('finds the gateway that constructs would have carry otherwise among many others, and leaves its objects to themselves', () => {
  const istio = (kind: string, name: string, spec: object): object => ({ apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'default' }, spec }); // prettier-ignore
  const http = [{ number: 80, name: 'http', protocol: 'HTTP' }];
  const hop = 'istio-egressgateway.istio-system.svc.cluster.local';
  const others = [1, 2, 3, 4, 5].map((at) => istio('ServiceEntry', `api${at}`, { hosts: [`api${at}.example.com`], ports: http, resolution: 'DNS', location: 'MESH_EXTERNAL' })); // prettier-ignore
  // As Istio's task has it: the rule of the hop is in `default`, where clients of other namespaces find none.
  const task = [
    istio('ServiceEntry', 'cnn', { hosts: ['edition.cnn.com'], ports: http, resolution: 'DNS' }),
    istio('Gateway', 'eg', { selector: { istio: 'egressgateway' }, servers: [{ port: http[0], hosts: ['edition.cnn.com'] }] }), // prettier-ignore
    istio('DestinationRule', 'hop', { host: hop, subsets: [{ name: 'cnn' }] }),
    istio('VirtualService', 'through', {
      hosts: ['edition.cnn.com'],
      gateways: ['eg', 'mesh'],
      http: [
        { match: [{ gateways: ['mesh'], port: 80 }], route: [{ destination: { host: hop, subset: 'cnn', port: { number: 80 } } }] }, // prettier-ignore
        { match: [{ gateways: ['eg'], port: 80 }], route: [{ destination: { host: 'edition.cnn.com', port: { number: 80 } } }] }, // prettier-ignore
      ],
    }),
  ];
  const { manifests } = loadObjects([...others.slice(0, 3), ...task, ...others.slice(3)]);
  const { notes, lifted, files } = adopt(manifests);
  expect(notes.map((note) => note.replace(/ is converted by itself.*/, '')).sort()).toEqual(['DestinationRule default/hop', 'Gateway default/eg', 'ServiceEntry default/cnn', 'VirtualService default/through']); // prettier-ignore
  expect(lifted).toBe(9);
  expect(diff(manifests, synthesize(files)).changes).toEqual([]);
});

describe('what the constructs refuse', () => {
  it.each([
    [
      'a port',
      [
        serviceEntry('shop', 'box', {
          hosts: ['box.example'],
          ports: [{ number: 8443, name: 'http', protocol: 'HTTP' }],
        }),
      ],
      { lifted: 0, raw: 1 },
      'ServiceEntry shop/box is kept as it is: port 8443 is declared HTTP',
    ],
    [
      'one address of two services',
      ['a', 'b'].map((name) =>
        serviceEntry('shop', name, {
          hosts: [`${name}.example`],
          addresses: ['203.0.113.7'],
          resolution: 'NONE',
          ports: [{ number: 5432, name: 'tcp', protocol: 'TCP' }],
        }),
      ),
      { lifted: 1, raw: 1 },
      'ServiceEntry shop/b is kept as it is: 203.0.113.7:5432 belongs to both edge/a and edge/b',
    ],
  ])('stays as it is, in their words, and what is written synthesizes: %s', (_what, objects, counts, note) => {
    const { manifests } = loadObjects(objects);
    const { files, lifted, raw, notes } = adopt(manifests);
    expect({ lifted, raw }).toEqual(counts);
    expect(notes).toEqual([note]);
    expect(sourceOf(files, 'raw.ts')).toContain(`// ${note.split(': ').slice(1).join(': ')}`);
    expect(diff(manifests, synthesize(files)).changes).toEqual([]);
  });

  it('is one object said in two ways; said twice alike it is one', () => {
    const port = (number: number): object => ({
      hosts: ['a.example'],
      ports: [{ number, name: 'http', protocol: 'HTTP' }],
    });
    const of = (...numbers: number[]) =>
      loadObjects(numbers.map((one) => serviceEntry('shop', 'a', port(one)))).manifests;
    expect(() => adopt(of(80, 8080))).toThrow(
      /^ServiceEntry shop\/a is in .* and otherwise in .*\nan app has each object once/,
    );
    expect(adopt(of(80, 80)).lifted).toBe(1);
  });

  it('is no matter of objects that stay in YAML and have no part in requests', () => {
    const claim = (size: string): object => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace: 'shop', name: '${APP}' },
      spec: { resources: { requests: { storage: size } } },
    });
    const { left } = adopt(loadObjects([claim('1Gi'), claim('2Gi')]).manifests);
    expect(left.map(({ kind }) => kind)).toEqual(['PersistentVolumeClaim', 'PersistentVolumeClaim']);
    const service = (port: number): object => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'shop', name: 'web' },
      spec: { ports: [{ port }] },
    });
    expect(() => adopt(loadObjects([service(80), service(81)]).manifests)).toThrow('Service shop/web is in');
  });
});

it('keeps labels and annotations, and leaves what is no object of a mesh in its YAML', () => {
  const metadata = { labels: { team: "it's" }, annotations: { 'argocd.argoproj.io/sync-wave': '3' } };
  const entry = serviceEntry(
    'shop',
    'a',
    { hosts: ['a.example'], ports: [{ number: 80, name: 'http', protocol: 'HTTP' }] },
    metadata,
  );
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace: 'shop' } };
  const { files, lifted, raw, left } = adopt(loadObjects([entry, account]).manifests);
  expect({ lifted, raw, left: left.map(({ kind }) => kind) }).toEqual({ lifted: 1, raw: 0, left: ['ServiceAccount'] });
  expect(synthesize(files).map(({ body }) => body as unknown)).toEqual([entry]);
});

describe('a gateway with a field that no construct renders', () => {
  const path = join(root, 'dist', 'gateway-tls-passthrough');
  it.each([
    ['Gateway', { metadata: { labels: { team: 'net' } } }],
    ['VirtualService', { metadata: { annotations: { wave: '3' } } }],
    ['DestinationRule', { spec: { trafficPolicy: { connectionPool: { tcp: { maxConnections: 5 } } } } }],
  ])('keeps that field: %s', (kind, added: { metadata?: object; spec?: object }) => {
    const { manifests } = load([path]);
    const bodies = manifests.map(({ body, kind: own }) => {
      const { metadata, spec, ...rest } = body as { metadata: object; spec: object };
      const more = own === kind ? added : {};
      return { ...rest, metadata: { ...metadata, ...more.metadata }, spec: { ...spec, ...more.spec } };
    });
    const { files } = adopt(loadObjects(bodies).manifests);
    const after = synthesize(files).map(({ body }) => body as unknown);
    expect(after).toContainEqual(expect.objectContaining({ kind, ...shape(added) }));
  });

  it('is carried over in a line of its own, where there is a place for it', () => {
    const bodies = load([path]).manifests.map(({ body, kind }) => {
      const copy = structuredClone(body) as {
        spec: { tls: { timeout?: string }[]; http?: object[] };
        metadata: object;
      };
      return kind === 'VirtualService' ? { ...copy, metadata: { ...copy.metadata, labels: { team: 'net' } } } : copy;
    });
    const { files, raw } = adopt(loadObjects(bodies).manifests);
    expect(raw).toBe(0);
    expect(sourceOf(files, 'edge.ts')).toMatch(
      /carry\(this, 'VirtualService', .*\[\n\s+JsonPatch\.add\('\/metadata\/labels', \{ team: 'net' \}\),\n/,
    );
    expect(files.map((file) => file.path)).toContain('carry.ts');
  });
});

/** What is asked of the object that has what was added. */
function shape(added: { metadata?: object; spec?: object }): object {
  return Object.fromEntries(
    Object.entries(added).map(([key, value]) => [key, expect.objectContaining(value) as unknown]),
  );
}

describe('mesh-edge adopt', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adopt-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const { status, stdout, stderr } = spawnSync(join(root, 'bin', 'mesh-edge'), ['adopt', ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  it('replaces no file that is there unless told to, and then says so', () => {
    const out = join(folder, 'app');
    expect(run('dist/sidecar-http', '-o', out)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`wrote ${join(out, 'edge.ts')}`),
    });
    writeFileSync(join(out, 'edge.ts'), '// mine\n');
    expect(run('dist/sidecar-http', '-o', out)).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/edge\.ts are there already, and nothing was written/),
    });
    expect(readFileSync(join(out, 'edge.ts'), 'utf8')).toBe('// mine\n');
    expect(run('dist/sidecar-http', '-o', out, '--force').stdout).toContain(`replaced ${join(out, 'edge.ts')}`);
  });

  it('takes away its own file that nothing needs any more, and leaves the project as its owner has it', () => {
    const out = join(folder, 'again');
    const odd = join(folder, 'odd.yaml');
    writeFileSync(
      odd,
      JSON.stringify({ apiVersion: 'networking.istio.io/v1', kind: 'EnvoyFilter', metadata: { name: 'a' }, spec: {} }),
    );
    expect(run(odd, '-o', out)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`wrote ${join(out, 'raw.ts')}`),
    });
    writeFileSync(join(out, 'package.json'), '{}');
    const { status, stdout } = run('dist/sidecar-http', '-o', out, '--force');
    expect(status).toBe(0);
    expect(stdout).toContain(`removed ${join(out, 'raw.ts')}`);
    expect(stdout).toContain(`kept ${join(out, 'package.json')}`);
    expect(readdirSync(out).sort()).toEqual(['cdk8s.yaml', 'edge.ts', 'main.ts', 'package.json', 'tsconfig.json']);
    expect(readFileSync(join(out, 'package.json'), 'utf8')).toBe('{}');
  });

  it('refuses input that is none with status 2 and a reason', () => {
    expect(run('nowhere', '-o', join(folder, 'x'))).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('nowhere'),
    });
  });
});
