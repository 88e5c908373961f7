import { Duration } from 'cdk8s';
import { BackendTrafficPolicy } from '../../src/ingress/backend-traffic-policy';
import { EnvoyGatewayInMesh } from '../../src/ingress/envoy-gateway-in-mesh';
import { IngressBackend } from '../../src/ingress/ingress-backend';
import { IngressClass } from '../../src/ingress/ingress-class';
import { CertificateIssuer, ListenerCertificate } from '../../src/ingress/listener-certificate';
import { PublishedService, PublishedServiceProps } from '../../src/ingress/published-service';
import { PolicyTarget } from '../../src/ingress/policy-target';
import { RateLimit, RateLimitUnit } from '../../src/ingress/rate-limit';
import { SharedClassicIngress, SharedClassicIngressProps } from '../../src/ingress/shared-classic-ingress';
import { SharedIngress } from '../../src/ingress/shared-ingress';
import { SharedIngressGateway, SharedIngressGatewayProps } from '../../src/ingress/shared-ingress-gateway';
import { findings, traceOf } from '../egress/judged';
import { chart, problems, rendered } from './synthesized';

type Of = ReturnType<typeof chart>;
const shop = IngressBackend.service('shop', 80);
const orders = IngressBackend.service('orders', 8080);
const issuer = CertificateIssuer.cluster('letsencrypt');

