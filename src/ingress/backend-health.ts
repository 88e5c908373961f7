import { Duration } from 'cdk8s';
import { Problem, quote } from '../core/problem';
import type { envoyGateway } from './envoy-gateway-bindings';
import { gatewayDuration } from './durations';

/**
 * Which of a Service's Pods a client comes back to.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/traffic/load-balancing/
 */
export class StickySessions {
  /**
   * The one that a cookie names. Envoy makes the cookie where the client brings none.
   *
   * @param name the name of the cookie
   * @param lifetime how long it is kept; left out, as long as the browser is open
   */
  public static cookie(name: string, lifetime?: Duration): StickySessions {
    return new StickySessions({
      type: 'Cookie',
      cookie: { name, ttl: gatewayDuration(lifetime ?? Duration.millis(0)) },
    });
  }

  /**
   * The one that the value of a header leads to.
   *
   * @param name the name of the header
   */
  public static header(name: string): StickySessions {
    return new StickySessions({ type: 'Header', header: { name } });
  }

  /** The one that the client's address leads to. */
  public static sourceIp(): StickySessions {
    return new StickySessions({ type: 'SourceIP' });
  }

  private constructor(private readonly hash: { readonly [key: string]: unknown }) {}

  /** @internal */
  public _spec(): envoyGateway.BackendTrafficPolicySpecLoadBalancer {
    return {
      type: 'ConsistentHash' as envoyGateway.BackendTrafficPolicySpecLoadBalancerType,
      consistentHash: this.hash as unknown as envoyGateway.BackendTrafficPolicySpecLoadBalancerConsistentHash,
    };
  }
}

/** How Pods that fail are found: by what they answer (passive). */
export interface PassiveHealthCheck {
  /**
   * How many answers of 5xx in a row have a Pod left out.
   *
   * @default 5
   */
  readonly consecutive5xxErrors?: number;

  /**
   * How many answers of 502, 503 or 504 in a row have a Pod left out.
   *
   * @default not counted apart
   */
  readonly consecutiveGatewayErrors?: number;

  /**
   * How often Pods are looked at.
   *
   * @default 3 seconds
   */
  readonly interval?: Duration;

  /**
   * How long a Pod is left out, for the first time.
   *
   * @default 30 seconds
   */
  readonly baseEjectionTime?: Duration;

  /**
   * The share of Pods that may be left out at once, in percent.
   *
   * @default 10
   */
  readonly maxEjectionPercent?: number;
}

/** How Pods that fail are found: by asking them (active), by HTTP where `path` is said, else by opening a connection. */
export interface ActiveHealthCheck {
  /**
   * The path that is asked for, such as "/healthz".
   *
   * @default none: a TCP connection is opened
   */
  readonly path?: string;

  /**
   * The statuses of a Pod that is well.
   *
   * @default 200
   */
  readonly expectedStatuses?: number[];

  /**
   * The Host that is asked for.
   *
   * @default the route's
   */
  readonly hostname?: string;

  /**
   * How often.
   *
   * @default 3 seconds
   */
  readonly interval?: Duration;

  /**
   * How long an answer may take.
   *
   * @default 1 second
   */
  readonly timeout?: Duration;

  /**
   * How many failures in a row have a Pod left out.
   *
   * @default 3
   */
  readonly unhealthyThreshold?: number;

  /**
   * How many answers in a row take it back.
   *
   * @default 1
   */
  readonly healthyThreshold?: number;
}

/** What clients see in place of some answers. */
export interface ErrorPage {
  /** The statuses that it is for: single ones ("503") or ranges ("500-599"), of the backend or of the proxy. */
  readonly statuses: string[];

  /** Its text, at most 4096 bytes, or the ConfigMap that has it. */
  readonly body: ErrorPageBody;

  /**
   * What kind of text it is.
   *
   * @default "text/html"
   */
  readonly contentType?: string;

  /**
   * The status that clients get in place of the answer's own.
   *
   * @default the answer's own
   */
  readonly status?: number;
}

/** The text of an error page. */
export class ErrorPageBody {
  /**
   * The text itself.
   *
   * @param text at most 4096 bytes
   */
  public static inline(text: string): ErrorPageBody {
    return new ErrorPageBody(text);
  }

  /**
   * A ConfigMap in the namespace of the policy, with the text under the key `response.body`.
   *
   * @param name its name
   */
  public static configMap(name: string): ErrorPageBody {
    return new ErrorPageBody(undefined, name);
  }

  private constructor(
    /** The text, where it is here. */
    public readonly text?: string,
    /** The ConfigMap, where it is there. */
    public readonly configMapName?: string,
  ) {}
}

/** An algorithm by which answers are made smaller. */
export enum Compression {
  /** Of most browsers. */
  BROTLI = 'Brotli',
  /** Of all clients. */
  GZIP = 'Gzip',
  /** Of newer clients. */
  ZSTD = 'Zstd',
}

/** What is said of backends, as far as this file knows it. */
export interface BackendHealth {
  readonly stickySessions?: StickySessions;
  readonly passiveHealthCheck?: PassiveHealthCheck;
  readonly activeHealthCheck?: ActiveHealthCheck;
  readonly errorPages?: ErrorPage[];
  readonly compression?: Compression[];
}

type Spec = Pick<
  envoyGateway.BackendTrafficPolicySpec,
  'loadBalancer' | 'healthCheck' | 'responseOverride' | 'compressor'
>;

