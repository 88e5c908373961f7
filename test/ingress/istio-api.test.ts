/** Gateways, routes and versions of Istio's own API, each as one construct. */
import { type Chart, Duration } from 'cdk8s';
import {
  Audience,
  ClassicDestination,
  type ClassicCors,
  ClassicGateway,
  ClassicMatch,
  ClassicRoute,
  type ClassicRule,
  ClassicServer,
  CorsOrigin,
  type IClassicGateway,
  LoadBalancing,
  ServiceVersions,
  TlsCredential,
  TlsVersion,
} from '../../src/index';
import { chart, problems, type Rendered, rendered as renderedOf } from './synthesized';

function made(write: (of: Chart) => unknown): Chart {
  const of = chart();
  write(of);
  return of;
}

/** What was rendered, in the order of the constructs. */
function rendered(write: (of: Chart) => unknown): readonly Rendered[] {
  const of = made(write);
  return ['Gateway', 'VirtualService', 'DestinationRule', 'HTTPRoute', 'Backend', 'GatewayClass', 'ReferenceGrant'].flatMap((kind) => renderedOf(of, kind)); // prettier-ignore
}

/** What synthesis refuses, a line a problem. */
const problemsOf = (write: (of: Chart) => unknown): readonly string[] =>
  problems(made(write)).split('\n').filter((line) => /^\[|: /.test(line) && line.startsWith('[')); // prettier-ignore

const route = (props: Partial<ConstructorParameters<typeof ClassicRoute>[2]>): readonly string[] =>
  problemsOf((chart) => new ClassicRoute(chart, 'Web', { hosts: ['web'], ...props }));

const PUBLIC: IClassicGateway = ClassicGateway.fromAttributes(chart(), 'Public', { name: 'public', namespace: 'edge' });

/** A route whose rule has CORS. */
const cors = (
  own: Partial<ClassicCors>,
  rule?: ClassicRule,
): Partial<ConstructorParameters<typeof ClassicRoute>[2]> => ({
  rules: [
    {
      cors: { allowOrigins: [CorsOrigin.exact('https://shop.example.com')], ...own },
      ...(rule ?? { destinations: [ClassicDestination.host('web')] }),
    },
  ],
});

it('renders CORS, and matches of single gateways', () => {
  const [, route] = rendered((chart) => {
    const gateway = new ClassicGateway(chart, 'Own', { namespace: 'shop', servers: [ClassicServer.http(['*'])] });
    new ClassicRoute(chart, 'Api', {
      namespace: 'shop',
      hosts: ['api.example.com'],
      gateways: [gateway, PUBLIC],
      forMesh: true,
      rules: [
        {
          matches: [
            ClassicMatch.prefix('/Api', { gateways: [PUBLIC], query: { v: '1' }, ignorePathCase: true }),
            ClassicMatch.anyPath({ gateways: [gateway], forMesh: true }),
          ],
          cors: {
            allowOrigins: [
              CorsOrigin.prefix('https://shop.example.com:'),
              CorsOrigin.regex('https://[a-z]+[.]example[.]com'),
            ],
            allowMethods: ['GET', 'PUT'],
            allowHeaders: ['x-id'],
            exposeHeaders: ['x-seen'],
            allowCredentials: true,
            maxAge: Duration.hours(24),
            answerUnmatchedPreflights: true,
          },
          destinations: [ClassicDestination.host('api')],
        },
      ],
    });
  });
  expect((route as { spec: { http: unknown } }).spec.http).toEqual([
    {
      match: [
        { uri: { prefix: '/Api' }, gateways: ['edge/public'], queryParams: { v: { exact: '1' } }, ignoreUriCase: true },
        { gateways: ['mesh', 'own'] },
      ],
      corsPolicy: {
        allowOrigins: [{ prefix: 'https://shop.example.com:' }, { regex: 'https://[a-z]+[.]example[.]com' }],
        allowMethods: ['GET', 'PUT'],
        allowHeaders: ['x-id'],
        exposeHeaders: ['x-seen'],
        allowCredentials: true,
        maxAge: '86400s',
        unmatchedPreflights: 'IGNORE',
      },
      route: [{ destination: { host: 'api' } }],
    },
  ]);
});

it('renders which Pod gets a request, with the localities of the settings, and refuses what is no name', () => {
  const [rule] = rendered((chart) => {
    new ServiceVersions(chart, 'Cart', { host: 'cart', loadBalancing: LoadBalancing.bySourceAddress(), alwaysMutualTls: true, settings: { connections: { maxConnections: 5 } } }); // prettier-ignore
  });
  expect((rule as { spec: { trafficPolicy: unknown } }).spec.trafficPolicy).toEqual({
    connectionPool: { tcp: { maxConnections: 5 } },
    loadBalancer: { consistentHash: { useSourceIp: true } },
    tls: { mode: 'ISTIO_MUTUAL' },
  });
  const refused = problemsOf((chart) => new ServiceVersions(chart, 'Cart', { host: 'cart', loadBalancing: LoadBalancing.byHeader('x user') })); // prettier-ignore
  expect(refused).toEqual([expect.stringContaining('loadBalancing by "x user"')]);
});

it('renders each kind of server with what its protocol can use', () => {
  const [gateway] = rendered((chart) => {
    new ClassicGateway(chart, 'Shop', {
      namespace: 'shop',
      selector: { istio: 'edge' },
      servers: [
        ClassicServer.http(['*'], { port: 8080, name: 'plain' }),
        ClassicServer.redirectToHttps(['shop.example.com']),
        ClassicServer.https(['shop.example.com'], TlsCredential.fromSecretName('shop-tls'), {
          clientCertificates: true,
          minTlsVersion: TlsVersion.V1_3,
        }),
        ClassicServer.tlsPassthrough(['db.example.com'], { port: 8443 }),
        ClassicServer.tcp(5432),
      ],
    });
  });
  expect(gateway?.spec).toEqual({
    selector: { istio: 'edge' },
    servers: [
      { port: { number: 8080, name: 'plain', protocol: 'HTTP' }, hosts: ['*'] },
      {
        port: { number: 80, name: 'http', protocol: 'HTTP' },
        hosts: ['shop.example.com'],
        tls: { httpsRedirect: true },
      },
      {
        port: { number: 443, name: 'https', protocol: 'HTTPS' },
        hosts: ['shop.example.com'],
        tls: { mode: 'MUTUAL', credentialName: 'shop-tls', minProtocolVersion: 'TLSV1_3' },
      },
      { port: { number: 8443, name: 'tls', protocol: 'TLS' }, hosts: ['db.example.com'], tls: { mode: 'PASSTHROUGH' } },
      { port: { number: 5432, name: 'tcp', protocol: 'TCP' }, hosts: ['*'] },
    ],
  });
});

it('names gateways of its own namespace by their name alone, and the mesh only where it is asked for', () => {
  const objects = rendered((chart) => {
    const own = new ClassicGateway(chart, 'Own', { namespace: 'shop', servers: [ClassicServer.http(['*'])] });
    const other = ClassicGateway.fromAttributes(chart, 'Other', { name: 'public', namespace: 'edge' });
    const rules = [{ destinations: [ClassicDestination.host('web')] }];
    new ClassicRoute(chart, 'Both', { namespace: 'shop', hosts: ['*'], gateways: [own, other], rules });
    new ClassicRoute(chart, 'Mesh', { namespace: 'shop', hosts: ['web'], gateways: [other], forMesh: true, rules });
    new ClassicRoute(chart, 'Inside', { namespace: 'shop', hosts: ['web'], rules, audience: Audience.ownNamespace() });
  });
  const gateways = objects.flatMap(({ kind, spec }) => (kind === 'VirtualService' ? [(spec as { gateways?: string[] }).gateways] : [])); // prettier-ignore
  expect(gateways).toEqual([['own', 'edge/public'], ['mesh', 'edge/public'], undefined]);
});

it('renders what a rule does with requests, and versions with their labels', () => {
  const [virtualService, rule] = rendered((chart) => {
    new ClassicRoute(chart, 'Reviews', {
      hosts: ['reviews'],
      rules: [
        {
          matches: [ClassicMatch.prefix('/api', { headers: { user: 'jason' }, method: 'GET' })],
          rewritePath: '/',
          destinations: [ClassicDestination.host('reviews', { port: 9080, version: 'v2', weight: 100 })],
          timeout: Duration.millis(500),
          retries: { attempts: 3, on: ['5xx', 'reset'], perTryTimeout: Duration.seconds(2) },
          fault: { abortStatus: 500, abortPercent: 10 },
        },
        { redirect: { path: '/away', statusCode: 302 } },
      ],
      tlsRules: [{ sniHosts: ['reviews'], port: 443, destinations: [ClassicDestination.host('reviews')] }],
      tcpRules: [{ destinations: [ClassicDestination.host('reviews')] }],
    });
    new ServiceVersions(chart, 'Versions', { host: 'reviews', versions: { v2: { version: 'v2' } }, settings: { connections: { maxConnections: 5 } } }); // prettier-ignore
  });
  expect(virtualService?.spec).toEqual({
    hosts: ['reviews'],
    http: [
      {
        match: [{ uri: { prefix: '/api' }, headers: { user: { exact: 'jason' } }, method: { exact: 'GET' } }],
        rewrite: { uri: '/' },
        route: [{ destination: { host: 'reviews', port: { number: 9080 }, subset: 'v2' }, weight: 100 }],
        timeout: '500ms',
        retries: { attempts: 3, perTryTimeout: '2s', retryOn: '5xx,reset' },
        fault: { abort: { httpStatus: 500, percentage: { value: 10 } } },
      },
      { redirect: { uri: '/away', redirectCode: 302 } },
    ],
    tls: [{ match: [{ port: 443, sniHosts: ['reviews'] }], route: [{ destination: { host: 'reviews' } }] }],
    tcp: [{ route: [{ destination: { host: 'reviews' } }] }],
  });
  expect(rule?.spec).toEqual({
    host: 'reviews',
    trafficPolicy: { connectionPool: { tcp: { maxConnections: 5 } } },
    subsets: [{ name: 'v2', labels: { version: 'v2' } }],
  });
});

it.each([
  ['a rule that sends nowhere', { rules: [{}] }, 'a rule sends nowhere'],
  ['no rule at all', {}, 'has no rule'],
  ['every host, without a gateway', { hosts: ['*'], rules: [{ redirect: {} }] }, 'is for every host'],
  [
    'a path without a slash',
    { rules: [{ matches: [ClassicMatch.exact('api')], redirect: {} }] },
    'path "api" has no leading slash',
  ],
  [
    'both a redirect and destinations',
    { rules: [{ redirect: {}, destinations: [ClassicDestination.host('a')] }] },
    'a rule has both `redirect` and `destinations`',
  ],
  ['CORS of a redirect', cors({}, { redirect: {} }), '`redirect` and `cors`'],
  ['CORS without origins', cors({ allowOrigins: [] }), 'cors without an origin'],
  ['an origin with a path', cors({ allowOrigins: [CorsOrigin.exact('https://shop.example.com/')] }), 'cors for origin'],
  ['an origin with a star', cors({ allowOrigins: [CorsOrigin.exact('*.example.com')] }), 'cors for origin'],
  ['an empty origin', cors({ allowOrigins: [CorsOrigin.regex('')] }), 'cors for an empty origin'],
  [
    'credentials for anybody',
    cors({ allowOrigins: [CorsOrigin.any()], allowCredentials: true }),
    'cors with credentials for any origin',
  ],
  [
    'credentials for hosts that begin alike',
    cors({ allowOrigins: [CorsOrigin.prefix('https://shop.example.com')], allowCredentials: true }),
    'cors with credentials for origins such as "https://shop.example.com"',
  ],
  ['a method in small letters', cors({ allowMethods: ['get'] }), 'cors for method "get"'],
  ['a header with a blank', cors({ allowHeaders: ['x id'] }), 'cors for header "x id"'],
  ['a part of a second', cors({ maxAge: Duration.millis(1500) }), 'maxAge of cors is no whole number of seconds'],
  [
    'a match for the mesh where the route is for none',
    { gateways: [PUBLIC], rules: [{ matches: [ClassicMatch.prefix('/', { forMesh: true })], redirect: {} }] },
    'a match for clients in the mesh',
  ],
  [
    'a match for a gateway that the route is not for',
    { rules: [{ matches: [ClassicMatch.prefix('/', { gateways: [PUBLIC] })], redirect: {} }] },
    'a match for Gateway edge/public',
  ],
  [
    'an expression whose case is to be ignored',
    { rules: [{ matches: [ClassicMatch.regex('/a', { ignorePathCase: true })], redirect: {} }] },
    'ignorePathCase of a match without a prefix',
  ],
])('refuses %s', (_what, props, problem) => {
  expect(route(props)).toEqual([expect.stringContaining(problem)]);
});

it('refuses two servers of one name, and settings that a DestinationRule has no place for', () => {
  expect(
    problemsOf(
      (chart) => new ClassicGateway(chart, 'Shop', { servers: [ClassicServer.http(['a.example.com']), ClassicServer.http(['b.example.com'])] }), // prettier-ignore
    ),
  ).toEqual([expect.stringContaining('two servers are named "http"')]);
  expect(
    problemsOf(
      (chart) => new ServiceVersions(chart, 'Web', { host: 'web', settings: { timeout: Duration.seconds(1) } }),
    ),
  ).toEqual([expect.stringContaining('settings.timeout, which is about single requests')]);
});
