/** Envoy Gateway's CEL cases against the schema and the CEL rules of check: refused alike, in the same words. */
import { check } from '../../src/check/check';
import type { Finding } from '../../src/check/finding';
import { rule as celRule } from '../../src/check/rules/cel-rule-violation';
import { rule as schemaRule } from '../../src/check/rules/schema-violation';
import { loadObjects } from '../../src/model/load';
import { CEL_RELEASES } from '../lab/versions';
import type { CelCase } from './cases';

export interface CelAnswer {
  readonly test: string;
  readonly isToBeRefused: boolean;
  /** What differs, in a sentence; undefined where nothing does. */
  readonly difference: string | undefined;
}

export function answer({ Test, Object: object, WantErrors }: CelCase): CelAnswer {
  const { findings } = check(loadObjects([object]), {
    rules: [schemaRule, celRule],
    // Of the release whose tests these are.
    ...CEL_RELEASES,
  });
  const said = answerOf(findings);
  const isToBeRefused = WantErrors.length > 0;
  const missing = WantErrors.filter((part) => !said.toLowerCase().includes(ofOneError(part).toLowerCase()));
  const difference =
    isToBeRefused !== findings.length > 0
      ? `${isToBeRefused ? 'taken, where an API server refuses it' : 'refused, where an API server takes it'}: ${said || WantErrors.join('; ')}`
      : missing.length > 0
        ? `refused without ${missing.map((part) => JSON.stringify(part)).join(', ')}: ${said}`
        : undefined;
  return { test: Test, isToBeRefused, difference };
}

/**
 * The part of an answer that speaks of one error: some reach over its end to the next, and an API server keeps an order of its own.
 * Before the message of a rule whose evaluation fails it writes how that failed, which is left out too.
 */
function ofOneError(part: string): string {
  return part
    .trim()
    .replace(/, <nil>: Invalid value: ""$/, '')
    .replace(/[,\]]$/, '')
    .replace(/no such key: \w+ evaluating rule: /, '');
}

/** Our words for a broken schema, and those of an API server for the same. */
const WORDS: readonly (readonly [RegExp, (field: string, ...parts: string[]) => string])[] = [
  [/^(.*) is none of (.*)$/, (field, value, known) => `${field}: Unsupported value: ${value}: supported values: ${known}`],
  [/^(.*) does not have the form (.*)$/s, (field, value, form) => `${field}: Invalid value: ${value}: ${field} in body should match '${form}'`],
  [/^(.*) is less than (.*)$/, (field, value, least) => `${field}: Invalid value: ${value}: ${field} in body should be greater than or equal to ${least}`],
  [/^(.*) is more than (.*)$/, (field, value, most) => `${field}: Invalid value: ${value}: ${field} in body should be less than or equal to ${most}`],
  [/^there are 0 characters, where at least (\d+) belong$/, (field, least) => `${field}: Invalid value: "": ${field} in body should be at least ${least} chars long`],
  [/^there are (\d+) entries, where at most (\d+) belong$/, (field, size, most) => `${field}: Too many: ${size}: must have at most ${most} items`],
  [/^there are (\d+) entries, where at least (\d+) belong$/, (field, size, least) => `${field}: Invalid value: ${size}: ${field} in body should have at least ${least} items`],
  [/^"(\w+)" is missing/, (field, name) => `${field}.${name}: Required value`],
]; // prettier-ignore

/** What an API server would answer for our findings. */
function answerOf(findings: readonly Finding[]): string {
  const isBlocked = findings.length > 0 && findings.every(({ id }) => id === schemaRule.id);
  const { kind, apiVersion, name } = findings[0]?.object ?? { kind: '', apiVersion: '', name: '' };
  const errors = findings.map(({ id, field, what: told }) => {
    // In which release it is right is our own addition.
    const what = told.replace(/: it needs (Istio|Envoy Gateway|Gateway API|Kubernetes) [\d.]+$/, '');
    if (id === celRule.id) return `${field}: Invalid value: "object": ${what}`;
    for (const [form, translate] of WORDS) {
      const match = form.exec(what);
      if (match) return translate(field, ...match.slice(1));
    }
    return `${field}: ${what}`;
  });
  if (isBlocked)
    errors.push(
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    );
  return findings.length === 0
    ? ''
    : `${kind}.${apiVersion.split('/')[0] ?? ''} "${name}" is invalid: [${errors.join(', ')}]`;
}
