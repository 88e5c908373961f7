import { Duration } from 'cdk8s';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { ApiKeySource } from '../../src/ingress/api-keys';
import { Compression, ErrorPageBody, StickySessions } from '../../src/ingress/backend-health';
import { BackendTrafficPolicy, BackendTrafficPolicyProps } from '../../src/ingress/backend-traffic-policy';
import { ClientTrafficPolicy } from '../../src/ingress/client-traffic-policy';
import { EnvoyGatewayInMesh } from '../../src/ingress/envoy-gateway-in-mesh';
import { ExternalBackend, ExternalBackendProps } from '../../src/ingress/external-backend';
import { HttpIngressRoute } from '../../src/ingress/http-ingress-route';
import { IngressBackend } from '../../src/ingress/ingress-backend';
import { IIngressClass, IngressClass } from '../../src/ingress/ingress-class';
import { IngressGateway } from '../../src/ingress/ingress-gateway';
import { IngressListener } from '../../src/ingress/ingress-listener';
import { ListenerCertificate } from '../../src/ingress/listener-certificate';
import { PolicyTarget } from '../../src/ingress/policy-target';
import { SecurityPolicy, SecurityPolicyProps } from '../../src/ingress/security-policy';
import { findings, traceOf } from '../egress/judged';
import { chart, problems, rendered } from './synthesized';

type Of = ReturnType<typeof chart>;

function gateway(of: Of, ingressClass: IIngressClass = IngressClass.named('eg')): IngressGateway {
  return new IngressGateway(of, 'Edge', { ingressClass, listeners: [IngressListener.http()] });
}
function policy(props: Partial<BackendTrafficPolicyProps>, ingressClass?: IIngressClass): Of {
  const of = chart();
  new BackendTrafficPolicy(of, 'Policy', { target: PolicyTarget.gateway(gateway(of, ingressClass)), ...props });
  return of;
}
/** Schemas and CEL rules of the CRDs, and all that is judged over the whole; that no route is attached is not the matter here. */
const judged = (of: Of) =>
  findings(of).filter((text) => /BackendTrafficPolicy|SecurityPolicy|Backend |ClientTraffic/.test(text));

describe('how an Envoy Gateway treats backends', () => {
  it('keeps clients at one Pod, checks health, answers with pages and compresses, as the CRD has it', () => {
    const of = policy({
      stickySessions: StickySessions.cookie('pod', Duration.hours(1)),
      passiveHealthCheck: { consecutiveGatewayErrors: 3, maxEjectionPercent: 50, interval: Duration.seconds(5) },
      activeHealthCheck: { path: '/healthz', expectedStatuses: [200, 204], timeout: Duration.seconds(2) },
      errorPages: [
        { statuses: ['503', '500-502'], body: ErrorPageBody.inline('<p>Later.</p>') },
        { statuses: ['404'], body: ErrorPageBody.configMap('not-found'), contentType: 'text/plain', status: 200 },
      ],
      compression: [Compression.BROTLI, Compression.GZIP],
    });
    expect(rendered(of, 'BackendTrafficPolicy')[0].spec).toMatchObject({
      loadBalancer: { type: 'ConsistentHash', consistentHash: { type: 'Cookie', cookie: { name: 'pod', ttl: '1h' } } },
      healthCheck: {
        passive: { consecutiveGatewayErrors: 3, maxEjectionPercent: 50, interval: '5s' },
        active: { type: 'HTTP', http: { path: '/healthz', expectedStatuses: [200, 204] }, timeout: '2s' },
      },
      responseOverride: [
        {
          match: {
            statusCodes: [
              { type: 'Value', value: 503 },
              { type: 'Range', range: { start: 500, end: 502 } },
            ],
          },
          response: { contentType: 'text/html', body: { type: 'Inline', inline: '<p>Later.</p>' } },
        },
        {
          match: { statusCodes: [{ type: 'Value', value: 404 }] },
          response: { statusCode: 200, body: { valueRef: { kind: 'ConfigMap', name: 'not-found' } } },
        },
      ],
      compressor: [
        { type: 'Brotli', brotli: {} },
        { type: 'Gzip', gzip: {} },
      ],
    });
    expect(problems(of)).toBe('');
    expect(judged(of)).toEqual([]);
  });

  it.each([StickySessions.header('x-tenant'), StickySessions.sourceIp()])('takes each kind of stickiness', (one) =>
    expect(judged(policy({ stickySessions: one, activeHealthCheck: {} }))).toEqual([]),
  );

  it('refuses what a proxy that sends through its sidecar can not do', () => {
    const eg = IngressClass.envoyGatewayInMesh('eg');
    const said = problems(policy({ stickySessions: StickySessions.sourceIp(), passiveHealthCheck: {} }, eg));
    expect(said).toMatch(/`stickySessions` at an Envoy Gateway that sends through a sidecar/);
    expect(said).toMatch(/`passiveHealthCheck` at/);
    expect(problems(policy({ compression: [Compression.GZIP] }, eg))).toBe('');
  });

  it.each<[string, Partial<BackendTrafficPolicyProps>, RegExp]>([
    ['a page for no status', { errorPages: [{ statuses: [], body: ErrorPageBody.inline('') }] }, /for no status/],
    ['a page for no number', { errorPages: [{ statuses: ['5xx'], body: ErrorPageBody.inline('') }] }, /for "5xx"/],
    ['a range backwards', { errorPages: [{ statuses: ['599-500'], body: ErrorPageBody.inline('') }] }, /"599-500"/],
    [
      'a long page',
      { errorPages: [{ statuses: ['500'], body: ErrorPageBody.inline('x'.repeat(5000)) }] },
      /5000 bytes/,
    ],
    ['a path with no slash', { activeHealthCheck: { path: 'healthz' } }, /asks for "healthz"/],
    ['statuses of a TCP check', { activeHealthCheck: { expectedStatuses: [200] } }, /no `path`/],
    ['an algorithm twice', { compression: [Compression.GZIP, Compression.GZIP] }, /Gzip twice/],
  ])('refuses %s', (_, props, said) => expect(problems(policy(props))).toMatch(said));
});

