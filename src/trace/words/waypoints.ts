/** Why a waypoint that is asked for is not taken. */
import { USE_WAYPOINT_NAMESPACE, WAYPOINT_FOR, type WaypointProblem } from '../../model/waypoints';
import type { Words } from './words';

export function waypointProblemWords(problem: WaypointProblem): Words {
  const named = ({ namespace, name }: WaypointProblem['waypoint']): string => `${namespace}/${name}`;
  const waypoint = named(problem.waypoint);
  switch (problem.is) {
    case 'missing': {
      const [first] = problem.elsewhere;
      const there = first === undefined ? '' : `, but there is ${problem.elsewhere.map(named).join(', ')}`;
      return {
        what: `there is no waypoint ${waypoint}${there}`,
        fix:
          first === undefined
            ? `create the Gateway ${waypoint} of class istio-waypoint, or correct the label`
            : `add the label ${USE_WAYPOINT_NAMESPACE}: ${first.namespace}`,
      };
    }
    case 'not admitted':
      return {
        what: `Gateway ${waypoint} admits no namespace ${problem.namespace}`,
        fix: `let its HBONE listener admit ${problem.namespace} (allowedRoutes.namespaces)`,
      };
    case 'not for services':
      return {
        what: `Gateway ${waypoint} is for traffic "${problem.traffic}" (${WAYPOINT_FOR}), not for services`,
        fix: `label it ${WAYPOINT_FOR}: service, or all`,
      };
  }
}
