import { MESH, nameOf, push, virtualServices } from '../edge';
import type { Manifest } from '../../model/manifest';
import { GATEWAY_API, routeSpec } from '../gateway-api';
import { toFqdn } from '../hosts';
import type { Rule } from '../rule';

const KINDS = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const;

export const rule: Rule = {
  id: 'EDGE806',
  name: 'mesh-route-and-virtual-service',
  severity: 'error',
  title: 'A route and a VirtualService are for one host of the mesh',
  why: 'Istio turns the route into a VirtualService of its own. Of two for one host sidecars use the older, and nothing of the other.',
  fix: 'Write the rules into one of them.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#mesh-traffic',
  reads: ['VirtualService'],
  footguns: ['G11'],
  *check(context) {
    const byHost = new Map<string, Manifest[]>();
    for (const { manifest, hosts, gateways, spec } of context.index(virtualServices)) {
      if (!gateways.includes(MESH) || (spec.exportTo ?? []).includes('~')) continue;
      for (const host of new Set(hosts)) push(byHost, toFqdn(host, manifest.namespace), manifest);
    }
    for (const manifest of KINDS.flatMap((kind) => context.of(GATEWAY_API, kind))) {
      for (const [at, { kind, name, namespace = manifest.namespace }] of (
        routeSpec(manifest).parentRefs ?? []
      ).entries()) {
        const hosts =
          kind === 'Service'
            ? [`${name}.${namespace}.svc.${context.mesh.config.clusterDomain}`]
            : kind === 'ServiceEntry'
              ? context.mesh.services
                  .inNamespace(namespace)
                  .filter(({ config }) => config.kind === 'ServiceEntry' && config.name === name)
                  .map(({ host }) => host)
              : [];
        for (const host of new Set(hosts)) {
          for (const other of byHost.get(host) ?? [])
            yield {
              manifest,
              field: ['spec', 'parentRefs', at],
              what: `${nameOf(manifest)} and ${nameOf(other)} are both for ${host} in the mesh`,
            };
        }
      }
    }
  },
};
