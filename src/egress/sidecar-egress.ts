import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfHost } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { shorten } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { Audience } from '../mesh/audience';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { hostsRoutedTwice } from './egress-route-overlap';
import { HttpEgress, TcpEgress, TlsEgress } from './egress-ways';
import { defaultWay, plainToTls } from './plain-http';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';
import { connectionRule, originationProblems, originationRule } from './origination-rule';
import { tunnelProblems } from './transparent-proxy';
import { limitedRoute, upstreamFilter } from './upstream-filter';
import {
  UpstreamSettings,
  mirrorsNamed,
  routeSettings,
  showMirrors,
  trafficPolicy,
  upstreamProblems,
} from './upstream-settings';

/** How sidecars reach an external service. */
export interface SidecarEgressProps {
  /** What is reached. */
  readonly service: IExternalService;

  /**
   * What the sidecar does with plain HTTP.
   *
   * @default sent as it is
   */
  readonly http?: HttpEgress;

  /**
   * What it does with TLS that applications make.
   *
   * @default sent as it is
   */
  readonly https?: TlsEgress;

  /**
   * What it does with other TCP connections.
   *
   * @default sent as they are
   */
  readonly tcp?: TcpEgress;

  /**
   * How the sidecar treats the service: timeouts, retries, limits, outlier detection, localities, TLS versions, headers, mirrors, faults.
   *
   * @default as Istio does
   */
  readonly upstream?: UpstreamSettings;

  /**
   * Which of the service's hosts it is for.
   *
   * @default all
   */
  readonly hosts?: string[];

  /**
   * The workloads it is for, by their labels, in the service's namespace. Needed where the sidecar shows a client certificate: a
   * credential is read only by sidecars that a DestinationRule selects.
   *
   * @default all clients of the service
   */
  readonly workloads?: { [key: string]: string };

  /**
   * The name of the VirtualService.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly virtualService?: string;
}

/**
 * Has sidecars originate TLS for plain HTTP on its way to an external service, take TLS and TCP through a proxy outside the mesh, or keep timeouts, retries and
 * limits (`upstream`), with no gateway between. TLS that applications make themselves passes untouched.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-tls-origination/
 * @example
 * const cnn = new ExternalService(this, 'Cnn', { hosts: ['edition.cnn.com'], ports: [ExternalPort.httpThenTls()], namespace: 'news' });
 * new SidecarEgress(this, 'FromSidecar', { service: cnn, http: HttpEgress.originateTls() });
 */
export class SidecarEgress extends Construct {
  /** The rendered VirtualServices, one a host. */
  public readonly virtualServices: ApiObject[] = [];

  /** The rendered DestinationRules, one a host. */
  public readonly destinationRules: ApiObject[] = [];

  /** The rendered EnvoyFilters for TLS versions and rate limits, one in each calling namespace. */
  public readonly envoyFilters: ApiObject[] = [];

  /** What is reached. */
  public readonly service: IExternalService;

  private readonly hosts: string[];

  public constructor(scope: Construct, id: string, given: SidecarEgressProps) {
    super(scope, id);
    this.service = given.service;
    const thenTls = this.service.ports.find(({ isHttp, _thenTls }) => isHttp && _thenTls);
    const props = { ...given, http: given.http ?? (thenTls && defaultWay(thenTls)) };
    this.hosts = props.hosts ?? [...props.service.hosts];
    const http = this.service.ports.find((port) => port.isHttp);
    const tls = this.service.ports.find((port) => port.isTls);
    const ways: Ways = { http, tls, tcp: props.tcp?.proxy ? this.service.ports.filter((port) => port.isTcp) : [] };
    const originates = Boolean(http && props.http?._originates);
    for (const host of this.hosts) {
      if ((http && isRead(props)) || (tls && props.https?.proxy) || ways.tcp.length) this.route(host, ways, props);
      if (http && originates) this.originate(host, targetOf(http, tls), props);
      else if (trafficPolicy(props.upstream)) this.connections(host, props);
    }
    this.tunnel(ways, props);
    showMirrors(props.upstream, this.service.audience._readers(this.service.namespace));
    this.filters(props, ways);
    refuseAtSynth(this, () => this.problems(props, ways));
    joinMesh('mesh route', this, hostsRoutedTwice);
    namesNamespaces(this, () => mirrorsNamed(props.upstream));
  }

