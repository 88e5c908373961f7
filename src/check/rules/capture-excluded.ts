import type { Rule } from '../rule';
import { podTemplates } from '../workloads';

const WIDE = new Set(['*', '0.0.0.0/0', '::/0']);

export const rule: Rule = {
  id: 'EDGE503',
  name: 'capture-excluded',
  severity: 'warning',
  title: 'A workload sends traffic past its sidecar',
  why: 'Connections that are not captured never meet the sidecar: no route, no policy, no log, and no egress gateway.',
  fix: 'Leave out no more than is needed, and hold the rest with a NetworkPolicy.',
  see: 'https://istio.io/latest/docs/reference/config/annotations/',
  reads: ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'],
  footguns: ['E04'],
  *check(context) {
    for (const { manifest, annotations, at } of context.index(podTemplates)) {
      const value = (name: string): string => (annotations[`traffic.sidecar.istio.io/${name}`] ?? '').trim();
      const parts = (name: string): string[] =>
        value(name)
          .split(',')
          .map((part) => part.trim())
          .filter(Boolean);
      const field = (name: string): (string | number)[] => [
        ...at,
        'metadata',
        'annotations',
        `traffic.sidecar.istio.io/${name}`,
      ];
      const all = parts('excludeOutboundIPRanges').find((range) => WIDE.has(range));
      if (all)
        yield {
          manifest,
          field: field('excludeOutboundIPRanges'),
          what: `excludeOutboundIPRanges has ${all}: nothing is captured`,
        };
      const web = parts('excludeOutboundPorts').filter((port) => ['80', '443'].includes(port));
      if (web.length > 0)
        yield {
          manifest,
          field: field('excludeOutboundPorts'),
          what: `excludeOutboundPorts has ${web.join(' and ')}, the ports of the web`,
        };
      if (
        parts('includeOutboundIPRanges').length > 0 &&
        parts('excludeOutboundIPRanges').length > 0 &&
        !parts('includeOutboundIPRanges').includes('*')
      ) {
        yield {
          manifest,
          field: field('excludeOutboundIPRanges'),
          severity: 'info',
          what: `includeOutboundIPRanges is ${value('includeOutboundIPRanges')}, and excludeOutboundIPRanges takes ${value('excludeOutboundIPRanges')} off it`,
          why: 'Both count: what is captured is what the first has and the second has not.',
        };
      }
    }
  },
};
