import * as networking from '../../imports/networking.istio.io';
import { Problem, quote } from '../core/problem';
import { Resolution } from './resolution';

/** @internal */
export type LocalitySetting = networking.DestinationRuleSpecTrafficPolicyLoadBalancerLocalityLbSetting;

/** Where traffic of one region goes once the addresses there fail. */
export interface RegionFailover {
  /** The region of the proxy, as its node's label `topology.kubernetes.io/region` has it. */
  readonly from: string;

  /** The region that is asked next, as the endpoints' `locality` has it. */
  readonly to: string;
}

/** How the traffic of the proxies in one place is shared out. */
export interface LocalityShare {
  /**
   * Where the proxies are: a region, "region/zone", "region/zone/sub-zone", or such with a star at its end.
   *
   * @default "*": everywhere
   */
  readonly from?: string;

  /** Percent by place, written as `from` is. They come to 100. */
  readonly to: { [locality: string]: number };
}

/**
 * Which of a service's addresses a proxy prefers, by where they are: the `locality` of the service's endpoints (`Resolution.static`, `Resolution.dns`) beside the
 * region and zone of the node that the proxy runs on.
 *
 * Who fails over has to notice failure: outlier detection is rendered with it, and may then leave out all addresses of a place.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/
 * @example
 * const upstream = { locality: LocalityPreference.failover({ from: 'eu-west', to: 'eu-north' }) };
 */
export class LocalityPreference {
  /** The nearest addresses that work: the proxy's own sub-zone, zone and region first, then any other. */
  public static nearest(): LocalityPreference {
    return new LocalityPreference({ enabled: true }, true);
  }

  /**
   * The nearest addresses, and when those of the proxy's region fail, those of the region named for it.
   *
   * @param regions pairs of regions, at least one
   */
  public static failover(...regions: RegionFailover[]): LocalityPreference {
    return new LocalityPreference({ enabled: true, failover: regions.map(({ from, to }) => ({ from, to })) }, true);
  }

  /**
   * Shares by place, whatever is near. Addresses that fail are left out only with `outlierDetection`.
   *
   * @param shares one for each place that proxies are in
   */
  public static shares(...shares: LocalityShare[]): LocalityPreference {
    const distribute = shares.map(({ from, to }) => ({ from: from ?? '*', to: { ...to } }));
    return new LocalityPreference({ enabled: true, distribute }, false);
  }

  private constructor(
    /** @internal */
    public readonly _setting: LocalitySetting,
    /**
     * Whether it does nothing without outlier detection: istiod gives addresses priorities only with it
     * (pilot/pkg/networking/core/loadbalancer/loadbalancer.go, `enableFailover`).
     *
     * @internal
     */
    public readonly _failsOver: boolean,
  ) {}

  /** @internal */
  public _problems(resolution: Resolution): Problem[] {
    return [...this.pairs(), ...this.percents(), ...nowhere(resolution)];
  }

  /** As pkg/config/validation/agent/validation.go, ValidateLocalityLbSetting, has it. */
  private pairs(): Problem[] {
    const { failover } = this._setting;
    if (failover && !failover.length)
      return [
        {
          what: 'upstream.locality fails over to no region',
          why: 'no pair of regions was given',
          fix: 'give LocalityPreference.failover at least one pair, or use LocalityPreference.nearest()',
        },
      ];
    return (failover ?? []).flatMap(({ from = '', to = '' }): Problem[] => {
      const bad = [from, to].find((region) => region === '' || /[/*]/.test(region));
      if (bad !== undefined)
        return [
          {
            what: `upstream.locality fails over by ${quote(bad)}`,
            why: 'istiod takes regions alone here, with no zone and no star',
            fix: 'name a region, such as "eu-west"',
          },
        ];
      if (from !== to) return [];
      return [
        {
          what: `upstream.locality fails over from ${quote(from)} to itself`,
          why: "Istio's webhook refuses it",
          fix: 'name another region',
        },
      ];
    });
  }

  private percents(): Problem[] {
    return (this._setting.distribute ?? []).flatMap(({ from = '', to = {} }) => {
      const values = Object.values(to);
      const sum = values.reduce((a, b) => a + b, 0);
      if (sum === 100 && values.every((value) => Number.isInteger(value) && value >= 1)) return [];
      return [
        {
          what: `the shares of upstream.locality from ${quote(from)} are ${values.join(' and ') || 'none'}`,
          why: "Istio's webhook takes whole percents from 1 that come to 100",
          fix: 'write such shares; a place that gets nothing is left out',
        },
      ];
    });
  }
}

function nowhere(resolution: Resolution): Problem[] {
  if (resolution._hasLocalities) return [];
  return [
    {
      what: 'upstream.locality of a service whose addresses have no `locality`',
      why: 'all would be equally near, and nothing preferred',
      fix: "give the service's endpoints theirs: Resolution.static({ address, locality: 'eu-west/eu-west-1a' }, ...)",
    },
  ];
}
