/** Witnesses of `list`, `prove` and `diff`, given to `trace --requests` as they are: each has to do what the command says of it. */
import { acceptedMesh } from '../../src/check/accepted';
import { parseLine } from '../../src/cli/request-line';
import { diff } from '../../src/diff/diff';
import type { Way } from '../../src/diff/types';
import { fingerprint, wayOf } from '../../src/diff/way';
import { register, type RegisterEntry } from '../../src/list/register';
import type { Manifest } from '../../src/model/manifest';
import type { Mesh } from '../../src/model/mesh';
import type { MeshOptions } from '../../src/model/mesh-options';
import { json } from '../../src/model/printable';
import { everyName } from '../../src/diff/requests';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';
import { notFollowed, RequestError, trace } from '../../src/trace/index';
import type { Trace } from '../../src/trace/types';
import { UNKNOWN_HOST } from '../../src/traffic/universe';
import { FORMS, type FormOfChange } from './forms';
import { hostOf } from './held';
import { changed, manifestsOf, random, world, type Random } from './worlds';

export interface Disagreement {
  /** The witness, as it is in JSON. */
  readonly line: string;
  readonly said: unknown;
  readonly traced: unknown;
}

export interface Witnessed {
  readonly command: 'list' | 'prove' | 'diff';
  readonly witnesses: number;
  readonly disagreements: readonly Disagreement[];
}

type Change = Pick<FormOfChange, 'sides' | 'options'>;

function routes(next: Random): Change {
  const before = world(next);
  return { sides: [manifestsOf(before), manifestsOf(changed(next, before).objects)], options: {} };
}

/** Changes of random meshes, by their form. */
export const CHANGES_OF: Readonly<Record<string, (next: Random) => Change | undefined>> = {
  routes,
  ...Object.fromEntries(Object.entries(FORMS).map(([form, of]) => [form, (next: Random) => of(next, 1)])),
};

/** What the three commands show of one change; undefined where the seed changes nothing. */
export function witnessed(form: string, seed: number): readonly Witnessed[] | undefined {
  const change = CHANGES_OF[form]?.(random(seed));
  if (change === undefined) return undefined;
  const { sides, options } = change;
  return [listed(sides[1], options), proved(sides[1], options), compared(sides, options)];
}

/** What `trace --requests` makes of a line. */
function traceLine(mesh: Mesh, line: string): Trace {
  const request = parseLine(line, 1);
  try {
    return trace(mesh, request);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return notFollowed(error);
  }
}

function judged(command: Witnessed['command'], pairs: readonly Disagreement[]): Witnessed {
  const disagreements = pairs.filter(({ said, traced }) => JSON.stringify(said) !== JSON.stringify(traced));
  return { command, witnesses: pairs.length, disagreements };
}

const anyName = (name: string | null | undefined): string | null => (name === UNKNOWN_HOST ? '*' : (name ?? null));

/** The register's entries. */
function listed(manifests: readonly Manifest[], options: MeshOptions): Witnessed {
  const mesh = acceptedMesh(manifests, options);
  return judged(
    'list',
    register(mesh, {}).entries.map((entry) => {
      const line = json(entry.request);
      return { line, said: saidBy(entry), traced: asEntry(traceLine(mesh, line)) };
    }),
  );
}

function saidBy({ outcome, to: { destination }, path }: RegisterEntry): unknown {
  return [
    outcome,
    destination && [destination.host, destination.port, destination.tls, destination.sni],
    path.map(({ proxy, tls, sni }) => [proxy.kind, tls, sni]),
  ];
}

function asEntry({ outcome, destination, hops }: Trace): unknown {
  return [
    outcome,
    destination && [anyName(destination.host), destination.port, destination.tls, anyName(destination.sni)],
    hops.map(({ proxy, sends }) => [proxy.kind, sends?.tls ?? null, anyName(sends?.sni)]),
  ];
}

/** Rules that most meshes break somewhere: each counterexample has to arrive, as its trace says. */
function proved(manifests: readonly Manifest[], options: MeshOptions): Witnessed {
  const mesh = acceptedMesh(manifests, options);
  const names = [...everyName(mesh)].filter((name) => /^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)).sort();
  const rules = [
    ...['*', 'outside'].flatMap((from) => [
      `forbid: { from: "${from}", to: "*" }`,
      `require: { from: "${from}", to: outside, tls: verified }`,
      `require: { from: "${from}", to: "*", tls: encrypted }`,
      `require: { from: "${from}", to: "*", identity: true }`,
      ...names.map((name) => `forbid: { from: "${from}", to: { hosts: ["${name}"] } }`),
    ]),
    'forbid: { from: "*", to: { paths: ["/a*"], methods: [POST] } }',
    'forbid: { from: "*", to: { cidrs: [10.0.0.0/8, 203.0.113.0/24] } }',
  ].map((rule, index) => `  - { name: r${index}, ${rule} }`);
  const read = readRules(`rules:\n${rules.join('\n')}\n`);
  if (read.problems.length > 0) throw new Error(JSON.stringify(read.problems));
  return judged(
    'prove',
    prove(mesh, read.rules, { work: 20_000_000 }).flatMap(({ counterexample, trace: told, because }) => {
      // A share of a weighted route, or a copy, is followed by no line by itself.
      if (counterexample === null || told === null || because.some((one) => one.includes('a share of these')))
        return [];
      const line = json(counterexample);
      return [{ line, said: wayIn(mesh, line, told), traced: wayIn(mesh, line, traceLine(mesh, line)) }];
    }),
  );
}

function wayIn(mesh: Mesh, line: string, told: Trace): string {
  return fingerprint(wayOf(mesh, told, hostOf(parseLine(line, 1).request)));
}

/** Changes of traffic: each side by itself, as whoever has its manifests alone traces it. */
function compared(sides: readonly [readonly Manifest[], readonly Manifest[]], options: MeshOptions): Witnessed {
  const meshes = sides.map((one) => acceptedMesh(one, options));
  return judged(
    'diff',
    diff(...sides, { mesh: options }).changes.flatMap(({ request, was, is }) => {
      const line = json(request);
      return [was, is].map((said, side) => {
        const mesh = meshes[side] as Mesh;
        return { line, said: shortly(said), traced: shortly(wayOf(mesh, traceLine(mesh, line), hostOf(request.request))) }; // prettier-ignore
      });
    }),
  );
}

/** Identities are told only where they alone have changed. */
function shortly({ identities: _, ...way }: Way): string {
  return fingerprint({ ...way, text: '' });
}
