import { Construct } from 'constructs';
import { IstioInstall } from '../install/istio-install';
import { ScenarioChart } from './scenario';

/** Document 000: Istio without an ingress gateway of its own. */
export class IstioMinimal extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'istio-minimal', {
      title: 'Istio without an ingress gateway',
      shows:
        'Install input with the profile `minimal`, for istioctl and for Helm: the control plane alone, because Envoy Gateway is to be the way in.',
      outcomes: [],
    });
    new IstioInstall(this, 'Install', { profile: 'minimal' });
  }
}
