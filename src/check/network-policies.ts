/** NetworkPolicies for traffic that leaves, joined by the pods they are for. */
import { push } from '../model/objects';
import { text, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { selects as selectorMatches } from '../model/selectors';
import { type CheckContext, defineIndex } from './context';
import { selects } from './edge';

export interface NetworkPolicyPeer {
  readonly ipBlock?: { readonly cidr?: string; readonly except?: readonly string[] };
  readonly namespaceSelector?: {
    readonly matchLabels?: Readonly<Record<string, string>>;
    readonly matchExpressions?: readonly object[];
  };
  readonly podSelector?: {
    readonly matchLabels?: Readonly<Record<string, string>>;
    readonly matchExpressions?: readonly object[];
  };
}

export interface EgressRule {
  readonly to?: readonly NetworkPolicyPeer[];
  readonly ports?: readonly {
    readonly port?: number | string;
    readonly endPort?: number;
    readonly protocol?: string;
  }[];
}

export interface EgressPolicy {
  readonly manifest: Manifest;
  readonly selector: Readonly<Record<string, string>>;
  /** Its selector has expressions, which are not judged here. */
  readonly isUnclear: boolean;
  readonly rules: readonly EgressRule[];
}

export const egressPolicies = defineIndex('egress policies', (context): readonly EgressPolicy[] =>
  context.of('networking.k8s.io', 'NetworkPolicy').flatMap((manifest) => {
    const { spec = {} } = manifest.body as {
      spec?: {
        podSelector?: NetworkPolicyPeer['podSelector'];
        policyTypes?: readonly string[];
        egress?: readonly EgressRule[];
      };
    };
    const { policyTypes = [], egress = [] } = spec;
    // As the API server fills it in: an empty list of rules is as good as none.
    const isForEgress = policyTypes.length > 0 ? policyTypes.includes('Egress') : egress.length > 0;
    if (!isForEgress) return [];
    return [
      {
        manifest,
        selector: spec.podSelector?.matchLabels ?? {},
        isUnclear: (spec.podSelector?.matchExpressions ?? []).length > 0,
        rules: egress,
      },
    ];
  }),
);

const policiesByNamespace = defineIndex('egress policies by namespace', (context) => {
  const found = new Map<string, EgressPolicy[]>();
  for (const policy of context.index(egressPolicies)) push(found, policy.manifest.namespace, policy);
  return found;
});

/** Everything that is allowed to the pods of a policy: its own rules, and those of policies for the same pods. */
export function allowedTo(context: CheckContext, policy: EgressPolicy): readonly EgressRule[] | undefined {
  const others = context.index(policiesByNamespace).get(policy.manifest.namespace) ?? [];
  if (others.some(({ isUnclear }) => isUnclear)) return undefined;
  return others
    .filter(({ selector }) => selects(selector, policy.selector) || Object.keys(selector).length === 0)
    .flatMap(({ rules }) => rules);
}

export function allowsPort(rule: EgressRule, port: number, protocol = 'TCP'): boolean {
  if (!rule.ports || rule.ports.length === 0) return true;
  return rule.ports.some((entry) => {
    if ((entry.protocol ?? 'TCP') !== protocol) return false;
    if (entry.port === undefined) return true;
    return typeof entry.port === 'string' ? true : port >= entry.port && port <= (entry.endPort ?? entry.port);
  });
}

/** Whether a peer may be a pod of that namespace with these labels: what is not known of it may be so or otherwise. */
export function mayBe(
  { ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer,
  own: string,
  pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  if (ipBlock !== undefined) return true;
  const isThere = namespaceSelector
    ? mayMatch(namespaceSelector, { 'kubernetes.io/metadata.name': pod.namespace })
    : own === pod.namespace;
  return isThere && mayMatch(podSelector, pod.labels);
}

function mayMatch(selector: NetworkPolicyPeer['podSelector'], known: Readonly<Record<string, string>>): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const said = Object.entries(matchLabels).filter(([key]) => known[key] !== undefined);
  const asked = (matchExpressions as readonly Json[]).filter(({ key }) => known[text(key)] !== undefined);
  return selectorMatches({ matchLabels: Object.fromEntries(said), matchExpressions: asked }, known);
}

/** Whether a rule is for pods of the policy's own namespace only: a peer with a podSelector and no namespaceSelector is. */
export function staysInNamespace({ to = [] }: EgressRule): boolean {
  return to.length > 0 && to.every((peer) => peer.ipBlock === undefined && peer.namespaceSelector === undefined);
}
