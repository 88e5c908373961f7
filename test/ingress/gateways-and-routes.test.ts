import { Duration } from 'cdk8s';
import { GrpcIngressRoute, GrpcMatch } from '../../src/ingress/grpc-ingress-route';
import { HttpIngressRoute } from '../../src/ingress/http-ingress-route';
import { HttpMatch } from '../../src/ingress/http-match';
import { HttpRule } from '../../src/ingress/http-rule';
import { IngressBackend } from '../../src/ingress/ingress-backend';
import { IngressClass } from '../../src/ingress/ingress-class';
import { IngressGateway } from '../../src/ingress/ingress-gateway';
import { IngressListener } from '../../src/ingress/ingress-listener';
import { CertificateIssuer, ListenerCertificate } from '../../src/ingress/listener-certificate';
import { TcpIngressRoute, TlsIngressRoute } from '../../src/ingress/stream-ingress-routes';
import { chart, problems, rendered } from './synthesized';

const shop = IngressBackend.service('web', 8000);
const inMesh = IngressClass.envoyGatewayInMesh('eg');

function gateway(of: ReturnType<typeof chart>, ...listeners: IngressListener[]): IngressGateway {
  return new IngressGateway(of, 'Apps', { ingressClass: inMesh, listeners });
}

function route(of: ReturnType<typeof chart>, rule: HttpRule, ingressClass = inMesh): HttpIngressRoute {
  const apps = new IngressGateway(of, 'Apps', { ingressClass, listeners: [IngressListener.http()] });
  return new HttpIngressRoute(of, 'Web', { gateway: apps, rules: [rule] });
}

describe('the host that a route writes', () => {
  const filters = (of: ReturnType<typeof chart>) => rendered(of, 'HTTPRoute')[0].spec.rules[0].filters;

  it("is the Service's own behind a gateway that sends through a sidecar", () => {
    const edge = chart();
    route(edge, { backends: [shop] });
    expect(filters(edge)).toEqual([{ type: 'URLRewrite', urlRewrite: { hostname: 'web.shop.svc.cluster.local' } }]);
  });

  it('stays where the gateway is itself a proxy of the mesh, or the user says so', () => {
    const istio = chart();
    route(istio, { backends: [shop] }, IngressClass.istio());
    const kept = chart();
    route(kept, { backends: [shop], keepHost: true });
    expect([filters(istio), filters(kept)]).toEqual([undefined, undefined]);
  });

  it('follows the namespace and the domain of the cluster', () => {
    const edge = chart();
    const elsewhere = IngressClass.envoyGatewayInMesh('eg', { clusterDomain: 'prod.internal' });
    route(edge, { backends: [IngressBackend.service('web', 80, { namespace: 'other' })] }, elsewhere);
    expect(filters(edge)[0].urlRewrite.hostname).toBe('web.other.svc.prod.internal');
  });

  it('can be one only, so sharing among Services is refused there and fine elsewhere', () => {
    const backends = [shop, IngressBackend.service('web-canary', 8000, { weight: 10 })];
    const edge = chart();
    route(edge, { backends });
    expect(problems(edge)).toContain('shares requests among 2 Services behind a gateway that sends through a sidecar');
    const istio = chart();
    route(istio, { backends }, IngressClass.istio());
    expect(problems(istio)).toBe('');
  });

  it('comes by a filter of Envoy Gateway for gRPC, whose routes cannot rewrite it', () => {
    const edge = chart();
    const rules = [{ matches: [GrpcMatch.method('shop.v1.Orders', 'Get')], backends: [shop] }];
    new GrpcIngressRoute(edge, 'Orders', { gateway: gateway(edge, IngressListener.http()), rules });
    const [rule] = rendered(edge, 'GRPCRoute')[0].spec.rules;
    expect(rule.filters[0].requestHeaderModifier.set).toEqual([
      { name: 'x-mesh-service', value: 'web.shop.svc.cluster.local' },
    ]);
    expect(rule.filters[1].extensionRef).toEqual({
      group: 'gateway.envoyproxy.io',
      kind: 'HTTPRouteFilter',
      name: 'orders-host',
    });
    expect(rendered(edge, 'HTTPRouteFilter')[0].spec.urlRewrite.hostname).toEqual({
      type: 'Header',
      header: 'x-mesh-service',
    });
  });
});

