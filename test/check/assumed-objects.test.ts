import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';

const object = (head: string, name: string, spec: string, metadata = ''): string => {
  const [apiVersion = '', kind = ''] = head.split(' ');
  const [namespace = '', own = ''] = name.split('/');
  return `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${own}, namespace: ${namespace}${metadata} }\nspec: ${spec}\n`;
};
const ISTIO = 'networking.istio.io/v1';
const API = 'gateway.networking.k8s.io/v1';
const EG = 'gateway.envoyproxy.io/v1alpha1';

const findings = (...texts: string[]): readonly { id: string; severity: string; what: string }[] =>
  check(loadText(texts.join(''), 'a.yaml')).findings;
/** What the finding lists, by namespace. */
const assumed = (...texts: string[]): readonly string[] =>
  findings(...texts)
    .filter(({ id }) => id === 'EDGE340')
    .flatMap(({ what }) => what.split('; ').slice(1));

const gateway = (metadata = ''): string =>
  object(
    `${API} Gateway`,
    'edge/public',
    '{ gatewayClassName: eg, listeners: [{ name: a, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: cert }] }, allowedRoutes: { namespaces: { from: All } } }] }',
    metadata,
  );
const LOGIN = (more: string): string =>
  object(`${EG} SecurityPolicy`, 'edge/login', `{ targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: public }], ${more} }`); // prettier-ignore

