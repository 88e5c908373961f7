import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../../../src/check/check';
import type { Finding } from '../../../src/check/finding';
import { rules } from '../../../src/check/rules';
import { loadText } from '../../../src/model/load';

const TEST = join(__dirname, '../..');
const SOURCES = join(TEST, '../src/check/rules');

const judge = (file: string): readonly Finding[] => check(loadText(readFileSync(file, 'utf8'), file)).findings;
const casesOf = (rule: string): string[] => {
  const folder = join(TEST, 'invalid', rule);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
};
const show = ({ id, severity, what, field }: Finding): string => `${id} ${severity} ${field}: ${what}`;

/** Found only where an engine does not know a cause of its own; there is no manifest that shows it by itself. */
const WITHOUT_CASES = new Set(['request-refused', 'unused-suppression', 'suppression-without-reason']);

describe('the list of rules', () => {
  it('has every rule of the folder', () => {
    const files = readdirSync(SOURCES).filter((file) => file !== 'index.ts');
    expect(rules.map(({ name }) => `${name}.ts`).sort()).toEqual(files.sort());
  });

  it('gives each rule an id and a name of its own, in order', () => {
    const ids = rules.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  it.each(rules.map((rule) => [rule.id, rule] as const))(
    '%s says what, why, how to fix it, and who says so',
    (_, rule) => {
      for (const text of [rule.title, rule.why, rule.fix]) expect(text.trim()).not.toBe('');
      expect(rule.why).toMatch(/\.$/);
      expect(rule.fix).toMatch(/\.$/);
      expect(rule.see).toMatch(/^https:\/\//);
    },
  );

  it('has a case for every rule, and a rule for every case', () => {
    const names = rules.map(({ name }) => name);
    expect(names.filter((name) => casesOf(name).length === 0 && !WITHOUT_CASES.has(name))).toEqual([]);
    expect(readdirSync(join(TEST, 'invalid')).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe.each(rules.filter(({ name }) => casesOf(name).length > 0).map((rule) => [rule.id, rule.name, rule] as const))(
  '%s %s',
  (id, name, rule) => {
    it.each(casesOf(name))('is found in invalid/%s', (file) => {
      const found = judge(join(TEST, 'invalid', name, file)).filter((finding) => finding.id === id);
      expect(found).not.toEqual([]);
      for (const { what, where } of found) {
        expect(what).not.toMatch(/undefined|\[object/);
        expect(where).toHaveProperty('line');
      }
      expect(
        found.some(({ severity }) => severity === rule.severity || severity === 'warning' || severity === 'info'),
      ).toBe(true);
    });

    it.each(casesOf(name))('is not found in valid/%s, nor is anything wrong there', (file) => {
      const findings = judge(join(TEST, 'valid', name, file));
      expect(findings.filter((finding) => finding.id === id || finding.severity === 'error').map(show)).toEqual([]);
    });
  },
);
