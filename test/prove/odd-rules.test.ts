import { prove, unknownNames } from '../../src/prove/prove';
import { readRules, type Rule } from '../../src/prove/rules';
import * as worlds from './meshes';

const rulesOf = (rule: string): string => `rules:\n  - { name: it, ${rule} }\n`;
const forbid = (body: string): string => rulesOf(`forbid: { ${body} }`);

/** What is wrong, by the file. */
const REFUSED: readonly (readonly [string, string, string])[] = [
  ['nothing', '', 'there are no rules'],
  ['a comment', '# rules', 'there are no rules'],
  ['a list', '- a\n- b', 'there are no rules'],
  ['rules that are a mapping', 'rules: { a: b }', 'there are no rules'],
  ['rules that are null', 'rules:', 'there are no rules'],
  ['another key beside', 'rule: []\nrules: [{ name: a, forbid: { from: "*", to: "*" } }]', 'unknown key "rule"'],
  ['no YAML', 'rules: [', 'it is no YAML'],
  ['two documents', `${forbid('from: "*", to: "*"')}---\n{}`, 'it is no YAML'],
  [
    'a star without quotes',
    'rules:\n  - name: a\n    forbid:\n      from: *\n      to: outside\n',
    'write "*" in quotes',
  ],
  ['an alias of nothing', forbid('from: *who, to: "*"'), 'is marked &who'],
  ['a key twice', forbid('from: "*", from: shop, to: "*"'), 'it is no YAML'],
  ['a rule that is null', 'rules: [null]', 'a rule is a mapping'],
  ['a rule that is a text', 'rules: [deny everything]', 'a rule is a mapping'],
  ['a rule without a name', 'rules: [{ forbid: { from: "*", to: "*" } }]', 'a rule needs a name'],
  ['an empty name', 'rules: [{ name: "", forbid: { from: "*", to: "*" } }]', 'a rule needs a name'],
  ['a name twice', 'rules: [{ name: a, forbid: { from: "*", to: "*" } }, { name: a, forbid: { from: "*", to: "*" } }]', 'is the name of the rule at line 1 already'], // prettier-ignore
  ['neither forbid nor require', 'rules: [{ name: a }]', 'a rule needs forbid or require'],
  ['both', 'rules: [{ name: a, forbid: {}, require: {} }]', 'not both'],
  ['forbid that is a text', rulesOf('forbid: shop'), 'forbid is a mapping'],
  ['no from', forbid('to: "*"'), 'from is missing'],
  ['an empty from', forbid('from: [], to: "*"'), 'the list is empty'],
  ['an empty only', forbid('from: { only: [] }, to: "*"'), 'the list is empty'],
  ['only beside a client', forbid('from: { only: [shop], namespace: shop }, to: "*"'), 'not both'],
  ['from that is a list of lists', forbid('from: [[shop]], to: "*"'), 'it is not a text'],
  ['a client of an unknown key', forbid('from: [{ namespace: shop, wrkload: web }], to: "*"'), 'unknown key "wrkload"'],
  ['labels that are a text', forbid('from: [{ namespace: shop, labels: app=web }], to: "*"'), 'labels are a mapping'],
  ['labels that are empty', forbid('from: { namespace: shop, labels: {} }, to: "*"'), 'labels are a mapping'],
  ['a label that is a list', forbid('from: { labels: { app: [web] } }, to: "*"'), 'it is not a text'],
  ['a label without a value', forbid('from: ["shop/app=web,tier"], to: "*"'), '"tier" of "shop/app=web,tier"'],
  [
    'labels and an account',
    forbid('from: ["shop/app=web,serviceaccount=web"], to: "*"'),
    'labels and a service account',
  ],
  ['a workload and labels', forbid('from: { namespace: shop, workload: web, labels: { a: b } }, to: "*"'), 'one of workload, labels'], // prettier-ignore
  ['an account of two namespaces', forbid('from: { namespace: a, serviceAccount: b/c }, to: "*"'), 'NAMESPACE/NAME'],
  ['an account with a slash more', forbid('from: { serviceAccount: a/b/c }, to: "*"'), 'NAMESPACE/NAME'],
  ['a workload with a slash more', forbid('from: a/b/c, to: "*"'), 'is not NAMESPACE'],
  ['no to', forbid('from: "*"'), 'to is "*", outside, or a mapping'],
  ['an unknown key of to', forbid('from: "*", to: { host: a.example }'), 'unknown key "host"'],
  ['no hosts', forbid('from: "*", to: { hosts: [] }'), 'the list is empty'],
  ['hosts that are a mapping', forbid('from: "*", to: { hosts: { a: b } }'), 'it is not a text'],
  ['every host as a wildcard', forbid('from: "*", to: { hosts: ["*"] }'), 'neither a host nor *.domain'],
  ['a star within', forbid('from: "*", to: { hosts: ["a.*.example"] }'), 'neither a host nor *.domain'],
  ['a star at the end', forbid('from: "*", to: { hosts: ["example.*"] }'), 'neither a host nor *.domain'],
  ['a star within a label', forbid('from: "*", to: { hosts: ["*api.example"] }'), 'neither a host nor *.domain'],
  ['a star before nothing', forbid('from: "*", to: { hosts: ["*."] }'), 'neither a host nor *.domain'],
  ['two stars', forbid('from: "*", to: { hosts: ["*.*.example"] }'), 'neither a host nor *.domain'],
  ['a URL for a host', forbid('from: "*", to: { hosts: ["https://a.example"] }'), 'no scheme, port or path'],
  ['a port behind a host', forbid('from: "*", to: { hosts: ["a.example:443"] }'), 'no scheme, port or path'],
  ['a host of the exceptions', forbid('from: "*", to: { except: ["*"] }'), 'neither a host nor *.domain'],
  ['a port that is none', forbid('from: "*", to: { ports: [https] }'), 'a port is a number'],
  ['a range of ports', forbid('from: "*", to: { ports: ["80-90"] }'), 'a port is a number'],
  ['a port that is too large', forbid('from: "*", to: { ports: [65536] }'), 'a port is a number'],
  ['a port with a fraction', forbid('from: "*", to: { ports: [80.5] }'), 'a port is a number'],
  ['no port', forbid('from: "*", to: { ports: [""] }'), 'a port is a number'],
  ['a block that is too narrow', forbid('from: "*", to: { cidrs: [10.0.0.0/33] }'), 'neither an address nor a block'],
  ['a block of IPv6 that is too narrow', forbid('from: "*", to: { cidrs: ["2001:db8::/129"] }'), 'neither an address nor a block'], // prettier-ignore
  ['a host for a block', forbid('from: "*", to: { cidrs: [a.example] }'), 'neither an address nor a block'],
  ['a protocol that is none', forbid('from: "*", to: { protocols: [udp] }'), 'is none of'],
  ['a path without a slash', forbid('from: "*", to: { paths: [admin] }'), 'neither a path'],
  ['a star within a path', forbid('from: "*", to: { paths: ["/a*b"] }'), 'neither a path'],
  ['a query in a path', forbid('from: "*", to: { paths: ["/a?b=c"] }'), 'neither a path'],
  ['a Service without a namespace', forbid('from: "*", to: { services: [web] }'), 'is not NAMESPACE/SERVICE'],
  ['outside that is yes', forbid('from: "*", to: { outside: yes }'), 'neither true nor false'],
  ['nothing required', rulesOf('require: { from: "*", to: "*" }'), 'it demands nothing'],
  [
    'an identity that is not required',
    rulesOf('require: { from: "*", to: "*", identity: false }'),
    'it demands nothing',
  ],
  [
    'an identity without a namespace',
    rulesOf('require: { from: "*", to: "*", identity: web }'),
    'NAMESPACE/SERVICEACCOUNT',
  ],
  ['TLS that is none', rulesOf('require: { from: "*", to: "*", tls: mutual }'), 'is not plain, encrypted or verified'],
  [
    'a gateway without a namespace',
    rulesOf('require: { from: "*", to: "*", through: egress }'),
    'is not NAMESPACE/GATEWAY',
  ],
  ['through in forbid', forbid('from: "*", to: "*", through: a/b'), 'unknown key "through"'],
  ['vacuous that is true', rulesOf('vacuous: true, forbid: { from: "*", to: "*" }'), 'write vacuous: allowed'],
];

