/** Gateways, routes and versions of Istio's own API, each as one construct. */
import { type Chart, Duration } from 'cdk8s';
import {
  Audience,
  ClassicDestination,
  ClassicGateway,
  ClassicMatch,
  ClassicRoute,
  ClassicServer,
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
