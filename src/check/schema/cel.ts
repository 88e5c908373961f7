/** CEL rules of CRDs, evaluated as an API server does: with Kubernetes' functions, on values that have their defaults. */
import { type CelInput, celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { kubernetesFunctions } from './cel-functions';
import { expressionOf } from './store';
import type { CelRule, Ruled, Schema, Violation } from './structural';

type Expression = Parameters<typeof plan>[1];
type Evaluate = (bindings: { self: CelInput }) => unknown;
export type Verdict = { readonly ok: boolean; readonly message?: string };

let environment: ReturnType<typeof celEnv> | undefined;
const planned = new Map<string, Evaluate | undefined>();
/** Verdicts by rule, at its place, and value: ports, TLS blocks and matches are the same a thousand times over. */
const verdicts = new Map<CelRule, Map<string, Verdict>>();
const VERDICTS_KEPT = 5_000;

/** What the CEL rules say of the values collected on a walk through the schema. */
export function evaluateRules(ruled: readonly Ruled[]): Violation[] {
  const violations: Violation[] = [];
  for (const { schema, value, field } of ruled) {
    let whole: string | undefined;
    let input: CelInput | undefined;
    for (const rule of schema['x-kubernetes-validations'] ?? []) {
      if (/\boldSelf\b/.test(rule.rule)) continue; // compares with an object that is in the cluster already
      const known = verdictsOf(rule);
      const read = fieldsRead(rule);
      const text = read === undefined ? (whole ??= JSON.stringify(value) ?? '') : JSON.stringify(only(read, value));
      let verdict = known.get(text);
      if (!verdict) {
        input ??= toCel(value, schema);
        verdict = judge(rule, input);
        if (known.size < VERDICTS_KEPT) known.set(text, verdict);
      }
      if (!verdict.ok) {
        violations.push({
          field,
          what: verdict.message ?? `the rule ${rule.rule.trim()} does not hold`,
          why: `The CRD of this kind has the rule "${shorten(rule.rule)}", and an API server refuses what breaks it.`,
          fix: 'Change the fields that the rule names so that it holds.',
          isRule: true,
        });
      }
    }
  }
  return violations;
}

const reading = new Map<CelRule, readonly string[] | undefined>();

/** Fields of its value that a rule hangs on: what else the value has alters no verdict. Undefined where it may hang on all of it. */
function fieldsRead(rule: CelRule): readonly string[] | undefined {
  if (!reading.has(rule)) reading.set(rule, readFields(`${rule.rule} ${rule.messageExpression ?? ''}`));
  return reading.get(rule);
}

function readFields(expression: string): readonly string[] | undefined {
  const found = new Set<string>();
  for (const [, name = '', call] of expression.matchAll(/\bself\b(?:\.(\w+)\b(\s*\()?)?/g)) {
    // By itself, by a function of the whole, or under a name that is written otherwise in CEL.
    if (name === '' || call !== undefined || name.includes('__')) return undefined;
    found.add(name);
  }
  return [...found];
}

function only(fields: readonly string[], value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const own = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(fields.filter((field) => Object.hasOwn(own, field)).map((field) => [field, own[field]]));
}

function verdictsOf(rule: CelRule): Map<string, Verdict> {
  let known = verdicts.get(rule);
  if (!known) verdicts.set(rule, (known = new Map<string, Verdict>()));
  return known;
}

function judge(rule: CelRule, self: CelInput): Verdict {
  const evaluate = planOf(rule.rule);
  if (!evaluate) return { ok: true };
  const result = evaluate({ self });
  if (result === true) return { ok: true };
  // An evaluation that ends in an error refuses the object too.
  const dynamic = rule.messageExpression === undefined ? undefined : planOf(rule.messageExpression)?.({ self });
  const message = typeof dynamic === 'string' && dynamic !== '' ? dynamic : rule.message;
  return message === undefined ? { ok: false } : { ok: false, message: message.trim() };
}

function planOf(rule: string): Evaluate | undefined {
  if (!planned.has(rule)) {
    environment ??= celEnv({ funcs: [...strings, ...kubernetesFunctions()] });
    try {
      // Rules of CRDs among the manifests may be in no schema of this package.
      const expression = expressionOf(rule) ?? parse(rule).expr;
      restore(expression);
      if (callsUnknown(expression)) throw new Error('a function that is not known here');
      const evaluate = plan(environment, expression as Expression) as unknown as Evaluate;
      planned.set(rule, (bindings) => {
        try {
          const result = evaluate(bindings);
          return isCelError(result) ? undefined : result;
        } catch {
          return undefined;
        }
      });
    } catch {
      planned.set(rule, undefined); // a rule that cannot be planned judges nothing
    }
  }
  return planned.get(rule);
}

/** What the planner itself makes of calls, without a function of that name. */
const OPERATORS = new Set(['_?_:_', '_&&_', '_||_', '_[_]', '@not_strictly_false', '__not_strictly_false__']);

/** Whether an expression calls what API servers have and we do not: an error then is ours, and refuses nothing. */
function callsUnknown(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  const { case: kind, value } = node as { readonly case?: unknown; readonly value?: unknown };
  if (kind === 'callExpr') {
    const { function: name, target } = value as { readonly function: string; readonly target?: unknown };
    const space = nameOf(target);
    const names = space === undefined ? [name] : [`${space}.${name}`, name];
    if (!OPERATORS.has(name) && names.every((one) => environment?.funcs.find(one) === undefined)) return true;
  }
  return Object.values(node).some(callsUnknown);
}

function nameOf(target: unknown): string | undefined {
  const { exprKind } = (target ?? {}) as { readonly exprKind?: { readonly case?: string; readonly value?: { readonly name?: string } } }; // prettier-ignore
  return exprKind?.case === 'identExpr' ? exprKind.value?.name : undefined;
}

/**
 * Gives an expression what JSON does not have: its integers as bigints, and an id for each part. Errors carry the id of the part that they are
 * of, and `||` and `&&` take in the error of one side, such as a field that is not there, where the other side decides.
 */
function restore(node: unknown, next = { id: 1n }): void {
  if (typeof node !== 'object' || node === null) return;
  const part = node as { readonly case?: unknown; value?: unknown; readonly exprKind?: unknown; id?: bigint };
  if (part.exprKind !== undefined) part.id ??= next.id++;
  if (part.case === 'int64Value') part.value = BigInt(part.value as number);
  else for (const child of Object.values(node)) restore(child, next);
}

/** Values with the types that the schema gives them: integers are not doubles, and names are escaped as in CEL. */
function toCel(value: unknown, schema: Schema | undefined): CelInput {
  if (Array.isArray(value)) return value.map((item) => toCel(item, schema?.items));
  if (typeof value === 'number') {
    return schema?.type === 'number' || !Number.isInteger(value) ? value : BigInt(value);
  }
  if (typeof value === 'object' && value !== null) {
    const declared = schema?.properties;
    const extra = typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
    return new Map(
      Object.entries(value).map(([key, entry]) => {
        const isField = declared !== undefined && Object.hasOwn(declared, key);
        return [isField ? escapeName(key) : key, toCel(entry, isField ? declared[key] : extra)];
      }),
    ) as unknown as CelInput;
  }
  return value as CelInput;
}

const RESERVED = new Set(['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while']); // prettier-ignore

function escapeName(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replace(
    /__|[.\-/]/g,
    (part) => ({ __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' })[part] ?? part,
  );
}

function shorten(rule: string): string {
  const line = rule.trim().replace(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}
