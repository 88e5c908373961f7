import { ApiObject, App, Chart, type IResolver, type ResolutionContext, Testing } from 'cdk8s';
import fc from 'fast-check';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { EdgeApp } from '../../src/app/edge-app';
import { OutputFile } from '../../src/app/output-file';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { addScenarios } from '../../src/scenarios';

let home: string;
const was = process.env.CDK8S_OUTDIR;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'mesh-edge-app-'));
  delete process.env.CDK8S_OUTDIR;
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
  if (was === undefined) delete process.env.CDK8S_OUTDIR;
  else process.env.CDK8S_OUTDIR = was;
});

const configMap = (scope: Chart, id: string, name: string, data: Record<string, unknown> = {}) =>
  new ApiObject(scope, id, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'a' }, data });

describe('EdgeApp', () => {
  it('has values replaced by the resolvers of cdk8s', () => {
    const resolvers = [
      { resolve: (context: ResolutionContext) => context.value === 'secret' && context.replaceValue('shown') },
    ];
    const app = new EdgeApp({ manifests: join(home, 'dist'), resolvers: resolvers as unknown as IResolver[] });
    new ExternalService(new Chart(app, 'one'), 'A', {
      hosts: ['a.example.com'],
      metadata: { annotations: { of: 'secret' } },
    });
    configMap(new Chart(app, 'two'), 'B', 'b', { of: 'secret' });
    app.synth();
    expect(readFileSync(join(home, 'dist/two/two.yaml'), 'utf8')).toContain('of: shown');
    expect(readFileSync(join(home, 'dist/one/one.yaml'), 'utf8')).toContain('of: shown');
  });

  it('writes a folder for each chart, with the files beside it', () => {
    const app = new EdgeApp({ manifests: join(home, 'dist') });
    const chart = new Chart(app, 'one');
    configMap(chart, 'A', 'a');
    new OutputFile(chart, 'Readme', { path: 'docs/README.md', content: 'hello' });
    app.synth();
    expect(parse(readFileSync(join(home, 'dist/one/one.yaml'), 'utf8'))).toMatchObject({ kind: 'ConfigMap' });
    expect(readFileSync(join(home, 'dist/one/docs/README.md'), 'utf8')).toBe('hello\n');
  });

  it('removes what it wrote and does not render any more, and keeps what is the same', () => {
    const dist = join(home, 'dist');
    const synth = (...charts: readonly string[]) => {
      const app = new EdgeApp({ manifests: dist });
      for (const chart of charts) configMap(new Chart(app, chart), 'A', chart);
      app.synth();
    };
    synth('one', 'gone', 'gone-too');
    const before = lstatSync(join(dist, 'one/one.yaml'));
    synth('one');
    expect(readdirSync(dist)).toEqual(['one']);
    expect(lstatSync(join(dist, 'one/one.yaml')).ino).toBe(before.ino);
    expect(lstatSync(join(dist, 'one/one.yaml')).mtimeMs).toBe(before.mtimeMs);
  });

  it('leaves the manifests as they were when something is wrong, and says all of it', () => {
    const dist = join(home, 'dist');
    mkdirSync(dist);
    writeFileSync(join(dist, 'kept.yaml'), 'kind: Kept');
    const app = new EdgeApp({ manifests: dist });
    const chart = new Chart(app, 'one');
    new ExternalService(chart, 'A', { hosts: ['HTTP://a'], ports: [ExternalPort.https(0)] });
    new ExternalService(chart, 'B', { hosts: [], ports: [] });
    configMap(chart, 'C', 'same');
    configMap(chart, 'D', 'same');
    expect(() => app.synth()).toThrow(
      /5 problems(.|\n)*\[one\/A\](.|\n)*\[one\/A\](.|\n)*\[one\/B\](.|\n)*\[one\/B\](.|\n)*ConfigMap a\/same is rendered by both one\/C and one\/D/,
    );
    expect(readFileSync(join(dist, 'kept.yaml'), 'utf8')).toBe('kind: Kept');
  });

  it('writes where cdk8s-cli says, and to the committed folder only from its own staging', () => {
    const build = (outdir: string) => {
      process.env.CDK8S_OUTDIR = outdir;
      const app = new EdgeApp({ manifests: join(home, 'dist'), staging: join(home, 'staging') });
      configMap(new Chart(app, 'one'), 'A', 'a');
      app.synth();
    };
    build(join(home, 'elsewhere'));
    expect(existsSync(join(home, 'dist'))).toBe(false);
    build(join(home, 'staging'));
    expect(existsSync(join(home, 'dist/one/one.yaml'))).toBe(true);
    expect(existsSync(join(home, 'dist/construct-metadata.json'))).toBe(false);
    const index = JSON.parse(readFileSync(join(home, 'staging/construct-metadata.json'), 'utf8'));
    expect(index.objects).toEqual([{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'a', path: 'one/A' }]);
  });

  it('writes through no link that lies where it writes aside, and leaves nothing there', () => {
    const dist = join(home, 'dist');
    mkdirSync(join(dist, 'one'), { recursive: true });
    writeFileSync(join(home, 'precious'), 'kept');
    symlinkSync(join(home, 'precious'), join(dist, 'one', 'one.yaml.tmp'));
    const app = new EdgeApp({ manifests: dist });
    configMap(new Chart(app, 'one'), 'A', 'a');
    app.synth();
    expect(readFileSync(join(home, 'precious'), 'utf8')).toBe('kept');
    expect(readdirSync(join(dist, 'one'))).toEqual(['one.yaml', 'one.yaml.tmp']);
    expect(readdirSync(home).sort()).toEqual(['.dist.synthesized', 'dist', 'precious']);
  });

  it('names the line of the user that made what is wrong, below whatever of theirs is wrapped around it', () => {
    const chart = new Chart(new EdgeApp({ manifests: join(home, 'dist') }), 'one');
    const made = () => new ExternalService(chart, 'Wrong', { hosts: [], ports: [] });
    const service = made();
    const lines = service.node.validate().map((text) => /^ +at: (.*)$/m.exec(text)?.[1]);
    const here =
      readFileSync(__filename, 'utf8')
        .split('\n')
        .findIndex((line) => line.includes(`(chart, ${"'Wrong'"}, {`)) + 1;
    expect(lines).toEqual([`test/app/edge-app.test.ts:${here}`, `test/app/edge-app.test.ts:${here}`]);
  });

  it('refuses one object of two constructs in any app, whichever library made them', () => {
    const app = new App({ outdir: join(home, 'plain') });
    const twice = (id: string) =>
      new ExternalService(new Chart(app, id, { namespace: 'edge' }), 'Api', {
        hosts: [`${id}.example.com`],
        ports: [ExternalPort.https()],
      });
    twice('one');
    twice('two');
    const said = /ServiceEntry edge\/api is rendered by both one\/Api\/Resource and two\/Api\/Resource/;
    expect(() => app.synth()).toThrow(said);
    expect(() => Testing.synth(app.node.findChild('one') as Chart)).toThrow(said);
  });

  it('refuses in words, and without a stack of its own frames', () => {
    const app = new EdgeApp({ manifests: join(home, 'dist') });
    new ExternalService(new Chart(app, 'one'), 'A', { hosts: [], ports: [] });
    let stack: string | undefined;
    try {
      app.synth();
    } catch (error) {
      stack = error instanceof Error ? error.stack : undefined;
    }
    expect(stack).toMatch(/^Error: Nothing was written/);
    expect(stack?.match(/\n\s+at .*/g)).toEqual([
      expect.stringMatching(/^\n {4}at test\/app\/edge-app\.test\.ts:\d+$/),
    ]);
  });

  it('never takes a folder that holds more than manifests', () => {
    writeFileSync(join(home, 'package.json'), '{}');
    const app = new EdgeApp({ manifests: home });
    configMap(new Chart(app, 'one'), 'A', 'a');
    expect(() => app.synth()).toThrow(/it holds package\.json/);
    expect(existsSync(join(home, 'package.json'))).toBe(true);
  });

  it('renders the same objects, in the same order, as the App of cdk8s', () => {
    const stock = new App();
    addScenarios(stock);
    const ours = new EdgeApp({ manifests: join(home, 'dist') });
    addScenarios(ours);
    const documents = (text: string) => parseAllDocuments(text).map((doc) => doc.toJS());
    expect(documents(ours.synthYaml())).toEqual(documents(stock.synthYaml()));
  });

  it('puts what is depended on first, and enters a layered graph once', () => {
    const app = new EdgeApp({ manifests: join(home, 'dist') });
    const chart = new Chart(app, 'one');
    const layers = Array.from({ length: 12 }, (_, layer) =>
      Array.from({ length: 12 }, (__, i) => configMap(chart, `${layer}-${i}`, `${layer}-${i}`)),
    );
    layers.slice(1).forEach((layer, i) => layer.forEach((object) => object.addDependency(...layers[i])));
    layers[0][0].addDependency(configMap(chart, 'last', 'last'));
    const names = parseAllDocuments(app.synthYaml()).map((doc) => doc.toJS().metadata.name as string);
    expect(names.indexOf('last')).toBeLessThan(names.indexOf('0-0'));
    expect(names.indexOf('11-0')).toBeGreaterThan(names.indexOf('10-11'));
    expect(names).toHaveLength(145);
  });

  it('writes YAML that readers of 1.1 and of 1.2 understand alike', () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'yes',
        'on',
        'Off',
        'y',
        'n',
        '0777',
        '1_000',
        '1:30',
        '2001-01-01',
        '~',
        'null',
        '=',
        '<<',
        '1e3',
        '.inf',
        '0x1f',
        '0b1',
      ),
      fc.integer(),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const tree = fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => !(key in {})),
      fc.oneof(
        scalar,
        fc.array(scalar),
        fc.dictionary(fc.constantFrom('on', 'y', 'name'), scalar, { noNullPrototype: true }),
      ),
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(tree, (data) => {
        const app = new EdgeApp({ manifests: join(home, 'dist') });
        const object = configMap(new Chart(app, 'one'), 'A', 'a', data);
        const expected = JSON.parse(JSON.stringify(object.toJson()));
        const text = app.synthYaml();
        expect(JSON.parse(JSON.stringify(parse(text, { version: '1.1' })))).toEqual(expected);
        expect(JSON.parse(JSON.stringify(parse(text, { version: '1.2' })))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});
