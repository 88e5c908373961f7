/** What random NetworkPolicies are about: clients with and without sidecars, servers, a gateway out and one in. */
import { type KubeObject } from '../../lab/api';

const NETWORKING = 'networking.istio.io/v1';
const OUT = 'egw.edge.svc.cluster.local';
const SHOP = 'shop.app.svc.cluster.local';
const STORE = 'store.web.svc.cluster.local';
/** Sites, by address, so that nobody has to ask DNS: a policy may well forbid it. */
export const SITES = { 'api.example.com': '203.0.113.60', 'www.example.com': '203.0.113.61' } as const;

const namespace = (name: string, labels: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { ...labels } },
});

function pod(key: string, labels: object, container: object = {}, volumes: readonly object[] = []): KubeObject {
  const [home, name] = key.split('/') as [string, string];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: home, labels: { app: name, ...labels } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name, image: 'curlimages/curl', ...container }],
      volumes,
    },
  };
}

const BARE = { 'sidecar.istio.io/inject': 'false' };

/** A server on two ports, whose Service has the number of each for the other. */
function server(key: string, labels: object, web: number, admin: number): readonly KubeObject[] {
  const [home, name] = key.split('/') as [string, string];
  const config = `pid /tmp/nginx.pid; error_log /dev/stderr; events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server { listen 8080; listen 9000; location / { return 200 "$hostname\\n"; } }
}`;
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: home }, data: { 'nginx.conf': config } },
    pod(
      key,
      labels,
      {
        image: 'nginx',
        ports: [
          { name: 'web', containerPort: web },
          { name: 'admin', containerPort: admin },
        ],
        volumeMounts: [{ name: 'config', mountPath: '/etc/nginx/nginx.conf', subPath: 'nginx.conf' }],
      },
      [{ name: 'config', configMap: { name } }],
    ),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: home },
      spec: {
        selector: { app: name },
        ports: [
          { name: 'http', port: 80, targetPort: 'web' },
          { name: 'http-admin', port: web, targetPort: 'admin' },
        ],
      },
    },
  ];
}

const gateway = (key: string): readonly KubeObject[] => {
  const [home, name] = key.split('/') as [string, string];
  const one = pod(key, { istio: name, 'sidecar.istio.io/inject': 'true' });
  return [
    {
      ...one,
      metadata: { ...one.metadata, annotations: { 'inject.istio.io/templates': 'gateway' } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'istio-proxy', image: 'auto' }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: home },
      spec: { selector: { app: name }, ports: [{ name: 'http2', port: 80, targetPort: 8080 }] },
    },
  ];
};

/** A connection for each request: one that is open already is nothing to a policy that comes later. */
const FRESH = { tcp: { connectTimeout: '1s' }, http: { maxRequestsPerConnection: 1 } };

const istio = (kind: string, home: string, name: string, spec: object): KubeObject => ({
  apiVersion: NETWORKING,
  kind,
  metadata: { name, namespace: home },
  spec,
});
const route = (host: string, port?: number) => [
  { destination: { host, ...(port === undefined ? {} : { port: { number: port } }) } },
];
const retries = { attempts: 0 };

const entry = (name: string, host: keyof typeof SITES, targetPort: number): KubeObject =>
  istio('ServiceEntry', 'istio-system', name, {
    hosts: [host],
    location: 'MESH_EXTERNAL',
    resolution: 'STATIC',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort }],
    endpoints: [{ address: SITES[host] }],
  });

const ROUTES: readonly KubeObject[] = [
  istio('DestinationRule', 'istio-system', 'inside', { host: '*.local', trafficPolicy: { connectionPool: FRESH } }),
  istio('DestinationRule', 'istio-system', 'outside', {
    host: '*.example.com',
    trafficPolicy: { connectionPool: FRESH },
  }),
  entry('by-gateway', 'api.example.com', 80),
  entry('straight', 'www.example.com', 8080),
  istio('Gateway', 'edge', 'out', {
    selector: { istio: 'egw' },
    servers: [
      {
        port: { number: 80, name: 'https', protocol: 'HTTPS' },
        tls: { mode: 'ISTIO_MUTUAL' },
        hosts: ['api.example.com'],
      },
    ],
  }),
  istio('DestinationRule', 'edge', 'to-the-gateway', {
    host: OUT,
    trafficPolicy: { connectionPool: FRESH, tls: { mode: 'ISTIO_MUTUAL', sni: 'api.example.com' } },
  }),
  istio('VirtualService', 'edge', 'out', {
    hosts: ['api.example.com'],
    gateways: ['mesh', 'edge/out'],
    http: [
      { match: [{ gateways: ['mesh'] }], retries, route: route(OUT, 80) },
      { match: [{ gateways: ['edge/out'] }], retries, route: route('api.example.com', 80) },
    ],
  }),
  istio('Gateway', 'edge', 'in', {
    selector: { istio: 'front' },
    servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*.example.org'] }],
  }),
  ...['shop', 'store'].map((name) =>
    istio('VirtualService', 'edge', `in-${name}`, {
      hosts: [`${name}.example.org`],
      gateways: ['edge/in'],
      http: [{ retries, route: route(name === 'shop' ? SHOP : STORE, 80) }],
    }),
  ),
];

export const NETWORK_WORLD: readonly KubeObject[] = [
  namespace('app', { 'istio-injection': 'enabled', team: 'front' }),
  namespace('web', { 'istio-injection': 'enabled', team: 'back' }),
  namespace('edge'),
  pod('app/sleep', { tier: 'front' }),
  pod('app/other', {}),
  pod('app/bare', BARE),
  pod('web/visitor', { ...BARE, tier: 'front' }),
  ...server('app/shop', {}, 8080, 9000),
  ...server('web/store', { ...BARE, version: 'v1' }, 9000, 8080),
  ...gateway('edge/egw'),
  ...gateway('edge/front'),
  ...ROUTES,
];

/** Those whose logs tell where a request stopped. */
export const NETWORK_PROXIES = ['app/sleep', 'app/other', 'app/shop', 'edge/egw', 'edge/front'] as const;
