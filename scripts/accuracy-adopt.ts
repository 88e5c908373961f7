/**
 * How much of what Istio, Gateway API and Envoy Gateway publish as examples `adopt` says by constructs, and whether the code that it writes compiles,
 * synthesizes and renders the same objects, field by field.
 *
 *   npm run accuracy:adopt -- [--of TEXT] [--world TEXT] [--reasons] [--fields] [--compile] [--write]
 *
 * The examples come from the Go module cache. With --write the numbers go into docs/accuracy/adopt.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as cdk8s from 'cdk8s';
import { TwiceError, adopt } from '../src/adopt/adopt';
import type { Constructs } from '../src/adopt/run';
import * as edge from '../src/index';
import { judgeSample } from '../test/adopt/judge';
import { samples, type Sample } from '../test/adopt/samples';

const { values } = parseArgs({
  options: {
    of: { type: 'string', default: '' },
    world: { type: 'string', default: '' },
    reasons: { type: 'boolean', default: false },
    fields: { type: 'boolean', default: false },
    compile: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

const root = resolve(__dirname, '..');
const scratch = join(root, 'node_modules', '.cache', 'adopt');

interface Count {
  objects: number;
  whole: number;
  patched: number;
  readonly reasons: Map<string, number>;
  /** How many objects have a field that is patched, by its path without the places in lists. */
  readonly fields: Map<string, number>;
}

/** By whose they are and their kind. */
const counts = new Map<string, Map<string, Count>>();
const faults: string[] = [];
let worlds = 0;

function countOf(of: string, kind: string): Count {
  const kinds = counts.get(of) ?? new Map<string, Count>();
  counts.set(of, kinds);
  const count = kinds.get(kind) ?? {
    objects: 0,
    whole: 0,
    patched: 0,
    reasons: new Map<string, number>(),
    fields: new Map<string, number>(),
  };
  kinds.set(kind, count);
  return count;
}

function measure({ of, name, manifests }: Sample): void {
  try {
    const adopted = adopt(manifests, {}, { cdk8s: cdk8s as unknown as Constructs['cdk8s'], edge });
    if (adopted.converted.length + adopted.kept.length === 0) return;
    worlds += 1;
    for (const { manifest, patched } of adopted.converted) {
      const count = countOf(of, manifest.kind);
      count.objects += 1;
      if (patched.length > 0) count.patched += 1;
      else count.whole += 1;
      for (const field of new Set(patched.map((path) => path.replace(/\/\d+(?=\/|$)/g, '[]'))))
        count.fields.set(field, (count.fields.get(field) ?? 0) + 1);
    }
    for (const { manifest, why } of adopted.kept) {
      const count = countOf(of, manifest.kind);
      count.objects += 1;
      count.reasons.set(why, (count.reasons.get(why) ?? 0) + 1);
    }
    faults.push(...judgeSample(manifests, adopted).map((fault) => `${of}: ${name}: ${fault}`));
    if (!values.compile) return;
    const folder = join(scratch, String(worlds));
    mkdirSync(folder, { recursive: true });
    for (const { path, text } of adopted.files) if (path.endsWith('.ts')) writeFileSync(join(folder, path), text);
  } catch (error) {
    if (!(error instanceof TwiceError))
      faults.push(`${of}: ${name}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** Every file that was written, by the compiler that its user has. */
function compile(): void {
  const paths = { 'cdk8s-mesh-edge': [join(root, 'src', 'index.ts')] };
  const options = { strict: true, noEmit: true, skipLibCheck: true, module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', paths, types: ['node'] }; // prettier-ignore
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*/*.ts'] }));
  const { status, stdout } = spawnSync('npx', ['tsc', '-p', join(scratch, 'tsconfig.json')], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0)
    faults.push(
      ...stdout
        .split('\n')
        .filter((line) => line !== '')
        .slice(0, 40),
    );
}

function row(name: string, all: readonly Count[]): string {
  const sum = (field: 'objects' | 'whole' | 'patched'): number => all.reduce((total, one) => total + one[field], 0);
  const [objects, whole, patched] = [sum('objects'), sum('whole'), sum('patched')];
  const share = objects === 0 ? '' : ` | ${((100 * (whole + patched)) / objects).toFixed(1)} %`;
  return `| ${name} | ${objects} | ${whole} | ${patched} | ${objects - whole - patched}${share} |`;
}

rmSync(scratch, { recursive: true, force: true });
for (const sample of samples())
  if (sample.of.includes(values.of) && sample.name.includes(values.world)) measure(sample);
if (values.compile) compile();

const lines = ['`npm run accuracy:adopt -- --compile --write`', ''];
lines.push(
  '| whose | objects | by constructs alone | with patches | raw | constructs |',
  '| --- | --- | --- | --- | --- | --- |',
);
for (const [of, kinds] of counts) lines.push(row(of, [...kinds.values()]));
lines.push(
  row(
    'all',
    [...counts.values()].flatMap((kinds) => [...kinds.values()]),
  ),
);
const byKind = new Map<string, Count[]>();
for (const kinds of counts.values())
  for (const [kind, count] of kinds) byKind.set(kind, [...(byKind.get(kind) ?? []), count]);
lines.push(
  '',
  '| kind | objects | by constructs alone | with patches | raw | constructs |',
  '| --- | --- | --- | --- | --- | --- |',
);
const total = (all: readonly Count[]): number => all.reduce((sum, { objects }) => sum + objects, 0);
for (const [kind, all] of [...byKind].sort(([, a], [, b]) => total(b) - total(a))) lines.push(row(kind, all));
console.log(lines.join('\n'));
if (values.reasons)
  for (const [of, kinds] of counts)
    for (const [kind, { reasons }] of kinds)
      for (const [why, count] of [...reasons].sort(([, a], [, b]) => b - a).slice(0, 12)) console.log(`${of} ${kind} ${count}: ${why}`); // prettier-ignore
if (values.fields)
  for (const [kind, all] of byKind) {
    const fields = new Map<string, number>();
    for (const count of all)
      for (const [field, times] of count.fields) fields.set(field, (fields.get(field) ?? 0) + times);
    for (const [field, times] of [...fields].sort(([, a], [, b]) => b - a)) console.log(`${kind} ${times}: ${field}`);
  }
console.log(`\n${worlds} worlds; ${faults.length} faults`);
for (const fault of faults.slice(0, 60)) console.log(fault);
if (values.write) {
  const file = 'docs/accuracy/adopt.md';
  const page = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    page.replace(/(<!-- shares -->)[^]*?(<!-- end of shares -->)/, `$1\n\n${lines.join('\n')}\n\n$2`),
  );
}
process.exit(faults.length > 0 ? 1 : 0);
