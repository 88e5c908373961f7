/** Classes of requests that differ by the address which is dialled: they are disjoint, cover all addresses, and each fares as its witness does. */
import { acceptedMesh } from '../../src/check/accepted';
import { fingerprint, wayOf } from '../../src/diff/way';
import { Targets } from '../../src/list/targets';
import { contains } from '../../src/model/addresses';
import { loadText } from '../../src/model/load';
import type { Mesh } from '../../src/model/mesh';
import { trace } from '../../src/trace/index';
import type { TraceRequest } from '../../src/trace/types';
import { clientClasses } from '../../src/traffic/clients';
import { explore, isOf, type Condition } from '../../src/traffic/explore';
import { valueIn } from './values';
import { toYaml } from '../trace/oracle/compare';
import type { Thing } from '../trace/oracle/vocabulary';
import { sidecarWorld } from './sidecar-worlds';
import { random, type Random } from './worlds';

/** Just inside and just outside of the ranges that these meshes name, and far from them. */
const DIALLED = [
  '192.0.2.0', '192.0.2.7', '192.0.2.15', '192.0.2.16', '192.0.2.63', '192.0.2.64', '192.0.2.127', '192.0.2.128', '192.0.2.255', '192.0.3.0',
  '198.51.100.0', '198.51.100.64', '198.51.100.80', '198.51.100.127', '198.51.100.128', '198.51.100.255', '203.0.112.255', '203.0.113.9', '203.0.114.0',
  '9.255.255.255', '10.0.0.0', '10.255.255.255', '11.0.0.0', '8.8.8.8',
]; // prettier-ignore

function meshOf(next: Random): Mesh {
  return acceptedMesh(loadText(toYaml(sidecarWorld(next, 'network') as Thing[])).manifests, {});
}

/** What becomes of it, but for the address itself. */
function fares(mesh: Mesh, request: TraceRequest): string {
  return fingerprint(wayOf(mesh, trace(mesh, request), '')).replaceAll(request.address ?? '', '*');
}

const isOfAddress = ({ dimension }: Pick<Condition, 'dimension'>): boolean => dimension.kind === 'address';

const isClaimed = (mesh: Mesh, address: string): boolean =>
  mesh.services.all.some(
    (one) => one.registry === 'External' && (one.address === address || contains(one.address, address)),
  );

const at = (request: TraceRequest, address: string): TraceRequest => ({
  ...request,
  address,
  // An address that no name stands for is dialled as it is.
  ...(request.request === `tcp://${request.address}` ? { request: `tcp://${address}` } : {}),
});

describe('classes of requests by the address that is dialled', () => {
  const found = Array.from({ length: 10 }, (_one, seed) => seed + 1).map((seed) => {
    const mesh = meshOf(random(seed));
    const targets = new Targets(mesh);
    const clients = clientClasses(mesh, mesh).filter((one) => one.at === undefined && one.isBare !== true);
    const explored = clients.flatMap((client) =>
      targets.of(client).map((target) => ({ target, classes: explore(mesh, client.request, target).classes })),
    );
    return { mesh, explored: explored.filter(({ classes }) => classes.some(({ region }) => region.some(isOfAddress))) };
  });

  it('are disjoint, cover what no entry claims, and each fares as its witness does', () => {
    let held = 0;
    for (const { mesh, explored } of found)
      for (const { target, classes } of explored) {
        for (const { witness, region } of classes) expect({ witness, is: isOf(region, valueIn(witness)) }).toEqual({ witness, is: true }); // prettier-ignore
        for (const address of DIALLED) {
          const near = classes.filter(({ region }) => isOf(region.filter(isOfAddress), () => address));
          // What entries claim is dialled by their hosts, and nothing else is left out of what has none.
          if (target.host === '*' && !isClaimed(mesh, address)) expect({ address, target, classes: near.length > 0 }).toEqual({ address, target, classes: true }); // prettier-ignore
          for (const { witness } of near) {
            const request = at(witness, address);
            const own = classes.filter(({ region }) => isOf(region, valueIn(request)));
            expect({ request, classes: own.length }).toEqual({ request, classes: 1 });
            expect({ request, fares: fares(mesh, request) }).toEqual({ request, fares: fares(mesh, witness) });
            held += 1;
          }
        }
      }
    expect(held).toBeGreaterThan(1000);
  });
});
