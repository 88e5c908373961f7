import { alive } from '../fuzz/markdown';
import { acceptedMesh } from '../../src/check/accepted';
import { register } from '../../src/list/register';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { prove, unknownNames } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';
import { formatProofs } from '../../src/report/prove';
import { trace } from '../../src/trace/index';

const MANIFESTS = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: payments, namespace: shop }
spec: { template: { metadata: { labels: { app: payments } }, spec: { serviceAccountName: payments, containers: [{ name: a }] } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: a }] } } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: stripe, namespace: shop }
spec: { hosts: [api.stripe.com], exportTo: ["."], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP, targetPort: 443 }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: stripe, namespace: shop }
spec: { host: api.stripe.com, trafficPolicy: { tls: { mode: SIMPLE, sni: api.stripe.com } } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: stripe, namespace: shop }
spec:
  hosts: [api.stripe.com]
  http:
    - match: [{ uri: { prefix: /admin }, sourceLabels: { app: web } }]
      directResponse: { status: 403 }
    - match: [{ sourceLabels: { app: payments } }, { uri: { prefix: /public } }]
      route: [{ destination: { host: api.stripe.com } }]
    - directResponse: { status: 403 }
`;

function decide(rules: string, manifests = MANIFESTS): ReturnType<typeof prove> {
  const read = readRules(rules);
  expect(read.problems).toEqual([]);
  return prove(buildMesh(loadText(manifests).manifests, { outbound: 'REGISTRY_ONLY' }), read.rules);
}
const one = (body: string): string => `rules:\n  - name: it\n    ${body}\n`;

const EVERY_HOST = `${MANIFESTS}---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ingress, namespace: shop }
spec:
  template:
    metadata: { labels: { istio: ingress }, annotations: { inject.istio.io/templates: gateway } }
    spec: { containers: [{ name: istio-proxy, image: auto }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: door, namespace: shop }
spec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: every, namespace: shop }
spec: { hosts: ["*"], gateways: [door], http: [{ match: [{ uri: { prefix: /open } }], route: [{ destination: { host: web } }] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: one, namespace: shop }
spec: { hosts: [one.example.com], gateways: [door], http: [{ route: [{ destination: { host: web } }] }] }
`;

describe('prove', () => {
  it('asks a gateway that takes every host for any that a rule is about, whether other manifests name it or not', () => {
    for (const host of ['admin.example.org', '*.example.org', 'api.stripe.com']) {
      const rule = (path: string): string =>
        one(`forbid: { from: outside, to: { hosts: ["${host}"], paths: ["${path}"] } }`);
      expect(unknownNames(buildMesh(loadText(EVERY_HOST).manifests), readRules(rule('/open')).rules)).toEqual([]);
      expect(decide(rule('/open'), EVERY_HOST).map(({ verdict }) => verdict)).toEqual(['refuted']);
      expect(decide(rule('/shut'), EVERY_HOST).map(({ verdict }) => verdict)).toEqual(['proved']);
    }
  });

  it.each([
    [
      'forbid: { from: { except: [shop/payments] }, to: { hosts: [api.stripe.com], paths: ["/admin", "/admin/*"] } }',
      'proved',
    ],
    ['forbid: { from: { except: [shop/payments] }, to: { hosts: [api.stripe.com] } }', 'refuted'],
    ['forbid: { from: { except: [shop] }, to: { hosts: ["*.stripe.com"] } }', 'proved'],
    ['forbid: { from: shop/web, to: { hosts: [api.stripe.com], paths: [/public/x] } }', 'refuted'],
    ['forbid: { from: shop/web, to: { hosts: [api.stripe.com], paths: [/public/x], ports: [8080] } }', 'vacuous'],
    ['forbid: { from: { serviceAccount: shop/payments }, to: outside }', 'refuted'],
    ['forbid: { from: { labels: { app: web } }, to: { hosts: [api.stripe.com], paths: [/v1] } }', 'proved'],
    ['forbid: { from: outside, to: "*" }', 'vacuous'],
    ['require: { from: "*", to: outside, tls: verified }', 'proved'],
    ['require: { from: "*", to: outside, through: istio-egress/egress }', 'refuted'],
    ['require: { from: "*", to: { hosts: [api.stripe.com], protocols: [tcp] }, tls: encrypted }', 'vacuous'],
  ])('decides %s', (body, verdict) => {
    expect(decide(one(body)).map((proof) => proof.verdict)).toEqual([verdict]);
  });

  it('shows a counterexample that trace takes as it is, and that does what was said', () => {
    const [proof] = decide(one('forbid: { from: shop/web, to: { hosts: [api.stripe.com], methods: [POST] } }'));
    expect(proof).toMatchObject({ verdict: 'refuted', counterexample: { from: 'shop/web', method: 'POST' } });
    const { from = '', request = '', method } = proof?.counterexample ?? {};
    expect(request).toMatch(/^http:\/\/api\.stripe\.com\/public/);
    const mesh = buildMesh(loadText(MANIFESTS).manifests, { outbound: 'REGISTRY_ONLY' });
    expect(trace(mesh, { from, request, method }).outcome).toBe('delivered');
    expect(proof?.because.join()).toMatch(/VirtualService shop\/stripe/);
  });

  it('does not prove what an extension may change', () => {
    const filter =
      '---\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: { name: x, namespace: shop }\nspec: { configPatches: [{ applyTo: HTTP_FILTER, match: { context: SIDECAR_OUTBOUND }, patch: { operation: INSERT_BEFORE, value: { name: lua, typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua } } } }] }\n';
    const rule = one('forbid: { from: shop/web, to: { hosts: [api.stripe.com], paths: [/v1] } }');
    expect(decide(rule, MANIFESTS + filter).map(({ verdict }) => verdict)).toEqual(['undecided']);
  });

  it('passes what is true of nobody only where the rule says so', () => {
    const rule = 'name: it\n    forbid: { from: outside, to: "*" }\n';
    expect(decide(`rules:\n  - ${rule}`)[0]?.passes).toBe(false);
    expect(decide(`rules:\n  - ${rule}    vacuous: allowed\n`)[0]?.passes).toBe(true);
  });

  it('decides about methods with other characters than letters', () => {
    const rule = (method: string): string =>
      one(`forbid: { from: shop/web, to: { hosts: [api.stripe.com], methods: [${method}], paths: [/public] } }`);
    expect(decide(rule('M-SEARCH'))[0]).toMatchObject({ verdict: 'refuted', counterexample: { method: 'M-SEARCH' } });
  });

  it('names namespaces and hosts that nothing is about', () => {
    const { rules } = readRules(one('forbid: { from: shpo/web, to: { hosts: [api.strip.com] } }'));
    expect(unknownNames(buildMesh(loadText(MANIFESTS).manifests, {}), rules).map(({ what }) => what)).toEqual([
      'no manifest has anything about namespace "shpo"',
      'no manifest has anything about "api.strip.com"',
    ]);
  });

  it('says which objects no cluster would take, with the verdicts and where nothing else is about a host', () => {
    const entry =
      '\n---\n{ apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: { name: bank, namespace: shop }, spec: { hosts: [bank.example.com], resolution: DNS, ports: [{ number: 80, name: HTTP_, protocol: HTTP }] } }\n';
    const mesh = acceptedMesh(loadText(MANIFESTS + entry).manifests, {});
    const said =
      'ServiceEntry shop/bank is not followed: istiod\'s webhook refuses it, since the port\'s name "HTTP_" is no DNS label';
    const { rules } = readRules(one('forbid: { from: shop/web, to: { hosts: [bank.example.com] } }'));
    expect(unknownNames(mesh, rules).map(({ what }) => what)).toEqual([
      `no manifest has anything about "bank.example.com" (${said})`,
    ]);
    const proofs = prove(mesh, readRules(one('forbid: { from: shop/web, to: { hosts: [api.stripe.com] } }')).rules);
    const settings = { file: 'r.yaml', color: false, leftOut: mesh.leftOut };
    expect(formatProofs(proofs, 'text', settings)).toContain(`\n${said}\n`);
    expect(JSON.parse(formatProofs(proofs, 'json', settings))).toMatchObject({ assumptions: [said] });
    expect(register(mesh).assumptions).toContain(`${said}.`);
  });

  it('says all that is wrong with a file at once, with lines and keys', () => {
    const { problems } = readRules(
      'rules:\n  - nam: x\n    forbid: { from: a/b/c, to: { hosts: ["a*"], pathes: [x] } }\n  - name: y\n    require: { from: "*", to: outside }\n',
    );
    expect(problems.map(({ line, key }) => `${line} ${key}`)).toEqual([
      '2 rules[0].nam',
      '2 rules[0].name',
      '3 rules[0].forbid.from',
      '3 rules[0].forbid.to.pathes',
      '3 rules[0].forbid.to.hosts',
      '5 rules[1].require',
    ]);
    expect(readRules('rules: []\n').problems).toHaveLength(1);
    expect(readRules('a: [\n').problems[0]?.what).toMatch(/no YAML/);
    expect(readRules(`rules: ${'['.repeat(20_000)}`).problems[0]?.what).toBe('it is no YAML: it is nested too deeply');
  });

  it('writes names of manifests so that they steer nothing', () => {
    const [proof] = decide(one('forbid: { from: shop/web, to: { hosts: [api.stripe.com] } }'));
    const evil = [{ ...(proof as NonNullable<typeof proof>), name: 'a\n::error::b|<!--\u001b[2J' }];
    for (const format of ['text', 'markdown', 'github', 'sarif'] as const) {
      const written = formatProofs(evil, format, { file: 'r.yaml', color: false });
      expect(written).not.toMatch(/^::error::b/m);
      expect(written).not.toContain('\u001b');
    }
    const hostile = [{ ...evil[0], because: ['app to http://api.stripe.com/ @octocat [a](https://evil.example)'] }];
    expect(
      alive(formatProofs([...evil, ...hostile] as typeof evil, 'markdown', { file: 'r.yaml', color: false })),
    ).toEqual([]);
  });
});

describe('addresses', () => {
  const network = `${MANIFESTS}---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: db, namespace: shop}, spec: {hosts: [db.example.com], ports: [{number: 5432, name: tcp, protocol: TCP}], addresses: [198.51.100.0/24], resolution: NONE}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: out, namespace: shop}, spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [198.51.100.128/25, 10.0.0.0/8]}}]}]}}
