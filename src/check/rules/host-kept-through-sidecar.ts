import { envoyGateways } from '../envoy-gateway';
import { isSubsetOf, isWildcard } from '../../model/hostnames';
import type { CheckContext } from '../context';
import { GATEWAY_API, type Reference, routeSpec } from '../gateway-api';
import type { Hit, Rule } from '../rule';

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
    const gateways = new Map(
      context
        .index(envoyGateways)
        .filter(({ workload }) => workload.membership === 'sidecar')
        .map(({ gateway: { config }, workload }) => [`${config.namespace}/${config.name}`, workload.namespace]),
    );
    if (gateways.size === 0) return;
    for (const manifest of context.of(GATEWAY_API, 'HTTPRoute')) {
      const { parentRefs = [], hostnames = [], rules = [] } = routeSpec(manifest);
      const homes = parentRefs.flatMap(({ kind = 'Gateway', namespace = manifest.namespace, name }) =>
        kind === 'Gateway' ? (gateways.get(`${namespace}/${name}`) ?? []) : [],
      );
      if (homes.length === 0) continue;
      for (const [at, { backendRefs = [], filters = [] }] of rules.entries()) {
        const rewrite = filters.findIndex(({ urlRewrite }) => urlRewrite?.hostname);
        const host = filters[rewrite]?.urlRewrite?.hostname;
        const strange = host && strangeHost(context, host, backendRefs, manifest.namespace, homes);
        if (strange) {
          yield {
            manifest,
            field: ['spec', 'rules', at, 'filters', rewrite, 'urlRewrite', 'hostname'],
            ...strange,
            what: `requests go on to ${backendRefs.map(({ name }) => name).join(', ')} with the Host header ${host}, ${strange.what}`,
          };
          continue;
        }
        const services = backendRefs.filter(
          ({ kind = 'Service', filters: own = [] }) =>
            kind === 'Service' && !own.some(({ urlRewrite }) => urlRewrite?.hostname),
        );
        if (services.length === 0 || host) continue;
        const isInternal =
          hostnames.length > 0 && hostnames.every((host) => host.endsWith(`.svc.${context.mesh.config.clusterDomain}`));
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

/** A hostname that is written anew, to one that is not the backend's own. */
function strangeHost(
  { mesh }: CheckContext,
  host: string,
  backends: readonly Reference[],
  namespace: string,
  homes: readonly string[],
): Omit<Hit, 'field'> | undefined {
  const services = backends.filter(({ kind = 'Service' }) => kind === 'Service');
  if (services.length === 0) return undefined;
  const domain = `svc.${mesh.config.clusterDomain}`;
  const own = services.flatMap(({ name, namespace: at = namespace }) => [
    ...[`${name}.${at}`, `${name}.${at}.svc`, `${name}.${at}.${domain}`],
    // The sidecar knows Services of its own namespace by their names alone.
    ...(homes.includes(at) ? [`${name}`] : []),
  ]);
  if (own.includes(host)) return undefined;
  if (host.endsWith(`.${domain}`) || /^[^.]+(\.[^.]+(\.svc)?)?$/.test(host))
    return {
      severity: 'warning',
      what: `which is not that of ${services.map(({ name, namespace: at = namespace }) => `Service ${at}/${name}`).join(', ')}`,
      why: 'The sidecar goes by the Host header: it takes requests to the Service of that name, and answers 502 or sends them on without mutual TLS where there is none.',
    };
  const isKnown = [...mesh.services.all].some((service) => service.host === host || (isWildcard(service.host) && isSubsetOf(host, service.host))); // prettier-ignore
  return isKnown ? undefined : { what: 'which no Service or ServiceEntry has' };
}
