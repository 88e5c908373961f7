import { ApiObject, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfHost } from '../core/hostname';
import { shorten } from '../core/names';
import { Problem } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { TlsVersion } from '../mesh/tls-version';
import { istioDuration } from '../mesh/istio-duration';

/**
 * How many requests one proxy sends to a service in a time: a bucket of tokens, one taken by each request. What finds none is answered with 429. Each replica of the gateway, or each
 * sidecar, counts by itself; where callers of a host have credentials or methods of their own, each of those routes has a bucket.
 */
export interface EgressRateLimit {
  /** How many requests in `per`. */
  readonly requests: number;

  /**
   * The time in which they are counted, at least 50 milliseconds.
   *
   * @default 1 second
   */
  readonly per?: Duration;

  /**
   * How many may come at once after a pause.
   *
   * @default as many as `requests`
   */
  readonly burst?: number;
}

/** Which versions of TLS a proxy that originates it speaks to a service. */
export interface EgressTlsVersions {
  /**
   * The oldest.
   *
   * @default 1.2
   */
  readonly minVersion?: TlsVersion;

  /**
   * The newest.
   *
   * @default 1.3
   */
  readonly maxVersion?: TlsVersion;
}

/** A route whose requests are counted. */
export interface LimitedRoute {
  readonly route: string;
  readonly limit: EgressRateLimit;
}

/** A cluster whose TLS has versions of its own. */
export interface VersionedCluster {
  readonly host: string;
  readonly port: number;
  /** The subset that makes the TLS: what goes by the port unread must not be wrapped in it. */
  readonly subset?: string;
  readonly versions: EgressTlsVersions;
}

/** What the filter of one proxy is about. */
export interface UpstreamParts {
  readonly routes: readonly LimitedRoute[];
  readonly clusters: readonly VersionedCluster[];
}

interface FilteredProxy {
  readonly name: string;
  readonly namespace: string;
  readonly labels: () => { readonly [key: string]: string } | undefined;
  readonly at: 'GATEWAY' | 'SIDECAR_OUTBOUND';
  /** Tells the filters of one sidecar apart: each host's is inserted by an object of its own. */
  readonly filter?: string;
}

const TYPES = 'type.googleapis.com/envoy.extensions';
const { INSERT_UNDERSCORE_BEFORE: INSERT_BEFORE, MERGE } = networking.EnvoyFilterSpecConfigPatchesPatchOperation;

const CONTEXTS = {
  GATEWAY: networking.EnvoyFilterSpecConfigPatchesMatchContext.GATEWAY,
  SIDECAR_OUTBOUND: networking.EnvoyFilterSpecConfigPatchesMatchContext.SIDECAR_UNDERSCORE_OUTBOUND,
};

/** The name of the route of a host, by which the limit finds it. */
export function limitedRoute(host: string): string {
  return `limited-${nameOfHost(host)}`;
}

/** The EnvoyFilter for what Istio has no field for: limits of requests, and the versions of TLS that a proxy originates. */
export function upstreamFilter(
  scope: Construct,
  id: string,
  proxy: FilteredProxy,
  parts: () => UpstreamParts,
): ApiObject {
  const filter = ['envoy.filters.http.local_ratelimit', ...(proxy.filter ? [proxy.filter] : [])].join('.');
  return new MeshObject(scope, id, {
    ...networking.EnvoyFilter.GVK,
    metadata: { name: shorten(proxy.name), namespace: proxy.namespace },
    manifest: networking.EnvoyFilter.manifest,
    spec: () => {
      const { routes, clusters } = parts();
      const labels = proxy.labels();
      const context = CONTEXTS[proxy.at];
      return {
        spec: {
          // The router that the filter is placed before is Istio's own; said, lest analyzers ask.
          priority: 1,
          workloadSelector: labels && { labels: { ...labels } },
          configPatches: [
            ...clusters.map((cluster) => versionPatch(cluster, context)),
            ...(routes.length ? [filterPatch(filter, context)] : []),
            ...routes.map((route) => routePatch(filter, route, context)),
          ],
        },
      };
    },
  });
}

type Context = networking.EnvoyFilterSpecConfigPatchesMatchContext;

