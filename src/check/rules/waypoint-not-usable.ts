import type { Manifest } from '../../model/manifest';
import { binding, waypoints } from '../../model/waypoints';
import { waypointProblemWords } from '../../trace/words/waypoints';
import { NETWORKING } from '../istio';
import type { Rule } from '../rule';
import { nearestName } from '../../model/near-names';

export const rule: Rule = {
  id: 'EDGE702',
  name: 'waypoint-not-usable',
  severity: 'error',
  title: 'What is bound to a waypoint is not let in by it, or names one that is not there or not for services',
  why: 'The binding is ignored: ztunnel dials the host itself, and no policy of the waypoint is applied.',
  fix: 'Let the waypoint admit the namespace (allowedRoutes.namespaces), and name it with istio.io/use-waypoint and istio.io/use-waypoint-namespace.',
  see: 'https://istio.io/latest/docs/ambient/usage/waypoint/#use-a-cross-namespace-waypoint',
  reads: ['ServiceEntry', 'Service', 'Namespace'],
  needsProof: true,
  footguns: ['A01', 'A02'],
  *check(context) {
    const all = waypoints(context.mesh);
    if (all.length === 0) return;
    const labelled: Manifest[] = [
      ...context.of(NETWORKING, 'ServiceEntry'),
      ...context.of('', 'Service'),
      ...context.of('', 'Namespace'),
    ];
    for (const manifest of labelled) {
      const bound = binding(context.mesh, manifest, manifest.namespace || manifest.name);
      if (bound?.problem === undefined) continue;
      // A waypoint that no manifest has may be somewhere else, but where there are others it is likely a slip.
      const isUnknown = bound.problem.is === 'missing' && !all.some(({ config }) => config.name === bound.name);
      const beside = all.filter(({ config }) => config.namespace === bound.namespace).map(({ config }) => config.name);
      if (isUnknown && beside.length === 0) continue;
      // A namespace may lead its workloads by one waypoint and its services by another.
      if (bound.problem.is === 'not for services' && manifest.kind === 'Namespace') continue;
      const { what, fix } = waypointProblemWords(bound.problem);
      const near = isUnknown ? nearestName(bound.name, beside) : undefined;
      yield {
        manifest,
        field: ['metadata', 'labels', 'istio.io/use-waypoint'],
        what: isUnknown
          ? `${what}, and there is ${beside.map((name) => `${bound.namespace}/${name}`).join(', ')}`
          : what,
        fix: near ? `Did you mean ${near}?` : `${sentence(fix)}.`,
        ...(isUnknown && !near ? { severity: 'warning' as const } : {}),
      };
    }
  },
};

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
