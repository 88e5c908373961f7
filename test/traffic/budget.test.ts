import { register } from '../../src/list/register';
import { loadText } from '../../src/model/load';
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