describe('what other objects need and no manifest shows', () => {
  it('is one info for all of it, by namespace, with who needs it', () => {
    const route = object(`${API} HTTPRoute`, 'shop/web', '{ parentRefs: [{ name: public, namespace: edge }], rules: [{ backendRefs: [{ name: web, port: 80 }] }] }'); // prettier-ignore
    const { findings: found, summary } = check(loadText(gateway() + route + LOGIN('basicAuth: { users: { name: users } }'), 'a')); // prettier-ignore
    const told = found.filter(({ id }) => id === 'EDGE340');
    expect(told.map(({ severity, what }) => [severity, what])).toEqual([
      [
        'info',
        '3 objects are assumed that no manifest shows; in edge: Secret cert (for Gateway edge/public), Secret users (for SecurityPolicy edge/login); in shop: Service web (for HTTPRoute shop/web)',
      ],
    ]);
    expect(told[0]?.fix).toContain('externals: [Secret edge/cert, Service shop/web]');
    expect(summary.errors + summary.warnings).toBe(0);
  });

  it('is named once where several need it', () => {
    const rule = (name: string): string => object(`${API} GRPCRoute`, `shop/${name}`, '{ parentRefs: [{ name: public }], rules: [{ backendRefs: [{ name: web, port: 80 }] }] }'); // prettier-ignore
    expect(assumed(...['a', 'b', 'c', 'd', 'e'].map(rule))).toEqual([
      'in shop: Gateway public (for GRPCRoute shop/a, GRPCRoute shop/b, GRPCRoute shop/c and 2 more), Service web (for GRPCRoute shop/a, GRPCRoute shop/b, GRPCRoute shop/c and 2 more)',
    ]);
  });

  it.each([
    ['keys of clients', LOGIN('apiKeyAuth: { credentialRefs: [{ name: keys }], extractFrom: [{ headers: [x-key] }] }'), 'in edge: Secret keys (for SecurityPolicy edge/login)'],
    ['keys of an issuer', LOGIN('jwt: { providers: [{ name: a, localJWKS: { type: ValueRef, valueRef: { group: "", kind: ConfigMap, name: jwks } } }] }'), 'in edge: ConfigMap jwks (for SecurityPolicy edge/login)'],
    ['the CA of clients', object(`${EG} ClientTrafficPolicy`, 'edge/tls', '{ targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: public }], tls: { clientValidation: { caCertificateRefs: [{ group: "", kind: Secret, name: clients }] } } }'), 'in edge: Secret clients (for ClientTrafficPolicy edge/tls)'],
    ['the CA of a backend', object(`${API} BackendTLSPolicy`, 'edge/tls', '{ targetRefs: [{ group: "", kind: Service, name: web }], validation: { hostname: web.example.com, caCertificateRefs: [{ group: "", kind: ConfigMap, name: ca }] } }'), 'in edge: ConfigMap ca (for BackendTLSPolicy edge/tls)'],
    ['a certificate of a ListenerSet', object(`${API} ListenerSet`, 'shop/own', '{ parentRef: { name: public, namespace: edge }, listeners: [{ name: own, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: own }] } }] }'), 'in shop: Secret own (for ListenerSet shop/own)'],
    ['a Backend', object(`${EG} EnvoyExtensionPolicy`, 'edge/ext', '{ targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: public }], extProc: [{ backendRefs: [{ group: gateway.envoyproxy.io, kind: Backend, name: proc }] }] }'), 'in edge: Backend proc (for EnvoyExtensionPolicy edge/ext)'],
    ['a page', object(`${EG} HTTPRouteFilter`, 'edge/page', '{ directResponse: { body: { type: ValueRef, valueRef: { group: "", kind: ConfigMap, name: page } } } }'), 'in edge: ConfigMap page (for HTTPRouteFilter edge/page)'],
    ['a credential that a filter adds', object(`${EG} HTTPRouteFilter`, 'edge/key', '{ credentialInjection: { credential: { valueRef: { name: token } } } }'), 'in edge: Secret token (for HTTPRouteFilter edge/key)'],
    ['an endpoint in the cluster', object(`${ISTIO} ServiceEntry`, 'app/news', '{ hosts: [news.example.com], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }], endpoints: [{ address: proxy.edge.svc.cluster.local }] }'), 'in edge: Service proxy (for ServiceEntry app/news)'],
    ['an alias within the cluster', object('v1 Service', 'app/db', '{ type: ExternalName, externalName: postgres.data.svc.cluster.local }'), 'in data: Service postgres (for Service app/db)'],
    ['a mirror', object(`${ISTIO} VirtualService`, 'app/web', '{ hosts: [a.example.com], gateways: [app/a], http: [{ route: [{ destination: { host: web } }], mirrors: [{ destination: { host: shadow.test } }, { destination: { host: shadow.test.svc.cluster.local } }] }] }'), 'in test: Service shadow (for VirtualService app/web)'],
    ['a credential of a call', object(`${ISTIO} DestinationRule`, 'app/bank', '{ host: api.bank.example, workloadSelector: { matchLabels: { app: pay } }, trafficPolicy: { tls: { mode: MUTUAL, credentialName: bank } } }'), 'in app: Secret bank (for DestinationRule app/bank)'],
    ['a credential where no Pod is shown', object(`${ISTIO} Gateway`, 'app/a', '{ selector: { istio: edge }, servers: [{ port: { number: 443, name: https, protocol: HTTPS }, hosts: ["*"], tls: { mode: OPTIONAL_MUTUAL, credentialName: web } }] }'), 'where the proxies run, whose Pods no manifest shows: Secret web (for Gateway app/a)'],
  ])('is told of %s', (_, text, expected) => {
    expect(assumed(text)).toContain(expected);
  }); // prettier-ignore

  it.each([
    ['a Secret', 'apiVersion: v1\nkind: Secret\nmetadata: { name: cert, namespace: edge }\n'],
    ['a Certificate', object('cert-manager.io/v1 Certificate', 'edge/any', '{ secretName: cert }')],
    ['an ExternalSecret without a target', object('external-secrets.io/v1beta1 ExternalSecret', 'edge/cert', '{}')],
    ['a ClusterExternalSecret', object('external-secrets.io/v1 ClusterExternalSecret', '/any', '{ externalSecretName: cert }')],
    ['a SealedSecret', object('bitnami.com/v1alpha1 SealedSecret', 'edge/cert', '{}')],
    ['a VaultPKISecret', object('secrets.hashicorp.com/v1beta1 VaultPKISecret', 'edge/any', '{ destination: { name: cert, create: true } }')],
    ['an InfisicalSecret', object('secrets.infisical.com/v1alpha1 InfisicalSecret', 'ops/any', '{ managedKubeSecretReferences: [{ secretName: cert, secretNamespace: edge }] }')],
    ['a DopplerSecret', object('secrets.doppler.com/v1alpha1 DopplerSecret', 'ops/any', '{ managedSecret: { name: cert, namespace: edge } }')],
    ['a resource of Crossplane', object('database.example.org/v1 Instance', 'ops/any', '{ writeConnectionSecretToRef: { name: cert, namespace: edge } }')],
    ['a Secret that is copied', object('cert-manager.io/v1 Certificate', 'ops/any', '{ secretName: cert, secretTemplate: { annotations: { reflector.v1.k8s.emberstack.com/reflection-auto-enabled: "true" } } }')],
  ])('is not told where %s makes it', (_, maker) => {
    expect(assumed(gateway())).toEqual(['in edge: Secret cert (for Gateway edge/public)']);
    expect(assumed(gateway(), maker)).toEqual([]);
  }); // prettier-ignore

  it('is not told of certificates that cert-manager issues for an annotated Gateway', () => {
    expect(assumed(gateway(', annotations: { cert-manager.io/cluster-issuer: letsencrypt }'))).toEqual([]);
  });

  it('is told where what makes it does so in another namespace, or by another name', () => {
    const made = (name: string, secret: string): string => object('cert-manager.io/v1 Certificate', name, `{ secretName: ${secret} }`); // prettier-ignore
    expect(assumed(gateway(), made('shop/any', 'cert'))).toHaveLength(1);
    expect(assumed(gateway(), made('edge/cert', 'other'))).toHaveLength(1);
  });

  it('is told once: not of a Service that is known to be wrong', () => {
    const service = (name: string): string => object('v1 Service', name, '{ ports: [{ name: http, port: 80 }] }');
    const route =
      object(`${API} HTTPRoute`, 'shop/web', '{ parentRefs: [{ name: public, namespace: edge }], rules: [{ backendRefs: [{ name: web, port: 80 }] }] }') +
      object(`${API} Gateway`, 'edge/public', '{ gatewayClassName: istio, listeners: [{ name: a, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }] }'); // prettier-ignore
    expect(findings(route, service('shop/wep')).map(({ id, severity }) => `${severity} ${id}`)).toContain('error EDGE804'); // prettier-ignore
    expect(assumed(route, service('shop/wep'))).toEqual([]);
    // Others of the namespace are shown, and nothing else fills it.
    expect(findings(route, service('shop/payments')).filter(({ id }) => id === 'EDGE804')).toEqual([
      expect.objectContaining({ severity: 'warning', what: 'there is no Service shop/web; namespace shop has payments' }),
    ]); // prettier-ignore
    expect(assumed(route, service('shop/payments'))).toEqual([]);
    // A chart fills it.
    const chart = object('helm.toolkit.fluxcd.io/v2 HelmRelease', 'shop/web', '{}');
    expect(findings(route, service('shop/payments'), chart).filter(({ id }) => id === 'EDGE804')).toEqual([]);
    expect(assumed(route, service('shop/payments'), chart)).toEqual(['in shop: Service web (for HTTPRoute shop/web)']);
  });

  it('is not told of a Service that istiod makes of a Gateway, nor of a backend without a share', () => {
    const own = object(`${API} Gateway`, 'edge/own', '{ gatewayClassName: istio, listeners: [{ name: a, port: 80, protocol: HTTP }] }'); // prettier-ignore
    const rule = (backend: string): string => object(`${API} HTTPRoute`, 'edge/web', `{ parentRefs: [{ name: own }], rules: [{ backendRefs: [${backend}] }] }`); // prettier-ignore
    expect(assumed(own, rule('{ name: own-istio, port: 80 }'))).toEqual([]);
    expect(assumed(own, rule('{ name: gone, port: 80, weight: 0 }'))).toEqual([]);
    expect(assumed(own, rule('{ name: gone, port: 80, weight: 1 }'))).toHaveLength(1);
  });

  it('is told of Gateways that routes and sets of listeners name, unless one of that name is elsewhere', () => {
    const route = (parent: string): string => object(`${API} HTTPRoute`, 'shop/web', `{ parentRefs: [${parent}], rules: [{ filters: [{ type: RequestRedirect, requestRedirect: { scheme: https } }] }] }`); // prettier-ignore
    const gateway = object(`${API} Gateway`, 'edge/public', '{ gatewayClassName: istio, listeners: [{ name: a, port: 80, protocol: HTTP }] }'); // prettier-ignore
    expect(assumed(route('{ name: public, namespace: edge }'))).toEqual(['in edge: Gateway public (for HTTPRoute shop/web)']); // prettier-ignore
    expect(assumed(object(`${API} ListenerSet`, 'shop/own', '{ parentRef: { name: public, namespace: edge }, listeners: [{ name: own, port: 80, protocol: HTTP }] }'))).toEqual(['in edge: Gateway public (for ListenerSet shop/own)']); // prettier-ignore
    expect(assumed(route('{ name: public, namespace: edge }'), gateway)).toEqual([]);
    expect(assumed(route('{ name: public }'), gateway)).toEqual([]);
    expect(assumed(route('{ kind: Service, group: "", name: public }'))).toEqual([]);
  });

  it('is not told of names that something else writes', () => {
    expect(assumed(gateway().replace('name: cert', 'name: "${CERT}"'))).toEqual([]);
  });
});
