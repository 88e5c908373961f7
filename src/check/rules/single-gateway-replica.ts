import { selects } from '../edge';
import { isEgressPod } from '../egress-gateways';
import type { Rule } from '../rule';
import { podTemplates } from '../workloads';

export const rule: Rule = {
  id: 'EDGE609',
  name: 'single-gateway-replica',
  severity: 'info',
  title: 'An egress gateway has one replica',
  why: 'Everything that leaves goes through it: a restart of the one pod stops all of it.',
  fix: 'Run two or more, with a PodDisruptionBudget, or let a HorizontalPodAutoscaler do so.',
  see: 'https://istio.io/latest/docs/setup/additional-setup/gateway/',
  reads: ['Deployment'],
  footguns: ['W11'],
  *check(context) {
    for (const pod of context.index(podTemplates)) {
      const { manifest, labels } = pod;
      if (manifest.kind !== 'Deployment' || !isEgressPod(context, pod)) continue;
      const { spec } = manifest.body as { spec?: { replicas?: number } };
      const isScaled = context
        .of('autoscaling', 'HorizontalPodAutoscaler')
        .some(
          (scaler) =>
            (scaler.body as { spec?: { scaleTargetRef?: { name?: string } } }).spec?.scaleTargetRef?.name ===
              manifest.name && scaler.namespace === manifest.namespace,
        );
      const hasBudget = context
        .of('policy', 'PodDisruptionBudget')
        .some(
          (budget) =>
            selects(
              (budget.body as { spec?: { selector?: { matchLabels?: Record<string, string> } } }).spec?.selector
                ?.matchLabels,
              labels,
            ) && budget.namespace === manifest.namespace,
        );
      if ((spec?.replicas ?? 1) < 2 && !isScaled && !hasBudget)
        yield {
          manifest,
          field: ['spec', 'replicas'],
          what: `Deployment ${manifest.namespace}/${manifest.name} has ${spec?.replicas ?? 1} replica, no autoscaler and no disruption budget`,
        };
    }
  },
};
