import { isIP, isIPv4, SocketAddress } from 'node:net';

/** Stands for "no address of its own" in Istio's registry. */
export const ANY_ADDRESS = '0.0.0.0';

export function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  return slash > 0 && isAddress(text.slice(0, slash)) && /^\d+$/.test(text.slice(slash + 1));
}

/** Bits of a prefix; a bare address is its own narrowest prefix. */
export function prefixLength(cidr: string): number {
  const slash = cidr.indexOf('/');
  if (slash >= 0) return Number(cidr.slice(slash + 1));
  return isIPv4(cidr) ? 32 : 128;
}

/** Whether an entry stands for more than one address: `10.0.0.7/32` does not. */
export function isRange(entry: string): boolean {
  return entry.includes('/') && prefixLength(entry) !== prefixLength(entry.slice(0, entry.indexOf('/')));
}

/** By numbers: a list of Node's own (`BlockList`) takes ten times as long to make, and this is asked for each request. */
export function contains(cidr: string, address: string): boolean {
  const family = isIP(address);
  const slash = cidr.indexOf('/');
  const network = slash < 0 ? cidr : cidr.slice(0, slash);
  if (family === 0 || isIP(network) !== family) return false;
  const rest = (family === 4 ? 32 : 128) - prefixLength(cidr);
  if (!Number.isInteger(rest) || rest < 0) return false;
  return bitsOf(network) >> BigInt(rest) === bitsOf(address) >> BigInt(rest);
}

/** One spelling for all prefixes that mean the same range: `10.1.2.3/8` is `10.0.0.0/8`. */
export function canonicalCidr(cidr: string): string {
  const slash = cidr.indexOf('/');
  const network = slash < 0 ? cidr : cidr.slice(0, slash);
  const bits = prefixLength(cidr);
  if (!isIPv4(network)) return `${network.toLowerCase()}/${bits}`;
  const number = network.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const masked = bits === 0 ? 0 : Math.floor(number / 2 ** (32 - bits)) * 2 ** (32 - bits);
  return `${[24, 16, 8, 0].map((shift) => Math.floor(masked / 2 ** shift) % 256).join('.')}/${bits}`;
}

/** Ranges that no host on the internet has: of private networks, carriers, links, loopback, tests, groups. Those of documentation stand for what is there. */
const NOT_PUBLIC: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/127',
  'fc00::/7',
  'fe80::/10',
  'ff00::/8',
];

/** Those that clusters take their Pods' addresses from. */
const OF_CLUSTERS: readonly string[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];

function isWithin(inner: string, outer: string): boolean {
  return contains(outer, inner.split('/')[0] ?? '') && prefixLength(inner) >= prefixLength(outer);
}

/** Whether an address, or a block, is one of hosts on the internet. */
export function isOnTheInternet(entry: string): boolean {
  return prefixLength(entry) > 0 && !NOT_PUBLIC.some((range) => isWithin(entry, range) || isWithin(range, entry));
}

/** Whether a block without some ranges still has every address of the internet, which is to say of IPv4's. */
export function hasThePublicInternet(cidr: string, except: readonly string[]): boolean {
  return (
    contains(cidr, ANY_ADDRESS) &&
    prefixLength(cidr) === 0 &&
    except.every((range) => NOT_PUBLIC.some((known) => isWithin(range, known)))
  );
}

/** Whether a block has all (true) or none (false) of the addresses that clusters give to Pods; undefined if some. */
export function hasAddressesOfPods(cidr: string, except: readonly string[]): boolean | undefined {
  if (!OF_CLUSTERS.every((range) => isWithin(range, cidr))) return undefined;
  if (OF_CLUSTERS.every((range) => except.some((left) => isWithin(range, left)))) return false;
  const touches = (a: string, b: string): boolean => isWithin(a, b) || isWithin(b, a);
  return except.some((left) => OF_CLUSTERS.some((range) => touches(left, range))) ? undefined : true;
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** An address as a number of 32 or 128 bits. */
export function bitsOf(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = tail === undefined ? [] : Array<bigint>(Math.max(0, 8 - before.length - after.length)).fill(0n);
  return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65536n + group, 0n);
}

function groupsOf(part: string): bigint[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!isIPv4(group)) return [BigInt(`0x${group}`)];
    const bits = bitsOf(group);
    return [bits / 65536n, bits % 65536n];
  });
}

/** The address that a number of 32 or 128 bits is, as people write it. */
export function addressAt(bits: bigint, isV4: boolean): string {
  if (isV4) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 65535n).toString(16));
  return new SocketAddress({ family: 'ipv6', address: groups.join(':') }).address;
}
