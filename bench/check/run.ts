/**
 * `npm run bench:check`: `mesh-edge check` and `istioctl analyze --use-kube=false` on the same files, in turn, in one run.
 * istioctl is the one that `npm run lab` builds; without it only this package is measured. Writes the report beside this file, unless sizes are given: 25 1000 10000.
 * With `shapes`: this package alone, on meshes that are large in other ways.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { partFolder } from '../../test/lab/cache';
import { VERSIONS } from '../../test/lab/versions';
import { SHAPES } from './shapes';
import { type Measured, conditions, growth, measure, median } from '../measure';

const ROOT = resolve(__dirname, '..', '..');
const istioctl = join(partFolder(`istio-${VERSIONS.istio}`), 'istioctl');
const sizes = process.argv
  .slice(2)
  .map(Number)
  .filter((size) => size > 0);
const RUNS = 3;
const OBJECTS_A_HOST = 4;
/** istioctl takes minutes for 10,000 hosts. */
const PATIENCE_SECONDS = 60;

/** Four objects a host: the documents' way from plain HTTP to TLS at the gateway. */
function manifests(hosts: number): string {
  const head = (kind: string, name: string, spec: string): string =>
    `---\napiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n  namespace: app\nspec:\n${spec}`;
  const gateway = 'istio-egressgateway.istio-system.svc.cluster.local';
  const objects = Array.from({ length: hosts }, (_, at) => {
    const host = `h${at}.example.com`;
    return [
      head(
        'ServiceEntry',
        `h${at}`,
        `  hosts: [${host}]\n  ports:\n    - {number: 80, name: http, protocol: HTTP}\n    - {number: 443, name: https, protocol: HTTPS}\n  resolution: DNS\n`,
      ),
      head(
        'Gateway',
        `h${at}`,
        `  selector: {istio: egressgateway}\n  servers:\n    - port: {number: 80, name: http, protocol: HTTP}\n      hosts: [${host}]\n`,
      ),
      head(
        'VirtualService',
        `h${at}`,
        `  hosts: [${host}]\n  gateways: [mesh, h${at}]\n  http:\n    - match: [{gateways: [mesh], port: 80}]\n      route:\n        - destination: {host: ${gateway}, subset: hop, port: {number: 80}}\n    - match: [{gateways: [h${at}], port: 80}]\n      route:\n        - destination: {host: ${host}, subset: tls, port: {number: 443}}\n`,
      ),
      head(
        'DestinationRule',
        `h${at}`,
        `  host: ${host}\n  subsets:\n    - name: tls\n      trafficPolicy: {tls: {mode: SIMPLE, sni: ${host}}}\n`,
      ),
    ].join('');
  });
  const hop = head('DestinationRule', 'hop', `  host: ${gateway}\n  subsets: [{name: hop}]\n`).replace(
    'namespace: app',
    'namespace: istio-system',
  );
  return `${objects.join('')}${hop}`;
}

interface Side {
  readonly name: string;
  readonly run: (file: string) => Promise<Measured>;
}

const sides: readonly Side[] = [
  {
    name: 'mesh-edge check',
    run: (file) => measure(process.execPath, [join(ROOT, 'lib/cli/mesh-edge.cjs'), 'check', file]),
  },
  ...(existsSync(istioctl)
    ? [
        {
          name: 'istioctl analyze',
          run: (file: string) =>
            measure(istioctl, ['analyze', '--use-kube=false', file], { limitSeconds: PATIENCE_SECONDS }),
        },
      ]
    : []),
];

