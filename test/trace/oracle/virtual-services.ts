/** Random VirtualServices, with rules that apply at sidecars, at gateways, at both or nowhere. */
import fc from 'fast-check';
import { HOSTS, anyHost, exportTo, gatewayHost, maybe, namespace, pick, some } from './vocabulary';

export const path = pick('/', '/v1', '/v1/items', '/health', '/v2');
export const anyPath = pick('/', '/v1', '/v1/items', '/health', '/v2', '/V1/Items', '/v1?beta=yes');
export const method = pick('GET', 'GET', 'GET', 'POST');
export const requestHeaders = pick<Record<string, string>>(
  {},
  {},
  { 'x-team': 'blue' },
  { 'x-team': 'red' },
  { constructor: 'a' },
);

/** Conditions that fewer people write; a request has to be made for them. */
const condition = pick<object>(
  { scheme: { exact: 'http' } },
  { method: { exact: 'POST' } },
  { method: { regex: 'GET|HEAD' } },
  { authority: { prefix: 'api.' } },
  { authority: { exact: 'www.example.com' } },
  { authority: { regex: '.*\\.partner\\.io(:[0-9]+)?' } },
  { headers: { 'x-team': { exact: 'blue' } } },
  { headers: { 'x-team': { prefix: 'b' } } },
  { headers: { 'x-team': { regex: 'b.+' } } },
  { headers: { 'x-team': {} } },
  // Words that objects of a language have of their own.
  { headers: { constructor: {} } },
  { headers: { constructor: { exact: 'a' } } },
  { withoutHeaders: { valueof: {} } },
  { queryParams: { constructor: {} } },
  { headers: { ':authority': { exact: 'api.example.com' } } },
  { withoutHeaders: { 'x-team': { exact: 'blue' } } },
  { withoutHeaders: { 'x-team': {} } },
  { queryParams: { beta: { exact: 'yes' } } },
  { queryParams: { beta: {} } },
  { ignoreUriCase: true },
  { statPrefix: 'counted', name: 'named' },
);

/** What a rule changes in the request that it sends on. */
const change = pick<object>(
  { rewrite: { authority: 'www.example.com' } },
  { rewrite: { uri: '/v2' } },
  { rewrite: { uri: '/', authority: 'a.b.partner.io' } },
  { rewrite: { uriRegexRewrite: { match: '/v([0-9]+)', rewrite: '/api/\\1' } } },
  { headers: { request: { set: { host: 'api.example.com' } } } },
  { headers: { request: { add: { ':authority': 'db.partner.io' } } } },
  { headers: { request: { set: { 'x-team': 'red' } } } },
  { headers: { request: { remove: ['x-team'] } } },
  { timeout: '3s', retries: { attempts: 0 }, corsPolicy: { allowOrigins: [{ exact: 'http://web' }] } },
);
const uri = maybe(
  pick({ prefix: '/v1' }, { exact: '/health' }, { prefix: '/' }, { regex: '/v[0-9]+.*' }, { prefix: '/nowhere' }),
  1,
  2,
);
const matchGateways = (known: readonly string[]): fc.Arbitrary<string[] | undefined> =>
  maybe(fc.constantFrom<string[]>(['mesh'], ...known.map((name) => [name]), ['mesh', known[0] ?? 'mesh']), 2, 1);

interface Sources {
  readonly gateways: readonly string[];
  /** Whether rules may have the conditions and changes that fewer people write. */
  readonly rare: boolean;
}