/** @internal */
export function backendHealthSpec(props: BackendHealth): Spec {
  const { passiveHealthCheck: passive, activeHealthCheck: active, errorPages, compression } = props;
  return {
    loadBalancer: props.stickySessions?._spec(),
    healthCheck:
      passive || active
        ? { passive: passive && passiveSpec(passive), active: active && activeSpec(active) }
        : undefined,
    responseOverride: errorPages?.length ? errorPages.map(pageSpec) : undefined,
    compressor: compression?.length
      ? compression.map((type) => ({
          type: type as string as envoyGateway.BackendTrafficPolicySpecCompressorType,
          [type.toLowerCase()]: {},
        }))
      : undefined,
  };
}

function passiveSpec(check: PassiveHealthCheck): envoyGateway.BackendTrafficPolicySpecHealthCheckPassive {
  return {
    consecutive5XxErrors: check.consecutive5xxErrors,
    consecutiveGatewayErrors: check.consecutiveGatewayErrors,
    interval: gatewayDuration(check.interval),
    baseEjectionTime: gatewayDuration(check.baseEjectionTime),
    maxEjectionPercent: check.maxEjectionPercent,
  };
}

function activeSpec(check: ActiveHealthCheck): envoyGateway.BackendTrafficPolicySpecHealthCheckActive {
  const { path, expectedStatuses, hostname } = check;
  return {
    type: path === undefined ? 'TCP' : 'HTTP',
    http: path === undefined ? undefined : { path, hostname, expectedStatuses },
    tcp: path === undefined ? {} : undefined,
    interval: gatewayDuration(check.interval),
    timeout: gatewayDuration(check.timeout),
    unhealthyThreshold: check.unhealthyThreshold,
    healthyThreshold: check.healthyThreshold,
  };
}

function pageSpec(page: ErrorPage): envoyGateway.BackendTrafficPolicySpecResponseOverride {
  const { text, configMapName } = page.body;
  return {
    match: {
      statusCodes: page.statuses.map((status) => {
        const [start, end] = status.split('-').map(Number);
        return end === undefined ? { type: 'Value', value: start } : { type: 'Range', range: { start, end } };
      }),
    },
    response: {
      contentType: page.contentType ?? 'text/html',
      statusCode: page.status,
      body:
        configMapName === undefined
          ? { type: 'Inline', inline: text }
          : { type: 'ValueRef', valueRef: { group: '', kind: 'ConfigMap', name: configMapName } },
    },
  };
}

/** What can't be asked of backends. `single`: the proxy knows a Service by one address, since it sends through a sidecar. */
export function backendHealthProblems(props: BackendHealth, single: boolean): Problem[] {
  return [
    ...oneAddress(props, single),
    ...(props.errorPages ?? []).flatMap(pageProblems),
    ...statusProblems('activeHealthCheck.expectedStatuses', props.activeHealthCheck?.expectedStatuses ?? []),
    ...httpCheckWithoutPath(props.activeHealthCheck),
    ...twice(props.compression ?? []),
  ];
}

function oneAddress(props: BackendHealth, single: boolean): Problem[] {
  if (!single) return [];
  const { stickySessions, passiveHealthCheck, activeHealthCheck } = props;
  return Object.entries({ stickySessions, passiveHealthCheck, activeHealthCheck })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => ({
      what: `\`${name}\` at an Envoy Gateway that sends through a sidecar`,
      why: 'its proxies know a Service by its one address (routingType Service) and leave the choice of Pods to the sidecar, so there is nothing to choose or to leave out',
      fix: 'say it for the sidecar, by a DestinationRule of the Service (`consistentHash`, `outlierDetection`)',
    }));
}

function pageProblems({ statuses, body, status }: ErrorPage): Problem[] {
  const problems = status === undefined ? [] : statusProblems('errorPages.status', [status]);
  if (!statuses.length)
    problems.push({
      what: 'an error page for no status',
      why: 'nobody would see it',
      fix: 'name a status, such as "503"',
    });
  for (const text of statuses) {
    const [start, end = start, ...more] = text.split('-').map(Number);
    if (!more.length && isStatus(start) && isStatus(end) && start <= end) continue;
    problems.push({
      what: `an error page for ${quote(text)}`,
      why: 'statuses are numbers from 100 to 599, or two of them joined by a hyphen',
      fix: 'such as "503" or "500-599"',
    });
  }
  if (body.text !== undefined && Buffer.byteLength(body.text) > 4096)
    problems.push({
      what: `an error page of ${Buffer.byteLength(body.text)} bytes`,
      why: 'Envoy Gateway takes 4096 bytes in the policy itself',
      fix: 'put it into a ConfigMap: ErrorPageBody.configMap(...)',
    });
  return problems;
}

function isStatus(value: number): boolean {
  return Number.isInteger(value) && value >= 100 && value <= 599;
}

function statusProblems(field: string, statuses: readonly number[]): Problem[] {
  return statuses
    .filter((value) => !isStatus(value))
    .map((value) => ({
      what: `${field} has ${value}`,
      why: 'that is no status of HTTP',
      fix: 'use numbers from 100 to 599',
    }));
}

function httpCheckWithoutPath(check: ActiveHealthCheck | undefined): Problem[] {
  if (!check || (check.path?.startsWith('/') ?? (!check.expectedStatuses && !check.hostname))) return [];
  return [
    {
      what: `activeHealthCheck ${check.path === undefined ? 'with what HTTP has, and no `path`' : `asks for ${quote(check.path)}`}`,
      why: 'a path begins with a slash; without one, Pods are asked for no more than a connection',
      fix: 'give `path`, such as "/healthz"',
    },
  ];
}

function twice(compression: readonly Compression[]): Problem[] {
  const again = compression.find((one, i) => compression.indexOf(one) !== i);
  if (again === undefined) return [];
  return [{ what: `compression by ${again} twice`, why: 'one would do', fix: 'name it once' }];
}
