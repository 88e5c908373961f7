import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const launcher = join(__dirname, '../../bin/mesh-edge');
const folder = mkdtempSync(join(tmpdir(), 'mesh-edge-trace-'));
const manifests = join(folder, 'mesh.yaml');
writeFileSync(
  manifests,
  `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cnn, namespace: app}
spec:
  hosts: [edition.cnn.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
`,
);

function run(args: string[], input?: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, 'trace', ...args], {
    encoding: 'utf8',
    input,
  });
  return { status, stdout, stderr };
}

describe('mesh-edge trace', () => {
  it('ends with 0 for a delivered request and writes the JSON of the contract', () => {
    const { status, stdout } = run([
      manifests,
      '--request',
      'http://edition.cnn.com/',
      '--from',
      'app/sleep',
      '--format',
      'json',
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: 'delivered',
      hops: [
        {
          proxy: { kind: 'sidecar', namespace: 'app', workload: 'sleep' },
          receives: { protocol: 'HTTP', port: 80, tls: 'NONE', sni: null },
          route: null,
          cluster: 'outbound|80||edition.cnn.com',
          sends: { protocol: 'HTTP', port: 80, tls: 'NONE', sni: null },
        },
      ],
      destination: { host: 'edition.cnn.com', port: 80, tls: 'NONE', sni: null },
      refusal: null,
    });
  });

  it('ends with 1 for a refused request, and says where, why and how to mend it', () => {
    const { status, stdout } = run([
      manifests,
      '--outbound',
      'REGISTRY_ONLY',
      '--request',
      'http://www.cnn.com/',
      '--from',
      'app/sleep',
    ]);
    expect(status).toBe(1);
    expect(stdout).toContain('refused at sidecar app/sleep: BlackHoleCluster, status 502');
    expect(stdout).toContain('add a ServiceEntry with host www.cnn.com and port 80 HTTP');
  });

  it('answers many requests in order, one JSON line each, and ends with 0', () => {
    const requests = [
      '{"from": "app/sleep", "request": "http://edition.cnn.com/"}',
      '{"from": "app/sleep", "request": "https://edition.cnn.com/"}',
      '{"from": "outside", "at": "app/none", "request": "http://x/"}',
    ];
    const { status, stdout, stderr } = run(
      [manifests, '--outbound', 'REGISTRY_ONLY', '--requests', '-'],
      requests.join('\n'),
    );
    expect(status).toBe(0);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { outcome: string; notes: string[] });
    expect(answers.map((answer) => answer.outcome)).toEqual(['delivered', 'refused', 'unknown']);
    expect(answers[2]?.notes[0]).toContain('there is no gateway app/none');
    expect(stderr).toContain('request 3');
  });

  it.each([
    [['--request', 'cnn.com', '--from', 'app'], '"cnn.com" is no request'],
    [['--request', 'http://cnn.com/'], '--request needs --from'],
    [['--from', 'app'], 'either --request or --requests'],
    [['--request', 'tcp://cnn.com', '--from', 'app'], 'names no port'],
    [['--request', 'http://cnn.com/', '--from', 'outside', '--at', 'app/gw'], 'there is no gateway app/gw'],
    [['--request', 'http://cnn.com/', '--from', 'App/x'], 'is not NAMESPACE'],
    [['--request', 'http://cnn.com/', '--from', 'app', '--address', 'x'], 'is not an IP'],
  ])('ends with 2 and nothing on standard output for %j', (args, message) => {
    const { status, stdout, stderr } = run([manifests, ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('takes a field that is null for one that is not there, and leaves fields alone that it does not know', () => {
    const line =
      '{"id": 7, "from": "app/sleep", "request": "http://edition.cnn.com/", "address": null, "headers": {"x-count": 3}}';
    const { status, stdout } = run([manifests, '--requests', '-'], line);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'delivered' });
  });

  it.each([
    ['[1]', 'request 1 is not an object'],
    ['{"from": "app"}', 'request 1 needs "from" and "request"'],
    ['{"from": "app", "request": "http://x/", "method": 5}', '"method" is 5, not a string'],
    ['{"from": "app", "request": "http://x/", "headers": ["a"]}', '"headers" is ["a"], not an object of strings'],
    ['{"from": "app", "request": ', 'request 1 is no JSON'],
  ])('refuses the line %s with status 2 and nothing on standard output', (line, reason) => {
    const { status, stdout, stderr } = run([manifests, '--requests', '-'], line);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(reason);
  });

  it('says on standard error what it could not read, for many requests as for one', () => {
    const broken = join(folder, 'broken.yaml');
    writeFileSync(broken, 'apiVersion: v1\nkind: [\n');
    const { status, stderr } = run(
      [manifests, broken, '--requests', '-'],
      '{"from": "app", "request": "http://edition.cnn.com/"}',
    );
    expect(status).toBe(0);
    expect(stderr).toContain('broken.yaml');
  });

  it.each(['http://user:secret@edition.cnn.com/', 'http://edition.cnn.com?q=@x', 'http://edition.cnn.com:80/a@b:1'])(
    'takes the host of %s',
    (url) => {
      const { stdout } = run([manifests, '--request', url, '--from', 'app/sleep', '--format', 'json']);
      expect(JSON.parse(stdout).destination.host).toBe('edition.cnn.com');
    },
  );

  it('asks for no trailing dot by SNI', () => {
    const args = ['--request', 'https://edition.cnn.com./', '--from', 'app/sleep', '--format', 'json'];
    const [hop] = JSON.parse(run([manifests, ...args]).stdout).hops;
    expect(hop.receives.sni).toBe('edition.cnn.com');
    expect(Object.keys(hop).slice(0, 5)).toEqual(['proxy', 'receives', 'route', 'cluster', 'sends']);
  });

  it('draws the path as Mermaid', () => {
    const { stdout } = run([
      manifests,
      '--request',
      'http://edition.cnn.com/',
      '--from',
      'app/sleep',
      '--format',
      'mermaid',
    ]);
    expect(stdout).toMatch(/^flowchart LR\n/);
    expect(stdout).toContain('target(["edition.cnn.com:80"])');
  });
});
