/** Why requests cannot be followed, in words. */
import { whoLeavesOut } from '../../model/left-out';
import type { RequestProblem } from '../request-problems';
import { firstOf, named } from './words';

const FORMS = 'write http://host/path, https://host/path, tls://host:port or tcp://address:port';

export function requestProblemText(problem: RequestProblem): string {
  switch (problem.is) {
    case 'no-request':
      return `"${problem.given}" is no request: ${FORMS}`;
    case 'no-port':
      return `"${problem.given}" names no port: ${FORMS}`;
    case 'no-such-port':
      return `port ${problem.port} of "${problem.given}" is not between 1 and 65535`;
    case 'no-address':
      return `address "${problem.given}" is not an IP`;
    case 'not-from-outside':
      return `a request enters at a gateway only from "outside", not from "${problem.from}"`;
    case 'no-client':
      return `client "${problem.given}" is not NAMESPACE, NAMESPACE/WORKLOAD, or "outside"`;
    case 'no-gateway-named':
      return 'a request from "outside" needs --at NAMESPACE/GATEWAY';
    case 'foreign-controller':
      return `${named(problem.gateway)} is of class "${problem.className}", whose controller is neither Istio's nor Envoy Gateway's`;
    case 'gateway-left-out':
      return `${named(problem.gateway)} is not followed: ${whoLeavesOut(problem)}, since ${problem.why}`;
    case 'no-such-gateway': {
      const { gateway, known } = problem;
      return `there is no gateway ${gateway}: ${known.length === 0 ? 'the manifests have none' : `there are ${firstOf(known)}`}`;
    }
    case 'gateway-without-pods':
      return `nothing runs ${named(problem.gateway)}`;
  }
}