  /** @internal */
  public _routedHosts(): string[] {
    return this.hosts;
  }

  /** @internal */
  public _clients(): Audience {
    return this.service.audience;
  }

  private tunnel({ tls, tcp }: Ways, props: SidecarEgressProps): void {
    const viewers = this.service.audience._readers(this.service.namespace);
    for (const host of this.hosts) {
      if (tls) props.https?.proxy?._tunnelTo(host, tls.number, viewers, this);
      for (const port of tcp) props.tcp?.proxy?._tunnelTo(host, port.number, viewers, this);
    }
  }

  private suffixOf(host: string): string {
    return this.hosts.length > 1 ? `-${nameOfHost(host)}` : '';
  }

  private route(host: string, { http, tls, tcp }: Ways, props: SidecarEgressProps): void {
    const suffix = this.suffixOf(host);
    const { namespace } = this.service;
    const as = { host, port: { number: tls?.number ?? 0 } };
    this.virtualServices.push(
      new MeshObject(this, `Route${suffix}`, {
        ...networking.VirtualService.GVK,
        metadata: { name: shorten(`${props.virtualService ?? nameOfId(this.node.id)}${suffix}`), namespace },
        manifest: networking.VirtualService.manifest,
        spec: () => ({
          spec: {
            hosts: [host],
            exportTo: this.service.audience._exportTo(namespace),
            http: http && isRead(props) ? [httpRoute(host, http, tls, props)] : undefined,
            tls: tls && [
              {
                match: [{ port: tls.number, sniHosts: [host] }],
                route: [{ destination: props.https?.proxy?._destination(host, tls.number) ?? as }],
              },
            ],
            tcp: tcp.length
              ? tcp.map(({ number }) => ({
                  match: [{ port: number }],
                  route: [{ destination: props.tcp!.proxy!._destination(host, number) }],
                }))
              : undefined,
          },
        }),
      }),
    );
  }

  private connections(host: string, props: SidecarEgressProps): void {
    const suffix = this.suffixOf(host);
    const { namespace } = this.service;
    this.destinationRules.push(
      new MeshObject(this, `Connections${suffix}`, {
        ...networking.DestinationRule.GVK,
        metadata: { name: shorten(`${nameOfId(this.node.id)}-connections${suffix}`), namespace },
        manifest: networking.DestinationRule.manifest,
        spec: () => ({
          spec: connectionRule({
            host,
            upstream: props.upstream,
            exportTo: props.workloads ? ['.'] : this.service.audience._exportTo(namespace),
            workloadLabels: props.workloads,
          }),
        }),
      }),
    );
  }

  private originate(host: string, to: ExternalPort, props: SidecarEgressProps): void {
    const suffix = this.suffixOf(host);
    const { namespace } = this.service;
    const stem =
      props.http!.tls?.destinationRule ??
      (suffix !== '' || props.virtualService === undefined
        ? `${nameOfId(this.node.id)}-tls`
        : `originate-tls-for-${nameOfHost(host)}`);
    this.destinationRules.push(
      new MeshObject(this, `Originate${suffix}`, {
        ...networking.DestinationRule.GVK,
        metadata: { name: shorten(`${stem}${suffix}`), namespace },
        manifest: networking.DestinationRule.manifest,
        // A DestinationRule that selects workloads works in its own namespace alone.
        spec: () => ({
          spec: originationRule({
            host,
            port: to.number,
            way: props.http!,
            names: this.service.subjectAltNames,
            subset: subsetOf(props.http!),
            exportTo: props.workloads ? ['.'] : this.service.audience._exportTo(namespace),
            workloadLabels: props.workloads,
            upstream: props.upstream,
          }),
        }),
      }),
    );
  }

