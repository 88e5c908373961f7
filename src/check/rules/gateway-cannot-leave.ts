import { type EgressRule, allowedTo, egressPolicies } from '../network-policies';
import { contains } from '../../model/addresses';
import type { CheckContext } from '../context';
import { selects, serviceEntries } from '../edge';
import { isEgressPod } from '../egress-gateways';
import type { Rule } from '../rule';
import { podTemplates } from '../workloads';

export const rule: Rule = {
  id: 'EDGE508',
  name: 'gateway-cannot-leave',
  severity: 'error',
  title: 'A policy keeps the egress gateway inside the cluster',
  why: 'The gateway is where traffic leaves: if its own namespace lets nothing out to addresses outside, nothing leaves at all.',
  fix: 'Allow the pods of the gateway egress to addresses outside, on the ports that hosts outside listen on: 0.0.0.0/0, except the ranges of the cluster and 169.254.0.0/16 (the metadata of the cloud).',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/#additional-security-considerations',
  reads: ['NetworkPolicy'],
  footguns: ['E08'],
  *check(context) {
    const hosts = declaredAddresses(context);
    for (const pod of context.index(podTemplates)) {
      if (!isEgressPod(context, pod)) continue;
      const policies = context
        .index(egressPolicies)
        .filter(
          ({ manifest, selector, isUnclear }) =>
            manifest.namespace === pod.namespace && !isUnclear && selects(selector, pod.labels),
        );
      const first = policies[0];
      if (
        !first ||
        context
          .index(egressPolicies)
          .some(({ manifest, isUnclear }) => manifest.namespace === pod.namespace && isUnclear)
      )
        continue;
      const rules = [
        ...policies.flatMap(({ rules: own }) => own),
        ...(allowedTo(context, { ...first, selector: pod.labels }) ?? []),
      ];
      if (rules.some((one) => leaves(one, hosts))) continue;
      yield {
        manifest: first.manifest,
        field: ['spec', 'egress'],
        what: `no policy for ${pod.manifest.kind} ${pod.namespace}/${pod.manifest.name} allows an address outside the cluster`,
      };
    }
  },
};

/** DNS and the control plane: a rule for these ports only is not what traffic leaves by. */
const INTERNAL_PORTS = new Set<number | string | undefined>([53, 5353, 8053, 15010, 15012, 15014, 15017]);

/** Addresses that are inside for everybody, unless an entry says that a host outside has one of them. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', '127.0.0.0/8'];

function leaves({ to = [], ports = [] }: EgressRule, hosts: readonly string[]): boolean {
  const isOutside =
    to.length === 0 || to.some(({ ipBlock }) => ipBlock?.cidr !== undefined && holds(ipBlock.cidr, hosts));
  return isOutside && (ports.length === 0 || ports.some(({ port }) => !INTERNAL_PORTS.has(port)));
}

function holds(cidr: string, hosts: readonly string[]): boolean {
  const [network = '', bits = '32'] = cidr.split('/');
  const isPrivate = PRIVATE.some((range) => contains(range, network) && Number(bits) >= Number(range.split('/')[1]));
  return !isPrivate || hosts.some((address) => contains(cidr, address));
}

/** Addresses that entries give for hosts outside. */
function declaredAddresses(context: CheckContext): readonly string[] {
  return context
    .index(serviceEntries)
    .flatMap(({ spec: { addresses = [], endpoints = [] } }) => [
      ...addresses.map((address) => address.split('/')[0] ?? ''),
      ...endpoints.map(({ address = '' }) => address),
    ]);
}
