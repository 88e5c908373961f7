import { createHmac, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { outcome, traceIn } from './text';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const shared = randomBytes(24).toString('base64url');
const KEYS = JSON.stringify({
  keys: [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa', alg: 'RS256' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec' },
    { kty: 'oct', k: shared, kid: 'oct' },
  ],
});

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A token as its issuer signs it. */
function token(claims: object, { alg = 'RS256', kid = 'rsa', by = rsa.privateKey as KeyObject } = {}): string {
  const head = `${encoded({ alg, kid })}.${encoded({ iss: 'https://login.example.com', sub: 'ann', ...claims })}`;
  const data = Buffer.from(head);
  const signature =
    alg === 'HS256'
      ? createHmac('sha256', Buffer.from(shared, 'base64url')).update(head).digest()
      : sign('sha256', data, alg === 'ES256' ? { key: by, dsaEncoding: 'ieee-p1363' } : by);
  return `${head}.${signature.toString('base64url')}`;
}

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: edge}
spec:
  selector: {matchLabels: {app: ingress}}
  template:
    metadata:
      labels: {app: ingress, sidecar.istio.io/inject: "true"}
      annotations: {inject.istio.io/templates: gateway}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: edge}
spec: {selector: {app: ingress}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: app, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop}]}
---
apiVersion: v1
kind: Service
metadata: {name: admin, namespace: app}
spec: {selector: {app: admin}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: admin, namespace: app, labels: {app: admin}}
spec: {containers: [{name: admin, image: admin}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec: {selector: {app: ingress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: front, namespace: edge}
spec:
  hosts: ["*"]
  gateways: [front]
  http:
  - match: [{headers: {"@request.auth.claims.group": {exact: ops}}}, {headers: {"@request.auth.claims[org][role]": {prefix: adm}}}]
    route: [{destination: {host: admin.app.svc.cluster.local}}]
  - match: [{uri: {prefix: /guests}, withoutHeaders: {"@request.auth.claims.group": {exact: staff}}}]
    directResponse: {status: 204}
  - match: [{headers: {x-group: {exact: staff}}}]
    directResponse: {status: 202}
  - route: [{destination: {host: shop.app.svc.cluster.local}}]
`;

const authentication = (rule: string, at = 'edge'): string => `
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: ${at}}
spec: {jwtRules: [{issuer: "https://login.example.com", jwks: '${KEYS}'${rule}}]}`;
const authorization = (action: string, rule: string, at = 'edge'): string => `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: claims, namespace: ${at}}
spec: {action: ${action}, rules: [${rule}]}`;

const ask = (yaml: string, sent?: string, path = '/', headers = {}): string =>
  outcome(
    traceIn(MESH + yaml)(`http://www.example.com${path}`, {
      from: 'outside',
      at: 'edge/front',
      headers: { ...(sent === undefined ? {} : { authorization: `Bearer ${sent}` }), ...headers },
    }),
  );
const SHOP = 'delivered to shop.app.svc.cluster.local:80';
const ADMIN = 'delivered to admin.app.svc.cluster.local:80';
const now = Math.floor(Date.now() / 1000);

