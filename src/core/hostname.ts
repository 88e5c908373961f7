import { Problem, quote } from './problem';

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/** @internal */
export function isIpAddress(text: string): boolean {
  return (
    (IPV4.test(text) && text.split('.').every((part) => Number(part) <= 255)) ||
    (text.includes(':') && /^[0-9a-fA-F:.]+$/.test(text))
  );
}

/** @internal */
export function isWildcard(host: string): boolean {
  return host.startsWith('*');
}

/**
 * Whether `pattern` (a host, or a wildcard such as `*.example.com`) takes in all of `host`.
 *
 * @internal
 */
export function covers(pattern: string, host: string): boolean {
  if (pattern === '*' || pattern === host) return true;
  return pattern.startsWith('*.') && host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
}

/**
 * What is wrong with a host of a ServiceEntry, a Gateway server or a VirtualService, with a guess at what was meant.
 *
 * @internal
 */
export function hostProblems(host: string): Problem[] {
  const why = 'Istio matches hosts by DNS name, and its webhook refuses anything else';
  const problem = (what: string, fix: string): Problem[] => [{ what: `host ${quote(host)} ${what}`, why, fix }];
  if (host === '') return problem('is empty', 'name a host, such as "api.example.com"');
  if (host === '*') return problem('takes in the whole internet', 'name a domain, such as "*.example.com"');
  const url = /^[a-z][a-z0-9+.-]*:\/\/([^/:]+)/i.exec(host);
  if (url) return problem('is a URL', `did you mean ${quote(url[1].toLowerCase())}? Ports and paths are given apart`);
  if (isIpAddress(host)) {
    return [
      {
        what: `host ${quote(host)} is an IP address`,
        why: 'SNI and Host are compared by name, so it never matches',
        fix: 'invent a name for it and put the address in `addresses`',
      },
    ];
  }
  if (/\/\d+$/.test(host)) return problem('is an IP range', 'use DirectAccess, or `addresses` with a name of its own');
  const port = /^([^:]+):\d+$/.exec(host);
  if (port) return problem('carries a port', `did you mean ${quote(port[1])}? Give the port in \`ports\``);
  if (host.includes('/')) return problem('carries a path', `did you mean ${quote(host.split('/')[0])}?`);
  if (host !== host.toLowerCase()) return problem('has capital letters', `did you mean ${quote(host.toLowerCase())}?`);
  if (host.endsWith('.')) return problem('ends in a dot', `did you mean ${quote(host.replace(/\.+$/, ''))}?`);
  const name = host.startsWith('*.') ? host.slice(2) : host;
  if (name.includes('*'))
    return problem(
      'has a wildcard that is not its whole first label',
      'a wildcard stands alone and first: "*.example.com"',
    );
  const bad = name.split('.').find((label) => !LABEL.test(label));
  if (bad !== undefined)
    return problem(
      `has the label ${quote(bad)}, which is not a DNS label`,
      'use a-z, 0-9 and inner hyphens, 63 characters at most',
    );
  if (name.length > 253) return problem(`has ${name.length} characters`, 'a DNS name has 253 at most');
  if (!name.includes('.')) {
    return [
      {
        what: `host ${quote(host)} has no dot`,
        why: 'Istio would complete it with the namespace, as a short name of a Service',
        fix: `write it in full, such as ${quote(`${host}.example.com`)}`,
      },
    ];
  }
  return [];
}

/**
 * A name for an object or a subset, made of a host: `edition.cnn.com` gives `edition-cnn-com`, `*.cnn.com` gives `any-cnn-com`.
 *
 * @internal
 */
export function nameOfHost(host: string): string {
  return host
    .replace(/^\*\.?/, 'any-')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
