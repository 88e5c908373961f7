/**
 * Envoy's dynamic forward proxy, where EnvoyFilters put it into a proxy: a cluster that goes to whatever name was asked for, and a filter before
 * it that resolves that name, from the Host header of HTTP or the SNI of TLS. The one without the other leads nowhere.
 */
import { number, optionalRecord, record, records, text, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { config } from '../model/objects';
import { hostWithoutPort } from './envoy';
import { type ExtendedProxy, isFor, namesCluster } from './extension-scope';

const PREFIX = 'type.googleapis.com/envoy.extensions.';
const CLUSTER = `${PREFIX}clusters.dynamic_forward_proxy.v3.ClusterConfig`;
const BY_SNI = `${PREFIX}filters.network.sni_dynamic_forward_proxy.v3.FilterConfig`;
const BY_HOST = `${PREFIX}filters.http.dynamic_forward_proxy.v3.FilterConfig`;

type Part = 'cluster' | 'by-sni' | 'by-host';

const INSERTS = new Set(['INSERT_BEFORE', 'INSERT_FIRST', 'INSERT_AFTER']);

function typeOf(extension: unknown): string {
  return text(record(record(extension).typed_config)['@type']);
}

/** The part of a dynamic forward proxy that a patch is, if it is nothing else. */
export function forwardProxyPart(entry: Json): Part | undefined {
  const patch = record(entry.patch);
  const value = record(patch.value);
  const operation = text(patch.operation);
  const inserted = INSERTS.has(operation) ? typeOf(value) : '';
  switch (text(entry.applyTo)) {
    case 'CLUSTER': {
      const rest = Object.keys(value).filter((field) => field !== 'cluster_type' && field !== 'lb_policy');
      return operation === 'MERGE' && rest.length === 0 && typeOf(value.cluster_type) === CLUSTER
        ? 'cluster'
        : undefined;
    }
    case 'NETWORK_FILTER':
      return inserted === BY_SNI ? 'by-sni' : undefined;
    case 'HTTP_FILTER':
      return inserted === BY_HOST ? 'by-host' : undefined;
    default:
      return undefined;
  }
}

/** Whether an EnvoyFilter is parts of dynamic forward proxies and no more, so that its effect can be told. */
export function isForwardProxy(spec: Json): boolean {
  const entries = records(spec.configPatches);
  return entries.length > 0 && entries.every((entry) => forwardProxyPart(entry) !== undefined);
}

/** What a proxy sends to a cluster, and where it read it. */
export interface Forwarded {
  readonly cluster: string;
  readonly context: 'GATEWAY' | 'SIDECAR_OUTBOUND';
  /** Null where the proxy reads no HTTP. */
  readonly authority: string | null;
  readonly sni: string | null;
  /** Whether the cluster makes TLS. */
  readonly originates: boolean;
}

export interface Resolved {
  readonly host: string;
  readonly port: number;
}

/**
 * Where a proxy goes that resolves what it was asked for: the Host of a request, and the port that this may have; without one the SNI. Null if
 * nothing was asked for.
 */
export function resolvedName(authority: string | null, sni: string | null, usualPort: number): Resolved | null {
  if (authority === null) return sni === null || sni === '' ? null : { host: sni, port: usualPort };
  const host = hostWithoutPort(authority);
  return host === '' ? null : { host, port: Number(/:(\d+)$/.exec(authority)?.[1] ?? usualPort) };
}

/** Where a dynamic forward proxy goes: null if no filter resolves the name, undefined if the cluster is none. */
export function forwardProxied(mesh: Mesh, proxy: ExtendedProxy, sent: Forwarded): Resolved | null | undefined {
  const entries = mesh
    .of('networking.istio.io', 'EnvoyFilter')
    .map(config)
    .filter((filter) => isFor(mesh, filter, optionalRecord(record(filter.spec.workloadSelector).labels), proxy))
    .flatMap((filter) => records(filter.spec.configPatches))
    .filter((entry) => ['', 'ANY', sent.context].includes(text(record(entry.match).context)));
  const find = (part: Part, fits: (match: Json) => boolean) =>
    entries.find((entry) => forwardProxyPart(entry) === part && fits(record(entry.match)));
  if (find('cluster', (match) => namesCluster(match, sent.cluster)) === undefined) return undefined;
  if (sent.authority !== null) {
    if (find('by-host', () => true) === undefined) return null;
    return resolvedName(sent.authority, null, sent.originates ? 443 : 80);
  }
  const filter = find('by-sni', (match) => {
    const wanted = text(record(record(match.listener).filterChain).sni);
    return wanted === '' || sniMatches(wanted, sent.sni);
  });
  if (filter === undefined) return null;
  const port = number(record(record(record(filter.patch).value).typed_config).port_value);
  return resolvedName(null, sent.sni, port || 443);
}

/** Whether a filter chain of that server name is the one for an SNI. */
function sniMatches(name: string, sni: string | null): boolean {
  return name.startsWith('*.') ? (sni ?? '').endsWith(name.slice(1)) : name === sni;
}
