import type { EgressLockdown } from './egress-lockdown';
import type { EgressTrafficPolicy } from './egress-traffic-policy';

/**
 * The lockdown of a gateway, which holds all its policies that name none of their own, whichever was made first.
 *
 * @internal
 */
export class GatewayLockdown {
  private lockdown?: EgressLockdown;
  private readonly waiting: EgressTrafficPolicy[] = [];

  /** The first one counts: another one of the gateway holds those policies alone that name it. */
  public lockBy(lockdown: EgressLockdown): void {
    if (this.lockdown) return;
    this.lockdown = lockdown;
    for (const policy of this.waiting.splice(0)) policy._holdBy(lockdown);
  }

  public hold(policy: EgressTrafficPolicy): void {
    if (this.lockdown) policy._holdBy(this.lockdown);
    else this.waiting.push(policy);
  }
}