describe('a rule', () => {
  it('has all standard filters, in one order', () => {
    const edge = chart();
    route(edge, {
      matches: [HttpMatch.prefix('/web', { method: 'GET', headers: { 'x-a': '1' } })],
      backends: [shop],
      rewrite: { prefix: '/' },
      requestHeaders: { set: { b: '2', a: '1' }, remove: ['c'] },
      responseHeaders: { add: { d: '4' } },
      mirrorTo: [IngressBackend.service('shadow', 80)],
      timeout: Duration.seconds(90),
      backendTimeout: Duration.millis(1500),
    });
    const [rule] = rendered(edge, 'HTTPRoute')[0].spec.rules;
    expect(rule.filters.map(({ type }: { type: string }) => type)).toEqual([
      'RequestHeaderModifier',
      'ResponseHeaderModifier',
      'RequestMirror',
      'URLRewrite',
    ]);
    expect(rule.filters[0].requestHeaderModifier.set.map(({ name }: { name: string }) => name)).toEqual(['a', 'b']);
    expect(rule.timeouts).toEqual({ request: '1m30s', backendRequest: '1s500ms' });
    expect(rule.matches[0]).toMatchObject({ method: 'GET', headers: [{ name: 'x-a', value: '1' }] });
    expect(problems(edge)).toBe('');
  });

  it.each<[string, HttpRule, string]>([
    ['a redirect with backends', { redirect: { scheme: 'https' }, backends: [shop] }, 'both `redirect` and `backends`'],
    ['a redirect with a rewrite', { redirect: {}, rewrite: { path: '/' } }, 'both `redirect` and `rewrite`'],
    ['nothing to do', {}, 'sends requests nowhere'],
    [
      'a prefix replaced under two matches',
      { matches: [HttpMatch.prefix('/a'), HttpMatch.prefix('/b')], rewrite: { prefix: '/' }, backends: [shop] },
      'rewrite of a prefix in a rule with 2 matches',
    ],
    [
      'a prefix replaced under an exact match',
      { matches: [HttpMatch.exact('/a')], rewrite: { prefix: '/' }, backends: [shop] },
      'a match by Exact',
    ],
    [
      'a replacement without its slash',
      { matches: [HttpMatch.prefix('/a')], rewrite: { prefix: 'b' }, backends: [shop] },
      'did you mean "/b"?',
    ],
    ['a path without its slash', { matches: [HttpMatch.prefix('a')], backends: [shop] }, 'did you mean "/a"?'],
    ['a method in small letters', { matches: [HttpMatch.prefix('/', { method: 'get' })], backends: [shop] }, '"GET"'],
    ['a redirect with another status', { redirect: { statusCode: 300 } }, 'redirect with status 300'],
    ['a Service with its namespace in its name', { backends: [IngressBackend.service('a.b', 1)] }, 'namespace: "b"'],
  ])('is refused with %s', (_, rule, said) => {
    const edge = chart();
    route(edge, rule);
    expect(problems(edge)).toContain(said);
  });
});

describe('references into other namespaces', () => {
  it('are granted: the backend of a route, for just its name', () => {
    const edge = chart();
    route(edge, { backends: [IngressBackend.service('web', 80, { namespace: 'other' })] });
    expect(rendered(edge, 'ReferenceGrant')[0]).toMatchObject({
      metadata: { namespace: 'other' },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }],
        to: [{ group: '', kind: 'Service', name: 'web' }],
      },
    });
  });

  it('are granted: the certificate of a listener', () => {
    const edge = chart();
    gateway(edge, IngressListener.https(ListenerCertificate.secret('cert', 'certs')));
    expect(rendered(edge, 'ReferenceGrant')[0]).toMatchObject({
      metadata: { namespace: 'certs' },
      spec: { from: [{ kind: 'Gateway', namespace: 'shop' }], to: [{ kind: 'Secret', name: 'cert' }] },
    });
  });

  it('are not granted where there are none', () => {
    const edge = chart();
    route(edge, { backends: [IngressBackend.service('web', 80, { namespace: 'shop' })] });
    expect(rendered(edge, 'ReferenceGrant')).toEqual([]);
    expect(rendered(edge, 'HTTPRoute')[0].spec.rules[0].backendRefs[0].namespace).toBeUndefined();
  });

  it('let routes of other namespaces attach to the listeners that they name, and to no other', () => {
    const edge = chart();
    const apps = gateway(edge, IngressListener.http(), IngressListener.http({ name: 'alt', port: 8080 }));
    const options = { gateway: apps, rules: [{ backends: [shop] }], namespace: 'team', listeners: ['alt'] };
    new HttpIngressRoute(edge, 'Web', options);
    const [http, alt] = rendered(edge, 'Gateway')[0].spec.listeners;
    expect(http.allowedRoutes).toBeUndefined();
    expect(alt.allowedRoutes.namespaces.selector.matchExpressions).toEqual([
      { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['shop', 'team'] },
    ]);
    const [parent] = rendered(edge, 'HTTPRoute')[0].spec.parentRefs;
    expect(parent).toMatchObject({ namespace: 'shop', sectionName: 'alt' });
  });
});

