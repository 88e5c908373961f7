import { Chart, Duration } from 'cdk8s';
import {
  BackendTrafficPolicy,
  CertificateIssuer,
  ClientTrafficPolicy,
  FrontendClientCertificates,
  HttpIngressRoute,
  HttpRouteFilter,
  HttpRule,
  IIngressGateway,
  IngressBackend,
  IngressClass,
  IngressController,
  IngressGateway,
  IngressListener,
  ListenerCertificate,
  ListenerSet,
  MeshTargetProps,
  PolicyMerge,
  PolicyTarget,
  SecurityPolicy,
  SessionPersistence,
  TcpIngressRoute,
  UdpIngressRoute,
} from '../../src';
import { notAdmitted } from './admitted';
import { chart, problems, rendered } from './synthesized';

const istio = IngressClass.istio();
const envoyGateway = IngressClass.named('eg', { controller: IngressController.ENVOY_GATEWAY });
const web = IngressBackend.service('web', 80);
const shopTls = ListenerCertificate.secret('shop-tls');

function https(of: Chart, ingressClass: IngressClass, clientCertificates?: FrontendClientCertificates): IngressGateway {
  return new IngressGateway(of, 'Edge', { ingressClass, listeners: [IngressListener.https(shopTls)], clientCertificates }); // prettier-ignore
}

function rule(of: Chart, ingressClass: IngressClass, what: HttpRule): HttpIngressRoute {
  const gateway = new IngressGateway(of, 'Edge', { ingressClass, listeners: [IngressListener.http()] });
  return new HttpIngressRoute(of, 'Web', { gateway, rules: [what] });
}

const CORS: HttpRule = { backends: [web], cors: { allowOrigins: ['https://*.example.com'], allowMethods: ['GET', 'PUT'], maxAge: Duration.minutes(5) } }; // prettier-ignore
const RETRY: HttpRule = { backends: [web], retry: { attempts: 3, statusCodes: [502, 503], backoff: Duration.millis(50) } }; // prettier-ignore
const session = (sessionPersistence: SessionPersistence): HttpRule => ({ backends: [web], sessionPersistence });
const cookie = session(SessionPersistence.permanentCookie(Duration.hours(1), 'cart'));
const MOVED: HttpRule = { redirect: { scheme: 'https', statusCode: 308 } };
const CLIENTS: FrontendClientCertificates = { caName: 'clients', caNamespace: 'pki' };

const withRule =
  (ingressClass: IngressClass, what: HttpRule) =>
  (of: Chart): void =>
    void rule(of, ingressClass, what);
const withClients =
  (ingressClass: IngressClass, certificates: FrontendClientCertificates) =>
  (of: Chart): void =>
    void https(of, ingressClass, certificates);
const withSet =
  (ingressClass: IngressClass) =>
  (of: Chart): void => {
    const gateway = https(of, ingressClass);
    const listeners = [IngressListener.https(ListenerCertificate.secret('team-tls'), { port: 8443, hostname: 'team.example.com' })]; // prettier-ignore
    const set = new ListenerSet(of, 'Team', { gateway, listeners, namespace: 'team' });
    new HttpIngressRoute(of, 'Web', { gateway: set, namespace: 'web', rules: [{ backends: [web] }] });
  };
const withUdp =
  (ingressClass: IngressClass) =>
  (of: Chart): void => {
    const gateway = new IngressGateway(of, 'Edge', { ingressClass, listeners: [IngressListener.udp(53)] });
    new UdpIngressRoute(of, 'Dns', { gateway, listener: 'udp-53', backends: [IngressBackend.service('dns', 53)] });
  };
