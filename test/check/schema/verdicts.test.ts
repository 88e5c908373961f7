/** Verdicts of CEL rules are kept by what a rule reads of its value: never by less. */
import { evaluateRules } from '../../../src/check/schema/cel';
import type { CelRule, Schema } from '../../../src/check/schema/structural';

const verdicts = (rule: CelRule, values: readonly unknown[]): readonly boolean[] => {
  const schema: Schema = { type: 'object', 'x-kubernetes-validations': [rule] };
  return values.map((value) => evaluateRules([{ schema, value, field: [] }]).length === 0);
};

describe('a rule is asked anew where its value differs in', () => {
  it('a field that it reads, or its absence', () => {
    const rule = { rule: '!has(self.limit) || self.limit > self.least' };
    const values = [{ limit: 2, least: 1 }, { limit: 1, least: 1, other: 1 }, { least: 1 }, { limit: 2, least: 1, other: 2 }, { limit: 2, least: 3 }]; // prettier-ignore
    expect(verdicts(rule, values)).toEqual([true, false, true, true, false]);
  });

  it.each(['size(self) < 2', 'self.all(name, name != "b")', '!("b" in self)', 'has(self.a) && self == {"a": 1}'])(
    'any field, where it reads the whole: %s',
    (rule) => {
      expect(verdicts({ rule }, [{ a: 1 }, { a: 1, b: 1 }, { a: 1 }])).toEqual([true, false, true]);
    },
  );

  it('a field that its message alone reads', () => {
    const rule = { rule: 'self.a == 1', messageExpression: '"not " + self.b' };
    const schema: Schema = { type: 'object', 'x-kubernetes-validations': [rule] };
    const said = (value: unknown): readonly string[] => evaluateRules([{ schema, value, field: [] }]).map(({ what }) => what); // prettier-ignore
    expect([said({ a: 2, b: 'x' }), said({ a: 2, b: 'y' })]).toEqual([['not x'], ['not y']]);
  });
});
