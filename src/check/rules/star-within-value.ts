import type { FieldPath } from '../../model/manifest';
import { type AuthorizationRule, SECURITY, specOf } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE525',
  name: 'star-within-value',
  severity: 'error',
  title: 'An AuthorizationPolicy has a star within a path or a host, where it stands for itself',
  why: 'Of a value of a policy, one star at its beginning or at its end stands for anything. Any other is a character like the rest: no request has it, so an ALLOW for the value lets nothing in, and a DENY holds nothing.',
  fix: 'Write values with one star at one end; in paths {*} stands for one segment, and {**} at the end for all that follow.',
  see: 'https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation',
  reads: ['AuthorizationPolicy'],
  footguns: [],
  *check(context) {
    for (const manifest of context.of(SECURITY, 'AuthorizationPolicy')) {
      const { rules = [], action = 'ALLOW' } = specOf('AuthorizationPolicy', manifest);
      for (const [r, rule] of rules.entries()) {
        for (const { value, name, field } of valuesOf(rule)) {
          if (!hasInnerStar(value)) continue;
          const isLeftOut = name.startsWith('not');
          const fix = name.endsWith('aths') ? templateOf(value) : undefined;
          yield {
            manifest,
            field: ['spec', 'rules', r, ...field],
            what: `a star within "${value}" stands for itself: ${effectOf(action, isLeftOut)}`,
            ...(fix === undefined ? {} : { fix: `Write "${fix}".` }),
          };
        }
      }
    }
  },
};

function effectOf(action: string, isLeftOut: boolean): string {
  const [lets, holds] = isLeftOut ? ['takes in what it was to leave out', 'does not spare what it was to'] : ['lets nothing in by it', 'holds nothing by it']; // prettier-ignore
  if (action === 'ALLOW') return `the rule ${lets}`;
  return action === 'DENY' ? `the rule ${holds}` : `the rule ${isLeftOut ? lets : 'asks for nothing by it'}`;
}

interface Value {
  readonly value: string;
  readonly name: string;
  readonly field: FieldPath;
}

function* valuesOf({ to = [] }: AuthorizationRule): Generator<Value> {
  for (const [t, { operation = {} }] of to.entries()) {
    for (const name of ['paths', 'notPaths', 'hosts', 'notHosts'] as const) {
      for (const [v, value] of (operation[name] ?? []).entries())
        yield { value, name, field: ['to', t, 'operation', name, v] };
    }
  }
}

/** As `StringMatcherWithPrefix` of Istio's pilot/pkg/security/authz/matcher/string.go: a star in front counts, and else one at the end. */
export function hasInnerStar(value: string): boolean {
  if (value.includes('{*')) return false;
  return (value.startsWith('*') ? value.slice(1) : value.replace(/\*$/, '')).includes('*');
}

/** The same with templates, where stars stand for whole segments of a path. */
function templateOf(path: string): string | undefined {
  const segments = path.split('/');
  const [first, ...rest] = segments;
  if (first !== '' || rest.some((one) => one !== '*' && one.includes('*'))) return undefined;
  return segments.map((one, at) => (one !== '*' ? one : at === segments.length - 1 ? '{**}' : '{*}')).join('/');
}
