import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { load } from 'js-yaml';
import { writeBaseline, withoutBaseline } from '../../src/check/baseline';
import { check } from '../../src/check/check';
import { readConfiguration } from '../../src/check/configuration';
import { configurationSchema } from '../../src/check/configuration-schema';
import { withExternals } from '../../src/check/externals';
import { checkWorlds } from '../../src/check/worlds';
import { TEMPLATE } from '../../src/cli/init';
import { loadText } from '../../src/model/load';
import { findWorlds } from '../../src/model/worlds';

const read = (text: string): ReturnType<typeof readConfiguration> => readConfiguration(text, 'mesh-edge.yaml');

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'mesh-edge-configuration-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

const ROUTE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec:
  hosts: [web.example.org]
  gateways: [istio-ingress/public]
  http: [{ route: [{ destination: { host: web } }] }]
`;
const BROKEN = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: bank, namespace: shop }
spec: { hosts: [api.bank.example], hostz: [x], ports: [{ number: 443, name: tls, protocol: TLS }] }
`;

describe('mesh-edge.yaml', () => {
  it('tells all that is wrong at once', () => {
    const text = `istio: "1.30"
outbound: MAYBE
roots: [{ name: prod, path: x }]
externals: [Gateway public, { file: x }]
severity: { EDGE999999: info, EDGE005: loud }
ignore: docs
suppress: [{ reason: x }]
charts: [web]
`;
    let message = '';
    try {
      read(text);
    } catch (error) {
      message = error instanceof Error ? error.message : '';
    }
    const lines = message.split('\n');
    for (const part of [
      'no setting "istio"',
      'outbound is "MAYBE"',
      'no roots[0].path',
      'roots[0] has no paths',
      'externals[0]',
      'externals[1]',
      'severity.EDGE999999',
      'severity.EDGE005 is "loud"',
      'ignore must be',
      'suppress[0] names no rule',
      'charts[0] names no chart',
    ])
      // prettier-ignore
      expect(lines.filter((line) => line.startsWith('mesh-edge.yaml: ') && line.includes(part))).toHaveLength(1);
  });

  it('gives rules another severity, or none', () => {
    const loaded = loadText(BROKEN, 'a.yaml');
    const judged = (text: string): unknown =>
      check(loaded, { severity: read(text).severity }).findings.map(({ id, severity }) => [id, severity]);
    expect(judged('severity: {}')).toEqual([['EDGE002', 'error']]);
    expect(judged('severity: { EDGE002: info }')).toEqual([['EDGE002', 'info']]);
    expect(judged('severity: { schema-violation: warning }')).toEqual([['EDGE002', 'warning']]);
    expect(judged('severity: { EDGE002: off }')).toEqual([]);
    expect(check(loaded, { severity: read('severity: { EDGE002: off }').severity }).summary.suppressed).toBe(1);
  });

  it('takes patterns of files and objects in suppressions', () => {
    const judged = (file: string, lines: string): string[] =>
      check(loadText(BROKEN, file), {
        suppress: read(`suppress: [{ rule: EDGE002, reason: known, ${lines} }]`).suppress,
      }).findings.map(({ id }) => id);
    expect(judged('envs/dev/a.yaml', 'file: "envs/**"')).toEqual([]);
    expect(judged('./envs/a.yaml', 'file: "envs/*.yaml"')).toEqual([]);
    expect(judged('other/a.yaml', 'file: "envs/**"').sort()).toEqual(['EDGE002', 'EDGE006']);
    expect(judged('a.yaml', 'object: ServiceEntry shop/*')).toEqual([]);
    expect(judged('a.yaml', 'object: ServiceEntry other/*').sort()).toEqual(['EDGE002', 'EDGE006']);
  });

  it('says what others own, and where their manifests are', () => {
    const gateway = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: public, namespace: istio-ingress }
spec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }], wrong: 1 }
`;
    const root = tree({ 'app/route.yaml': ROUTE, 'platform/gateway.yaml': gateway });
    const judged = (text: string): unknown => {
      const { findings, summary } = checkWorlds(withExternals(findWorlds([join(root, 'app')]), read(text).externals));
      return [findings.map(({ id }) => id), summary.objects];
    };
    expect(judged('')).toEqual([['EDGE204', 'EDGE340'], 1]);
    expect(judged('externals: [Gateway istio-ingress/public]')).toEqual([['EDGE340'], 1]);
    expect(judged('externals: [Gateway istio-ingress/public, Service shop/web]')).toEqual([[], 1]);
    expect(judged('externals: [Gateway istio-ingress/public, Secret shop/web]')).toEqual([['EDGE340'], 1]);
    expect(judged('externals: [Namespace istio-ingress, Namespace shop]')).toEqual([[], 1]);
    expect(judged('externals: [Gateway istio-ingress/private]')).toEqual([['EDGE204', 'EDGE340'], 1]);
    // What is wrong of it is for its owners.
    expect(judged(`externals: [{ path: "${root}/platform/*.yaml" }, Service shop/web]`)).toEqual([[], 1]);
  });

  it('divides a repository where the guess is wrong', () => {
    const root = tree({
      'clusters/a/entry.yaml': BROKEN,
      'clusters/b/entry.yaml': BROKEN,
      'apps/kustomization.yaml': 'resources: [entry.yaml]\n',
      'apps/entry.yaml': BROKEN,
      'docs/entry.yaml': BROKEN,
    });
    const from = relative(process.cwd(), root);
    const worlds = (text: string): unknown =>
      findWorlds([root], undefined, undefined, read(text).layout).map(({ name, by, loaded }) => [
        name.startsWith('..') || name.startsWith('/') ? relative(root, resolve(name)) : name,
        by,
        loaded.manifests.length,
      ]);
    expect(
      worlds(`roots: ["${from}/clusters/*", { name: all, paths: ["${from}/apps", "${from}/clusters/b"] }]`),
    ).toEqual([
      ['clusters/a', 'configured', 1],
      ['clusters/b', 'configured', 1],
      ['all', 'configured', 2],
    ]);
    expect(worlds(`ignore: ["${from}/docs/**", "${from}/clusters"]`)).toEqual([['apps', 'kustomize', 1]]);
  });

  it('has a schema that is shipped, and a beginning that init writes', () => {
    const file = join(__dirname, '../../mesh-edge.schema.json');
    const schema = `${JSON.stringify(configurationSchema(), null, 2)}\n`;
    if (process.env.UPDATE_DOCS) writeFileSync(file, schema);
    expect(readFileSync(file, 'utf8')).toBe(schema);
    // Each setting that it explains is one that is read.
    const settings = TEMPLATE.replace(/^# (?=[a-z]\w*:| {2})/gm, '');
    const { properties } = configurationSchema() as { readonly properties: object };
    for (const key of Object.keys(load(settings) as object)) expect(Object.keys(properties)).toContain(key);
    expect(() => read(settings)).not.toThrow();
  });
});

describe('objects that several files give differently', () => {
  const entry = (host: string): string => BROKEN.replace('hostz: [x], ', '').replace('api.bank.example', host);
  const many = (environment: string): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: 7 }, (_, at) => [
        `${environment}/${at}.yaml`,
        entry(`${environment}.example`).replace('name: bank', `name: bank${at}`),
      ]),
    );

  it('are one finding where they are many, and one each where they are few', () => {
    const root = tree({ ...many('dev'), ...many('prod') });
    const { findings } = checkWorlds(findWorlds([root]));
    const twice = findings.filter(({ id }) => id === 'EDGE005');
    expect(twice.map(({ severity }) => severity)).toEqual(['warning']);
    expect(twice[0]?.what).toMatch(/^7 objects are there twice .* and 2 more$/);
    const few = checkWorlds(findWorlds([tree({ 'a/x.yaml': entry('a.example'), 'b/x.yaml': entry('b.example') })]));
    expect(few.findings.filter(({ id }) => id === 'EDGE005').map(({ object }) => object?.name)).toEqual(['bank']);
  });

  it('make no error of what hangs on which of them is meant', () => {
    const route = (name: string, port: number): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: shop }
spec: { hosts: [web.shop.svc.cluster.local], http: [{ route: [{ destination: { host: web, port: { number: ${port} } } }] }] }
`;
    const service =
      'apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\nspec: { ports: [{ port: 80, name: http }] }\n';
    const errors = (files: Readonly<Record<string, string>>): readonly string[] =>
      checkWorlds(findWorlds([tree({ 'web.yaml': service, ...files })]))
        .findings.filter(({ severity }) => severity === 'error')
        .map(({ id }) => id);
    expect(errors({ 'a.yaml': route('web', 80), 'b.yaml': route('other', 80) })).not.toEqual([]);
    expect(errors({ 'a.yaml': route('web', 80), 'b.yaml': route('other', 80), 'c.yaml': route('other', 81), 'd.yaml': route('web', 82) })).toEqual([]); // prettier-ignore
  });
});