  /** In each calling namespace: an EnvoyFilter works where it lies. */
  private filters({ upstream, workloads, http: way }: SidecarEgressProps, { http, tls }: Ways): void {
    if (!http || (!upstream?.rateLimit && !upstream?.tls) || this.service.audience.isMesh) return;
    const owner = this.service.namespace;
    for (const namespace of workloads ? [owner] : this.service.audience._namespaces(owner)) {
      const name = nameOfId(this.node.id);
      const proxy = {
        name: `${name}-upstream`,
        namespace,
        labels: () => workloads,
        at: 'SIDECAR_OUTBOUND' as const,
        filter: name,
      };
      const { rateLimit: limit, tls: versions } = upstream;
      const port = targetOf(http, tls).number;
      this.envoyFilters.push(
        upstreamFilter(this, namespace === owner ? 'Upstream' : `Upstream-${namespace}`, proxy, () => ({
          routes: limit ? this.hosts.map((host) => ({ route: limitedRoute(host), limit })) : [],
          clusters:
            versions && way?._originates
              ? this.hosts.map((host) => ({ host, port, subset: subsetOf(way), versions }))
              : [],
        })),
      );
    }
  }

  private filtersEverywhere({ upstream }: SidecarEgressProps): Problem[] {
    if ((!upstream?.rateLimit && !upstream?.tls) || !this.service.audience.isMesh) return [];
    return [
      {
        what: `upstream.${upstream.rateLimit ? 'rateLimit' : 'tls'} for the sidecars of the whole mesh`,
        why: 'it takes an EnvoyFilter in each namespace that calls, and these are not said',
        fix: 'give the service an audience of namespaces, or take it through a gateway',
      },
    ];
  }

  private problems(props: SidecarEgressProps, { http, tls }: Ways): Problem[] {
    const problems: Problem[] = [...this.pointless(props), ...this.tunnelled(props)];
    for (const host of this.hosts.filter((h) => !this.service.hosts.includes(h))) {
      problems.push({
        what: `host ${quote(host)} is none of the service's`,
        why: 'sidecars have no cluster for it',
        fix: `use one of ${this.service.hosts.map(quote).join(', ')}`,
      });
    }
    if (this.service.resolution._isForwardProxy)
      problems.push({
        what: `${this.service.hosts.map(quote).join(', ')} with Resolution.dynamicForwardProxy(), from a sidecar`,
        why: 'only an egress gateway resolves such names; the sidecar would look for one that does not exist',
        fix: 'use Resolution.none(), or take it through a gateway',
      });
    if (props.http?._originates) problems.push(...this.originations(props, props.http, http, tls));
    const { resolution } = this.service;
    const originates = Boolean(props.http?._originates);
    const settings = props.upstream;
    problems.push(...upstreamProblems({ settings, resolution, readsHttp: http !== undefined, originates }));
    problems.push(...this.filtersEverywhere(props));
    problems.push(...plainToTls(this.hosts, http, props.http ?? HttpEgress.asIs()));
    return problems;
  }

  private pointless(props: SidecarEgressProps): Problem[] {
    const others = [props.https, props.tcp].filter((way) => way !== undefined);
    if (props.http?._originates || props.upstream || others.some(({ mode }) => mode === 'TUNNEL')) return [];
    return [
      {
        what: `${[props.http, ...others].map((way) => quote(way?.mode ?? 'AS_IS')).join(', ')} at the sidecar`,
        why: 'a sidecar sends what an ExternalService allows as it is; there is nothing to route',
        fix: 'use HttpEgress.originateTls(), originateMutualTls(...), TlsEgress.tunnel(...) or `upstream`, or leave this construct out',
      },
    ];
  }

