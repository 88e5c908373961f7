/**
 * What Envoy Gateway does not take in a BackendTrafficPolicy: it answers 500 on every route that the policy is for (buildTrafficFeatures and what it
 * calls, internal/gatewayapi/backendtrafficpolicy.go and clustersettings.go).
 */
import { isCidr } from './addresses';
import { secondsOf, wholeOf } from './envoy-gateway-values';
import { optionalRecord, record, records, strings, text, type Json } from './fields';
import type { EffectivePolicy } from './envoy-gateway-policies';
import type { Mesh } from './mesh';
import { refusalOf } from './re2';

export interface PolicyFault {
  /** Below `spec`. */
  readonly field: string;
  readonly what: string;
  readonly fix: string;
}

type Found = PolicyFault | undefined;

const MOST = 2 ** 32 - 1;

export function trafficFault({ manifest, spec, parent }: EffectivePolicy, mesh: Mesh): Found {
  // What is merged is looked for where it is from.
  const isOwn = parent === undefined || !mesh.config.envoyGateway.readsBodiesOfParents || records(record(record(manifest.body).spec).responseOverride).length > 0; // prettier-ignore
  const { namespace } = isOwn ? manifest : parent;
  return (
    limitFault(record(spec.rateLimit)) ??
    (mesh.config.envoyGateway.limitsBandwidth ? bandwidthFault(record(spec.bandwidthLimit)) : undefined) ??
    balancerFault(record(spec.loadBalancer)) ??
    breakerFault(record(spec.circuitBreaker)) ??
    durationFault(spec, TIMES) ??
    retryFault(record(spec.retry)) ??
    amountFault(record(spec.connection), 'connection', 'bufferLimit', 0, MOST) ??
    http2Fault(record(spec.http2), 'http2') ??
    overrideFault(records(spec.responseOverride), namespace, mesh) ??
    bufferFault(spec, mesh)
  );
}

const TIMES = [
  'timeout.tcp.connectTimeout',
  'timeout.http.connectionIdleTimeout',
  'timeout.http.maxConnectionDuration',
  'timeout.http.requestTimeout',
  'timeout.http.maxStreamDuration',
  'timeout.http.streamIdleTimeout',
  'tcpKeepalive.idleTime',
  'tcpKeepalive.interval',
  'loadBalancer.slowStart.window',
  'retry.perRetry.timeout',
];

/** The first of some fields that is set and no duration. */
export function durationFault(spec: Json, fields: readonly string[]): Found {
  for (const field of fields) {
    const steps = field.split('.');
    const value = steps.slice(0, -1).reduce((at, step) => record(at[step]), spec)[steps.at(-1) ?? ''];
    if (value !== undefined && value !== null && secondsOf(text(value)) === undefined)
      return {
        field,
        what: `${field} is ${JSON.stringify(value)}, which is no duration`,
        fix: 'write it as 10s or 1m30s',
      };
  }
  return undefined;
}

/** An amount that is no whole number, or out of bounds. */
export function amountFault(owner: Json, path: string, name: string, least: number, most: number): Found {
  const value = owner[name];
  if (value === undefined || value === null) return undefined;
  const whole = wholeOf(value);
  return whole !== undefined && whole >= least && whole <= most
    ? undefined
    : { field: `${path}.${name}`, what: `${path}.${name} is ${JSON.stringify(value)}, and has to be a whole number from ${least} to ${most}`, fix: 'correct the amount' }; // prettier-ignore
}

export function http2Fault(http2: Json, path: string): Found {
  return (
    amountFault(http2, path, 'initialStreamWindowSize', 65_535, 2 ** 31 - 1) ??
    amountFault(http2, path, 'initialConnectionWindowSize', 65_535, 2 ** 31 - 1)
  );
}

const UNITS: Readonly<Record<string, number>> = { Second: 1, Minute: 60, Hour: 3600, Day: 86_400, Month: 2_592_000, Year: 31_536_000 }; // prettier-ignore

