import type { FieldPath } from '../../model/manifest';
import { isExpression, type Quoting } from '../../trace/authorization-matchers';
import { type AuthorizationRule, SECURITY, specOf } from '../istio';
import type { Rule } from '../rule';
import { hasInnerStar } from './star-within-value';

export const rule: Rule = {
  id: 'EDGE522',
  name: 'principal-never-matches',
  severity: 'error',
  title: 'A policy names a principal that nobody can have',
  why: 'A principal is TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT, without spiffe:// in front. A value of another form is equal to none: an ALLOW for it lets nobody in, and a DENY holds nobody.',
  fix: 'Write it as cluster.local/ns/NAMESPACE/sa/ACCOUNT, or use namespaces or serviceAccounts.',
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source',
  reads: ['AuthorizationPolicy'],
  footguns: ['I10'],
  *check(context) {
    for (const manifest of context.of(SECURITY, 'AuthorizationPolicy')) {
      const { rules = [], action = 'ALLOW' } = specOf('AuthorizationPolicy', manifest);
      for (const [r, rule] of rules.entries()) {
        for (const { value, isLeftOut, field } of principalsOf(rule)) {
          const isStarred = isStarredIn(context.mesh.config.istio, value);
          if (canMatch(value) && !isStarred) continue;
          const plain = value.replace(/^spiffe:\/\//, '');
          yield {
            manifest,
            field: ['spec', 'rules', r, ...field],
            what: `nobody is "${value}": ${effectOf(action, isLeftOut)}`,
            ...(plain !== value && canMatch(plain) ? { fix: `Write ${plain}.` } : {}),
            ...(isStarred ? STAR : {}),
          };
        }
      }
    }
  },
};

const STAR = {
  why: 'A star stands for anything at the beginning or at the end of a value. Any other is a character like the rest, and equal to none: an ALLOW for the value lets nobody in, and a DENY holds nobody.',
  fix: 'Name the principals one by one, or use namespaces and serviceAccounts.',
} as const;

function effectOf(action: string, isLeftOut: boolean): string {
  if (action === 'DENY') return isLeftOut ? 'the rule denies whom it was to spare' : 'the rule denies nobody by it';
  return isLeftOut ? 'the rule takes in whom it was to leave out' : 'the rule lets nobody in by it';
}

interface Principal {
  readonly value: string;
  readonly isLeftOut: boolean;
  readonly field: FieldPath;
}

function* principalsOf({ from = [], when = [] }: AuthorizationRule): Generator<Principal> {
  for (const [f, { source = {} }] of from.entries()) {
    for (const name of ['principals', 'notPrincipals'] as const) {
      for (const [p, value] of (source[name] ?? []).entries())
        yield { value, isLeftOut: name === 'notPrincipals', field: ['from', f, 'source', name, p] };
    }
  }
  for (const [w, condition] of when.entries()) {
    if (condition.key !== 'source.principal') continue;
    for (const name of ['values', 'notValues'] as const) {
      for (const [p, value] of (condition[name] ?? []).entries())
        yield { value, isLeftOut: name === 'notValues', field: ['when', w, name, p] };
    }
  }
}

/** Only what is whole has to have the form. */
function canMatch(value: string): boolean {
  if (value.startsWith('spiffe://')) return false;
  return value.includes('*') || /^[^/]+\/ns\/[^/]+\/sa\/[^/]+$/.test(value);
}

/**
 * A star stands for anything at the beginning or the end, and nowhere else; but where istiod does not quote what comes after one at the beginning,
 * that is an expression, which may match in a way that nobody meant.
 */
function isStarredIn(quoting: Quoting, value: string): boolean {
  return hasInnerStar(value) && !isExpression('principals', value, quoting);
}
