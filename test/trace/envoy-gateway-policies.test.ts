import { generateKeyPairSync, sign } from 'node:crypto';
import { abort, ask, DELIVERED, MESH, ON_ROUTE, onGateway, policy } from './envoy-gateway-world';
import { traceIn } from './text';

describe('which policy of Envoy Gateway is in force', () => {
  it('is that of the rule, else the route, else the listener, else the Gateway', () => {
    const onRule = policy('BackendTrafficPolicy', `${ON_ROUTE.replace('}]', ', sectionName: v1}]')}, ${abort(501)}`);
    const all = [
      policy('BackendTrafficPolicy', `${onGateway()}, ${abort(504)}`),
      policy('BackendTrafficPolicy', `${onGateway('http')}, ${abort(503)}`),
      policy('BackendTrafficPolicy', `${ON_ROUTE}, ${abort(502)}`),
      onRule,
    ];
    expect(ask(all.join(''), '/v1')).toBe('FI 501 at envoy-gateway');
    expect(ask(all.join(''))).toBe('FI 502 at envoy-gateway');
    expect(ask(all.slice(0, 2).join(''))).toBe('FI 503 at envoy-gateway');
    expect(ask(all.slice(0, 2).join(''), '/', {}, 8080)).toBe('FI 504 at envoy-gateway');
  });

  it('is the first of two on one target', () => {
    const both = policy('BackendTrafficPolicy', `${ON_ROUTE}, ${abort(501)}`);
    expect(ask(both + policy('BackendTrafficPolicy', `${ON_ROUTE}, ${abort(502)}`))).toBe('FI 501 at envoy-gateway');
  });

  it('may choose its targets by labels', () => {
    const chosen = (label: string) =>
      policy(
        'BackendTrafficPolicy',
        `targetSelectors: [{kind: HTTPRoute, matchLabels: {team: ${label}}}], ${abort(503)}`,
      );
    expect(ask(chosen('pay'))).toBe('FI 503 at envoy-gateway');
    expect(ask(chosen('other'))).toBe(DELIVERED);
  });

  it('takes what it lacks from the one of the Gateway if it merges, and nothing if not', () => {
    const parent = policy('BackendTrafficPolicy', `${onGateway()}, ${abort(503)}`);
    const retry = 'retry: {numRetries: 2}';
    expect(ask(parent + policy('BackendTrafficPolicy', `${ON_ROUTE}, ${retry}`))).toBe(DELIVERED);
    expect(ask(parent + policy('BackendTrafficPolicy', `${ON_ROUTE}, mergeType: StrategicMerge, ${retry}`))).toBe(
      'FI 503 at envoy-gateway',
    );
  });
});

/** As Envoy Gateway 1.7.0 translates it, and an Envoy then answers. */
describe('a SecurityPolicy that Envoy Gateway refuses for a route', () => {
  const login = "oidc: {provider: {issuer: 'https://id.example.com'}, clientID: shop, clientSecret: {name: shop}, redirectURL: 'https://www.example.com/back', passThroughAuthHeader: true}"; // prettier-ignore
  const jwt = (from: string): string => `, jwt: {providers: [{name: id, issuer: 'https://id.example.com', ${from}remoteJWKS: {uri: 'https://id.example.com/keys'}}]}`; // prettier-ignore
  const keys = 'apiKeyAuth: {credentialRefs: [{name: keys}], extractFrom: [{headers: [X-Key], params: [key]}]}';

  it.each([
    ['a login that lets tokens pass which nothing reads', login, DELIVERED],
    ['one whose provider reads cookies alone', login + jwt('extractFrom: {cookies: [id]}, '), DELIVERED],
    ['one whose provider reads a header', login + jwt('extractFrom: {headers: [{name: id}]}, '), 'oidc 302 at envoy-gateway'], // prettier-ignore
    ['one whose provider reads where tokens usually are', login + jwt(''), 'oidc 302 at envoy-gateway'],
    ['keys in several kinds of places by one entry', keys, DELIVERED],
  ])('asks nobody for anything: %s', (_what, text, expected) => {
    expect(ask(policy('SecurityPolicy', `${ON_ROUTE}, ${text}`))).toBe(expected);
  });

  it('leaves the route to the policy of the Gateway, for which none of this is looked at', () => {
    const denied = policy('SecurityPolicy', `${onGateway()}, authorization: {defaultAction: Deny}`);
    expect(ask(policy('SecurityPolicy', `${ON_ROUTE}, ${login}`) + denied)).toBe('RBAC 403 at envoy-gateway');
    expect(ask(policy('SecurityPolicy', `${onGateway()}, ${keys}`))).toBe('apiKeyAuth 401 at envoy-gateway');
  });
});

