import { hostsForNamespace, intersection } from '../model/hostnames';
import type { MergedGateway } from '../model/merged-gateway';
import type { Service } from '../model/services';
import type { VirtualService } from '../model/virtual-services';
import { DomainIndex } from './envoy';
import { isCatchAllRoute, routesOf, type Route, type VirtualHost } from './http-routes';
import type { RouteConfig } from './sidecar-routes';
import type { ProxyView } from './tcp-routes';

/** Services as a gateway's route sees them: of the VirtualService's own namespace first, else the one in the gateway's scope. */
function lookupFor(view: ProxyView, virtualService: VirtualService): (host: string) => Service | undefined {
  return (host) => {
    const own = view.mesh.services.named(host).get(virtualService.namespace);
    if (own !== undefined && view.mesh.services.isVisible(own, view.proxy.namespace)) return own;
    return view.scope.service(host);
  };
}

/** Routes of a gateway's HTTP port or HTTPS server: VirtualServices of one host joined in their order, catch-alls moved to the end. */
export function gatewayRouteConfig(view: ProxyView, merged: MergedGateway, name: string): RouteConfig {
  const servers = merged.serversByRoute.get(name) ?? [];
  const byHost = new Map<string, VirtualHost>();
  const cache = new Map<string, readonly Route[]>();
  for (const server of servers) {
    for (const virtualService of view.mesh.virtualServices.forGateway(view.proxy.namespace, server.gatewayName)) {
      const hosts = intersection(hostsForNamespace(server.hosts, virtualService.namespace), virtualService.hosts);
      if (hosts.length === 0) continue;
      const key = `${server.gatewayName} ${virtualService.name}/${virtualService.namespace}`;
      let routes = cache.get(key);
      if (routes === undefined) {
        routes = routesOf(virtualService, {
          port: server.port,
          gateway: server.gatewayName,
          proxy: view.proxy,
          lookup: lookupFor(view, virtualService),
        });
        if (routes.length === 0) continue;
        cache.set(key, routes);
      }
      for (const given of hosts) {
        const host = given.toLowerCase();
        const existing = byHost.get(host);
        if (existing === undefined)
          byHost.set(host, {
            name: `${host}:${server.port}`,
            domains: [host],
            routes: [...routes],
            requireTls: server.tls?.httpsRedirect === true,
          });
        else {
          existing.routes.push(...routes);
          if (server.tls?.httpsRedirect === true) existing.requireTls = true;
        }
      }
    }
    if (server.tls?.httpsRedirect !== true) continue;
    for (const given of server.hosts) {
      const host = given.toLowerCase();
      const existing = byHost.get(host);
      if (existing === undefined)
        byHost.set(host, { name: `${host}:${server.port}`, domains: [host], routes: [], requireTls: true });
      else existing.requireTls = true;
    }
  }
  const domains = new DomainIndex<VirtualHost>();
  const port = servers[0]?.port ?? 0;
  if (byHost.size === 0 && servers.length > 0)
    domains.add('*', { name: `blackhole:${port}`, domains: ['*'], routes: [], requireTls: false });
  for (const [host, virtualHost] of byHost) {
    const routes = [
      ...virtualHost.routes.filter((route) => !isCatchAllRoute(route)),
      ...virtualHost.routes.filter(isCatchAllRoute),
    ];
    domains.add(host, { ...virtualHost, routes });
  }
  return { name, match: (host) => domains.match(host) };
}
