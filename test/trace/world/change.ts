/** What `diff` says of a change, held against istiod's own configuration before and after it. */
import { diff } from '../../../src/diff/diff';
import { isGatewayService } from '../../../src/diff/requests';
import type { Manifest } from '../../../src/model/manifest';
import { push } from '../../../src/model/objects';
import type { MeshOptions } from '../../../src/model/mesh-options';
import { trace } from '../../../src/trace/index';
import type { TraceRequest } from '../../../src/trace/types';
import { wordsOf } from '../../traffic/by-oracle';
import { hostOf, isDeclared, isTold } from '../../traffic/held';
import type { Oracle, OracleHop } from '../oracle/process';
import { isBeyond, World } from './compare';

export interface JudgedChange {
  /** How many of the requests istiod has fare otherwise. */
  readonly altered: number;
  /** Those, where diff says that nothing changes. */
  readonly missed: readonly TraceRequest[];
  /** Those of a host that diff tells nothing of, in what objects declare to be spoken there. */
  readonly untold: readonly TraceRequest[];
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
  const worlds = [new World(sides[0], options, asked), new World(sides[1], options, asked)] as const;
  const before = await followed(oracle, worlds[0]);
  const after = await followed(oracle, worlds[1]);
  if (typeof before === 'string' || typeof after === 'string')
    return {
      altered: 0,
      missed: [],
      untold: [],
      idle: [],
      failure: typeof before === 'string' ? before : String(after),
    };
  const differs = (one: TraceRequest, words: (hops: readonly OracleHop[]) => string): boolean => {
    const [was, is] = [before.get(one), after.get(one)];
    return was !== undefined && is !== undefined && was.map(words).join(' ') !== is.map(words).join(' ');
  };
  const altered = requests.filter((one) => differs(one, wordsOf));
  const arrives = (one: TraceRequest): boolean => worlds.some(({ mesh }) => trace(mesh, one).outcome !== 'refused');
  // The Service of a gateway is a stop on the way (docs/every-request.md).
  const isStop = ({ request }: TraceRequest): boolean => worlds.some(({ mesh }) => mesh.services.all.some(({ host }) => host.startsWith(hostOf(request)) && isGatewayService(mesh, host))); // prettier-ignore
  // Which endpoints a cluster has, and what a proxy answers by itself, is told of, and no other way of a request.
  const shown = (hops: readonly OracleHop[]): string => wordsOf(hops) + JSON.stringify(hops.map(({ endpoints, cluster, virtualHost, route, error }) => [endpoints, error, cluster === undefined ? [virtualHost, route] : ''])); // prettier-ignore
  return {
    altered: altered.length,
    missed: told.changes.length > 0 || !told.complete ? [] : altered,
    untold: told.complete ? altered.filter((one) => isDeclared(one) && one.address === undefined && arrives(one) && !isStop(one) && !isTold(told, one)) : [], // prettier-ignore
    idle: witnesses.filter(
      (one) =>
        before.has(one) &&
        after.has(one) &&
        !differs(one, shown) &&
        !worlds.some(({ mesh }) => isBeyond(trace(mesh, one))),
    ),
    failure: undefined,
  };
}

/** What istiod has each request do, at each address that its client may dial. */
async function followed(
  oracle: Oracle,
  world: World,
): Promise<ReadonlyMap<TraceRequest, readonly (readonly OracleHop[])[]> | string> {
  const questions = world.questions();
  const told = await world.follow(oracle, questions);
  if ('failure' in told) return told.failure;
  const all = new Map<TraceRequest, OracleHop[][]>();
  for (const [index, { request }] of questions.entries()) push(all, request, [...(told.hops[index] ?? [])]);
  return all;
}
