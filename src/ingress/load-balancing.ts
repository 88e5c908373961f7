import { Duration } from 'cdk8s';
import * as networking from '../../imports/networking.istio.io';
import { Problem, quote } from '../core/problem';
import { istioDuration } from '../mesh/istio-duration';

const Simple = networking.DestinationRuleSpecTrafficPolicyLoadBalancerSimple;
type Balancer = networking.DestinationRuleSpecTrafficPolicyLoadBalancer;

/**
 * Which Pod gets the next request. What goes by header, cookie or address is kept as long as the set of Pods is the same: it is for caches, and no place for
 * sessions that may not be lost.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings
 */
export class LoadBalancing {
  /** The one of two picked by chance that has fewer requests under way. This is Istio's own. */
  public static leastRequest(): LoadBalancing {
    return new LoadBalancing({ simple: Simple.LEAST_UNDERSCORE_REQUEST });
  }

  /** One after the other. */
  public static roundRobin(): LoadBalancing {
    return new LoadBalancing({ simple: Simple.ROUND_UNDERSCORE_ROBIN });
  }

  /** Any Pod, by chance. */
  public static random(): LoadBalancing {
    return new LoadBalancing({ simple: Simple.RANDOM });
  }

  /**
   * The same for requests with the same value of a header. Requests without it go to any.
   *
   * @param name the header
   */
  public static byHeader(name: string): LoadBalancing {
    return new LoadBalancing({ consistentHash: { httpHeaderName: name } }, name);
  }

  /**
   * The same for requests with the same value of a cookie, which the proxy sets where it is missing.
   *
   * @param name the cookie
   * @param lifetime how long browsers keep it
   */
  public static byCookie(name: string, lifetime: Duration): LoadBalancing {
    return new LoadBalancing({ consistentHash: { httpCookie: { name, ttl: istioDuration(lifetime) } } }, name);
  }

  /** The same for what comes from the same address, as the proxy that sends it on knows it. */
  public static bySourceAddress(): LoadBalancing {
    return new LoadBalancing({ consistentHash: { useSourceIp: true } });
  }

  private constructor(
    private readonly balancer: Balancer,
    private readonly named?: string,
  ) {}

  /** @internal */
  public _spec(): Balancer {
    return { ...this.balancer };
  }

  /** @internal */
  public _problems(): Problem[] {
    if (this.named === undefined || /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(this.named)) return [];
    const why = 'that is no name of a header or cookie, and requests would go to any Pod';
    return [{ what: `loadBalancing by ${quote(this.named)}`, why, fix: 'write such as "x-session"' }];
  }
}
