/** What Envoy Gateway 1.8 and 1.9 brought that decides about requests. */
import { effectiveProxy } from '../../src/model/envoy-gateway';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { outcome, traceIn } from './text';

const MESH = `
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: eg}, spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: app}}
---
{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: app}, spec: {clusterIP: 10.96.0.10, selector: {app: shop}, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: shop, namespace: app, labels: {app: shop}}, spec: {containers: [{name: shop, image: shop}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: front, namespace: app}, spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: shop, namespace: app, labels: {tier: public}}, spec: {parentRefs: [{name: front}], rules: [{backendRefs: [{name: shop, port: 80}]}]}}
---
`;
const TARGET = 'targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}]';
const ask = (spec: string, path = '/', request: object = {}): string =>
  outcome(
    traceIn(`${MESH}{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: SecurityPolicy, metadata: {name: policy, namespace: app}, spec: {${spec}}}`)(`http://www.example.com${path}`, { from: 'outside', at: 'app/front', ...request }),
  ); // prettier-ignore
const DELIVERED = 'delivered to shop.app.svc.cluster.local:80';
const DENIED = 'RBAC 403 at envoy-gateway';

describe('authorization by path', () => {
  const allowed = (match: string, path: string): string =>
    ask(`${TARGET}, authorization: {rules: [{action: Allow, operation: {path: {${match}}}, principal: {clientCIDRs: ["0.0.0.0/0"]}}]}`, path); // prettier-ignore

  it.each([
    ['value: /public', '/public/a', DELIVERED],
    ['value: /public', '/public?a=b', DELIVERED],
    ['value: /public', '/publicity', DENIED],
    ['type: Exact, value: /public', '/public?a=b', DELIVERED],
    ['type: Exact, value: /public', '/public/a', DENIED],
    ['value: /public, invert: true', '/public', DENIED],
    ['value: /public, invert: true', '/other', DELIVERED],
    ['type: RegularExpression, value: "/p.*"', '/public', 'unknown'],
  ])('{%s} of %s: %s', (match, path, expected) => {
    expect(allowed(match, path)).toBe(expected);
  });
});

describe('authorization by an expression', () => {
  it('is unknown, unless the answer is the same without it', () => {
    const rule = (action: string): string => `{action: ${action}, cel: "request.headers['x-a'] == 'b'"}`;
    expect(ask(`${TARGET}, authorization: {rules: [${rule('Allow')}]}`)).toBe('unknown');
    expect(ask(`${TARGET}, authorization: {rules: [${rule('Deny')}]}`)).toBe(DENIED);
  });
});

describe('tokens that fail open', () => {
  const jwt = 'jwt: {failOpen: true, providers: [{name: id, issuer: "https://id.example.com", localJWKS: {type: Inline, inline: "{}"}}]}'; // prettier-ignore
  const broken = { headers: { authorization: 'Bearer none' } };

  it('let a request without a token pass, and one whose token is none', () => {
    expect(ask(`${TARGET}, ${jwt}`)).toBe(DELIVERED);
    expect(ask(`${TARGET}, ${jwt}`, '/', broken)).toBe(DELIVERED);
    expect(ask(`${TARGET}, ${jwt.replace('failOpen: true, ', '')}`, '/', broken)).toMatch(/401/);
  });

  it('count for nothing where authorization asks for a claim', () => {
    const rules = 'rules: [{action: Allow, principal: {jwt: {provider: id, claims: [{name: a, values: [b]}]}}}]';
    expect(ask(`${TARGET}, ${jwt}, authorization: {${rules}}`, '/', broken)).toBe(DENIED);
  });
});

describe('requests that another site makes a browser send', () => {
  it.each([
    ['GET', {}, DELIVERED],
    ['POST', {}, 'csrf_origin_mismatch 403 at envoy-gateway'],
    ['POST', { origin: 'https://partner.example' }, DELIVERED],
    ['POST', { origin: 'https://www.example.com' }, 'unknown'],
  ])('%s with %j: %s', (method, headers, expected) => {
    expect(ask(`${TARGET}, csrf: {additionalOrigins: ["https://partner.example"]}`, '/', { method, headers })).toBe(expected); // prettier-ignore
  });
});