const withFilter = (of: Chart): void => {
  const filter = new HttpRouteFilter(of, 'Old', {
    replacePath: { pattern: '^/v1/(.*)$', substitution: '/\\1' },
    credential: { secretName: 'upstream-token' },
    cookies: [{ name: 'beta', value: '1' }],
  });
  rule(of, envoyGateway, { backends: [web], extensions: [filter.reference] });
};
const withMergedPolicies = (of: Chart): void => {
  const target = PolicyTarget.route(rule(of, envoyGateway, { backends: [web] }));
  new BackendTrafficPolicy(of, 'Timeouts', {
    target,
    requestTimeout: Duration.seconds(5),
    mergeType: PolicyMerge.JSON,
  });
  new SecurityPolicy(of, 'Pages', { target, cors: { allowOrigins: ['https://shop.example.com'] }, mergeType: PolicyMerge.STRATEGIC }); // prettier-ignore
};
const withPolicyOfSet = (of: Chart): void => {
  const listeners = [IngressListener.https(ListenerCertificate.secret('team-tls'), { port: 8443 })];
  const gateway: IIngressGateway = new ListenerSet(of, 'Team', { gateway: https(of, envoyGateway), listeners });
  new ClientTrafficPolicy(of, 'Http3', { target: PolicyTarget.listener(gateway, 'https-8443'), http3: true });
};

describe('what newer releases brought', () => {
  it.each<[string, MeshTargetProps, (of: Chart) => void]>([
    ['CORS', {}, withRule(istio, CORS)],
    ['CORS', { gatewayApi: '1.5', envoyGateway: '1.8' }, withRule(envoyGateway, CORS)],
    ['CORS', { gatewayApi: '1.3/experimental', istio: '1.28' }, withRule(istio, CORS)],
    ['retries', {}, withRule(istio, RETRY)],
    ['retries', { gatewayApi: '1.4/experimental', envoyGateway: '1.6' }, withRule(envoyGateway, RETRY)],
    ['a session', { gatewayApi: '1.7/experimental' }, withRule(envoyGateway, session(SessionPersistence.cookie()))],
    ['a session by name', { gatewayApi: '1.7/experimental' }, withRule(IngressClass.named('other'), cookie)],
    ['a session by name', { gatewayApi: '1.6/experimental' }, withRule(envoyGateway, cookie)],
    ['a session by header', { gatewayApi: '1.4/experimental' }, withRule(envoyGateway, session(SessionPersistence.header('x-session')))],
    ['a redirect with 308', {}, withRule(envoyGateway, MOVED)],
    ['a redirect with 308', { gatewayApi: '1.5', istio: '1.29' }, withRule(istio, MOVED)],
    ['certificates of clients', {}, withClients(envoyGateway, CLIENTS)],
    ['certificates of clients', { gatewayApi: '1.5', istio: '1.29' }, withClients(istio, CLIENTS)],
    ['certificates of clients or none', { istio: '1.31' }, withClients(istio, { ...CLIENTS, allowInsecureFallback: true })],
    ['a ListenerSet', {}, withSet(istio)],
    ['a ListenerSet', { gatewayApi: '1.5', envoyGateway: '1.8' }, withSet(envoyGateway)],
    ['UDP', {}, withUdp(envoyGateway)],
    ['UDP', { gatewayApi: '1.3/experimental', envoyGateway: '1.6' }, withUdp(envoyGateway)],
    ['an HTTPRouteFilter', { envoyGateway: '1.7' }, withFilter],
    ['policies that are merged', { envoyGateway: '1.8' }, withMergedPolicies],
    ['a policy of a ListenerSet', { envoyGateway: '1.9' }, withPolicyOfSet],
  ])('is rendered and admitted: %s %j', (_, target, fill) => {
    const of = chart(target);
    fill(of);
    expect(problems(of)).toBe('');
    expect(notAdmitted(of, target)).toEqual([]);
  }); // prettier-ignore

  it.each<[string, MeshTargetProps, (of: Chart) => void, string]>([
    ['CORS', { gatewayApi: '1.4' }, withRule(istio, CORS), 'needs Gateway API 1.5'],
    ['retries', { gatewayApi: '1.6' }, withRule(istio, RETRY), 'needs Gateway API 1.7'],
    ['a session', {}, withRule(envoyGateway, session(SessionPersistence.cookie())), 'needs the experimental channel of Gateway API 1.7'],
    ['a session at Istio', { gatewayApi: '1.6/experimental' }, withRule(istio, cookie), 'which Istio does not have'],
    ['a session past a sidecar', { gatewayApi: '1.6/experimental' }, withRule(IngressClass.envoyGatewayInMesh('eg'), cookie), 'the sidecar chooses the Pod'],
    ['a session by a name that Envoy Gateway does not read', { gatewayApi: '1.7/experimental' }, withRule(envoyGateway, cookie), 'Envoy Gateway 1.9 reads the fields that Gateway API 1.6 has'],
    ['a redirect with 308', { gatewayApi: '1.4' }, withRule(istio, MOVED), 'has spec.rules[0].filters[0].requestRedirect.statusCode: 308, which needs Gateway API 1.5'],
    ['a redirect with 308', { gatewayApi: '1.5', envoyGateway: '1.7' }, withRule(envoyGateway, MOVED), 'needs Envoy Gateway 1.8'],
    ['certificates of clients', { gatewayApi: '1.4' }, withClients(istio, CLIENTS), 'has spec.tls, which needs Gateway API 1.5'],
    ['certificates of clients', { gatewayApi: '1.5', envoyGateway: '1.7' }, withClients(envoyGateway, CLIENTS), 'clients come in without a certificate'],
    ['clients without a certificate', { istio: '1.30' }, withClients(istio, { ...CLIENTS, allowInsecureFallback: true }), 'needs Istio 1.31'],
    ['a ListenerSet', { gatewayApi: '1.4' }, withSet(istio), 'is a ListenerSet v1, which needs Gateway API 1.5'],
    ['a ListenerSet', { istio: '1.29' }, withSet(istio), 'a ListenerSet, which needs Istio 1.30'],
    ['a ListenerSet', { envoyGateway: '1.7' }, withSet(envoyGateway), 'a ListenerSet, which needs Envoy Gateway 1.8'],
    ['a policy of a ListenerSet', { envoyGateway: '1.8' }, withPolicyOfSet, 'a policy about ListenerSet "team", which needs Envoy Gateway 1.9'],
    ['UDP', { gatewayApi: '1.5' }, withUdp(envoyGateway), 'is a UDPRoute v1, which needs Gateway API 1.6'],
    ['UDP at Istio', {}, withUdp(istio), 'listener "udp-53" is of UDP, which Istio does not have'],
    ['cookies of an HTTPRouteFilter', { envoyGateway: '1.6' }, withFilter, 'has spec.matches, which needs Envoy Gateway 1.7'],
    ['a SecurityPolicy that is merged', { envoyGateway: '1.7' }, withMergedPolicies, 'has spec.mergeType, which needs Envoy Gateway 1.8'],
  ])('is refused where the target lacks it: %s %j', (_, target, fill, said) => {
    const of = chart(target);
    fill(of);
    expect(problems(of)).toContain(said);
  }); // prettier-ignore
});

