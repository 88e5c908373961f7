import { Construct } from 'constructs';
import { RolloutRestart } from '../ingress/rollout-restart';
import { ScenarioChart } from './scenario';

/** Document 000: what ran before injection was on is made anew. */
export class ControlPlaneRestart extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'control-plane-restart', {
      title: "Making Envoy Gateway's Pods anew, from Git",
      shows:
        'A sidecar is put into a Pod when the Pod is made. Each object is one annotation of a Pod template, for server-side apply: everything else of the Deployment stays with its owner. Changing the annotation makes the Pods anew, as `kubectl rollout restart` does.',
      outcomes: [
        {
          request: '`kubectl apply --server-side -f control-plane-restart.yaml`',
          seen: 'each Deployment makes Pods anew, with a sidecar; applied again, nothing happens',
        },
      ],
      needs: [
        'the four Deployments: take out those that your installation has not (`teg-*` belong to one distribution), because a Deployment that is not there makes the apply fail',
      ],
    });
    new RolloutRestart(this, 'Restart', {
      namespace: 'envoy-gateway-system',
      deployments: ['envoy-gateway', 'envoy-ratelimit', 'teg-envoy-gateway', 'teg-redis'],
      cause: 'istio-injection',
    });
  }
}
