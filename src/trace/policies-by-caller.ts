/**
 * The policies of a workload by their action, and by whom their rules name: thousands of policies that let one caller through each are not
 * all looked at for every request.
 */
import { record, records, text, texts, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { push, type Config } from '../model/objects';
import { accountNamed, isExpression, type Quoting } from './authorization-matchers';

export interface PoliciesOfAction {
  readonly all: readonly Config[];
  /** `NAMESPACE/NAME` of all. */
  readonly names: readonly string[];
  readonly hasRules: boolean;
  /** One that names a principal by its whole URI, which none has. */
  readonly prefixed: Config | undefined;
  /** Those that may have a rule for a caller, in their order; undefined for one without an identity. */
  readonly about: (principal: string | undefined) => readonly Config[];
}

type Action = 'CUSTOM' | 'DENY' | 'ALLOW';

export function policiesByAction(mesh: Mesh, policies: readonly Config[]): Readonly<Record<Action, PoliciesOfAction>> {
  return mesh.remember(policies, 'policies by action', () => {
    const of = (action: Action): PoliciesOfAction =>
      sorted(
        policies.filter(({ spec }) => (text(spec.action) || 'ALLOW') === action),
        mesh.config.istio,
      );
    return { CUSTOM: of('CUSTOM'), DENY: of('DENY'), ALLOW: of('ALLOW') };
  });
}

function sorted(all: readonly Config[], quoting: Quoting): PoliciesOfAction {
  const byCaller = new Map<string, number[]>();
  const forAny: number[] = [];
  for (const [at, { spec, namespace }] of all.entries()) {
    const keys = callersOf(spec, namespace, quoting);
    if (keys === undefined) forAny.push(at);
    else for (const key of keys) push(byCaller, key, at);
  }
  return {
    all,
    names: all.map(({ namespace, name }) => `${namespace}/${name}`),
    hasRules: all.some(({ spec }) => records(spec.rules).length > 0),
    prefixed: all.find(({ spec }) => principalsOf(spec).some((value) => value.startsWith('spiffe://'))),
    about: (principal) => {
      if (byCaller.size === 0) return all;
      const named = principal === undefined ? [] : keysOf(principal).flatMap((key) => byCaller.get(key) ?? []);
      return [...forAny, ...named].sort((a, b) => a - b).flatMap((at) => all[at] ?? []);
    },
  };
}

function principalsOf(spec: Json): readonly string[] {
  return records(spec.rules).flatMap(({ from }) =>
    records(from).flatMap(({ source }) => texts(record(source).principals)),
  );
}

/** `TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`. */
const PRINCIPAL = /(?:^|\/)ns\/([^/*]+)\/sa\/([^/*]+)$/;

/** A caller by its account, and by its namespace. */
function keysOf(principal: string): readonly string[] {
  const [, namespace = '', account = ''] = PRINCIPAL.exec(principal) ?? [];
  return [`${namespace}/${account}`, namespace];
}

/** The only callers, as `keysOf` has them, that any rule may match; undefined where one rule may match others. */
function callersOf(spec: Json, own: string, quoting: Quoting): ReadonlySet<string> | undefined {
  const found = new Set<string>();
  for (const rule of records(spec.rules)) {
    const sources = records(rule.from).map(({ source }) => keysOfSource(record(source), own, quoting));
    if (sources.length === 0) return undefined;
    for (const keys of sources) {
      if (keys === undefined) return undefined;
      for (const key of keys) found.add(key);
    }
  }
  return found;
}

/** All fields of a source must hold, and so one that names callers is enough to know them by. */
function keysOfSource(source: Json, own: string, quoting: Quoting): readonly string[] | undefined {
  const namesAll = (name: 'principals' | 'namespaces' | 'serviceAccounts'): boolean =>
    texts(source[name]).length > 0 && !texts(source[name]).some((value) => isExpression(name, value, quoting));
  const principals = texts(source.principals).map((one) => PRINCIPAL.exec(one));
  if (namesAll('principals') && principals.every((one) => one !== null))
    return principals.map(([, namespace = '', account = '']) => `${namespace}/${account}`);
  if (namesAll('serviceAccounts'))
    return texts(source.serviceAccounts).map((one) => {
      const { namespace, name } = accountNamed(one, own);
      return `${namespace}/${name}`;
    });
  const namespaces = texts(source.namespaces);
  return namesAll('namespaces') && namespaces.every((one) => !one.includes('*')) ? namespaces : undefined;
}