describe('a fault of Envoy Gateway', () => {
  it('comes before who may call, and before backends that are none', () => {
    const denied = policy('SecurityPolicy', `${ON_ROUTE}, authorization: {defaultAction: Deny}`);
    expect(ask(denied + policy('BackendTrafficPolicy', `${ON_ROUTE}, ${abort(503)}`))).toBe('FI 503 at envoy-gateway');
  });

  it('for a share of requests lets a request pass', () => {
    const some = abort(503).replace('503', '503, percentage: 50');
    expect(ask(policy('BackendTrafficPolicy', `${ON_ROUTE}, ${some}`))).toBe(DELIVERED);
  });
});

describe('an authorization of Envoy Gateway', () => {
  const authorized = (text: string, path = '/', request: object = {}): string =>
    ask(policy('SecurityPolicy', `${ON_ROUTE}, authorization: {${text}}`), path, request);
  const anybody = 'principal: {clientCIDRs: ["0.0.0.0/0"]}';

  it('denies what no rule allows, unless it says otherwise', () => {
    expect(authorized(`rules: [{action: Allow, ${anybody}, operation: {methods: [POST]}}]`)).toBe(
      'RBAC 403 at envoy-gateway',
    );
    expect(
      authorized(`rules: [{action: Allow, ${anybody}, operation: {methods: [POST]}}]`, '/', { method: 'POST' }),
    ).toBe(DELIVERED);
    expect(authorized('defaultAction: Allow')).toBe(DELIVERED);
  });

  it('is decided by the first rule that fits', () => {
    const deny = `{action: Deny, ${anybody}}`;
    const allow = `{action: Allow, ${anybody}}`;
    expect(authorized(`rules: [${deny}, ${allow}]`)).toBe('RBAC 403 at envoy-gateway');
    expect(authorized(`rules: [${allow}, ${deny}]`)).toBe(DELIVERED);
  });

  it('by headers needs all of them, each with one of its values', () => {
    const text = 'rules: [{action: Allow, principal: {headers: [{name: X-Team, values: [pay, dev]}]}}]';
    expect(authorized(text, '/', { headers: { 'x-team': 'dev' } })).toBe(DELIVERED);
    expect(authorized(text, '/', { headers: { 'x-team': 'ops' } })).toBe('RBAC 403 at envoy-gateway');
  });

  it('by the address of a client that nobody tells is unknown, unless all answers are the same', () => {
    const some = (action: string) => `{action: ${action}, principal: {clientCIDRs: [192.0.2.0/24]}}`;
    expect(authorized(`rules: [${some('Allow')}]`)).toBe('unknown');
    expect(authorized(`rules: [${some('Deny')}]`)).toBe('RBAC 403 at envoy-gateway');
  });
});

describe('credentials that a SecurityPolicy asks for', () => {
  const asks = (text: string, path = '/', headers = {}): string =>
    ask(policy('SecurityPolicy', `${ON_ROUTE}, ${text}`), path, { headers });
  const key = 'apiKeyAuth: {credentialRefs: [{name: keys}], extractFrom: [{headers: [X-Key]}, {params: [key]}]}';

  it.each([
    ['none for basicAuth', 'basicAuth: {users: {name: users}}', '/', {}, 'basicAuth 401 at envoy-gateway'],
    ['one for basicAuth', 'basicAuth: {users: {name: users}}', '/', { authorization: 'Basic x' }, 'unknown'],
    [
      'a token for basicAuth',
      'basicAuth: {users: {name: users}}',
      '/',
      { authorization: 'Bearer x' },
      'basicAuth 401 at envoy-gateway',
    ],
    [
      'another spelling for basicAuth',
      'basicAuth: {users: {name: users}}',
      '/',
      { authorization: 'basic eDp5' },
      'basicAuth 401 at envoy-gateway',
    ],
    ['no key', key, '/', {}, 'apiKeyAuth 401 at envoy-gateway'],
    ['a key in a header', key, '/', { 'x-key': 'a' }, 'unknown'],
    ['a key in the query', key, '/?key=a', {}, 'unknown'],
    ['no token', 'jwt: {providers: []}', '/', {}, 'jwt 401 at envoy-gateway'],
    ['no token where none is needed', 'jwt: {optional: true, providers: []}', '/', {}, DELIVERED],
  ])('%s', (_, text, path, headers, expected) => {
    expect(asks(text, path, headers)).toBe(expected);
  });
});

