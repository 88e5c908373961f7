import type { Manifest } from '../../model/manifest';
import type { Service } from '../../model/services';
import { INGRESS_USE_WAYPOINT, ingressBindingOf } from '../../model/waypoints';
import { asSentence } from '../../trace/words/words';
import { targetRefsOf, waypointOf } from '../authorization';
import type { CheckContext } from '../context';
import { MESH, nameOf, ruleMatches, virtualServices, fullHost } from '../edge';
import { routingType } from '../../model/envoy-gateway';
import { routingTypeAt } from '../../model/envoy-gateway-policies';
import { envoyGateways } from '../envoy-gateway';
import { SECURITY, specOf } from '../istio';
import { type Reference, routeSpec } from '../gateway-api';
import type { FieldPath } from '../../model/manifest';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE715',
  name: 'ingress-past-waypoint',
  severity: 'warning',
  title: 'Requests from a gateway go past the waypoint of the Service that they are for',
  why: "Gateways of Istio and of Envoy Gateway send to the Pods of a Service themselves, also where the Service is bound to a waypoint. What the waypoint's policies ask for is not asked of those requests.",
  fix: 'Label the Service (or its namespace) istio.io/ingress-use-waypoint: "true".',
  see: 'https://istio.io/latest/docs/ambient/usage/waypoint/#useawaypoint',
  reads: ['AuthorizationPolicy', 'RequestAuthentication'],
  footguns: ['A14'],
  *check(context) {
    const policies = [...context.of(SECURITY, 'AuthorizationPolicy'), ...context.of(SECURITY, 'RequestAuthentication')];
    if (!policies.some((policy) => targetRefsOf(specOf('AuthorizationPolicy', policy)).length > 0)) return;
    const said = new Set<Service>();
    const { rootNamespace } = context.mesh.config;
    for (const { route, gateway, host, field, past } of [...routed(context), ...byEnvoyGateway(context)]) {
      for (const service of context.mesh.services.named(host).values()) {
        const waypoint = waypointOf(context, service);
        if (waypoint === undefined || said.has(service) || (past === undefined && goesThrough(context, service)))
          continue;
        const held = policies.filter((policy) =>
          targetRefsOf(specOf('AuthorizationPolicy', policy)).some(
            ({ kind, name }) =>
              (kind === service.config.kind &&
                policy.namespace === service.namespace &&
                name === service.config.name) ||
              (kind === 'Gateway' && policy.namespace === waypoint.namespace && name === waypoint.name) ||
              (kind === 'GatewayClass' && policy.namespace === rootNamespace && name === 'istio-waypoint'),
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
          fix: past ?? `Label ${object} ${INGRESS_USE_WAYPOINT}: "true".`,
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
  /** How proxies that read no label of the Service come to go through its waypoint. */
  readonly past?: string;
}

/** Where routes lead whose proxies Envoy Gateway makes: the mesh takes them to a waypoint only if they are in ambient mode and dial Services. */
function* byEnvoyGateway(context: CheckContext): Generator<Routed> {
  const { mesh } = context;
  const views = new Map(context.index(envoyGateways).map((view) => [view.gateway, view]));
  for (const { route, gateway, listener } of mesh.gatewayApi.attachments) {
    const view = views.get(gateway);
    if (view === undefined) continue;
    const { manifest } = route.config;
    const of = `Gateway ${gateway.config.namespace}/${gateway.config.name}`;
    for (const [r, { name: rule = '', backendRefs = [] }] of (routeSpec(manifest).rules ?? []).entries()) {
      const policy = routingTypeAt({ route, rule, gateway, listener }, mesh);
      for (const [b, backend] of backendRefs.entries()) {
        const host = hostOf(context, backend, manifest.namespace);
        const isHeadless = [...mesh.services.named(host).values()].some(
          ({ resolution }) => resolution === 'PASSTHROUGH',
        );
        const dialsPods = routingType(view.proxy, isHeadless, policy) === 'Endpoint';
        const { membership, namespace } = view.workload;
        if (membership === 'ztunnel' && !dialsPods) continue;
        const dials = `set routingType: Service in the EnvoyProxy of ${of}`;
        const past =
          membership === 'ztunnel'
            ? asSentence(`${dials}, so that its proxies dial the Service, whose waypoint ztunnel goes by`)
            : `Put the proxies of ${of} into ambient mode (label namespace ${namespace} istio.io/dataplane-mode: ambient), and ${dials}.`;
        yield { route: manifest, gateway: of, host, field: ['spec', 'rules', r, 'backendRefs', b, 'name'], past };
      }
    }
  }
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
