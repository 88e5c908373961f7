/** Rules that istiod leaves out since it cannot put those of a delegate in their place. */
import type { Unmerged } from '../../model/virtual-services';
import type { Words } from './words';

/** Why istiod takes nothing of a delegate, and what mends it. */
export function unmergedWords({ rule, delegate, why, leaf }: Omit<Unmerged, 'matches'>): Words {
  const root = `${rule.kind} ${rule.namespace}/${rule.name}`;
  const name = `VirtualService ${delegate.namespace}/${delegate.name}`;
  const handed = `${root} hands its ${rule.rule} over to ${name}`;
  switch (why) {
    case 'missing':
      return {
        what: `${handed}, which is not there`,
        fix: `name a VirtualService that is there in the delegate of ${root}, or add ${name}, without hosts`,
      };
    case 'has hosts':
      return {
        what: `${handed}, which has hosts and so is none that can be handed requests`,
        fix: `take hosts and gateways off ${name}`,
      };
    case 'not exported':
      return {
        what: `${handed}, which is not exported to namespace ${rule.namespace}`,
        fix: `add "${rule.namespace}" to exportTo of ${name}`,
      };
    case 'not within':
      return {
        what: `${handed}, and the match of ${leaf?.rule ?? 'its rule'} there is not within that of the root: istiod leaves the rule out`,
        fix: `write matches in ${name} that are narrower than those of ${root}: the path that comes in, before any rewrite`,
      };
  }
}
