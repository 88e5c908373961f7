import { missingBackend } from '../backends';
import { GATEWAY_API, ROUTE_KINDS, routeSpec } from '../gateway-api';
import type { Rule } from '../rule';
import { serviceSpec } from '../workloads';

export const rule: Rule = {
  id: 'EDGE804',
  name: 'backend-not-found',
  severity: 'error',
  title: 'A route leads to a port that its Service does not have, or to no Service',
  why: 'A backend that does not exist answers 500 for its share of the requests.',
  fix: 'Write the name and a port of a Service in the namespace of the route.',
  see: 'https://gateway-api.sigs.k8s.io/api-types/httproute/#backendrefs-optional',
  reads: [...ROUTE_KINDS],
  findsAbsence: true,
  footguns: ['G12', 'V12'],
  *check(context) {
    for (const kind of ROUTE_KINDS) {
      for (const manifest of context.of(GATEWAY_API, kind)) {
        for (const [r, { backendRefs = [] }] of (routeSpec(manifest).rules ?? []).entries()) {
          for (const [
            b,
            { group = '', kind: target = 'Service', name = '', namespace = manifest.namespace, port, weight },
          ] of backendRefs.entries()) {
            if (group !== '' || target !== 'Service' || weight === 0) continue;
            const service = context.find('', 'Service', namespace, name);
            const field = ['spec', 'rules', r, 'backendRefs', b];
            if (!service) {
              const told = missingBackend(context, namespace, name);
              if (told) yield { manifest, field: [...field, 'name'], ...told };
              continue;
            }
            const ports = (serviceSpec(service).ports ?? []).map((entry) => entry.port);
            if (port !== undefined && !ports.includes(port))
              yield {
                manifest,
                field: [...field, 'port'],
                what: `Service ${namespace}/${name} has port ${ports.join(', ')}, and not ${port}`,
              };
          }
        }
      }
    }
  },
};
