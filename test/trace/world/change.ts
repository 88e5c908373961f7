/** What `diff` says of a change, held against istiod's own configuration before and after it. */
import { diff } from '../../../src/diff/diff';
import type { Manifest } from '../../../src/model/manifest';
import type { MeshOptions } from '../../../src/model/mesh-options';
import type { TraceRequest } from '../../../src/trace/types';
import { wordsOf } from '../../traffic/by-oracle';
import type { Oracle } from '../oracle/process';
import { World } from './compare';

export interface JudgedChange {
  /** How many of the requests istiod has fare otherwise. */
  readonly altered: number;
  /** Those, where diff says that nothing changes. */
  readonly missed: readonly TraceRequest[];
  /** Witnesses of diff that istiod has fare as before. */
  readonly idle: readonly TraceRequest[];
  readonly failure: string | undefined;
}

type Sides = readonly [readonly Manifest[], readonly Manifest[]];

export async function judgeChange(
  oracle: Oracle,
  sides: Sides,
  requests: readonly TraceRequest[],
  options: MeshOptions,
): Promise<JudgedChange> {
  const told = diff(...sides, { mesh: options });
  const witnesses = told.changes.map(({ request }) => request);
  const asked = [...requests, ...witnesses];
  const before = await answered(oracle, new World(sides[0], options, asked));
  const after = await answered(oracle, new World(sides[1], options, asked));
  if (typeof before === 'string' || typeof after === 'string')
    return { altered: 0, missed: [], idle: [], failure: typeof before === 'string' ? before : String(after) };
  const isAltered = (one: TraceRequest): boolean => before.has(one) && after.has(one) && before.get(one) !== after.get(one); // prettier-ignore
  const altered = requests.filter(isAltered);
  return {
    altered: altered.length,
    missed: told.changes.length > 0 || !told.complete ? [] : altered,
    idle: witnesses.filter((one) => before.has(one) && after.has(one) && !isAltered(one)),
    failure: undefined,
  };
}

async function answered(oracle: Oracle, world: World): Promise<ReadonlyMap<TraceRequest, string> | string> {
  const questions = world.questions();
  const told = await world.follow(oracle, questions);
  if ('failure' in told) return told.failure;
  const words = new Map<TraceRequest, string>();
  for (const [index, { request }] of questions.entries())
    words.set(request, `${words.get(request) ?? ''} ${wordsOf(told.hops[index] ?? [])}`);
  return words;
}
