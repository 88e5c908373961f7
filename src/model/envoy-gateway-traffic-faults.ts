/**
 * What Envoy Gateway does not take in a BackendTrafficPolicy: it answers 500 on every route that the policy is for (buildTrafficFeatures and what it
 * calls, internal/gatewayapi/backendtrafficpolicy.go and clustersettings.go).
 */
import { isCidr } from './addresses';
import { secondsOf, wholeOf } from './envoy-gateway-values';
import { optionalRecord, record, records, text, type Json } from './fields';
import { lacksData } from './lacking-data';
import type { EffectivePolicy } from './envoy-gateway-policies';
import type { Mesh } from './mesh';
import type { PolicyFault, SelectorProblem } from './policy-problems';
import { refusalOf } from './re2';

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
      return { field, problem: { is: 'no-duration', path: field, value } };
  }
  return undefined;
}

/** An amount that is no whole number, or out of bounds. */
export function amountFault(owner: Json, path: string, name: string, least: number, most: number): Found {
  const value = owner[name];
  if (value === undefined || value === null) return undefined;
  const whole = wholeOf(value);
  const field = `${path}.${name}`;
  return whole !== undefined && whole >= least && whole <= most
    ? undefined
    : { field, problem: { is: 'amount', path: field, value, least, most } };
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
  if (type === 'Local' && own === undefined) return { field: 'rateLimit', problem: { is: 'limit-not-written', type } };
  if (type === 'Global' && shared === undefined)
    return { field: 'rateLimit', problem: { is: 'limit-not-written', type } };
  return (own && type !== 'Global' ? localFault(records(own.rules)) : undefined) ?? (shared && type !== 'Local' ? selectorsFault(records(shared.rules), 'rateLimit.global') : undefined); // prettier-ignore
}

function localFault(rules: readonly Json[]): Found {
  const general = rules.filter(({ clientSelectors }) => records(clientSelectors).length === 0);
  if (general.length > 1) return { field: 'rateLimit.local.rules', problem: { is: 'several-general-limits' } };
  const unitOf = ({ limit }: Json): number => UNITS[text(record(limit).unit)] ?? 0;
  const usual = general[0] === undefined ? 1 : unitOf(general[0]);
  const odd = rules.findIndex((rule) => usual === 0 || unitOf(rule) % usual !== 0);
  if (odd >= 0)
    return { field: `rateLimit.local.rules[${odd}].limit.unit`, problem: { is: 'unit-of-limit', rule: odd } };
  return selectorsFault(rules, 'rateLimit.local');
}

function selectorsFault(rules: readonly Json[], path: string): Found {
  for (const [at, { clientSelectors }] of rules.entries()) {
    for (const selector of records(clientSelectors)) {
      const why = selectorFault(selector);
      if (why !== undefined)
        return { field: `${path}.rules[${at}].clientSelectors`, problem: { is: 'selector', path, rule: at, why } };
    }
  }
  return undefined;
}

const SELECTS = ['headers', 'methods', 'queryParams'];

function selectorFault(selector: Json): SelectorProblem | undefined {
  const { path, sourceCIDR } = selector;
  if (path === undefined && sourceCIDR === undefined && SELECTS.every((field) => records(selector[field]).length === 0)) return { is: 'selects-nothing' }; // prettier-ignore
  for (const { type = 'Exact', value, invert } of records(selector.headers)) {
    if (type === 'Distinct' ? value !== undefined || invert === true : value === undefined) return { is: 'header-type' }; // prettier-ignore
    const why = type === 'RegularExpression' ? refusalOf(text(value)) : undefined;
    if (why !== undefined) return { is: 'not-an-expression', why };
  }
  for (const { type = 'Exact', value, invert } of records(selector.queryParams)) {
    if (type === 'Distinct' ? value !== undefined || invert === true : text(value) === '') return { is: 'parameter-type' }; // prettier-ignore
    const why = type === 'RegularExpression' ? refusalOf(text(value)) : undefined;
    if (why !== undefined) return { is: 'not-an-expression', why };
  }
  const own = record(path);
  const why = own.type === 'RegularExpression' ? refusalOf(text(own.value)) : undefined;
  if (why !== undefined) return { is: 'not-an-expression', why };
  const range = text(record(sourceCIDR).value);
  return sourceCIDR !== undefined && !isCidr(range) ? { is: 'no-range', range } : undefined;
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
      return { field, problem: { is: 'bandwidth', path: field } };
  }
  return undefined;
}

const LARGEST_TABLE = 5_000_011;

function balancerFault({ type, consistentHash }: Json): Found {
  const { tableSize } = record(consistentHash);
  if (type !== 'ConsistentHash' || typeof tableSize !== 'number') return undefined;
  return tableSize <= LARGEST_TABLE && isPrime(tableSize)
    ? undefined
    : { field: 'loadBalancer.consistentHash.tableSize', problem: { is: 'table-size', size: tableSize, most: LARGEST_TABLE } }; // prettier-ignore
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
  if (base === 0 || most === 0) return { field, problem: { is: 'interval-of-nothing', path: field } };
  return base !== undefined && most !== undefined && base > most
    ? { field, problem: { is: 'intervals-in-disorder', path: field } }
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
      return { field: `responseOverride[${at}].response.body.valueRef`, problem: { is: 'body-missing', override: at, lacking } }; // prettier-ignore
  }
  return undefined;
}

function bufferFault(spec: Json, { config: { envoyGateway } }: Mesh): Found {
  const buffer = optionalRecord(spec.requestBuffer);
  if (buffer === undefined) return undefined;
  const found = amountFault(buffer, 'requestBuffer', 'limit', 0, MOST);
  if (found !== undefined || !envoyGateway.refusesBuffersOfUpgrades || records(spec.httpUpgrade).length === 0) return found; // prettier-ignore
  return { field: 'requestBuffer', problem: { is: 'buffer-of-upgrades' } };
}
