import type { CheckContext } from '../context';
import { selects } from '../edge';
import { GATEWAY_API, gatewaySpec } from '../gateway-api';
import { type PolicyTarget, PROXY_POLICIES } from '../istio';
import type { Rule } from '../rule';
import { podTemplates } from '../workloads';

const KINDS = PROXY_POLICIES;
const NAME_LABEL = 'gateway.networking.k8s.io/gateway-name';

export const rule: Rule = {
  id: 'EDGE706',
  name: 'selector-on-gateway-api',
  severity: 'error',
  title: 'A policy selects the pods of a waypoint or Gateway instead of targeting it',
  why: 'For a waypoint a selector has no effect: the policy is not enforced. A Gateway of Gateway API is named by targetRefs.',
  fix: 'Write targetRefs with the group, kind and name of the Gateway, Service or ServiceEntry.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0166/',
  reads: KINDS.map(([, kind]) => kind),
  footguns: ['A08', 'G13'],
  *check(context) {
    const waypoints = new Set(
      context
        .of(GATEWAY_API, 'Gateway')
        .filter((manifest) => /waypoint/.test(gatewaySpec(manifest).gatewayClassName ?? ''))
        .map((manifest) => `${manifest.namespace}/${manifest.name}`),
    );
    for (const [group, kind] of KINDS) {
      for (const manifest of context.of(group, kind)) {
        const { spec = {} } = manifest.body as { spec?: PolicyTarget };
        const labels = spec.selector?.matchLabels ?? {};
        const name = labels[NAME_LABEL];
        const generated = name === undefined ? missedGateway(context, manifest.namespace, labels) : undefined;
        if (generated)
          yield {
            manifest,
            field: ['spec', 'selector', 'matchLabels'],
            severity: 'warning',
            what: `the policy selects pods by ${asText(labels)}, and Istio labels those of Gateway ${manifest.namespace}/${generated} ${NAME_LABEL}: ${generated}`,
            why: 'Pods of a Gateway of Gateway API do not have the labels of an installed gateway: the policy is for nothing, and what it was to hold gets through.',
          };
        if (name === undefined) continue;
        const isWaypoint = waypoints.has(`${manifest.namespace}/${name}`);
        yield {
          manifest,
          field: ['spec', 'selector', 'matchLabels', NAME_LABEL],
          severity: isWaypoint ? 'error' : 'warning',
          what: `the policy selects pods by ${NAME_LABEL}: ${name}`,
        };
      }
    }
  },
};

const asText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ');

/** A Gateway of a namespace that has no other pods, if labels are such as gateways have that somebody installed. */
function missedGateway(
  context: CheckContext,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): string | undefined {
  if (!Object.entries(labels).some(([key, value]) => /^(istio|app)$/.test(key) && /gateway|ingress|egress/.test(value)))
    return undefined;
  const { gatewayApi, workloads } = context.mesh;
  if (
    context.index(podTemplates).some((pod) => pod.namespace === namespace) ||
    workloads.inNamespace(namespace).some((pod) => selects(labels, pod.labels))
  )
    return undefined;
  return gatewayApi.gateways.find(({ controller, config }) => controller === 'istio' && config.namespace === namespace)
    ?.config.name;
}