describe('a gateway', () => {
  it('refuses listeners that nothing tells apart', () => {
    const edge = chart();
    const certificate = ListenerCertificate.secret('c');
    gateway(
      edge,
      IngressListener.http(),
      IngressListener.http({ name: 'again' }),
      IngressListener.https(certificate),
      IngressListener.tlsPassthrough(),
    );
    const said = problems(edge);
    expect(said).toContain('listeners "http" (HTTP) and "again" (HTTP) share port 80 for any host');
    expect(said).toContain('listeners "https" (HTTPS) and "tls" (TLS) share port 443 for any host');
  });

  it('takes HTTPS and TLS on one port by host, and refuses HTTP beside them', () => {
    const edge = chart();
    const https = IngressListener.https(ListenerCertificate.secret('c'), { hostname: 'a.example.com' });
    gateway(
      edge,
      https,
      IngressListener.tlsPassthrough({ hostname: 'b.example.com' }),
      IngressListener.http({ port: 443, hostname: 'c.example.com' }),
    );
    expect(problems(edge)).toContain('"http-443" (HTTP) share port 443');
    expect(problems(edge)).not.toContain('listeners "https" (HTTPS) and "tls" (TLS)');
  });

  it('asks cert-manager for a certificate of its host, by a Certificate or by an annotation', () => {
    const edge = chart();
    const issuer = CertificateIssuer.cluster('letsencrypt');
    gateway(
      edge,
      IngressListener.https(ListenerCertificate.certManager('a-cert', issuer), { hostname: 'a.example.com' }),
      IngressListener.https(ListenerCertificate.certManagerAnnotation('b-cert', issuer), {
        name: 'b',
        hostname: 'b.example.com',
      }),
    );
    expect(rendered(edge, 'Certificate').map(({ spec }) => spec)).toEqual([
      {
        secretName: 'a-cert',
        dnsNames: ['a.example.com'],
        issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'letsencrypt' },
      },
    ]);
    expect(rendered(edge, 'Gateway')[0].metadata.annotations).toEqual({
      'cert-manager.io/cluster-issuer': 'letsencrypt',
    });
    expect(problems(edge)).toBe('');
  });

  it('refuses a certificate that another gateway shows too', () => {
    const edge = chart();
    for (const id of ['A', 'B']) {
      const listeners = [IngressListener.https(ListenerCertificate.secret('wildcard'))];
      new IngressGateway(edge, id, { ingressClass: inMesh, listeners });
    }
    expect(problems(edge)).toContain('certificate "shop/wildcard" is shown by both edge/A and edge/B');
  });
});

describe('a route at a gateway', () => {
  it('is refused where no listener takes its host, its kind or its listener', () => {
    const edge = chart();
    const apps = gateway(edge, IngressListener.http({ hostname: '*.example.com' }));
    const rules = [{ backends: [shop] }];
    new HttpIngressRoute(edge, 'Host', { gateway: apps, rules, hostnames: ['www.example.org'] });
    new HttpIngressRoute(edge, 'Section', { gateway: apps, rules, listeners: ['https'] });
    new TlsIngressRoute(edge, 'Kind', { gateway: apps, hostnames: ['a.example.com'], backends: [shop] });
    const said = problems(edge);
    expect(said).toContain('[edge/Host] hostname "www.example.org" is none that edge/Apps listens for');
    expect(said).toContain('[edge/Section] listener "https", which edge/Apps has not');
    expect(said).toContain('[edge/Kind] no listener of edge/Apps takes TLSRoutes');
  });

  it('passes TLS and TCP on from the listeners that can', () => {
    const edge = chart();
    const apps = gateway(edge, IngressListener.http(), IngressListener.tlsPassthrough(), IngressListener.tcp(5432));
    new TlsIngressRoute(edge, 'Tls', { gateway: apps, hostnames: ['db.example.com'], backends: [shop] });
    new TcpIngressRoute(edge, 'Tcp', { gateway: apps, listener: 'tcp-5432', backends: [shop] });
    expect(rendered(edge, 'TLSRoute')[0].spec.parentRefs[0].sectionName).toBe('tls');
    expect(rendered(edge, 'TCPRoute')[0].spec.parentRefs[0].sectionName).toBe('tcp-5432');
    expect(problems(edge)).toBe('');
  });
});
