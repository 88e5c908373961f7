import { Chart } from 'cdk8s';
import {
  ExperimentalBackend,
  ExperimentalBackendDestination as Destination,
  ExperimentalBackendProps,
  ExperimentalBackendProtocol as Protocol,
  HttpIngressRoute,
  IngressBackend,
  IngressClass,
  IngressGateway,
  IngressListener,
  MeshTargetProps,
} from '../../src';
import { notAdmitted } from './admitted';
import { chart, problems, rendered } from './synthesized';

const NEWEST: MeshTargetProps = { istio: '1.32', gatewayApi: '1.7/experimental', envoyGateway: '1.9' };
const host = Destination.host('api.partner.example');

function withBackend(props: ExperimentalBackendProps, target = NEWEST): Chart {
  const of = chart(target);
  const backend = new ExperimentalBackend(of, 'Partner', props);
  const gateway = new IngressGateway(of, 'Edge', { ingressClass: IngressClass.istio(), listeners: [IngressListener.http()] }); // prettier-ignore
  new HttpIngressRoute(of, 'Route', { gateway, rules: [{ backends: [IngressBackend.reference(backend.reference)] }] });
  return of;
}

describe('an XBackend', () => {
  it('is what a route names', () => {
    const of = withBackend({ destination: host, port: 443, tls: {} });
    expect(problems(of)).toBe('');
    expect(rendered(of, 'HTTPRoute')[0]?.spec.rules[0].backendRefs).toEqual([
      { group: 'gateway.networking.x-k8s.io', kind: 'XBackend', name: 'partner' },
    ]);
    expect(rendered(of, 'XBackend')).toEqual([
      {
        apiVersion: 'gateway.networking.x-k8s.io/v1alpha1',
        kind: 'XBackend',
        metadata: { name: 'partner', namespace: 'shop' },
        spec: {
          type: 'ExternalHostname',
          externalHostname: { hostname: 'api.partner.example' },
          port: { number: 443 },
          tls: {
            mode: 'ServerOnly',
            validation: { hostname: 'api.partner.example', wellKnownCACertificates: 'System' },
          },
        },
      },
    ]);
  });

  it.each<[string, ExperimentalBackendProps]>([
    ['a host in plain text', { destination: host, port: 80, protocol: Protocol.HTTP11 }],
    ['a host that asks who it is', { destination: host, port: 443, tls: { clientCertificateSecretName: 'us', caConfigMapName: 'partner-ca' } }],
    ['Pods', { destination: Destination.pods({ app: 'agent' }), port: 8080, protocol: Protocol.MCP }],
    ['Pods with TLS', { destination: Destination.pods({ app: 'agent' }), port: 8443, protocol: Protocol.GRPC, tls: { hostname: 'agent.example' } }],
  ])('is admitted: %s', (_, props) => {
    const of = withBackend(props);
    expect([problems(of), notAdmitted(of, NEWEST)]).toEqual(['', []]);
  }); // prettier-ignore

  it.each<[string, ExperimentalBackendProps, string]>([
    ['an address', { destination: Destination.host('192.0.2.7'), port: 443 }, 'host "192.0.2.7"'],
    ['a wildcard', { destination: Destination.host('*.partner.example'), port: 443 }, 'host "*.partner.example"'],
    ['a name of the cluster', { destination: Destination.host('web.shop.svc.cluster.local'), port: 80 }, 'host "web.shop.svc.cluster.local"'],
    ['no labels', { destination: Destination.pods({}), port: 80 }, 'no labels'],
    ['a port that is none', { destination: host, port: 0 }, 'port 0'],
    ['TLS with H2C', { destination: host, port: 443, protocol: Protocol.H2C, tls: {} }, 'TLS with H2C'],
    ['TLS with Pods of no name', { destination: Destination.pods({ app: 'agent' }), port: 443, tls: {} }, 'TLS with Pods, without a host'],
  ])('is refused with %s', (_, props, what) => {
    expect(problems(withBackend(props))).toContain(what);
  }); // prettier-ignore

  it.each(['1.6/experimental', '1.7'] as const)('is refused for Gateway API %s', (gatewayApi) => {
    expect(problems(withBackend({ destination: host, port: 80 }, { ...NEWEST, gatewayApi }))).toContain('XBackend');
  });
});
