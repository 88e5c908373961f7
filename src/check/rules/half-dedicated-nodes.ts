import type { Rule } from '../rule';
import { isGatewayPod, podTemplates } from '../workloads';

export const rule: Rule = {
  id: 'EDGE513',
  name: 'half-dedicated-nodes',
  severity: 'warning',
  title: 'A gateway may run on dedicated nodes, but need not; or need, but may not',
  why: 'A toleration allows a tainted node and asks for none; a node selector asks for a node and tolerates no taint. Half of the pair lets the gateway run elsewhere, or nowhere, and firewalls open for the nodes miss it.',
  fix: 'Write both: nodeSelector (or node affinity) and tolerations for the taint of the nodes.',
  see: 'https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/',
  reads: ['Deployment', 'DaemonSet', 'Pod'],
  footguns: ['E15'],
  *check(context) {
    for (const pod of context.index(podTemplates)) {
      if (!isGatewayPod(pod)) continue;
      const { nodeSelector = {}, affinity, tolerations = [] } = pod.spec;
      const asks =
        Object.keys(nodeSelector).some((key) => !key.startsWith('kubernetes.io/')) ||
        affinity?.nodeAffinity !== undefined;
      if (tolerations.length > 0 && !asks)
        yield {
          manifest: pod.manifest,
          field: [...pod.at, 'spec', 'tolerations'],
          what: 'the gateway tolerates a taint, and no nodeSelector or node affinity binds it to the tainted nodes',
        };
    }
  },
};