function limitFault({ type, local, global }: Json): Found {
  const own = optionalRecord(local);
  const shared = optionalRecord(global);
  if (type === 'Local' && own === undefined) return { field: 'rateLimit', what: 'its rateLimit is Local and says nothing of local', fix: 'write rateLimit.local' }; // prettier-ignore
  if (type === 'Global' && shared === undefined) return { field: 'rateLimit', what: 'its rateLimit is Global and says nothing of global', fix: 'write rateLimit.global' }; // prettier-ignore
  return (own && type !== 'Global' ? localFault(records(own.rules)) : undefined) ?? (shared && type !== 'Local' ? selectorsFault(records(shared.rules), 'rateLimit.global') : undefined); // prettier-ignore
}

function localFault(rules: readonly Json[]): Found {
  const general = rules.filter(({ clientSelectors }) => records(clientSelectors).length === 0);
  if (general.length > 1)
    return { field: 'rateLimit.local.rules', what: 'rateLimit.local has more than one rule without clientSelectors', fix: 'keep one of them' }; // prettier-ignore
  const unitOf = ({ limit }: Json): number => UNITS[text(record(limit).unit)] ?? 0;
  const usual = general[0] === undefined ? 1 : unitOf(general[0]);
  const odd = rules.findIndex((rule) => usual === 0 || unitOf(rule) % usual !== 0);
  if (odd >= 0)
    return { field: `rateLimit.local.rules[${odd}].limit.unit`, what: `the unit of rateLimit.local.rules[${odd}] is no multiple of that of the rule without clientSelectors`, fix: 'give that rule the smaller unit' }; // prettier-ignore
  return selectorsFault(rules, 'rateLimit.local');
}

function selectorsFault(rules: readonly Json[], path: string): Found {
  for (const [at, { clientSelectors }] of rules.entries()) {
    for (const selector of records(clientSelectors)) {
      const why = selectorFault(selector);
      if (why !== undefined)
        return { field: `${path}.rules[${at}].clientSelectors`, what: `${path}.rules[${at}] ${why}`, fix: 'correct the selector' }; // prettier-ignore
    }
  }
  return undefined;
}

const SELECTS = ['headers', 'methods', 'queryParams'];

function selectorFault(selector: Json): string | undefined {
  const { path, sourceCIDR } = selector;
  if (path === undefined && sourceCIDR === undefined && SELECTS.every((field) => records(selector[field]).length === 0)) return 'has a selector that selects by nothing'; // prettier-ignore
  for (const { type = 'Exact', value, invert } of records(selector.headers)) {
    if (type === 'Distinct' ? value !== undefined || invert === true : value === undefined) return 'has a header whose type and value do not go together'; // prettier-ignore
    const why = type === 'RegularExpression' ? refusalOf(text(value)) : undefined;
    if (why !== undefined) return `has an expression that is none: ${why}`;
  }
  for (const { type = 'Exact', value, invert } of records(selector.queryParams)) {
    if (type === 'Distinct' ? value !== undefined || invert === true : text(value) === '') return 'has a parameter whose type and value do not go together'; // prettier-ignore
    const why = type === 'RegularExpression' ? refusalOf(text(value)) : undefined;
    if (why !== undefined) return `has an expression that is none: ${why}`;
  }
  const own = record(path);
  const why = own.type === 'RegularExpression' ? refusalOf(text(own.value)) : undefined;
  if (why !== undefined) return `has an expression that is none: ${why}`;
  const range = text(record(sourceCIDR).value);
  return sourceCIDR !== undefined && !isCidr(range) ? `has ${JSON.stringify(range)}, which is no range of addresses` : undefined; // prettier-ignore
}

function bandwidthFault(bandwidth: Json): Found {
  for (const way of ['request', 'response']) {
    const { limit } = record(bandwidth[way]);
    if (limit === undefined) continue;
    const field = `bandwidthLimit.${way}.limit`;
    const { value, unit } = record(limit);
    const seconds = unit === 'Minute' || unit === 'Hour' ? UNITS[unit] : 1;
    const whole = wholeOf(value);
    if (whole === undefined || seconds === undefined || Math.floor(whole / seconds / 1024) < 1)
      return { field, what: `${field} comes to less than 1 KiB a second, or is no amount`, fix: 'write at least 1Ki a second' }; // prettier-ignore
  }
  return undefined;
}