describe('tokens that a SecurityPolicy asks for', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] });
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (claims: object): string => {
    const text = `${part({ alg: 'RS256' })}.${part({ iss: 'https://login.example.com', ...claims })}`;
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  const jwt = (more = ''): string =>
    `jwt: {${more}providers: [{name: login, issuer: "https://login.example.com", audiences: [shop], localJWKS: {type: Inline, inline: '${keys}'}}]}`;
  const asks = (text: string, claims?: object): string =>
    ask(policy('SecurityPolicy', `${ON_ROUTE}, ${text}`), '/', {
      headers: claims === undefined ? {} : { authorization: `Bearer ${token(claims)}` },
    });

  it.each([
    ['none', undefined, 'jwt 401 at envoy-gateway'],
    ['a good one', { aud: 'shop' }, DELIVERED],
    ['one for somebody else', { aud: 'other' }, 'jwt_authn 403 at envoy-gateway'],
    ['one of long ago', { aud: 'shop', exp: 1 }, 'jwt_authn 401 at envoy-gateway'],
    ['one of another issuer', { iss: 'me' }, 'jwt_authn 401 at envoy-gateway'],
  ])('%s', (_what, claims, expected) => {
    expect(asks(jwt(), claims)).toBe(expected);
  });

  it('may be left out where they are optional, not be wrong', () => {
    expect(asks(jwt('optional: true, '))).toBe(DELIVERED);
    expect(asks(jwt('optional: true, '), { aud: 'other' })).toBe('jwt_authn 403 at envoy-gateway');
  });

  it('are judged by the keys of a ConfigMap: those of jwks, or the only ones', () => {
    const stored = (data: object) => `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: keys, namespace: app}
data: ${JSON.stringify(data)}`;
    const referring = jwt().replace(/localJWKS: \{.*\}\}\]\}/, 'localJWKS: {type: ValueRef, valueRef: {group: "", kind: ConfigMap, name: keys}}}]}'); // prettier-ignore
    const by = (data: object, claims: object) =>
      ask(stored(data) + policy('SecurityPolicy', `${ON_ROUTE}, ${referring}`), '/', { headers: { authorization: `Bearer ${token(claims)}` } }); // prettier-ignore
    const others = JSON.stringify({ keys: [] });
    expect(by({ jwks: keys, more: others }, { aud: 'shop' })).toBe(DELIVERED);
    expect(by({ any: keys }, { aud: 'shop' })).toBe(DELIVERED);
    expect(by({ jwks: others, more: keys }, { aud: 'shop' })).toBe('jwt_authn 401 at envoy-gateway');
    expect(by({ one: keys, more: others }, { aud: 'shop' })).toBe('unknown');
  });

  it('cannot be judged where their keys are fetched', () => {
    const fetched = jwt().replace(/localJWKS: \{.*\}\}\]\}/, 'remoteJWKS: {uri: "https://login.example.com/keys"}}]}');
    expect(asks(fetched, { aud: 'shop' })).toBe('unknown');
  });

  it.each([
    ['claims: [{name: role, values: [admin, owner]}]', { role: 'admin' }, DELIVERED],
    ['claims: [{name: role, values: [admin]}]', { role: ['admin'] }, 'RBAC 403 at envoy-gateway'],
    ['claims: [{name: role, valueType: StringArray, values: [admin]}]', { role: ['admin'] }, DELIVERED],
    ['claims: [{name: org.role, values: [admin]}]', { org: { role: 'admin' } }, DELIVERED],
    [
      'claims: [{name: role, values: [admin]}, {name: team, values: [pay]}]',
      { role: 'admin' },
      'RBAC 403 at envoy-gateway',
    ],
    ['scopes: [read, write]', { scope: 'read write' }, DELIVERED],
    ['scopes: [read, write]', { scp: ['read'] }, 'RBAC 403 at envoy-gateway'],
  ])('allow by {%s}', (principal, claims, expected) => {
    const rules = `rules: [{action: Allow, principal: {jwt: {provider: login, ${principal}}}}]`;
    expect(asks(`${jwt()}, authorization: {${rules}}`, { aud: 'shop', ...claims })).toBe(expected);
    expect(asks(`${jwt('optional: true, ')}, authorization: {${rules}}`)).toBe('RBAC 403 at envoy-gateway');
  });
});

