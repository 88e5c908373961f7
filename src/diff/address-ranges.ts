/** Ranges by which objects tell apart the addresses that clients dial, and an address for each part that the ranges cut others into. */
import { ANY_ADDRESS, canonicalCidr, isAddress, isCidr } from '../model/addresses';
import { record, records, text, texts } from '../model/fields';
import type { Mesh } from '../model/mesh';

/** Parts of a range that are followed: each is every port once more. */
const MOST_PARTS = 24;

const CAPTURED = ['includeOutboundIPRanges', 'excludeOutboundIPRanges'].map((name) => `traffic.sidecar.istio.io/${name}`); // prettier-ignore

/** Blocks of NetworkPolicies and what they leave out, subnets of routes, and what sidecars capture. */
export function toldRanges(mesh: Mesh): readonly string[] {
  return mesh.remember(mesh, 'diff: ranges that are told apart', () => {
    const found = new Set<string>();
    const add = (range: string): void => {
      if (isCidr(range) || isAddress(range)) found.add(canonicalCidr(range));
    };
    for (const { body } of mesh.of('networking.k8s.io', 'NetworkPolicy'))
      for (const rule of records(record(record(body).spec).egress))
        for (const { ipBlock } of records(rule.to)) {
          add(text(record(ipBlock).cidr));
          for (const left of texts(record(ipBlock).except)) add(left);
        }
    for (const { tcp, tls } of mesh.virtualServices.all)
      for (const { matches } of [...tcp, ...tls])
        for (const { destinationSubnets } of matches) for (const subnet of destinationSubnets) add(subnet);
    const { includeRanges, excludeRanges } = mesh.config.capture;
    const captured = mesh.workloads.all.flatMap(({ annotations }) => CAPTURED.map((name) => annotations[name] ?? ''));
    for (const list of new Set([includeRanges, excludeRanges, ...captured]))
      for (const range of list.split(',')) add(range.trim());
    return [...found];
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
  /** The narrowest of the ranges that the address is in; undefined where it is in none. */
  readonly range: string | undefined;
}

/** An address of each part that some ranges cut another one into; the first is the one that a host is likeliest to have. */
export function partsOf(whole: string, ranges: readonly string[]): readonly Part[] {
  const outer = boundsOf(whole);
  if (outer === undefined) return [{ address: whole.split('/')[0] ?? '', range: undefined }];
  const inner = ranges
    .map((range) => ({ range, bounds: boundsOf(range) }))
    .filter((one): one is { range: string; bounds: Bounds } => one.bounds !== undefined)
    .filter(({ bounds }) => bounds.first <= outer.last && bounds.last >= outer.first)
    .sort((a, b) => b.bounds.last - b.bounds.first - (a.bounds.last - a.bounds.first));
  const cuts = new Set([outer.first]);
  for (const { bounds } of inner)
    for (const at of [bounds.first, bounds.last + 1]) if (at > outer.first && at <= outer.last) cuts.add(at);
  const starts = [...cuts].sort((a, b) => a - b);
  const parts = new Map<string, Part>();
  starts.forEach((first, index) => {
    const last = (starts[index + 1] ?? outer.last + 1) - 1;
    const around = inner.filter(({ bounds }) => bounds.first <= first && bounds.last >= last).map(({ range }) => range);
    const key = around.join();
    // The address of a network itself is no host's.
    if (!parts.has(key)) parts.set(key, { address: addressOf(first < last ? first + 1 : first), range: around.at(-1) });
  });
  return [...parts.values()].slice(0, MOST_PARTS);
}

interface Bounds {
  readonly first: number;
  readonly last: number;
}

/** Of IPv4 alone: a range of IPv6 is followed by its first address. */
function boundsOf(range: string): Bounds | undefined {
  if (range.includes(':')) return undefined;
  const [network = '', length = '32'] = canonicalCidr(range).split('/');
  const first = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return { first, last: first + 2 ** (32 - Number(length)) - 1 };
}

function addressOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
