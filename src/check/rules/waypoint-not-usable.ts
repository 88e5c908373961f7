import type { Manifest } from '../../model/manifest';
import { nameOf } from '../edge';
import { GATEWAY_API, admits, gatewaySpec } from '../gateway-api';
import { NETWORKING } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE702',
  name: 'waypoint-not-usable',
  severity: 'error',
  title: 'What is bound to a waypoint is not let in by it, or names one that is not there',
  why: 'The binding is ignored: ztunnel dials the host itself, and no policy of the waypoint is applied.',
  fix: 'Let the waypoint admit the namespace (allowedRoutes.namespaces), and name it with istio.io/use-waypoint and istio.io/use-waypoint-namespace.',
  see: 'https://istio.io/latest/docs/ambient/usage/waypoint/#use-a-cross-namespace-waypoint',
  reads: ['ServiceEntry', 'Service', 'Namespace'],
  footguns: ['A01', 'A02'],
  *check(context) {
    const waypoints = context
      .of(GATEWAY_API, 'Gateway')
      .filter((manifest) => /waypoint/.test(gatewaySpec(manifest).gatewayClassName ?? ''));
    if (waypoints.length === 0) return;
    const bound: Manifest[] = [
      ...context.of(NETWORKING, 'ServiceEntry'),
      ...context.of('', 'Service'),
      ...context.of('', 'Namespace'),
    ];
    for (const manifest of bound) {
      const name = manifest.labels['istio.io/use-waypoint'];
      if (name === undefined || name === 'none') continue;
      const own = manifest.namespace || manifest.name;
      const namespace = manifest.labels['istio.io/use-waypoint-namespace'] ?? own;
      const field = ['metadata', 'labels', 'istio.io/use-waypoint'];
      const waypoint = waypoints.find((candidate) => candidate.name === name && candidate.namespace === namespace);
      if (!waypoint) {
        const elsewhere = waypoints.filter((candidate) => candidate.name === name);
        if (elsewhere.length > 0)
          yield {
            manifest,
            field,
            what: `there is no waypoint ${namespace}/${name}, but there is ${elsewhere.map((one) => `${one.namespace}/${one.name}`).join(', ')}`,
            fix: `Add the label istio.io/use-waypoint-namespace: ${elsewhere[0]?.namespace}.`,
          };
        continue;
      }
      const labels = context.of('', 'Namespace').find((candidate) => candidate.name === own)?.labels;
      const verdicts = (gatewaySpec(waypoint).listeners ?? []).map((listener) =>
        admits(listener, waypoint, own, labels),
      );
      if (verdicts.length > 0 && verdicts.every((verdict) => verdict === false))
        yield { manifest, field, what: `${nameOf(waypoint)} admits no namespace ${own}` };
    }
  },
};
