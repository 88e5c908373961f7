import { ClusterLockdownInput, calico, cilium } from './cluster-lockdown-spec';

/**
 * A policy of the network plugin for every namespace at once, those that do not exist yet included. NetworkPolicies can't say that: each is about
 * one namespace, and nothing in them says no.
 */
export class ClusterLockdown {
  /**
   * By Cilium: a CiliumClusterwideNetworkPolicy that denies what is outside the cluster. A denial wins over every other policy.
   *
   * @see https://docs.cilium.io/en/stable/security/policy/language/#deny-policies
   */
  public static cilium(): ClusterLockdown {
    return new ClusterLockdown('cilium');
  }

  /**
   * By Calico: a GlobalNetworkPolicy that denies what is outside the cluster's ranges, and comes before NetworkPolicies.
   *
   * @see https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy
   */
  public static calico(): ClusterLockdown {
    return new ClusterLockdown('calico');
  }

  private constructor(
    /** The network plugin: "cilium" or "calico". */
    public readonly plugin: string,
  ) {}

  /** @internal */
  public get _kind(): { apiVersion: string; kind: string } {
    return this.plugin === 'cilium'
      ? { apiVersion: 'cilium.io/v2', kind: 'CiliumClusterwideNetworkPolicy' }
      : { apiVersion: 'projectcalico.org/v3', kind: 'GlobalNetworkPolicy' };
  }

  /** @internal */
  public _spec(input: ClusterLockdownInput): { [key: string]: unknown } {
    return this.plugin === 'cilium' ? cilium(input) : calico(input);
  }
}
