import { type CheckContext, defineIndex } from '../context';
import {
  type EgressRule,
  type NetworkPolicyPeer,
  allowedTo,
  allowsPort,
  egressPolicies,
  staysInNamespace,
} from '../network-policies';
import type { Rule } from '../rule';
import { serviceSpec } from '../workloads';

export const rule: Rule = {
  id: 'EDGE504',
  name: 'policy-forgets-dns',
  severity: 'warning',
  title: 'An egress policy lets pods out, but not to DNS',
  why: 'Nothing can be found by name: every call times out, however much the policy allows. Policies add up: another one, which is not among these manifests, may allow it.',
  fix: 'Allow UDP and TCP port 53 to kube-system (and the port that the DNS pods listen on, if it is another).',
  see: 'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
  reads: ['NetworkPolicy'],
  findsAbsence: true,
  footguns: ['E05'],
  *check(context) {
    for (const policy of context.index(egressPolicies)) {
      const allowed = allowedTo(context, policy);
      // A policy that allows nothing is the floor on which others stand.
      if (!allowed || policy.rules.length === 0) continue;
      const isNear = hasDns(context, policy.manifest.namespace);
      const forDns = allowed.filter((rule) => isForDns(rule) && (isNear || !staysInNamespace(rule)));
      const elsewhere = forDns.map(({ to = [] }) => to.map(namespaceOf));
      const named = elsewhere.flat();
      if (forDns.length > 0) {
        const isElsewhere =
          elsewhere.every((peers) => peers.length > 0) &&
          named.every((name) => name !== undefined && !hasDns(context, name));
        if (isElsewhere && policy.rules.some(isForDns))
          yield {
            manifest: policy.manifest,
            field: ['spec', 'egress', policy.rules.findIndex(isForDns), 'to'],
            what: `port 53 is allowed to namespace ${[...new Set(named)].join(', ')}, and DNS usually runs in kube-system`,
          };
        if (!forDns.some(isByUdp) && policy.rules.some(isForDns))
          yield {
            manifest: policy.manifest,
            field: ['spec', 'egress', policy.rules.findIndex(isForDns), 'ports'],
            what: 'port 53 is allowed for TCP only, and names are asked for by UDP',
            fix: 'Allow UDP port 53 as well.',
          };
        continue;
      }
      yield { manifest: policy.manifest, field: ['spec', 'egress'], what: 'no policy for these pods allows port 53' };
    }
  },
};

function isForDns(rule: EgressRule): boolean {
  return isByUdp(rule) || allowsPort(rule, 53, 'TCP');
}

function isByUdp(rule: EgressRule): boolean {
  return [53, 5353, 8053].some((port) => allowsPort(rule, port, 'UDP'));
}

/** The namespace that a peer names, if it names one. */
function namespaceOf({ namespaceSelector }: NetworkPolicyPeer): string | undefined {
  const { matchLabels = {}, matchExpressions = [] } = namespaceSelector ?? {};
  return matchExpressions.length > 0 ? undefined : (matchLabels['kubernetes.io/metadata.name'] ?? matchLabels.name);
}

const shownDns = defineIndex(
  'namespaces with DNS',
  (context): ReadonlySet<string> =>
    new Set(
      context
        .of('', 'Service')
        .filter((service) => (serviceSpec(service).ports ?? []).some(({ port }) => port === 53))
        .map(({ namespace }) => namespace),
    ),
);

/** Namespaces that clusters run DNS in, and those in which manifests show it. */
function hasDns(context: CheckContext, namespace: string): boolean {
  return namespace === 'kube-system' || /dns/.test(namespace) || context.index(shownDns).has(namespace);
}
