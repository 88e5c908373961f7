import { isSubsetOf } from '../../model/hostnames';
import type { Service } from '../../model/services';
import { serviceBindingOf } from '../../model/waypoints';
import type { CheckContext } from '../context';
import { MESH, fullHost, virtualServices } from '../edge';
import { GATEWAY_API, ROUTE_KINDS, routeSpec } from '../gateway-api';
import type { Rule } from '../rule';
import { hasNoSidecar } from '../waypoints';

export const rule: Rule = {
  id: 'EDGE716',
  name: 'route-without-waypoint',
  severity: 'warning',
  title: 'A route is for a Service that no waypoint serves, where nobody has a sidecar',
  why: 'Sidecars and waypoints read routes for the mesh. Without both, ztunnel sends each connection straight to the Pods of the Service, and the route is followed by nobody.',
  fix: 'Bind the Service, or its Namespace, to a waypoint: label it istio.io/use-waypoint.',
  see: 'https://istio.io/latest/docs/ambient/usage/l7-features/',
  reads: ['VirtualService', ...ROUTE_KINDS],
  findsAbsence: true,
  footguns: ['A07'],
  *check(context) {
    if (!hasNoSidecar(context)) return;
    const unled = context.mesh.services.all.filter((service) => isUnled(context, service));
    if (unled.length === 0) return;
    for (const { manifest, spec } of context.index(virtualServices)) {
      if (!(spec.gateways ?? [MESH]).includes(MESH)) continue;
      for (const [at, host] of (spec.hosts ?? []).entries()) {
        const full = fullHost(context, host, manifest.namespace);
        const service = unled.find((one) => isSubsetOf(one.host, full));
        if (service === undefined || full === '*') continue;
        yield { manifest, field: ['spec', 'hosts', at], what: said(host, service) };
      }
    }
    for (const kind of ROUTE_KINDS)
      for (const manifest of context.of(GATEWAY_API, kind))
        for (const [at, parent] of (routeSpec(manifest).parentRefs ?? []).entries()) {
          if (parent.kind !== 'Service') continue;
          const { name, namespace = manifest.namespace } = parent;
          const service = unled.find(({ config }) => config.name === name && config.namespace === namespace);
          if (service === undefined) continue;
          yield { manifest, field: ['spec', 'parentRefs', at, 'name'], what: said(`Service ${name}`, service) };
        }
  },
};

/** Whether nothing asks for a waypoint. That one is asked for which does not serve it is another rule's. */
function isUnled({ mesh }: CheckContext, service: Service): boolean {
  return (
    service.registry === 'Kubernetes' &&
    !service.assumed &&
    mesh.membershipIn(service.namespace) === 'ztunnel' &&
    serviceBindingOf(mesh, service) === undefined &&
    mesh.gatewayApi.find(service.namespace, service.config.name) === undefined
  );
}

const said = (named: string, { namespace, config: { name } }: Service): string =>
  `the route is for ${named}, and Service ${namespace}/${name} is bound to no waypoint: nothing that runs here reads it`;
