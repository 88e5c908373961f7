import { egressPolicies } from '../network-policies';
import { nameOf, selects } from '../edge';
import type { Rule } from '../rule';
import { serviceSpec } from '../workloads';

export const rule: Rule = {
  id: 'EDGE507',
  name: 'policy-by-service-port',
  severity: 'error',
  title: 'A policy names the port of a Service, not of its pods',
  why: 'A NetworkPolicy sees packets on their way to the pod, with the port of the pod: a rule for the port of the Service matches nothing.',
  fix: 'Write the targetPort of the Service.',
  see: 'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
  reads: ['NetworkPolicy'],
  footguns: ['E07'],
  *check(context) {
    const namespaces = new Map(
      context
        .of('', 'Namespace')
        .map((manifest) => [manifest.name, { 'kubernetes.io/metadata.name': manifest.name, ...manifest.labels }]),
    );
    for (const { manifest, rules } of context.index(egressPolicies)) {
      for (const [at, { to = [], ports = [] }] of rules.entries()) {
        for (const [p, { port }] of ports.entries()) {
          if (typeof port !== 'number') continue;
          const reached = to.flatMap(({ podSelector, namespaceSelector, ipBlock }) => {
            const labels = podSelector?.matchLabels;
            if (
              ipBlock ||
              !labels ||
              Object.keys(labels).length === 0 ||
              (podSelector.matchExpressions ?? []).length > 0
            )
              return [];
            return context.of('', 'Service').filter((service) => {
              const inNamespace = namespaceSelector
                ? selects(
                    namespaceSelector.matchLabels,
                    namespaces.get(service.namespace) ?? { 'kubernetes.io/metadata.name': service.namespace },
                  )
                : service.namespace === manifest.namespace;
              const { selector = {} } = serviceSpec(service);
              return (
                inNamespace &&
                Object.keys(selector).length > 0 &&
                (selects(labels, selector) || selects(selector, labels))
              );
            });
          });
          const servicePorts = reached.flatMap((service) =>
            (serviceSpec(service).ports ?? []).map((entry) => ({ service, entry })),
          );
          const asService = servicePorts.find(
            ({ entry }) => entry.port === port && entry.targetPort !== undefined && entry.targetPort !== port,
          );
          const asPod = servicePorts.some(
            ({ entry }) => (entry.targetPort ?? entry.port) === port || typeof entry.targetPort === 'string',
          );
          if (!asService || asPod) continue;
          yield {
            manifest,
            field: ['spec', 'egress', at, 'ports', p, 'port'],
            what: `port ${port} is that of ${nameOf(asService.service)}, whose pods listen on ${asService.entry.targetPort}`,
            fix: `Write port ${asService.entry.targetPort}.`,
          };
        }
      }
    }
  },
};
