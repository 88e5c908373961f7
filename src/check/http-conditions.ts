/**
 * Conditions of an AuthorizationPolicy that only a proxy that reads HTTP can judge. Where none does, istiod takes an ALLOW rule out of the
 * filter, and of a DENY rule only the condition, so that it denies more (pilot/pkg/security/authz/model: forTCP, checkError); ztunnel, which passes
 * over what is empty then, denies nobody by it.
 */
import type { FieldPath } from '../model/manifest';
import { ZTUNNEL_CONDITIONS } from '../model/ztunnel';
import type { AuthorizationOperation, AuthorizationRule } from './istio';

export interface HttpCondition {
  /** Below the rule. */
  readonly field: FieldPath;
  /** `paths /admin*`. */
  readonly what: string;
  /** The rule as far as the condition is part of it: of several operations, the one that has it. */
  readonly rule: AuthorizationRule;
}

const OPERATION = ['hosts', 'methods', 'paths', 'notHosts', 'notMethods', 'notPaths'] as const;
const SOURCE = ['requestPrincipals', 'notRequestPrincipals'] as const;

/** One for each alternative is enough to say: those of the operations, else of the sources, else of the rest. */
export function httpConditions(rule: AuthorizationRule): readonly HttpCondition[] {
  const { from = [], to = [], when = [] } = rule;
  const found: HttpCondition[] = [];
  for (const [t, entry] of to.entries()) {
    const { operation = {} } = entry;
    const name = OPERATION.find((field) => (operation[field] ?? []).length > 0);
    if (name === undefined) continue;
    const what = `${name} ${(operation[name] ?? []).join(', ')}`;
    found.push({ field: ['to', t, 'operation', name], what, rule: { ...rule, to: [entry] } });
  }
  if (to.length > 0 && found.length === to.length) return found;
  const before = found.length;
  for (const [f, entry] of from.entries()) {
    const { source = {} } = entry;
    const name = SOURCE.find((field) => (source[field] ?? []).length > 0);
    if (name === undefined) continue;
    const what = `${name} ${(source[name] ?? []).join(', ')}`;
    found.push({ field: ['from', f, 'source', name], what, rule: { ...rule, from: [entry] } });
  }
  if (from.length > 0 && found.length - before === from.length) return found;
  const w = when.findIndex(({ key = '' }) => key.startsWith('request.'));
  if (w >= 0) found.push({ field: ['when', w, 'key'], what: when[w]?.key ?? '', rule });
  return found;
}

/** What ztunnel is not told of besides: where the client of a proxy is, and names and accounts that stand in conditions. */
export function untoldConditions(rule: AuthorizationRule): readonly HttpCondition[] {
  const { from = [], when = [] } = rule;
  const ofSources = from.flatMap(({ source = {} }, f) =>
    (['remoteIpBlocks', 'notRemoteIpBlocks'] as const)
      .filter((name) => (source[name] ?? []).length > 0)
      .map((name) => ({
        field: ['from', f, 'source', name],
        what: `${name} ${(source[name] ?? []).join(', ')}`,
        rule,
      })),
  );
  const ofConditions = when.flatMap(({ key = '' }, w) =>
    ZTUNNEL_CONDITIONS.has(key) || key.startsWith('request.') ? [] : [{ field: ['when', w, 'key'], what: key, rule }],
  );
  return [...ofSources, ...ofConditions];
}

const TOLD_OPERATION = ['ports', 'notPorts'] as const;
const TOLD_SOURCE = ['principals', 'namespaces', 'serviceAccounts', 'ipBlocks', 'notPrincipals', 'notNamespaces', 'notServiceAccounts', 'notIpBlocks'] as const; // prettier-ignore

/** Whether ztunnel may take a rule of a DENY for one about a connection: it passes over sources, operations and conditions of which it is told nothing. */
export function mayMatchAtZtunnel({ from = [], to = [], when = [] }: AuthorizationRule): boolean {
  return (
    (to.length === 0 || to.some(({ operation = {} }) => hasAny(operation, TOLD_OPERATION))) &&
    (from.length === 0 || from.some(({ source = {} }) => hasAny(source, TOLD_SOURCE))) &&
    when.every(({ key = '' }) => ZTUNNEL_CONDITIONS.has(key))
  );
}

/** Whether a rule may match a connection of which only its ends are known. */
export function isWithoutHttp({ from = [], to = [], when = [] }: AuthorizationRule): boolean {
  return (
    (to.length === 0 || to.some(({ operation = {} }) => !hasAny(operation, OPERATION))) &&
    (from.length === 0 || from.some(({ source = {} }) => !hasAny(source, SOURCE))) &&
    !when.some(({ key = '' }) => key.startsWith('request.'))
  );
}

function hasAny<K extends string>(fields: { readonly [key in K]?: readonly string[] }, names: readonly K[]): boolean {
  return names.some((name) => (fields[name] ?? []).length > 0);
}

/** Whether a rule speaks of a port, by its operations and by its conditions on destination.port. */
export function takesPort({ to = [], when = [] }: AuthorizationRule, port: number): boolean {
  const fits = ({ ports = [], notPorts = [] }: AuthorizationOperation): boolean =>
    (ports.length === 0 || ports.includes(`${port}`)) && !notPorts.includes(`${port}`);
  return (
    (to.length === 0 || to.some(({ operation = {} }) => fits(operation))) &&
    when.every(
      ({ key, values = [], notValues = [] }) =>
        key !== 'destination.port' || fits({ ports: [...values], notPorts: [...notValues] }),
    )
  );
}
