import { MESH, ruleMatches, virtualServices, fullHost } from '../edge';
import { NETWORKING, specOf } from '../istio';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE316',
  name: 'tunnel-on-http-route',
  severity: 'error',
  title: 'A tunnel is set for a destination that HTTP routes use',
  why: 'Envoy opens a CONNECT tunnel for TCP and TLS routes only. An HTTP route goes to the proxy as a plain request, without the tunnel.',
  fix: 'Route tcp or tls to the destination.',
  see: 'https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-TunnelSettings',
  reads: ['DestinationRule'],
  footguns: ['T20'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      const tunnels = [
        ...(spec.trafficPolicy?.tunnel ? [{ subset: undefined, field: ['spec', 'trafficPolicy', 'tunnel'] }] : []),
        ...(spec.subsets ?? []).flatMap(({ name, trafficPolicy }, at) =>
          trafficPolicy?.tunnel ? [{ subset: name, field: ['spec', 'subsets', at, 'trafficPolicy', 'tunnel'] }] : [],
        ),
      ];
      if (tunnels.length === 0) continue;
      const host = fullHost(context, spec.host ?? '', manifest.namespace);
      for (const { subset, field } of tunnels) {
        const users = context.index(virtualServices).flatMap((service) =>
          ruleMatches(service)
            .filter(({ kind, rule }) =>
              (service.spec[kind]?.[rule]?.route ?? []).some(
                ({ destination }) =>
                  fullHost(context, destination?.host ?? '', service.manifest.namespace) === host &&
                  (subset === undefined || destination?.subset === subset),
              ),
            )
            .map(({ kind, gateways }) => ({ kind, service, gateways: gateways.filter((name) => name !== MESH) })),
        );
        const http = users.find(({ kind }) => kind === 'http');
        if (!http || users.some(({ kind }) => kind !== 'http')) continue;
        yield {
          manifest,
          field,
          what: `a tunnel is set for ${host}${subset ? `, subset ${subset},` : ''} and VirtualService ${http.service.manifest.namespace}/${http.service.manifest.name} routes http to it`,
        };
      }
    }
  },
};
