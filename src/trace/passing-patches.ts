/**
 * Patches of EnvoyFilters that change no path: a local rate limit answers 429 to some requests of a rate that no manifest knows, and versions of TLS are agreed with the
 * server. Both leave open where a request goes that does pass.
 */
import { record, text, type Json } from '../model/fields';
import type { Hop } from './types';

const LOCAL_RATE_LIMIT = 'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit';
const INSERTS = new Set(['INSERT_BEFORE', 'INSERT_FIRST', 'INSERT_AFTER']);

/** The type of an extension's configuration, written as itself or as a TypedStruct. */
function typeOf(config: unknown): string {
  const { '@type': type, type_url: inner } = record(config);
  const name = text(type).endsWith('.TypedStruct') ? text(inner) : text(type);
  return name.replace(/^.*\//, '');
}

/** Whether a patch counts requests of HTTP and does nothing else. */
function isRateLimit(entry: Json): boolean {
  const { operation, value } = record(entry.patch);
  const { typed_per_filter_config: perFilter, ...rest } = record(value);
  switch (text(entry.applyTo)) {
    case 'HTTP_FILTER':
      return INSERTS.has(text(operation)) && typeOf(record(value).typed_config) === LOCAL_RATE_LIMIT;
    case 'HTTP_ROUTE':
    case 'VIRTUAL_HOST': {
      const filters = Object.values(record(perFilter));
      const isOther = filters.some((filter) => typeOf(filter) !== LOCAL_RATE_LIMIT);
      return text(operation) === 'MERGE' && Object.keys(rest).length === 0 && filters.length > 0 && !isOther;
    }
    default:
      return false;
  }
}

/** Whether a patch says versions and ciphers of TLS that the cluster makes anyway. Elsewhere it would wrap what is sent (cluster_patch.go, mergeTransportSocketCluster). */
function isTlsParameters(entry: Json, hop: Hop): boolean {
  const { operation, value } = record(entry.patch);
  const { transport_socket: socket, ...rest } = record(value);
  const { '@type': type, common_tls_context: common, ...settings } = record(record(socket).typed_config);
  const { tls_params: parameters, ...others } = record(common);
  const isAlone = [rest, settings, others].every((some) => Object.keys(some).length === 0);
  return (
    text(entry.applyTo) === 'CLUSTER' &&
    text(operation) === 'MERGE' &&
    record(socket).name === 'envoy.transport_sockets.tls' &&
    text(type).endsWith('.UpstreamTlsContext') &&
    parameters !== undefined &&
    isAlone &&
    (hop.sends?.tls === 'SIMPLE' || hop.sends?.tls === 'MUTUAL')
  );
}

/** Whether a patch lets the request of a hop go where it would go without it. */
export function letsPass(entry: Json, hop: Hop): boolean {
  return isRateLimit(entry) || isTlsParameters(entry, hop);
}
