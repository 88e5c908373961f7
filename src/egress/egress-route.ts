import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfHost } from '../core/hostname';
import { shorten } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { Audience } from '../mesh/audience';
import { joinMesh, meshBoundaryOf } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import type { EgressGatewayBase } from './egress-gateway';
import { hostsRoutedTwice } from './egress-route-overlap';
import { forwardProblems } from './egress-route-rules';
import { HttpEgress, TcpEgress, TlsEgress } from './egress-ways';
import { defaultWay } from './plain-http';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';
import { ForwardedWildcard, hostsWithoutPort } from './forward-proxy';
import { ServerClaim, SubsetClaim } from './gateway-claims';
import { GatewayHop } from './gateway-hop';
import { SAFE_RETRIES } from './policy-callers';
import { connectionRule, originationRule } from './origination-rule';
import { UpstreamParts, limitedRoute } from './upstream-filter';
import { UpstreamSettings, mirrorsNamed, routeSettings, showMirrors, trafficPolicy } from './upstream-settings';

/** How an external service is taken through a gateway. */
export interface ForwardOptions {
  /**
   * What happens to plain HTTP.
   *
   * @default passed on as it is
   */
  readonly http?: HttpEgress;

  /**
   * What happens to TLS that applications make.
   *
   * @default passed through by SNI
   */
  readonly https?: TlsEgress;

  /**
   * What happens to other TCP.
   *
   * @default passed on as it is
   */
  readonly tcp?: TcpEgress;

  /**
   * How plain HTTP travels to the gateway.
   *
   * @default as the gateway says
   */
  readonly hop?: GatewayHop;

  /**
   * A subset of the gateway's DestinationRule for this service alone. Its name shows in the sidecars' access logs.
   * Each such subset adds clusters to every client, so it suits few hosts.
   *
   * @default the subset that all services of the same hop share
   */
  readonly subset?: string;

  /**
   * How the gateway treats the service: timeouts, retries, limits, outlier detection, localities, TLS versions, headers, mirrors, faults.
   *
   * @default as Istio does
   */
  readonly upstream?: UpstreamSettings;

  /**
   * The name of the VirtualService.
   *
   * @default the service's name, "-through-", and the gateway's name
   */
  readonly virtualService?: string;
}

/** An external service's way through a gateway. `EgressGateway.forward` fills it in. */
export interface EgressRouteProps {
  /** The gateway. */
  readonly gateway: EgressGatewayBase;

  /** What is forwarded. */
  readonly service: IExternalService;

  /** How it goes: what each protocol does, and by which hop. */
  readonly options: ForwardOptions;
}

/** One host's way through a gateway. */
interface Leg {
  readonly host: string;
  readonly http?: {
    readonly port: ExternalPort;
    readonly way: HttpEgress;
    readonly to: number;
    readonly subset?: string;
  };
  readonly tls?: ExternalPort;
  readonly tcp: readonly ExternalPort[];
}

/**
 * An external service's way through an egress gateway: for each of its hosts a VirtualService with both hops, and a DestinationRule
 * where the gateway makes the TLS. Made by `EgressGateway.forward`.
 * @example
 * const route = gateway.forward(stripe);
 * route.virtualServices[0].metadata.addAnnotation('example.com/owner', 'shop');
 */
export class EgressRoute extends Construct {
  /** The rendered VirtualServices, one a host, then one for each TCP port at the gateway. */
  public readonly virtualServices: ApiObject[] = [];

  /** The rendered DestinationRules by which the gateway originates TLS and keeps the limits of `upstream`. */
  public readonly destinationRules: ApiObject[] = [];

  /** The service that is forwarded. */
  public readonly service: IExternalService;

  private readonly gateway: EgressGatewayBase;
  private readonly options: ForwardOptions;
  private readonly hop: GatewayHop;
  private readonly legs: readonly Leg[];

  public constructor(scope: Construct, id: string, props: EgressRouteProps) {
    super(scope, id);
    this.gateway = props.gateway;
    this.service = props.service;
    this.options = props.options;
    this.hop = props.options.hop ?? props.gateway.hop;
    this.legs = this.plan();
    for (const leg of this.legs) this.render(leg);
    refuseAtSynth(this, () => this.problems());
    for (const [way, port] of this.tunnels()) {
      for (const { host } of this.legs) way.proxy!._tunnelTo(host, port.number, [this.gateway.namespace], this);
    }
    showMirrors(props.options.upstream, [this.gateway.namespace]);
    joinMesh('mesh route', this, hostsRoutedTwice);
    namesNamespaces(this, () => mirrorsNamed(this.options.upstream));
  }

