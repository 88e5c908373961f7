import { bindingOf } from '../../model/waypoints';
import { policiesOf } from '../credentials';
import { MESH, ruleMatches, virtualServices, fullHost } from '../edge';
import { NETWORKING, specOf } from '../istio';
import type { CheckContext } from '../context';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE308',
  name: 'credential-without-selector',
  severity: 'warning',
  title: 'A credential is named for sidecars without selecting any',
  why: 'Sidecars read a Secret by credentialName only for a DestinationRule with a workloadSelector. Without one the certificate is not loaded, and the connection fails or goes in plain text.',
  fix: 'Add a workloadSelector for the client, in its namespace; or originate TLS at the egress gateway.',
  see: 'https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings',
  reads: ['DestinationRule'],
  footguns: ['T09'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      if (spec.workloadSelector || ![...policiesOf(spec)].some(({ policy }) => policy.tls?.credentialName)) continue;
      const host = fullHost(context, spec.host ?? '', manifest.namespace);
      if (!isForSidecars(context, host, manifest.namespace)) continue;
      for (const { policy, field } of policiesOf(spec)) {
        const { credentialName, mode } = policy.tls ?? {};
        if (!credentialName || (mode !== 'SIMPLE' && mode !== 'MUTUAL')) continue;
        yield {
          manifest,
          field: [...field, 'tls', 'credentialName'],
          what: `credentialName ${JSON.stringify(credentialName)} is for sidecars that call ${host}, and the rule has no workloadSelector`,
        };
      }
    }
  },
};

/** Whether sidecars call the host themselves, rather than a gateway on their behalf. */
function isForSidecars(context: CheckContext, host: string, namespace: string): boolean {
  if (context.mesh.workloads.inNamespace(namespace).some(({ membership }) => membership === 'gateway')) return false;
  if (namespace === context.mesh.config.rootNamespace) return false;
  if (readByWaypoint(context, host, namespace)) return false;
  let byGateway = false;
  for (const service of context.index(virtualServices)) {
    for (const rule of ruleMatches(service)) {
      const routes = service.spec[rule.kind]?.[rule.rule]?.route ?? [];
      if (!routes.some(({ destination }) => destination?.host === host)) continue;
      if (rule.gateways.includes(MESH)) return true;
      byGateway = true;
    }
  }
  return !byGateway;
}

/** Whether the rule lies beside a waypoint that the host is led through: a waypoint reads credentials as a gateway does. */
function readByWaypoint(context: CheckContext, host: string, namespace: string): boolean {
  return [...context.mesh.services.named(host).values()].some(({ config, labels }) => {
    const bound = bindingOf(context.mesh, { ...config, labels });
    return bound !== undefined && bound.problem === undefined && bound.namespace === namespace;
  });
}