  private tunnelled({ https, tcp }: SidecarEgressProps): Problem[] {
    const { ports } = this.service;
    if (!https?.proxy && !tcp?.proxy) return [];
    const problems = tunnelProblems(this.service, ports);
    const lacks = [
      ...(https?.proxy && !ports.some((port) => port.isTls) ? [['TLS', 'ExternalPort.https()', 'https']] : []),
      ...(tcp?.proxy && !ports.some((port) => port.isTcp) ? [['TCP', 'ExternalPort.tcp(...)', 'tcp']] : []),
    ];
    for (const [what, declared, field] of lacks)
      problems.push({
        what: `a tunnel for ${what}, but the service has no ${what} port`,
        why: 'there is nothing that could be tunnelled',
        fix: `declare ${declared} on the service, or leave out \`${field}\``,
      });
    return problems;
  }

  private originations(
    props: SidecarEgressProps,
    way: HttpEgress,
    http: ExternalPort | undefined,
    tls: ExternalPort | undefined,
  ): Problem[] {
    const problems: Problem[] = [];
    if (!http)
      problems.push({
        what: 'TLS origination, but the service has no plain-text HTTP port',
        why: 'there is no plain HTTP that the sidecar could take',
        fix: 'declare ExternalPort.http() on the service',
      });
    if (http && !tls && http.targetPort === undefined) {
      problems.push({
        what: 'TLS origination, but the service has no port for the TLS to go to',
        why: `TLS would be spoken to plain-text port ${http.number}`,
        fix: `declare ExternalPort.https() beside it, or ExternalPort.http(${http.number}, { targetPort: 443 })`,
      });
    }
    if (this.service.resolution.kind === 'NONE') {
      problems.push({
        what: 'TLS origination for a service without resolution',
        why: 'the sidecar would speak TLS to the plain-text port that the application dialled',
        fix: 'use Resolution.dns() on the service',
      });
    }
    const secret = way.mode === 'MUTUAL' || way.tls?.trust?.secretName !== undefined;
    if (secret && !Object.keys(props.workloads ?? {}).length) {
      problems.push({
        what: 'a credential at the sidecar, for no workloads in particular',
        why: 'sidecars read a credential only from a DestinationRule that selects them; without one the request leaves as plain HTTP to a TLS port',
        fix: 'name the workloads by their labels (`workloads`)',
      });
    }
    const { audience, namespace } = this.service;
    if (secret && (audience.isMesh || audience._namespaces(namespace).length > 1)) {
      problems.push({
        what: 'a credential at sidecars of several namespaces',
        why: 'a DestinationRule that selects workloads works in its own namespace alone',
        fix: `make the service and its SidecarEgress once a namespace`,
      });
    }
    for (const host of this.hosts.slice(0, 1)) problems.push(...originationProblems(host, way, namespace));
    return problems;
  }
}

/** The ports of a service that sidecars route. */
interface Ways {
  readonly http?: ExternalPort;
  readonly tls?: ExternalPort;
  /** Those that are tunnelled. */
  readonly tcp: readonly ExternalPort[];
}

function subsetOf(way: HttpEgress): string {
  return way.tls?.subset ?? 'originate-tls';
}

/** The port that TLS goes to: one that maps to another takes it itself. */
function targetOf(http: ExternalPort, tls: ExternalPort | undefined): ExternalPort {
  return http.targetPort === undefined && tls ? tls : http;
}

/** Whether plain HTTP needs a route of its own. */
function isRead({ http, upstream }: SidecarEgressProps): boolean {
  return Boolean(http?._originates) || Object.keys(routeSettings(upstream, '')).length > 0;
}

function httpRoute(
  host: string,
  http: ExternalPort,
  tls: ExternalPort | undefined,
  { http: way, upstream }: SidecarEgressProps,
): networking.VirtualServiceSpecHttp {
  const destination = way?._originates
    ? { host, subset: subsetOf(way), port: { number: targetOf(http, tls).number } }
    : { host, port: { number: http.number } };
  return { match: [{ port: http.number }], ...routeSettings(upstream, host), route: [{ destination }] };
}
