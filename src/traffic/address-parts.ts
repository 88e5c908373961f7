/** Ranges by which objects tell apart the addresses that clients dial, and an address for each part that the ranges cut others into. */
import { isIPv4 } from 'node:net';
import {
  ANY_ADDRESS,
  addressAt,
  bitsOf,
  canonicalCidr,
  isAddress,
  isCidr,
  isLoopback,
  prefixLength,
} from '../model/addresses';
import { record, records, text, texts } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { capturedRanges } from '../trace/capture';
import type { Matcher } from '../trace/matcher';

/** An address for documentation, which no mesh has. */
export const ANY_OTHER_ADDRESS = '203.0.113.251';
/** Such addresses: each stands for the part that it is in. */
const STANDING = [ANY_OTHER_ADDRESS, '198.51.100.251', '192.0.2.251', '2001:db8::fb'];

/** A range, and the place that names it: what one place names in one row decides alike for all addresses in it. */
export interface Told {
  readonly range: string;
  readonly at: string;
}

/** Blocks of NetworkPolicies and what they leave out, subnets of routes, and what sidecars capture, on each side. */
function toldRanges(meshes: readonly Mesh[]): readonly Told[] {
  const [first] = meshes;
  const make = (): readonly Told[] =>
    meshes.flatMap((mesh, side) => toldIn(mesh).map(({ range, at }) => ({ range, at: `${side} ${at}` })));
  return first === undefined ? [] : first.remember(meshes, 'traffic: ranges on each side', make);
}

