import { labelsMatch } from '../../model/fields';
import { fullHost } from '../edge';
import { isShown } from '../../model/workloads';
import { NETWORKING, specOf } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE413',
  name: 'subset-selects-nothing',
  severity: 'warning',
  title: 'A subset has no pods of its Service',
  why: 'Its cluster is empty: what is routed to it gets 503.',
  fix: 'Write labels that pods of the Service have.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0173/',
  reads: ['DestinationRule'],
  footguns: [],
  *check(context) {
    const { services, workloads } = context.mesh;
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const { host = '', subsets = [] } = specOf('DestinationRule', manifest);
      if (subsets.length === 0) continue;
      for (const service of services.named(fullHost(context, host, manifest.namespace)).values()) {
        if (service.registry !== 'Kubernetes') continue;
        const pods = workloads.behind(service).filter(isShown);
        if (pods.length === 0) continue;
        for (const [at, { name, labels = {} }] of subsets.entries()) {
          // Those of the topology are of nodes.
          const own = Object.fromEntries(Object.entries(labels).filter(([key]) => !isOfNodes(key)));
          if (pods.some((pod) => labelsMatch(own, pod.labels))) continue;
          yield {
            manifest,
            field: ['spec', 'subsets', at, 'labels'],
            what: `no pods of Service ${service.namespace}/${service.name} have the labels ${Object.entries(own)
              .map(([key, value]) => `${key}=${value}`)
              .join(', ')} of subset ${name}`,
          };
        }
      }
    }
  },
};

function isOfNodes(key: string): boolean {
  return key.startsWith('topology.') || key === 'istio-locality' || key.startsWith('failure-domain.');
}
