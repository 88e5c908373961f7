/** One process: loads a file, and says in JSON how long each part of tracing in it took. `phases.cjs FILE HOSTS` */
import { load } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace/index';
import { TEAMS } from '../edge';

/** Milliseconds of processor time, all threads: what counts on a machine that others use too. */
export interface Phases {
  readonly load: number;
  readonly mesh: number;
  readonly first: number;
  /** Median of requests from the namespace of the first. */
  readonly further: number;
  /** Mean of the first requests from other namespaces, whose view of the mesh is made then. */
  readonly otherNamespaces: number;
  /** Of the first three, by the clock on the wall. */
  readonly wall: number;
}

const FURTHER = 500;
const OTHERS = 10;

let last = 0;
function lap(): number {
  const { user, system } = process.cpuUsage();
  const now = (user + system) / 1000;
  const milliseconds = now - last;
  last = now;
  return milliseconds;
}

function main(file: string, hosts: number): Phases {
  lap();
  const start = performance.now();
  const { manifests } = load([file]);
  const loading = lap();
  const mesh = buildMesh(manifests);
  const building = lap();
  const ask = (team: number, host: number): void => {
    const { outcome } = trace(mesh, { from: `team${team}/app`, request: `http://h${host % hosts}.example.com/` });
    if (outcome !== 'delivered') throw new Error(`h${host % hosts}.example.com: ${outcome}`);
  };
  ask(7, 77);
  const first = lap();
  const wall = performance.now() - start;
  const times = Array.from({ length: FURTHER }, (_, at) => {
    ask(7, at * 97);
    return lap();
  }).sort((a, b) => a - b);
  for (let at = 0; at < OTHERS; at += 1) ask((8 + at) % TEAMS, at * 31);
  return {
    load: loading,
    mesh: building,
    first,
    further: times[FURTHER / 2] ?? 0,
    otherNamespaces: lap() / OTHERS,
    wall,
  };
}

process.stdout.write(JSON.stringify(main(process.argv[2] ?? '', Number(process.argv[3]))));
