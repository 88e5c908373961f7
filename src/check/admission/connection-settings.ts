/** Pools, outliers and load balancing of a DestinationRule, as istiod's webhook asks for them (pkg/config/validation of Istio 1.29). */
import { list, optionalRecord, record, text } from '../../model/fields';
import type { FieldPath } from '../../model/manifest';
import type { TrafficPolicy } from '../istio';
import type { Issue } from './issue';

const POOL_LIMITS: readonly (readonly ['http' | 'tcp', string])[] = [
  ['http', 'http1MaxPendingRequests'],
  ['http', 'http2MaxRequests'],
  ['http', 'maxRequestsPerConnection'],
  ['http', 'maxRetries'],
  ['http', 'maxConcurrentStreams'],
  ['tcp', 'maxConnections'],
];

/** Settings of a host, a subset or a port. */
export function* connectionIssues(policy: TrafficPolicy, field: FieldPath): Generator<Issue> {
  if (policy.connectionPool) yield* poolIssues(record(policy.connectionPool), [...field, 'connectionPool']);
  if (policy.outlierDetection) yield* outlierIssues(record(policy.outlierDetection), [...field, 'outlierDetection']);
  if (policy.loadBalancer) yield* balancerIssues(record(policy.loadBalancer), [...field, 'loadBalancer']);
}

type Fields = Readonly<Record<string, unknown>>;

function* poolIssues(pool: Fields, field: FieldPath): Generator<Issue> {
  if (pool.http === undefined && pool.tcp === undefined) {
    yield { field, what: 'the connectionPool is empty', fix: 'Write tcp or http, or leave it out.' };
    return;
  }
  for (const [part, name] of POOL_LIMITS) {
    const value = record(pool[part])[name];
    if (typeof value === 'number' && value < 0)
      yield { field: [...field, part, name], what: `${name} is ${value}`, fix: 'Write 0 (the default) or more.' };
  }
  const http = record(pool.http);
  if (text(http.h2UpgradePolicy) === 'UPGRADE' && http.useClientProtocol === true)
    yield {
      field: [...field, 'http'],
      what: 'h2UpgradePolicy is UPGRADE, and useClientProtocol is true',
      fix: 'Keep one of them.',
    };
}

function* outlierIssues(outlier: Fields, field: FieldPath): Generator<Issue> {
  for (const name of ['maxEjectionPercent', 'minHealthPercent']) {
    const value = outlier[name];
    if (typeof value === 'number' && (value < 0 || value > 100))
      yield { field: [...field, name], what: `${name} is ${value}`, fix: 'Write a number from 0 to 100.' };
  }
  const failures = outlier.consecutiveLocalOriginFailures;
  if (typeof failures === 'number' && failures > 0 && outlier.splitExternalLocalOriginErrors !== true)
    yield {
      field: [...field, 'consecutiveLocalOriginFailures'],
      what: 'consecutiveLocalOriginFailures is set, and splitExternalLocalOriginErrors is not',
      fix: 'Write splitExternalLocalOriginErrors: true.',
    };
}

/** Envoy's table of Maglev. */
const LARGEST_TABLE = 5_000_011;

function* balancerIssues(balancer: Fields, field: FieldPath): Generator<Issue> {
  const hash = record(balancer.consistentHash);
  const cookie = optionalRecord(hash.httpCookie);
  if (cookie !== undefined && text(cookie.name) === '')
    yield {
      field: [...field, 'consistentHash', 'httpCookie'],
      what: 'a cookie has no name',
      fix: 'Write name.',
    };
  const maglev = optionalRecord(hash.maglev);
  const size = Number(maglev?.tableSize ?? 0);
  if (maglev !== undefined && (size >= LARGEST_TABLE || !isPrime(size)))
    yield {
      field: [...field, 'consistentHash', 'maglev', 'tableSize'],
      what: `tableSize is ${size}`,
      fix: `Write a prime number below ${LARGEST_TABLE}.`,
    };
  yield* localityIssues(record(balancer.localityLbSetting), [...field, 'localityLbSetting']);
}

function* localityIssues(setting: Fields, field: FieldPath): Generator<Issue> {
  const distribute = list(setting.distribute);
  const failover = list(setting.failover);
  if (distribute.length > 0 && failover.length > 0)
    yield { field, what: 'distribute and failover are both set', fix: 'Keep one of them.' };
  for (const [at, one] of distribute.entries()) {
    const weights = Object.values(record(record(one).to)).map(Number);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (total !== 100 || weights.some((weight) => weight <= 0))
      yield {
        field: [...field, 'distribute', at, 'to'],
        what: `the weights add up to ${total}`,
        fix: 'Write weights of at least 1 that add up to 100.',
      };
  }
  for (const [at, one] of failover.entries()) {
    const { from, to } = record(one);
    if (from === to || /[/*]/.test(`${text(from)}${text(to)}`))
      yield {
        field: [...field, 'failover', at],
        what: `failover leads from ${JSON.stringify(from)} to ${JSON.stringify(to)}`,
        fix: 'Write two regions, without zones and wildcards.',
      };
  }
}

/** 1 counts as one there. */
function isPrime(number: number): boolean {
  if (number > 0 && number < 4) return true;
  if (number % 2 === 0) return false;
  for (let factor = 3; factor * factor <= number; factor += 2) if (number % factor === 0) return false;
  return true;
}
