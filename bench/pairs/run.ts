/**
 * `npm run bench:pairs -- OTHER_CHECKOUT [NAME]`: the command line of this checkout beside that of another one, in turn, on the same files. Writes the
 * report beside this file.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { OBJECTS_A_HOST, edge, object } from '../edge';
import { conditions, measure, median, type Measured } from '../measure';

const ROOT = resolve(__dirname, '..', '..');
const SIZES = [1000, 10_000];
const ROUNDS = 3;
/** What findings, differences and answers say of a run is no failure. */
const SAID = [0, 1, 2, 3];

interface Case {
  readonly name: string;
  readonly args: (old: string, now: string) => readonly string[];
}

const CASES: readonly Case[] = [
  { name: 'check', args: (old) => ['check', old] },
  { name: 'trace', args: (old) => ['trace', old, '--request', 'http://h77.example.com/', '--from', 'team7/app'] },
  { name: 'diff, one host added', args: (old, now) => ['diff', old, now] },
];

const ADDED = object(
  'ServiceEntry',
  'team1',
  'new',
  '  hosts: [new.example.com]\n  resolution: DNS\n  ports: [{ number: 443, name: tls, protocol: TLS }]\n',
);

async function sideBySide(sides: readonly string[], args: readonly string[]): Promise<readonly Measured[]> {
  const runs = sides.map((): Measured[] => []);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [at, side] of sides.entries())
      runs[at]?.push(await measure(process.execPath, [join(side, 'lib', 'cli', 'mesh-edge.cjs'), ...args], { expected: SAID })); // prettier-ignore
  return runs.map(median);
}

function cells([other, own]: readonly Measured[]): string {
  if (other === undefined || own === undefined) return '';
  const pair = (of: (one: Measured) => number, digits: number): string =>
    `${of(other).toFixed(digits)} | ${of(own).toFixed(digits)} | ${(of(own) / of(other)).toFixed(2)}`;
  return [pair(({ seconds }) => seconds, 2), pair(({ cpu }) => cpu, 2), pair(({ megabytes }) => megabytes, 0)].join(
    ' | ',
  );
}

async function main(): Promise<number> {
  const [other, name = 'another commit'] = process.argv.slice(2);
  if (other === undefined) {
    process.stderr.write('bench:pairs needs the folder of another checkout\n');
    return 2;
  }
  const sides = [resolve(other), ROOT];
  for (const side of sides) await measure(process.execPath, [join(side, 'bin', 'mesh-edge'), '--version']); // makes the bundle
  const work = mkdtempSync(join(tmpdir(), 'mesh-edge-bench-'));
  const rows: string[] = [];
  for (const size of SIZES) {
    const [old, now] = [join(work, 'old.yaml'), join(work, 'new.yaml')];
    const objects = edge(size);
    writeFileSync(old, objects.join(''));
    writeFileSync(now, [...objects, ADDED].join(''));
    for (const { name: what, args } of CASES) {
      rows.push(`| ${what} | ${size} | ${cells(await sideBySide(sides, args(old, now)))} |`);
      process.stdout.write(`${rows.at(-1) ?? ''}\n`);
    }
  }
  rmSync(work, { recursive: true, force: true });
  const lines = [
    '# Side by side with another commit',
    '',
    `Whole processes of the command line of ${name} (before) and of this one (now), in turn, on the same files, the median of ${ROUNDS} runs each. A host is ${OBJECTS_A_HOST} objects. CPU counts the seconds of all threads.`,
    '',
    '`npm run bench:pairs -- FOLDER_OF_ANOTHER_CHECKOUT`',
    '',
    conditions(),
    '',
    '| command | hosts | before, s | now, s | now / before | before, CPU s | now, CPU s | now / before | before, MB | now, MB | now / before |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
  ];
  writeFileSync(join(__dirname, 'REPORT.md'), `${lines.join('\n')}\n`);
  return 0;
}

void main().then((status) => process.exit(status));
