/** Rules of authorization in SecurityPolicies of Envoy Gateway: the first that fits decides, and some are never the first. */
import { optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { config, type Config } from '../model/objects';
import { anyOf, exact, pathPrefix, prefix, PRESENT, type Matcher } from '../trace/matcher';
import { aboutOne, Cover, Earlier, type Clause } from './cover';
import { bitsOf, policyUniverse } from './policy-clauses';

/** A rule that decides nothing: rules before it have its requests (`by`), or its own conditions exclude each other. */
export interface IdleRule {
  readonly policy: Config;
  readonly rule: number;
  readonly by: readonly number[];
  readonly because: readonly Clause[];
}

interface ReadRule {
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
  const rules = records(record(policy.spec.authorization).rules).map(read);
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

function read({ operation, principal, cel }: Json): ReadRule {
  const { methods, path } = record(operation);
  const { clientCIDRs, sourceCIDRs, jwt, headers, clientIPGeoLocations } = record(principal);
  const clauses: Clause[] = [];
  const add = (kind: string, name: string, matcher: Matcher, holds = true): void => {
    clauses.push({ dimension: { kind, name }, matcher, holds, whenAbsent: false });
  };
  let isWhole = text(cel) === '' && clientIPGeoLocations === undefined;
  const named = texts(methods);
  if (named.length > 0) add('method', '', anyOf(...named.map((one) => exact(one))));
  const match = optionalRecord(path);
  // An expression is for the path with its query.
  if (match?.type === 'RegularExpression') isWhole = false;
  else if (match !== undefined) {
    const value = text(match.value);
    add('path', '', match.type === 'Exact' ? exact(value) : pathPrefix(value), match.invert !== true);
  }
  for (const [kind, given] of [
    ['remote.ip', texts(clientCIDRs)],
    ['source.ip', texts(sourceCIDRs)],
  ] as const) {
    const blocks = given.map(bitsOf);
    if (blocks.includes(undefined)) isWhole = false;
    else if (blocks.length > 0) add(kind, '', anyOf(...(blocks as string[]).map((bits) => prefix(bits))));
  }
  for (const { name, values } of records(headers))
    add('header', text(name).toLowerCase(), anyOf(...texts(values).map((value) => exact(value))));
  // A token is known again where just the same is asked of it.
  if (optionalRecord(jwt) !== undefined) add('jwt', JSON.stringify(jwt), PRESENT);
  if (clauses.some(({ matcher }) => /[^\x20-\x7e]/.test(JSON.stringify(matcher))))
    return { clauses: [], isWhole: false };
  return { clauses, isWhole };
}
