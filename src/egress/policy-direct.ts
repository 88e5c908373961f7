import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfHost } from '../core/hostname';
import { shorten } from '../core/names';
import { refuseAtSynth } from '../core/problem';
import { Audience } from '../mesh/audience';
import { MeshObject } from '../mesh/mesh-object';
import { IExternalService } from './external-service';
import { KeptChildren } from './kept-children';
import { connectionRule, originationRule } from './origination-rule';
import { NO_ADDRESS, SAFE_RETRIES, Source, sources } from './policy-callers';
import { directProblems } from './policy-conflicts';
import { Permission, grouped, upstreamOf } from './policy-grant';
import { limitedRoute, upstreamFilter } from './upstream-filter';
import { routeSettings, trafficPolicy } from './upstream-settings';

/** The port of the entry that leads nowhere: that of the discard protocol. */
const NOWHERE_PORT = 9;

/**
 * All that policies allow straight from the sidecars to one service. Its ServiceEntry is shown to the namespaces of the callers. Where not
 * every workload of a namespace may do all that the entry would let it do, a VirtualService for that namespace says who may, and leads
 * everybody else nowhere.
 */
export class DirectEgress extends Construct {
  private readonly permissions: Permission[] = [];
  private readonly children = new KeptChildren(this);

  public constructor(private readonly service: Construct & IExternalService) {
    super(service, 'Direct');
    refuseAtSynth(this, () => directProblems(this.permissions));
  }

  /** What policies of a service allow past every gateway. */
  public static of(service: IExternalService): DirectEgress {
    const known = service.node.tryFindChild('Direct') as DirectEgress | undefined;
    return known ?? new DirectEgress(service as Construct & IExternalService);
  }

  /** What is rendered for the service. */
  public get objects(): ApiObject[] {
    return this.children.of(['service']);
  }

  /** Adds what a policy allows. */
  public add(permissions: readonly Permission[]): void {
    this.permissions.push(...permissions);
    const wanted = new Map<string, () => ApiObject>();
    for (const { namespace, host } of this.restricted()) {
      const id = `${nameOfHost(host)}-from-${namespace}`;
      wanted.set(`Route-${id}`, () => this.route(`Route-${id}`, id, host, namespace));
    }
    if (wanted.size && this.service.ports.some((port) => !port.isHttp)) wanted.set('Nowhere', () => this.nowhere());
    for (const host of this.hosts().filter((name) => this.wayOf(name)))
      wanted.set(`Originate-${nameOfHost(host)}`, () => this.origination(`Originate-${nameOfHost(host)}`, host));
    const settings = trafficPolicy(upstreamOf(this.permissions));
    for (const host of this.hosts().filter((name) => settings && !this.wayOf(name)))
      wanted.set(`Connections-${nameOfHost(host)}`, () => this.connections(`Connections-${nameOfHost(host)}`, host));
    const { rateLimit, tls } = upstreamOf(this.permissions) ?? {};
    for (const namespace of rateLimit || tls ? new Set(this.callers()) : [])
      wanted.set(`Upstreams-${namespace}`, () => this.filter(`Upstreams-${namespace}`, namespace));
    this.children.keep('service', wanted);
  }

  private hosts(): string[] {
    return [...new Set(this.permissions.map(({ host }) => host))];
  }

  private wayOf(host: string) {
    return this.permissions.find((one) => one.host === host && one.way?._originates)?.way;
  }

  /** The namespaces that need a route: their workloads may not all do as the ServiceEntry would let them, or a timeout is kept. */
  private restricted(): Array<{ namespace: string; host: string }> {
    const everyPort = new Set(this.permissions.map(({ port }) => port.number));
    const isTimed = Object.keys(routeSettings(upstreamOf(this.permissions), '')).length > 0;
    return [...grouped(this.permissions, ({ host, from }) => `${host} ${from.namespace}`).values()]
      .filter((some) => !allowsAll(some, everyPort) || isTimed)
      .map(([{ host, from }]) => ({ host, namespace: from.namespace }));
  }

