/** What examples leave out for being short, and a request needs to show what they are about. */
import { type KubeObject } from '../../lab/api';
import { IMPOSTOR } from '../../lab/internet';

const EGRESS = 'egress.istio-egress.svc.cluster.local';
const NETWORKING = 'networking.istio.io/v1';

const entry = (namespace: string, number: number, protocol: string, hosts = ['api.example.com']): KubeObject => ({
  apiVersion: NETWORKING,
  kind: 'ServiceEntry',
  metadata: { name: 'declared', namespace },
  spec: { hosts, ports: [{ number, name: protocol.toLowerCase(), protocol }], resolution: 'DNS' },
});

/** api.example.com, in plain HTTP. */
export const HTTP_API = [entry('app', 80, 'HTTP')];
/** api.example.com, called in plain HTTP, for a proxy to speak TLS with it. */
export const HTTP_API_BEHIND_TLS = [behindTls({})];
/** The same, where another server than its own answers, with a certificate of another name. */
export const IMPOSTOR_BEHIND_TLS = [behindTls({ endpoints: [{ address: IMPOSTOR }] })];
/** api.example.com, in TLS. */
export const TLS_API = [entry('app', 443, 'TLS')];
/** The same, declared in another namespace. */
export const TLS_API_OF_SHOP = [entry('shop', 443, 'TLS')];

function behindTls(spec: object): KubeObject {
  const ports = [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 443 }];
  return {
    apiVersion: NETWORKING,
    kind: 'ServiceEntry',
    metadata: { name: 'declared', namespace: 'app' },
    spec: { hosts: ['api.example.com'], ports, resolution: 'DNS', ...spec },
  };
}

/** A mesh that lets nothing unknown out. */
export const REGISTRY_ONLY: readonly KubeObject[] = [
  {
    apiVersion: 'install.istio.io/v1alpha1',
    kind: 'IstioOperator',
    metadata: { name: 'mesh', namespace: 'istio-system' },
    spec: { meshConfig: { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } } },
  },
];

/** The Service of the egress gateway. */
export const EGRESS_SERVICE: readonly KubeObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'egress', namespace: 'istio-egress' },
    spec: {
      selector: { istio: 'egress' },
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'https', port: 443, targetPort: 8443 },
      ],
    },
  },
];

interface Server {
  readonly port: { readonly number: number; readonly protocol: string };
  readonly tls?: { readonly mode?: string };
}

/** Routes api.example.com through the example's egress Gateway, by what its first server speaks. */
export function throughEgress(example: readonly KubeObject[]): readonly KubeObject[] {
  const gateway = example.find(({ apiVersion, kind }) => kind === 'Gateway' && apiVersion === NETWORKING);
  const [{ port, tls }] = (gateway?.spec as { readonly servers: readonly [Server] }).servers;
  const number = port.number;
  const isHttp = port.protocol === 'HTTPS';
  const hosts = ['api.example.com'];
  const out = { route: [{ destination: { host: 'api.example.com', port: { number: isHttp ? 80 : 443 } } }] };
  const hop = { route: [{ destination: { host: EGRESS, port: { number } } }] };
  const metadata = { name: 'through-egress', namespace: 'istio-egress' };
  const atGateway = { gateways: ['istio-egress/egress'], port: number };
  const inMesh = { gateways: ['mesh'], port: isHttp ? 80 : 443 };
  const isOpen = tls?.mode === 'PASSTHROUGH';
  const rules = isHttp
    ? { http: [{ match: [inMesh], ...hop }, { match: [atGateway], ...out }] } // prettier-ignore
    : isOpen
      ? { tls: [{ match: [{ ...inMesh, sniHosts: hosts }], ...hop }, { match: [{ ...atGateway, sniHosts: hosts }], ...out }] } // prettier-ignore
      : { tls: [{ match: [{ ...inMesh, sniHosts: hosts }], ...hop }], tcp: [{ match: [atGateway], ...out }] };
  const policy = { tls: { mode: 'ISTIO_MUTUAL', sni: 'api.example.com' } };
  return [
    ...(isHttp ? HTTP_API : TLS_API),
    {
      apiVersion: NETWORKING,
      kind: 'VirtualService',
      metadata,
      spec: { hosts, gateways: ['mesh', 'istio-egress/egress'], ...rules },
    },
    ...(isOpen
      ? []
      : [{ apiVersion: NETWORKING, kind: 'DestinationRule', metadata, spec: { host: EGRESS, trafficPolicy: policy } }]),
  ];
}

/** Routes a host of an ingress Gateway, or a path of it, to a Service, which is declared too. */
export function routed(gateway: string, host: string, to: string, path = '/'): readonly KubeObject[] {
  const destination = { host: `${to}.app.svc.cluster.local`, port: { number: 80 } };
  return [
    {
      apiVersion: NETWORKING,
      kind: 'VirtualService',
      metadata: { name: `to-${to}`, namespace: 'app' },
      spec: {
        hosts: [host],
        gateways: [`istio-ingress/${gateway}`],
        http: [{ name: to, match: [{ uri: { prefix: path } }], route: [{ destination }] }],
      },
    },
    ...service(to),
  ];
}

/** A Service in the namespace `app`. */
export const service = (name: string): readonly KubeObject[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'app' },
    spec: { selector: { app: 'shop' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  },
];

/** A Pod in the namespace `app`, which its Service selects. */
export const pod = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'app', labels: { app: name } },
  spec: {},
});

/** A Gateway that serves www.example.com in plain HTTP, and a route of it. */
export const PLAIN_INGRESS: readonly KubeObject[] = [
  {
    apiVersion: NETWORKING,
    kind: 'Gateway',
    metadata: { name: 'web', namespace: 'istio-ingress' },
    spec: {
      selector: { istio: 'ingress' },
      servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['www.example.com'] }],
    },
  },
  ...routed('web', 'www.example.com', 'shop'),
];

/** Sends what is for the Service web of the namespace shop to a subset of it. */
export const toSubset = (subset: string): readonly KubeObject[] => [
  {
    apiVersion: NETWORKING,
    kind: 'VirtualService',
    metadata: { name: 'to-subset', namespace: 'shop' },
    spec: { hosts: ['web'], http: [{ route: [{ destination: { host: 'web', subset } }] }] },
  },
];

/** The Service of a collector of logs. */
export const COLLECTOR: readonly KubeObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'collector', namespace: 'monitoring' },
    spec: { selector: { app: 'collector' }, ports: [{ name: 'grpc', port: 4317 }] },
  },
];
