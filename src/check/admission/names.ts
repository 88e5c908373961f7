/** Forms of names as Istio's admission webhook asks for them. Each answers what is wrong, or nothing. */
import { isIP } from 'node:net';

const LABEL = /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const WILDCARD_LABEL = /^(\*|(\*-?)?[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)$/;

export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

export function isAddressOrCidr(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  if (bits === undefined) return isAddress(address);
  return (
    rest.length === 0 &&
    isAddress(address) &&
    /^(0|[1-9]\d{0,2})$/.test(bits) &&
    Number(bits) <= (isIP(address) === 6 ? 128 : 32)
  );
}

export function isPortNumber(number: number | undefined): boolean {
  return number !== undefined && number >= 1 && number <= 65535;
}

/** A name with no wildcard in it. */
export function wrongName(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.length > 255) return 'it is longer than 255 characters';
  const labels = name.split('.');
  if (/^\d+$/.test(labels.at(-1) ?? '')) return `its last label ${JSON.stringify(labels.at(-1))} is a number`;
  if (labels.at(-1) === '') labels.pop(); // `example.com.`
  const bad = labels.find((label) => !isDnsLabel(label));
  return bad === undefined ? undefined : `${JSON.stringify(bad)} is no DNS label`;
}

/** A name that may begin with a wildcard label: `*`, `*.example.com`, `*-x.example.com`. */
export function wrongHost(host: string): string | undefined {
  if (host === '') return 'it is empty';
  if (host.length > 255) return 'it is longer than 255 characters';
  const [first = '', ...rest] = host.split('.');
  if (first.length > 63 || !WILDCARD_LABEL.test(first)) return `${JSON.stringify(first)} is no DNS label`;
  // `*.` is let through, as the dot at the end of a name is.
  return rest.length === 0 || (rest.join('') === '' && rest.length === 1) ? undefined : wrongName(rest.join('.'));
}

/** A host of a Gateway's server or of a Sidecar, with or without its namespace. */
export function wrongScopedHost(host: string, of: 'Gateway' | 'Sidecar'): string | undefined {
  const slash = host.indexOf('/');
  if (slash === -1)
    return of === 'Gateway'
      ? wrongServerName(host, of)
      : 'it must be namespace/host, such as ./*, */api.example.com or app/*';
  const namespace = host.slice(0, slash);
  const name = host.slice(slash + 1);
  if (namespace === '' || name === '') return 'its namespace and its name must not be empty';
  const words = of === 'Gateway' ? ['*', '.'] : ['*', '.', '~'];
  if (!words.includes(namespace) && !isDnsLabel(namespace)) return `${JSON.stringify(namespace)} is no namespace`;
  return wrongServerName(name, of);
}

function wrongServerName(name: string, of: 'Gateway' | 'Sidecar'): string | undefined {
  if (name === '*') return undefined;
  if (!name.includes('.') && !(of === 'Gateway' && isAddress(name)))
    return 'a short name is not allowed, write the whole one';
  if (name.includes('*') && !name.startsWith('*.')) return 'a wildcard must be a whole label, *. at the beginning';
  return of === 'Gateway' && isAddress(name) ? undefined : wrongHost(name);
}
