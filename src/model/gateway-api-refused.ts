/**
 * Routes that istiod converts to nothing at all, since one thing in them is an error (convertHTTPRoute, convertGRPCRoute, buildDestination
 * and computeRoute of pilot/pkg/config/kube/gateway). A backend that is not there, or may not be named, is none: its rule answers 500.
 */
import { number, record, records, text, type Json } from './fields';
import type { ApiRoute } from './gateway-api';
import type { IstioBehavior } from './release-behavior';

export interface RefusedRule {
  /** Which rule it is. */
  readonly index: number;
  readonly problem: RefusedRuleProblem;
}

export type RefusedRuleProblem =
  | { readonly is: 'unknown-filter'; readonly filter: string; readonly ofBackend: boolean }
  | { readonly is: 'header-value'; readonly header: string; readonly ofBackend: boolean }
  | { readonly is: 'no-service-name'; readonly name: string }
  | { readonly is: 'hostname-with-namespace' | 'hostname-without-port'; readonly name: string };

const HEADERS = ['RequestHeaderModifier', 'ResponseHeaderModifier'];
const FILTERS: Readonly<Partial<Record<ApiRoute['kind'], readonly string[]>>> = {
  HTTPRoute: [...HEADERS, 'RequestRedirect', 'RequestMirror', 'URLRewrite', 'CORS'],
  GRPCRoute: [...HEADERS, 'RequestMirror'],
};

/** The first rule for which istiod takes nothing of a route. */
export function refusedByIstio(route: ApiRoute, istio: IstioBehavior): RefusedRule | undefined {
  const known = FILTERS[route.kind];
  for (const [index, rule] of records(route.config.spec.rules).entries()) {
    const own = known === undefined ? undefined : filterProblem(records(rule.filters), known, istio, false);
    if (own !== undefined) return { index, problem: own };
    for (const backend of records(rule.backendRefs)) {
      if (backend.weight !== undefined && number(backend.weight) === 0) continue;
      const problem = backendProblem(backend, istio);
      if (problem !== undefined) return { index, problem };
    }
  }
  return undefined;
}

/** Of filters in their order, the first that is at fault. */
function filterProblem(
  filters: readonly Json[],
  known: readonly string[],
  { refusesHeaderValues }: IstioBehavior,
  ofBackend: boolean,
): RefusedRuleProblem | undefined {
  for (const filter of filters) {
    const type = text(filter.type);
    if (!known.includes(type)) return { is: 'unknown-filter', filter: type, ofBackend };
    if (!refusesHeaderValues || !HEADERS.includes(type)) continue;
    const { set, add } = record(type === 'RequestHeaderModifier' ? filter.requestHeaderModifier : filter.responseHeaderModifier); // prettier-ignore
    const odd = [...records(set), ...records(add)].find(({ value }) => CONTROL.test(text(value)));
    if (odd !== undefined) return { is: 'header-value', header: text(odd.name), ofBackend };
  }
  return undefined;
}

/** Control characters but a tab (isValidHeaderValue). */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

function backendProblem(backend: Json, istio: IstioBehavior): RefusedRuleProblem | undefined {
  const ofFilters = filterProblem(records(backend.filters), HEADERS, istio, true);
  if (ofFilters !== undefined) return ofFilters;
  const [group, kind, name] = [text(backend.group), text(backend.kind) || 'Service', text(backend.name)];
  if (group === '' && kind === 'Service' && name.includes('.')) return { is: 'no-service-name', name };
  if (group !== 'networking.istio.io' || kind !== 'Hostname') return undefined;
  if (text(record(backend).namespace) !== '') return { is: 'hostname-with-namespace', name };
  return backend.port === undefined ? { is: 'hostname-without-port', name } : undefined;
}
