import { envoyGateways } from '../envoy-gateway';
import { isSubsetOf, isWildcard } from '../../model/hostnames';
import type { CheckContext } from '../context';
import { GATEWAY_API, type Reference, type RouteFilter, routeSpec } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE810',
  name: 'host-kept-through-sidecar',
  severity: 'error',
  title: 'A route keeps the public host on its way through a sidecar',
  why: "The sidecar beside Envoy Gateway's proxy looks for the service by the Host header. A public name is none that it knows: requests get 502 where only registered hosts are allowed, and otherwise go on without mutual TLS.",
  fix: "Add a URLRewrite filter whose hostname is the Service's own: NAME.NAMESPACE.svc.cluster.local.",
  see: 'https://gateway-api.sigs.k8s.io/guides/http-redirect-rewrite/',
  reads: ['HTTPRoute'],
  footguns: ['Y04'],
  *check(context) {
    const gateways = new Set(
      context
        .index(envoyGateways)
        .filter(({ workload }) => workload.membership === 'sidecar')
        .map(({ gateway: { config } }) => `${config.namespace}/${config.name}`),
    );
    if (gateways.size === 0) return;
    for (const manifest of context.of(GATEWAY_API, 'HTTPRoute')) {
      const { parentRefs = [], hostnames = [], rules = [] } = routeSpec(manifest);
      if (
        !parentRefs.some(
          ({ kind = 'Gateway', namespace = manifest.namespace, name }) =>
            kind === 'Gateway' && gateways.has(`${namespace}/${name}`),
        )
      )
        continue;
      for (const [at, { backendRefs = [], filters = [] }] of rules.entries()) {
        const strange = strangeHost(context, filters, backendRefs);
        if (strange !== undefined) {
          yield {
            manifest,
            field: ['spec', 'rules', at, 'filters', strange.at, 'urlRewrite', 'hostname'],
            what: `requests go on to ${backendRefs.map(({ name }) => name).join(', ')} with the Host header ${strange.host}, which no Service or ServiceEntry has`,
          };
          continue;
        }
        const services = backendRefs.filter(
          ({ kind = 'Service', filters: own = [] }) =>
            kind === 'Service' && !own.some(({ urlRewrite }) => urlRewrite?.hostname),
        );
        if (services.length === 0 || filters.some(({ urlRewrite }) => urlRewrite?.hostname)) continue;
        const isInternal = hostnames.length > 0 && hostnames.every((host) => host.endsWith('.svc.cluster.local'));
        if (isInternal) continue;
        yield {
          manifest,
          field: ['spec', 'rules', at],
          what: `requests for ${hostnames.join(', ') || 'any host'} go on to ${services.map(({ name }) => name).join(', ')} with that Host header`,
        };
      }
    }
  },
};

/** A hostname that is written anew, to one that the sidecar does not know either. */
function strangeHost(
  { mesh }: CheckContext,
  filters: readonly RouteFilter[],
  backends: readonly Reference[],
): { readonly host: string; readonly at: number } | undefined {
  if (!backends.some(({ kind = 'Service' }) => kind === 'Service')) return undefined;
  const at = filters.findIndex(({ urlRewrite }) => urlRewrite?.hostname);
  const host = filters[at]?.urlRewrite?.hostname;
  if (host === undefined) return undefined;
  const domain = `.svc.${mesh.config.clusterDomain}`;
  // A Service of a namespace that no manifest shows may well be there.
  if (host.endsWith(domain) || /^[^.]+(\.[^.]+(\.svc)?)?$/.test(host)) return undefined;
  const isKnown = [...mesh.services.all].some((service) => service.host === host || (isWildcard(service.host) && isSubsetOf(host, service.host))); // prettier-ignore
  return isKnown ? undefined : { host, at };
}