describe('a session', () => {
  const rendering = (gatewayApi: string, what: SessionPersistence): unknown => {
    const of = chart({ gatewayApi });
    rule(of, IngressClass.named('other'), session(what));
    return rendered(of, 'HTTPRoute')[0].spec.rules[0].sessionPersistence;
  };

  it('has its name where the Gateway API of the target has it', () => {
    const kept = SessionPersistence.permanentCookie(Duration.hours(1), 'cart');
    expect(rendering('1.7/experimental', kept)).toEqual({ type: 'Cookie', absoluteTimeout: '1h', cookie: { name: 'cart', lifetimeType: 'Permanent' } }); // prettier-ignore
    expect(rendering('1.6/experimental', kept)).toEqual({ type: 'Cookie', absoluteTimeout: '1h', sessionName: 'cart', cookieConfig: { lifetimeType: 'Permanent' } }); // prettier-ignore
    expect(rendering('1.7/experimental', SessionPersistence.cookie())).toEqual({ type: 'Cookie', cookie: {} });
    expect(rendering('1.7/experimental', SessionPersistence.header('x-s'))).toEqual({ type: 'Header', header: { name: 'x-s' } }); // prettier-ignore
  });
});

describe('a ListenerSet', () => {
  const hostname = 'team.example.com';

  it('is admitted by the gateway, and admits the namespaces of its own routes', () => {
    const of = chart();
    withSet(istio)(of);
    expect(rendered(of, 'Gateway')[0].spec.allowedListeners.namespaces).toEqual({
      from: 'Selector',
      selector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['team'] }] },
    });
    const [set] = rendered(of, 'ListenerSet');
    expect(set.metadata.namespace).toBe('team');
    expect(set.spec.parentRef).toMatchObject({ kind: 'Gateway', name: 'edge', namespace: 'shop' });
    expect(set.spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].values).toEqual(['team', 'web']);
    expect(rendered(of, 'HTTPRoute')[0].spec.parentRefs).toEqual([
      { group: 'gateway.networking.k8s.io', kind: 'ListenerSet', name: 'team', namespace: 'team' },
    ]);
    expect(rendered(of, 'Gateway')[0].spec.listeners[0].allowedRoutes).toBeUndefined();
  });

  it('of the namespace of its gateway is admitted as such', () => {
    const of = chart();
    new ListenerSet(of, 'Team', { gateway: https(of, istio), listeners: [IngressListener.http()] });
    expect(rendered(of, 'Gateway')[0].spec.allowedListeners).toEqual({ namespaces: { from: 'Same' } });
  });

  it('has its Certificates beside it, and grants for those that are elsewhere', () => {
    const of = chart();
    const listeners = [
      IngressListener.https(ListenerCertificate.certManager('team-tls', CertificateIssuer.cluster('ca')), { port: 8443, hostname }), // prettier-ignore
      IngressListener.https(ListenerCertificate.secret('other-tls', 'certs'), { port: 9443 }),
    ];
    new ListenerSet(of, 'Team', { gateway: https(of, istio), listeners, namespace: 'team' });
    expect(rendered(of, 'Certificate')[0]).toMatchObject({ metadata: { namespace: 'team' }, spec: { dnsNames: [hostname] } }); // prettier-ignore
    expect(rendered(of, 'ReferenceGrant')[0].spec).toEqual({
      from: [{ group: 'gateway.networking.k8s.io', kind: 'ListenerSet', namespace: 'team' }],
      to: [{ group: '', kind: 'Secret', name: 'other-tls' }],
    });
  });

  it.each<[string, (of: Chart, gateway: IngressGateway) => void, string]>([
    [
      'listens for what the gateway listens for',
      (of, gateway) => void new ListenerSet(of, 'Team', { gateway, listeners: [IngressListener.https(shopTls)] }),
      'share port 443 for any host, the first of edge/Edge',
    ],
    [
      'listens for what another set listens for',
      (of, gateway) => {
        for (const id of ['A', 'B']) new ListenerSet(of, id, { gateway, listeners: [IngressListener.tcp(9000)] });
      },
      'share port 9000 for any host, the first of edge/A',
    ],
    [
      'is added to a set',
      (of, gateway) => {
        const set = new ListenerSet(of, 'A', { gateway, listeners: [IngressListener.tcp(9000)] });
        new ListenerSet(of, 'B', { gateway: set, listeners: [IngressListener.tcp(9001)] });
      },
      'listeners are added to Gateways alone',
    ],
    [
      'asks cert-manager by annotation',
      (of, gateway) => {
        const certificate = ListenerCertificate.certManagerAnnotation('team-tls', CertificateIssuer.cluster('ca'));
        new ListenerSet(of, 'A', {
          gateway,
          listeners: [IngressListener.https(certificate, { port: 8443, hostname })],
        });
      },
      'cert-manager reads the annotations of Gateways',
    ],
    [
      'has a route for a listener that it does not have',
      (of, gateway) => {
        const set = new ListenerSet(of, 'A', { gateway, listeners: [IngressListener.tcp(9000)] });
        new TcpIngressRoute(of, 'R', { gateway: set, listener: 'tcp-9001', backends: [web] });
      },
      'use "tcp-9000"',
    ],
  ])('is refused where it %s', (_, fill, said) => {
    const of = chart();
    fill(of, https(of, istio));
    expect(problems(of)).toContain(said);
  });
});

