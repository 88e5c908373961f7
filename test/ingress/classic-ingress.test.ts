import { ClassicIngress, ClassicIngressProps } from '../../src/ingress/classic-ingress';
import { IngressBackend } from '../../src/ingress/ingress-backend';
import { TlsCredential } from '../../src/mesh/tls-credential';
import { TlsVersion } from '../../src/mesh/tls-version';
import { findings, traceOf } from '../egress/judged';
import { chart, problems, rendered } from './synthesized';

const credential = TlsCredential.fromSecretName('shop-example-com');
const backend = IngressBackend.service('shop', 80);
const WORLD = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: vault, namespace: shop}
spec: {selector: {app: vault}, ports: [{name: tls, port: 8200}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: shop, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop}]}
---
apiVersion: v1
kind: Pod
metadata: {name: vault, namespace: shop, labels: {app: vault}}
spec: {containers: [{name: vault, image: vault}]}
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{name: http2, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ingress, namespace: istio-system, labels: {istio: ingressgateway, sidecar.istio.io/inject: "true"}, annotations: {inject.istio.io/templates: gateway}}
spec: {containers: [{name: istio-proxy, image: auto}]}
`;
const OUTSIDE = { from: 'outside', at: 'istio-system/ingress' };

function ingress(props: Partial<ClassicIngressProps>) {
  const of = chart();
  new ClassicIngress(of, 'Shop', { hosts: ['shop.example.com'], paths: [{ prefix: '/', backend }], ...props });
  return of;
}
const servers = (of: ReturnType<typeof chart>) => rendered(of, 'Gateway')[0].spec.servers;

describe("Istio's own ingress", () => {
  it('redirects plain HTTP where it has a certificate, as our own trace sees', () => {
    const of = ingress({ credential });
    expect(servers(of)).toMatchObject([
      { port: { number: 443, name: 'https' }, tls: { mode: 'SIMPLE', credentialName: 'shop-example-com' } },
      { port: { number: 80, name: 'http' }, tls: { httpsRedirect: true }, hosts: ['shop.example.com'] },
    ]);
    expect(problems(of)).toBe('');
    const trace = traceOf(of, WORLD);
    const plain = trace('http://shop.example.com/cart', OUTSIDE);
    expect(plain.answer).toMatchObject({ status: 301, location: 'https://shop.example.com/cart' });
    expect(trace('https://shop.example.com/', OUTSIDE).destination?.host).toBe('shop.shop.svc.cluster.local');
    expect(findings(of, WORLD)).toEqual([]);
  });

  it('listens for plain HTTP alone without a certificate, and for HTTPS alone where no redirect is wanted', () => {
    expect(servers(ingress({}))).toMatchObject([{ port: { number: 80, protocol: 'HTTP' } }]);
    expect(servers(ingress({ credential, redirectHttp: false }))).toHaveLength(1);
    expect(servers(ingress({ credential, port: 8443 }))).toHaveLength(1);
  });

  it('asks clients for certificates and versions of TLS', () => {
    const [server] = servers(
      ingress({
        credential,
        minTlsVersion: TlsVersion.V1_3,
        clientCertificates: { optional: true, ca: TlsCredential.fromSecretName('partners-ca') },
      }),
    );
    expect(server.tls).toEqual({
      mode: 'OPTIONAL_MUTUAL',
      credentialName: 'shop-example-com',
      caCertCredentialName: 'partners-ca',
      minProtocolVersion: 'TLSV1_3',
    });
    expect(servers(ingress({ credential, clientCertificates: {} }))[0].tls.mode).toBe('MUTUAL');
  });

  it('has several servers, one of which passes TLS on', () => {
    const of = ingress({
      credential,
      servers: [
        { hosts: ['vault.example.com'], passthrough: IngressBackend.service('vault', 8200) },
        { hosts: ['admin.example.com'], credential: TlsCredential.fromSecretName('admin') },
      ],
    });
    expect(servers(of).map(({ port }: any) => `${port.name} ${port.number}`)).toEqual([
      'https 443',
      'tls 443',
      'https-2 443',
      'http 80',
    ]);
    expect(problems(of)).toBe('');
    const trace = traceOf(of, WORLD);
    expect(trace('https://vault.example.com/', OUTSIDE).destination).toMatchObject({
      host: 'vault.shop.svc.cluster.local',
    });
    expect(trace('https://admin.example.com/', OUTSIDE).destination?.host).toBe('shop.shop.svc.cluster.local');
    expect(trace('http://vault.example.com/', OUTSIDE).outcome).toBe('refused');
  });

  it.each<[string, Partial<ClassicIngressProps>, RegExp]>([
    ['a redirect to nowhere', { redirectHttp: true }, /redirectHttp for "shop.example.com" on port 80/],
    ['a redirect to another port', { credential, port: 8443, redirectHttp: true }, /on port 8443/],
    ['client certificates over plain HTTP', { clientCertificates: {} }, /`clientCertificates` where the gateway ends/],
    ['certificate and passthrough', { credential, passthrough: backend }, /a certificate and `passthrough`/],
    ['a host twice', { servers: [{ hosts: ['shop.example.com'] }] }, /on port 80 is in two servers/],
    [
      'a plain server in the place of a redirect',
      { credential, servers: [{ hosts: ['shop.example.com'], port: 80 }] },
      /redirects to HTTPS/,
    ],
    [
      'TLS on the port of the redirect',
      { credential, servers: [{ hosts: ['b.example.com'], port: 80, credential }] },
      /port 80 is plain HTTP and TLS/,
    ],
    [
      'a CA in another namespace',
      { credential, clientCertificates: { ca: TlsCredential.fromSecretName('ca', 'shop') } },
      /lies in namespace "shop"/,
    ],
  ])('refuses %s', (_, props, said) => expect(problems(ingress(props))).toMatch(said));
});
