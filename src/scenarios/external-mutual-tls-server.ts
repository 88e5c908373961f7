import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { MeshMembership } from '../mesh/mesh-membership';
import { MeshNamespace } from '../mesh/mesh-namespace';
import { ScenarioChart } from './scenario';

const NAMESPACE = 'mesh-external';
const NAME = 'my-nginx';

const NGINX_CONF = `events {
}

http {
  log_format main '$remote_addr - $remote_user [$time_local]  $status '
  '"$request" $body_bytes_sent "$http_referer" '
  '"$http_user_agent" "$http_x_forwarded_for"';
  access_log /var/log/nginx/access.log main;
  error_log  /var/log/nginx/error.log;

  server {
    listen 443 ssl;

    root /usr/share/nginx/html;
    index index.html;

    server_name ${NAME}.${NAMESPACE}.svc.cluster.local;
    ssl_certificate /etc/nginx-server-certs/tls.crt;
    ssl_certificate_key /etc/nginx-server-certs/tls.key;
    ssl_client_certificate /etc/nginx-ca-certs/example.com.crt;
    ssl_verify_client on;
  }
}
`;

/** Document 001: a stand-in for a server outside the mesh that demands a client certificate. */
export class ExternalMutualTlsServer extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'external-mutual-tls-server', {
      title: 'A stand-in server that demands a client certificate',
      shows:
        'nginx in a namespace without injection, so that the mesh sees it as it would see a server outside. Certificates are referred to, never contained.',
      outcomes: [
        { request: '`curl -k https://my-nginx.mesh-external.svc.cluster.local/`', seen: '400: no client certificate' },
      ],
      needs: [
        'Secrets `nginx-server-certs` (`tls.crt`, `tls.key`) and `nginx-ca-certs` (`example.com.crt`) in `mesh-external`',
      ],
    });
    addMutualTlsServer(this);
  }
}

/** Adds the stand-in server to a scenario that needs one. */
export function addMutualTlsServer(scope: Construct): void {
  const metadata = { name: NAME, namespace: NAMESPACE, labels: { run: NAME } };
  const selector = { run: NAME };
  new MeshNamespace(scope, 'MeshExternal', { name: NAMESPACE, membership: MeshMembership.none() });
  new k8s.KubeConfigMap(scope, 'NginxConfig', {
    metadata: { name: 'nginx-configmap', namespace: NAMESPACE },
    data: { 'nginx.conf': NGINX_CONF },
  });
  new k8s.KubeService(scope, 'NginxService', {
    metadata,
    spec: { selector, ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
  });
  const mounts = [
    { name: 'nginx-config', mountPath: '/etc/nginx', readOnly: true },
    { name: 'nginx-server-certs', mountPath: '/etc/nginx-server-certs', readOnly: true },
    { name: 'nginx-ca-certs', mountPath: '/etc/nginx-ca-certs', readOnly: true },
  ];
  new k8s.KubeDeployment(scope, 'NginxDeployment', {
    metadata: { name: NAME, namespace: NAMESPACE },
    spec: {
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: selector },
        spec: {
          containers: [{ name: NAME, image: 'nginx:1.29', ports: [{ containerPort: 443 }], volumeMounts: mounts }],
          volumes: [
            { name: 'nginx-config', configMap: { name: 'nginx-configmap' } },
            { name: 'nginx-server-certs', secret: { secretName: 'nginx-server-certs' } },
            { name: 'nginx-ca-certs', secret: { secretName: 'nginx-ca-certs' } },
          ],
        },
      },
    },
  });
}
