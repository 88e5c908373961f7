import type { Manifest } from '../../model/manifest';
import type { Service } from '../../model/services';
import { INGRESS_USE_WAYPOINT, ingressBindingOf } from '../../model/waypoints';
import { targetRefsOf, waypointOf } from '../authorization';
import type { CheckContext } from '../context';
import { MESH, nameOf, ruleMatches, virtualServices, fullHost } from '../edge';
import { SECURITY, specOf } from '../istio';
import { type Reference, routeSpec } from '../gateway-api';
import type { FieldPath } from '../../model/manifest';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE715',
  name: 'ingress-past-waypoint',
  severity: 'warning',
  title: 'Requests from a gateway go past the waypoint of the Service that they are for',
  why: "Istio's gateways send to the Pods of a Service themselves, also where the Service is bound to a waypoint. What the waypoint's policies ask for is not asked of those requests.",
  fix: 'Label the Service (or its namespace) istio.io/ingress-use-waypoint: "true".',
  see: 'https://istio.io/latest/docs/ambient/usage/waypoint/#useawaypoint',
  reads: ['AuthorizationPolicy', 'RequestAuthentication'],
  footguns: ['A14'],
  *check(context) {
    const policies = [...context.of(SECURITY, 'AuthorizationPolicy'), ...context.of(SECURITY, 'RequestAuthentication')];
    if (!policies.some((policy) => targetRefsOf(specOf('AuthorizationPolicy', policy)).length > 0)) return;
    const said = new Set<Service>();
    for (const { route, gateway, host, field } of routed(context)) {
      for (const service of context.mesh.services.named(host).values()) {
        const waypoint = waypointOf(context, service);
        if (waypoint === undefined || said.has(service) || goesThrough(context, service)) continue;
        const held = policies.filter((policy) =>
          targetRefsOf(specOf('AuthorizationPolicy', policy)).some(
            ({ kind, name }) =>
              (kind === service.config.kind &&
                policy.namespace === service.namespace &&
                name === service.config.name) ||
              (kind === 'Gateway' && policy.namespace === waypoint.namespace && name === waypoint.name),
          ),
        );
        const [first] = held;
        if (first === undefined) continue;
        said.add(service);
        const object = `${service.config.kind} ${service.namespace}/${service.config.name}`;
        yield {
          manifest: route,
          field,
          what: `requests from ${gateway} to ${object} go past waypoint ${waypoint.namespace}/${waypoint.name}, and so past ${held.slice(0, 3).map(nameOf).join(', ')}`,
          fix: `Label ${object} ${INGRESS_USE_WAYPOINT}: "true".`,
        };
      }
    }
  },
};

function goesThrough({ mesh }: CheckContext, { config }: Service): boolean {
  const { kind, namespace, name, manifest } = config;
  return ingressBindingOf(mesh, { kind, namespace, name, labels: manifest.labels }) !== undefined;
}

interface Routed {
  readonly route: Manifest;
  readonly gateway: string;
  readonly host: string;
  readonly field: FieldPath;
}

/** Where routes of Istio's gateways lead. */
function* routed(context: CheckContext): Generator<Routed> {
  for (const service of context.index(virtualServices)) {
    const seen = new Set<number>();
    for (const { kind, rule, gateways } of ruleMatches(service)) {
      const gateway = gateways.find((name) => name !== MESH);
      if (gateway === undefined || kind !== 'http' || seen.has(rule)) continue;
      seen.add(rule);
      for (const [at, { destination }] of (service.spec.http?.[rule]?.route ?? []).entries()) {
        const host = fullHost(context, destination?.host ?? '', service.manifest.namespace);
        yield {
          route: service.manifest,
          gateway: `Gateway ${gateway}`,
          host,
          field: ['spec', 'http', rule, 'route', at, 'destination', 'host'],
        };
      }
    }
  }
  for (const { route, gateway } of context.mesh.gatewayApi.attachments) {
    if (gateway.controller !== 'istio') continue;
    const { manifest } = route.config;
    for (const [r, { backendRefs = [] }] of (routeSpec(manifest).rules ?? []).entries()) {
      for (const [b, backend] of backendRefs.entries()) {
        const host = hostOf(context, backend, manifest.namespace);
        const field = ['spec', 'rules', r, 'backendRefs', b, 'name'];
        yield { route: manifest, gateway: `Gateway ${gateway.config.namespace}/${gateway.config.name}`, host, field };
      }
    }
  }
}

function hostOf({ mesh }: CheckContext, { kind = 'Service', name = '', namespace }: Reference, home: string): string {
  return kind === 'Service' ? `${name}.${namespace ?? home}.svc.${mesh.config.clusterDomain}` : name;
}
