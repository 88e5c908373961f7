/** Writes what bad examples of rules are to give (`# expect ...`) where nothing says it yet, for a reader to judge; `--all` writes all anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { rules } from '../src/check/rules';
import { declared, examples, expectationOf, expectations, judge, opened } from '../test/check/rules/examples';

const all = process.argv.includes('--all');
for (const example of examples()) {
  const id = rules.find(({ name }) => name === example.rule)?.id;
  if (all || expectations(example.bad).length === 0) {
    const found = judge(example.bad)
      .filter((finding) => finding.id === id)
      .map((finding) => `# expect ${expectationOf(finding)}`);
    const rest = readFileSync(example.bad, 'utf8').replace(/^# expect .*\n/gm, '');
    writeFileSync(example.bad, `${found.join('\n')}\n${rest}`);
    process.stdout.write(`${example.rule}/${example.file}\n  ${found.join('\n  ')}\n`);
  }
  const known = declared(example.good);
  for (const { effect, to, words } of opened(example)) {
    if (known.some((one) => one.effect === effect && one.to === to)) continue;
    process.stdout.write(
      `${example.rule}/${example.file}: the good example needs "# ${effect} ${to}: for whom, and why it was meant already" (${words})\n`,
    );
  }
}
