/**
 * `npm run bench:synth`: the same manifests by this library, by stock cdk8s with raw ApiObjects, and by `helm template`, in turn, in one
 * run. Writes the report beside this file. Needs Go for helm, which is built once from its module.
 */
import { execFileSync } from 'node:child_process';
import { buildSync } from 'esbuild';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { cpus, homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type Measured, growth, measure, median } from '../measure';

const ROOT = resolve(__dirname, '..', '..');
const HELM = 'v4.0.0';
const cache =
  process.env.MESH_EDGE_CACHE ??
  (process.getuid?.() === 0
    ? '/var/cache/cdk8s-mesh-edge'
    : join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cdk8s-mesh-edge'));
const work = mkdtempSync(join(tmpdir(), 'mesh-edge-bench-'));
const out = (name: string) => join(work, name);
const bundles = join(ROOT, 'node_modules', '.cache', 'bench');

function helm(): string {
  const folder = join(cache, `helm-${HELM}`);
  const binary = join(folder, 'helm');
  if (!existsSync(binary)) {
    process.stderr.write(`building helm ${HELM} (minutes, once)\n`);
    mkdirSync(folder, { recursive: true });
    execFileSync('go', ['install', `helm.sh/helm/v4/cmd/helm@${HELM}`], {
      env: { ...process.env, GOBIN: folder },
      stdio: 'inherit',
    });
  }
  return binary;
}

/** The documents that a side made, keyed by what they are, to see that all sides made the same. */
function documents(text: string): Record<string, unknown> {
  const all = parseAllDocuments(text).map((doc) => doc.toJS() as { kind: string; metadata: { name: string } } | null);
  return Object.fromEntries(all.filter((doc) => doc !== null).map((doc) => [`${doc.kind}/${doc.metadata.name}`, doc]));
}

interface Side {
  readonly name: string;
  readonly run: (hosts: number, charts: number) => Promise<Measured>;
  readonly made: () => string;
}

const sides: Side[] = [
  {
    name: 'cdk8s-mesh-edge',
    run: (hosts, charts) => {
      rmSync(out('ours'), { recursive: true, force: true });
      return measure(process.execPath, [join(bundles, 'ours.cjs'), String(hosts), String(charts), out('ours')]);
    },
    made: () => readFileSync(join(out('ours'), 'edge', 'edge.yaml'), 'utf8'),
  },
  {
    name: 'stock cdk8s',
    run: (hosts, charts) => {
      rmSync(out('stock'), { recursive: true, force: true });
      return measure(process.execPath, [join(bundles, 'stock.cjs'), String(hosts), String(charts), out('stock')]);
    },
    made: () => readFileSync(join(out('stock'), readdirSync(out('stock'))[0]), 'utf8'),
  },
  {
    name: 'helm template',
    run: (hosts) =>
      measure(helm(), ['template', 'edge', join(__dirname, 'chart'), '--set', `hosts=${hosts}`], {
        stdoutTo: openSync(out('helm.yaml'), 'w'),
      }),
    made: () => readFileSync(out('helm.yaml'), 'utf8'),
  },
];

async function main(): Promise<void> {
  buildSync({
    entryPoints: ['ours', 'stock'].map((name) => join(__dirname, `${name}.ts`)),
    bundle: true,
    platform: 'node',
    packages: 'external',
    outdir: bundles,
    outExtension: { '.js': '.cjs' },
  });
  const lines = [
    '# Synthesis',
    '',
    'Each host: a ServiceEntry, a VirtualService with both hops, and a DestinationRule for TLS made at the gateway; one Gateway and one hop rule for all. Whole processes, in turn, median of the runs.',
    '',
    '`npm run bench:synth`',
    '',
  ];
  lines.push(
    `${cpus().length} cores, Node ${process.versions.node}, helm ${HELM}.`,
    '',
    '| hosts | side | seconds | MB | ours / it |',
    '| ---: | --- | ---: | ---: | ---: |',
  );
  const say = (line: string) => {
    lines.push(line);
    process.stdout.write(`${line}\n`);
  };
  for (const [hosts, runs] of [
    [10, 7],
    [1000, 5],
    [10000, 5],
  ] as const) {
    const results = sides.map((): Measured[] => []);
    for (let i = 0; i <= runs; i++) {
      for (const [k, side] of sides.entries()) {
        const result = await side.run(hosts, 1);
        if (i > 0) results[k].push(result); // the first round warms caches
      }
    }
    if (hosts === 10) {
      const [ours, ...others] = sides.map((side) => JSON.stringify(sorted(documents(side.made()))));
      if (others.some((other) => other !== ours)) throw new Error('the sides did not make the same manifests');
    }
    const ours = median(results[0]);
    for (const [k, side] of sides.entries()) {
      const { seconds, megabytes } = median(results[k]);
      say(
        `| ${hosts} | ${side.name} | ${seconds.toFixed(2)} | ${megabytes.toFixed(0)} | ${(ours.seconds / seconds).toFixed(2)} |`,
      );
    }
  }
  lines.push('', '## Growth', '', '| hosts | charts | seconds | MB |', '| ---: | ---: | ---: | ---: |');
  const points: { n: number; seconds: number }[] = [];
  for (const [hosts, charts] of [
    [1000, 1],
    [10000, 1],
    [50000, 1],
    [10000, 4000],
  ] as const) {
    const runs = [];
    for (let i = 0; i < 3; i++) runs.push(await sides[0].run(hosts, charts));
    const { seconds, megabytes } = median(runs);
    if (charts === 1) points.push({ n: hosts, seconds });
    say(`| ${hosts} | ${charts} | ${seconds.toFixed(2)} | ${megabytes.toFixed(0)} |`);
  }
  lines.push('');
  say(
    `Growth exponent from 1,000 to 50,000 hosts: ${growth(points[0], points[2]).toFixed(2)}; from 10,000 to 50,000: ${growth(points[1], points[2]).toFixed(2)}.`,
  );
  writeFileSync(join(__dirname, 'REPORT.md'), `${lines.join('\n')}\n`);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, sorted(field)]),
  );
}

void main().finally(() => rmSync(work, { recursive: true, force: true }));