describe('certificates of clients', () => {
  it('are asked for at all HTTPS listeners, or at those of a port', () => {
    const of = chart();
    new IngressGateway(of, 'Edge', {
      ingressClass: envoyGateway,
      listeners: [IngressListener.https(shopTls), IngressListener.https(shopTls, { port: 8443 })],
      clientCertificates: CLIENTS,
      clientCertificatesByPort: { '8443': { caName: 'partners', caIsSecret: true, allowInsecureFallback: true } },
    });
    const partners = { group: '', kind: 'Secret', name: 'partners' };
    expect(rendered(of, 'Gateway')[0].spec.tls.frontend).toEqual({
      default: { validation: { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'clients', namespace: 'pki' }] } },
      perPort: [{ port: 8443, tls: { validation: { caCertificateRefs: [partners], mode: 'AllowInsecureFallback' } } }],
    }); // prettier-ignore
    expect(rendered(of, 'ReferenceGrant')[0].spec.to).toEqual([{ group: '', kind: 'ConfigMap', name: 'clients' }]);
  });

  it('are refused where nobody would be asked', () => {
    const of = chart();
    new IngressGateway(of, 'Edge', {
      ingressClass: istio,
      listeners: [IngressListener.http()],
      clientCertificates: CLIENTS,
      clientCertificatesByPort: { '443': CLIENTS },
    });
    expect(problems(of)).toContain('clientCertificates where no listener is HTTPS');
    expect(problems(of)).toContain('clientCertificatesByPort for port "443"');
  });
});

