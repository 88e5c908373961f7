import { hostsForNamespace, intersection } from '../model/hostnames';
import type { MergedGateway } from '../model/merged-gateway';
import type { Service } from '../model/services';
import type { VirtualService } from '../model/virtual-services';
import { DomainIndex } from './envoy';
import { hasRoutes, isCatchAllRoute, routesOf, VirtualHost, type Route } from './http-routes';
import type { RouteConfig } from './sidecar-routes';
import type { ProxyView } from './tcp-routes';

/** What of a gateway its routes hang on: of its scope, which services it knows. */
export interface GatewayView extends Pick<ProxyView, 'mesh' | 'proxy'> {
  readonly scope: Pick<ProxyView['scope'], 'service'>;
}

/** Services as a gateway's route sees them: of the VirtualService's own namespace first, else the one in the gateway's scope. */
function lookupFor(view: GatewayView, virtualService: VirtualService): (host: string) => Service | undefined {
  return (host) => {
    const own = view.mesh.services.named(host).get(virtualService.namespace);
    if (own !== undefined && view.mesh.services.isVisible(own, view.proxy.namespace)) return own;
    return view.scope.service(host);
  };
}

/** A host of a gateway's port while its servers are gone through: what adds routes to it, in order. */
interface Draft {
  readonly name: string;
  readonly parts: (() => readonly Route[])[];
  requireTls: boolean;
}

/** Routes of a gateway's HTTP port or HTTPS server: VirtualServices of one host joined in their order, catch-alls moved to the end. */
export function gatewayRouteConfig(view: GatewayView, merged: MergedGateway, name: string): RouteConfig {
  const servers = merged.serversByRoute.get(name) ?? [];
  const byHost = new Map<string, Draft>();
  const draftOf = (host: string, port: number): Draft => {
    const existing = byHost.get(host);
    if (existing !== undefined) return existing;
    const made: Draft = { name: `${host}:${port}`, parts: [], requireTls: false };
    byHost.set(host, made);
    return made;
  };
  // The routes of a VirtualService are those that the first server of its Gateway gave it.
  const first = new Map<string, () => readonly Route[]>();
  for (const server of servers) {
    const redirects = server.tls?.httpsRedirect === true;
    for (const virtualService of view.mesh.virtualServices.forGateway(view.proxy.namespace, server.gatewayName)) {
      const hosts = intersection(hostsForNamespace(server.hosts, virtualService.namespace), virtualService.hosts);
      if (hosts.length === 0) continue;
      const key = `${server.gatewayName} ${virtualService.name}/${virtualService.namespace}`;
      let routes = first.get(key);
      if (routes === undefined) {
        const context = {
          port: server.port,
          gateway: server.gatewayName,
          proxy: view.proxy,
          lookup: lookupFor(view, virtualService),
        };
        if (!hasRoutes(virtualService, context)) continue;
        routes = () => routesOf(virtualService, context);
        first.set(key, routes);
      }
      for (const host of hosts) {
        const draft = draftOf(host.toLowerCase(), server.port);
        draft.parts.push(routes);
        draft.requireTls ||= redirects;
      }
    }
    if (redirects) for (const host of server.hosts) draftOf(host.toLowerCase(), server.port).requireTls = true;
  }
  const domains = new DomainIndex<VirtualHost>();
  const hosts: VirtualHost[] = [];
  const add = (domain: string, host: VirtualHost): void => {
    domains.add(domain, host);
    hosts.push(host);
  };
  if (byHost.size === 0 && servers.length > 0)
    add('*', new VirtualHost(`blackhole:${servers[0]?.port ?? 0}`, ['*'], () => [], false));
  for (const [host, { name, parts, requireTls }] of byHost)
    add(host, new VirtualHost(name, [host], () => catchAllsLast(parts.flatMap((part) => part())), requireTls));
  return { name, match: (host) => domains.match(host), hosts: () => hosts };
}

function catchAllsLast(routes: readonly Route[]): readonly Route[] {
  return [...routes.filter((route) => !isCatchAllRoute(route)), ...routes.filter(isCatchAllRoute)];
}
