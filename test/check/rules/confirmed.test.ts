import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rules } from '../../../src/check/rules';
import { CONFIRMATIONS, confirmedBy } from '../../mesh/rules/table';

const TEST = join(__dirname, '../..');

/** `rule/case`, or `rule` where there is no manifest that shows it by itself. */
function casesOf(rule: string): readonly string[] {
  const folder = join(TEST, 'invalid', rule);
  return existsSync(folder) ? readdirSync(folder).map((file) => `${rule}/${file.replace(/\.yaml$/, '')}`) : [rule];
}

describe('what test/mesh/rules says of how rules are confirmed', () => {
  it('leaves no case of a rule out', () => {
    const cases = rules.flatMap(({ name }) => casesOf(name));
    expect(cases.filter((one) => !(one in CONFIRMATIONS) && !(one.split('/')[0]! in CONFIRMATIONS))).toEqual([]);
  });

  it('names rules and cases that are there', () => {
    const known = rules.flatMap(({ name }) => [name, ...casesOf(name)]);
    expect(Object.keys(CONFIRMATIONS).filter((one) => !known.includes(one))).toEqual([]);
  });

  it('refers to tests that are there', () => {
    for (const [, { file, test }] of confirmedBy('test')) {
      expect(readFileSync(join(TEST, 'mesh', file), 'utf8')).toContain(test);
    }
  });
});