describe('a rule', () => {
  it.each<[string, HttpRule, string]>([
    ['CORS with credentials for all', { backends: [web], cors: { allowOrigins: ['*'], allowCredentials: true } }, 'any page that somebody opens'],
    ['CORS for a path', { backends: [web], cors: { allowOrigins: ['https://a.example/x'] } }, 'scheme, host and port alone'],
    ['CORS for nobody', { backends: [web], cors: { allowOrigins: [] } }, 'cors without an origin'],
    ['CORS for any method and one', { backends: [web], cors: { allowOrigins: ['*'], allowMethods: ['*', 'GET'] } }, 'allowMethods of cors has "*" beside others'],
    ['CORS for a method in small letters', { backends: [web], cors: { allowOrigins: ['*'], allowMethods: ['get'] } }, 'cors for method "get"'],
    ['a retry of what went well', { backends: [web], retry: { statusCodes: [200] } }, 'retry of status 200'],
    ['a retry of a redirect', { redirect: { scheme: 'https' }, retry: {} }, 'both `redirect` and `retry`'],
  ])('is refused with %s', (_, what, said) => {
    const of = chart();
    rule(of, istio, what);
    expect(problems(of)).toContain(said);
  }); // prettier-ignore
});

describe('an HTTPRouteFilter', () => {
  it('answers in place of a backend', () => {
    const of = chart();
    const filter = new HttpRouteFilter(of, 'Gone', { directResponse: { statusCode: 410, body: 'moved' } });
    rule(of, envoyGateway, { extensions: [filter.reference] });
    expect(problems(of)).toBe('');
    expect(rendered(of, 'HTTPRouteFilter')[0].spec).toEqual({
      directResponse: { statusCode: 410, body: { type: 'Inline', inline: 'moved' } },
    });
    expect(rendered(of, 'HTTPRoute')[0].spec.rules[0].filters[0].extensionRef.name).toBe('gone');
  });

  it('is refused where it does nothing, or writes groups as they are not written', () => {
    const of = chart();
    new HttpRouteFilter(of, 'Nothing', {});
    new HttpRouteFilter(of, 'Groups', { replacePath: { pattern: '^/(a)$', substitution: '/$1' } });
    expect(problems(of)).toContain('a filter that does nothing');
    expect(problems(of)).toContain('did you mean "/\\\\1"?');
  });
});

it('refuses mergeType of a policy about a gateway', () => {
  const of = chart();
  const target = PolicyTarget.gateway(https(of, envoyGateway));
  new BackendTrafficPolicy(of, 'Timeouts', { target, mergeType: PolicyMerge.STRATEGIC });
  expect(problems(of)).toContain('mergeType of a policy about Gateway "edge"');
});