describe('targets by selector', () => {
  it('may be chosen by expressions', () => {
    const by = (values: string): string =>
      ask(`targetSelectors: [{group: gateway.networking.k8s.io, kind: HTTPRoute, matchExpressions: [{key: tier, operator: In, values: [${values}]}]}], authorization: {defaultAction: Deny}`); // prettier-ignore
    expect(by('public, open')).toBe(DENIED);
    expect(by('internal')).toBe(DELIVERED);
  });
});

describe('headers that a listener changes before routes are looked for', () => {
  const byHeader = (header: string): string =>
    MESH.replace('rules: [{backendRefs', `rules: [{matches: [{headers: [${header}]}], backendRefs`);
  const end = (settings: string, header: string, headers: Record<string, string>): string => {
    const yaml = `${byHeader(header)}{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: ClientTrafficPolicy, metadata: {name: front, namespace: app}, spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front}], headers: {earlyRequestHeaders: {${settings}}}}}`;
    return outcome(traceIn(yaml)('http://www.example.com/', { from: 'outside', at: 'app/front', headers }));
  };
  const LOST = 'NR 404 at envoy-gateway';
  const TEAM = '{name: x-team, value: blue}';

  it.each([
    ['removeOnMatch: [{type: Prefix, value: x-}]', TEAM, { 'x-team': 'blue' }, LOST],
    ['removeOnMatch: [{type: Suffix, value: -team}]', TEAM, { 'X-Team': 'blue' }, LOST],
    ['removeOnMatch: [{type: RegularExpression, value: "x-t.*"}]', TEAM, { 'x-team': 'blue' }, LOST],
    ['removeOnMatch: [{type: RegularExpression, value: "t.*"}]', TEAM, { 'x-team': 'blue' }, DELIVERED],
    ['removeOnMatch: [{value: x-other}]', TEAM, { 'x-team': 'blue' }, DELIVERED],
    ['set: [{name: x-team, value: blue}], removeOnMatch: [{value: x-team}]', TEAM, {}, LOST],
    ['addIfAbsent: [{name: x-team, value: blue}]', TEAM, {}, DELIVERED],
    ['addIfAbsent: [{name: x-team, value: blue}]', TEAM, { 'x-team': 'red' }, LOST],
    ['add: [{name: x-team, value: blue}]', TEAM, {}, DELIVERED],
    ['add: [{name: X-Team, value: blue}], set: [{name: x-team, value: red}]', TEAM, {}, DELIVERED],
    ['set: [{name: x-team, value: blue}], addIfAbsent: [{name: x-team, value: red}]', TEAM, {}, DELIVERED],
  ])('%s for %s of %j: %s', (settings, header, headers, expected) => {
    expect(end(settings, header, headers as Record<string, string>)).toBe(expected);
  });
});

describe('a Host with a dot at its end', () => {
  const policy = (settings: string): string => `{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: ClientTrafficPolicy, metadata: {name: front, namespace: app}, spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front}], headers: {${settings}}}}`; // prettier-ignore
  const end = (settings: string, url: string): string =>
    outcome(traceIn(MESH.replace('rules:', 'hostnames: [www.example.com], rules:') + policy(settings))(url, { from: 'outside', at: 'app/front' })); // prettier-ignore

  it('is the name without it only where the listener takes it off', () => {
    expect(end('host: {stripTrailingHostDot: true}', 'http://www.example.com./')).toBe(DELIVERED);
    expect(end('host: {stripTrailingHostDot: false}', 'http://www.example.com./')).toBe('NR 404 at envoy-gateway');
    expect(end('host: {stripTrailingHostDot: true}', 'http://www.example.org./')).toBe('NR 404 at envoy-gateway');
  });
});

