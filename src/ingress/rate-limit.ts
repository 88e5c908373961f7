import { Problem, quote } from '../core/problem';
import type { envoyGateway } from './envoy-gateway-bindings';

/** The time that a limit is counted over. */
export enum RateLimitUnit {
  /** A second. */
  SECOND = 'Second',
  /** A minute. */
  MINUTE = 'Minute',
  /** An hour. */
  HOUR = 'Hour',
  /** A day. */
  DAY = 'Day',
}

/** How many requests, of whom. */
export interface RateLimitRule {
  /** How many requests pass. The rest gets 429. */
  readonly requests: number;

  /** The time that they are counted over. */
  readonly unit: RateLimitUnit;

  /**
   * Headers and the values by which requests are chosen.
   *
   * @default all requests
   */
  readonly headers?: { [name: string]: string };

  /**
   * Headers of which each value is counted for itself, such as "x-user-id".
   *
   * @default all requests are counted together
   */
  readonly perHeader?: string[];

  /**
   * Addresses of clients, as a range such as "0.0.0.0/0".
   *
   * @default any
   */
  readonly clientRange?: string;

  /**
   * Whether each client address is counted for itself.
   *
   * @default false
   */
  readonly perClient?: boolean;
}

/**
 * A limit on requests, and where it is counted.
 *
 * @see https://gateway.envoyproxy.io/docs/concepts/rate-limiting/
 */
export class RateLimit {
  /**
   * Counted in each proxy by itself: with two proxies, twice as many pass.
   *
   * @param rules how many requests, of whom
   */
  public static local(rules: RateLimitRule[]): RateLimit {
    return new RateLimit('Local', rules);
  }

  /**
   * Counted for all proxies together, by the rate-limit service and its Redis. Needs a `rateLimitStore` of the Envoy Gateway; without one the
   * limit is silently absent.
   *
   * @param rules how many requests, of whom
   */
  public static global(rules: RateLimitRule[]): RateLimit {
    return new RateLimit('Global', rules);
  }

  private constructor(
    /** Local or Global. */
    public readonly type: string,
    private readonly rules: readonly RateLimitRule[],
  ) {}

  /** @internal */
  public _spec(): envoyGateway.BackendTrafficPolicySpecRateLimit {
    const rules = this.rules.map((rule) => ({
      clientSelectors: selectors(rule),
      limit: {
        requests: rule.requests,
        unit: rule.unit as string as envoyGateway.BackendTrafficPolicySpecRateLimitLocalRulesLimitUnit,
      },
    })) as envoyGateway.BackendTrafficPolicySpecRateLimitLocalRules[] &
      envoyGateway.BackendTrafficPolicySpecRateLimitGlobalRules[];
    const type = this.type as envoyGateway.BackendTrafficPolicySpecRateLimitType;
    return this.type === 'Local' ? { type, local: { rules } } : { type, global: { rules } };
  }

  /** @internal */
  public _problems(): Problem[] {
    if (!this.rules.length) {
      return [
        { what: 'a rate limit has no rule', why: 'nothing would be limited', fix: 'give it a rule, or leave it out' },
      ];
    }
    return this.rules.flatMap((rule) => {
      const problems: Problem[] = [];
      if (!Number.isInteger(rule.requests) || rule.requests < 0) {
        const what = `a rate limit of ${quote(rule.requests)} requests`;
        problems.push({ what, why: 'the API server refuses it', fix: 'use a whole number' });
      }
      if (this.type === 'Local' && rule.perClient && rule.clientRange === undefined) {
        const fix = 'give `clientRange`, such as "0.0.0.0/0"';
        problems.push({
          what: 'a limit for each client without a `clientRange`',
          why: 'no client would be chosen',
          fix,
        });
      }
      return problems;
    });
  }
}

function selectors(rule: RateLimitRule): unknown[] | undefined {
  const headers = [
    ...Object.entries(rule.headers ?? {}).map(([name, value]) => ({ name, type: 'Exact', value })),
    ...(rule.perHeader ?? []).map((name) => ({ name, type: 'Distinct' })),
  ];
  const range = rule.clientRange ?? (rule.perClient ? '0.0.0.0/0' : undefined);
  const sourceCidr = range === undefined ? undefined : { type: rule.perClient ? 'Distinct' : 'Exact', value: range };
  if (!headers.length && !sourceCidr) return undefined;
  return [{ headers: headers.length ? headers : undefined, sourceCidr }];
}
