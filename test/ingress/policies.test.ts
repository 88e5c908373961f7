import { Duration } from 'cdk8s';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { BackendTlsPolicy } from '../../src/ingress/backend-tls-policy';
import { BackendTrafficPolicy } from '../../src/ingress/backend-traffic-policy';
import { ClassicIngress } from '../../src/ingress/classic-ingress';
import { ClientTrafficPolicy } from '../../src/ingress/client-traffic-policy';
import { TlsVersion } from '../../src/mesh/tls-version';
import { EnvoyGatewayInMesh } from '../../src/ingress/envoy-gateway-in-mesh';
import { HttpIngressRoute } from '../../src/ingress/http-ingress-route';
import { HttpMatch } from '../../src/ingress/http-match';
import { IngressBackend } from '../../src/ingress/ingress-backend';
import { IngressClass } from '../../src/ingress/ingress-class';
import { IngressGateway } from '../../src/ingress/ingress-gateway';
import { IngressListener } from '../../src/ingress/ingress-listener';
import { OidcLogin } from '../../src/ingress/oidc-login';
import { PolicyTarget } from '../../src/ingress/policy-target';
import { RateLimit, RateLimitUnit } from '../../src/ingress/rate-limit';
import { SecurityPolicy } from '../../src/ingress/security-policy';
import { chart, problems, rendered } from './synthesized';

function world(): { edge: ReturnType<typeof chart>; gateway: IngressGateway; route: HttpIngressRoute } {
  const edge = chart();
  const ingressClass = IngressClass.envoyGatewayInMesh('eg');
  const gateway = new IngressGateway(edge, 'Apps', { ingressClass, listeners: [IngressListener.http()] });
  const rules = [{ name: 'web', matches: [HttpMatch.prefix('/web')], backends: [IngressBackend.service('web', 80)] }];
  const route = new HttpIngressRoute(edge, 'Web', {
    gateway,
    hostnames: ['www.example.com'],
    namespace: 'team',
    rules,
  });
  return { edge, gateway, route };
}

const provider = (service?: ExternalService): OidcLogin['provider'] => ({
  issuer: 'https://login.example.com',
  authorizationEndpoint: 'https://login.example.com/authorize',
  tokenEndpoint: 'https://login.example.com/token',
  service,
});

const login = (more: Partial<OidcLogin> = {}): OidcLogin => ({
  provider: provider(),
  clientId: 'web',
  clientSecretName: 'web-client',
  redirectUrl: 'https://www.example.com/web/oauth2/callback',
  logoutPath: '/web/logout',
  ...more,
});

describe('a policy', () => {
  it('lies in the namespace of its target, and comes before it', () => {
    const { edge, route } = world();
    new SecurityPolicy(edge, 'Login', { target: PolicyTarget.route(route), oidc: login() });
    const kinds = (edge.toJson() as { kind: string }[]).map(({ kind }) => kind);
    expect(rendered(edge, 'SecurityPolicy')[0].metadata.namespace).toBe('team');
    expect(kinds.indexOf('SecurityPolicy')).toBeLessThan(kinds.indexOf('HTTPRoute'));
  });

  it('can be about a listener or a rule, and is refused where there is none of that name', () => {
    const { edge, gateway, route } = world();
    const rateLimit = RateLimit.local([{ requests: 1, unit: RateLimitUnit.SECOND }]);
    new BackendTrafficPolicy(edge, 'A', { target: PolicyTarget.rule(route, 'web'), rateLimit });
    new BackendTrafficPolicy(edge, 'B', { target: PolicyTarget.listener(gateway, 'https'), rateLimit });
    expect(rendered(edge, 'BackendTrafficPolicy', 'a')[0].spec.targetRefs[0].sectionName).toBe('web');
    expect(problems(edge)).toContain('[edge/B] listener "https", which edge/Apps has not');
  });
});