describe('responses that are put in the place of others', () => {
  const override = (match: string, more = ''): string =>
    `{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: BackendTrafficPolicy, metadata: {name: retold, namespace: app}, spec: {${TARGET}, responseOverride: [{match: {${match}}, response: {statusCode: 418}${more}}]}}`;
  const end = (match: string, more = ''): string =>
    ask(`${TARGET}, authorization: {defaultAction: Deny}}}\n---\n${override(match, more)}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: more}, spec: {`); // prettier-ignore

  it('are those of the proxy, of servers, or of both', () => {
    expect(end('statusCodes: [{value: 403}]')).toBe('RBAC 418 at envoy-gateway');
    expect(end('statusCodes: [{value: 403}]', ', source: All')).toBe('RBAC 418 at envoy-gateway');
    expect(end('statusCodes: [{value: 403}]', ', source: Local')).toBe('RBAC 418 at envoy-gateway');
    expect(end('statusCodes: [{value: 403}]', ', source: Backend')).toBe(DENIED);
  });

  it('hang on headers of the response where they ask for them', () => {
    const header = 'responseHeaders: [{name: x-a, value: {value: b}}]';
    expect(end(header)).toBe('unknown');
    expect(end(`statusCodes: [{value: 403}], ${header}`)).toBe('unknown');
    expect(end(`statusCodes: [{value: 500}], ${header}`)).toBe(DENIED);
    expect(end(header, ', source: Backend')).toBe(DENIED);
  });
});

describe('redirects that say neither scheme nor port', () => {
  const location = (listeners: string, port: number, release: string, redirect = 'path: {type: ReplaceFullPath, replaceFullPath: /x}') => {
    const yaml = MESH.replace('[{name: http, port: 80, protocol: HTTP}]', `[${listeners}]`).replace('[{backendRefs: [{name: shop, port: 80}]}]', `[{filters: [{type: RequestRedirect, requestRedirect: {${redirect}}}]}]`);
    return traceIn(yaml, { envoyGatewayVersion: release })(`http://www.example.com:${port}/`, { from: 'outside', at: 'app/front' }).answer?.location;
  }; // prettier-ignore
  const BOTH = '{name: high, port: 8080, protocol: HTTP}, {name: http, port: 80, protocol: HTTP}';

  it('keep the port of their listener since 1.9, and before that of the first one', () => {
    expect(location(BOTH, 80, '1.9')).toBe('http://www.example.com/x');
    expect(location(BOTH, 80, '1.8')).toBe('http://www.example.com:8080/x');
    expect(location(BOTH, 8080, '1.8')).toBe('http://www.example.com:8080/x');
  });

  it('of one that says a scheme have the usual port of that', () => {
    expect(location(BOTH, 80, '1.8', 'scheme: http, path: {type: ReplaceFullPath, replaceFullPath: /x}')).toBe('http://www.example.com/x'); // prettier-ignore
  });
});

describe('routes of a version that the Gateway API does not serve', () => {
  const yaml = `${MESH.replace('{name: http, port: 80, protocol: HTTP}', '{name: http, port: 80, protocol: HTTP}, {name: tcp, port: 9000, protocol: TCP}')}{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: TCPRoute, metadata: {name: shop, namespace: app}, spec: {parentRefs: [{name: front}], rules: [{backendRefs: [{name: shop, port: 80}]}]}}`; // prettier-ignore
  const end = (options: { envoyGatewayVersion?: string; gatewayApiVersion?: string }): string =>
    outcome(traceIn(yaml, options)('tcp://192.0.2.1:9000', { from: 'outside', at: 'app/front' }));

  it('are not read by Envoy Gateway, which asks for TCPRoutes as v1 since 1.9', () => {
    expect(end({ envoyGatewayVersion: '1.9', gatewayApiVersion: '1.5/experimental' })).not.toBe(DELIVERED);
    expect(end({ envoyGatewayVersion: '1.9', gatewayApiVersion: '1.6' })).toBe(DELIVERED);
    expect(end({ envoyGatewayVersion: '1.8', gatewayApiVersion: '1.5/experimental' })).toBe(DELIVERED);
    expect(end({ envoyGatewayVersion: '1.8', gatewayApiVersion: '1.6' })).not.toBe(DELIVERED);
  });

  it('are taken as read where nobody says which releases there are', () => {
    expect(end({})).toBe(DELIVERED);
    expect(end({ gatewayApiVersion: '1.5/experimental' })).toBe(DELIVERED);
  });
});

