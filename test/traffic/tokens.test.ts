import { diff } from '../../src/diff/diff';
import { register } from '../../src/list/register';
import { loadText } from '../../src/model/load';
import { buildMesh, type Mesh } from '../../src/model/mesh';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';
import type { Dimension } from '../../src/trace/ask';
import { trace } from '../../src/trace/index';
import type { TraceRequest } from '../../src/trace/types';
import { explore, isOf, regionText } from '../../src/traffic/explore';
import { random } from './worlds';

const BASE = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: server, namespace: shop }
spec: { clusterIP: 10.0.0.1, selector: { app: server }, ports: [{ name: http, port: 80 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: server, namespace: shop }
spec: { template: { metadata: { labels: { app: server } }, spec: { containers: [{ name: a }] } } }
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens, namespace: shop }
spec:
  selector: { matchLabels: { app: server } }
  jwtRules: [{ issuer: "https://issuer.example", audiences: [shop], jwksUri: "https://issuer.example/keys" }]
---
`;
const policy = (rules: string): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: server, namespace: shop }
spec: { selector: { matchLabels: { app: server } }, action: ALLOW, rules: ${rules} }
`;
const meshOf = (text: string): Mesh => buildMesh(loadText(text).manifests);
const TARGET = { scheme: 'http', host: 'server.shop.svc.cluster.local', port: 80 } as const;
const ADMIN = BASE + policy('[{ when: [{ key: "request.auth.claims[role]", values: [admin] }] }]');
const HEADER = 'header authorization Bearer';

function valueIn({
  request,
  method = 'GET',
  tokens = {},
  headers = {},
}: TraceRequest): (dimension: Dimension) => string | undefined {
  return ({ kind, name, claim }) => {
    if (kind === 'token') return tokens[name] === undefined ? undefined : 'token';
    if (kind === 'header') return headers[name];
    if (kind === 'parameter') return new URL(request).searchParams.get(name) ?? undefined;
    if (kind === 'method') return method;
    if (kind === 'path') return '/';
    if (claim === undefined) return undefined;
    const value = claim.reduce<unknown>(
      (of, part) => (of as Record<string, unknown> | undefined)?.[part],
      tokens[name],
    );
    return value === undefined ? undefined : JSON.stringify(value);
  };
}

describe('tokens of requests', () => {
  it('open what their claims are asked for, without a doubt left', () => {
    const { classes, undecided } = explore(meshOf(ADMIN), { from: 'shop' }, TARGET);
    expect(undecided).toEqual([]);
    expect(classes.flatMap(({ open }) => open)).toEqual([]);
    const through = classes.filter(
      ({ trace: { outcome }, witness }) => outcome === 'delivered' && witness.method === undefined,
    );
    expect(through.map(({ witness }) => witness.tokens)).toEqual([
      { [HEADER]: { iss: 'https://issuer.example', aud: 'shop', role: 'admin' } },
      { 'parameter access_token': { iss: 'https://issuer.example', aud: 'shop', role: 'admin' } },
    ]);
    expect(regionText(through[0]?.region ?? [])).toContain('claim role in header authorization Bearer "admin"');
  });

  it.each([
    [{ iss: 'https://issuer.example', aud: 'shop', role: 'admin' }, 'delivered', undefined],
    [{ iss: 'https://issuer.example', aud: ['other', 'https://shop/'], role: ['x', 'admin'] }, 'delivered', undefined],
    [{ iss: 'https://issuer.example', aud: 'shop', role: 'guest' }, 'refused', 403],
    [{ iss: 'https://issuer.example', aud: 'other', role: 'admin' }, 'refused', 403],
    [{ iss: 'https://another.example', aud: 'shop', role: 'admin' }, 'refused', 401],
  ])('are taken for signed by whom they name: %j', (claims, outcome, status) => {
    const told = trace(meshOf(ADMIN), {
      from: 'shop',
      request: 'http://server.shop/',
      tokens: { [HEADER]: claims },
    });
    expect([told.outcome, told.refusal?.status]).toEqual([outcome, status]);
  });

  it.each([1, 2, 3, 4, 5, 6])('are in one class each, and fare as its witness does (seed %i)', (seed) => {
    const next = random(seed);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
    const condition = (): string => {
      const values = pick(['[admin]', '["adm*"]', '["*in"]', '["*"]', '[guest, admin]']);
      const key = pick(['claims[role]', 'claims[org][team]', 'claims[scope]', 'principal', 'audiences', 'presenter']);
      return `{ key: "request.auth.${key}", ${pick(['values', 'values', 'notValues'])}: ${key === 'principal' ? pick(['["*"]', '["https://issuer.example/*"]', '["*/admin"]']) : values} }`;
    };
    const rules = `[{ when: [${condition()}, ${condition()}] }, { when: [${condition()}] }]`;
    const mesh = meshOf(BASE + policy(rules));
    const { classes } = explore(mesh, { from: 'shop' }, TARGET);
    for (const { region, witness } of classes) expect(isOf(region, valueIn(witness))).toBe(true);
    const texts = ['admin', 'guest', 'administration', 'login', 'shop'];
    const claim = (): unknown => pick<unknown>([pick(texts), [pick(texts), pick(texts)], [], 7]);
    for (let count = 0; count < 60; count += 1) {
      const token = {
        iss: pick(['https://issuer.example', 'https://other.example']),
        aud: pick<unknown>(['shop', ['admin', 'shop'], 'guest']),
        ...(next() < 0.7 ? { sub: pick(['admin', 'x']) } : {}),
        ...(next() < 0.7 ? { role: claim() } : {}),
        ...(next() < 0.5 ? { scope: [pick(texts)] } : {}),
        ...(next() < 0.5 ? { azp: pick(texts) } : {}),
        ...(next() < 0.5 ? { org: { team: claim() } } : {}),
      };
      const request = { from: 'shop', request: 'http://server.shop.svc.cluster.local/', tokens: { [HEADER]: token } };
      const own = classes.filter(({ region }) => isOf(region, valueIn(request)));
      expect({ token, rules, classes: own.length }).toEqual({ token, rules, classes: 1 });
      const told = trace(mesh, request);
      const fares = [told.outcome, told.refusal?.code];
      expect({ token, rules, fares }).toEqual({ token, rules, fares: [own[0]?.trace.outcome, own[0]?.trace.refusal?.code] }); // prettier-ignore
    }
  });

  it('are what preflights are spared, which nobody asks about where no token is asked for', () => {
    const classes = (yaml: string): number =>
      explore(buildMesh(loadText(yaml).manifests), { from: 'shop/server' }, { scheme: 'http', host: 'server.shop.svc.cluster.local', port: 80 }).classes.length; // prettier-ignore
    const [without = ''] = BASE.split(/(?=apiVersion: security)/);
    expect(classes(without)).toBe(1);
    expect(classes(BASE)).toBeGreaterThan(1);
  });

  it('differ in a diff where a claim is no longer asked for', () => {
    const open = BASE + policy('[{ when: [{ key: "request.auth.claims[role]", values: [admin, guest] }] }]');
    const found = diff(loadText(ADMIN).manifests, loadText(open).manifests);
    expect(found.complete).toBe(true);
    expect(found.changes.map(({ effect, request }) => [effect, request.tokens])).toEqual([
      ['widened', { [HEADER]: { iss: 'https://issuer.example', aud: 'shop', role: 'guest' } }],
      ['widened', { [HEADER]: { iss: 'https://issuer.example', aud: 'shop', role: 'guest' } }],
    ]);
    expect(found.changes.map(({ from }) => from)).toEqual([['any workload without a sidecar'], ['every workload']]);
    expect(diff(loadText(ADMIN).manifests, loadText(`${ADMIN}\n`).manifests).complete).toBe(true);
  });

  it('are shown as a counterexample, and prove who is authenticated', () => {
    const decide = (rule: string): ReturnType<typeof prove> =>
      prove(meshOf(ADMIN), readRules(`rules: [{ name: it, ${rule} }]`).rules);
    const [forbidden] = decide('forbid: { from: "*", to: { services: [shop/server] } }');
    expect(forbidden).toMatchObject({
      verdict: 'refuted',
      counterexample: { tokens: { [HEADER]: { role: 'admin' } } },
    });
    expect(decide('require: { from: "*", to: { services: [shop/server] }, authenticated: true }')[0]?.verdict).toBe(
      'proved',
    );
  });

  it('leave nothing undecided in the register', () => {
    expect(register(meshOf(ADMIN), { to: 'server.shop.svc.cluster.local' }).undecided).toEqual([]);
  });

  it('are asked for by Envoy Gateway with the types of their claims', () => {
    const mesh = meshOf(`
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: eg }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec: { gatewayClassName: eg, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: v1
kind: Service
metadata: { name: server, namespace: shop }
spec: { clusterIP: 10.0.0.1, selector: { app: server }, ports: [{ name: http, port: 80 }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: shop }
spec: { parentRefs: [{ name: edge }], hostnames: [web.example.org], rules: [{ backendRefs: [{ name: server, port: 80 }] }] }
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: { name: web, namespace: shop }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: web }]
  jwt: { providers: [{ name: own, issuer: "https://issuer.example", remoteJWKS: { uri: "https://issuer.example/keys" } }] }
  authorization:
    defaultAction: Deny
    rules: [{ action: Allow, principal: { jwt: { provider: own, scopes: [read], claims: [{ name: team, valueType: StringArray, values: [shop] }] } } }]
`);
    const target = { scheme: 'http', host: 'web.example.org', port: 80 } as const;
    const { classes, undecided } = explore(mesh, { from: 'outside', at: 'shop/edge' }, target);
    expect([undecided, classes.flatMap(({ open }) => open)]).toEqual([[], []]);
    const through = classes.filter(({ trace: { outcome } }) => outcome === 'delivered');
    expect(through[0]?.witness.tokens).toEqual({
      [HEADER]: { iss: 'https://issuer.example', scope: 'read', team: ['shop'] },
    });
    const refused = trace(mesh, {
      ...through[0]!.witness,
      tokens: { [HEADER]: { iss: 'https://issuer.example', scope: 'read', team: 'shop' } },
    });
    expect(refused.refusal?.status).toBe(403);
  });
});
