import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, SEVERITIES } from '../../../src/check/finding';
import { rules } from '../../../src/check/rules';
import { casesOf, declared, examples, expectationOf, expectations, judge, opened } from './examples';

const TEST = join(__dirname, '../..');
const SOURCES = join(TEST, '../src/check/rules');

const show = ({ id, severity, what, field }: Finding): string => `${id} ${severity} ${field}: ${what}`;

/** Found only where an engine does not know a cause of its own; there is no manifest that shows it by itself. */
const WITHOUT_CASES = new Set([
  'world-not-built',
  'request-refused',
  'unused-suppression',
  'suppression-without-reason',
]);

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

  it('names as causes and echoes of rules only such as there are', () => {
    const ids = new Set<string>(rules.map(({ id }) => id));
    const named = rules.flatMap(({ causedBy = [], echoOf = [] }) => [...causedBy, ...echoOf]);
    expect(named.filter((id) => !ids.has(id))).toEqual([]);
    expect(rules.filter(({ id, causedBy = [], echoOf = [] }) => [...causedBy, ...echoOf].includes(id))).toEqual([]);
    expect(rules.filter(({ refuses }) => refuses).length).toBeGreaterThan(5);
  });

  it('has a case for every rule, and a rule for every case', () => {
    const names = rules.map(({ name }) => name);
    expect(names.filter((name) => casesOf(name).length === 0 && !WITHOUT_CASES.has(name))).toEqual([]);
    expect(readdirSync(join(TEST, 'invalid')).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe.each(rules.filter(({ name }) => casesOf(name).length > 0).map((rule) => [rule.id, rule.name, rule] as const))(
  '%s %s',
  (id, name, rule) => {
    const cases = casesOf(name).map((example) => [example.file, example] as const);

    it.each(cases)('finds in invalid/%s what its comments expect, and nothing else', (_, { bad }) => {
      const found = judge(bad).filter((finding) => finding.id === id);
      for (const { what, where, severity } of found) {
        expect(SEVERITIES.indexOf(severity)).toBeGreaterThanOrEqual(SEVERITIES.indexOf(rule.severity));
        expect(what).not.toMatch(/undefined|\[object/);
        expect(where).toHaveProperty('line');
      }
      const expected = expectations(bad);
      expect(expected).not.toEqual([]);
      expect(found.map(expectationOf).sort()).toEqual([...expected].sort());
    });

    it.each(cases)('is not found in valid/%s, nor is anything wrong there', (_, { good }) => {
      const findings = judge(good);
      expect(findings.filter((finding) => finding.id === id || finding.severity === 'error').map(show)).toEqual([]);
    });
  },
);

describe('the advice of a rule opens nothing that the manifests did not mean to open', () => {
  it.each(examples().map((example) => [`${example.rule}/${example.file}`, example] as const))(
    '%s lets through what it says, and for whom',
    (_, example) => {
      const said = declared(example.good).map(({ effect, to }) => `${effect} ${to}`);
      expect(opened(example).map(({ effect, to }) => `${effect} ${to}`).sort()).toEqual([...said].sort()); // prettier-ignore
      for (const { reason } of declared(example.good)) expect(reason.split(' ').length).toBeGreaterThan(3);
    },
  );
});
