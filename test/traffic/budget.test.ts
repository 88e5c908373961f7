import { diff } from '../../src/diff/diff';
import { register } from '../../src/list/register';
import { loadText } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';
import { buildMesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';
import { regex } from '../../src/trace/matcher';
import { Budget } from '../../src/traffic/budget';
import { member } from '../../src/traffic/members';

const route = (pattern: string): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: api, namespace: shop }
spec: { hosts: [api.example.com], ports: [{ number: 80, name: http, protocol: HTTP }], resolution: DNS }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: api, namespace: shop }
spec:
  hosts: [api.example.com]
  http:
    - { match: [{ uri: { regex: '${pattern}' } }], directResponse: { status: 403 } }
    - { route: [{ destination: { host: api.example.com } }] }
`;
const meshOf = (pattern: string) => buildMesh(loadText(route(pattern)).manifests);
const RULES = readRules('rules: [{ name: it, forbid: { from: shop, to: { hosts: [bank.example.com] } } }, { name: that, forbid: { from: shop, to: { hosts: [api.example.com], paths: ["/secret*"] } } }]').rules; // prettier-ignore
describe('work beyond a budget', () => {
  it('is named as undecided by list, with who sends it and where to', () => {
    const { complete, undecided } = register(meshOf('/a.*'), { budget: new Budget(2000) });
    expect(complete).toBe(false);
    expect(undecided.every(({ from, to, what }) => from.length > 0 && to !== '' && what !== '')).toBe(true);
    expect(undecided.length).toBeGreaterThan(0);
    expect(undecided.every(({ why }) => why.includes('more work than one answer may'))).toBe(true);
    expect(register(meshOf('/a.*')).complete).toBe(true);
  });

  it('is named as undecided by diff, which calls nothing of it unchanged', () => {
    const sides = ['/a.*', '/(a|aa).*'].map((pattern) => loadText(route(pattern)).manifests) as [Manifest[], Manifest[]]; // prettier-ignore
    const budget = new Budget(2000);
    const found = diff(...sides, { budget });
    expect(found.complete).toBe(false);
    expect(found.undecided.some(({ why }) => why === budget.why)).toBe(true);
    expect(found.undecided.every(({ from, to, what }) => from.length > 0 && to !== '' && what !== '')).toBe(true);
    expect(found.withoutEffect).toEqual([]);
    expect(diff(...sides, { budget: new Budget(2000) })).toEqual(found);
    expect(diff(...sides)).toMatchObject({ changes: [], complete: true });
  });

  it('keeps a diff that would follow too much to a few seconds', () => {
    const hosts = Array.from({ length: 40 }, (_one, index) => `h${index}.example.com`);
    const world = (status: number): Manifest[] => {
      const rules = Array.from({ length: 40 }, (_one, index) => `{ match: [{ uri: { regex: '/[ab]*a[ab]{${index % 9}}' }, headers: { x-${index}: { exact: a } } }], directResponse: { status: ${status} } }`); // prettier-ignore
      const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: api, namespace: shop }
spec: { hosts: [${hosts.join(', ')}], http: [${rules.join(', ')}] }
`;
      return [...loadText(text).manifests];
    };
    const budget = new Budget(500_000);
    const start = process.cpuUsage();
    const found = diff(world(403), world(404), { budget });
    const { user } = process.cpuUsage(start);
    expect(budget.isSpent).toBe(true);
    expect(found.complete).toBe(false);
    expect(found.undecided.some(({ why }) => why === budget.why)).toBe(true);
    // What the budget allows is well under a second of a processor.
    expect(user / 1e6).toBeLessThan(20);
  });

  it('leaves no rule proved', () => {
    const mesh = meshOf('/a.*');
    const verdicts = prove(mesh, RULES, { work: 1 }).map(({ verdict }) => verdict);
    expect(verdicts[0]).toBe('undecided');
    expect(verdicts).not.toContain('proved');
    expect(prove(mesh, RULES, { work: 1 })).toEqual(prove(mesh, RULES, { work: 1 }));
  });
});

describe('an expression that blows up an automaton', () => {
  /** Which of the last 21 characters are what takes two million states to know. */
  const both = ['a', 'b'].map((letter) => ({
    matcher: regex(`[ab]*${letter}[ab]{20}`),
    holds: true,
    whenAbsent: false,
  }));
  const universe = { all: [regex('[a-z]*')], none: [], mayBeAbsent: false, plain: ['a'] };

  it('is undecided, with the reason', () => {
    expect(member(both, universe)).toMatchObject({ is: 'undecided', why: expect.stringContaining('more than') });
  });

  it('is undecided by a budget before it takes as long', () => {
    const budget = new Budget(1000);
    expect(member(both, universe, budget)).toEqual({ is: 'undecided', why: budget.why });
  });
});
