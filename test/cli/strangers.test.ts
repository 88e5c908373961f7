import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import MarkdownIt from 'markdown-it';
import { alive } from '../fuzz/markdown';

const root = join(__dirname, '../..');

/** Names as somebody would choose them who wants more than a name. */
const HOSTILE = [
  'a\u001b[2J\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007',
  'a\n::error file=x.ts,line=1::forged\n  ::stop-commands::word\n##[error]forged',
  'a\r\r## All good\r\r',
  'a`|[approve](https://evil.example)![x](https://evil.example/t.png)<img src=x onerror=y>',
  '@octocat see #1 https://evil.example www.evil.example <!-- \\` \\| `` ` **all** fine',
  'x\u009b2J\u202egnp.exe\u2028\u200b%%{init: {}}%% "```',
  '"><script>alert(1)</script>',
];

const object = (apiVersion: string, kind: string, namespace: string, name: string, spec: unknown) => ({
  apiVersion,
  kind,
  metadata: { name, namespace, annotations: { [name]: name }, labels: { app: name } },
  spec,
});

/** A mesh in which every name, host, field and value that can be printed is the stranger's. */
function mesh(name: string, isOpen: boolean): string {
  const objects = [
    object('networking.istio.io/v1', 'ServiceEntry', 'app', name, {
      hosts: ['api.example.com', name],
      ports: [{ number: 443, name, protocol: 'TLS', [name]: 1 }],
      resolution: name,
      exportTo: [name],
    }),
    object('networking.istio.io/v1', 'ServiceEntry', 'app', 'fine', {
      hosts: ['fine.example.com', ...(isOpen ? ['more.example.com'] : [])],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      resolution: 'DNS',
    }),
    object('networking.istio.io/v1', 'VirtualService', 'app', name, {
      hosts: ['fine.example.com'],
      gateways: ['mesh', name],
      http: [
        {
          match: [{ headers: { [name]: { exact: name } }, uri: { prefix: name } }],
          route: [{ destination: { host: name, subset: name } }],
        },
        { name, route: [{ destination: { host: 'fine.example.com' } }], ...(isOpen ? { rewrite: { uri: name } } : {}) },
      ],
    }),
    object('networking.istio.io/v1', 'DestinationRule', 'app', name, {
      host: name,
      subsets: [{ name, labels: { v: name } }],
    }),
    object('security.istio.io/v1', 'AuthorizationPolicy', name, name, {
      selector: { matchLabels: { [name]: name } },
      rules: [
        { from: [{ source: { principals: [name], namespaces: [name] } }], when: [{ key: name, values: [name] }] },
      ],
    }),
    object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'app', name, {
      parentRefs: [{ name, sectionName: name }],
      hostnames: [name],
      rules: [{ backendRefs: [{ name, port: 80 }] }],
    }),
    object('networking.istio.io/v1', 'Gateway', 'app', name, {
      selector: { app: name },
      servers: [
        { port: { number: 443, name, protocol: name }, hosts: [name], tls: { mode: 'SIMPLE', credentialName: name } },
      ],
    }),
    object('apps/v1', 'Deployment', 'app', name, {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { serviceAccountName: name, containers: [{ name, image: name }] },
      },
    }),
    object(name, name, 'app', name, {}),
  ];
  return objects.map((one) => JSON.stringify(one)).join('\n---\n');
}

function folder(names: readonly string[]): { readonly cwd: string } {
  const cwd = mkdtempSync(join(tmpdir(), 'mesh-edge-strangers-'));
  for (const side of ['old', 'new']) {
    mkdirSync(join(cwd, side));
    for (const name of names) {
      const file = name.replaceAll('/', '.').slice(0, 200); // a file's name holds no slash
      writeFileSync(join(cwd, side, `${file}.yaml`), mesh(name, side === 'new'));
      writeFileSync(join(cwd, side, `broken ${file}.yaml`), `kind: "x\n`);
      writeFileSync(join(cwd, side, `.${file}.yaml`), 'kind: Hidden\n');
    }
  }
  return { cwd };
}

function run(cwd: string, ...args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin/mesh-edge'), ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...process.env, NO_COLOR: '1' },
  });
  expect([status, stderr.includes('internal error') ? stderr : '']).toEqual([expect.any(Number), '']);
  return { stdout, stderr };
}

// eslint-disable-next-line no-control-regex
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const COMMAND = /^[ \t]*::[a-z][a-z-]*[ :]|##\[/im;

