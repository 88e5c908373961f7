/** Policies that Envoy Gateway does not take, as its translator has them in its own tests. */
import { outcome, traceIn } from './text';

const BASE = `
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: v1
kind: Namespace
metadata: {name: shared, labels: {team: blue}}
---
apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: edge}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge, labels: {team: blue}}
spec: {gatewayClassName: eg, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: edge}
spec:
  parentRefs: [{name: front}]
  hostnames: [shop.example.com]
  rules: [{name: all, matches: [{path: {value: /}}], backendRefs: [{name: shop, port: 80}]}]
`;
const policy = (kind: string, spec: string, target = 'kind: HTTPRoute, name: shop') => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ${kind}
metadata: {name: own, namespace: edge}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, ${target}}]
  ${spec}
`;
const SHOP = 'delivered to shop.edge.svc.cluster.local:80';
const FAILS = 'direct_response 500 at envoy-gateway';
const ask = (yaml: string, envoyGatewayVersion = '1.9', more = {}) =>
  traceIn(BASE + yaml, { envoyGatewayVersion })('http://shop.example.com/', { from: 'outside', at: 'edge/front', ...more }); // prettier-ignore
const end = (...args: Parameters<typeof ask>) => outcome(ask(...args));

describe('a BackendTrafficPolicy that Envoy Gateway does not take', () => {
  it.each([
    [
      'a table whose size is no prime',
      'loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP, tableSize: 1024}}',
      'loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP, tableSize: 65537}}',
    ],
    [
      'two general limits',
      'rateLimit: {local: {rules: [{limit: {requests: 1, unit: Second}}, {limit: {requests: 2, unit: Minute}}]}}',
      'rateLimit: {local: {rules: [{limit: {requests: 1, unit: Second}}]}}',
    ],
    [
      'a limit by a unit that is no multiple',
      'rateLimit: {local: {rules: [{limit: {requests: 9, unit: Minute}}, {clientSelectors: [{methods: [{value: GET}]}], limit: {requests: 2, unit: Second}}]}}',
      'rateLimit: {local: {rules: [{limit: {requests: 9, unit: Second}}, {clientSelectors: [{methods: [{value: GET}]}], limit: {requests: 2, unit: Minute}}]}}',
    ],
    [
      'an expression that is none',
      "rateLimit: {local: {rules: [{clientSelectors: [{headers: [{name: a, type: RegularExpression, value: '*.x'}]}], limit: {requests: 2, unit: Second}}]}}",
      "rateLimit: {local: {rules: [{clientSelectors: [{headers: [{name: a, type: RegularExpression, value: '.*x'}]}], limit: {requests: 2, unit: Second}}]}}",
    ],
    ['a buffer of half a byte', 'connection: {bufferLimit: 1500m}', 'connection: {bufferLimit: 32Ki}'],
    [
      'a timeout that is no duration',
      'timeout: {http: {requestTimeout: 1d}}',
      'timeout: {http: {requestTimeout: 1m30s}}',
    ],
    [
      'a longest wait that is shorter than the first',
      'retry: {perRetry: {backOff: {baseInterval: 10s, maxInterval: 1s}}}',
      'retry: {perRetry: {backOff: {baseInterval: 1s, maxInterval: 10s}}}',
    ],
    [
      'a body from a ConfigMap that is not there',
      'responseOverride: [{match: {statusCodes: [{value: 500}]}, response: {body: {type: ValueRef, valueRef: {kind: ConfigMap, name: none}}}}]',
      'responseOverride: [{match: {statusCodes: [{value: 500}]}, response: {body: {type: Inline, inline: sorry}}}]',
    ],
  ])('has %s: 500 on its routes', (_, bad, good) => {
    // prettier-ignore
    for (const release of ['1.6', '1.7', '1.8', '1.9']) {
      expect(end(policy('BackendTrafficPolicy', bad), release)).toBe(FAILS);
      expect(end(policy('BackendTrafficPolicy', good), release)).toBe(SHOP);
    }
    expect(ask(policy('BackendTrafficPolicy', bad)).refusal).toMatchObject({
      reason: { kind: 'policy-not-usable', problem: 'invalid' },
      by: { kind: 'BackendTrafficPolicy', namespace: 'edge', name: 'own' },
    });
  });

  it('says as data what of it is not taken, and in words', () => {
    const told = ask(policy('BackendTrafficPolicy', 'timeout: {http: {requestTimeout: soon}}'));
    expect(told.refusal?.reason).toEqual({
      kind: 'policy-not-usable',
      policy: { kind: 'BackendTrafficPolicy', namespace: 'edge', name: 'own' },
      problem: 'invalid',
      fault: { is: 'no-duration', path: 'timeout.http.requestTimeout', value: 'soon' },
      detail: 'timeout.http.requestTimeout is "soon", which is no duration',
      cure: 'write it as 10s or 1m30s',
    });
  });

  it('takes CONNECT alone where it upgrades to that', () => {
    const yaml = policy('BackendTrafficPolicy', 'httpUpgrade: [{type: CONNECT}]');
    expect(end(yaml)).toBe('NR 404 at envoy-gateway');
    expect(end(policy('BackendTrafficPolicy', 'httpUpgrade: [{type: websocket}]'))).toBe(SHOP);
  });

  it('keeps the routingType of the Gateway away unless it merges, since 1.9', () => {
    const whole = policy('BackendTrafficPolicy', 'routingType: Service', 'kind: Gateway, name: front').replace('name: own', 'name: whole'); // prettier-ignore
    const by = (spec: string, release: string) => ask(whole + policy('BackendTrafficPolicy', spec), release).hops[0]?.decidedBy.some(({ field }) => field === 'spec.routingType'); // prettier-ignore
    expect(by('tcpKeepalive: {}', '1.8')).toBe(true);
    expect(by('tcpKeepalive: {}', '1.9')).toBe(false);
    expect(by('mergeType: StrategicMerge', '1.9')).toBe(true);
  });
});

describe('a ClientTrafficPolicy that Envoy Gateway does not take', () => {
  const client = (spec: string) => policy('ClientTrafficPolicy', spec, 'kind: Gateway, name: front');
  it.each([
    [
      'a header without a name',
      "headers: {earlyRequestHeaders: {set: [{name: '', value: a}]}}",
      'headers: {earlyRequestHeaders: {set: [{name: a, value: a}]}}',
    ],
    ['a timeout that is no duration', 'timeout: {http: {idleTimeout: soon}}', 'timeout: {http: {idleTimeout: 10s}}'],
    ['a window that is too small', 'http2: {initialStreamWindowSize: 1Ki}', 'http2: {initialStreamWindowSize: 64Ki}'],
  ])('has %s: 500 on all routes of its listeners, and 404 elsewhere', (_, bad, good) => {
    // prettier-ignore
    expect(end(client(bad))).toBe(FAILS);
    expect(end(client(good))).toBe(SHOP);
    expect(outcome(traceIn(BASE + client(bad))('http://other.example.com/', { from: 'outside', at: 'edge/front' }))).toBe('NR 404 at envoy-gateway'); // prettier-ignore
  });

  it('takes the only hostname of its routes for requests of HTTP/1.0', () => {
    const spec = 'http1: {http10: {useDefaultHost: true}}';
    expect(end(client(spec))).toBe(SHOP);
    expect(outcome(traceIn(`${BASE}${client(spec)}`.replace('[shop.example.com]', '[shop.example.com, b.example.com]'))('http://shop.example.com/', { from: 'outside', at: 'edge/front' }))).toBe(FAILS); // prettier-ignore
  });
});

describe('an EnvoyExtensionPolicy that Envoy Gateway does not take', () => {
  const extension = (spec: string) => policy('EnvoyExtensionPolicy', spec);
  const installed = (apis: string) => `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