const service = (name: string, port: number) => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, port: ${port}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}
spec: {containers: [{name: a, image: a}]}
`;
const WORLD = [
  'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n',
  service('shop', 80),
  service('orders', 8080),
  `
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{name: http2, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ingress, namespace: istio-system, labels: {istio: ingressgateway, sidecar.istio.io/inject: "true"}, annotations: {inject.istio.io/templates: gateway}}
spec: {containers: [{name: istio-proxy, image: auto}]}
`,
].join('---\n');

const onGatewayApi = (of: Of, props: Partial<SharedIngressGatewayProps> = {}) =>
  new SharedIngressGateway(of, 'Edge', { ingressClass: IngressClass.istio(), issuer, ...props });
const onClassic = (of: Of, props: SharedClassicIngressProps = {}) =>
  new SharedClassicIngress(of, 'Edge', { issuer, ...props });
const publish = (of: Of, ingress: SharedIngress, props: Partial<PublishedServiceProps> = {}, id = 'Shop') =>
  new PublishedService(of, id, { ingress, hostname: 'shop.example.com', backend: shop, ...props });

describe.each<[string, (of: Of) => SharedIngress, string]>([
  ["Istio's Gateway API", (of) => onGatewayApi(of), 'shop/edge'],
  ["Istio's own API", (of) => onClassic(of), 'istio-system/ingress'],
  [
    'Envoy Gateway',
    (of) => onGatewayApi(of, { ingressClass: new EnvoyGatewayInMesh(of, 'Eg'), namespace: 'shop' }),
    'shop/edge',
  ],
])('a Service published on %s', (_, make, at) => {
  function published(): Of {
    const of = chart();
    const ingress = make(of);
    const paths = [{ prefix: '/api', backend: orders, rewritePrefix: '/' }];
    publish(of, ingress, { paths });
    publish(of, ingress, { hostname: 'orders.example.com', backend: orders }, 'Orders');
    return of;
  }

  it('is reached by HTTPS, by the longest prefix of whole segments, and plain HTTP is redirected', () => {
    const of = published();
    expect(problems(of)).toBe('');
    const trace = traceOf(of, WORLD);
    const ask = (request: string) => {
      const told = trace(request, { from: 'outside', at });
      return told.answer ? `${told.answer.status} ${told.answer.location}` : (told.destination?.host ?? told.outcome);
    };
    expect([
      ask('https://shop.example.com/cart'),
      ask('https://shop.example.com/api/1'),
      ask('https://shop.example.com/api'),
      ask('https://shop.example.com/apis'),
      ask('https://orders.example.com/'),
      ask('http://shop.example.com/cart?x=1'),
      ask('https://other.example.com/'),
    ]).toEqual([
      'shop.shop.svc.cluster.local',
      'orders.shop.svc.cluster.local',
      'orders.shop.svc.cluster.local',
      'shop.shop.svc.cluster.local',
      'orders.shop.svc.cluster.local',
      '301 https://shop.example.com/cart?x=1',
      'refused',
    ]);
  });

  it('gets a certificate from the issuer, and is told to DNS', () => {
    const of = published();
    expect(rendered(of, 'Certificate').map(({ spec }) => spec.dnsNames)).toEqual([
      ['shop.example.com'],
      ['orders.example.com'],
    ]);
    const [route] = [...rendered(of, 'HTTPRoute', 'shop'), ...rendered(of, 'VirtualService', 'shop')];
    expect(route.metadata.annotations).toEqual({ 'external-dns.alpha.kubernetes.io/hostname': 'shop.example.com' });
  });

  it('is found in order by our own check', () => {
    // What the namespace of an Envoy Gateway and cert-manager's Secrets hold is not among the manifests.
    expect(findings(published(), WORLD)).toEqual([]);
  });

  it('shares the gateway whatever the order in which it is published', () => {
    const listed = (hosts: string[]) => {
      const of = chart();
      const ingress = make(of);
      hosts.forEach((hostname) => publish(of, ingress, { hostname }, hostname));
      const [{ spec }] = rendered(of, 'Gateway');
      return [...(spec.listeners ?? spec.servers)].map((one: any) => JSON.stringify(one)).sort();
    };
    expect(listed(['a.example.com', 'b.example.com'])).toEqual(listed(['b.example.com', 'a.example.com']));
  });
});

describe('a path of what is published', () => {
  it('has a name and a timeout of its own, for policies about it', () => {
    const of = chart();
    const eg = new EnvoyGatewayInMesh(of, 'Eg');
    const paths = [{ prefix: '/api', backend: orders, name: 'api', timeout: Duration.seconds(10) }];
    const published = publish(of, onGatewayApi(of, { ingressClass: eg }), { paths });
    new BackendTrafficPolicy(of, 'Limits', {
      target: PolicyTarget.published(published, 'api'),
      rateLimit: RateLimit.local([{ requests: 5, unit: RateLimitUnit.SECOND }]),
    });
    const [api, all] = rendered(of, 'HTTPRoute', 'shop')[0].spec.rules;
    expect(api).toMatchObject({ name: 'api', timeouts: { request: '10s' } });
    expect(all.name).toBeUndefined();
    expect(rendered(of, 'BackendTrafficPolicy')[0].spec.targetRefs[0]).toMatchObject({
      name: 'shop',
      sectionName: 'api',
    });
    expect(problems(of)).toBe('');
    expect(PolicyTarget.published(published).sectionName).toBeUndefined();
    const classic = chart();
    const ofIstio = publish(classic, onClassic(classic), { paths });
    expect(ofIstio.route).toBeUndefined();
    expect(() => PolicyTarget.published(ofIstio)).toThrow("is published by Istio's own API");
    expect(rendered(classic, 'VirtualService')[0].spec.http[0]).toMatchObject({ name: 'api', timeout: '10000ms' });
  });
});

describe('the domain of a gateway', () => {
  const domains = [{ hostname: '*.example.com', certificate: ListenerCertificate.secret('wildcard') }];

  it('gives its hosts one listener, or one server', () => {
    const api = chart();
    const edge = onGatewayApi(api, { domains });
    publish(api, edge, {});
    publish(api, edge, { hostname: 'b.example.com' }, 'B');
    const { listeners } = rendered(api, 'Gateway')[0].spec;
    expect(listeners.map(({ name, hostname }: any) => `${name} ${hostname}`)).toEqual([
      'http undefined',
      'any-example-com *.example.com',
    ]);
    expect(problems(api)).toBe('');
    const classic = chart();
    const old = onClassic(classic, { domains });
    publish(classic, old, {});
    publish(classic, old, { hostname: 'b.example.com' }, 'B');
    expect(rendered(classic, 'Gateway')[0].spec.servers).toMatchObject([
      { tls: { credentialName: 'wildcard' }, hosts: ['shop/b.example.com', 'shop/shop.example.com'] },
      { tls: { httpsRedirect: true }, hosts: ['shop/b.example.com', 'shop/shop.example.com'] },
    ]);
    expect(problems(classic)).toBe('');
  });

  it('is needed where one certificate is for several listeners, and is a wildcard', () => {
    const of = chart();
    const edge = onGatewayApi(of);
    const certificate = ListenerCertificate.secret('one');
    publish(of, edge, { certificate });
    publish(of, edge, { hostname: 'b.example.com', certificate }, 'B');
    expect(problems(of)).toMatch(/certificate "shop\/one" is shown for both "shop.example.com" and "b.example.com"/);
    const exact = chart();
    publish(exact, onGatewayApi(exact, { domains: [{ hostname: 'a.example.com', certificate }] }));
    expect(problems(exact)).toMatch(/domain "a.example.com" is no wildcard/);
  });
});

describe('a gateway that another repository owns', () => {
  it('gets routes alone, at its listeners', () => {
    const of = chart();
    const attributes = { name: 'edge', namespace: 'edge', ingressClass: IngressClass.istio(), httpsListener: 'web' };
    publish(of, SharedIngressGateway.fromAttributes(of, 'Edge', attributes), { timeout: Duration.seconds(5) });
    expect(rendered(of, 'Gateway')).toEqual([]);
    const [route, redirect] = rendered(of, 'HTTPRoute');
    expect(route.spec.parentRefs[0]).toMatchObject({ name: 'edge', namespace: 'edge', sectionName: 'web' });
    expect(route.spec.rules[0].timeouts).toEqual({ request: '5s' });
    expect(redirect.spec.parentRefs[0].sectionName).toBe('http');
    expect(problems(of)).toBe('');
  });

  it('takes no certificate from those who publish', () => {
    const of = chart();
    const classic = SharedClassicIngress.fromAttributes(of, 'Edge', { name: 'edge', namespace: 'edge' });
    publish(of, classic, { certificate: ListenerCertificate.secret('mine') });
    expect(rendered(of, 'VirtualService')[0].spec).toMatchObject({
      gateways: ['edge/edge'],
      exportTo: ['.', 'istio-system'],
    });
    expect(problems(of)).toMatch(/which another repository owns/);
  });
});

describe('what can not be published', () => {
  it.each<[string, Partial<PublishedServiceProps>, RegExp]>([
    ['nothing', { backend: undefined }, /published with nothing behind it/],
    ['a prefix twice', { paths: [{ prefix: '/', backend: orders }] }, /prefix "\/" is there twice/],
    ['plain HTTP with a redirect', { plainHttp: true, redirectHttp: true }, /`plainHttp` with/],
    ['a URL', { hostname: 'https://shop.example.com' }, /is a URL/],
    ['a target of DNS at a route', { dns: { target: 'lb.example.com' } }, /dnsTarget/],
  ])('refuses %s', (_, props, said) => {
    const of = chart();
    publish(of, onGatewayApi(of), props);
    expect(problems(of)).toMatch(said);
  });

  it('refuses a host by plain HTTP and HTTPS at one classic gateway, one with nothing on it, and Secrets elsewhere', () => {
    const of = chart();
    const edge = onClassic(of);
    expect(problems(of)).toMatch(/publishes nothing/);
    publish(of, edge);
    publish(of, edge, { plainHttp: true }, 'Plain');
    publish(of, edge, { hostname: 'c.example.com', certificate: ListenerCertificate.secret('c', 'shop') }, 'C');
    expect(problems(of)).toMatch(/published by plain HTTP and by HTTPS/);
    expect(problems(of)).toMatch(/certificate "c" lies in namespace "shop"/);
  });

  it('publishes inside by plain HTTP alone', () => {
    const of = chart();
    publish(of, onClassic(of), { plainHttp: true, dns: { target: 'lb.internal', ttl: Duration.minutes(1) } });
    expect(rendered(of, 'Gateway')[0].spec.servers).toMatchObject([{ port: { number: 80, protocol: 'HTTP' } }]);
    expect(rendered(of, 'VirtualService')[0].metadata.annotations).toMatchObject({
      'external-dns.alpha.kubernetes.io/target': 'lb.internal',
      'external-dns.alpha.kubernetes.io/ttl': '60',
    });
    expect(problems(of)).toBe('');
  });
});
