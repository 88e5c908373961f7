/** What values of AuthorizationPolicies mean, as matchers. */
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

function quoted(value: string): string {
  return value.replace(/[.+*?^${}()|[\]\\]/g, '\\$&');
}

/**
 * A principal with a star in front and another: proxies get all that follows as an expression after `spiffe://.*` (`StringMatcherWithPrefix` in
 * Istio's pilot/pkg/security/authz/matcher/string.go), and ztunnel the text.
 */
export function isExpression(principal: string): boolean {
  return /^\*[^*].*\*/.test(principal);
}

/** A namespace within a principal between slashes, as a regular expression. */
export function namespacePattern(value: string): string {
  return `/ns/${value.split('*').map(quoted).join('.*')}/`;
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
