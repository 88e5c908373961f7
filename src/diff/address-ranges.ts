/** Ranges by which objects tell apart the addresses that clients dial, and an address for each part that the ranges cut others into. */
import { isIPv4 } from 'node:net';
import { ANY_ADDRESS, addressAt, bitsOf, canonicalCidr, isAddress, isCidr, prefixLength } from '../model/addresses';
import { record, records, text, texts } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { capturedRanges } from '../trace/capture';

/** A range, and the place that names it: what one place names in one row decides alike for all addresses in it. */
export interface Told {
  readonly range: string;
  readonly at: string;
}

/** Blocks of NetworkPolicies and what they leave out, subnets of routes, and what sidecars capture, on each side. */
export function toldRanges(meshes: readonly Mesh[]): readonly Told[] {
  const [first] = meshes;
  const make = (): readonly Told[] =>
    meshes.flatMap((mesh, side) => toldIn(mesh).map(({ range, at }) => ({ range, at: `${side} ${at}` })));
  return first === undefined ? [] : first.remember(meshes, 'diff: ranges on each side', make);
}

function toldIn(mesh: Mesh): readonly Told[] {
  return mesh.remember(mesh, 'diff: ranges that are told apart', () => {
    const found = new Map<string, Told>();
    const add = (range: string, at: string): void => {
      if (!isCidr(range) && !isAddress(range)) return;
      const told = { range: canonicalCidr(range), at };
      found.set(`${told.range} ${at}`, told);
    };
    for (const { namespace, name, body } of mesh.of('networking.k8s.io', 'NetworkPolicy'))
      records(record(record(body).spec).egress).forEach((rule, r) => {
        const at = `NetworkPolicy ${namespace}/${name} egress[${r}]`;
        records(rule.to).forEach(({ ipBlock }, t) => {
          const left = texts(record(ipBlock).except);
          add(text(record(ipBlock).cidr), left.length > 0 ? `${at}.to[${t}]` : at);
          for (const one of left) add(one, `${at}.to[${t}].except`);
        });
      });
    for (const { namespace, name, tcp, tls } of mesh.virtualServices.all)
      Object.entries({ tcp, tls }).forEach(([protocol, rules]) =>
        rules.forEach(({ matches }, r) =>
          matches.forEach(({ destinationSubnets }, m) => {
            for (const one of destinationSubnets) add(one, `VirtualService ${namespace}/${name} ${protocol}[${r}].match[${m}]`); // prettier-ignore
          }),
        ),
      );
    for (const list of capturedRanges(mesh)) for (const range of list) add(range, `captured ${list.join()}`);
    return [...found.values()];
  });
}

/** What entries claim: who dials it is told by their hosts. */
export function claimedRanges(mesh: Mesh): readonly string[] {
  return mesh.services.all
    .filter(({ address }) => address !== ANY_ADDRESS && (isAddress(address) || isCidr(address)))
    .map(({ address }) => canonicalCidr(address));
}

export interface Part {
  readonly address: string;
  /** The narrowest of the ranges that its addresses are in; none where they are in none. */
  readonly ranges: readonly string[];
}

interface Others {
  /** Ranges that no part has addresses of. */
  readonly claimed?: readonly string[];
  /** Addresses that stand for the part that they are in. */
  readonly standing?: readonly string[];
}

interface Bounds {
  readonly first: bigint;
  readonly last: bigint;
}

interface Range extends Bounds {
  readonly range: string;
  /** Places that name it; none where it is claimed. */
  readonly at: ReadonlySet<string> | undefined;
}

/** An address of each part that some ranges cut another one into; the first is the one that a host is likeliest to have. */
export function partsOf(
  whole: string,
  told: readonly Told[],
  { claimed = [], standing = [] }: Others = {},
): readonly Part[] {
  if (!isAddress(whole) && !isCidr(whole)) return [{ address: whole.split('/')[0] ?? '', ranges: [] }];
  const outer = boundsOf(whole);
  const isV4 = isIPv4(whole.split('/')[0] ?? '');
  const stands = standing.filter((one) => isIPv4(one) === isV4).map((one) => ({ address: one, bits: bitsOf(one) }));
  const parts = new Map<string, { address: string; ranges: Set<string> }>();
  for (const { first, last, around } of segments(outer, within(outer, isV4, told, claimed))) {
    if (around.some(({ at }) => at === undefined)) continue;
    const key = [...new Set(around.flatMap(({ at }) => [...(at ?? [])]))].sort().join('\n');
    const stood = stands.find(({ bits }) => first <= bits && bits <= last)?.address;
    // The address of a network itself is no host's.
    const address = stood ?? addressAt(first < last ? first + 1n : first, isV4);
    const known = parts.get(key) ?? { address, ranges: new Set<string>() };
    if (stood !== undefined) known.address = stood;
    const innermost = around.at(-1);
    if (innermost !== undefined) known.ranges.add(innermost.range);
    parts.set(key, known);
  }
  return [...parts.values()].map(({ address, ranges }) => ({ address, ranges: [...ranges] }));
}

/** Ranges that have addresses in common with another one, of the same family; wider ones come before those that begin where they do. */
function within(outer: Bounds, isV4: boolean, told: readonly Told[], claimed: readonly string[]): readonly Range[] {
  const places = new Map<string, Set<string> | undefined>();
  for (const { range, at } of told) places.set(range, (places.get(range) ?? new Set<string>()).add(at));
  for (const range of claimed) places.set(range, undefined);
  return [...places]
    .filter(([range]) => isIPv4(range.split('/')[0] ?? '') === isV4)
    .map(([range, at]) => ({ range, at, ...boundsOf(range) }))
    .filter(({ first, last }) => first <= outer.last && last >= outer.first)
    .sort((a, b) => compare(a.first, b.first) || compare(b.last, a.last));
}

interface Segment extends Bounds {
  /** Ranges that it is in, wider ones first. */
  readonly around: readonly Range[];
}

/** What ranges cut another one into, in order: of two ranges that meet, one holds the other. */
function segments(outer: Bounds, sorted: readonly Range[]): readonly Segment[] {
  const found: Segment[] = [];
  const open: Range[] = [];
  let next = outer.first;
  const upTo = (last: bigint): void => {
    const end = last < outer.last ? last : outer.last;
    if (next <= end) found.push({ first: next, last: end, around: [...open] });
    if (next <= end) next = end + 1n;
  };
  const closeBefore = (first: bigint): void => {
    for (let top = open.at(-1); top !== undefined && top.last < first; top = open.at(-1)) {
      upTo(top.last);
      open.pop();
    }
  };
  for (const range of sorted) {
    closeBefore(range.first);
    upTo(range.first - 1n);
    open.push(range);
  }
  closeBefore(outer.last + 1n);
  upTo(outer.last);
  return found;
}

function boundsOf(range: string): Bounds {
  const [network = '', length] = range.split('/');
  const width = isIPv4(network) ? 32 : 128;
  const bits = length === undefined ? prefixLength(range) : Math.min(Number(length), width);
  const size = 1n << BigInt(width - bits);
  const first = (bitsOf(network) / size) * size;
  return { first, last: first + size - 1n };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