const destination = fc.oneof(
  {
    arbitrary: fc.record({
      host: gatewayHost,
      subset: maybe(pick('s1', 's2')),
      port: maybe(pick({ number: 80 }, { number: 443 }, { number: 3306 }, { number: 8443 }), 4, 1),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({
      host: pick(...HOSTS),
      subset: maybe(pick('s1', 'out'), 1, 3),
      port: maybe(pick({ number: 80 }, { number: 443 }, { number: 8080 }, { number: 3306 }), 2, 1),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({
      host: anyHost,
      subset: fc.constant(undefined),
      port: maybe(pick({ number: 80 }, { number: 443 })),
    }),
    weight: 1,
  },
);

const weightedDestination = fc
  .record({
    target: destination,
    weight: pick(0, 1, 10, 90),
    headers: maybe(pick({ request: { set: { host: 'www.example.com' } } }), 1, 6),
  }) // prettier-ignore
  .map(({ target, ...rest }) => ({ destination: target, ...rest }));

const source = fc.record({
  sourceLabels: maybe(pick({ app: 'sleep' }, { app: 'other' }, { tier: 'front' }), 1, 6),
  sourceNamespace: maybe(pick('app', 'web'), 1, 8),
});

function httpRule({ gateways, rare }: Sources): fc.Arbitrary<object> {
  const match = fc
    .record({
      uri,
      port: maybe(pick(80, 443, 8080), 1, 2),
      gateways: matchGateways(gateways),
      source,
      other: rare ? maybe(condition, 1, 3) : fc.constant(undefined),
    })
    .map(({ source: from, other, ...rest }) => ({ ...rest, ...from, ...other }));
  const plain = destination.map((target) => ({ route: [{ destination: target }] }));
  const forward = fc
    .tuple(
      fc.oneof(
        { arbitrary: plain, weight: 6 },
        { arbitrary: some(weightedDestination, 2, 3).map((route) => ({ route })), weight: 1 },
      ),
      maybe(change, 1, 5),
    )
    .map(([route, changed]) => ({ ...route, ...changed }));
  const action = fc.oneof(
    { arbitrary: rare ? forward : plain, weight: 12 },
    { arbitrary: pick({ redirect: { uri: '/elsewhere' } }, { directResponse: { status: 418 } }), weight: 1 },
  );
  return fc.tuple(maybe(some(match, 1, 2), 3, 1), action).map(([matches, does]) => ({ match: matches, ...does }));
}

function tlsRule({ gateways }: Sources, hosts: readonly string[]): fc.Arbitrary<object> {
  const match = fc
    .record({
      sniHosts: fc.uniqueArray(fc.constantFrom(...hosts), { minLength: 1, maxLength: 2 }),
      port: maybe(pick(443, 8443, 80), 2, 1),
      gateways: matchGateways(gateways),
      source,
    })
    .map(({ source: from, ...rest }) => ({ ...rest, ...from }));
  return fc
    .tuple(some(match, 1, 2), destination)
    .map(([matches, target]) => ({ match: matches, route: [{ destination: target }] }));
}

function tcpRule({ gateways }: Sources): fc.Arbitrary<object> {
  const match = fc
    .record({
      port: maybe(pick(3306, 443, 8443, 8080, 9000), 2, 1),
      gateways: matchGateways(gateways),
      destinationSubnets: maybe(pick(['203.0.113.0/24'], ['203.0.113.10']), 1, 6),
      source,
    })
    .map(({ source: from, ...rest }) => ({ ...rest, ...from }));
  return fc
    .tuple(maybe(some(match, 1, 2), 3, 1), destination)
    .map(([matches, target]) => ({ match: matches, route: [{ destination: target }] }));
}

export function virtualService(sources: Sources): fc.Arbitrary<{ owner: string; spec: object }> {
  const bound = maybe(
    fc.oneof(
      fc.constant(['mesh']),
      fc.constant(['mesh', ...sources.gateways]),
      ...sources.gateways.map((name) => pick([name], ['mesh', name])),
    ),
    5,
    1,
  );
  return fc
    .tuple(namespace, fc.uniqueArray(anyHost, { minLength: 1, maxLength: 2 }), bound, exportTo)
    .chain(([owner, hosts, gateways, seenBy]) =>
      fc
        .record({
          http: maybe(some(httpRule(sources), 1, 3), 2, 1),
          tls: maybe(some(tlsRule(sources, hosts), 1, 2), 1, 1),
          tcp: maybe(some(tcpRule(sources), 1, 2), 1, 3),
        })
        .map((rules) => ({
          owner,
          spec: {
            hosts,
            gateways,
            exportTo: seenBy,
            ...rules,
            http:
              rules.http ??
              (rules.tls === undefined && rules.tcp === undefined
                ? [{ route: [{ destination: { host: hosts[0] } }] }]
                : undefined),
          },
        })),
    );
}
