/** `npm run bench:footprint [HOSTS]`: measures, and writes the table of README.md. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { istioVersion } from '../../test/lab/versions';
import { type Way, around, documents, policy } from './worlds';

interface Pushed {
  readonly pod: string;
  readonly clusters: number;
  readonly bytes: number;
}

const PODS = ['app/client', 'other/bystander', 'istio-egress/gateway'];

function build(folder: string): string {
  const binary = join(folder, 'footprint');
  const GONOSUMDB = [process.env.GONOSUMDB, 'github.com/openshift/*'].filter(Boolean).join(',');
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GONOSUMDB };
  execFileSync('go', ['build', '-trimpath', '-buildvcs=false', '-o', binary, '.'], {
    cwd: __dirname,
    env,
    stdio: 'inherit',
  });
  return binary;
}

function measure(binary: string, objects: readonly object[]): Map<string, Pushed> {
  const input = [...around, ...objects].map((object) => JSON.stringify(object)).join('\n---\n');
  const output = execFileSync(binary, { input, encoding: 'utf8', maxBuffer: 1e9 });
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Pushed);
  return new Map(lines.map((line) => [line.pod, line]));
}

const kilobytes = (bytes: number) => `${Math.round(bytes / 1024).toLocaleString('en')} KB`;

function table(binary: string, way: Way, hosts: number): string[] {
  const [theirs, ours] = [documents(way, hosts), policy(way, hosts)].map((objects) => measure(binary, objects));
  const row = (name: string, cells: string[]) => `| ${[name, ...cells].join(' | ')} |`;
  const size = ({ bytes, clusters }: Pushed) => `${kilobytes(bytes)}, ${clusters.toLocaleString('en')} clusters`;
  return [
    row('', ["client's sidecar", 'sidecar with no business there', 'gateway']),
    row(
      '---',
      PODS.map(() => '---'),
    ),
    row(
      "the documents' objects for each host",
      PODS.map((pod) => size(theirs.get(pod)!)),
    ),
    row(
      'one `EgressTrafficPolicy`',
      PODS.map((pod) => size(ours.get(pod)!)),
    ),
    row(
      'ratio',
      PODS.map((pod) => `1/${(theirs.get(pod)!.bytes / ours.get(pod)!.bytes).toFixed(1)}`),
    ),
  ];
}

const hosts = Number(process.argv[2] ?? 1000);
const folder = mkdtempSync(join(tmpdir(), 'footprint-'));
try {
  const binary = build(folder);
  const report = [
    `Istio ${istioVersion()}, ${hosts.toLocaleString('en')} hosts, one namespace allowed.`,
    '',
    '### Plain HTTP from the application, TLS made by the gateway',
    '',
    ...table(binary, 'http', hosts),
    '',
    '### HTTPS of the application, passed through by SNI',
    '',
    ...table(binary, 'tls', hosts),
  ];
  process.stdout.write(`${report.join('\n')}\n`);
  const file = join(__dirname, 'README.md');
  const text = readFileSync(file, 'utf8');
  const [start, end] = ['<!-- measured -->\n', '<!-- end -->'].map((mark) => text.indexOf(mark));
  const written = `${text.slice(0, start)}<!-- measured -->\n\n${report.join('\n')}\n\n${text.slice(end)}`;
  if (process.argv[2] === undefined) writeFileSync(file, written);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