const LARGEST_TABLE = 5_000_011;

function balancerFault({ type, consistentHash }: Json): Found {
  const { tableSize } = record(consistentHash);
  if (type !== 'ConsistentHash' || typeof tableSize !== 'number') return undefined;
  return tableSize <= LARGEST_TABLE && isPrime(tableSize)
    ? undefined
    : { field: 'loadBalancer.consistentHash.tableSize', what: `loadBalancer.consistentHash.tableSize is ${tableSize}, and has to be a prime of at most ${LARGEST_TABLE}`, fix: 'use 65537, say' }; // prettier-ignore
}

function isPrime(value: number): boolean {
  if (value < 2 || !Number.isInteger(value)) return false;
  for (let factor = 2; factor * factor <= value; factor += 1) if (value % factor === 0) return false;
  return true;
}

const BREAKERS = ['maxConnections', 'maxParallelRequests', 'maxPendingRequests', 'maxParallelRetries', 'maxRequestsPerConnection']; // prettier-ignore

function breakerFault(breaker: Json): Found {
  for (const name of BREAKERS) {
    const found = amountFault(breaker, 'circuitBreaker', name, 0, MOST);
    if (found !== undefined) return found;
  }
  return undefined;
}

function retryFault({ perRetry }: Json): Found {
  const { baseInterval, maxInterval } = record(record(perRetry).backOff);
  const [base, most] = [baseInterval, maxInterval].map((one) => (one === undefined ? undefined : secondsOf(text(one))));
  const field = 'retry.perRetry.backOff';
  if (base === 0 || most === 0)
    return { field, what: `${field} has an interval of 0s`, fix: 'write a longer interval' };
  return base !== undefined && most !== undefined && base > most
    ? {
        field,
        what: `${field}.maxInterval is shorter than baseInterval`,
        fix: 'write the longer interval as maxInterval',
      }
    : undefined;
}

/** Bodies are looked for in the namespace of the policy. */
function overrideFault(overrides: readonly Json[], namespace: string, mesh: Mesh): Found {
  for (const [at, { response }] of overrides.entries()) {
    const { type, valueRef } = record(record(response).body);
    const name = text(record(valueRef).name);
    if (type !== 'ValueRef' || name === '') continue;
    const lacking = lacksData(namespace, name, mesh);
    if (lacking !== undefined)
      return { field: `responseOverride[${at}].response.body.valueRef`, what: `responseOverride[${at}] takes its body from ${lacking}`, fix: `make ConfigMap ${namespace}/${name} with the key response.body` }; // prettier-ignore
  }
  return undefined;
}

/** A ConfigMap that is not there, or is empty, in words; undefined where it is there or may be. */
export function lacksData(namespace: string, name: string, mesh: Mesh): string | undefined {
  const found = mesh.find('', 'ConfigMap', namespace, name);
  const whole = `ConfigMap ${namespace}/${name}`;
  if (found === undefined) return mesh.isOpen(namespace) ? undefined : `${whole}, which is not there`;
  const { data, binaryData } = record(found.body);
  return Object.keys({ ...strings(data), ...strings(binaryData) }).length > 0 ? undefined : `${whole}, which is empty`;
}

function bufferFault(spec: Json, { config: { envoyGateway } }: Mesh): Found {
  const buffer = optionalRecord(spec.requestBuffer);
  if (buffer === undefined) return undefined;
  const found = amountFault(buffer, 'requestBuffer', 'limit', 0, MOST);
  if (found !== undefined || !envoyGateway.refusesBuffersOfUpgrades || records(spec.httpUpgrade).length === 0) return found; // prettier-ignore
  return { field: 'requestBuffer', what: 'requestBuffer goes with no httpUpgrade', fix: 'take one of them out' };
}