metadata: {name: eg, namespace: envoy-gateway-system}
extensionApis: ${apis}
`;
  const LUA = 'lua: [{type: Inline, inline: "function envoy_on_request(h) end"}]';

  it('hands requests to a Service that is not there: 500, or past it where it may fail open', () => {
    const to = (name: string, more = '') => extension(`extProc: [{backendRefs: [{name: ${name}, port: 80}]${more}}]`);
    expect(end(to('none'))).toBe(FAILS);
    expect(end(to('none', ', failOpen: true'))).toBe(SHOP);
    expect(end(to('shop'))).toBe('unknown');
  });

  it('has Lua, which is off since 1.9 unless it is turned on', () => {
    expect(end(extension(LUA) + installed('{}'), '1.8')).toBe('unknown');
    expect(end(extension(LUA) + installed('{}'), '1.9')).toBe(FAILS);
    expect(end(extension(LUA) + installed('{enableLua: true}'), '1.9')).toBe('unknown');
    expect(end(extension(LUA) + installed('{disableLua: true}'), '1.8')).toBe(FAILS);
    expect(end(extension(LUA), '1.9')).toBe('unknown');
  });

  it('has a module that no EnvoyProxy allows', () => {
    expect(end(extension('dynamicModule: [{name: own}]'))).toBe(FAILS);
  });
});

describe('what else the translator says', () => {
  const cors = BASE.replace(
    'matches: [{path: {value: /}}]',
    'matches: [{path: {value: /}, method: GET}], filters: [{type: CORS, cors: {allowOrigins: ["https://www.example.com"]}}]',
  );
  it('gives a rule with a CORS filter a route for its preflights, whatever its method', () => {
    const asked = (headers: Readonly<Record<string, string>>) =>
      outcome(
        traceIn(cors)('http://shop.example.com/', { from: 'outside', at: 'edge/front', method: 'OPTIONS', headers }),
      );
    expect(asked({ origin: 'https://www.example.com', 'access-control-request-method': 'GET' })).toBe('direct_response 200 at envoy-gateway'); // prettier-ignore
    expect(asked({ origin: 'https://www.example.com' })).toBe('NR 404 at envoy-gateway');
  });

  it('has policies select targets of other namespaces, where these grant it, since 1.8', () => {
    const selecting = `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: closed, namespace: shared}
