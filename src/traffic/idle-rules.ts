/** Rules of authorization in SecurityPolicies of Envoy Gateway: the first that fits decides, and some are never the first. */
import type { Mesh } from '../model/mesh';
import { config, type Config } from '../model/objects';
import { anyOf, prefix, PRESENT, type Matcher } from '../trace/matcher';
import { securityRules, type RuleCondition, type SecurityRule } from '../trace/security-policy-rules';
import { aboutOne, Cover, Earlier, type Clause } from './cover';
import { bitsOf, policyUniverse } from './policy-clauses';

/** A rule that decides nothing: rules before it have its requests (`by`), or its own conditions exclude each other. */
export interface IdleRule {
  readonly policy: Config;
  readonly rule: number;
  readonly by: readonly number[];
  readonly because: readonly Clause[];
}

interface Compared {
  readonly clauses: readonly Clause[];
  /** Whether these are all of its conditions; others narrow it further. */
  readonly isWhole: boolean;
}

export function idleRules(mesh: Mesh): readonly IdleRule[] {
  return mesh.remember(mesh, 'idle rules of security policies', () =>
    mesh
      .of('gateway.envoyproxy.io', 'SecurityPolicy')
      .map(config)
      .flatMap((policy) => idleOf(mesh, policy)),
  );
}

function idleOf(mesh: Mesh, policy: Config): readonly IdleRule[] {
  const rules = securityRules(mesh, policy.spec).map(asCompared);
  if (rules.length === 0) return [];
  const cover = new Cover<Clause>((index) => rules[index]?.clauses ?? [], policyUniverse(mesh, 'NONE'));
  const before: number[] = [];
  return rules.flatMap(({ clauses, isWhole }, rule): IdleRule[] => {
    const odd = clauses.find(({ dimension }) => cover.memberOf(clauses, dimension).is === 'none');
    if (odd !== undefined) return [{ policy, rule, by: [], because: aboutOne(clauses, odd.dimension) }];
    const left = before.length === 0 ? undefined : cover.beside(clauses, Earlier.of(before));
    if (isWhole) before.push(rule);
    return left?.is === 'taken' ? [{ policy, rule, by: cover.fewest(clauses, left.by), because: [] }] : [];
  });
}

/** Conditions as they are compared; those that no manifest decides narrow a rule further. */
function asCompared({ conditions }: SecurityRule): Compared {
  const clauses: Clause[] = [];
  let isWhole = true;
  for (const condition of conditions) {
    const clause = clauseOf(condition);
    if (clause === undefined) isWhole = false;
    else clauses.push(clause);
  }
  if (clauses.some(({ matcher }) => /[^\x20-\x7e]/.test(JSON.stringify(matcher))))
    return { clauses: [], isWhole: false };
  return { clauses, isWhole };
}

function clauseOf(condition: RuleCondition): Clause | undefined {
  const about = (kind: string, name: string, matcher: Matcher, holds = true): Clause => ({ dimension: { kind, name }, matcher, holds, whenAbsent: false }); // prettier-ignore
  switch (condition.on) {
    case 'method':
      return about('method', '', condition.matcher);
    case 'path':
      return about('path', '', condition.matcher, condition.holds);
    case 'header':
      return about('header', condition.name.toLowerCase(), condition.matcher);
    case 'token':
      // A token is known again where just the same is asked of it.
      return about('jwt', JSON.stringify(condition.principal), PRESENT);
    case 'client':
    case 'connection': {
      const blocks = condition.ranges.map(bitsOf);
      if (blocks.includes(undefined)) return undefined;
      return about(condition.on === 'client' ? 'remote.ip' : 'source.ip', '', anyOf(...(blocks as string[]).map((bits) => prefix(bits)))); // prettier-ignore
    }
    case 'open':
      return undefined;
  }
}
