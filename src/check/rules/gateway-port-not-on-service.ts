import { gatewaysByName, nameOf } from '../edge';
import type { Rule } from '../rule';
import { isGatewayPod, podsWith, serviceSpec, servicesAskingFor, servicesFor } from '../workloads';

export const rule: Rule = {
  id: 'EDGE602',
  name: 'gateway-port-not-on-service',
  severity: 'error',
  title: 'The Service of a gateway has no such port',
  why: 'Clients reach the gateway through its Service: a server on a port that the Service does not have is never called.',
  fix: "Add the port to the gateway's Service, or use one that it has.",
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0162/',
  reads: ['Gateway'],
  findsAbsence: true,
  footguns: ['W02'],
  *check(context) {
    for (const { manifest, spec } of context.index(gatewaysByName).values()) {
      const selector = spec.selector ?? {};
      if (Object.keys(selector).length === 0) continue;
      const pods = podsWith(context, selector).filter(isGatewayPod);
      const services = [
        ...new Set([
          ...pods.flatMap((pod) => servicesFor(context, pod.namespace, pod.labels)),
          ...servicesAskingFor(context, selector),
        ]),
      ];
      if (services.length === 0) continue;
      const ports = services.flatMap((service) => serviceSpec(service).ports ?? []);
      for (const [at, { port, bind }] of (spec.servers ?? []).entries()) {
        const number = port?.number;
        // What only the gateway itself can dial needs no Service.
        if (number === undefined || (bind !== undefined && /^(unix:|127\.|::1$)/.test(bind))) continue;
        if (
          ports.some(
            (entry) => entry.port === number || entry.targetPort === number || typeof entry.targetPort === 'string',
          )
        )
          continue;
        yield {
          manifest,
          field: ['spec', 'servers', at, 'port', 'number'],
          // Another Service, of an installation that no manifest shows, may select the same Pods and have the port.
          ...(pods.length === 0 ? { severity: 'info' as const } : {}),
          what: `${services.map(nameOf).join(', ')} has port ${ports.map((entry) => entry.port).join(', ')}, and not ${number}`,
        };
      }
    }
  },
};
