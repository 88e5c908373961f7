/**
 * `npm run bench:diff`: the command line on two meshes of N hosts with four objects each, as whole processes, for the changes that pull
 * requests make. Writes the report beside this file.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OBJECTS_A_HOST, edge, object } from '../edge';
import { conditions, growth, measure, median } from '../measure';

const ROOT = join(__dirname, '..', '..');
const SIZES = [1000, 10_000];
const RUNS = 3;
const work = mkdtempSync(join(tmpdir(), 'mesh-edge-bench-'));

const EDITS: Readonly<Record<string, (objects: readonly string[]) => readonly string[]>> = {
  'nothing changed': (objects) => objects,
  'one host added': (objects) => [
    ...objects,
    object(
      'ServiceEntry',
      'team1',
      'new',
      '  hosts:\n    - new.example.com\n  resolution: DNS\n  ports:\n    - number: 443\n      name: tls\n      protocol: TLS\n',
    ),
  ],
  'a hundred hosts without their gateway': (objects) =>
    objects.filter((_, index) => index >= 100 * OBJECTS_A_HOST || index % OBJECTS_A_HOST !== 3),
  'REGISTRY_ONLY for one team': (objects) => [
    ...objects,
    object('Sidecar', 'team1', 'default', '  outboundTrafficPolicy:\n    mode: REGISTRY_ONLY\n'),
  ],
  'REGISTRY_ONLY for all, which reaches every host': (objects) => [
    ...objects,
    object('Sidecar', 'istio-system', 'default', '  outboundTrafficPolicy:\n    mode: REGISTRY_ONLY\n'),
  ],
};

async function main(): Promise<void> {
  const cli = join(ROOT, 'lib', 'cli', 'mesh-edge.cjs');
  await measure(process.execPath, [join(ROOT, 'bin', 'mesh-edge'), '--version']); // makes the bundle
  const meshes = SIZES.map((size) => ({ size, objects: edge(size) }));
  const rows: string[] = [];
  for (const [what, edit] of Object.entries(EDITS)) {
    const results = [];
    for (const { size, objects } of meshes) {
      const [old, now] = [join(work, 'old.yaml'), join(work, 'new.yaml')];
      writeFileSync(old, objects.join(''));
      writeFileSync(now, edit(objects).join(''));
      const runs = [];
      for (let run = 0; run < RUNS; run++) runs.push(await measure(process.execPath, [cli, 'diff', old, now]));
      results.push({ n: size, ...median(runs) });
    }
    const [small, large] = results;
    const cells = results.map(
      ({ seconds, cpu, megabytes }) => `${seconds.toFixed(1)} | ${cpu.toFixed(1)} | ${Math.round(megabytes)}`,
    );
    rows.push(`| ${what} | ${cells.join(' | ')} | ${small && large ? growth(small, large).toFixed(2) : ''} |`);
    process.stdout.write(`${rows[rows.length - 1] ?? ''}\n`);
  }
  const lines = [
    '# Diffs of large meshes',
    '',
    `Whole processes of \`mesh-edge diff\`, from reading both files to the report; the median of ${RUNS} runs. A host is ${OBJECTS_A_HOST} objects, ${SIZES.map((size) => `${size * OBJECTS_A_HOST}`).join(' and ')} on each side (20 MB of YAML for the larger). CPU counts the seconds of all threads. The target is 10 s for 40,000 objects.`,
    '',
    '`npm run bench:diff`',
    '',
    conditions(),
    '',
    `| change | ${SIZES.map((size) => `${size} hosts, s | CPU s | MB`).join(' | ')} | grows with n to the |`,
    `| --- | ${SIZES.map(() => '---: | ---: | ---:').join(' | ')} | ---: |`,
    ...rows,
  ];
  writeFileSync(join(__dirname, 'REPORT.md'), `${lines.join('\n')}\n`);
  rmSync(work, { recursive: true, force: true });
}

void main();
