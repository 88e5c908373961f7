/** What the routing oracle cannot see: who may, by which method and header, by which share. */
import fc from 'fast-check';
import { type Thing, maybe, metadata, pick, some } from '../../trace/oracle/vocabulary';

const source = fc.oneof(
  pick(
    { principals: ['cluster.local/ns/app/sa/sleep'] },
    { principals: ['*/sa/sleep'] },
    { principals: ['cluster.local/ns/web/*'] },
    { notPrincipals: ['cluster.local/ns/app/sa/other'] },
    { namespaces: ['app'] },
    { namespaces: ['web', 'edge'] },
    { notNamespaces: ['web'] },
    { serviceAccounts: ['app/sleep'] },
    { ipBlocks: ['0.0.0.0/0'] },
    { notIpBlocks: ['203.0.113.0/24'] },
    { principals: ['*'] },
    { requestPrincipals: ['*'] },
    { requestPrincipals: ['https://login.example.com/ann', '*/bob'] },
    { notRequestPrincipals: ['https://login.example.com/*'] },
  ),
);
const operation = pick(
  { hosts: ['api.example.com'] },
  { hosts: ['*.example.com'] },
  { hosts: ['www.example.com:*', 'www.example.com'] },
  { notHosts: ['example.com'] },
  { methods: ['GET'] },
  { methods: ['POST', 'PUT'] },
  { notMethods: ['POST'] },
  { paths: ['/v1*'] },
  { paths: ['/v1/{*}'] },
  { notPaths: ['/health'] },
  { ports: ['80'] },
  { ports: ['443', '8443'] },
  { ports: ['8080'] },
  { notPorts: ['80'] },
  { methods: ['GET'], paths: ['/v1', '/health'] },
);
const when = pick(
  { key: 'request.headers[x-team]', values: ['pay'] },
  { key: 'request.headers[x-team]', notValues: ['pay', 'ops'] },
  { key: 'connection.sni', values: ['*.example.com', 'api.example.com'] },
  { key: 'connection.sni', notValues: ['api.example.com'] },
  { key: 'source.namespace', values: ['app'] },
  { key: 'source.principal', values: ['cluster.local/ns/app/sa/sleep'] },
  { key: 'destination.port', values: ['80', '8080'] },
  { key: 'request.auth.claims[team]', values: ['pay', 'o*'] },
  { key: 'request.auth.claims[scope]', notValues: ['write'] },
  { key: 'request.auth.audiences', values: ['shop'] },
);
const rule = fc
  .record({ from: maybe(some(source, 1, 2), 2, 1), to: maybe(some(operation, 1, 2), 2, 1), when: maybe(when, 1, 3) })
  .map(({ from, to, when: condition }) => ({
    from: from?.map((one) => ({ source: one })),
    to: to?.map((one) => ({ operation: one })),
    when: condition === undefined ? undefined : [condition],
  }));

export const authorizationPolicy = fc
  .record({
    owner: pick('edge', 'edge', 'istio-system', 'app', 'web'),
    action: pick('ALLOW', 'ALLOW', 'DENY'),
    selector: maybe(pick({ istio: 'egressgateway' }, { app: 'egw' }, { app: 'shop' }, { app: 'store' }), 2, 1),
    rules: some(rule, 0, 2),
    age: fc.nat(50),
  })
  .map(({ owner, action, selector, rules, age }) => ({
    owner,
    age,
    spec: {
      action,
      selector: selector === undefined ? undefined : { matchLabels: selector },
      rules: action === 'DENY' && rules.length === 0 ? [{}] : rules,
    },
  }));

const header = pick({ exact: 'pay' }, { prefix: 'p' }, { regex: 'o.*' }, {});
const condition = fc.oneof(
  header.map((value) => ({ headers: { 'x-team': value } })),
  header.map((value) => ({ withoutHeaders: { 'x-team': value } })),
  pick({ method: { exact: 'POST' } }, { method: { regex: 'GET|PUT' } }, { method: { prefix: 'P' } }),
  pick({ queryParams: { v: { exact: '2' } } }, { queryParams: { v: { regex: '[0-9]+' } } }),
  pick({ authority: { exact: 'api.example.com' } }, { authority: { prefix: 'www' } }, { scheme: { exact: 'http' } }),
  pick({ uri: { prefix: '/V1' }, ignoreUriCase: true }, { uri: { regex: '/v[12](/.*)?' } }),
);
const effect = pick<object>(
  { fault: { abort: { httpStatus: 418, percentage: { value: 100 } } } },
  { fault: { delay: { fixedDelay: '0.05s', percentage: { value: 100 } } } },
  { headers: { request: { set: { 'x-team': 'ops' } } } },
  { headers: { request: { remove: ['x-team'] } } },
  { rewrite: { uri: '/v2' } },
  { rewrite: { authority: 'www.example.com' } },
  { rewrite: { uriRegexRewrite: { match: '^/v1/(.*)$', rewrite: '/\\1' } } },
  { timeout: '2s' },
  { retries: { attempts: 2 } },
  { mirror: { host: 'api.example.com' }, mirrorPercentage: { value: 100 } },
);
const weights = pick([100, 0], [0, 100], [50, 50], [1, 99]);

/** How one HTTP rule is made richer; nothing of it for most. */
export const enrichment = fc.record({
  condition: maybe(condition, 1, 2),
  effect: maybe(effect, 1, 3),
  weights: maybe(weights, 1, 4),
  second: pick('api.example.com', 'www.example.com', 'db.partner.io'),
});
export type Enrichment = typeof enrichment extends fc.Arbitrary<infer T> ? T : never;

interface HttpRuleSpec {
  readonly match?: readonly object[];
  readonly route?: readonly object[];
}

export function enriched(rule: HttpRuleSpec, more: Enrichment): object {
  const forwards = rule.route !== undefined;
  return {
    ...rule,
    ...(more.condition === undefined
      ? {}
      : { match: (rule.match ?? [{}]).map((one) => ({ ...one, ...more.condition })) }),
    ...(forwards && more.weights !== undefined
      ? {
          route: [
            { ...rule.route[0], weight: more.weights[0] },
            { destination: { host: more.second }, weight: more.weights[1] },
          ],
        }
      : {}),
    ...(forwards ? more.effect : {}),
  };
}

export function policyThing(one: { owner: string; spec: object; age: number }, index: number): Thing {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: metadata(`ap${index}`, one.owner, one.age),
    spec: one.spec,
  };
}