  /** What leaves the gateway through a proxy. */
  private tunnels(): Array<[TlsEgress | TcpEgress, ExternalPort]> {
    const { https, tcp } = this.options;
    const [leg] = this.legs;
    return [
      ...(https?.proxy && leg?.tls ? [[https, leg.tls] as [TlsEgress, ExternalPort]] : []),
      ...(tcp?.proxy ? (leg?.tcp ?? []).map((port) => [tcp, port] as [TcpEgress, ExternalPort]) : []),
    ];
  }

  /** @internal */
  public _clients(): Audience {
    return this.service.audience.isMesh
      ? Audience.mesh()
      : Audience.namespaces(...this.service.audience._namespaces(this.service.namespace));
  }

  /** @internal */
  public _routedHosts(): string[] {
    return this.legs.filter((leg) => leg.http || leg.tls || leg.tcp.length).map((leg) => leg.host);
  }

  /** @internal */
  public _forwardedWildcards(): ForwardedWildcard[] {
    if (!this.service.resolution._isForwardProxy) return [];
    return this.legs.flatMap(({ host, http, tls }) => [
      ...(http ? [{ host, port: http.to }] : []),
      ...(tls && !this.options.https?.proxy ? [{ host, port: tls.number, dialled: tls.targetPort ?? tls.number }] : []),
    ]);
  }

  /**
   * What the gateway's EnvoyFilter is to do.
   *
   * @internal
   */
  public _upstreamParts(): UpstreamParts {
    const { rateLimit, tls } = this.options.upstream ?? {};
    const legs = this.legs.flatMap(({ host, http }) => (http ? [{ host, http }] : []));
    return {
      routes: rateLimit ? legs.map(({ host }) => ({ route: limitedRoute(host), limit: rateLimit })) : [],
      clusters: tls ? legs.map(({ host, http }) => ({ host, port: http.to, subset: http.subset, versions: tls })) : [],
    };
  }

  /**
   * By what the gateway knows what it forwards.
   *
   * @internal
   */
  public _admissions(): { readonly hosts: string[]; readonly snis: string[] } {
    return {
      hosts: this.legs.flatMap(({ host, http }) => (http ? [host] : [])),
      snis: this.legs.flatMap(({ host, tls, tcp }) => [
        ...(tls ? [host] : []),
        ...tcp.map((port) => tcpSni(host, port)),
      ]),
    };
  }

  /** @internal */
  public _serverClaims(): ServerClaim[] {
    const by = this.node.path;
    // Hosts that share a hop share a server; which hosts it serves is said by the VirtualServices of these namespaces. Naming each host
    // would change the listener, and drain its connections, with every host that comes or goes.
    const hostsOf = (leg: Leg) => (this.options.subset === undefined ? [`${this.service.namespace}/*`] : [leg.host]);
    return this.legs.flatMap((leg) => {
      const claims: ServerClaim[] = [];
      if (leg.http) {
        claims.push({
          port: this.hop.port,
          protocol: this.hop.isMutualTls ? 'HTTPS' : 'HTTP',
          tls: this.hop.isMutualTls ? 'ISTIO_MUTUAL' : undefined,
          hosts: hostsOf(leg),
          by,
        });
      }
      if (leg.tls)
        claims.push({ port: this.gateway.tlsPort, protocol: 'TLS', tls: 'PASSTHROUGH', hosts: hostsOf(leg), by });
      for (const port of leg.tcp) {
        claims.push({
          port: this.gateway.tlsPort,
          protocol: 'TLS',
          tls: 'ISTIO_MUTUAL',
          hosts: [tcpSni(leg.host, port)],
          apart: tcpName(leg.host, port),
          by,
        });
      }
      return claims;
    });
  }

  /** @internal */
  public _subsetClaims(): SubsetClaim[] {
    const by = this.node.path;
    return this.legs.flatMap((leg) => {
      const claims: SubsetClaim[] = [];
      if (leg.http)
        claims.push({
          subset: this.httpSubset(),
          port: this.hop.port,
          mutualTlsSni: this.hop.isMutualTls ? this.httpSni(leg.host) : undefined,
          by,
        });
      if (leg.tls) claims.push({ subset: this.tlsSubset(), port: this.gateway.tlsPort, by });
      for (const port of leg.tcp)
        claims.push({
          subset: tcpName(leg.host, port),
          port: this.gateway.tlsPort,
          mutualTlsSni: tcpSni(leg.host, port),
          by,
        });
      return claims;
    });
  }