function toldIn(mesh: Mesh): readonly Told[] {
  return mesh.remember(mesh, 'traffic: ranges that are told apart', () => {
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
function claimedRanges(mesh: Mesh): readonly string[] {
  return mesh.services.all
    .filter(({ address }) => address !== ANY_ADDRESS && (isAddress(address) || isCidr(address)))
    .map(({ address }) => canonicalCidr(address));
}

export interface Part {
  readonly address: string;
  /** The narrowest of the ranges that its addresses are in; none where they are in none. */
  readonly ranges: readonly string[];
  /** What all of its addresses fulfil, and no other. */
  readonly within: () => Matcher;
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
  if (!isAddress(whole) && !isCidr(whole)) return [{ address: whole.split('/')[0] ?? '', ranges: [], within: () => ({ is: 'present' }) }]; // prettier-ignore
  const outer = boundsOf(whole);
  const isV4 = isIPv4(whole.split('/')[0] ?? '');
  const stands = standing.filter((one) => isIPv4(one) === isV4).map((one) => ({ address: one, bits: bitsOf(one) }));
  const parts = new Map<string, { address: string; ranges: Set<string>; own: Set<Range | undefined> }>();
  const sorted = within(outer, isV4, told, claimed);
  for (const { first, last, around } of segments(outer, sorted)) {
    if (around.some(({ at }) => at === undefined)) continue;
    const key = [...new Set(around.flatMap(({ at }) => [...(at ?? [])]))].sort().join('\n');
    const stood = stands.find(({ bits }) => first <= bits && bits <= last)?.address;
    // The address of a network itself is no host's.
    const address = stood ?? addressAt(first < last ? first + 1n : first, isV4);
    const known = parts.get(key) ?? { address, ranges: new Set<string>(), own: new Set<Range | undefined>() };
    if (stood !== undefined) known.address = stood;
    const innermost = around.at(-1);
    if (innermost !== undefined) known.ranges.add(innermost.range);
    known.own.add(innermost);
    parts.set(key, known);
  }
  return [...parts.values()].map(({ address, ranges, own }) => ({
    address,
    ranges: [...ranges],
    within: () => withinThese(whole, own, sorted),
  }));
}

/** Addresses whose narrowest range is one of some: undefined stands for the whole, in which they are in none. */
function withinThese(whole: string, own: ReadonlySet<Range | undefined>, sorted: readonly Range[]): Matcher {
  const except: string[] = [];
  const open: Range[] = [];
  for (const range of sorted) {
    while ((open.at(-1)?.last ?? range.last) < range.first) open.pop();
    if (own.has(open.at(-1)) && !own.has(range)) except.push(range.range);
    open.push(range);
  }
  return { is: 'within', ranges: [...own].map((one) => one?.range ?? whole), except };
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

const MOST_RANGES_NAMED = 6;

/** Parts that are followed: each is every port once more. */
const MOST_PARTS = 64;

/** All addresses, where entries claim them all. */
const PLAIN: Part = { address: ANY_OTHER_ADDRESS, ranges: [], within: () => ({ is: 'present' }) };

/** Addresses that no entry claims, one for each part that objects tell apart; the first stands for all that are in no range of theirs. */
export function unclaimedParts(meshes: readonly Mesh[]): readonly Part[] {
  return everyUnclaimed(meshes).slice(0, MOST_PARTS + 1);
}

/** What is not followed of the addresses that no entry claims, and why: undefined unless there are too many parts of them. */
export function partsBeyond(meshes: readonly Mesh[]): { readonly what: string; readonly why: string } | undefined {
  const further = everyUnclaimed(meshes).length - MOST_PARTS - 1;
  if (further <= 0) return undefined;
  return {
    what: `connections to addresses in ${further} more ranges that no entry claims`,
    why: 'NetworkPolicies, routes and the capture of sidecars tell more ranges apart than are followed',
  };
}

function everyUnclaimed(meshes: readonly Mesh[]): readonly Part[] {
  const [first] = meshes;
  // What several explorations ask of one mesh is found once.
  const about = meshes.length === 1 && first !== undefined ? first : meshes;
  return first === undefined ? [PLAIN] : first.remember(about, 'traffic: addresses that no entry claims', () => partsNobodyClaims(meshes)); // prettier-ignore
}

function partsNobodyClaims(meshes: readonly Mesh[]): readonly Part[] {
  // Who says nothing of IPv6 but that all of it is meant is not asked about it.
  const told = toldRanges(meshes).filter(({ range }) => range !== '::/0');
  const claimed = [...new Set(meshes.flatMap(claimedRanges))];
  const families = told.some(({ range }) => range.includes(':')) ? ['0.0.0.0/0', '::/0'] : ['0.0.0.0/0'];
  const parts = families
    .flatMap((one) => partsOf(one, told, { claimed, standing: STANDING }))
    .filter(({ address }) => !isLoopback(address));
  const first = parts.find(({ address }) => address === ANY_OTHER_ADDRESS) ?? PLAIN;
  return [first, ...parts.filter((one) => one !== first)];
}

/** An address of each range that entries give a host; the part that it stands for where objects tell several apart in it. */
export function partsOfHost(
  mesh: Mesh,
  host: string,
  meshes: readonly Mesh[],
): readonly { readonly address: string; readonly part: Part | undefined }[] {
  const index = mesh.remember(mesh, 'traffic: ranges by host', () => {
    const byHost = new Map<string, Set<string>>();
    for (const { registry, address, host: name } of mesh.services.all) {
      if (registry !== 'External' || address === ANY_ADDRESS) continue;
      const known = byHost.get(name) ?? new Set<string>();
      byHost.set(name, known.add(address));
    }
    return byHost;
  });
  const own = [...(index.get(host) ?? [])];
  if (own.length === 0) return [];
  return own.flatMap((range) => {
    // Most of what entries claim is one address.
    if (isAddress(range)) return [{ address: range, part: undefined }];
    const parts = partsOf(range, toldRanges(meshes));
    return parts.map((part) => ({ address: part.address, part: parts.length > 1 ? part : undefined }));
  });
}

/** An address of each part of a range that anybody asks about; of what entries claim of it, which is followed by their hosts, one stands for all. */
export function partsWithin(range: string, mesh: Mesh): readonly Part[] {
  const claimed = claimedRanges(mesh).map((one): Told => ({ range: one, at: 'claimed' }));
  return partsOf(range, [...toldRanges([mesh]), ...claimed]);
}

/** Ranges in words: none where all addresses are meant. */
export function rangesText(ranges: readonly string[]): string {
  const own = ranges.filter((one) => one !== '0.0.0.0/0');
  if (own.length === 0) return '';
  const named = own.slice(0, MOST_RANGES_NAMED).join(', ');
  const more = own.length - MOST_RANGES_NAMED;
  return `${named}${more > 0 ? ` and ${more} more ranges` : ''}`;
}
