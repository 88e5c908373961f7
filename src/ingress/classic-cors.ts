import { Duration } from 'cdk8s';
import * as networking from '../../imports/networking.istio.io';
import { Problem, quote } from '../core/problem';
import { istioDuration } from '../mesh/istio-duration';

/** Pages of which origins: scheme, host and port, as browsers send them (`Origin`). */
export class CorsOrigin {
  /** Any origin. Excludes credentials. */
  public static any(): CorsOrigin {
    return new CorsOrigin({ exact: '*' });
  }

  /**
   * One origin.
   *
   * @param origin the whole of it, without a path, such as "https://shop.example.com"
   */
  public static exact(origin: string): CorsOrigin {
    return new CorsOrigin({ exact: origin });
  }

  /**
   * Origins that begin so, letter by letter: "https://shop.example.com" takes in "https://shop.example.com.attacker.net", and so excludes credentials
   * unless the host is at its end, as in "https://shop.example.com:".
   *
   * @param beginning the beginning
   */
  public static prefix(beginning: string): CorsOrigin {
    return new CorsOrigin({ prefix: beginning });
  }

  /**
   * Origins that match a regular expression (RE2) as a whole, such as "https://[a-z0-9-]+\\.example\\.com".
   *
   * @param expression the expression
   */
  public static regex(expression: string): CorsOrigin {
    return new CorsOrigin({ regex: expression });
  }

  private constructor(private readonly match: networking.VirtualServiceSpecHttpCorsPolicyAllowOrigins) {}

  /** @internal */
  public _spec(): networking.VirtualServiceSpecHttpCorsPolicyAllowOrigins {
    return { ...this.match };
  }

  /** @internal */
  public _problems(credentials: boolean): Problem[] {
    const { exact, prefix, regex } = this.match;
    const written = exact ?? prefix ?? regex ?? '';
    if (written === '')
      return [
        { what: 'cors for an empty origin', why: 'istiod refuses the whole VirtualService', fix: 'write the origin' },
      ];
    const isOrigin = exact === '*' || exact === 'null' || /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/.test(exact ?? '');
    if (exact !== undefined && !isOrigin)
      return [
        {
          what: `cors for origin ${quote(exact)}`,
          why: 'browsers send scheme, host and port alone, and no origin is so',
          fix: 'write such as "https://shop.example.com", or use CorsOrigin.regex()',
        },
      ];
    const isOpen =
      exact === '*' || /^[.][*+]$/.test(regex ?? '') || (prefix !== undefined && !/:\/\/[^/]+:\d*$/.test(prefix));
    if (!credentials || !isOpen) return [];
    return [
      {
        what: `cors with credentials for ${exact === '*' ? 'any origin' : `origins such as ${quote(written)}`}`,
        why: 'pages of hosts that anybody registers could read, as who opens them, what they may read',
        fix: 'name the origins with CorsOrigin.exact(), or leave out `allowCredentials`',
      },
    ];
  }
}

/**
 * Which pages of other origins may call. The proxy answers the question that browsers ask first (preflight) by itself, before it asks the route.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/virtual-service/#CorsPolicy
 */
export interface ClassicCors {
  /** The origins. */
  readonly allowOrigins: CorsOrigin[];

  /**
   * The methods in capitals, or "*" for any.
   *
   * @default those that browsers need no leave for: GET, HEAD and POST
   */
  readonly allowMethods?: string[];

  /**
   * The headers that a page may send.
   *
   * @default those that browsers need no leave for
   */
  readonly allowHeaders?: string[];

  /**
   * The headers of answers that a page may read.
   *
   * @default those that browsers need no leave for
   */
  readonly exposeHeaders?: string[];

  /**
   * Whether cookies and passwords go along. Excludes origins that anybody may have.
   *
   * @default false
   */
  readonly allowCredentials?: boolean;

  /**
   * How long a browser may remember the answer: whole seconds, at least one.
   *
   * @default the browser's own: 5 seconds
   */
  readonly maxAge?: Duration;

  /**
   * Whether questions from other origins get an answer without leave from the proxy, in place of going on to the destinations.
   *
   * @default Istio's own: they go on (`FORWARD`)
   */
  readonly answerUnmatchedPreflights?: boolean;
}

/** What the route says of it. */
export function classicCors(cors: ClassicCors): networking.VirtualServiceSpecHttpCorsPolicy {
  const { allowOrigins, allowMethods, allowHeaders, exposeHeaders, allowCredentials, maxAge } = cors;
  const { FORWARD, IGNORE } = networking.VirtualServiceSpecHttpCorsPolicyUnmatchedPreflights;
  const others = cors.answerUnmatchedPreflights;
  return {
    allowOrigins: allowOrigins.map((origin) => origin._spec()),
    allowMethods: allowMethods && [...allowMethods],
    allowHeaders: allowHeaders && [...allowHeaders],
    exposeHeaders: exposeHeaders && [...exposeHeaders],
    allowCredentials,
    maxAge: istioDuration(maxAge),
    unmatchedPreflights: others === undefined ? undefined : others ? IGNORE : FORWARD,
  };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', '*'];

/** What browsers, or istiod, would refuse. */
export function classicCorsProblems(cors: ClassicCors): Problem[] {
  const { allowOrigins, allowMethods = [], allowHeaders = [], exposeHeaders = [], allowCredentials, maxAge } = cors;
  const refused = 'istiod refuses the whole VirtualService';
  const problems = allowOrigins.flatMap((origin) => origin._problems(allowCredentials === true));
  if (!allowOrigins.length)
    problems.push({
      what: 'cors without an origin',
      why: 'browsers would let no page call',
      fix: 'give `allowOrigins`',
    });
  for (const method of allowMethods.filter((one) => !METHODS.includes(one)))
    problems.push({ what: `cors for method ${quote(method)}`, why: refused, fix: `use ${METHODS.join(', ')}` });
  for (const name of [...allowHeaders, ...exposeHeaders].filter((one) => !/^[-_*A-Za-z0-9]+$/.test(one)))
    problems.push({ what: `cors for header ${quote(name)}`, why: refused, fix: 'write names such as "x-request-id"' });
  if (maxAge && (maxAge.toMilliseconds() < 1000 || maxAge.toMilliseconds() % 1000 !== 0))
    problems.push({
      what: 'maxAge of cors is no whole number of seconds',
      why: refused,
      fix: 'leave it out, or use Duration.seconds(1) or more',
    });
  return problems;
}