/** As Envoy 1.37 does it with what Envoy Gateway 1.7.0 makes of such policies. */
describe('headers that a token of a SecurityPolicy writes', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] });
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const bearer = (claims: object): string => {
    const text = `${part({ alg: 'RS256' })}.${part({ iss: 'https://login.example.com', ...claims })}`;
    return `Bearer ${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  };
  const jwt = (more = ''): string =>
    `jwt: {optional: true, providers: [{name: login, issuer: "https://login.example.com", localJWKS: {type: Inline, inline: '${keys}'}, claimToHeaders: [{header: X-Tier, claim: tier}]${more}}]}`;
  const GOLD = 'authorization: {rules: [{action: Allow, principal: {headers: [{name: x-tier, values: [gold]}]}}]}';

  it.each([
    ['a client that writes it itself', {}, 'RBAC 403 at envoy-gateway'],
    ['one that does so beside a token without it', { authorization: bearer({}) }, 'RBAC 403 at envoy-gateway'],
    ['one whose token has it', { authorization: bearer({ tier: 'gold' }), 'x-tier': 'lead' }, DELIVERED],
    ['one whose token has another', { authorization: bearer({ tier: 'lead' }) }, 'RBAC 403 at envoy-gateway'],
  ])('are of no other making: %s', (_who, headers, expected) => {
    expect(ask(policy('SecurityPolicy', `${ON_ROUTE}, ${jwt()}, ${GOLD}`), '/', { headers: { 'x-tier': 'gold', ...headers } })).toBe(expected); // prettier-ignore
  });

  it('choose another route where they are told to, which has its filters after that of tokens', () => {
    const gold = `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: gold, namespace: app}
spec:
  parentRefs: [{name: front}]
  rules: [{matches: [{headers: [{name: x-tier, value: gold}]}], backendRefs: [{name: store, port: 80}]}]`;
    const onGold = 'targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: gold}]';
    const anew = policy('SecurityPolicy', `${ON_ROUTE}, ${jwt(', recomputeRoute: true')}`);
    const headers = { authorization: bearer({ tier: 'gold' }) };
    const asks = (more: string): string => ask(more, '/', { headers });
    expect(asks(gold + policy('SecurityPolicy', `${ON_ROUTE}, ${jwt()}`))).toBe(DELIVERED);
    expect(asks(gold + anew)).toBe('delivered to store.app.svc.cluster.local:80');
    expect(asks(gold + anew + policy('BackendTrafficPolicy', `${onGold}, ${abort(418)}`))).toBe('delivered to store.app.svc.cluster.local:80'); // prettier-ignore
    expect(asks(gold + anew + policy('SecurityPolicy', `${onGold}, authorization: {defaultAction: Deny}`))).toBe('RBAC 403 at envoy-gateway'); // prettier-ignore
  });

  it('are asked of preflights as of others', () => {
    const preflight = { origin: 'https://a.example', 'access-control-request-method': 'GET' };
    const needed = policy('SecurityPolicy', `${ON_ROUTE}, ${jwt().replace('optional: true, ', '')}`);
    const asks = (headers: object): string => ask(needed, '/', { method: 'OPTIONS', headers: { ...preflight, ...headers } }); // prettier-ignore
    expect(asks({})).toBe('jwt 401 at envoy-gateway');
    expect(asks({ authorization: bearer({}) })).toBe(DELIVERED);
  });
});

describe('cors of a SecurityPolicy', () => {
  const asks = (headers: Record<string, string>): string =>
    ask(policy('SecurityPolicy', `${ON_ROUTE}, cors: {allowOrigins: ["https://a.example.com"]}`), '/', {
      method: 'OPTIONS',
      headers,
    });

  it('answers the question of a browser itself, whichever origin asks', () => {
    const answered = 'direct_response 200 at envoy-gateway';
    expect(asks({ origin: 'https://a.example.com', 'access-control-request-method': 'GET' })).toBe(answered);
    expect(asks({ origin: 'https://b.example.com', 'access-control-request-method': 'GET' })).toBe(answered);
  });

  it('lets every other request on', () => {
    expect(asks({ origin: 'https://b.example.com' })).toBe(DELIVERED);
  });
});

describe("Envoy Gateway's own filters", () => {
  const filter = (name: string, spec: string): string => `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: ${name}, namespace: app}
