import { ApiObject, ApiObjectMetadata, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { nameOfId } from '../core/ids';
import { objectNameProblems } from '../core/names';
import { objectMetadata } from '../core/metadata';
import { Problem, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import {
  ActiveHealthCheck,
  Compression,
  ErrorPage,
  PassiveHealthCheck,
  StickySessions,
  backendHealthProblems,
  backendHealthSpec,
} from './backend-health';
import { gatewayDuration } from './durations';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';
import { mergeProblems, PolicyMerge } from './policy-merge';
import { PolicyTarget } from './policy-target';
import { RateLimit } from './rate-limit';

/** How often and when a request is tried again. */
export interface BackendRetry {
  /**
   * How often at most.
   *
   * @default 2
   */
  readonly attempts?: number;

  /**
   * Status codes that are tried again.
   *
   * @default none, beside those that `triggers` stand for
   */
  readonly statusCodes?: number[];

  /**
   * Envoy's words for what is tried again, such as "connect-failure" or "reset".
   *
   * @default connect-failure, refused-stream, unavailable, cancelled, retriable-status-codes
   */
  readonly triggers?: string[];

  /**
   * How long one attempt may take.
   *
   * @default as long as the whole
   */
  readonly perAttempt?: Duration;
}

/** How much a backend is asked at once. What is over it gets 503 at once. */
export interface CircuitBreaker {
  /**
   * Open connections.
   *
   * @default 1024
   */
  readonly maxConnections?: number;

  /**
   * Requests that wait for a connection.
   *
   * @default 1024
   */
  readonly maxPendingRequests?: number;

  /**
   * Requests at a time.
   *
   * @default 1024
   */
  readonly maxParallelRequests?: number;

  /**
   * Retries at a time.
   *
   * @default 1024
   */
  readonly maxParallelRetries?: number;
}

/** How requests are passed on. */
export interface BackendTrafficPolicyProps {
  /** What it is about. */
  readonly target: PolicyTarget;

  /**
   * How many requests pass.
   *
   * @default all
   */
  readonly rateLimit?: RateLimit;

  /**
   * What is tried again.
   *
   * @default nothing here; the sidecar beside the proxy has its own retries
   */
  readonly retry?: BackendRetry;

  /**
   * How much a backend is asked at once.
   *
   * @default Envoy Gateway's own, 1024 of each
   */
  readonly circuitBreaker?: CircuitBreaker;

  /**
   * How long a request may take.
   *
   * @default Envoy Gateway's own
   */
  readonly requestTimeout?: Duration;

  /**
   * How long a connection may take to come about.
   *
   * @default 10 seconds
   */
  readonly connectTimeout?: Duration;

  /**
   * How long a connection that no one uses is kept.
   *
   * @default 1 hour
   */
  readonly idleTimeout?: Duration;

  /**
   * Which Pod a client comes back to. For gateways that know the Pods of a Service: not those that send through a sidecar.
   *
   * @default any
   */
  readonly stickySessions?: StickySessions;

  /**
   * How failing Pods are found by what they answer. For gateways that know the Pods of a Service.
   *
   * @default not
   */
  readonly passiveHealthCheck?: PassiveHealthCheck;

  /**
   * How failing Pods are found by asking them. For gateways that know the Pods of a Service.
   *
   * @default not
   */
  readonly activeHealthCheck?: ActiveHealthCheck;

  /**
   * What clients see in place of some answers. The first that fits counts.
   *
   * @default the answers as they are
   */
  readonly errorPages?: ErrorPage[];

  /**
   * How answers are made smaller for clients that take it, in order of preference. Needs Envoy Gateway 1.6 or newer.
   *
   * @default not
   */
  readonly compression?: Compression[];

  /**
   * How it is joined with the policy of the gateway that its route is attached to.
   *
   * @default not: it stands in the place of that one
   */
  readonly mergeType?: PolicyMerge;

  /**
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Says how an Envoy Gateway passes requests on: limits, retries, circuit breaking, timeouts, sticky sessions, health checks, error pages, compression. Renders one BackendTrafficPolicy
 * in the namespace of its target.
 *
 * @see https://gateway.envoyproxy.io/docs/api/extension_types/#backendtrafficpolicy
 * @example
 * new BackendTrafficPolicy(this, 'Limits', {
 *   target: PolicyTarget.route(route),
 *   rateLimit: RateLimit.local([{ requests: 100, unit: RateLimitUnit.MINUTE }]),
 * });
 */
export class BackendTrafficPolicy extends Construct {
  /** What it is about. */
  public readonly target: PolicyTarget;

  /** The rendered BackendTrafficPolicy, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: BackendTrafficPolicyProps) {
    super(scope, id);
    this.target = props.target;
    this.resource = new MeshObject<envoyGateway.BackendTrafficPolicySpec>(this, 'Resource', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'BackendTrafficPolicy',
      metadata: objectMetadata({ name: props.name ?? nameOfId(id), namespace: props.target.namespace }, props.metadata),
      manifest: (spec) => envoyGatewayBindings().BackendTrafficPolicy.manifest({ spec }),
      spec: () => ({
        targetRefs: [props.target._ref()],
        mergeType: props.mergeType,
        rateLimit: props.rateLimit?._spec(),
        retry: props.retry && retrySpec(props.retry),
        circuitBreaker: props.circuitBreaker,
        timeout: timeoutSpec(props),
        ...backendHealthSpec(props),
      }),
    });
    props.target._guardedBy(this);
    refuseAtSynth(this, () => this.problems(props));
  }

  private problems(props: BackendTrafficPolicyProps): Problem[] {
    const { limitsGlobally, sendsThroughSidecar } = props.target._gateway().ingressClass;
    const problems = [
      ...objectNameProblems('name', props.name),
      ...props.target._problems(),
      ...mergeProblems(props.mergeType, props.target),
      ...(props.rateLimit?._problems() ?? []),
      ...backendHealthProblems(props, sendsThroughSidecar),
    ];
    if (props.rateLimit?.type === 'Global' && limitsGlobally === false) {
      problems.push({
        what: 'a global rate limit, and the Envoy Gateway has no `rateLimitStore`',
        why: 'nothing would be limited, and nothing would say so',
        fix: 'give the EnvoyGatewayInMesh a RateLimitRedis, or use RateLimit.local',
      });
    }
    return problems;
  }
}

function retrySpec(retry: BackendRetry): envoyGateway.BackendTrafficPolicySpecRetry {
  const { statusCodes, triggers, perAttempt } = retry;
  return {
    numRetries: retry.attempts ?? 2,
    retryOn:
      statusCodes || triggers
        ? {
            httpStatusCodes: statusCodes,
            triggers: triggers as envoyGateway.BackendTrafficPolicySpecRetryRetryOnTriggers[] | undefined,
          }
        : undefined,
    perRetry: perAttempt && { timeout: gatewayDuration(perAttempt) },
  };
}

function timeoutSpec(props: BackendTrafficPolicyProps): envoyGateway.BackendTrafficPolicySpecTimeout | undefined {
  const requestTimeout = gatewayDuration(props.requestTimeout);
  const connectionIdleTimeout = gatewayDuration(props.idleTimeout);
  const connectTimeout = gatewayDuration(props.connectTimeout);
  const http = requestTimeout || connectionIdleTimeout ? { requestTimeout, connectionIdleTimeout } : undefined;
  const tcp = connectTimeout ? { connectTimeout } : undefined;
  return http || tcp ? { http, tcp } : undefined;
}
