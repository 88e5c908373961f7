/**
 * How many cases of Istio's own simulation tests `trace` answers alike.
 *
 *   npm run accuracy:simulations -- [--write]
 *
 * The tests come from the Go module cache. With --write the numbers go into docs/accuracy/simulation.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { answers } from '../test/simulations/compare';
import { reasonOf } from '../test/simulations/known';
import { simulatedCases } from '../test/simulations/cases';

async function main(): Promise<void> {
  const cases = await simulatedCases((line) => process.stderr.write(`${line}\n`));
  const all = cases.flatMap(answers);
  const byTest = new Map<string, { alike: number; all: number }>();
  for (const { test, difference } of all) {
    const [name = ''] = test.split('/');
    const counts = byTest.get(name) ?? { alike: 0, all: 0 };
    byTest.set(name, { alike: counts.alike + (difference === undefined ? 1 : 0), all: counts.all + 1 });
  }
  const differences = all.filter(({ difference }) => difference !== undefined);
  for (const { test, call, difference } of differences) console.log(`${test}: ${call}: ${difference ?? ''}`);
  const rows = [...byTest].sort().map(([name, { alike, all: of }]) => `| ${name} | ${of} | ${alike} |`);
  const share = ((100 * (all.length - differences.length)) / all.length).toFixed(1);
  const reasons = new Map<string, number>();
  for (const one of differences) {
    const why = reasonOf(one) ?? 'not explained';
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
  }
  const text = [
    '`npm run accuracy:simulations -- --write`',
    '',
    '| test | asked | answered alike |',
    '| --- | --- | --- |',
    ...rows,
    `| all | ${all.length} | ${all.length - differences.length} (${share} %) |`,
    '',
    'The others, and why:',
    '',
    ...[...reasons].map(([why, count]) => `- ${why} (${count})`),
  ].join('\n');
  console.log(text);
  if (process.argv.includes('--write')) {
    const file = 'docs/accuracy/simulation.md';
    const page = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      page.replace(/(<!-- simulations -->)[^]*?(<!-- end of simulations -->)/, `$1\n\n${text}\n\n$2`),
    );
  }
}

void main();
