import type { ApiRoute } from './gateway-api';
import { byPrecedence } from './gateway-api-rules';
import type { Config } from './objects';
import type { HttpRule, VirtualService } from './virtual-services';

/** The VirtualService that Istio makes of routes of the Gateway API for one host. `name` is Istio's, by which ties of age go. */
export function routedVirtualService(
  base: Config,
  host: string,
  gateway: string,
  rules: Partial<Pick<VirtualService, 'http' | 'tls' | 'tcp'>>,
  name = base.name,
): VirtualService {
  return {
    config: base,
    namespace: base.namespace,
    name,
    created: base.created,
    semantics: 'gateway-api',
    hosts: [host],
    gateways: [gateway],
    http: [],
    tls: [],
    tcp: [],
    visibility: 'public',
    ...rules,
  };
}

/** HTTP and gRPC routes that Istio joins, by its key for them. */
export class JoinedRoutes {
  private readonly byKey = new Map<
    string,
    { readonly base: ApiRoute; readonly host: string; readonly rules: HttpRule[] }
  >();

  /** @param ofBothKinds whether HTTPRoutes and GRPCRoutes are joined with each other */
  public constructor(private readonly ofBothKinds: boolean) {}

  /** Routes are added the oldest first: what is joined is the first one's. */
  public add(route: ApiRoute, key: string, host: string, rules: readonly HttpRule[]): void {
    const own = `${this.ofBothKinds ? '' : route.kind} ${key}/${host}`;
    const entry = this.byKey.get(own) ?? { base: route, host, rules: [] };
    this.byKey.set(own, entry);
    entry.rules.push(...rules);
  }

  /** Where an HTTPRoute and a GRPCRoute come to one name in a namespace, istiod has the HTTPRoute only. */
  public virtualServices(gatewayOf: (key: string) => string): readonly VirtualService[] {
    const taken = new Set<string>();
    const made: VirtualService[] = [];
    const inOrder = [...this.byKey].sort(([, a], [, b]) => Number(a.base.kind === 'GRPCRoute') - Number(b.base.kind === 'GRPCRoute')); // prettier-ignore
    for (const [own, { base, host, rules }] of inOrder) {
      const key = own.slice(own.indexOf(' ') + 1);
      const name = key.replaceAll('/', '~');
      if (taken.has(`${base.config.namespace}/${name}`)) continue;
      taken.add(`${base.config.namespace}/${name}`);
      made.push(routedVirtualService(base.config, host, gatewayOf(key), { http: byPrecedence(rules) }, name));
    }
    return made;
  }
}