  private httpSubset(): string {
    return this.options.subset ?? (this.hop.isMutualTls ? 'mutual-tls' : 'plain-text');
  }

  private tlsSubset(): string {
    return this.options.subset ?? 'passthrough';
  }

  private httpSni(host: string): string {
    return this.options.subset === undefined ? this.gateway.host : host;
  }

  private plan(): Leg[] {
    const { ports, hosts } = this.service;
    const httpPort = ports.find((port) => port.isHttp);
    const way = this.options.http ?? defaultWay(httpPort);
    const tlsPort = ports.find((port) => port.isTls);
    const passes = this.options.https?.mode !== 'DIRECT' && tlsPort !== undefined;
    const tcp = this.options.tcp?.mode === 'DIRECT' ? [] : ports.filter((port) => port.isTcp);
    const http =
      httpPort && way.mode !== 'DIRECT'
        ? { port: httpPort, way, ...this.httpTarget(httpPort, tlsPort, way, passes) }
        : undefined;
    return hosts.map((host) => ({ host, http, tls: passes ? tlsPort : undefined, tcp }));
  }

  /** Which port of the service the gateway sends plain HTTP to, and by which subset. */
  private httpTarget(
    httpPort: ExternalPort,
    tlsPort: ExternalPort | undefined,
    way: HttpEgress,
    passes: boolean,
  ): { to: number; subset?: string } {
    if (!way._originates) return { to: httpPort.number };
    // A port that maps to another one takes the TLS itself; else it goes to the TLS port.
    if (httpPort.targetPort !== undefined) return { to: httpPort.number, subset: way.tls?.subset };
    return { to: (tlsPort ?? httpPort).number, subset: way.tls?.subset ?? (passes ? 'originate-tls' : undefined) };
  }

  private render(leg: Leg): void {
    const several = this.service.hosts.length > 1;
    const stem = this.options.virtualService ?? `${nameOf(this.service)}-through-${this.gateway.gateway.name}`;
    const name = several ? `${stem}-${nameOfHost(leg.host)}` : stem;
    const idOf = (what: string) => (several ? `${what}-${nameOfHost(leg.host)}` : what);
    if (!leg.http && !leg.tls && !leg.tcp.length) return;
    this.virtualServices.push(this.virtualService(idOf('Route'), name, () => this.bothHops(leg)));
    for (const port of leg.tcp) {
      this.virtualServices.push(
        this.virtualService(idOf(`Route-tcp-${port.number}`), `${name}-tcp-${port.number}`, () =>
          this.tcpAtGateway(leg.host, port),
        ),
      );
    }
    if (leg.http?.way._originates) this.destinationRules.push(this.origination(idOf('Originate'), leg.host, leg.http));
    else if (trafficPolicy(this.options.upstream))
      this.destinationRules.push(this.connections(idOf('Connections'), leg.host));
  }

  /** Beside the gateway and seen by it alone: the sidecars in front of it have limits of their own. */
  private connections(id: string, host: string): ApiObject {
    const { namespace } = this.gateway;
    return new MeshObject(this, id, {
      ...networking.DestinationRule.GVK,
      metadata: { name: shorten(`connections-to-${nameOfHost(host)}`), namespace },
      manifest: networking.DestinationRule.manifest,
      spec: () => ({ spec: connectionRule({ host, upstream: this.options.upstream, exportTo: ['.'] }) }),
    });
  }

  private virtualService(id: string, name: string, spec: () => networking.VirtualServiceSpec): ApiObject {
    return new MeshObject(this, id, {
      ...networking.VirtualService.GVK,
      metadata: { name: shorten(name), namespace: this.service.namespace },
      manifest: networking.VirtualService.manifest,
      spec: () => ({ spec: spec() }),
    });
  }

