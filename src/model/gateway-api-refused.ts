/**
 * Routes that istiod converts to nothing at all, since one thing in them is an error (convertHTTPRoute, convertGRPCRoute, buildDestination
 * and computeRoute of pilot/pkg/config/kube/gateway). A backend that is not there, or may not be named, is none: its rule answers 500.
 */
import { number, record, records, text, type Json } from './fields';
import type { ApiRoute } from './gateway-api';

export interface RefusedRule {
  /** Which rule it is. */
  readonly index: number;
  readonly problem: RefusedRuleProblem;
}

export type RefusedRuleProblem =
  | { readonly is: 'unknown-filter'; readonly filter: string; readonly ofBackend: boolean }
  | { readonly is: 'no-service-name'; readonly name: string }
  | { readonly is: 'hostname-with-namespace' | 'hostname-without-port'; readonly name: string };

const HEADERS = ['RequestHeaderModifier', 'ResponseHeaderModifier'];
const FILTERS: Readonly<Partial<Record<ApiRoute['kind'], readonly string[]>>> = {
  HTTPRoute: [...HEADERS, 'RequestRedirect', 'RequestMirror', 'URLRewrite', 'CORS'],
  GRPCRoute: [...HEADERS, 'RequestMirror'],
};

/** The first rule for which istiod takes nothing of a route. */
export function refusedByIstio(route: ApiRoute): RefusedRule | undefined {
  const known = FILTERS[route.kind];
  for (const [index, rule] of records(route.config.spec.rules).entries()) {
    const own = known && records(rule.filters).find(({ type }) => !known.includes(text(type)));
    if (own !== undefined)
      return { index, problem: { is: 'unknown-filter', filter: text(own.type), ofBackend: false } };
    for (const backend of records(rule.backendRefs)) {
      if (backend.weight !== undefined && number(backend.weight) === 0) continue;
      const problem = backendProblem(backend);
      if (problem !== undefined) return { index, problem };
    }
  }
  return undefined;
}

function backendProblem(backend: Json): RefusedRuleProblem | undefined {
  const foreign = records(backend.filters).find(({ type }) => !HEADERS.includes(text(type)));
  if (foreign !== undefined) return { is: 'unknown-filter', filter: text(foreign.type), ofBackend: true };
  const [group, kind, name] = [text(backend.group), text(backend.kind) || 'Service', text(backend.name)];
  if (group === '' && kind === 'Service' && name.includes('.')) return { is: 'no-service-name', name };
  if (group !== 'networking.istio.io' || kind !== 'Hostname') return undefined;
  if (text(record(backend).namespace) !== '') return { is: 'hostname-with-namespace', name };
  return backend.port === undefined ? { is: 'hostname-without-port', name } : undefined;
}