spec:
  targetSelectors: [{kind: Gateway, matchLabels: {team: blue}, namespaces: {from: All}}]
  authorization: {defaultAction: Deny}
`;
    const grant = `---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: policies, namespace: edge}
spec:
  from: [{group: gateway.envoyproxy.io, kind: SecurityPolicy, namespace: shared}]
  to: [{group: gateway.networking.k8s.io, kind: Gateway}]
`;
    expect(end(selecting + grant)).toBe('RBAC 403 at envoy-gateway');
    expect(end(selecting)).toBe(SHOP);
    expect(end(selecting + grant, '1.7')).toBe(SHOP);
  });

  it('does not accept a Gateway with an address of a type of its own, since 1.8', () => {
    const named = BASE.replace(
      'gatewayClassName: eg,',
      'gatewayClassName: eg, addresses: [{type: NamedAddress, value: a}],',
    );
    const at = (envoyGatewayVersion: string) => outcome(traceIn(named, { envoyGatewayVersion })('http://shop.example.com/', { from: 'outside', at: 'edge/front' })); // prettier-ignore
    expect(at('1.7')).toBe(SHOP);
    expect(at('1.9')).toBe('NR - at envoy-gateway');
  });

  it.each([
    ['an address for a Host', '{type: URLRewrite, urlRewrite: {hostname: 192.0.2.1}}'],
    [
      'a path that does not go with its type',
      '{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replaceFullPath: /a}}}',
    ],
    ['a redirect to another scheme', '{type: RequestRedirect, requestRedirect: {scheme: ftp}}'],
    ['a header without a name', "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: '', value: a}]}}"],
  ])('answers 500 for a rule with %s', (_, filter) => {
    // prettier-ignore
    const yaml = BASE.replace('backendRefs: [', `filters: [${filter}], backendRefs: [`);
    expect(outcome(traceIn(yaml)('http://shop.example.com/', { from: 'outside', at: 'edge/front' }))).toBe(FAILS);
  });
});

describe('a Secret that Envoy Gateway does not take', () => {
  const secret = (data: string) => `---
apiVersion: v1
kind: Secret
metadata: {name: users, namespace: edge}
${data}
`;
  const BASIC = policy('SecurityPolicy', 'basicAuth: {users: {name: users}}');
  const SHA = 'foo:{SHA}C+7Hteo/D9vJXQ3UfzxbwnXaijM=';
  const ASKED = 'basicAuth 401 at envoy-gateway';

  it.each([
    ['the key auth', `stringData: {auth: '${SHA}'}`],
    ['a hash by bcrypt', "stringData: {.htpasswd: 'foo:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC'}"],
    ['a hash that is too short', "stringData: {.htpasswd: 'foo:{SHA}abc='}"],
    ['the same in base64', `data: {.htpasswd: '${Buffer.from('foo:bar').toString('base64')}'}`],
  ])('has %s', (_what, data) => expect(end(BASIC + secret(data))).toBe(FAILS));

  it.each([
    ['lines that end with CRLF', `${SHA}\\r\\n`],
    ['space at the end of a line', `${SHA} \\n`],
    ['a line of spaces', `${SHA}\\n  \\n`],
    ['a user twice', `${SHA}\\n${SHA}\\n`],
    ['a line without a name', `${SHA.replace('foo', '')}\\n`],
  ])('is taken by Envoy Gateway and refused by Envoy, with all of the port, with %s', (_what, users) => {
    const text = BASIC + secret(`stringData: {.htpasswd: "${users}"}`);
    expect(end(text)).toBe('NR - at envoy-gateway');
  });

  it.each([
    ['a hash by SHA-1', `stringData: {.htpasswd: '${SHA}'}`],
    ['the same in base64', `data: {.htpasswd: '${Buffer.from(`${SHA}\n`).toString('base64')}'}`],
    ['a stand-in', 'data: {.htpasswd: REDACTED}'],
    ['a value that is filled in later', "stringData: {.htpasswd: '${USERS}'}"],
    ['nothing yet', 'type: Opaque'],
  ])('is taken with %s', (_what, data) => expect(end(BASIC + secret(data))).toBe(ASKED));
});
