import { Construct } from 'constructs';
import { IstioInstall } from '../install/istio-install';
import { OutboundMode, OutboundTrafficPolicy } from '../mesh/outbound-traffic-policy';
import { ScenarioChart } from './scenario';

/** Documents 002 and 004: what happens to traffic that nobody registered. */
export class OutboundPolicy extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'outbound-policy', {
      title: 'Traffic to hosts that nobody registered',
      shows:
        'Mesh-wide, `install/` sets `REGISTRY_ONLY`, for istioctl and for Helm. A Sidecar sets it for one namespace, whatever the mesh says; another lets one workload of that namespace reach anything.',
      outcomes: [
        {
          request: '`curl http://edition.cnn.com/` from `app: sleep`',
          seen: '502 from the sidecar (BlackHoleCluster)',
        },
        { request: '`curl https://edition.cnn.com/` from `app: sleep`', seen: 'reset by the sidecar' },
        { request: 'the same two from `app: explorer`', seen: 'pass; HTTP shows as PassthroughCluster' },
      ],
    });
    new IstioInstall(this, 'Install', { outboundTrafficPolicy: OutboundMode.REGISTRY_ONLY });
    new OutboundTrafficPolicy(this, 'default', { mode: OutboundMode.REGISTRY_ONLY });
    new OutboundTrafficPolicy(this, 'explorer', { mode: OutboundMode.ALLOW_ANY, workloads: { app: 'explorer' } });
  }
}
