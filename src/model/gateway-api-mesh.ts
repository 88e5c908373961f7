import { record, records, text, texts, type Json } from './fields';
import { GATEWAY_API, type ApiRoute, type GatewayApi, USUAL_CLASSES } from './gateway-api';
import { refusedByIstio } from './gateway-api-refused';
import { ANY_HTTP, httpRules, l4Rules } from './gateway-api-rules';
import { overlaps } from './hostnames';
import { JoinedRoutes, routedVirtualService } from './gateway-api-virtual-service';
import { MESH_GATEWAY, type HttpRule, type L4Rule, type VirtualService } from './virtual-services';
import { USE_WAYPOINT, USE_WAYPOINT_NAMESPACE } from './waypoints';

/** A parent of a route that is no Gateway, as the hosts whose clients the route is for. */
interface MeshParent {
  readonly hosts: readonly string[];
  /** 0 for every port. */
  readonly port: number;
}

const ISTIO = 'networking.istio.io';

function meshParent(api: GatewayApi, route: ApiRoute, parent: Json, domain: string): MeshParent | undefined {
  const group = parent.group === undefined ? GATEWAY_API : text(parent.group);
  const namespace = text(parent.namespace) || route.config.namespace;
  const name = text(parent.name);
  const port = typeof parent.port === 'number' ? parent.port : 0;
  if (isOtherControllers(api, group, text(parent.kind), namespace, name)) return undefined;
  if (group === '' && parent.kind === 'Service') return { hosts: [`${name}.${namespace}.svc.${domain}`], port };
  if (group !== ISTIO || parent.kind !== 'ServiceEntry') return undefined;
  const entry = api.input
    .of(ISTIO, 'ServiceEntry')
    .find((manifest) => manifest.namespace === namespace && manifest.name === name);
  const spec = (entry?.body as { readonly spec?: Json } | undefined)?.spec;
  return spec === undefined ? undefined : { hosts: texts(spec.hosts), port };
}

/** Whether the waypoint that a parent, else its namespace, asks for is one that istiod does not serve. */
function isOtherControllers(api: GatewayApi, group: string, kind: string, namespace: string, name: string): boolean {
  // prettier-ignore
  const { input } = api;
  if (!input.istio.leavesRoutesToOtherWaypoints) return false;
  const parent = input.find(group, kind, namespace, name);
  if (parent === undefined) return false;
  const own = record(record(parent.body.metadata).labels);
  const labels = own[USE_WAYPOINT] === undefined ? (input.namespaces.get(namespace)?.labels ?? {}) : own;
  const waypoint = api.find(text(labels[USE_WAYPOINT_NAMESPACE]) || namespace, text(labels[USE_WAYPOINT]));
  if (waypoint === undefined) return false;
  const { className, controller } = waypoint;
  const isKnown =
    Object.hasOwn(USUAL_CLASSES, className) || input.find(GATEWAY_API, 'GatewayClass', '', className) !== undefined;
  return isKnown && controller !== 'istio' && controller !== 'istio-waypoint';
}

function onPort(rule: HttpRule, port: number): HttpRule {
  if (port === 0) return rule;
  const matches = rule.matches.length === 0 ? [ANY_HTTP] : rule.matches;
  return { ...rule, matches: matches.map((match) => ({ ...match, port })) };
}

function tcpOnPort(rule: L4Rule, port: number): L4Rule {
  if (port === 0) return rule;
  const any = { port, gateways: [], sourceLabels: {}, sourceNamespace: '', destinationSubnets: [], sniHosts: [] };
  return { ...rule, matches: rule.matches.length === 0 ? [any] : rule.matches.map((match) => ({ ...match, port })) };
}

/** SNI values of a route that names several count for a host of the parent only where they are within it. */
function tlsForHost(rule: L4Rule, port: number, host: string): L4Rule {
  return {
    ...rule,
    matches: rule.matches.map((match) => ({
      ...match,
      port,
      sniHosts: match.sniHosts.length > 1 ? match.sniHosts.filter((sni) => overlaps(sni, host)) : match.sniHosts,
    })),
  };
}

/**
 * Routes whose parent is a Service or a ServiceEntry: for clients of the mesh. Those of one namespace for one host and port are
 * one VirtualService, its rules in the order of the Gateway API; a backend in another namespace needs no grant.
 */
export function meshRoutes(api: GatewayApi, domain: string): readonly VirtualService[] {
  const joined = new JoinedRoutes(api.input.istio.joinsRoutesOfBothKinds);
  const others: VirtualService[] = [];
  const { kindsRead } = api.input;
  const read = api.routes.filter(({ kind }) => (kind !== 'TLSRoute' && kind !== 'TCPRoute') || kindsRead[kind]);
  for (const route of read) {
    if (refusedByIstio(route, api.input.istio) !== undefined) continue;
    for (const reference of records(route.config.spec.parentRefs)) {
      const parent = meshParent(api, route, reference, domain);
      if (parent === undefined) continue;
      for (const host of parent.hosts) {
        if (route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute') {
          const rules = httpRules(route, api.input, domain, { granted: true });
          joined.add(
            route,
            parent.port === 0 ? route.config.namespace : `${route.config.namespace}/${parent.port}`,
            host,
            rules.map((rule) => onPort(rule, parent.port)),
          );
          continue;
        }
        const snis = route.hostnames.length > 0 ? route.hostnames : parent.hosts;
        const rules = l4Rules(route, api.input, domain, snis, { granted: true });
        others.push(
          routedVirtualService(
            route.config,
            host,
            MESH_GATEWAY,
            route.kind === 'TLSRoute'
              ? { tls: rules.map((rule) => tlsForHost(rule, parent.port, host)) }
              : { tcp: rules.map((rule) => tcpOnPort(rule, parent.port)) },
          ),
        );
      }
    }
  }
  return [...joined.virtualServices(() => MESH_GATEWAY), ...others];
}
