/** The HTTP filters that Envoy Gateway sets up for a listener, in the order in which a request meets them. */
import { records, text, type Json } from './fields';

const PREFIX = 'envoy.filters.http.';

/** By newOrderedHTTPFilter of internal/xds/translator/httpfilters.go (1.7.0; csrf since 1.9, dynamic_modules since 1.8), those left out that decide about no request. */
const USUAL = [
  'health_check',
  'fault',
  'cors',
  'csrf',
  'ext_authz',
  'api_key_auth',
  'basic_auth',
  'oauth2',
  'jwt_authn',
  'lua',
  'ext_proc',
  'wasm',
  'dynamic_modules',
  'rbac',
] as const;

export type FilterName = (typeof USUAL)[number];

/**
 * The order at the proxies of an EnvoyProxy: the usual one, with `filterOrder` applied one entry after the other (sortHTTPFilters in the
 * same file). An entry that names a filter which is not set up moves nothing, so `present` says which are.
 */
export function filterOrder(proxy: Json, present: ReadonlySet<FilterName>): readonly FilterName[] {
  const order = USUAL.filter((name) => present.has(name));
  for (const entry of records(proxy.filterOrder)) {
    const moved = order.indexOf(plain(entry.name) as FilterName);
    const mark = plain(entry.before ?? entry.after) as FilterName;
    if (moved < 0 || !order.includes(mark) || order[moved] === mark) continue;
    const [filter] = order.splice(moved, 1);
    order.splice(order.indexOf(mark) + (entry.before === undefined ? 1 : 0), 0, filter as FilterName);
  }
  return order;
}

function plain(name: unknown): string {
  const written = text(name);
  return written.startsWith(PREFIX) ? written.slice(PREFIX.length) : written;
}