spec: {${spec}}`;
  const route = (name: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: filtered, namespace: app}
spec:
  parentRefs: [{name: front}]
  hostnames: [www.example.com]
  rules:
    - filters: [{type: ExtensionRef, extensionRef: {group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: ${name}}}]
      backendRefs: [{name: store, port: 80}]`;

  it('answer by themselves, also where the backend exists', () => {
    expect(ask(route('teapot') + filter('teapot', 'directResponse: {statusCode: 418}'))).toBe(
      'direct_response 418 at envoy-gateway',
    );
  });

  it('that are not there are a 500', () => {
    expect(ask(route('absent'))).toBe('direct_response 500 at envoy-gateway');
  });

  it('that rewrite let the request go on', () => {
    const more = filter(
      'rewrite',
      'urlRewrite: {path: {type: ReplaceRegexMatch, replaceRegexMatch: {pattern: a, substitution: b}}}',
    );
    expect(ask(route('rewrite') + more)).toBe('delivered to store.app.svc.cluster.local:80');
  });

  /** As Envoy Gateway 1.7.0 translates it, and an Envoy then asks: it rewrites for endpoints that have a name. */
  it.each([
    ['the name of an endpoint', '{fqdn: {hostname: ext.example.com, port: 80}}', 'ext.example.com'],
    ['the one that it is given beside', '{hostname: own.example.com, ip: {address: 192.0.2.1, port: 80}}', 'own.example.com'], // prettier-ignore
    ['nothing for an address', '{ip: {address: 192.0.2.1, port: 80}}', 'www.example.com'],
  ])('that make the backend the Host take %s', (_what, endpoint, host) => {
    const named = route('host').replace('{name: store, port: 80}', '{group: gateway.envoyproxy.io, kind: Backend, name: out}'); // prettier-ignore
    const out = `
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: out, namespace: app}
spec: {endpoints: [${endpoint}]}`;
    const asked = (text: string): string | undefined =>
      traceIn(MESH + text + filter('host', 'urlRewrite: {hostname: {type: Backend}}'))('http://www.example.com/', { from: 'outside', at: 'app/front' }).hops[0]?.asks?.authority; // prettier-ignore
    expect(asked(named + out) ?? 'www.example.com').toBe(host);
    expect(asked(route('host'))).toBeUndefined();
  });
});

describe('the order of routes at Envoy Gateway', () => {
  const routes = (first: string, second: string): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ordered, namespace: app}
spec:
  parentRefs: [{name: front}]
  hostnames: [www.example.com]
  rules:
    - matches: [{${first}}]
      backendRefs: [{name: shop, port: 80}]
    - matches: [{${second}}]
      backendRefs: [{name: store, port: 80}]`;

  it.each([
    [
      'a regular expression before a prefix',
      'path: {type: PathPrefix, value: /v1}',
      'path: {type: RegularExpression, value: "/v[0-9]"}',
      'store',
    ],
    [
      'an exact path before a regular expression',
      'path: {type: Exact, value: /v1}',
      'path: {type: RegularExpression, value: "/v[0-9]+x?"}',
      'shop',
    ],
    ['a longer prefix', 'path: {value: /}', 'path: {value: /v1}', 'store'],
    ['a prefix with a slash at its end', 'path: {value: /v1}, method: GET', 'path: {value: /v1/}', 'store'],
    ['a method, which counts as a header', 'queryParams: [{name: v, value: "2"}]', 'method: GET', 'store'],
    ['more headers before a method', 'headers: [{name: x-a, value: a}, {name: x-b, value: b}]', 'method: GET', 'shop'],
    ['the first of equals', 'method: GET', 'method: GET', 'shop'],
    ['a parameter as it stands in the query', 'queryParams: [{name: w, value: a+b}]', 'queryParams: [{name: w, value: "a b"}]', 'shop'], // prettier-ignore
    ['no parameter without its escapes', 'queryParams: [{name: x, value: "1"}]', 'queryParams: [{name: x, value: "%31"}]', 'store'], // prettier-ignore
  ])('%s', (_, first, second, expected) => {
    const request = { headers: { 'x-a': 'a', 'x-b': 'b' } };
    expect(ask(routes(first, second), '/v1?v=2&w=a+b&x=%31', request)).toBe(
      `delivered to ${expected}.app.svc.cluster.local:80`,
    );
  });
});
