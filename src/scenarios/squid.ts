import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { MeshMembership } from '../mesh/mesh-membership';
import { MeshNamespace } from '../mesh/mesh-namespace';

/** Stands for the address of the proxy's pod, which only the cluster knows (document 003's PROXY_IP). From the range for documentation. */
export const PROXY_IP = '192.0.2.10';

const SQUID_CONF = `http_port 3128

acl SSL_ports port 443
acl CONNECT method CONNECT

http_access deny CONNECT !SSL_ports
http_access allow localhost manager
http_access deny manager
http_access allow all

coredump_dir /var/spool/squid
`;

/**
 * The HTTPS proxy that document 003 sets up, in a namespace without injection.
 *
 * @param scope the chart
 * @param logs whether it logs what it is asked for, where `kubectl logs` shows it
 */
export function addSquid(scope: Construct, logs = false): void {
  const namespace = 'external';
  const labels = { app: 'squid' };
  new MeshNamespace(scope, 'External', { name: namespace, membership: MeshMembership.none() });
  new k8s.KubeConfigMap(scope, 'SquidConfig', {
    metadata: { name: 'proxy-configmap', namespace },
    data: { 'squid.conf': logs ? `${SQUID_CONF}access_log stdio:/dev/stdout\n` : SQUID_CONF },
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