  private callers(): string[] {
    return this.permissions.map(({ from }) => from.namespace);
  }

  private route(id: string, name: string, host: string, namespace: string): ApiObject {
    return new MeshObject(this, id, {
      ...networking.VirtualService.GVK,
      metadata: { name: shorten(name), namespace: this.service.namespace },
      manifest: networking.VirtualService.manifest,
      spec: () => {
        const mine = this.permissions.filter((one) => one.host === host && one.from.namespace === namespace);
        const shown = this.permissions.map(({ port }) => port);
        return {
          spec: {
            hosts: [host],
            exportTo: Audience._exportOnlyTo(this.service.namespace, namespace),
            http: shown.some((port) => port.isHttp) ? httpRoutes(host, mine) : undefined,
            tls: shown.some((port) => port.isTls) ? this.tlsRoutes(host, mine) : undefined,
            tcp: shown.some((port) => port.isTcp) ? this.tcpRoutes(mine) : undefined,
          },
        };
      },
    });
  }

  private tlsRoutes(host: string, mine: readonly Permission[]): networking.VirtualServiceSpecTls[] {
    const allowed = mine.filter(({ port }) => port.isTls);
    return [
      ...sameWay(allowed).map((some) => ({
        match: sources(some).map((source) => ({ ...source, sniHosts: [host] })),
        route: [{ destination: destinationOf(some[0]) }],
      })),
      { match: [{ sniHosts: [host] }], route: [{ destination: this.toNowhere() }] },
    ];
  }

  private tcpRoutes(mine: readonly Permission[]): networking.VirtualServiceSpecTcp[] {
    const allowed = mine.filter(({ port }) => port.isTcp);
    return [
      ...sameWay(allowed).map((some) => ({
        match: sources(some),
        route: [{ destination: destinationOf(some[0]) }],
      })),
      { route: [{ destination: this.toNowhere() }] },
    ];
  }

  private toNowhere() {
    return { host: this.nowhereHost(), port: { number: NOWHERE_PORT } };
  }

  private nowhereHost(): string {
    return `nowhere-of-${nameOfHost(this.service.hosts[0] ?? 'service')}.mesh-edge.invalid`;
  }

  /** An entry of no host that exists, and without an endpoint, for what is refused: Istio knows no route that says no but for HTTP. */
  private nowhere(): ApiObject {
    return new MeshObject(this, 'Nowhere', {
      ...networking.ServiceEntry.GVK,
      metadata: {
        name: shorten(`nowhere-of-${nameOfHost(this.service.hosts[0] ?? 'service')}`),
        namespace: this.service.namespace,
        labels: NO_ADDRESS,
      },
      manifest: networking.ServiceEntry.manifest,
      spec: () => ({
        spec: {
          hosts: [this.nowhereHost()],
          ports: [{ number: NOWHERE_PORT, name: 'tls', protocol: 'TLS' }],
          location: networking.ServiceEntrySpecLocation.MESH_UNDERSCORE_EXTERNAL,
          resolution: networking.ServiceEntrySpecResolution.STATIC,
          exportTo: Audience._exportOnlyTo(
            this.service.namespace,
            ...this.restricted().map(({ namespace }) => namespace),
          ),
        },
      }),
    });
  }

  private connections(id: string, host: string): ApiObject {
    return new MeshObject(this, id, {
      ...networking.DestinationRule.GVK,
      metadata: { name: shorten(`connections-to-${nameOfHost(host)}`), namespace: this.service.namespace },
      manifest: networking.DestinationRule.manifest,
      spec: () => ({
        spec: connectionRule({
          host,
          upstream: upstreamOf(this.permissions),
          exportTo: Audience._exportOnlyTo(this.service.namespace, ...this.callers()),
        }),
      }),
    });
  }

