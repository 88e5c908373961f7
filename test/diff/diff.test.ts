import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Change, diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { formatDiff } from '../../src/report/diff';

const root = join(__dirname, '..', '..');
const company = readFileSync(join(__dirname, 'fixtures', 'company.yaml'), 'utf8');

function changesOf(edit: (yaml: string) => string): readonly Change[] {
  const edited = edit(company);
  expect(edited).not.toBe(company);
  return diff(loadText(company).manifests, loadText(edited).manifests).changes;
}

function told({ effect, from, to, was, is }: Change): string {
  return `${effect}: ${from.join(', ')} to ${to}: ${was.text} -> ${is.text}`;
}

describe('a diff of traffic', () => {
  it('says who may newly reach a host, and by which way', () => {
    const changes = changesOf((yaml) =>
      yaml.replace('ns/shop/sa/payments]', 'ns/shop/sa/payments, cluster.local/ns/shop/sa/cart]'),
    );
    expect(changes.map(told)).toEqual([
      'widened: shop/cart to http://api.stripe.com/: refused with 403 by gateway istio-egress/egress: denied by an AuthorizationPolicy (istio-egress/egress) -> ' +
        "through gateway istio-egress/egress over mutual TLS with the client's identity; reaches port 443 with TLS made by the proxy, server verified whatever its name",
    ]);
    expect(changes[0]?.because).toEqual([
      { kind: 'AuthorizationPolicy', namespace: 'istio-egress', name: 'egress', change: 'changed' },
    ]);
  });

  it('puts what is newly allowed before what no longer is', () => {
    const effects = changesOf((yaml) =>
      yaml.replace('mode: REGISTRY_ONLY', 'mode: ALLOW_ANY').replace('[api.partner.com] } }]', '[other.example] } }]'),
    ).map(({ effect }) => effect);
    expect(new Set(effects)).toContain('narrowed');
    expect(effects.lastIndexOf('widened')).toBeLessThan(effects.indexOf('narrowed'));
    expect(effects[0]).toBe('widened');
  });

  it('calls it less protected when TLS is lost on the way out', () => {
    const changes = changesOf((yaml) =>
      yaml
        .replace('tls: { mode: SIMPLE, sni: api.stripe.com }', 'tls: { mode: DISABLE }')
        .replace('number: 443 }, subset: originate-tls', 'number: 80 }, subset: originate-tls'),
    );
    expect(changes.map(({ effect, to }) => `${effect} ${to}`)).toEqual(['weakened http://api.stripe.com/']);
  });

  it('calls it less protected when the gateway is bypassed', () => {
    const changes = changesOf((yaml) =>
      yaml.replace(
        'gateways: [mesh], port: 80, uri: { prefix: /v2 }',
        'gateways: [istio-egress/egress], port: 80, uri: { prefix: /v2 }',
      ),
    );
    expect(changes.map(({ effect, from, to }) => `${effect} ${from.join()} ${to}`)).toContain(
      'weakened web http://api.partner.com/v2',
    );
  });

  it('tells of a server that is no longer verified, though the request goes the same way', () => {
    const changes = changesOf((yaml) =>
      yaml.replace('tls: { mode: SIMPLE,', 'tls: { mode: SIMPLE, insecureSkipVerify: true,'),
    );
    expect(changes.map(({ effect, is }) => [effect, is.tls?.insecureSkipVerify])).toEqual([['weakened', true]]);
  });

  it.each([
    // istiod has the name of the host verified where no SNI is written, and any name where one is.
    ['any name passes', 'mode: SIMPLE }', 'mode: SIMPLE, sni: api.stripe.com }', 'weakened'],
    ['the name is verified', 'mode: SIMPLE, sni: api.stripe.com }', 'mode: SIMPLE }', 'rerouted'],
    ['one name more passes', 'subjectAltNames: [a.com] }', 'subjectAltNames: [a.com, b.com] }', 'weakened'],
    ['another name passes', 'subjectAltNames: [a.com] }', 'subjectAltNames: [b.com] }', 'rerouted'],
  ])("tells of names in the server's certificate: %s", (_law, before, after, effect) => {
    const written = 'mode: SIMPLE, sni: api.stripe.com }';
    expect(company).toContain(written);
    const [was, is] = [before, after].map((tls) => {
      const whole = tls.startsWith('mode') ? tls : `mode: SIMPLE, sni: api.stripe.com, ${tls}`;
      return loadText(company.replace(written, whole)).manifests;
    });
    expect(diff(was ?? [], is ?? []).changes.map((change) => change.effect)).toEqual([effect]);
  });

  it('follows requests from outside at the gateways where they enter', () => {
    const changes = changesOf((yaml) => yaml.replace('prefix: /admin', 'prefix: /nothing'));
    expect(changes.filter(({ effect }) => effect === 'widened').map(told)).toEqual([
      'widened: outside, at istio-system/public to http://www.shop.example/admin: answered with 403 by gateway istio-system/ingress: answered by the proxy itself -> ' +
        'through gateway istio-system/ingress; reaches front.web.svc.cluster.local:80 with mutual TLS of the mesh',
    ]);
  });

  it('says what becomes of hosts that nobody names', () => {
    const changes = changesOf((yaml) => yaml.replace('mode: REGISTRY_ONLY', 'mode: ALLOW_ANY'));
    expect(changes.map(({ effect, to }) => `${effect} ${to}`)).toContain('widened https://(any other host)');
  });

  it.each<[string, (yaml: string) => string]>([
    [
      'labels',
      (yaml) =>
        yaml.replace('{ name: stripe, namespace: shop }', '{ name: stripe, namespace: shop, labels: { team: a } }'),
    ],
    [
      'the name of a subset',
      (yaml) =>
        yaml
          .replace('{ name: stripe, trafficPolicy', '{ name: s1, trafficPolicy')
          .replace('subset: stripe', 'subset: s1'),
    ],
    [
      'the name of a route',
      (yaml) =>
        yaml.replace(
          'kind: VirtualService\nmetadata: { name: stripe,',
          'kind: VirtualService\nmetadata: { name: renamed,',
        ),
    ],
    ['the version of an API', (yaml) => yaml.replace(/networking\.istio\.io\/v1$/gm, 'networking.istio.io/v1beta1')],
    ['the order of documents', (yaml) => yaml.split(/^---$/m).reverse().join('\n---\n')],
  ])('finds no change of traffic in %s', (_what, edit) => {
    expect(changesOf(edit).map(told)).toEqual([]);
  });

  it('counts objects whose change alters nothing', () => {
    const edited = company.replace(
      '{ name: stripe, namespace: shop }',
      '{ name: stripe, namespace: shop, labels: { team: a } }',
    );
    const found = diff(loadText(company).manifests, loadText(edited).manifests);
    expect(formatDiff(found, 'text', { color: false, width: 100, old: 'a', new: 'b' })).toBe(
      'no change of traffic, for every request\n\n1 object differs (1 changed): with no effect on traffic.\n',
    );
  });

  it('does not judge what edits the proxies themselves', () => {
    const filter =
      '---\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: { name: x, namespace: shop }\nspec: {}\n';
    const found = diff(loadText(company).manifests, loadText(`${company}${filter}`).manifests);
    expect(found.changes).toEqual([]);
    expect(found).toMatchObject({ complete: false, undecided: [{ what: 'EnvoyFilter shop/x is added' }] });
  });
});