`;
  const dialled = (...cidrs: string[]): ReturnType<typeof prove> => {
    const { rules } = readRules(cidrs.map((cidr) => `  - { name: "${cidr}", forbid: { from: shop, to: { cidrs: ["${cidr}"] } } }`).join('\n').replace(/^/, 'rules:\n')); // prettier-ignore
    return prove(buildMesh(loadText(network).manifests, { outbound: 'ALLOW_ANY' }), rules);
  };

  it('of one block are told apart by what policies let pass of it', () => {
    expect(dialled('10.0.0.0/8', '8.0.0.0/6', '198.51.100.0/24', '198.51.100.128/25').map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
      '10.0.0.0/8 proved',
      '8.0.0.0/6 refuted',
      '198.51.100.0/24 refuted',
      '198.51.100.128/25 proved',
    ]); // prettier-ignore
    // Not of its first address alone.
    const [beyond] = dialled('10.0.0.0/7');
    expect(beyond?.verdict).toBe('refuted');
    expect(beyond?.counterexample?.address).toBe('11.0.0.1');
  });

  it('are told apart in the register', () => {
    const { entries } = register(buildMesh(loadText(network).manifests, { outbound: 'ALLOW_ANY' }));
    const byAddress = entries
      .filter(({ protocol, from }) => protocol === 'tcp' && from.some((one) => one.startsWith('shop')))
      .map(({ to, requests }) => `${to.host}: ${requests}`);
    expect([...new Set(byAddress)]).toEqual([
      '*: address outside of 10.0.0.0/8, 198.51.100.0/24',
      'db.example.com: address outside of 198.51.100.128/25',
    ]);
  });

  it('is asked of workloads without a sidecar too, where a Service of the mesh is', () => {
    const rules = `rules:
  - { name: known, require: { from: "*", to: { services: [shop/web] }, identity: true } }
  - { name: encrypted, require: { from: "*", to: { services: [shop/web] }, tls: encrypted } }
  - { name: leaves, require: { from: "*", to: { hosts: [api.stripe.com] }, tls: encrypted } }
