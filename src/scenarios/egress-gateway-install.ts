import { Construct } from 'constructs';
import { DedicatedNodes } from '../egress/dedicated-nodes';
import { EgressGatewayWorkload } from '../egress/egress-gateway-workload';
import { IstioInstall } from '../install/istio-install';
import { MeshMembership } from '../mesh/mesh-membership';
import { MeshNamespace } from '../mesh/mesh-namespace';
import { ScenarioChart } from './scenario';

/** Documents 001 and 002: the egress gateway itself, on nodes of its own. */
export class EgressGatewayInstall extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'egress-gateway-install', {
      title: 'The egress gateway itself',
      shows:
        'The gateway that the other scenarios go through, three times over: by istioctl (`install/istio-operator.yaml`), by Helm (`install/helm-istio-egressgateway.values`), and as plain manifests. Its pods run on nodes labelled and tainted `edge=egress`, and no other pod does.',
      outcomes: [
        { request: '`kubectl get pod -A -l istio=egressgateway -o wide`', seen: 'all on the dedicated nodes' },
      ],
      needs: [
        'nodes with the label `edge=egress` and the taint `edge=egress:NoSchedule`',
        'one of the three ways, not several: they make the same gateway',
      ],
    });
    const nodes = DedicatedNodes.labeled({ edge: 'egress' });
    new IstioInstall(this, 'Install', { egressGateways: [{ name: 'istio-egressgateway', nodes }] });
    new MeshNamespace(this, 'Namespace', { name: 'istio-system', membership: MeshMembership.none() });
    new EgressGatewayWorkload(this, 'istio-egressgateway', {
      namespace: 'istio-system',
      selector: { istio: 'egressgateway' },
      nodes,
    });
  }
}
