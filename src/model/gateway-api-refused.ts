/**
 * Routes that istiod converts to nothing at all, since one thing in them is an error (convertHTTPRoute, convertGRPCRoute, buildDestination
 * and computeRoute of pilot/pkg/config/kube/gateway). A backend that is not there, or may not be named, is none: its rule answers 500.
 */
import { number, record, records, text, type Json } from './fields';
import type { ApiRoute } from './gateway-api';

export interface RefusedRule {
  /** Which rule it is. */
  readonly index: number;
  readonly detail: string;
  readonly cure: string;
}

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
      return { index, detail: `istiod knows no filter ${text(own.type)}`, cure: 'take the filter out' };
    for (const backend of records(rule.backendRefs)) {
      if (backend.weight !== undefined && number(backend.weight) === 0) continue;
      const fault = backendFault(backend);
      if (fault !== undefined) return { index, ...fault };
    }
  }
  return undefined;
}

function backendFault(backend: Json): Omit<RefusedRule, 'index'> | undefined {
  const foreign = records(backend.filters).find(({ type }) => !HEADERS.includes(text(type)));
  if (foreign !== undefined)
    return { detail: `istiod knows no filter ${text(foreign.type)} of a backend`, cure: 'move the filter to the rule' };
  const [group, kind, name] = [text(backend.group), text(backend.kind) || 'Service', text(backend.name)];
  if (group === '' && kind === 'Service' && name.includes('.'))
    return { detail: `${name} is no name of a Service`, cure: 'write the name alone, and its namespace beside it' };
  if (group !== 'networking.istio.io' || kind !== 'Hostname') return undefined;
  if (text(record(backend).namespace) !== '')
    return { detail: `Hostname ${name} has a namespace`, cure: 'leave the namespace out' };
  return backend.port === undefined ? { detail: `Hostname ${name} has no port`, cure: 'write the port' } : undefined;
}