describe('a baseline', () => {
  const result = (text: string): ReturnType<typeof check> => check(loadText(text, 'a.yaml'));

  it('accepts what was there, wherever it stands now, and tells what is new', () => {
    const file = writeBaseline(result(BROKEN));
    const same = withoutBaseline(result(`\n\n${BROKEN}`), file, 'b.json');
    expect([same.result.findings, same.result.summary.errors, same.result.summary.suppressed, same.gone]).toEqual([[], 0, 1, 0]); // prettier-ignore
    const more = withoutBaseline(result(BROKEN.replace('hostz', 'hostz: [y], exportToo')), file, 'b.json');
    expect(more.result.findings.map(({ field }) => field)).toEqual(['spec.exportToo']);
    const mended = withoutBaseline(result(BROKEN.replace('hostz: [x],', '')), file, 'b.json');
    expect([mended.result.findings, mended.gone]).toEqual([[], 1]);
    expect(() => withoutBaseline(result(BROKEN), '[]', 'b.json')).toThrow(/b\.json is no baseline/);
  });

  it('is written and read by the command line', () => {
    const root = tree({ 'a.yaml': BROKEN });
    const bin = resolve(__dirname, '../../bin/mesh-edge');
    const run = (...args: readonly string[]): number | null =>
      spawnSync('node', [bin, 'check', 'a.yaml', ...args], { cwd: root }).status;
    expect(run()).toBe(1);
    expect(run('--baseline', 'base.json')).toBe(2);
    expect(run('--baseline', 'base.json', '--write-baseline')).toBe(0);
    expect(run('--baseline', 'base.json')).toBe(0);
    expect(execFileSync('node', [bin, 'init'], { cwd: root, encoding: 'utf8' })).toBe('wrote mesh-edge.yaml\n');
    expect(spawnSync('node', [bin, 'init'], { cwd: root }).status).toBe(2);
  });
});