  private origination(id: string, host: string, { way, to, subset }: NonNullable<Leg['http']>): ApiObject {
    const stem = way.mode === 'MUTUAL' ? 'originate-mtls-for' : 'originate-tls-for';
    // Beside the gateway and seen by it alone, so that TLS made by applications is never wrapped once more. A subset wraps only what
    // is routed to it: it lies beside the VirtualService that names it, where analyzers look.
    const owner = subset === undefined ? this.gateway.namespace : this.service.namespace;
    const exportTo = Audience.ownNamespace()._exportTo(owner, this.gateway.namespace);
    return new MeshObject(this, id, {
      ...networking.DestinationRule.GVK,
      metadata: {
        name: shorten(way.tls?.destinationRule ?? `${stem}-${nameOfHost(host)}`),
        namespace: owner,
      },
      manifest: networking.DestinationRule.manifest,
      spec: () => ({
        spec: originationRule({
          host,
          port: to,
          way,
          names: this.service.subjectAltNames,
          subset,
          exportTo,
          upstream: this.options.upstream,
        }),
      }),
    });
  }

  private bothHops({ host, http, tls, tcp }: Leg): networking.VirtualServiceSpec {
    const gateway = this.gateway.reference;
    const toGateway = (subset: string, number: number) => [
      { destination: { host: this.gateway.host, subset, port: { number } } },
    ];
    const toHost = (number: number, subset?: string) => [{ destination: { host, subset, port: { number } } }];
    const { tlsPort } = this.gateway;
    return {
      hosts: [host],
      gateways: http || tls ? [gateway, 'mesh'] : ['mesh'],
      exportTo: this._clients()._exportTo(this.service.namespace, this.gateway.namespace),
      http: http && [
        {
          match: [{ gateways: ['mesh'], port: http.port.number }],
          ...(this.options.upstream?.retries && { retries: SAFE_RETRIES }),
          route: toGateway(this.httpSubset(), this.hop.port),
        },
        {
          match: [{ gateways: [gateway], port: this.hop.port, ...hostsWithoutPort(this.service) }],
          ...routeSettings(this.options.upstream, host),
          route: toHost(http.to, http.subset),
        },
      ],
      tls: tls && [
        {
          match: [{ gateways: ['mesh'], port: tls.number, sniHosts: [host] }],
          route: toGateway(this.tlsSubset(), tlsPort),
        },
        {
          match: [{ gateways: [gateway], port: tlsPort, sniHosts: [host] }],
          route: this.options.https?.proxy
            ? [{ destination: this.options.https.proxy._destination(host, tls.number) }]
            : toHost(tls.number),
        },
      ],
      tcp: tcp.length
        ? tcp.map((port) => ({
            match: [{ gateways: ['mesh'], port: port.number }],
            route: toGateway(tcpName(host, port), tlsPort),
          }))
        : undefined,
    };
  }

  private tcpAtGateway(host: string, port: ExternalPort): networking.VirtualServiceSpec {
    const gateway = this.gateway.reference;
    return {
      hosts: [tcpSni(host, port)],
      gateways: [gateway],
      exportTo: Audience.ownNamespace()._exportTo(this.service.namespace, this.gateway.namespace),
      tcp: [
        {
          match: [{ gateways: [gateway], port: this.gateway.tlsPort }],
          route: [
            {
              destination: this.options.tcp?.proxy?._destination(host, port.number) ?? {
                host,
                port: { number: port.number },
              },
            },
          ],
        },
      ],
    };
  }

  private problems(): Problem[] {
    const problems = forwardProblems({
      service: this.service,
      options: this.options,
      gatewayNamespace: this.gateway.namespace,
      hop: this.hop,
      tlsPort: this.gateway.tlsPort,
    });
    if (meshBoundaryOf(this.service) !== meshBoundaryOf(this.gateway)) {
      problems.push({
        what: `${this.service.node.path} is forwarded by ${this.gateway.node.path}, a gateway of another mesh`,
        why: 'no proxy of its mesh knows that gateway: requests would be answered with 503',
        fix: 'forward it through a gateway of its own mesh, or draw the MeshBoundary around both',
      });
    }
    return problems;
  }
}

/** TCP carries no name, so the hop's own TLS does: one for each host and port. */
function tcpSni(host: string, port: ExternalPort): string {
  return `tcp-${port.number}.${host}`;
}

function tcpName(host: string, port: ExternalPort): string {
  return shorten(`tcp-${port.number}-${nameOfHost(host)}`);
}

function nameOf(service: IExternalService): string {
  const entry = service.node.tryFindChild('Resource');
  return entry && ApiObject.isApiObject(entry) ? entry.name : nameOfHost(service.hosts[0] ?? 'service');
}