function isTame(text: string): void {
  expect(RAW.exec(text)?.[0]).toBeUndefined();
  expect(COMMAND.exec(text)?.[0]).toBeUndefined();
}

describe('names that a stranger chose', () => {
  const { cwd } = folder(HOSTILE);

  it.each(['text', 'json', 'sarif', 'github', 'markdown'])('only show in findings, as %s', (format) => {
    const { stdout, stderr } = run(cwd, 'check', 'new', '--format', format);
    isTame(stderr);
    if (format !== 'github') isTame(stdout);
    else {
      expect(RAW.exec(stdout)?.[0]).toBeUndefined();
      expect(stdout).not.toMatch(/##\[/);
      for (const line of stdout.split('\n').filter((one) => one.trim().startsWith('::')))
        expect(line).toMatch(/^::(error|warning|notice) (file=[^,:]*,(line=\d+,)?)?title=EDGE\d+ [a-z-]+::/);
    }
    if (format === 'json') expect(JSON.parse(stdout).findings.length).toBeGreaterThan(20);
    if (format === 'markdown') expect(alive(stdout)).toEqual([]);
    if (format !== 'sarif') return;
    const uris = [...stdout.matchAll(/"uri": "([^"]*)"/g)].map(([, uri]) => uri ?? '');
    expect(uris.length).toBeGreaterThan(20);
    for (const uri of uris) expect(uri).toMatch(/^[\w.~/:%!'()*-]+$/);
  });

  it.each(['text', 'json', 'mermaid'])('only show in a trace, as %s', (format) => {
    const header = HOSTILE.map((name) => ['--header', `x: ${name.replace(/[\r\n]/g, '')}`]).flat();
    const asked = ['--request', 'http://fine.example.com/', '--from', 'app/web', ...header];
    const { stdout, stderr } = run(cwd, 'trace', 'new', ...asked, '--format', format);
    isTame(stdout);
    isTame(stderr);
    if (format === 'mermaid') expect(stdout).not.toMatch(/```|%%\{/);
  });

  it.each(['text', 'json', 'markdown'])('only show in a diff, as %s', (format) => {
    const { stdout, stderr } = run(cwd, 'diff', 'old', 'new', '--format', format, '--outbound', 'REGISTRY_ONLY');
    isTame(stdout);
    isTame(stderr);
    if (format !== 'markdown') return;
    expect(alive(stdout)).toEqual([]);
    expect(stdout.trimEnd().endsWith('</details>')).toBe(true);
  });

  it.each(['x.mmd', 'x.svg', 'x.html'])('only show in a picture, %s', (file) => {
    const { stdout, stderr } = run(cwd, 'diagram', 'new', '-o', file);
    isTame(stdout + stderr);
    const picture = readFileSync(join(cwd, file), 'utf8');
    expect(RAW.exec(picture)?.[0]).toBeUndefined();
    // A fence ends and a directive begins where Mermaid or Markdown read; to SVG and HTML they are text, as markup is to Mermaid.
    expect(picture).not.toMatch(file.endsWith('.mmd') ? /<script>alert|<img|```|%%\{/ : /<script>alert|<img/);
  });

  it('only show in what adopt says', () => {
    const { stdout, stderr } = run(cwd, 'adopt', 'new', '-o', 'out');
    isTame(stdout + stderr);
  });

  it('are refused in messages as everywhere: a path that is not there, and an option that is none', () => {
    const { cwd } = folder(['a']);
    for (const name of HOSTILE) {
      isTame(run(cwd, 'check', `no ${name.replaceAll('\0', '')}`).stderr);
      isTame(run(cwd, 'check', 'new', `--${name.replaceAll('\0', '')}`).stderr);
    }
  });

  it('stand as code with their signs, so that they can still be read and searched for', () => {
    const { cwd } = folder(['a|b`c']);
    const { stdout } = run(cwd, 'check', 'new', '--format', 'markdown');
    const rendered = new MarkdownIt({ html: true }).render(stdout);
    expect(rendered).toContain('<code>ServiceEntry app/a|b`c</code>');
  });
});

it('says of a page which scripts it runs, and no other runs', () => {
  const { cwd } = folder(['a']);
  run(cwd, 'diagram', 'new', '-o', 'x.html');
  const page = readFileSync(join(cwd, 'x.html'), 'utf8');
  expect(page).toMatch(
    /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[A-Za-z0-9+/=]+'"/,
  );
});