describe('an EnvoyProxy over another', () => {
  const EG = 'gateway.envoyproxy.io';
  const proxy = (name: string, spec: string): string =>
    `\n---\n{apiVersion: ${EG}/v1alpha1, kind: EnvoyProxy, metadata: {name: ${name}, namespace: app}, spec: {${spec}}}`;
  const USUAL = `\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}, data: {envoy-gateway.yaml: '{kind: EnvoyGateway, envoyProxy: {routingType: Service, bootstrap: {value: a}}}'}}`;
  const NAMED = MESH.replace('gatewayclass-controller}', `gatewayclass-controller, parametersRef: {group: ${EG}, kind: EnvoyProxy, namespace: app, name: class}}`)
    .replace('gatewayClassName: eg,', `gatewayClassName: eg, infrastructure: {parametersRef: {group: ${EG}, kind: EnvoyProxy, name: own}},`); // prettier-ignore
  const specOf = (more: string, envoyGatewayVersion = '1.9', world = NAMED): object => {
    const mesh = buildMesh(loadText(world.replace(/---\n$/, '') + more).manifests, { envoyGatewayVersion });
    const [gateway] = mesh.gatewayApi.gateways;
    return gateway === undefined ? {} : effectiveProxy(gateway, mesh.gatewayApi.input).spec;
  };

  it('keeps what that one says by its mergeType, since 1.8', () => {
    const ofClass = proxy('class', 'routingType: Service, bootstrap: {value: a}');
    const own = 'bootstrap: {type: Merge}';
    expect(specOf(ofClass + proxy('own', own))).toEqual({ bootstrap: { type: 'Merge' } });
    const joined = { routingType: 'Service', bootstrap: { value: 'a', type: 'Merge' } };
    expect(specOf(ofClass + proxy('own', `${own}, mergeType: StrategicMerge`))).toMatchObject(joined);
    expect(specOf(ofClass + proxy('own', `${own}, mergeType: JSONMerge`))).toMatchObject(joined);
    expect(specOf(ofClass + proxy('own', `${own}, mergeType: Replace`))).not.toHaveProperty('routingType');
    expect(specOf(ofClass + proxy('own', `${own}, mergeType: JSONMerge`), '1.7')).not.toHaveProperty('routingType');
  });

  it('has the one of Envoy Gateway itself below it, which counts alone where there is no other', () => {
    for (const release of ['1.7', '1.9'])
      expect(specOf(USUAL, release, MESH)).toMatchObject({ routingType: 'Service' });
    expect(specOf(USUAL + proxy('class', 'concurrency: 2'))).toEqual({ concurrency: 2 });
    expect(specOf(USUAL + proxy('class', 'mergeType: JSONMerge') + proxy('own', 'concurrency: 2'))).toMatchObject({ routingType: 'Service', concurrency: 2 }); // prettier-ignore
    expect(specOf(USUAL + proxy('own', 'mergeType: JSONMerge'))).toMatchObject({ routingType: 'Service' });
  });
});

describe('the provider of a login', () => {
  const end = (provider: string, envoyGatewayVersion: string): string =>
    outcome(
      traceIn(`${MESH}{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: SecurityPolicy, metadata: {name: login, namespace: app}, spec: {${TARGET}, oidc: {provider: {${provider}}, clientID: shop, clientSecret: {name: login}}}}`, { envoyGatewayVersion })('http://www.example.com/', { from: 'outside', at: 'app/front' }),
    ); // prettier-ignore
  const BROKEN = 'direct_response 500 at envoy-gateway';

  it.each([
    ['issuer: "http://id.example.com"', '1.9', true],
    ['issuer: "http://id.example.com"', '1.8', false],
    ['issuer: "https://id.example.com/realm"', '1.9', false],
    ['issuer: "https://id.example.com/?realm=a"', '1.9', true],
    ['issuer: "https://me@id.example.com"', '1.9', true],
    ['issuer: "https://id.example.com", tokenEndpoint: "https://192.0.2.1/token"', '1.8', true],
    ['issuer: "https://id.example.com", tokenEndpoint: "https://id.example.com/token"', '1.9', false],
  ])('%s in %s: broken is %s', (provider, release, isBroken) => {
    if (isBroken) expect(end(provider, release)).toBe(BROKEN);
    else expect(end(provider, release)).not.toBe(BROKEN);
  });
});

