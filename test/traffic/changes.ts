/** Whether `diff` tells what a random change of one field does to traffic, held against dense requests through both sides. */
import { acceptedMesh } from '../../src/check/accepted';
import { diff } from '../../src/diff/diff';
import type { Diff } from '../../src/diff/types';
import { fingerprint, wayOf } from '../../src/diff/way';
import type { Mesh } from '../../src/model/mesh';
import { trace } from '../../src/trace/index';
import type { TraceRequest } from '../../src/trace/types';
import { changed, dense, manifestsOf, random, SENDERS, world } from './worlds';

export interface Judged {
  readonly seed: number;
  readonly how: string;
  /** Whether some request, dense or told by the diff, fares otherwise than before. */
  readonly alters: boolean;
  readonly told: Diff;
  /** A request that fares otherwise, of a change that is called none. */
  readonly missed: TraceRequest | undefined;
  /** A request that the diff tells of, and that fares as before. */
  readonly false: TraceRequest | undefined;
}

const hostOf = (request: string): string => /^\w+:\/\/([^/:?]*)/.exec(request)?.[1] ?? '';

function fares(mesh: Mesh, request: TraceRequest): string {
  return fingerprint(wayOf(mesh, trace(mesh, request), hostOf(request.request)));
}

export function judge(seed: number, requests = 80): Judged {
  const next = random(seed);
  const before = world(next);
  const { how, objects } = changed(next, before);
  const sides = [manifestsOf(before), manifestsOf(objects)] as const;
  const meshes = sides.map((one) => acceptedMesh(one, {})) as [Mesh, Mesh];
  const told = diff(...sides);
  const differs = (request: TraceRequest): boolean => fares(meshes[0], request) !== fares(meshes[1], request);
  const wrong = told.changes.map(({ request }) => request).find((request) => !differs(request));
  const found = SENDERS.flatMap(({ client, host }) => dense(next, host, client, requests)).find(differs);
  return {
    seed,
    how,
    alters: found !== undefined || told.changes.length > 0,
    told,
    missed: told.changes.length === 0 && told.complete ? found : undefined,
    false: wrong,
  };
}
