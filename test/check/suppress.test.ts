import { check } from '../../src/check/check';
import { readConfiguration } from '../../src/check/configuration';
import { loadText } from '../../src/model/load';

const entry = (annotation?: string): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: quic
  namespace: app
${annotation === undefined ? '' : `  annotations:\n    mesh-edge.io/suppress: ${JSON.stringify(annotation)}\n`}spec:
  hosts: [quic.example.com]
  ports: [{number: 443, name: udp, protocol: UDP}]
  resolution: DNS
`;
const idsOf = (text: string, suppress = readConfiguration('', 'x').suppress): string[] =>
  check(loadText(text, 'a.yaml'), { suppress }).findings.map(({ id }) => id);

describe('a suppression', () => {
  it('hides the finding of a rule, by its id or its name, on the object that bears it', () => {
    expect(idsOf(entry())).toEqual(['EDGE512']);
    expect(idsOf(entry('EDGE512: held by the firewall'))).toEqual([]);
    expect(idsOf(entry('udp-port: held by the firewall'))).toEqual([]);
  });

  it('does not count without a reason', () => {
    expect(idsOf(entry('EDGE512'))).toEqual(['EDGE007', 'EDGE512']);
  });

  it('that hides nothing is reported', () => {
    expect(idsOf(entry('EDGE512: held by the firewall\nEDGE201: not so'))).toEqual(['EDGE006']);
  });

  it('in the configuration is for the objects and files that it names', () => {
    const configured = (lines: string) =>
      readConfiguration(`suppress:\n  - rule: EDGE512\n    reason: held by the firewall\n${lines}`, 'x').suppress;
    expect(idsOf(entry(), configured(''))).toEqual([]);
    expect(idsOf(entry(), configured('    object: ServiceEntry app/quic\n    file: a.yaml\n'))).toEqual([]);
    expect(idsOf(entry(), configured('    object: ServiceEntry app/other\n'))).toEqual(['EDGE006', 'EDGE512']);
  });
});

describe('mesh-edge.yaml', () => {
  it.each([
    ['- a', /must be a mapping/],
    ['rules: {}', /no setting "rules"/],
    ['suppress: [{reason: x}]', /suppress\[0\] names no rule/],
    ['suppress: [{rule: EDGE001, why: x}]', /suppress\[0\].why/],
  ])('that says %s is refused with the reason', (text, reason) => {
    expect(() => readConfiguration(text, 'mesh-edge.yaml')).toThrow(reason);
  });
});

describe('a rule that fails', () => {
  it('fails the run whatever is suppressed, and the others are heard', () => {
    const broken = {
      id: 'EDGE990' as const,
      name: 'broken',
      severity: 'error' as const,
      title: '',
      why: '',
      fix: '',
      see: '',
      reads: [],
      footguns: [],
      check: () => {
        throw new Error('oh');
      },
    };
    const { findings, summary } = check(loadText(entry(), 'a.yaml'), {
      rules: [broken],
      suppress: [{ rule: 'EDGE990', reason: 'accepted' }],
    });
    expect(summary.errors).toBe(1);
    expect(findings).toEqual([
      expect.objectContaining({
        id: 'EDGE990',
        severity: 'error',
        what: 'the rule broken failed on these manifests: oh',
      }),
    ]);
  });
});
