/** The meshes that are compared: the reference documents' objects repeated for each host, and what one EgressTrafficPolicy makes. */
import { App, Chart } from 'cdk8s';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { EgressTrafficPolicy } from '../../src/egress/egress-traffic-policy';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { Workloads } from '../../src/mesh/workloads';

const NAMESPACE = 'istio-egress';
const NETWORKING = 'networking.istio.io/v1';
const GATEWAY = `egress.${NAMESPACE}.svc.cluster.local`;

const pod = (namespace: string, name: string, ip: string, labels: object, annotations = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, labels, annotations },
  spec: { serviceAccountName: name, containers: [{ name: 'app', image: 'app' }] },
  status: { podIP: ip },
});

const ports = [
  { name: 'http2', port: 80, targetPort: 8080 },
  { name: 'https', port: 443, targetPort: 8443 },
  { name: 'tls', port: 15443, targetPort: 15443 },
];

/** A client, one with no business there, and a gateway. */
export const around: readonly object[] = [
  pod('app', 'client', '10.244.1.10', { app: 'client' }),
  pod('other', 'bystander', '10.244.1.11', { app: 'bystander' }),
  pod(NAMESPACE, 'gateway', '10.244.2.10', { istio: 'egress' }, { 'inject.istio.io/templates': 'gateway' }),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: NAMESPACE, name: 'egress' },
    spec: { clusterIP: '10.96.0.50', selector: { istio: 'egress' }, ports },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    metadata: { namespace: NAMESPACE, name: 'egress-1', labels: { 'kubernetes.io/service-name': 'egress' } },
    endpoints: [{ addresses: ['10.244.2.10'], conditions: { ready: true } }],
    ports: ports.map(({ name, targetPort }) => ({ name, port: targetPort, protocol: 'TCP' })),
  },
];

export type Way = 'http' | 'tls';

const hosts = (count: number) => Array.from({ length: count }, (_, i) => `h${String(i).padStart(5, '0')}.example.com`);

const object = (kind: string, name: string, spec: object) => ({
  apiVersion: NETWORKING,
  kind,
  metadata: { namespace: NAMESPACE, name },
  spec,
});

/** Documents 001 and 004: a ServiceEntry, Gateway, subset of the hop, VirtualService (and TLS origination) for each host. */
export function documents(way: Way, count: number): object[] {
  return hosts(count).flatMap((host, i) => (way === 'http' ? originated(host, `h${i}`) : passedThrough(host, `h${i}`)));
}

const match = (gateways: string[], port: number) => [{ gateways, port }];
const to = (host: string, number: number, subset?: string) => [{ destination: { host, subset, port: { number } } }];

function originated(host: string, name: string): object[] {
  const gateway = `${NAMESPACE}/${name}`;
  const entry = [
    { number: 80, name: 'http', protocol: 'HTTP' },
    { number: 443, name: 'https', protocol: 'HTTPS' },
  ];
  const tls = (mode: string, sni: string) => ({ portLevelSettings: [{ port: { number: 443 }, tls: { mode, sni } }] });
  return [
    object('ServiceEntry', name, { hosts: [host], ports: entry, resolution: 'DNS' }),
    object('Gateway', name, {
      selector: { istio: 'egress' },
      servers: [
        { port: { number: 443, name: 'https', protocol: 'HTTPS' }, hosts: [host], tls: { mode: 'ISTIO_MUTUAL' } },
      ],
    }),
    object('DestinationRule', `hop-${name}`, {
      host: GATEWAY,
      subsets: [{ name, trafficPolicy: tls('ISTIO_MUTUAL', host) }],
    }),
    object('VirtualService', name, {
      hosts: [host],
      gateways: [gateway, 'mesh'],
      http: [
        { match: match(['mesh'], 80), route: to(GATEWAY, 443, name) },
        { match: match([gateway], 443), route: to(host, 443, 'originate-tls') },
      ],
    }),
    object('DestinationRule', name, { host, subsets: [{ name: 'originate-tls', trafficPolicy: tls('SIMPLE', host) }] }),
  ];
}

function passedThrough(host: string, name: string): object[] {
  const gateway = `${NAMESPACE}/${name}`;
  const sni = (gateways: string[], port: number) => [{ gateways, port, sniHosts: [host] }];
  return [
    object('ServiceEntry', name, {
      hosts: [host],
      ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
      resolution: 'DNS',
    }),
    object('Gateway', name, {
      selector: { istio: 'egress' },
      servers: [{ port: { number: 443, name: 'tls', protocol: 'TLS' }, hosts: [host], tls: { mode: 'PASSTHROUGH' } }],
    }),
    object('DestinationRule', `hop-${name}`, { host: GATEWAY, subsets: [{ name }] }),
    object('VirtualService', name, {
      hosts: [host],
      gateways: [gateway, 'mesh'],
      tls: [
        { match: sni(['mesh'], 443), route: to(GATEWAY, 443, name) },
        { match: sni([gateway], 443), route: to(host, 443) },
      ],
    }),
  ];
}

/** One policy that allows the namespace `app` the same hosts in the same way. */
export function policy(way: Way, count: number): object[] {
  const chart = new Chart(new App(), 'footprint');
  const gateway = EgressGateway.fromInstalled(chart, 'Egress', {
    namespace: NAMESPACE,
    serviceName: 'egress',
    selector: { istio: 'egress' },
    servicePorts: ports.map(({ port }) => port),
  });
  const services = hosts(count).map(
    (host) =>
      new ExternalService(chart, host, {
        namespace: NAMESPACE,
        hosts: [host],
        ports: [way === 'http' ? ExternalPort.http(80, { targetPort: 443 }) : ExternalPort.https()],
      }),
  );
  new EgressTrafficPolicy(chart, 'Policy', {
    gateway,
    registryOnly: false,
    rules: [
      { from: [Workloads.in('app')], to: services, http: way === 'http' ? HttpEgress.originateTls() : undefined },
    ],
  });
  return chart.toJson() as object[];
}
