import { trace } from '../../src/trace/index';
import type { TraceRequest } from '../../src/trace/types';
import { explore, isOf } from '../../src/traffic/explore';
import { fingerprint, wayOf } from '../../src/diff/way';
import { valueIn } from './values';
import { dense, meshOf, random, SENDERS, world } from './worlds';

describe('classes of requests', () => {
  it.each(Array.from({ length: 12 }, (_one, index) => index + 1))(
    'are disjoint, cover everything, and each fares as its witness does (seed %i)',
    (seed) => {
      const next = random(seed);
      const mesh = meshOf(world(next));
      for (const { client, ...target } of SENDERS) {
        const { classes, undecided } = explore(mesh, client, target);
        expect(undecided).toEqual([]);
        expect(classes.length).toBeGreaterThan(0);
        for (const { witness, region, trace: followed } of classes) {
          expect(isOf(region, valueIn(witness))).toBe(true);
          expect(trace(mesh, witness)).toEqual(followed);
        }
        for (const request of dense(next, target.host, client, 60)) {
          const own = classes.filter(({ region }) => isOf(region, valueIn(request)));
          expect({ request, classes: own.length }).toEqual({ request, classes: 1 });
          const fares = (one: TraceRequest): string => {
            const way = wayOf(mesh, trace(mesh, one), '');
            // What is asked for in the end, and where a redirect leads, is made of the request.
            const answer = way.answer === undefined ? undefined : { ...way.answer, location: null };
            return fingerprint({ ...way, asks: null, answer }).replace(/(any-name|any|other)\.example\.org/g, '*');
          };
          expect({ request, fares: fares(request) }).toEqual({ request, fares: fares(own[0]!.witness) });
        }
      }
    },
  );
});
