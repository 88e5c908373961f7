/** Problems with objects that reasons and notes are about: each is data of the reason, and its words are fields of that as well, for who reads no data. */
import type { BackendProblem } from '../../model/envoy-gateway-backends';
import type { Reason, ReasonKind, Reasons } from '../reasons';
import type { Words } from './words';

const WITHOUT_DOT = 'write a name with a dot, or the address under ip';

export function backendProblemWords(problem: BackendProblem): Words {
  switch (problem.is) {
    case 'names-and-addresses':
      return { what: 'it has names and addresses', fix: 'give the names a Backend of their own' };
    case 'name-without-dot':
      return { what: `${problem.name} is a name without a dot`, fix: WITHOUT_DOT };
    case 'address-as-name':
      return { what: `${problem.name} is an address, and no name`, fix: WITHOUT_DOT };
    case 'loopback':
      return { what: `${problem.address} is the proxy itself`, fix: 'write an address that leads out of the proxy' };
    case 'foreign-certificate':
      return {
        what: `its client certificate ${problem.secret} is in another namespace`,
        fix: `keep the Secret in namespace ${problem.own}`,
      };
  }
}

/** The problem of a reason, in words. */
const PROBLEMS: { readonly [kind in ReasonKind]?: (reason: Reasons[kind]) => Words } = {
  'backend-not-accepted': ({ problem }) => backendProblemWords(problem),
};

/** A reason with the words that are fields of it. */
export function spelled(reason: Reason): Reason {
  const words = (PROBLEMS[reason.kind] as ((fields: Reason) => Words) | undefined)?.(reason);
  return words === undefined ? reason : ({ ...reason, detail: words.what, cure: words.fix } as Reason);
}
