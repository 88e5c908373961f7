import { k8s } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { DirectAccess } from '../egress/direct-access';
import { IstioInstall } from '../install/istio-install';
import { ScenarioChart } from './scenario';

/** Document 004: some addresses never reach the sidecar. */
export class DirectIpRanges extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'direct-ip-ranges', {
      title: 'Addresses that bypass the sidecar',
      shows:
        "Mesh-wide, `install/` has sidecars take only the cluster's own range, as in document 004. The workload here, by annotation, leaves one external range alone and no other. What bypasses the sidecar has no routing, no rules, no logs of the mesh.",
      outcomes: [
        { request: '`curl http://203.0.113.10/` from `sleep`', seen: 'passes without the sidecar: no line in its log' },
        { request: '`curl http://198.51.100.7/` from `sleep`, under `REGISTRY_ONLY`', seen: '502 from the sidecar' },
      ],
    });
    new IstioInstall(this, 'Install', { directAccess: DirectAccess.outside('10.0.0.0/24') });
    const labels = { app: 'sleep' };
    const direct = DirectAccess.to('203.0.113.0/24');
    new k8s.KubeServiceAccount(this, 'SleepAccount', { metadata: { name: 'sleep', namespace: 'default' } });
    new k8s.KubeDeployment(this, 'Sleep', {
      metadata: { name: 'sleep', namespace: 'default' },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels: { ...labels, 'sidecar.istio.io/inject': 'true' }, annotations: direct.annotations },
          spec: {
            serviceAccountName: 'sleep',
            containers: [{ name: 'sleep', image: 'curlimages/curl:8.17.0', command: ['/bin/sleep', 'infinity'] }],
          },
        },
      },
    });
  }
}
