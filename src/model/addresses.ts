import { BlockList, isIP, isIPv4 } from 'node:net';

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

export function contains(cidr: string, address: string): boolean {
  const family = isIP(address);
  const slash = cidr.indexOf('/');
  const network = slash < 0 ? cidr : cidr.slice(0, slash);
  if (family === 0 || isIP(network) !== family) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  const bits = prefixLength(cidr);
  if (bits > (family === 4 ? 32 : 128)) return false;
  list.addSubnet(network, bits, type);
  return list.check(address, type);
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
