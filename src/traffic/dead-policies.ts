/** Rules of AuthorizationPolicies that no request can meet, and rules of ALLOW of whose requests DENY leaves none. */
import { labelsMatch, optionalRecord, record, records, strings, text } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { config, push, type Config } from '../model/objects';
import { aboutOne, Cover, Earlier, type Clause } from './cover';
import { alternativesOf, policyUniverse, type Alternative, type PolicyClause } from './policy-clauses';

/** A rule, or one of its sources or operations, that matches nothing. */
export interface UnmetRule {
  readonly policy: Config;
  readonly rule: number;
  /** Undefined where it is the rule as a whole. */
  readonly part: { readonly list: 'from' | 'to'; readonly at: number } | undefined;
  /** Conditions on one part of the request that exclude each other. */
  readonly because: readonly PolicyClause[];
}

/** A rule of an ALLOW policy, and the rules of DENY policies that have all of its requests. */
export interface DeniedRule {
  readonly policy: Config;
  readonly rule: number;
  readonly by: readonly { readonly policy: Config; readonly rule: number }[];
}

export interface DeadPolicies {
  readonly unmet: readonly UnmetRule[];
  readonly denied: readonly DeniedRule[];
}

export function deadPolicies(mesh: Mesh): DeadPolicies {
  return mesh.remember(mesh, 'dead policies', () => {
    const policies = mesh.of('security.istio.io', 'AuthorizationPolicy').map(config);
    const cover = new Cover<PolicyClause>(() => [], policyUniverse(mesh));
    const unmet = policies.flatMap((policy) =>
      rulesOf(mesh, policy).flatMap((alternatives, rule) => unmetOf(cover, policy, rule, alternatives)),
    );
    return { unmet, denied: deniedOf(mesh, policies) };
  });
}

function rulesOf(mesh: Mesh, { spec, namespace }: Config): readonly (readonly Alternative[])[] {
  return records(spec.rules).map((rule) => alternativesOf(rule, { mesh, namespace }));
}

/** Conditions of an alternative that exclude each other. */
function contradiction(cover: Cover<PolicyClause>, { clauses }: Alternative): readonly PolicyClause[] | undefined {
  for (const { dimension } of clauses)
    if (cover.memberOf(clauses, dimension).is === 'none') return aboutOne(clauses, dimension);
  return undefined;
}

function unmetOf(
  cover: Cover<PolicyClause>,
  policy: Config,
  rule: number,
  alternatives: readonly Alternative[],
): readonly UnmetRule[] {
  const told = alternatives.map((one) => ({ ...one, because: contradiction(cover, one) }));
  const [first] = told;
  if (first === undefined) return [];
  if (told.every(({ because }) => because !== undefined))
    return [{ policy, rule, part: undefined, because: first.because ?? [] }];
  return (['from', 'to'] as const).flatMap((list) =>
    [...new Set(told.map((one) => one[list]))].flatMap((at): UnmetRule[] => {
      const own = told.filter((one) => one[list] === at);
      const because = own[0]?.because;
      if (at === undefined || because === undefined || own.some((one) => one.because === undefined)) return [];
      return [{ policy, rule, part: { list, at }, because }];
    }),
  );
}

interface Denying {
  readonly policy: Config;
  readonly rule: number;
  readonly clauses: readonly PolicyClause[];
}

function deniedOf(mesh: Mesh, policies: readonly Config[]): readonly DeniedRule[] {
  const denying = new Map<string, Config[]>();
  for (const policy of policies) if (policy.spec.action === 'DENY') push(denying, policy.namespace, policy);
  if (denying.size === 0) return [];
  const { rootNamespace } = mesh.config;
  return policies.flatMap((policy) => {
    if ((text(policy.spec.action) || 'ALLOW') !== 'ALLOW') return [];
    const near = [...(denying.get(policy.namespace) ?? []), ...(policy.namespace === rootNamespace ? [] : (denying.get(rootNamespace) ?? []))]; // prettier-ignore
    const others = near.filter((one) => isWherever(one, policy));
    if (others.length === 0) return [];
    // What narrows a rule further that is not read here makes it deny less.
    const all = others.flatMap((one) =>
      rulesOf(mesh, one).flatMap((alternatives, rule) =>
        alternatives.filter(({ isWhole }) => isWhole).map(({ clauses }): Denying => ({ policy: one, rule, clauses })),
      ),
    );
    const cover = new Cover<Clause>((index) => (all[index] as Denying).clauses, policyUniverse(mesh));
    const earlier = Earlier.of([...all.keys()]);
    return rulesOf(mesh, policy).flatMap((alternatives, rule): DeniedRule[] => {
      const met = alternatives.filter((one) => one.clauses.every(({ dimension }) => cover.memberOf(one.clauses, dimension).is !== 'none')); // prettier-ignore
      const left = met.map(({ clauses }) => cover.beside(clauses, earlier));
      if (left.length === 0 || left.some(({ is }) => is !== 'taken')) return [];
      const by = left.flatMap((one, index) => one.is === 'taken' ? cover.fewest(met[index]?.clauses ?? [], one.by) : []); // prettier-ignore
      return [{ policy, rule, by: [...new Set(by)].map((index) => all[index] as Denying) }];
    });
  });
}

/** Whether one policy is in force at every proxy where another is. */
function isWherever(one: Config, other: Config): boolean {
  const targets = ({ spec }: Config): string => JSON.stringify([spec.targetRef ?? null, records(spec.targetRefs)]);
  const isTargeted = ({ spec }: Config): boolean => optionalRecord(spec.targetRef) !== undefined || records(spec.targetRefs).length > 0; // prettier-ignore
  if (isTargeted(one) || isTargeted(other)) return one.namespace === other.namespace && targets(one) === targets(other);
  const labels = ({ spec }: Config): Readonly<Record<string, string>> => strings(record(spec.selector).matchLabels);
  return labelsMatch(labels(one), labels(other));
}