describe('a login', () => {
  it('says both endpoints, so that nothing has to be discovered', () => {
    const { edge, route } = world();
    new SecurityPolicy(edge, 'Login', { target: PolicyTarget.route(route), oidc: login() });
    expect(rendered(edge, 'SecurityPolicy')[0].spec.oidc).toMatchObject({
      provider: { authorizationEndpoint: expect.any(String), tokenEndpoint: expect.any(String) },
      clientID: 'web',
      clientSecret: { name: 'web-client' },
      redirectURL: 'https://www.example.com/web/oauth2/callback',
    });
    expect(problems(edge)).toBe('');
  });

  it('makes its provider known where the proxies run', () => {
    const { edge, route } = world();
    const service = new ExternalService(edge, 'Provider', {
      hosts: ['login.example.com'],
      ports: [ExternalPort.https()],
    });
    new SecurityPolicy(edge, 'Login', {
      target: PolicyTarget.route(route),
      oidc: login({ provider: provider(service) }),
    });
    expect(rendered(edge, 'ServiceEntry')[0].spec.exportTo).toEqual(['.', 'envoy-gateway-system']);
  });

  it('is refused where the provider is registered with another host or port', () => {
    const { edge, route } = world();
    const other = new ExternalService(edge, 'Other', { hosts: ['idp.example.com'], ports: [ExternalPort.https()] });
    const port = new ExternalService(edge, 'Port', { hosts: ['login.example.com'], ports: [ExternalPort.https(8443)] });
    new SecurityPolicy(edge, 'A', { target: PolicyTarget.route(route), oidc: login({ provider: provider(other) }) });
    new SecurityPolicy(edge, 'B', { target: PolicyTarget.route(route), oidc: login({ provider: provider(port) }) });
    expect(problems(edge)).toContain('[edge/A] token endpoint "https://login.example.com/token" is not at edge/Other');
    expect(problems(edge)).toContain('[edge/B] token endpoint "https://login.example.com/token" is at port 443');
  });

  it('is refused where the way back is none that the route takes', () => {
    const { edge, route } = world();
    const oidc = login({ redirectUrl: 'https://app.example.com/oauth2/callback', logoutPath: '/logout' });
    new SecurityPolicy(edge, 'Login', { target: PolicyTarget.route(route), oidc });
    const said = problems(edge);
    expect(said).toContain('is at a host that edge/Web has not');
    expect(said).toContain('redirectUrl "/oauth2/callback" fits no rule');
    expect(said).toContain('logoutPath "/logout" fits no rule');
  });

  it('is refused where it shares a cookie with the login of another client', () => {
    const { edge, gateway, route } = world();
    const idTokenCookie = 'Id';
    new SecurityPolicy(edge, 'A', { target: PolicyTarget.route(route), oidc: login({ idTokenCookie }) });
    const other = login({ idTokenCookie, clientId: 'other' });
    new SecurityPolicy(edge, 'B', { target: PolicyTarget.gateway(gateway), oidc: other });
    expect(problems(edge)).toContain('cookie "Id" belongs to both edge/A and edge/B');
  });
});

describe('who may come in', () => {
  it('renders tokens, origins, passwords, another service and rules', () => {
    const { edge, route } = world();
    new SecurityPolicy(edge, 'All', {
      target: PolicyTarget.route(route),
      jwt: [{ name: 'idp', issuer: 'https://i', jwksUri: 'https://i/jwks', claimToHeaders: { sub: 'x-user' } }],
      cors: { allowOrigins: ['https://shop.example.com'], maxAge: Duration.hours(1) },
      basicAuthSecretName: 'users',
      externalAuthorization: { service: IngressBackend.service('authz', 9000, { namespace: 'auth' }), grpc: true },
      authorization: [{ allow: true, jwtProvider: 'idp', claims: { role: ['admin'] } }],
    });
    const { spec } = rendered(edge, 'SecurityPolicy')[0];
    expect(spec.jwt.providers[0]).toMatchObject({
      remoteJWKS: { uri: 'https://i/jwks' },
      claimToHeaders: [{ claim: 'sub', header: 'x-user' }],
    });
    expect(spec.cors).toEqual({ allowOrigins: ['https://shop.example.com'], maxAge: '1h' });
    expect(spec.basicAuth).toEqual({ users: { name: 'users' } });
    expect(spec.extAuth.grpc.backendRefs[0]).toMatchObject({ name: 'authz', namespace: 'auth', port: 9000 });
    expect(spec.authorization).toMatchObject({
      defaultAction: 'Deny',
      rules: [{ action: 'Allow', principal: { jwt: { provider: 'idp' } } }],
    });
    expect(rendered(edge, 'ReferenceGrant')[0].spec.from[0].kind).toBe('SecurityPolicy');
    expect(problems(edge)).toBe('');
  });

  it('is refused where it asks for nothing, or for tokens of no provider', () => {
    const { edge, route } = world();
    new SecurityPolicy(edge, 'A', { target: PolicyTarget.route(route) });
    new SecurityPolicy(edge, 'B', {
      target: PolicyTarget.route(route),
      authorization: [{ allow: true, jwtProvider: 'x' }],
    });
    expect(problems(edge)).toContain('[edge/A] asks for nothing');
    expect(problems(edge)).toContain('[edge/B] an authorization rule looks at tokens of "x"');
  });
});