describe('mesh-edge diff', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'diff-'));
    const git = (...args: string[]): void => {
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
        cwd: folder,
        stdio: 'pipe',
      });
    };
    git('init', '-q', '-b', 'main');
    mkdirSync(join(folder, 'dist'));
    writeFileSync(join(folder, 'dist', 'a.yaml'), company);
    git('add', '.');
    git('commit', '-qm', 'one');
    writeFileSync(join(folder, 'dist', 'a.yaml'), company.replace('ns/shop/sa/payments]', 'ns/shop/sa/*]'));
    writeFileSync(join(folder, 'dist', 'broken.yaml'), 'apiVersion: v1\nkind: Service\nmetadata: {name: x\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync(join(root, 'bin', 'mesh-edge'), ['diff', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  it('reads a path of a git revision without a checkout, and passes over no broken document', () => {
    const { status, stdout, stderr } = run('main:dist', 'dist', '--format', 'json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const found = JSON.parse(stdout) as { changes: Change[]; complete: boolean; undecided: object[]; notes: string[] };
    expect(found.changes.map(({ effect, from, to }) => [effect, from, to])).toEqual([
      ['widened', ['shop/cart'], 'http://api.stripe.com/'],
    ]);
    const what = expect.stringMatching(/^dist\/broken\.yaml:\d+$/) as string;
    expect(found).toMatchObject({ complete: false, undecided: [{ what }], notes: [] });
  });

  it('exits with 1 for a change of traffic if asked to, and with 0 for none', () => {
    expect(run('main:dist', 'dist', '--exit-code').status).toBe(1);
    expect(run('main:dist/a.yaml', 'main:./dist', '--exit-code')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('no change of traffic'),
    });
  });

  it('takes a revision alone for the path of the other side', () => {
    expect(run('main', 'dist').stdout).toBe(run('main:dist', 'dist').stdout);
    expect(run('main', 'main', '--exit-code').status).toBe(0);
  });

  it.each([
    ['nowhere', 'neither a file nor a folder'],
    ['nobranch:dist', 'git knows no revision "nobranch"'],
    ['main:nothing', 'has no path "nothing"'],
    ['--upload-pack=x:dist', "unknown option '--upload-pack=x:dist'"],
  ])('refuses %s with status 2 and a reason', (side, reason) => {
    expect(run(side, 'dist')).toEqual({ status: 2, stdout: '', stderr: expect.stringContaining(reason) });
  });
});