describe('a token whose keys are in the manifests', () => {
  it.each([
    ['RSA', token({})],
    ['elliptic curves', token({}, { alg: 'ES256', kid: 'ec', by: ec.privateKey })],
    ['a shared key', token({}, { alg: 'HS256', kid: 'oct' })],
    ['no key id', token({}, { kid: '' })],
  ])('is taken if it is signed by %s', (_what, sent) => {
    expect(ask(authentication(''), sent)).toBe(SHOP);
  });

  it.each([
    ['by another key', token({}, { by: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }), 401],
    ['by a key that is not in the set', token({}, { kid: 'other' }), 401],
    ['by another kind of key than it says', token({}, { alg: 'ES256', kid: 'rsa', by: ec.privateKey }), 401],
    ['long ago', token({ exp: now - 90 }), 401],
    ['for later', token({ nbf: now + 90 }), 401],
  ])('is refused if it was signed %s', (_what, sent, status) => {
    expect(ask(authentication(''), sent)).toBe(`jwt_authn ${status} at ingress-gateway`);
  });

  const signed = (header: object, claims: object): string => {
    const head = `${encoded(header)}.${encoded({ iss: 'https://login.example.com', ...claims })}`;
    return `${head}.${sign('sha256', Buffer.from(head), rsa.privateKey).toString('base64url')}`;
  };
  const HEADER = { alg: 'RS256', kid: 'rsa' };

  // By the types that jwt.cc of Envoy asks for, before anything else is looked at.
  it.each([
    [HEADER, { exp: String(now + 90) }],
    [HEADER, { iat: -1 }],
    [HEADER, { nbf: 'now' }],
    [HEADER, { exp: null }],
    [HEADER, { sub: 7 }],
    [HEADER, { jti: 7 }],
    [HEADER, { aud: 7 }],
    [HEADER, { aud: ['shop', 7] }],
    [{ ...HEADER, kid: 7 }, {}],
    [{ ...HEADER, alg: 'none' }, {}],
    [{ kid: 'rsa' }, {}],
  ])('is refused with a header %j and claims %j, whose types are wrong', (header, claims) => {
    expect(ask(authentication(''), signed(header, claims))).toBe('jwt_authn 401 at ingress-gateway');
  });

  it.each([{ exp: 0 }, { exp: 0.5 }, { iat: 1.5 }, { aud: [] }, { aud: 'shop', jti: 'x' }])(
    'is taken with claims %j, which are of the right types',
    (claims) => expect(ask(authentication(''), signed(HEADER, claims))).toBe(SHOP),
  );

  it('is taken within a minute of its time, which is what Envoy allows for clocks that differ', () => {
    expect(ask(authentication(''), token({ exp: now - 30, nbf: now + 30 }))).toBe(SHOP);
  });

  it.each([
    ['shop', SHOP],
    [['other', 'https://shop/'], SHOP],
    ['other', 'jwt_authn 403 at ingress-gateway'],
    [undefined, 'jwt_authn 403 at ingress-gateway'],
  ])('is judged by its audience %s', (aud, expected) => {
    expect(ask(authentication(', audiences: [shop]'), token({ aud }))).toBe(expected);
  });

  it('is judged by what does not need the keys where they are fetched', () => {
    const fetched = authentication('').replace(/jwks: '.*'/, 'jwksUri: "https://login.example.com/keys"');
    expect(ask(fetched, token({}))).toBe('unknown');
    expect(ask(fetched, token({ exp: now - 90 }))).toBe('jwt_authn 401 at ingress-gateway');
  });

  it('is taken by any of several rules', () => {
    const other = `, {issuer: "https://other.example.com", jwks: '${KEYS}'}`;
    const both = authentication('').replace(/\]\}$/, `${other}]}`);
    expect(ask(both, token({ iss: 'https://other.example.com' }))).toBe(SHOP);
    expect(ask(both, token({ iss: 'https://third.example.com' }))).toBe('jwt_authn 401 at ingress-gateway');
  });

  it('is not looked at in the question that a browser asks before a request of another origin', () => {
    const yaml = authentication('');
    const preflight = {
      origin: 'https://a.example.com',
      'access-control-request-method': 'GET',
      authorization: 'Bearer no',
    };
    const told = traceIn(MESH + yaml)('http://www.example.com/', {
      from: 'outside',
      at: 'edge/front',
      method: 'OPTIONS',
      headers: preflight,
    });
    expect(outcome(told)).toBe(SHOP);
  });
});

