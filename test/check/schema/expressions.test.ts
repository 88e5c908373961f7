import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '@bufbuild/cel';
import { expressionOf } from '../../../src/check/schema/store';

const SCHEMAS = join(__dirname, '../../../src/check/schemas');

/** Every CEL rule, and every expression that makes a message, in a schema. */
function expressionsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { 'x-kubernetes-validations': rules = [] } = node as { 'x-kubernetes-validations'?: unknown };
  const own = (Array.isArray(rules) ? rules : []).flatMap(
    ({ rule, messageExpression }: { rule: string; messageExpression?: string }) =>
      [rule, messageExpression ?? []].flat(),
  );
  return [...own, ...Object.values(node).flatMap(expressionsIn)];
}

describe('the expressions that are kept beside the schemas', () => {
  const kinds = readdirSync(SCHEMAS, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\w\/\w+\.json$/.test(file),
  );
  const rules = new Set(
    kinds.flatMap((file) => expressionsIn(JSON.parse(readFileSync(join(SCHEMAS, file), 'utf8')) as unknown)),
  );

  it('are what each rule parses to', () => {
    const kept = (key: string, value: unknown): unknown =>
      key === '$typeName' || key === 'id' ? undefined : typeof value === 'bigint' ? Number(value) : value;
    expect(rules.size).toBeGreaterThan(200);
    for (const rule of rules)
      expect([rule, JSON.stringify(expressionOf(rule))]).toEqual([rule, JSON.stringify(parse(rule).expr, kept)]);
  });

  it('have no integers but signed ones, which alone are bigints again when they are evaluated', () => {
    const text = readFileSync(join(SCHEMAS, 'expressions.json'), 'utf8');
    expect(text).toContain('"case":"int64Value"');
    expect(text).not.toMatch(/"case":"(uint64|bytes)Value"/);
  });
});
