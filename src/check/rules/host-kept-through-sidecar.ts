import { envoyGateways } from '../envoy-gateway';
import { GATEWAY_API, routeSpec } from '../gateway-api';
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
