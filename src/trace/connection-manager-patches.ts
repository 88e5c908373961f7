/**
 * Patches that are merged into Envoy's HTTP connection manager: which of its settings decide about a request, and about which one. Most of those
 * that people patch are of times, logs and headers that only the server reads.
 */
import { optionalRecord, record, records, type Json } from '../model/fields';
import type { Recorder } from './ask';
import { exact, PRESENT, regex } from './matcher';
import { parseRequest } from './request';
import type { Trace, TraceRequest } from './types';

/** What a setting decides about. `all`: every request; `own replies`: those that the proxy answers by itself. */
type About = 'none' | 'all' | 'forwarded' | 'paths' | 'hosts' | 'upgrades' | 'CONNECT' | 'own replies';

const forms = (one: string): readonly string[] => [one, one.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())]; // prettier-ignore

const about = (what: About, ...settings: readonly string[]): readonly (readonly [string, About])[] =>
  settings.flatMap(forms).map((setting) => [setting, what] as const);

/** The settings of HttpConnectionManager (envoy.extensions.filters.network.http_connection_manager.v3), in both forms that protobuf's JSON takes. */
const SETTINGS: ReadonlyMap<string, About> = new Map([
  ...about('none', 'stat_prefix', 'access_log', 'access_log_flush_interval', 'access_log_options', 'tracing'),
  ...about('none', 'flush_access_log_on_new_request', 'server_name', 'server_header_transformation', 'via'),
  ...about('none', 'max_request_headers_kb', 'stream_idle_timeout', 'stream_flush_timeout', 'request_timeout'),
  ...about('none', 'request_headers_timeout', 'drain_timeout', 'delayed_close_timeout', 'add_user_agent'),
  ...about('none', 'http_protocol_options', 'http3_protocol_options', 'common_http_protocol_options'),
  ...about('none', 'generate_request_id', 'preserve_external_request_id', 'always_set_request_id_in_response'),
  ...about('none', 'request_id_extension', 'forward_client_cert_details', 'set_current_client_cert_details'),
  ...about(
    'none',
    'proxy_100_continue',
    'represent_ipv4_remote_address_as_ipv4_mapped_ipv6',
    'internal_address_config',
  ),
  ...about('none', 'stream_error_on_invalid_http_message', 'typed_header_validation_config', 'append_x_forwarded_port'),
  ...about('none', 'proxy_status_config', 'add_proxy_protocol_connection_state', 'append_local_overload', '@type'),
  ...about('none', 'http1_safe_max_connection_duration', 'max_stream_duration'),
  ...about('forwarded', 'use_remote_address', 'xff_num_trusted_hops', 'skip_xff_append'),
  ...about('paths', 'normalize_path', 'merge_slashes', 'path_with_escaped_slashes_action'),
  ...about('hosts', 'strip_matching_host_port', 'strip_any_host_port', 'strip_trailing_host_dot'),
  ...about('upgrades', 'upgrade_configs'),
  ...about('CONNECT', 'http2_protocol_options'),
  ...about('own replies', 'local_reply_config'),
]);

/** The status of a reply, which a mapper may write anew. */
const STATUS = new Set(forms('status_code'));

function decidesAbout(setting: string, value: unknown): About {
  if (forms('codec_type').includes(setting)) return value === 'AUTO' ? 'none' : 'all';
  const found = SETTINGS.get(setting) ?? 'all';
  if (found !== 'own replies') return found;
  const mappers = records(record(value).mappers);
  return mappers.some((mapper) => Object.keys(mapper).some((key) => STATUS.has(key))) ? found : 'none';
}

/** Paths that normalizing changes: two slashes in a row, a dot or two for a segment, backslashes and escapes. */
const ABNORMAL = regex('.*(//|/\\.|\\\\|%).*');
const PORT_OR_DOT = regex('.*(:[0-9]+|\\.)');

/** Whether what is merged into the connection manager may decide about a request, as far as it comes this far. */
export function decidesOf(patch: Json, request: TraceRequest, trace: Trace, recorder?: Recorder): boolean {
  const settings = optionalRecord(record(patch.value).typed_config) ?? optionalRecord(record(patch.value).typedConfig);
  const abouts = new Set(Object.entries(settings ?? {}).map(([setting, value]) => decidesAbout(setting, value)));
  if (abouts.has('all')) return true;
  const { http } = parseRequest(request, recorder);
  if (http === null) return false;
  const isThere = (...names: readonly string[]): boolean => names.some((name) => http.headers.get(name).is(PRESENT));
  return (
    (abouts.has('own replies') && trace.outcome !== 'delivered') ||
    (abouts.has('forwarded') && isThere('x-forwarded-for', 'x-forwarded-proto')) ||
    (abouts.has('paths') && http.path.plain.is(ABNORMAL)) ||
    (abouts.has('hosts') && http.authority.is(PORT_OR_DOT)) ||
    (abouts.has('upgrades') && isThere('upgrade')) ||
    ((abouts.has('CONNECT') || abouts.has('upgrades')) && http.method.is(exact('CONNECT')))
  );
}