describe('how requests are passed on', () => {
  it('renders limits for all, for each header value and for each client', () => {
    const { edge, route } = world();
    const rateLimit = RateLimit.global([
      { requests: 100, unit: RateLimitUnit.MINUTE },
      { requests: 5, unit: RateLimitUnit.SECOND, perHeader: ['x-user'], perClient: true },
    ]);
    new BackendTrafficPolicy(edge, 'Limit', { target: PolicyTarget.route(route), rateLimit });
    expect(rendered(edge, 'BackendTrafficPolicy')[0].spec.rateLimit).toEqual({
      type: 'Global',
      global: {
        rules: [
          { limit: { requests: 100, unit: 'Minute' } },
          {
            clientSelectors: [
              { headers: [{ name: 'x-user', type: 'Distinct' }], sourceCIDR: { type: 'Distinct', value: '0.0.0.0/0' } },
            ],
            limit: { requests: 5, unit: 'Second' },
          },
        ],
      },
    });
  });

  it('refuses a limit for all where the Envoy Gateway has nowhere to count', () => {
    const edge = chart();
    const ingressClass = new EnvoyGatewayInMesh(edge, 'Eg');
    const gateway = new IngressGateway(edge, 'Apps', { ingressClass, listeners: [IngressListener.http()] });
    const rateLimit = RateLimit.global([{ requests: 1, unit: RateLimitUnit.SECOND }]);
    new BackendTrafficPolicy(edge, 'Limit', { target: PolicyTarget.gateway(gateway), rateLimit });
    expect(problems(edge)).toContain('[edge/Limit] a global rate limit, and the Envoy Gateway has no `rateLimitStore`');
  });

  it('renders retries, circuit breaking and timeouts', () => {
    const { edge, route } = world();
    new BackendTrafficPolicy(edge, 'P', {
      target: PolicyTarget.route(route),
      retry: { attempts: 3, statusCodes: [503], perAttempt: Duration.seconds(1) },
      circuitBreaker: { maxConnections: 10 },
      requestTimeout: Duration.seconds(5),
      connectTimeout: Duration.seconds(1),
    });
    expect(rendered(edge, 'BackendTrafficPolicy')[0].spec).toMatchObject({
      retry: { numRetries: 3, retryOn: { httpStatusCodes: [503] }, perRetry: { timeout: '1s' } },
      circuitBreaker: { maxConnections: 10 },
      timeout: { http: { requestTimeout: '5s' }, tcp: { connectTimeout: '1s' } },
    });
  });

  it('renders how clients connect, and refuses to say it of a route', () => {
    const { edge, gateway, route } = world();
    const clientCertificates = { caName: 'clients', caNamespace: 'certs' };
    new ClientTrafficPolicy(edge, 'A', {
      target: PolicyTarget.gateway(gateway),
      minTlsVersion: TlsVersion.V1_3,
      clientCertificates,
      trustedHops: 1,
    });
    new ClientTrafficPolicy(edge, 'B', { target: PolicyTarget.route(route), proxyProtocol: true });
    expect(rendered(edge, 'ClientTrafficPolicy', 'a')[0].spec).toMatchObject({
      tls: {
        minVersion: '1.3',
        clientValidation: { caCertificateRefs: [{ kind: 'ConfigMap', name: 'clients', namespace: 'certs' }] },
      },
      clientIPDetection: { xForwardedFor: { numTrustedHops: 1 } },
    });
    expect(rendered(edge, 'ReferenceGrant')[0].spec.to).toEqual([{ group: '', kind: 'ConfigMap', name: 'clients' }]);
    expect(problems(edge)).toContain('[edge/B] is about the HTTPRoute "web"');
  });

  it('speaks TLS with a Service, its port by name, one policy each', () => {
    const { edge } = world();
    new BackendTlsPolicy(edge, 'A', { serviceName: 'web', portName: 'https', hostname: 'web.example.com' });
    new BackendTlsPolicy(edge, 'B', { serviceName: 'web', portName: 'https', hostname: 'web.example.com' });
    new BackendTlsPolicy(edge, 'C', {
      serviceName: 'api',
      portName: '443',
      hostname: 'api.example.com',
      caConfigMapName: 'ca',
    });
    expect(rendered(edge, 'BackendTLSPolicy', 'a')[0].spec).toEqual({
      targetRefs: [{ group: '', kind: 'Service', name: 'web', sectionName: 'https' }],
      validation: { hostname: 'web.example.com', wellKnownCACertificates: 'System' },
    });
    expect(problems(edge)).toContain('"shop/web/https" has both edge/A and edge/B');
    expect(problems(edge)).toContain('portName "443" is a number');
  });
});

describe("Istio's own ingress", () => {
  it('binds its VirtualService to its Gateway by namespace and name, where the proxies see both', () => {
    const edge = chart();
    const backend = IngressBackend.service('web', 80);
    new ClassicIngress(edge, 'Apps', {
      hosts: ['www.example.com'],
      paths: [{ prefix: '/web/', rewritePrefix: '/', backend }],
    });
    expect(rendered(edge, 'VirtualService')[0].spec).toMatchObject({
      gateways: ['shop/apps'],
      exportTo: ['.', 'istio-system'],
    });
    expect(rendered(edge, 'Gateway')[0].spec.servers[0].port).toEqual({ number: 80, name: 'http', protocol: 'HTTP' });
  });

  it('refuses a path that an earlier one takes away', () => {
    const edge = chart();
    const backend = IngressBackend.service('web', 80);
    new ClassicIngress(edge, 'Apps', {
      hosts: ['www.example.com'],
      paths: [
        { prefix: '/', backend },
        { prefix: '/web', backend },
      ],
    });
    expect(problems(edge)).toContain('prefix "/web" comes after "/"');
  });
});
