import type { CheckContext } from '../context';
import { type EgressRule, allowedTo, allowsPort, egressPolicies, mayBe, staysInNamespace } from '../network-policies';
import type { Rule } from '../rule';
import { isInjected } from '../workloads';

export const rule: Rule = {
  id: 'EDGE506',
  name: 'policy-forgets-istiod',
  severity: 'error',
  title: 'An egress policy keeps sidecars from istiod',
  why: 'A sidecar gets its configuration and its certificate from istiod, port 15012. Without it the pod never becomes Ready.',
  fix: 'Allow TCP port 15012 to the pods of istiod (app: istiod, in the root namespace).',
  see: 'https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio',
  reads: ['NetworkPolicy'],
  footguns: ['E06'],
  *check(context) {
    for (const policy of context.index(egressPolicies)) {
      const { namespace } = policy.manifest;
      const inMesh =
        isInjected(context, namespace) ??
        context.mesh.workloads
          .inNamespace(namespace)
          .some(
            ({ membership, membershipAssumed }) =>
              membership === 'gateway' || (membership === 'sidecar' && !membershipAssumed),
          );
      if (!inMesh) continue;
      const isForIstiod = (rule: EgressRule): boolean =>
        allowsPort(rule, 15012) && mayReachIstiod(context, namespace, rule);
      const allowed = allowedTo(context, policy);
      if (!allowed || policy.rules.length === 0 || allowed.some(isForIstiod)) continue;
      yield {
        manifest: policy.manifest,
        field: ['spec', 'egress'],
        what: `no policy for these pods of ${namespace} allows port 15012`,
      };
    }
  },
};

/** The labels of istiod's pods, without and with a revision. */
const ISTIOD = ['pilot', 'istiod'].map((istio) => ({ app: 'istiod', istio }));

/** Who names port 15012 means istiod, wherever it runs; a rule for any port may be about others alone. */
function mayReachIstiod({ mesh }: CheckContext, own: string, rule: EgressRule): boolean {
  const { rootNamespace } = mesh.config;
  const { to = [], ports = [] } = rule;
  if (ports.some(({ port }) => port === 15012)) return own === rootNamespace || !staysInNamespace(rule);
  return (
    to.length === 0 ||
    to.some((peer) => ISTIOD.some((labels) => mayBe(peer, own, { namespace: rootNamespace, labels })))
  );
}
