import { GATEWAY_API, gatewaySpec } from '../gateway-api';
import { type PolicyTarget, SECURITY, TELEMETRY } from '../istio';
import type { Rule } from '../rule';

const KINDS = [[SECURITY, 'AuthorizationPolicy'], [SECURITY, 'RequestAuthentication'], [TELEMETRY, 'Telemetry'], ['extensions.istio.io', 'WasmPlugin']] as const; // prettier-ignore
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
        const name = spec.selector?.matchLabels?.[NAME_LABEL];
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