describe('a global limit of no request', () => {
  const end = (rule: string, envoyGatewayVersion = '1.9'): string =>
    outcome(
      traceIn(`${MESH}{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: BackendTrafficPolicy, metadata: {name: limit, namespace: app}, spec: {${TARGET}, rateLimit: {type: Global, global: {rules: [{${rule}}]}}}}`, { envoyGatewayVersion })('http://www.example.com/', { from: 'outside', at: 'app/front' }),
    ); // prettier-ignore
  const NONE = 'limit: {requests: 0, unit: Hour}';
  const SOME = 'clientSelectors: [{headers: [{name: x-client, value: bad}]}]';

  it('lets none pass, and of some clients hangs on who they are', () => {
    expect(end(NONE)).toBe('request_rate_limited 429 at envoy-gateway');
    expect(end(`${SOME}, ${NONE}`)).toBe('unknown');
    expect(end(`shadowMode: true, ${NONE}`)).toBe(DELIVERED);
    expect(end('limit: {requests: 1, unit: Hour}')).toBe(DELIVERED);
    expect(end(NONE, '1.8')).toBe(DELIVERED);
  });
});

describe('authorization by the address of the client', () => {
  const end = (detection: string, headers: Record<string, string>, client = 'clientCIDRs'): string => {
    const listener = detection === '' ? '' : `{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: ClientTrafficPolicy, metadata: {name: front, namespace: app}, spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front}], clientIPDetection: {${detection}}}}\n---\n`; // prettier-ignore
    const policy = `{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: SecurityPolicy, metadata: {name: office, namespace: app}, spec: {${TARGET}, authorization: {defaultAction: Deny, rules: [{action: Allow, principal: {${client}: [192.0.2.0/24]}}]}}}`;
    return outcome(traceIn(MESH + listener + policy)('http://www.example.com/', { from: 'outside', at: 'app/front', headers })); // prettier-ignore
  };
  const forwarded = (value: string): Record<string, string> => ({ 'x-forwarded-for': value });

  it.each([
    ['xForwardedFor: {numTrustedHops: 1}', forwarded('192.0.2.7'), DELIVERED],
    ['xForwardedFor: {numTrustedHops: 1}', forwarded('192.0.2.7, 198.51.100.1'), DENIED],
    ['xForwardedFor: {numTrustedHops: 2}', forwarded('192.0.2.7, 198.51.100.1'), DELIVERED],
    ['xForwardedFor: {numTrustedHops: 2}', forwarded('192.0.2.7'), 'unknown'],
    ['xForwardedFor: {numTrustedHops: 1}', forwarded('somebody'), 'unknown'],
    ['xForwardedFor: {numTrustedHops: 1}', {}, 'unknown'],
    ['xForwardedFor: {trustedCIDRs: [198.51.100.0/24]}', forwarded('192.0.2.7'), 'unknown'],
    ['customHeader: {name: X-Client}', { 'x-client': '192.0.2.7' }, DELIVERED],
    ['customHeader: {name: X-Client}', { 'x-client': '198.51.100.1' }, DENIED],
    ['directSourceIP: {}', forwarded('198.51.100.1'), 'unknown'],
    ['', forwarded('198.51.100.1'), 'unknown'],
  ])('is by the headers that {%s} has it look into: %j, %s', (detection, headers, expected) => {
    expect(end(detection, headers as Record<string, string>)).toBe(expected);
  });

  it('is not by headers where the address of the connection is asked for', () => {
    expect(end('xForwardedFor: {numTrustedHops: 1}', forwarded('192.0.2.7'), 'sourceCIDRs')).toBe('unknown');
  });
});
