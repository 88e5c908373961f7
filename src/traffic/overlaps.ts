/** VirtualServices that share a host of a gateway: istiod joins their rules in the order of their age, and who is older may not be known. */
import type { Mesh } from '../model/mesh';
import type { L4Match, VirtualService } from '../model/virtual-services';
import { isCatchAllRoute, routesOf, type Route } from '../trace/http-routes';
import { istioPaths } from '../trace/paths';
import type { RouteMatch } from './dead-routes';
import { Earlier } from './cover';
import { FirstMatch } from './first-match';
import { authorities, listed } from './routes-in-order';
import { pathForm } from './universe';

/** A match of which other VirtualServices leave nothing. */
export interface Overlap {
  readonly service: VirtualService;
  readonly match: RouteMatch;
  readonly by: readonly VirtualService[];
}

/** @param comesBefore whether rules of the one may be tried before those of the other */
export function overlapsAt(
  mesh: Mesh,
  gateway: string,
  host: string,
  services: readonly VirtualService[],
  comesBefore: (one: VirtualService, other: VirtualService) => boolean,
): readonly Overlap[] {
  return [
    ...httpOverlaps(mesh, gateway, host, services, comesBefore),
    ...streamOverlaps(gateway, services, comesBefore),
  ];
}

interface Owned {
  readonly service: VirtualService;
  readonly route: Route;
}

function httpOverlaps(
  mesh: Mesh,
  gateway: string,
  host: string,
  services: readonly VirtualService[],
  comesBefore: (one: VirtualService, other: VirtualService) => boolean,
): readonly Overlap[] {
  const space = {
    paths: pathForm([istioPaths(mesh.config)]),
    scheme: 'http' as const,
    authority: authorities([host]),
  };
  const named = services.flatMap(({ http }) => http.flatMap(({ matches }) => matches.map(({ port }) => port)));
  const found = new Map<object, Overlap | undefined>();
  for (const port of new Set([0, ...named])) {
    const context = { port, gateway, proxy: { labels: {}, namespace: '' }, lookup: () => undefined };
    const all = services.flatMap((service) => routesOf(service, context).map((route): Owned => ({ service, route })));
    if (all.length === 0) continue;
    const search = new FirstMatch(
      all.map(({ route }) => listed(route)),
      space,
    );
    const isLast = all.map(({ route }) => isCatchAllRoute(route));
    for (const service of services) {
      const before = { some: new Earlier(), all: new Earlier(), own: new Earlier() };
      for (const [index, one] of all.entries()) {
        if (one.service === service || !comesBefore(one.service, service)) continue;
        search.put(index, before.all);
        // A rule for everything comes after those for some, whichever VirtualService is older.
        if (isLast[index] !== true) search.put(index, before.some);
      }
      for (const [index, { service: owner, route }] of all.entries()) {
        if (owner !== service) continue;
        const key = route.match ?? route.rule ?? route;
        const fate = search.fate(index, isLast[index] === true ? before.all : before.some);
        const isOwn = fate.is === 'taken' && search.fate(index, before.own).is === 'taken';
        search.put(index, before.own);
        const ref = route.rule?.ref;
        if (fate.is !== 'taken' || isOwn || ref === undefined) found.set(key, undefined);
        else if (!found.has(key)) {
          const by = [...new Set(fate.by.map((one) => (all[one] as Owned).service))];
          found.set(key, { service, match: { ref, at: route.match?.at }, by });
        }
      }
    }
  }
  return [...found.values()].filter((one) => one !== undefined);
}

/** Of TLS a gateway leaves a match out that asks for a name which another has; of plain TCP it takes the first rule. */
function streamOverlaps(
  gateway: string,
  services: readonly VirtualService[],
  comesBefore: (one: VirtualService, other: VirtualService) => boolean,
): readonly Overlap[] {
  const found: Overlap[] = [];
  for (const service of services)
    for (const kind of ['tls', 'tcp'] as const)
      for (const { ref, matches } of service[kind])
        for (const match of matches.length === 0 ? [undefined] : matches) {
          if (match !== undefined && !isAt(match, gateway)) continue;
          const by = services.find(
            (other) =>
              other !== service &&
              comesBefore(other, service) &&
              other[kind].some((rule) =>
                (rule.matches.length === 0 ? [undefined] : rule.matches).some((one) => takes(one, match, gateway)),
              ),
          );
          if (by !== undefined) found.push({ service, match: { ref, at: match?.at }, by: [by] });
        }
  return found;
}

function isAt({ gateways }: L4Match, gateway: string): boolean {
  return gateways.length === 0 || gateways.includes(gateway);
}

function takes(one: L4Match | undefined, other: L4Match | undefined, gateway: string): boolean {
  if (one === undefined) return true;
  if (!isAt(one, gateway) || (one.port !== 0 && one.port !== other?.port)) return false;
  return one.sniHosts.length === 0 || (other?.sniHosts ?? []).some((name) => one.sniHosts.includes(name));
}
