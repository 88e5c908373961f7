import { Duration } from 'cdk8s';
import * as networking from '../../imports/networking.istio.io';
import { HeaderChanges } from '../core/header-changes';
import { Problem, quote } from '../core/problem';
import type { NamedNamespace } from '../mesh/namespace-names';
import { istioDuration } from '../mesh/istio-duration';
import { Resolution } from './resolution';
import { EgressRateLimit, EgressTlsVersions, filterProblems, limitedRoute } from './upstream-filter';
import { LocalityPreference } from './upstream-locality';
import { FaultInjection, RequestMirror, treatment, treatmentProblems } from './upstream-requests';

/** What istiod's validation takes as `retryOn`, beside status codes (pkg/config/validation/validation.go). */
const RETRY_ON = new Set([
  ...['5xx', 'gateway-error', 'reset', 'reset-before-request', 'connect-failure', 'retriable-4xx', 'refused-stream'],
  ...['retriable-status-codes', 'retriable-headers', 'envoy-ratelimited', 'http3-post-connect-failure'],
  ...['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable'],
]);

/** How often, when and for how long a failed request is sent once more. */
export interface EgressRetries {
  /**
   * How many times more at most. 0 sends nothing twice.
   *
   * @default 2
   */
  readonly attempts?: number;

  /**
   * What is retried, in Envoy's words ("connect-failure", "5xx", "gateway-error", "reset") or as status codes ("503"). Whatever the site may have
   * seen is sent once more with most of them: mind requests that may not happen twice.
   *
   * @default ["connect-failure", "refused-stream"]: only what never reached the site
   */
  readonly on?: string[];

  /**
   * The longest that one attempt may take. At least a millisecond.
   *
   * @default as long as the whole request
   */
  readonly perTryTimeout?: Duration;
}

/**
 * How many connections and requests one proxy has with the service at a time. Envoy counts for each host and port, in each proxy by itself; what is over the
 * limit is answered with 503 (flag UO) at once.
 */
export interface ConnectionLimits {
  /**
   * Connections at a time. For TCP and for TLS that is passed through it limits clients; HTTP shares connections.
   *
   * @default Istio's own, in effect none
   */
  readonly maxConnections?: number;

  /**
   * HTTP requests that wait for a connection.
   *
   * @default Istio's own, in effect none
   */
  readonly maxPendingRequests?: number;

  /**
   * HTTP requests at a time.
   *
   * @default Istio's own, in effect none
   */
  readonly maxRequests?: number;

  /**
   * HTTP requests on one connection before it is closed. 1 turns keep-alive off.
   *
   * @default unlimited
   */
  readonly maxRequestsPerConnection?: number;

  /**
   * The longest that a connection may take to come about. At least a millisecond.
   *
   * @default 10 seconds
   */
  readonly connectTimeout?: Duration;

  /**
   * How long a connection that carries nothing is kept.
   *
   * @default 1 hour
   */
  readonly idleTimeout?: Duration;
}

/** When an address of the service is left out for a while, because it fails. A service of one address is left with none: requests get 503 (flag UH). */
export interface OutlierDetection {
  /**
   * How many answers 502, 503 or 504, or failed connections, in a row have an address left out. TCP and TLS count failed connections.
   *
   * @default 5
   */
  readonly consecutiveGatewayErrors?: number;

  /**
   * How often addresses are looked at.
   *
   * @default 10 seconds
   */
  readonly interval?: Duration;

  /**
   * How long an address is left out, for the first time. Each further time it is so much longer.
   *
   * @default 30 seconds
   */
  readonly baseEjectionTime?: Duration;

  /**
   * The share of addresses that may be left out at once, in percent.
   *
   * @default 10, and at least one address; 100 where a `locality` fails over
   */
  readonly maxEjectionPercent?: number;
}

