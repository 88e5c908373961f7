import { labelsMatch } from '../../model/fields';
import { SECURITY, specOf } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE516',
  name: 'port-mtls-without-port',
  severity: 'warning',
  title: 'Mutual TLS is set for a port that no Service leads to',
  why: 'portLevelMtls goes by ports of pods that a Service leads to. For any other, the port of a Service among them, it changes nothing.',
  fix: 'Write the targetPort of the Service.',
  see: 'https://istio.io/latest/docs/reference/config/security/peer_authentication/',
  reads: ['PeerAuthentication'],
  findsAbsence: true,
  footguns: ['M02'],
  *check(context) {
    const { services, workloads } = context.mesh;
    for (const manifest of context.of(SECURITY, 'PeerAuthentication')) {
      const { selector, portLevelMtls = {} } = specOf('PeerAuthentication', manifest);
      const labels = selector?.matchLabels ?? {};
      if (Object.keys(labels).length === 0) continue;
      const pods = workloads.selected(manifest.namespace, labels);
      const found = services
        .inNamespace(manifest.namespace)
        .filter(
          (service) =>
            service.registry === 'Kubernetes' &&
            !service.assumed &&
            Object.keys(service.selector).length > 0 &&
            (labelsMatch(labels, service.selector) || pods.some((pod) => labelsMatch(service.selector, pod.labels))),
        );
      if (found.length === 0) continue;
      const named = new Map(pods.flatMap(({ namedPorts }) => [...namedPorts]));
      const ports = found.flatMap((service) => service.ports);
      const targets = ports.map(({ target }) => (typeof target === 'string' ? named.get(target) : target));
      for (const port of Object.keys(portLevelMtls)) {
        if (targets.some((target) => target === undefined || `${target}` === port)) continue;
        const meant = ports.find((one) => `${one.port}` === port);
        yield {
          manifest,
          field: ['spec', 'portLevelMtls', port],
          what: `${found.map(({ name }) => `Service ${manifest.namespace}/${name}`).join(', ')} leads to port ${[...new Set(targets)].join(', ')} of the pods, and not to ${port}`,
          ...(meant ? { fix: `Write ${meant.target}, to which port ${port} leads.` } : {}),
        };
      }
    }
  },
};
