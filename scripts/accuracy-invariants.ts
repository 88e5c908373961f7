/**
 * `npm run accuracy:invariants [-- COUNT [SEED]]`: rules that hold, of hand-written meshes, and one change that may open what they forbid.
 * Where a random request breaks a rule, it has to be refuted; each counterexample is followed by itself. Exits with 1 otherwise.
 */
import { judge } from '../test/prove/violations';

const [count = 200, first = 1] = process.argv.slice(2).map(Number);
const verdicts = new Map<string, number>();
let broken = 0;
let wrong = 0;
for (let seed = first; seed < first + count; seed += 1) {
  const found = judge(seed);
  verdicts.set(found.verdict, (verdicts.get(found.verdict) ?? 0) + 1);
  if (found.broken !== undefined) broken += 1;
  const isMissed = found.broken !== undefined && found.verdict !== 'refuted';
  const isUnconfirmed = found.verdict === 'refuted' && !found.confirmed;
  if (!isMissed && !isUnconfirmed) continue;
  wrong += 1;
  console.error(`${isMissed ? 'missed' : 'not confirmed'} (seed ${seed}): ${JSON.stringify(found)}`);
}
console.table(Object.fromEntries(verdicts));
console.log(`${count} changes, ${broken} of which a random request shows to break a rule: ${wrong} decided wrongly`);
process.exitCode = wrong === 0 ? 0 : 1;
