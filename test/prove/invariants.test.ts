import { prove, unknownNames, type Proof } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';
import { trace } from '../../src/trace/index';
import { INVARIANTS } from './invariants';
import * as worlds from './meshes';
import { refutation } from './refute';
import { judge } from './violations';

const meshes = new Map(INVARIANTS.map(([name]) => [name, worlds.meshOf(worlds[name])]));

describe('rules over hand-written meshes', () => {
  it.each(INVARIANTS)('%s: %s is %s', (name, rule, said) => {
    const text = `rules:\n  - name: it\n    ${rule}\n`;
    const { rules, problems } = readRules(text);
    const mesh = meshes.get(name)!;
    if (said === 'unreadable') return expect(problems.length).toBeGreaterThan(0);
    expect(problems).toEqual([]);
    if (said === 'unknown') return expect(unknownNames(mesh, rules).length).toBeGreaterThan(0);
    expect(unknownNames(mesh, rules)).toEqual([]);
    const [proof] = prove(mesh, rules) as [Proof];
    expect(proof.verdict).toBe(said);
    expect(proof.because.length).toBeGreaterThan(0);
    // What is proved, no request breaks; what refutes, trace takes as it is.
    if (said === 'proved') expect(refutation(worlds[name], mesh, text, 20, 11)).toBeUndefined();
    if (proof.counterexample === null) return expect(said).not.toBe('refuted');
    const { address, ...request } = proof.counterexample;
    expect(trace(mesh, { ...request, ...(address === null ? {} : { address }) }).outcome).toBe('delivered');
  });

  it('judge each rule by itself, and rules that contradict each other both', () => {
    const text = `rules:
  - { name: nobody, forbid: { from: "*", to: { hosts: [github.com] } } }
  - { name: somebody, require: { from: "*", to: { hosts: [github.com] }, tls: encrypted } }`;
    const { rules } = readRules(text);
    expect(prove(meshes.get('DIRECT')!, rules).map(({ verdict }) => verdict)).toEqual(['refuted', 'proved']);
  });

  it('leave a regular expression that is too large undecided, and never take forever', () => {
    const slow = worlds.DIRECT.manifests.replace('/(a+)+$', '/(a|b|ab)*(x{1,200}y{1,200}){3}.*c.{200}');
    const mesh = worlds.meshOf({ ...worlds.DIRECT, manifests: slow });
    const { rules } = readRules(
      'rules: [{ name: it, forbid: { from: billing, to: { hosts: [old.example.com], paths: ["/ab*"] } } }]',
    );
    const begun = Date.now();
    expect(['undecided', 'refuted']).toContain(prove(mesh, rules)[0]?.verdict);
    expect(Date.now() - begun).toBeLessThan(10_000);
  });
});

describe('violations', () => {
  it.each(Array.from({ length: 6 }, (_one, index) => index + 1))('that are seeded are found (seed %i)', (seed) => {
    const { broken, verdict, confirmed } = judge(seed, 100);
    if (broken !== undefined) expect({ seed, broken, verdict }).toMatchObject({ verdict: 'refuted' });
    if (verdict === 'refuted') expect({ seed, confirmed }).toEqual({ seed, confirmed: true });
  });
});