/** Other shapes at two sizes: what is quadratic in anything shows in one of them. */
async function shapes(work: string): Promise<void> {
  const rows: string[] = [];
  for (const { name, what, manifests: make } of SHAPES) {
    const found: { n: number; seconds: number; megabytes: number }[] = [];
    for (const n of [1000, 4000]) {
      const file = join(work, 'shape.yaml');
      writeFileSync(file, make(n));
      const runs: Measured[] = [];
      for (let run = 0; run < RUNS; run += 1) runs.push(await sides[0].run(file));
      const { cpu, seconds, megabytes } = median(runs);
      found.push({ n, seconds: cpu || seconds, megabytes });
    }
    const [small, large] = found;
    const cells = [name, what, small.seconds.toFixed(2), large.seconds.toFixed(2), growth(small, large).toFixed(2), small.megabytes.toFixed(0), large.megabytes.toFixed(0)]; // prettier-ignore
    rows.push(`| ${cells.join(' | ')} |`);
    process.stdout.write(`${rows[rows.length - 1] ?? ''}\n`);
  }
  const lines = [
    '# Checks of meshes that are large in other ways',
    '',
    `Whole processes of \`mesh-edge check\`, the median of ${RUNS} runs: seconds of CPU of all threads, and memory, at 1,000 and at 4,000 of what makes each mesh large (\`shapes.ts\`).`,
    '',
    '`npm run bench:check -- shapes`',
    '',
    conditions(),
    '',
    '| shape | of | CPU s | CPU s, four times as many | grows with n to the power of | MB | MB, four times as many |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
  ];
  writeFileSync(join(__dirname, 'SHAPES.md'), `${lines.join('\n')}\n`);
}

async function main(): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'mesh-edge-bench-'));
  const rows: string[] = [];
  const points: { n: number; seconds: number }[] = [];
  try {
    await measure(process.execPath, [join(ROOT, 'bin/mesh-edge'), '--version']); // makes the bundle
    if (process.argv.includes('shapes')) return await shapes(work);
    for (const hosts of sizes.length > 0 ? sizes : [25, 1000, 10_000, 20_000]) {
      const file = join(work, `${hosts}.yaml`);
      writeFileSync(file, manifests(hosts));
      const runs = sides.map((): Measured[] => []);
      for (let run = 0; run < (hosts > 10_000 ? 1 : RUNS); run += 1) {
        for (const [at, side] of sides.entries()) {
          // What was cut short once, or is far beyond, is not waited for again.
          const own = runs[at];
          if ((at > 0 && hosts > 10_000) || own.some(({ cutShort }) => cutShort)) continue;
          own.push(await side.run(file));
        }
      }
      const results = runs.map((own) => (own.length === 0 ? undefined : median(own)));
      const [ours] = results;
      for (const [at, side] of sides.entries()) {
        const it = results[at];
        if (ours === undefined || it === undefined) continue;
        const atLeast = it.cutShort ? 'over ' : '';
        const ratio = (own: number, other: number): string =>
          at === 0 ? '' : `${it.cutShort ? 'under ' : ''}${(own / other).toFixed(2)}`;
        const cells = [
          hosts,
          hosts * OBJECTS_A_HOST + 1,
          side.name,
          `${atLeast}${it.seconds.toFixed(2)}`,
          `${atLeast}${it.cpu.toFixed(2)}`,
          `${atLeast}${it.megabytes.toFixed(0)}`,
          ratio(ours.seconds, it.seconds),
          ratio(ours.megabytes, it.megabytes),
        ];
        rows.push(`| ${cells.join(' | ')} |`);
        process.stdout.write(`${rows[rows.length - 1] ?? ''}\n`);
      }
      if (ours !== undefined) points.push({ n: hosts, seconds: ours.cpu || ours.seconds });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const exponents = points
    .slice(1)
    .map((large, at) => `${points[at].n} to ${large.n} hosts: ${growth(points[at], large).toFixed(2)}`);
  const lines = [
    '# Checks of large meshes',
    '',
    `Whole processes of \`mesh-edge check\` and of \`istioctl analyze --use-kube=false\` (${VERSIONS.istio}) on the same file, in turn, in one run; the median of up to ${RUNS} runs. A host is ${OBJECTS_A_HOST} objects: the documents' way from plain HTTP to TLS at the gateway. istioctl is ended after ${PATIENCE_SECONDS} s, and beyond 10,000 hosts is not asked. CPU counts the seconds of all threads.`,
    '',
    '`npm run bench:check`',
    '',
    conditions(),
    '',
    '| hosts | objects | side | s | CPU s | MB | ours / it, s | ours / it, MB |',
    '| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    `The CPU seconds of \`mesh-edge check\` grow with n to the power of: ${exponents.join('; ')}.`,
  ];
  if (sizes.length === 0) writeFileSync(join(__dirname, 'REPORT.md'), `${lines.join('\n')}\n`);
}

void main();
