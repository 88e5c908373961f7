/**
 * `npm run accuracy:changes [-- COUNT [SEED [FORM]]]`: random changes of one field of random meshes of every form, each told by `diff` and held
 * against requests through both sides that know nothing of how it looks for them. Exits with 1 if a change is missed, or told that is none.
 */
import { judge } from '../test/traffic/changes';
import { FORMS } from '../test/traffic/forms';
import { hold } from '../test/traffic/held';
import { random } from '../test/traffic/worlds';

const REQUESTS = 80;
const [count, first] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 1)];
const forms = process.argv[4] === undefined ? ['routes', ...Object.keys(FORMS)] : [process.argv[4]];
const KINDS = ['missed', 'false', 'untold'] as const;
type Count = Record<'changes' | 'altering' | 'undecided' | (typeof KINDS)[number], number>;
const counts = new Map<string, Count>();
const none = (): Count => ({ changes: 0, altering: 0, missed: 0, false: 0, untold: 0, undecided: 0 });

/** Undefined where the seed changes nothing. */
function one(form: string, seed: number): ({ readonly how: string } & ReturnType<typeof hold>) | undefined {
  if (form === 'routes') return { untold: undefined, ...judge(seed, REQUESTS) };
  const change = FORMS[form]?.(random(seed), REQUESTS);
  return change && { how: change.how, ...hold(change.sides, change.requests, change.options) };
}

let wrong = 0;
for (let seed = first; [...counts.values()].reduce((sum, { changes }) => sum + changes, 0) < count; seed += 1) {
  const form = forms[seed % forms.length] as string;
  const found = one(form, seed);
  if (found === undefined) continue;
  const row = counts.get(form) ?? none();
  counts.set(form, row);
  row.changes += 1;
  if (found.alters) row.altering += 1;
  if (!found.told.complete) row.undecided += 1;
  for (const kind of KINDS) {
    if (found[kind] === undefined) continue;
    row[kind] += 1;
    wrong += 1;
    console.error(`${kind} (${form}, seed ${seed}, ${found.how}): ${JSON.stringify(found[kind])}`);
  }
}
console.table(Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))));
const sum = (of: keyof Count): number => [...counts.values()].reduce((total, row) => total + row[of], 0);
console.log(
  `${sum('changes')} changes, ${sum('altering')} of which alter traffic: ${sum('missed')} missed, ${sum('untold')} untold for a host that it alters, ${sum('false')} told that are none, ${sum('undecided')} undecided`,
);
process.exitCode = wrong === 0 ? 0 : 1;
