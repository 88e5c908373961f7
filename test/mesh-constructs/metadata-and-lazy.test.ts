import { ApiObject, Chart, Lazy, Testing } from 'cdk8s';
import { Construct } from 'constructs';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { HttpIngressRoute } from '../../src/ingress/http-ingress-route';
import { IngressBackend } from '../../src/ingress/ingress-backend';
import { IngressClass } from '../../src/ingress/ingress-class';
import { IngressGateway } from '../../src/ingress/ingress-gateway';
import { IngressListener } from '../../src/ingress/ingress-listener';
import { BackendTlsPolicy } from '../../src/ingress/backend-tls-policy';
import { TcpIngressRoute, TlsIngressRoute } from '../../src/ingress/stream-ingress-routes';
import { AccessLog, AccessLogFormat } from '../../src/mesh/access-log';
import { OutboundMode, OutboundTrafficPolicy } from '../../src/mesh/outbound-traffic-policy';
import { SidecarScope } from '../../src/mesh/sidecar-scope';
import { PeerAuthentication } from '../../src/mesh/peer-authentication';
import { PeerScope } from '../../src/mesh/peer-scope';

const chart = () => new Chart(Testing.app(), 'edge', { namespace: 'shop' });
const metadata = { labels: { team: 'a' }, annotations: { ticket: 'NET-1' }, name: 'not-this' };
const objectsOf = (scope: Construct) =>
  scope.node
    .findAll()
    .filter((node): node is ApiObject => ApiObject.isApiObject(node))
    .map((object) => object.toJson());

describe('the metadata of a construct with one object', () => {
  const backend = IngressBackend.service('a', 80);
  const gateway = (of: Chart) =>
    new IngressGateway(of, 'Gateway', {
      ingressClass: IngressClass.istio(),
      listeners: [IngressListener.http()],
      metadata,
    });

  it.each<[string, (of: Chart) => Construct]>([
    [
      'ExternalService',
      (of) => new ExternalService(of, 'X', { hosts: ['a.example.com'], ports: [ExternalPort.https()], metadata }),
    ],
    [
      'PeerAuthentication',
      (of) => new PeerAuthentication(of, 'X', { appliesTo: PeerScope.inNamespace('shop'), metadata }),
    ],
    ['AccessLog', (of) => new AccessLog(of, 'X', { format: AccessLogFormat.json(), metadata })],
    [
      'OutboundTrafficPolicy',
      (of) => new OutboundTrafficPolicy(of, 'X', { mode: OutboundMode.REGISTRY_ONLY, metadata }),
    ],
    ['SidecarScope', (of) => new SidecarScope(of, 'X', { hosts: ['./*'], metadata })],
    ['IngressGateway', gateway],
    [
      'HttpIngressRoute',
      (of) => new HttpIngressRoute(of, 'X', { gateway: gateway(of), rules: [{ backends: [backend] }], metadata }),
    ],
    [
      'TlsIngressRoute',
      (of) =>
        new TlsIngressRoute(of, 'X', {
          gateway: gateway(of),
          hostnames: ['a.example.com'],
          backends: [backend],
          metadata,
        }),
    ],
    [
      'TcpIngressRoute',
      (of) => new TcpIngressRoute(of, 'X', { gateway: gateway(of), listener: 'tcp', backends: [backend], metadata }),
    ],
    [
      'BackendTlsPolicy',
      (of) => new BackendTlsPolicy(of, 'X', { serviceName: 'a', hostname: 'a.example.com', metadata }),
    ],
  ])('%s adds labels and annotations, and keeps its own name and namespace', (_, make) => {
    const [object] = objectsOf(make(chart()));
    expect(object.metadata).toMatchObject({ labels: { team: 'a' }, annotations: { ticket: 'NET-1' } });
    expect(object.metadata.name).not.toBe('not-this');
  });
});

describe('what cdk8s knows at synth only', () => {
  it('is produced, for hosts as a whole and within', () => {
    const of = chart();
    const hosts = Lazy.any({ produce: () => ['a.example.com'] }) as unknown as string[];
    new ExternalService(of, 'Whole', { hosts, ports: [ExternalPort.https()] });
    const one = Lazy.any({ produce: () => 'b.example.com' }) as unknown as string;
    new ExternalService(of, 'Within', { hosts: [one], ports: [ExternalPort.https()] });
    expect(Testing.synth(of).map(({ spec }) => spec.hosts)).toEqual([['a.example.com'], ['b.example.com']]);
  });

  it('is produced late where only the object needs it', () => {
    const of = chart();
    let tier = 'early';
    const workloads = { tier: Lazy.any({ produce: () => tier }) as unknown as string };
    new OutboundTrafficPolicy(of, 'Outbound', { mode: OutboundMode.REGISTRY_ONLY, workloads });
    tier = 'late';
    expect(Testing.synth(of)[0].spec.workloadSelector.labels).toEqual({ tier: 'late' });
  });
});