/** No limit of its own: requests of other routes pass it. */
function filterPatch(filter: string, context: Context): networking.EnvoyFilterSpecConfigPatches {
  const subFilter = { name: 'envoy.filters.http.router' };
  return {
    applyTo: networking.EnvoyFilterSpecConfigPatchesApplyTo.HTTP_UNDERSCORE_FILTER,
    match: {
      context,
      listener: { filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager', subFilter } } },
    },
    patch: {
      operation: INSERT_BEFORE,
      value: {
        name: filter,
        typed_config: {
          '@type': `${TYPES}.filters.http.local_ratelimit.v3.LocalRateLimit`,
          stat_prefix: 'egress_rate_limit',
        },
      },
    },
  };
}

function routePatch(
  filter: string,
  { route, limit }: LimitedRoute,
  context: Context,
): networking.EnvoyFilterSpecConfigPatches {
  const all = { default_value: { numerator: 100, denominator: 'HUNDRED' } };
  return {
    applyTo: networking.EnvoyFilterSpecConfigPatchesApplyTo.HTTP_UNDERSCORE_ROUTE,
    match: { context, routeConfiguration: { vhost: { route: { name: route } } } },
    patch: {
      operation: MERGE,
      value: {
        typed_per_filter_config: {
          [filter]: {
            '@type': `${TYPES}.filters.http.local_ratelimit.v3.LocalRateLimit`,
            stat_prefix: 'egress_rate_limit',
            token_bucket: {
              max_tokens: limit.burst ?? limit.requests,
              tokens_per_fill: limit.requests,
              fill_interval: secondsOf(limit.per ?? Duration.seconds(1)),
            },
            filter_enabled: all,
            filter_enforced: all,
          },
        },
      },
    },
  };
}

/** Envoy's own files know durations in seconds alone. */
function secondsOf(duration: Duration): string {
  return `${duration.toMilliseconds() / 1000}s`;
}

function versionPatch(
  { host, port, subset, versions }: VersionedCluster,
  context: Context,
): networking.EnvoyFilterSpecConfigPatches {
  return {
    applyTo: networking.EnvoyFilterSpecConfigPatchesApplyTo.CLUSTER,
    match: { context, cluster: { service: host, portNumber: port, subset } },
    patch: {
      operation: MERGE,
      value: {
        transport_socket: {
          name: 'envoy.transport_sockets.tls',
          typed_config: {
            '@type': `${TYPES}.transport_sockets.tls.v3.UpstreamTlsContext`,
            common_tls_context: {
              tls_params: {
                ...(versions.minVersion && { tls_minimum_protocol_version: envoyVersion(versions.minVersion) }),
                ...(versions.maxVersion && { tls_maximum_protocol_version: envoyVersion(versions.maxVersion) }),
              },
            },
          },
        },
      },
    },
  };
}

function envoyVersion(version: TlsVersion): string {
  return version === TlsVersion.V1_2 ? 'TLSv1_2' : 'TLSv1_3';
}

/** What can't be asked of versions and limits. */
export function filterProblems(settings: {
  readonly rateLimit?: EgressRateLimit;
  readonly tls?: EgressTlsVersions;
}): Problem[] {
  const { rateLimit, tls } = settings;
  const problems: Problem[] = [];
  if (tls && !tls.minVersion && !tls.maxVersion)
    problems.push({
      what: 'upstream.tls names no version',
      why: 'the proxy would speak 1.2 and 1.3 as without it',
      fix: 'give `minVersion` or `maxVersion`, or leave it out',
    });
  if (tls?.minVersion === TlsVersion.V1_3 && tls.maxVersion === TlsVersion.V1_2)
    problems.push({
      what: 'upstream.tls.minVersion is above upstream.tls.maxVersion',
      why: 'Envoy would refuse the cluster, and keep what it had',
      fix: 'swap them, or leave one out',
    });
  for (const field of ['requests', 'burst'] as const) {
    const value = rateLimit?.[field];
    if (value === undefined || (Number.isInteger(value) && value >= 1 && value < 2 ** 32)) continue;
    problems.push({
      what: `upstream.rateLimit.${field} is ${value}`,
      why: 'it is a whole number of requests from 1',
      fix: 'write such a number; to let nothing pass, leave the host out',
    });
  }
  if (rateLimit?.per && rateLimit.per.toMilliseconds() < 50)
    problems.push({
      what: `upstream.rateLimit.per is ${istioDuration(rateLimit.per)}`,
      why: 'Envoy refuses buckets that are filled more often than every 50 ms',
      fix: 'count over a longer time',
    });
  return problems;
}
