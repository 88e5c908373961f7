/**
 * `npm run accuracy:changes [-- COUNT [SEED]]`: random changes of one field of routes, policies and entries, each told by `diff` and held
 * against dense requests through both sides. Exits with 1 if a change is missed, or told that is none.
 */
import { judge } from '../test/traffic/changes';

const [count = 10_000, first = 1] = process.argv.slice(2).map(Number);
const counts = new Map<
  string,
  { changes: number; altering: number; missed: number; false: number; undecided: number }
>();
let wrong = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const { how, alters, told, missed, false: none } = judge(seed);
  const row = counts.get(how) ?? { changes: 0, altering: 0, missed: 0, false: 0, undecided: 0 };
  counts.set(how, row);
  row.changes += 1;
  if (alters) row.altering += 1;
  if (!told.complete) row.undecided += 1;
  for (const [kind, request] of [
    ['missed', missed],
    ['false', none],
  ] as const) {
    if (request === undefined) continue;
    row[kind] += 1;
    wrong += 1;
    console.error(`${kind} (seed ${seed}, ${how}): ${JSON.stringify(request)}`);
  }
}
console.table(Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))));
const sum = (of: 'changes' | 'altering' | 'missed' | 'false' | 'undecided'): number =>
  [...counts.values()].reduce((total, row) => total + row[of], 0);
console.log(
  `${sum('changes')} changes, ${sum('altering')} of which alter traffic: ${sum('missed')} missed, ${sum('false')} told that are none, ${sum('undecided')} undecided`,
);
process.exitCode = wrong === 0 ? 0 : 1;