/**
 * How the last proxy in the mesh (the egress gateway, else the sidecar) treats an external service: how long it waits, what it tries again, how much it asks at
 * a time, which addresses it prefers. What is about requests is for HTTP that this proxy reads, plain or with TLS that it originates; `connections`, `outlierDetection` and `locality` hold for TLS that is
 * passed through and for TCP too.
 *
 * It is rendered where Istio applies it: what is about requests on the route of that proxy, the rest as a DestinationRule beside it. TLS versions and rate limits, for which Istio has no field, become an
 * EnvoyFilter for that proxy alone. The sidecar in front of a gateway has no timeout and retries only what never left it, so that attempts do not multiply.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/destination-rule/#ConnectionPoolSettings
 * @example
 * const upstream = {
 *   timeout: Duration.seconds(5),
 *   retries: { attempts: 2, on: ['connect-failure', '503'] },
 *   rateLimit: { requests: 100 },
 *   requestHeaders: { set: { 'x-source': 'mesh' }, remove: ['x-internal-user'] },
 *   tls: { minVersion: TlsVersion.V1_3 },
 * };
 */
export interface UpstreamSettings {
  /**
   * The longest that a request may take, with all its attempts. What takes longer is answered with 504 (flag UT). At least a millisecond.
   *
   * @default no limit
   */
  readonly timeout?: Duration;

  /**
   * What is tried again.
   *
   * @default as the construct says: Istio's own retries, or with an EgressTrafficPolicy only what never reached the site
   */
  readonly retries?: EgressRetries;

  /**
   * How many connections and requests at a time.
   *
   * @default Istio's own
   */
  readonly connections?: ConnectionLimits;

  /**
   * When an address of the service is left out because it fails. Without it, Istio neither fails over between localities nor skips a dead address.
   *
   * @default never
   */
  readonly outlierDetection?: OutlierDetection;

  /**
   * Whether HTTP goes to the service as HTTP/2. The service has to speak it, behind TLS by ALPN or in plain text with prior knowledge: else requests fail with 503 or 502.
   *
   * @default false: as the client sends it
   */
  readonly http2?: boolean;

  /**
   * Which addresses of the service are preferred, by where they are. The service's endpoints need a `locality`.
   *
   * @default all alike
   */
  readonly locality?: LocalityPreference;

  /**
   * Which versions of TLS the proxy speaks where it originates it. Rendered as an EnvoyFilter.
   *
   * @default 1.2 and 1.3, as Istio does
   */
  readonly tls?: EgressTlsVersions;

  /**
   * What is done to the headers of requests before they leave.
   *
   * @default nothing
   */
  readonly requestHeaders?: HeaderChanges;

  /**
   * What is done to the headers of answers.
   *
   * @default nothing
   */
  readonly responseHeaders?: HeaderChanges;

  /**
   * Who gets copies of requests. Several need Istio 1.18 or newer.
   *
   * @default nobody
   */
  readonly mirrors?: RequestMirror[];

  /**
   * Failures that the proxy makes up, to try how callers bear them.
   *
   * @default none
   */
  readonly fault?: FaultInjection;

  /**
   * How many requests in a time, counted in each proxy by itself. What is more gets 429. Rendered as an EnvoyFilter.
   *
   * @default any number
   */
  readonly rateLimit?: EgressRateLimit;
}

/** @internal */
export type TrafficPolicy = Pick<
  networking.DestinationRuleSpecTrafficPolicy,
  'connectionPool' | 'outlierDetection' | 'loadBalancer'
>;

/** What a DestinationRule says of the settings; undefined where they need none. */
export function trafficPolicy(settings: UpstreamSettings | undefined): TrafficPolicy | undefined {
  if (!settings) return undefined;
  const { connections: limits = {}, http2, locality } = settings;
  const outliers = settings.outlierDetection ?? (locality?._failsOver ? {} : undefined);
  const upgrade = networking.DestinationRuleSpecTrafficPolicyConnectionPoolHttpH2UpgradePolicy.UPGRADE;
  const http = present({
    h2UpgradePolicy: http2 ? upgrade : undefined,
    http1MaxPendingRequests: limits.maxPendingRequests,
    http2MaxRequests: limits.maxRequests,
    maxRequestsPerConnection: limits.maxRequestsPerConnection,
    idleTimeout: istioDuration(limits.idleTimeout),
  });
  const tcp = present({
    maxConnections: limits.maxConnections,
    connectTimeout: istioDuration(limits.connectTimeout),
    idleTimeout: istioDuration(limits.idleTimeout),
  });
  return present({
    ...(locality && {
      loadBalancer: {
        simple: networking.DestinationRuleSpecTrafficPolicyLoadBalancerSimple.ROUND_UNDERSCORE_ROBIN,
        localityLbSetting: locality._setting,
      },
    }),
    connectionPool: present({ http, tcp }),
    outlierDetection: outliers && {
      consecutiveGatewayErrors: outliers.consecutiveGatewayErrors ?? 5,
      // Istio counts any 5xx besides: an answer 500 is the site's own, and no address fails for it.
      consecutive5XxErrors: 0,
      interval: istioDuration(outliers.interval),
      baseEjectionTime: istioDuration(outliers.baseEjectionTime),
      maxEjectionPercent: outliers.maxEjectionPercent ?? (locality?._failsOver ? 100 : undefined),
    },
  });
}