`;
    const strict = `${EVERY_HOST}---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: shop }
spec: { mtls: { mode: STRICT } }
`;
    const verdicts = (manifests: string): readonly string[] => decide(rules, manifests).map(({ verdict }) => verdict);
    expect(verdicts(EVERY_HOST)).toEqual(['refuted', 'refuted', 'proved']);
    expect(decide(rules, EVERY_HOST)[0]?.because[0]).toContain('a workload without a sidecar');
    expect(verdicts(strict)).toEqual(['proved', 'proved', 'proved']);
  });

  it('is asked of the shorter names of a Service, which a policy may forget', () => {
    const denying = (hosts: string): string => `${EVERY_HOST}---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: closed, namespace: shop }
spec: { selector: { matchLabels: { app: web } }, action: DENY, rules: [{ to: [{ operation: { hosts: [${hosts}] } }] }] }
`;
    const rule = one('forbid: { from: "*", to: { hosts: [web.shop.svc.cluster.local], protocols: [http] } }');
    const [forgotten] = decide(rule, denying('web.shop.svc.cluster.local'));
    expect(forgotten).toMatchObject({ verdict: 'refuted', counterexample: { request: 'http://web.shop/' } });
    const mesh = buildMesh(loadText(denying('web.shop.svc.cluster.local')).manifests);
    const listed = register(mesh, { to: 'web.shop.svc.cluster.local' }).entries;
    expect(listed.map(({ request }) => request.request)).toContain('http://web.shop/');
    expect(decide(rule, denying('"web*"'))[0]?.verdict).not.toBe('refuted');
  });
});
