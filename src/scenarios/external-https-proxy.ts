import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { ExternalProxy } from '../egress/external-proxy';
import { MeshMembership } from '../mesh/mesh-membership';
import { MeshNamespace } from '../mesh/mesh-namespace';
import { ScenarioChart } from './scenario';

/** Stands for the address of the proxy's pod, which only the cluster knows (document 003's PROXY_IP). From the range for documentation. */
const PROXY_IP = '192.0.2.10';

const SQUID_CONF = `http_port 3128

acl SSL_ports port 443
acl CONNECT method CONNECT

http_access deny CONNECT !SSL_ports
http_access allow localhost manager
http_access deny manager
http_access allow all

coredump_dir /var/spool/squid
`;

/** Document 003: an HTTPS proxy outside the mesh, reached by CONNECT. */
export class ExternalHttpsProxy extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'external-https-proxy', {
      title: 'An HTTPS proxy outside the mesh',
      shows: `Applications use a proxy (\`HTTPS_PROXY\`), and the mesh lets them reach it as TCP, by address. A squid in a namespace without injection stands in for it. \`${PROXY_IP}\` stands for the address of its pod: put the real one there.`,
      outcomes: [
        {
          request: `\`HTTPS_PROXY=${PROXY_IP}:3128 curl https://en.wikipedia.org/\``,
          seen: 'passes; the sidecar logs a TCP line with `outbound|3128||my-company-proxy.com`',
        },
      ],
      needs: [`\`${PROXY_IP}\` replaced by the address of the proxy`],
    });
    addSquid(this);
    new ExternalProxy(this, 'proxy', {
      host: 'my-company-proxy.com',
      addresses: [`${PROXY_IP}/32`],
      sites: ['en.wikipedia.org'],
    });
  }
}

function addSquid(scope: Construct): void {
  const namespace = 'external';
  const labels = { app: 'squid' };
  new MeshNamespace(scope, 'External', { name: namespace, membership: MeshMembership.none() });
  new k8s.KubeConfigMap(scope, 'SquidConfig', {
    metadata: { name: 'proxy-configmap', namespace },
    data: { 'squid.conf': SQUID_CONF },
  });
  new k8s.KubeDeployment(scope, 'Squid', {
    metadata: { name: 'squid', namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          volumes: [{ name: 'proxy-config', configMap: { name: 'proxy-configmap' } }],
          containers: [
            {
              name: 'squid',
              image: 'sameersbn/squid:3.5.27',
              imagePullPolicy: 'IfNotPresent',
              volumeMounts: [{ name: 'proxy-config', mountPath: '/etc/squid', readOnly: true }],
            },
          ],
        },
      },
    },
  });
}