describe('how clients connect', () => {
  it('offers HTTP/3 where a listener is HTTPS, and nowhere else', () => {
    const https = IngressListener.https(ListenerCertificate.secret('edge'));
    const clients = (listener: IngressListener): Of => {
      const of = chart();
      const edge = new IngressGateway(of, 'Edge', { ingressClass: IngressClass.named('eg'), listeners: [listener] });
      new ClientTrafficPolicy(of, 'Clients', { target: PolicyTarget.gateway(edge), http3: true });
      return of;
    };
    expect(rendered(clients(https), 'ClientTrafficPolicy')[0].spec.http3).toEqual({});
    expect(problems(clients(https))).toBe('');
    expect(judged(clients(https))).toEqual([]);
    expect(problems(clients(IngressListener.http()))).toMatch(/`http3` where no listener is HTTPS/);
  });
});

describe('API keys', () => {
  const guarded = (apiKeys: SecurityPolicyProps['apiKeys']): Of => {
    const of = chart();
    new SecurityPolicy(of, 'Keys', { target: PolicyTarget.gateway(gateway(of)), apiKeys });
    return of;
  };

  it('are looked for where it is said, and taken out of the request', () => {
    const of = guarded({
      secretNames: ['partners'],
      from: [ApiKeySource.header('x-api-key'), ApiKeySource.queryParameter('key'), ApiKeySource.cookie('key')],
      clientIdHeader: 'x-client',
    });
    expect(rendered(of, 'SecurityPolicy')[0].spec.apiKeyAuth).toEqual({
      credentialRefs: [{ name: 'partners' }],
      extractFrom: [{ headers: ['x-api-key'] }, { params: ['key'] }, { cookies: ['key'] }],
      forwardClientIDHeader: 'x-client',
      sanitize: true,
    });
    expect(problems(of)).toBe('');
    expect(judged(of)).toEqual([]);
  });

  it('refuses none, and nowhere', () => {
    const said = problems(guarded({ secretNames: [], from: [] }));
    expect(said).toMatch(/names no Secret/);
    expect(said).toMatch(/looks for keys nowhere/);
  });
});

describe('a backend outside the cluster', () => {
  function outside(
    props: Partial<ExternalServiceProps> = {},
    more: Partial<ExternalBackendProps> = {},
    ingressClass?: IIngressClass,
  ): Of {
    const of = chart();
    const service = new ExternalService(of, 'LegacyHost', {
      hosts: ['legacy.example.com'],
      ports: [ExternalPort.https()],
      ...props,
    });
    const eg = ingressClass ?? new EnvoyGatewayInMesh(of, 'Eg', { externalBackends: true });
    const legacy = new ExternalBackend(of, 'Legacy', { service, ...more });
    const rules = [{ backends: [IngressBackend.external(legacy)] }];
    new HttpIngressRoute(of, 'Route', { gateway: gateway(of, eg), hostnames: ['shop.example.com'], rules });
    return of;
  }

  it('is a Backend with verified TLS, asked for by its own name, and shown to the proxies of the gateway', () => {
    const of = outside();
    expect(rendered(of, 'Backend')[0].spec).toEqual({
      endpoints: [{ fqdn: { hostname: 'legacy.example.com', port: 443 } }],
      tls: { sni: 'legacy.example.com', wellKnownCACertificates: 'System' },
    });
    const [rule] = rendered(of, 'HTTPRoute')[0].spec.rules;
    expect(rule.backendRefs).toEqual([{ group: 'gateway.envoyproxy.io', kind: 'Backend', name: 'legacy' }]);
    expect(rule.filters).toEqual([{ type: 'URLRewrite', urlRewrite: { hostname: 'legacy.example.com' } }]);
    expect(rendered(of, 'ServiceEntry')[0].spec.exportTo).toEqual(['.', 'envoy-gateway-system']);
    expect(problems(of)).toBe('');
    expect(judged(of)).toEqual([]);
  });

  it('is where our own trace goes', () => {
    const told = traceOf(outside())('http://shop.example.com/', { from: 'outside', at: 'shop/edge' });
    expect(told.outcome).toBe('delivered');
    expect(told.destination).toMatchObject({ host: 'legacy.example.com', port: 443 });
  });

  it('takes a CA of its own, and plain text where the port is', () => {
    const [tls] = rendered(outside({}, { caConfigMapName: 'legacy-ca' }), 'Backend');
    expect(tls.spec.tls.caCertificateRefs).toEqual([{ group: '', kind: 'ConfigMap', name: 'legacy-ca' }]);
    expect(rendered(outside({ ports: [ExternalPort.http()] }), 'Backend')[0].spec.tls).toBeUndefined();
  });

  it('refuses a wildcard, an undeclared port, a CA for plain text, and gateways that take none', () => {
    expect(problems(outside({ hosts: ['*.example.com'] }))).toMatch(/a proxy asks for one host/);
    expect(problems(outside({}, { port: 8443 }))).toMatch(/port 8443, which/);
    expect(problems(outside({ ports: [ExternalPort.http()] }, { caConfigMapName: 'ca' }))).toMatch(
      /which is plain text/,
    );
    expect(problems(outside({}, {}, IngressClass.istio()))).toMatch(/the gateway is Istio's/);
    const of = chart();
    expect(problems(outside({}, {}, new EnvoyGatewayInMesh(of, 'Other')))).toMatch(/takes no Backends/);
  });
});
