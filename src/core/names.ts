import { createHash } from 'node:crypto';
import { Problem, quote } from './problem';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** @internal */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && DNS_LABEL.test(text);
}

/** @internal */
export function isObjectName(text: string): boolean {
  return text.length <= 253 && DNS_SUBDOMAIN.test(text);
}

/**
 * Shortens a name to what Kubernetes takes, keeping it unique by a digest of the whole.
 *
 * @internal
 */
export function shorten(name: string, limit = 63): string {
  if (name.length <= limit) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, limit - 9).replace(/[-.]+$/, '')}-${digest}`;
}

/** @internal */
export function objectNameProblems(what: string, name: string | undefined): Problem[] {
  if (name === undefined || isObjectName(name)) return [];
  return [
    {
      what: `${what} ${quote(name)} is not a name that Kubernetes takes`,
      why: 'the API server would refuse the object',
      fix: 'use a-z, 0-9, hyphens and dots, beginning and ending with a letter or digit',
    },
  ];
}

/** @internal */
export function namespaceProblems(what: string, name: string | undefined): Problem[] {
  if (name === undefined || isDnsLabel(name)) return [];
  return [
    {
      what: `${what} ${quote(name)} is not a namespace's name`,
      why: 'the API server would refuse the object',
      fix: 'use a-z, 0-9 and inner hyphens, 63 characters at most',
    },
  ];
}

/** @internal */
export function portProblems(what: string, port: number): Problem[] {
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return [];
  return [
    {
      what: `${what} ${quote(port)} is not a port number`,
      why: 'Istio and the API server take 1 to 65535',
      fix: 'use a whole number from 1 to 65535',
    },
  ];
}