describe('the claims of a token', () => {
  it.each([
    ['/', token({ group: 'ops' }), ADMIN],
    ['/', token({ group: ['staff', 'ops'] }), ADMIN],
    ['/', token({ group: 'opsx' }), SHOP],
    ['/', token({ org: { role: 'admin' } }), ADMIN],
    ['/', undefined, SHOP],
    ['/guests', undefined, 'direct_response 204 at ingress-gateway'],
    ['/guests', token({}), 'direct_response 204 at ingress-gateway'],
    ['/guests', token({ group: 'staff' }), SHOP],
  ])('choose the route of %s', (path, sent, expected) => {
    expect(ask(authentication(''), sent, path)).toBe(expected);
  });

  it('that are a list come to a header in base64', () => {
    const yaml = authentication(', outputClaimToHeaders: [{header: X-Group, claim: group}]');
    expect(ask(yaml, token({ group: ['staff'] }), '/', { 'x-group': 'staff' })).toBe(SHOP);
  });

  it('choose the route of no token that is not verified', () => {
    expect(ask('', token({ group: 'ops' }))).toBe(SHOP);
  });

  it('choose it by the header that they are written into', () => {
    const yaml = authentication(', outputClaimToHeaders: [{header: X-Group, claim: group}]');
    expect(ask(yaml, token({ group: 'staff' }))).toBe('direct_response 202 at ingress-gateway');
  });

  it('are all that a header for them says, whatever a client writes into it', () => {
    const yaml = authentication(', outputClaimToHeaders: [{header: X-Group, claim: group}], outputPayloadToHeader: x-payload'); // prettier-ignore
    const answered = 'direct_response 202 at ingress-gateway';
    expect(ask(authentication(''), undefined, '/', { 'x-group': 'staff' })).toBe(answered);
    expect(ask(yaml, undefined, '/', { 'x-group': 'staff' })).toBe(SHOP);
    expect(ask(yaml, token({}), '/', { 'x-group': 'staff' })).toBe(SHOP);
    const denied = yaml + authorization('DENY', '{when: [{key: "request.headers[x-payload]", values: ["*"]}]}');
    expect(ask(denied, undefined, '/', { 'x-payload': 'own' })).toBe(SHOP);
    expect(ask(denied, token({}))).toBe('RBAC 403 at ingress-gateway');
  });

  const mine = 'https://login.example.com/ann';
  it.each([
    [`from: [{source: {requestPrincipals: ["${mine}"]}}]`, {}, SHOP],
    ['from: [{source: {requestPrincipals: ["*/ann"]}}]', {}, SHOP],
    ['from: [{source: {requestPrincipals: ["https://login.example.com/*"]}}]', {}, SHOP],
    // istiod splits a pattern at its last slash, wherever that is.
    ['from: [{source: {requestPrincipals: ["https://login*"]}}]', {}, 'RBAC 403 at ingress-gateway'],
    ['from: [{source: {requestPrincipals: ["https://login.example.com/bob"]}}]', {}, 'RBAC 403 at ingress-gateway'],
    ['from: [{source: {notRequestPrincipals: ["*"]}}]', {}, 'RBAC 403 at ingress-gateway'],
    ['when: [{key: "request.auth.claims[group]", values: [staff]}]', { group: ['staff'] }, SHOP],
    ['when: [{key: "request.auth.claims[org][role]", values: ["adm*"]}]', { org: { role: 'admix' } }, ADMIN],
    ['when: [{key: "request.auth.claims[scope]", values: [write]}]', { scope: 'read write' }, SHOP],
    // Spaces alone are no words, and the text stays as it is.
    ['when: [{key: "request.auth.claims[scope]", values: ["*"]}]', { scope: ' ' }, SHOP],
    ['when: [{key: "request.auth.claims[scope]", notValues: ["*"]}]', { scope: '' }, SHOP],
    // Numbers and booleans are no text, so that no value fits them.
    ['when: [{key: "request.auth.claims[group]", values: ["*"]}]', { group: 5 }, 'RBAC 403 at ingress-gateway'],
    ['when: [{key: "request.auth.claims[group]", notValues: ["true"]}]', { group: true }, SHOP],
    [
      'when: [{key: "request.auth.claims[words]", values: [write]}]',
      { words: 'a write' },
      'RBAC 403 at ingress-gateway',
    ],
    ['when: [{key: "request.auth.claims[level]", values: ["3"]}]', { level: 3 }, 'RBAC 403 at ingress-gateway'],
    ['when: [{key: request.auth.audiences, values: [shop]}]', { aud: ['shop'] }, SHOP],
    ['when: [{key: request.auth.presenter, values: [shop]}]', { azp: 'phone' }, 'RBAC 403 at ingress-gateway'],
  ])('allow by {%s}', (rule, claims, expected) => {
    expect(ask(authentication('') + authorization('ALLOW', `{${rule}}`), token(claims))).toBe(expected);
  });

  it('deny', () => {
    const denied = authorization('DENY', '{when: [{key: "request.auth.claims[group]", values: [staff]}]}');
    expect(ask(authentication('') + denied, token({ group: 'staff' }))).toBe('RBAC 403 at ingress-gateway');
    expect(ask(authentication('') + denied, token({ group: 'guest' }))).toBe(SHOP);
    expect(ask(authentication('') + denied)).toBe(SHOP);
  });

  it('reach the next proxy only if the token is forwarded', () => {
    const inner = authentication('', 'app').replace('name: jwt', 'name: inner');
    const needed = authorization('ALLOW', '{from: [{source: {requestPrincipals: ["*"]}}]}', 'app');
    expect(ask(authentication('') + inner + needed, token({}))).toBe('RBAC 403 at sidecar');
    expect(ask(authentication(', forwardOriginalToken: true') + inner + needed, token({}))).toBe(SHOP);
    expect(ask(inner + needed, token({}))).toBe(SHOP);
  });

  it('are those of a parameter that the rule looks into', () => {
    const yaml =
      authentication(', fromParams: [t]') + authorization('ALLOW', '{from: [{source: {requestPrincipals: ["*"]}}]}');
    expect(ask(yaml, undefined, `/?a=1&t=${token({})}`)).toBe(SHOP);
    expect(ask(yaml, token({}))).toBe('RBAC 403 at ingress-gateway');
  });
});
