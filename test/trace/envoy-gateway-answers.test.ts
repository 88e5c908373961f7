/** Logins by OIDC, and responses that policies replace. */
import { ask, DELIVERED, MESH, ON_ROUTE, policy } from './envoy-gateway-world';
import { traceIn } from './text';

describe('a login by OIDC', () => {
  const login = (more = '', rest = ''): string =>
    policy('SecurityPolicy', `${ON_ROUTE}, oidc: {provider: {issuer: 'https://id.example.com', authorizationEndpoint: 'https://id.example.com/auth'}, clientID: shop, clientSecret: {name: shop}, redirectURL: 'https://www.example.com/back', logoutPath: /bye${more}}${rest}`); // prettier-ignore
  const JWT =
    ", jwt: {providers: [{name: id, issuer: 'https://id.example.com', remoteJWKS: {uri: 'https://id.example.com/keys'}}]}";

  it('sends to the provider, but for headers for which that is denied', () => {
    const denied = login(", denyRedirect: {headers: [{name: x-ajax, value: 'yes'}, {name: accept, type: Prefix, value: application/}]}"); // prettier-ignore
    expect(ask(denied)).toBe('oidc 302 at envoy-gateway');
    expect(ask(denied, '/', { headers: { 'x-ajax': 'no' } })).toBe('oidc 302 at envoy-gateway');
    expect(ask(denied, '/', { headers: { 'x-ajax': 'yes' } })).toBe('oidc 401 at envoy-gateway');
    expect(ask(denied, '/', { headers: { accept: 'application/json' } })).toBe('oidc 401 at envoy-gateway');
  });

  it('lets go on whoever shows a token, where it is told to', () => {
    const bearer = { headers: { authorization: 'Bearer a.b.c' } };
    expect(ask(login('', JWT), '/', bearer)).toBe('oidc 302 at envoy-gateway');
    const passing = login(', passThroughAuthHeader: true', JWT);
    expect(ask(passing)).toBe('oidc 302 at envoy-gateway');
    expect(ask(passing, '/', { headers: { authorization: 'Basic eA==' } })).toBe('oidc 302 at envoy-gateway');
    expect(ask(passing, '/', bearer)).toBe('jwt_authn 401 at envoy-gateway');
    const named = JWT.replace('name: id,', 'name: id, extractFrom: {headers: [{name: x-token}]},');
    expect(ask(login(', passThroughAuthHeader: true', named), '/', bearer)).toBe('oidc 302 at envoy-gateway');
    expect(ask(login(', passThroughAuthHeader: true', named), '/', { headers: { 'x-token': 'x' } })).toBe('jwt_authn 401 at envoy-gateway'); // prettier-ignore
  });

  /** As an Envoy 1.37 answered, with what Envoy Gateway 1.7.0 makes of such a policy. */
  it.each([
    ['a path with a query', '/any?x=1', {}, 'oidc 302 at envoy-gateway'],
    ['a program that asks for JSON', '/', { accept: 'application/json', 'x-requested-with': 'XMLHttpRequest' }, 'oidc 302 at envoy-gateway'], // prettier-ignore
    ['a token that nothing is told to pass', '/', { authorization: 'Bearer a.b.c' }, 'oidc 302 at envoy-gateway'],
    ['the way back with an error of the provider', '/back?error=access_denied', {}, 'oidc 401 at envoy-gateway'],
    ['the way back with a code', '/back?code=a&state=b', {}, 'oidc 401 at envoy-gateway'],
    ['a slash more than the way back', '/back/', {}, 'oidc 302 at envoy-gateway'],
    ['the way out with a query', '/bye?x=1', {}, 'oidc 302 at envoy-gateway'],
  ])('answers %s', (_what, path, headers, expected) => {
    expect(ask(login(), path, { headers })).toBe(expected);
  });

  it('goes before who may call, and after keys', () => {
    const more = ', apiKeyAuth: {credentialRefs: [{name: keys}], extractFrom: [{headers: [X-Key]}]}';
    expect(ask(login('', ', authorization: {defaultAction: Deny}'))).toBe('oidc 302 at envoy-gateway');
    expect(ask(login('', more), '/bye')).toBe('apiKeyAuth 401 at envoy-gateway');
  });

  it('takes nobody back who has begun no login, and signs out', () => {
    expect(ask(login(), '/back?code=x&state=y')).toBe('oidc 401 at envoy-gateway');
    expect(ask(login(), '/back', { headers: { cookie: 'a=b' } })).toBe('unknown');
    expect(ask(login(), '/bye', { headers: { cookie: 'a=b' } })).toBe('oidc 302 at envoy-gateway');
  });
});

describe('a login whose redirectURL leads to no path', () => {
  it.each(['https://www.example.com/', 'https://www.example.com', 'www.example.com/back'])('is none: %s', (url) =>
    expect(ask(policy('SecurityPolicy', `${ON_ROUTE}, oidc: {provider: {issuer: 'https://id.example.com'}, clientID: shop, clientSecret: {name: shop}, redirectURL: '${url}'}`))).toBe('direct_response 500 at envoy-gateway')); // prettier-ignore
});

describe('responses that a BackendTrafficPolicy replaces', () => {
  const override = (statuses: string, rest: string): string =>
    policy('BackendTrafficPolicy', `${ON_ROUTE}, responseOverride: [{match: {statusCodes: [${statuses}]}, ${rest}}]`);
  const DENIED = policy('SecurityPolicy', `${ON_ROUTE}, authorization: {defaultAction: Deny}`);

  it('have another status, also those that the proxy made itself', () => {
    const by418 = 'response: {statusCode: 418}';
    expect(ask(DENIED + override('{value: 403}', by418))).toBe('RBAC 418 at envoy-gateway');
    expect(ask(DENIED + override('{type: Range, range: {start: 400, end: 403}}', by418))).toBe('RBAC 418 at envoy-gateway'); // prettier-ignore
    expect(ask(DENIED + override('{value: 404}, {type: Range, range: {start: 404, end: 499}}', by418))).toBe('RBAC 403 at envoy-gateway'); // prettier-ignore
    expect(ask(DENIED + override('{value: 403}', 'response: {body: {inline: no}}'))).toBe('RBAC 403 at envoy-gateway');
    expect(ask(override('{value: 403}', by418))).toBe(DELIVERED);
  });

  it('are refusals as before, whatever their status', () => {
    const told = traceIn(MESH + DENIED + override('{value: 403}', 'response: {statusCode: 200}'));
    const { outcome: is, refusal, notes } = told('http://www.example.com/', { from: 'outside', at: 'app/front' });
    expect([is, refusal?.code, refusal?.status]).toEqual(['refused', 'RBAC', 200]);
    expect(notes.join()).toContain('puts 200 in its place (spec.responseOverride)');
  });

  it('are not known where another route answers for them', () =>
    expect(ask(DENIED + override('{value: 403}', 'redirect: {hostname: login.example.com}'))).toBe('unknown'));
});
