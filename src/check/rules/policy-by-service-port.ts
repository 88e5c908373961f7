import { type EgressRule, type NetworkPolicyPeer, egressPolicies } from '../network-policies';
import type { CheckContext } from '../context';
import { nameOf, selects } from '../edge';
import type { Manifest } from '../../model/manifest';
import type { Hit, Rule } from '../rule';
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
    for (const { manifest, rules } of context.index(egressPolicies))
      for (const [at, { to = [], ports = [] }] of rules.entries())
        yield* hits(manifest, ['spec', 'egress', at], ports, () => calledServices(context, manifest, to));
    for (const manifest of context.of('networking.k8s.io', 'NetworkPolicy')) {
      const { spec = {} } = manifest.body as { spec?: IngressSpec };
      if ((spec.policyTypes ?? ['Ingress']).includes('Ingress'))
        for (const [at, { ports = [] }] of (spec.ingress ?? []).entries())
          yield* hits(manifest, ['spec', 'ingress', at], ports, () => ownServices(context, manifest, spec.podSelector));
    }
  },
};

type Ports = NonNullable<EgressRule['ports']>;

interface IngressSpec {
  readonly podSelector?: NetworkPolicyPeer['podSelector'];
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly { readonly ports?: Ports }[];
}

function* hits(
  manifest: Manifest,
  place: readonly (string | number)[],
  ports: Ports,
  servicesOf: () => readonly Manifest[],
): Generator<Hit> {
  const numbered = [...ports.entries()].filter(([, one]) => typeof one.port === 'number' && one.endPort === undefined);
  if (numbered.length === 0) return;
  const servicePorts = servicesOf().flatMap((service) =>
    (serviceSpec(service).ports ?? []).map((entry) => ({ service, entry })),
  );
  for (const [p, { port }] of numbered) {
    const asService = servicePorts.find(
      ({ entry }) => entry.port === port && entry.targetPort !== undefined && entry.targetPort !== port,
    );
    const asPod = servicePorts.some(
      ({ entry }) => (entry.targetPort ?? entry.port) === port || typeof entry.targetPort === 'string',
    );
    // Both ports side by side: the one that matters is allowed.
    const isThereToo = ports.some((other) => other.port === asService?.entry.targetPort);
    if (!asService || asPod || isThereToo) continue;
    yield {
      manifest,
      field: [...place, 'ports', p, 'port'],
      what: `port ${port} is that of ${nameOf(asService.service)}, whose pods listen on ${asService.entry.targetPort}`,
      fix: `Write port ${asService.entry.targetPort}.`,
    };
  }
}

/** The Services of the Pods that an egress rule names. */
function calledServices(
  context: CheckContext,
  policy: Manifest,
  to: readonly NetworkPolicyPeer[],
): readonly Manifest[] {
  return to.flatMap(({ podSelector, namespaceSelector, ipBlock }) => {
    const labels = podSelector?.matchLabels;
    if (ipBlock || !labels || Object.keys(labels).length === 0 || (podSelector.matchExpressions ?? []).length > 0)
      return [];
    return context.of('', 'Service').filter((service) => {
      const inNamespace = namespaceSelector
        ? selects(namespaceSelector.matchLabels, labelsOf(context, service.namespace))
        : service.namespace === policy.namespace;
      return inNamespace && isFor(service, labels);
    });
  });
}

/** The Services of the Pods that a policy is for; of one for all Pods some may listen on anything. */
function ownServices(
  context: CheckContext,
  policy: Manifest,
  podSelector: NetworkPolicyPeer['podSelector'],
): readonly Manifest[] {
  if ((podSelector?.matchExpressions ?? []).length > 0) return [];
  const labels = podSelector?.matchLabels ?? {};
  if (Object.keys(labels).length === 0) return [];
  return context
    .of('', 'Service')
    .filter((service) => service.namespace === policy.namespace && isFor(service, labels));
}

function isFor(service: Manifest, labels: Readonly<Record<string, string>>): boolean {
  const { selector = {} } = serviceSpec(service);
  return Object.keys(selector).length > 0 && (selects(labels, selector) || selects(selector, labels));
}

function labelsOf(context: CheckContext, namespace: string): Readonly<Record<string, string>> {
  return { 'kubernetes.io/metadata.name': namespace, ...context.mesh.namespaces.get(namespace)?.labels };
}
