/**
 * `npm run accuracy:changes:oracle [-- COUNT [SEED]]`: random changes of one field of a mesh's registry and routes, judged by istiod's own
 * configuration before and after, and held against what `diff` says. Exits with 1 if a change that alters requests is called none.
 */
import { oracleBinary } from '../test/lab/build';
import { alteredByOracle } from '../test/traffic/by-oracle';
import { manifestsOfMesh, registryChange } from '../test/traffic/registry-worlds';
import { random } from '../test/traffic/worlds';
import { Oracle } from '../test/trace/oracle/process';
import { ORACLE_RELEASES } from '../test/trace/oracle/compare';
import { diff } from '../src/diff/diff';

const REQUESTS = 40;
const [count, first] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 1)];

async function main(): Promise<void> {
  const oracle = new Oracle(await oracleBinary());
  const counts = { changes: 0, judged: 0, altering: 0, missed: 0 };
  for (let seed = first; counts.changes < count; seed += 1) {
    const change = registryChange(random(seed), REQUESTS, false);
    if (change === undefined) continue;
    counts.changes += 1;
    const altered = await alteredByOracle(oracle, change);
    if (altered === undefined) continue;
    counts.judged += 1;
    if (altered.length === 0) continue;
    counts.altering += 1;
    const told = diff(manifestsOfMesh(change.was), manifestsOfMesh(change.is), { mesh: ORACLE_RELEASES });
    if (told.changes.length > 0 || !told.complete) continue;
    counts.missed += 1;
    console.error(`missed (seed ${seed}, ${change.how}): ${JSON.stringify(altered[0])}`);
  }
  oracle.end();
  console.log(
    `${counts.changes} changes, ${counts.judged} of which istiod's configuration can judge; ${counts.altering} alter requests there: ${counts.missed} missed`,
  );
  process.exitCode = counts.missed === 0 ? 0 : 1;
}

void main();
