/** What every random mesh runs on: clients, servers, two egress gateways. As manifests, for the lab and for `trace` alike. */
import * as path from 'node:path';
import { type KubeObject } from '../../lab/api';
import { Authority } from '../../lab/pki';
import { secret } from '../secrets';
import { type Mesh } from '../mesh';

/** Where clients' requests come from. */
export const CLIENTS = ['app/sleep', 'app/other', 'web/sleep'] as const;
/** The proxies whose logs tell the way of a request beyond its client. */
export const PROXIES = ['edge/egw', 'istio-system/istio-egressgateway', 'app/shop', 'web/store', 'web/head'] as const;

const injected = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'istio-injection': 'enabled' } },
});

const account = (name: string, namespace: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace },
});

function pod(name: string, namespace: string, labels: object, container: object, volumes: readonly object[] = []) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name, ...labels } },
    spec: {
      serviceAccountName: name,
      terminationGracePeriodSeconds: 0,
      containers: [{ name, ...container }],
      volumes,
    },
  };
}

const client = (name: string, namespace: string, labels: object = {}): readonly KubeObject[] => [
  account(name, namespace),
  pod(name, namespace, labels, { image: 'curlimages/curl' }),
];

/** A server of HTTP, TLS and a protocol in which the server speaks first. */
const CONFIG = `
worker_processes 1; error_log /dev/stderr; pid /tmp/nginx.pid;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
  server { listen 8080; listen 9000; location / { return 200 "$hostname by $scheme\\n"; } }
  server {
    listen 8443 ssl; ssl_certificate /etc/tls/tls.crt; ssl_certificate_key /etc/tls/tls.key;
    location / { return 200 "$hostname by $scheme\\n"; }
  }
}
stream { server { listen 3306; return "hello\\n"; } }
`;

const server = (name: string, namespace: string, labels: object = {}): readonly KubeObject[] => [
  account(name, namespace),
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { 'nginx.conf': CONFIG } },
  pod(
    name,
    namespace,
    labels,
    {
      image: 'nginx',
      volumeMounts: [
        { name: 'config', mountPath: '/etc/nginx/nginx.conf', subPath: 'nginx.conf' },
        { name: 'tls', mountPath: '/etc/tls' },
      ],
    },
    [
      { name: 'config', configMap: { name } },
      { name: 'tls', secret: { secretName: 'server' } },
    ],
  ),
];

/** Proxies get the credentials that their accounts may read. */
const readsSecrets = ([namespace, ...accounts]: readonly string[]): readonly KubeObject[] => [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'secrets', namespace },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch', 'list'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'secrets', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'secrets' },
    // istiod asks for the account alone, without the groups that it is in.
    subjects: accounts.map((name) => ({ kind: 'ServiceAccount', name, namespace })),
  },
];

const gateway = (name: string, namespace: string): readonly KubeObject[] => [
  account(name, namespace),
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: {
          labels: { app: name, istio: 'egressgateway', 'sidecar.istio.io/inject': 'true' },
          annotations: { 'inject.istio.io/templates': 'gateway' },
        },
        spec: {
          serviceAccountName: name,
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'istio-proxy', image: 'auto' }],
        },
      },
    },
  },
];

/** What is there for all random meshes. `istio-system/istio-egressgateway` runs in every world of these tests already. */
export const WORLD: readonly KubeObject[] = [
  injected('app'),
  injected('web'),
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'edge' } },
  ...client('sleep', 'app', { tier: 'front' }),
  ...client('other', 'app'),
  ...client('sleep', 'web'),
  ...server('shop', 'app'),
  ...server('store', 'web', { version: 'v1' }),
  ...server('head', 'web'),
  ...gateway('egw', 'edge'),
  ...[
    ['app', 'sleep', 'other', 'shop'],
    ['web', 'sleep', 'store', 'head'],
    ['edge', 'egw'],
  ].flatMap(readsSecrets),
];

/** The Secrets that random meshes name; `trace` is not shown them. */
export async function credentials(mesh: Mesh): Promise<readonly KubeObject[]> {
  const { lab } = mesh;
  const authority = Authority.open(path.join(lab.folder, 'pki', 'public'));
  const names = ['api.example.com', '*.example.com', 'example.com', '*.partner.io', 'shop.app.svc.cluster.local'];
  const { cert, key } = await authority.issue(
    'random',
    'api.example.com',
    names.map((name) => `DNS:${name}`),
  );
  const files = { 'tls.crt': cert, 'tls.key': key };
  return [
    ...['app', 'web'].map((namespace) => secret('server', namespace, files)),
    ...['app', 'web', 'edge', 'istio-system'].flatMap((namespace) => [
      secret('cert', namespace, { ...files, 'ca.crt': authority.cert }),
      secret('client', namespace, { ...files, 'ca.crt': authority.cert }),
    ]),
  ];
}
