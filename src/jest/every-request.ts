/** Matchers that speak of every request: rules of `mesh-edge prove` as expectations. */
import { acceptedMesh } from '../check/accepted';
import type { MeshOptions } from '../model/mesh-options';
import { printable } from '../model/printable';
import { loadSubject } from '../model/subject';
import { prove, unknownNames } from '../prove/prove';
import { readRules } from '../prove/rules';
import { formatProofs } from '../report/prove';

export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** Where to: a host, `outside`, or several things at once, as in a rule of `mesh-edge prove`. */
export type Target = string | Readonly<Record<string, unknown>>;

export interface TrafficExpectation {
  readonly from?: unknown;
  readonly except?: unknown;
  readonly mayBeVacuous?: boolean;
  readonly mesh?: MeshOptions;
}

export interface NeverReachExpectation extends TrafficExpectation {
  readonly to: Target;
}

export interface OnlyReachExpectation extends TrafficExpectation {
  readonly to: string | readonly string[];
  readonly inside?: boolean;
}

export interface AlwaysPassExpectation extends TrafficExpectation {
  readonly to?: Target;
  readonly through?: string;
  readonly tls?: string;
  readonly identity?: string;
  readonly authenticated?: boolean;
}

export function toNeverReach(subject: unknown, { to, ...expected }: NeverReachExpectation): MatcherResult {
  return decided(subject, 'toNeverReach', 'forbid', expected, { to: targetOf(to) });
}

export function toOnlyReach(subject: unknown, { to, inside, ...expected }: OnlyReachExpectation): MatcherResult {
  const except = typeof to === 'string' ? [to] : to;
  // A rule that names nobody's host says nothing that is wrong: nothing at all is reached then.
  const target = { ...(except.length === 0 ? {} : { except }), ...(inside === true ? {} : { outside: true }) };
  return decided(subject, 'toOnlyReach', 'forbid', { mayBeVacuous: true, ...expected }, { to: target });
}

export function toAlwaysPass(subject: unknown, expected: AlwaysPassExpectation): MatcherResult {
  const { to = 'outside', through, tls, identity, authenticated } = expected;
  return decided(subject, 'toAlwaysPass', 'require', expected, { to: targetOf(to), through, tls, identity, authenticated }); // prettier-ignore
}

function targetOf(to: Target): unknown {
  return typeof to !== 'string' || to === 'outside' || to === '*' ? to : { hosts: [to] };
}

function decided(
  subject: unknown,
  matcher: string,
  kind: 'forbid' | 'require',
  { from = '*', except, mayBeVacuous = false, mesh: options }: TrafficExpectation,
  rest: Readonly<Record<string, unknown>>,
): MatcherResult {
  const rule = { name: matcher, [kind]: { from, except, ...rest }, ...(mayBeVacuous ? { vacuous: 'allowed' } : {}) };
  const { rules, problems } = readRules(JSON.stringify({ rules: [rule] }));
  const mesh = acceptedMesh(loadSubject(subject, matcher).manifests, options ?? {});
  const wrong = problems.length > 0 ? problems : unknownNames(mesh, rules);
  if (wrong.length > 0)
    throw new TypeError(
      printable(
        `${matcher}: ${wrong.map(({ key, what }) => `${key.replace(/^rules\[0\]\.(forbid|require)\./, '')}: ${what}`).join('; ')}`,
      ),
    );
  const proofs = prove(mesh, rules);
  const pass = proofs.every(({ passes }) => passes);
  return { pass, message: () => formatProofs(proofs, 'text', { file: '', color: false }) };
}
