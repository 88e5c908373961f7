/**
 * `npm run accuracy:witnesses [-- COUNT [SEED [FORM]]]`: what `list`, `prove` and `diff` show of random meshes and changes of them, each given
 * to `trace --requests` as it is. Exits with 1 if one does otherwise there than the command said.
 */
import { CHANGES_OF, witnessed } from '../test/traffic/witnesses';

const [count, first] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 1)];
const forms = process.argv[4] === undefined ? Object.keys(CHANGES_OF) : [process.argv[4]];
const rows = new Map<string, { changes: number; list: number; prove: number; diff: number; wrong: number }>();
let done = 0;
for (let seed = first; done < count; seed += 1) {
  const form = forms[seed % forms.length] as string;
  const found = witnessed(form, seed);
  if (found === undefined) continue;
  done += 1;
  const row = rows.get(form) ?? { changes: 0, list: 0, prove: 0, diff: 0, wrong: 0 };
  rows.set(form, row);
  row.changes += 1;
  for (const { command, witnesses, disagreements } of found) {
    row[command] += witnesses;
    row.wrong += disagreements.length;
    for (const one of disagreements) console.error(`${command} (${form}, seed ${seed}): ${JSON.stringify(one)}`);
  }
}
console.table(Object.fromEntries([...rows].sort(([a], [b]) => (a < b ? -1 : 1))));
const sum = (of: 'list' | 'prove' | 'diff' | 'wrong'): number =>
  [...rows.values()].reduce((all, row) => all + row[of], 0);
console.log(
  `${done} changes of random meshes: ${sum('list')} entries of list, ${sum('prove')} counterexamples of prove, ${sum('diff')} sides of changes of diff; ${sum('wrong')} do otherwise when traced`,
);
process.exitCode = sum('wrong') === 0 ? 0 : 1;