  /** In each calling namespace: an EnvoyFilter works where it lies. */
  private filter(id: string, namespace: string): ApiObject {
    const name = nameOfHost(this.service.hosts[0] ?? 'service');
    const proxy = {
      name: `upstream-${name}`,
      namespace,
      labels: () => undefined,
      at: 'SIDECAR_OUTBOUND' as const,
      filter: name,
    };
    return upstreamFilter(this, id, proxy, () => {
      const { rateLimit, tls } = upstreamOf(this.permissions) ?? {};
      const mine = this.permissions.filter(({ port, from }) => port.isHttp && from.namespace === namespace);
      const hosts = [...new Set(mine.map(({ host }) => host))];
      const made = [...new Map(this.permissions.filter(({ way }) => way?._originates).map((one) => [one.host, one]))];
      return {
        routes: rateLimit ? hosts.map((host) => ({ route: limitedRoute(host), limit: rateLimit })) : [],
        clusters: tls ? made.map(([host, { port }]) => ({ host, port: port.number, versions: tls })) : [],
      };
    });
  }

  private origination(id: string, host: string): ApiObject {
    return new MeshObject(this, id, {
      ...networking.DestinationRule.GVK,
      metadata: { name: shorten(`originate-tls-for-${nameOfHost(host)}`), namespace: this.service.namespace },
      manifest: networking.DestinationRule.manifest,
      spec: () => ({
        spec: originationRule({
          host,
          port: this.permissions.find((one) => one.host === host && one.way?._originates)!.port.number,
          way: this.wayOf(host)!,
          names: this.service.subjectAltNames,
          upstream: upstreamOf(this.permissions),
          exportTo: Audience._exportOnlyTo(this.service.namespace, ...this.callers()),
        }),
      }),
    });
  }
}

/** Whether the namespace as a whole may use every port as it is, so that the ServiceEntry alone says it. TLS that is made needs no route. */
function allowsAll(some: readonly Permission[], ports: ReadonlySet<number>): boolean {
  return [...ports].every((number) =>
    some.some(
      ({ port, from, tunnel, methods, paths }) =>
        port.number === number && !from._sourceLabels && !tunnel && !methods.length && !paths.length,
    ),
  );
}

function sameWay(permissions: readonly Permission[]): Permission[][] {
  return [...grouped(permissions, (one) => JSON.stringify(destinationOf(one))).values()];
}

function destinationOf({ host, port, tunnel }: Permission): networking.VirtualServiceSpecTlsRouteDestination {
  return tunnel?._destination(host, port.number) ?? { host, port: { number: port.number } };
}

/** What is allowed goes to the host; what else its callers ask gets 403, and everybody else 502, as where nobody registered the host. */
function httpRoutes(host: string, mine: readonly Permission[]): networking.VirtualServiceSpecHttp[] {
  const allowed = mine.filter(({ port }) => port.isHttp);
  const kinds = [
    ...grouped(allowed, ({ methods, paths, port }) => JSON.stringify([methods, paths, port.number])).values(),
  ];
  const limited = allowed.filter(({ methods, paths }) => methods.length || paths.length);
  return [
    ...kinds.map((some) => ({
      match: sources(some).flatMap((source) => requests(source, some[0])),
      retries: SAFE_RETRIES,
      ...routeSettings(upstreamOf(allowed), host),
      route: [{ destination: { host, port: { number: some[0].port.number } } }],
    })),
    ...(limited.length ? [{ match: sources(limited), directResponse: { status: 403 } }] : []),
    { directResponse: { status: 502 } },
  ];
}

/** A match for each method and path, since a match takes one of each. */
function requests(source: Source, { methods, paths }: Permission): networking.VirtualServiceSpecHttpMatch[] {
  const uris = paths.length ? paths.map(uriOf) : [undefined];
  const verbs = methods.length ? methods.map((exact) => ({ exact })) : [undefined];
  return uris.flatMap((uri) => verbs.map((method) => ({ ...source, uri, method })));
}

/** A path as AuthorizationPolicies write it, so that a rule means the same with a gateway and without. */
function uriOf(path: string): networking.VirtualServiceSpecHttpMatchUri {
  if (path.endsWith('*')) return { prefix: path.slice(0, -1) };
  if (path.startsWith('*')) return { regex: `.*${path.slice(1).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}` };
  return { exact: path };
}