describe('a file of rules that is wrong', () => {
  it.each(REFUSED)('is refused with what is wrong and where: %s', (_what, text, why) => {
    const { problems } = readRules(text);
    expect(problems.map(({ what }) => what).join('\n')).toContain(why);
    for (const { line } of problems) expect(line).toBeGreaterThan(0);
  });

  it('is told of all faults at once, each with its line', () => {
    const text =
      'rules:\n  - name: a\n    forbid: { to: "*" }\n  - name: b\n    forbid: { from: "*", to: { ports: [x] } }\n';
    expect(readRules(text).problems).toMatchObject([{ line: 3 }, { line: 5 }]);
  });
});

const ruleOf = (text: string): Rule => {
  const { rules, problems } = readRules(text);
  expect(problems).toEqual([]);
  return rules[0] as Rule;
};

describe('a file of rules that is odd', () => {
  it('has aliases for what they stand for', () => {
    const text = `rules:
  - { name: a, forbid: { from: { except: &teams [shop/payments, &other billing] }, to: &stripe { hosts: &hosts [api.stripe.com], ports: &port 443 } } }
  - { name: b, forbid: { from: *teams, to: *stripe } }
  - { name: c, require: { from: *other, to: { hosts: *hosts, ports: [*port] }, tls: encrypted } }
`;
    const { rules, problems } = readRules(text);
    expect(problems).toEqual([]);
    const [first, second, third] = rules as [Rule, Rule, Rule];
    expect(second.from).toEqual(first.except);
    expect(second.to).toEqual(first.to);
    expect(third.from).toEqual([{ is: 'namespace', namespace: 'billing' }]);
    expect(third.to).toMatchObject({ hosts: ['api.stripe.com'], ports: [443] });
  });

  it('has ports as texts, methods and hosts in either case, a single value for a list, and blocks of IPv6', () => {
    const { to } = ruleOf(forbid('from: "*", to: { hosts: API.Stripe.com, ports: "443", methods: post, protocols: HTTPS, cidrs: "2001:DB8::/32" }')); // prettier-ignore
    expect(to).toMatchObject({ hosts: ['api.stripe.com'], ports: [443], methods: ['POST'], protocols: ['https'], cidrs: ['2001:DB8::/32'] }); // prettier-ignore
  });

  it('is decided of blocks of IPv6', () => {
    const mesh = worlds.meshOf(worlds.DIRECT);
    const [proof] = prove(mesh, [ruleOf(forbid('from: shop, to: { cidrs: ["2001:db8::/32"], ports: [443] }'))]);
    expect(proof?.verdict).toBe('proved');
    const open = worlds.meshOf({ ...worlds.DIRECT, outbound: 'ALLOW_ANY' });
    const [other] = prove(open, [ruleOf(forbid('from: shop, to: { cidrs: ["2001:db8::/32"], ports: [443] }'))]);
    expect(other).toMatchObject({ verdict: 'refuted', counterexample: { address: '2001:db8::1' } });
  });

  it('knows a namespace that only a selector of labels names', () => {
    const manifests = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: in, namespace: shop }
spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } } }] }] }
`;
    const mesh = worlds.meshOf({ ...worlds.DIRECT, manifests: `${worlds.DIRECT.manifests}---\n${manifests}` });
    const rule = ruleOf(forbid('from: ops, to: outside'));
    expect(unknownNames(mesh, [rule])).toEqual([]);
    expect(unknownNames(worlds.meshOf(worlds.DIRECT), [rule])).toHaveLength(1);
  });
});