/** What the route of a host says of the settings. */
export function routeSettings(
  settings: UpstreamSettings | undefined,
  host: string,
): Pick<networking.VirtualServiceSpecHttp, 'name' | 'timeout' | 'retries' | 'headers' | 'mirrors' | 'fault'> {
  if (!settings) return {};
  const { timeout, retries, rateLimit } = settings;
  return {
    ...(rateLimit && { name: limitedRoute(host) }),
    ...(timeout && { timeout: istioDuration(timeout) }),
    ...(retries && { retries: retriesOf(retries, UNSEEN) }),
    ...treatment(settings),
  };
}

/** What never reached the site. */
const UNSEEN = ['connect-failure', 'refused-stream'];

/** @internal `usual`: what is retried where nothing is said; Istio's own list without it. */
export function retriesOf(
  { attempts = 2, on, perTryTimeout }: EgressRetries,
  usual?: readonly string[],
): networking.VirtualServiceSpecHttpRetries {
  if (attempts === 0) return { attempts };
  return {
    attempts,
    retryOn: (on ?? usual)?.join(','),
    perTryTimeout: istioDuration(perTryTimeout),
  };
}

function present<T extends object>(value: T): T | undefined {
  return Object.values(value).some((one) => one !== undefined) ? value : undefined;
}

/** Tells settings apart: two with one key mean the same. */
export function upstreamKey(settings: UpstreamSettings | undefined): string {
  return JSON.stringify([trafficPolicy(settings), routeSettings(settings, ''), settings?.rateLimit, settings?.tls]);
}

/** Shows the targets of mirrors to the proxies that send the copies. */
export function showMirrors(settings: UpstreamSettings | undefined, namespaces: readonly string[]): void {
  for (const { to } of settings?.mirrors ?? []) to._showTo(namespaces);
}

/** The namespaces that mirrors name. */
export function mirrorsNamed(settings: UpstreamSettings | undefined): NamedNamespace[] {
  return (settings?.mirrors ?? []).flatMap(({ to }) => to._named());
}

/** What the last proxy does with a service. */
export interface Upstream {
  readonly settings: UpstreamSettings | undefined;
  readonly resolution: Resolution;
  /** Whether it reads HTTP. */
  readonly readsHttp: boolean;
  /** Whether it makes TLS. */
  readonly originates: boolean;
}

/** What can't be asked, of a service that the last proxy treats so. */
export function upstreamProblems({ settings, resolution, readsHttp, originates }: Upstream): Problem[] {
  if (!settings) return [];
  return [
    ...nothingSaid(settings),
    ...httpOnly(settings, readsHttp),
    ...outOfRange(settings),
    ...tooShort(settings),
    ...treatmentProblems(settings),
    ...filterProblems(settings),
    ...(settings.locality?._problems(resolution) ?? []),
    ...versionsOfNothing(settings, originates),
  ];
}

function nothingSaid(settings: UpstreamSettings): Problem[] {
  if (trafficPolicy(settings) || Object.keys(routeSettings(settings, '')).length || settings.tls) return [];
  return [
    {
      what: '`upstream` says nothing',
      why: 'no proxy would do anything else than without it',
      fix: 'leave it out, or name a timeout, retries, connections, outlierDetection or http2',
    },
  ];
}

