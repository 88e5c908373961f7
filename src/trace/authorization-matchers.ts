/** What values of AuthorizationPolicies mean, as matchers. */
import type { IstioBehavior } from '../model/release-behavior';
import { exact, prefix, regex, suffix, type Matcher } from './matcher';

/** `*`, `prefix*`, `*suffix`, or the whole. */
export function pattern(value: string): Matcher {
  // Any text but an empty one.
  if (value === '*') return regex('(?s).+');
  if (value.startsWith('*')) return suffix(value.slice(1));
  return value.endsWith('*') ? prefix(value.slice(0, -1)) : exact(value);
}

export function folding(matcher: Matcher): Matcher {
  return 'value' in matcher ? { ...matcher, folds: true } : matcher;
}

/** Characters that Envoy's templates take (`kLiteral`, uri_template_lib/uri_template_internal.cc): others are in no segment. */
const IN_TEMPLATES = "a-zA-Z0-9._~%!$&'()+,;:@=";

/** `{*}` is a segment, `{**}` any number of them. */
export function pathPattern(value: string): Matcher {
  if (!/\{\*{1,2}\}/.test(value)) return pattern(value);
  const parts = value
    .split(/(\{\*{1,2}\})/)
    .map((part) => (part === '{*}' ? `[${IN_TEMPLATES}-]+` : part === '{**}' ? `[${IN_TEMPLATES}/-]*` : quoted(part)));
  return regex(parts.join(''));
}

const SPECIAL = /[.+*?^${}()|[\]\\]/g;

function quoted(value: string): string {
  return value.replace(SPECIAL, '\\$&');
}

function isPlain(value: string): boolean {
  return value.search(SPECIAL) < 0;
}

/** What istiod quotes of who calls where it writes expressions for proxies; ztunnel is told texts, not expressions. */
export type Quoting = Pick<IstioBehavior, 'quotesAccounts' | 'quotesIdentities'>;

export const QUOTES_ALL: Quoting = { quotesAccounts: true, quotesIdentities: true };

/** Whether more than the text counts of a value of a policy: a principal with a star in front, and whatever stands for namespaces and accounts. */
export function isExpression(
  name: 'principals' | 'namespaces' | 'serviceAccounts',
  value: string,
  quoting: Quoting,
): boolean {
  switch (name) {
    case 'principals':
      return !quoting.quotesIdentities && /^\*[^*]/.test(value) && !isPlain(value.slice(1));
    case 'namespaces':
      return !quoting.quotesIdentities && !isPlain(value.replaceAll('*', ''));
    case 'serviceAccounts':
      return !quoting.quotesAccounts && !isPlain(value);
  }
}

/** Principals without `spiffe://` that a principal of a policy stands for. */
export function principalPattern(value: string, quoting: Quoting): Matcher {
  return isExpression('principals', value, quoting) ? regex(`.${value}`) : pattern(value);
}

/** Principals of the namespaces that a policy names. */
export function namespacePattern(value: string, { quotesIdentities }: Quoting): Matcher {
  const parts = value.split('*').map((part) => (quotesIdentities ? quoted(part) : part));
  return regex(`(?:.*/)?ns/${parts.join('.*')}(?:/.*)?`);
}

/** Principals of the account that a policy of a namespace names: `NAME` is of its own. */
export function accountPattern(value: string, policyNamespace: string, quoting: Quoting): Matcher {
  const { namespace, name } = accountNamed(value, policyNamespace);
  return isExpression('serviceAccounts', value, quoting)
    ? regex(`.+/ns/${namespace}/(?:.+/|)sa/${name}(?:/.+)?`)
    : suffix(`/ns/${namespace}/sa/${name}`);
}

export function accountNamed(
  value: string,
  policyNamespace: string,
): { readonly namespace: string; readonly name: string } {
  const slash = value.indexOf('/');
  return slash < 0
    ? { namespace: policyNamespace, name: value }
    : { namespace: value.slice(0, slash), name: value.slice(slash + 1) };
}

/** The field of a source or operation that a key of a condition stands for. */
export const KEYS: Readonly<Record<string, string>> = {
  'source.ip': 'ipBlocks',
  'remote.ip': 'remoteIpBlocks',
  'source.namespace': 'namespaces',
  'source.principal': 'principals',
  'source.trustDomain': 'trustDomains',
  'source.serviceAccount': 'serviceAccounts',
  'request.auth.principal': 'requestPrincipals',
  'destination.port': 'ports',
};