function versionsOfNothing({ tls }: UpstreamSettings, originates: boolean): Problem[] {
  if (!tls || originates) return [];
  return [
    {
      what: 'upstream.tls where no TLS is originated',
      why: 'the proxy passes on what the application speaks, and has no say in its versions',
      fix: 'give `http: HttpEgress.originateTls()`, or leave it out',
    },
  ];
}

function httpOnly(settings: UpstreamSettings, readsHttp: boolean): Problem[] {
  if (readsHttp) return [];
  const { timeout, retries, http2, connections } = settings;
  const { requestHeaders, responseHeaders, mirrors, fault, rateLimit } = settings;
  const said = Object.entries({
    timeout,
    retries,
    http2: http2 || undefined,
    requestHeaders,
    responseHeaders,
    mirrors,
    fault,
    rateLimit,
    'connections.maxPendingRequests': connections?.maxPendingRequests,
    'connections.maxRequests': connections?.maxRequests,
    'connections.maxRequestsPerConnection': connections?.maxRequestsPerConnection,
  }).filter(([, value]) => value !== undefined);
  return said.map(([name]) => ({
    what: `upstream.${name} of a service without plain HTTP`,
    why: 'the proxy passes TLS and TCP on unread, and knows no request in it',
    fix: `leave it out (connections, outlierDetection and locality work for TLS and TCP), or declare ExternalPort.http(80, { targetPort: 443 }) with HttpEgress.originateTls()`,
  }));
}

function outOfRange({ retries, connections, outlierDetection }: UpstreamSettings): Problem[] {
  const whole: Array<[string, number | undefined, number, number]> = [
    ['retries.attempts', retries?.attempts, 0, 100],
    ['connections.maxConnections', connections?.maxConnections, 1, 2 ** 31 - 1],
    ['connections.maxPendingRequests', connections?.maxPendingRequests, 1, 2 ** 31 - 1],
    ['connections.maxRequests', connections?.maxRequests, 1, 2 ** 31 - 1],
    ['connections.maxRequestsPerConnection', connections?.maxRequestsPerConnection, 1, 2 ** 29],
    ['outlierDetection.consecutiveGatewayErrors', outlierDetection?.consecutiveGatewayErrors, 1, 2 ** 31 - 1],
    ['outlierDetection.maxEjectionPercent', outlierDetection?.maxEjectionPercent, 1, 100],
  ];
  const problems = whole
    .filter(
      ([, value, least, most]) => value !== undefined && !(Number.isInteger(value) && value >= least && value <= most),
    )
    .map(([name, value, least, most]) => ({
      what: `upstream.${name} is ${value}`,
      why: `it is a whole number from ${least} to ${most}`,
      fix: 'write such a number, or leave it out',
    }));
  for (const word of (retries?.on ?? []).filter((one) => !RETRY_ON.has(one) && !/^[1-5]\d\d$/.test(one)))
    problems.push({
      what: `upstream.retries.on has ${quote(word)}`,
      why: 'istiod refuses what is neither a condition of Envoy nor a status code',
      fix: 'write words such as "connect-failure", "reset", "5xx", "gateway-error" or "503"',
    });
  return problems;
}

function tooShort({ timeout, retries, connections, outlierDetection, fault }: UpstreamSettings): Problem[] {
  const durations = Object.entries({
    timeout,
    'retries.perTryTimeout': retries?.perTryTimeout,
    'connections.connectTimeout': connections?.connectTimeout,
    'connections.idleTimeout': connections?.idleTimeout,
    'outlierDetection.interval': outlierDetection?.interval,
    'outlierDetection.baseEjectionTime': outlierDetection?.baseEjectionTime,
    'fault.delay': fault?.delay,
  });
  const problems = durations
    .filter(([, duration]) => duration && duration.toMilliseconds() < 1)
    .map(([name]) => ({
      what: `upstream.${name} is 0`,
      why: 'Istio takes durations of a millisecond and more',
      fix: 'write a longer one, or leave it out',
    }));
  const perTry = retries?.perTryTimeout?.toMilliseconds();
  if (timeout && perTry !== undefined && perTry > timeout.toMilliseconds())
    problems.push({
      what: 'upstream.retries.perTryTimeout is longer than upstream.timeout',
      why: 'the request ends before an attempt may',
      fix: 'write a shorter one, or leave it out',
    });
  return problems;
}
