import { ApiObject } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { isIpAddress, isWildcard, nameOfHost } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { portProblems, shorten } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { Audience } from '../mesh/audience';
import { joinMesh, meshMembers, sameMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import type { MeshRoute } from './egress-route-overlap';
import { ExternalPort } from './external-port';
import { ExternalService, IExternalService } from './external-service';
import { Resolution } from './resolution';

/** A proxy that applications know nothing of. */
export interface TransparentProxyProps {
  /** Its DNS name. It shows in access logs: `outbound|3128|to-en-wikipedia-org-443|` and the name. */
  readonly host: string;

  /**
   * Its IP addresses.
   *
   * @default none: sidecars and gateways resolve its name
   */
  readonly addresses?: string[];

  /**
   * Its port, on which it takes CONNECT in plain text.
   *
   * @default 3128
   */
  readonly port?: number;

  /**
   * The namespace of its objects.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * The name of its ServiceEntry.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;
}

/** One way through a proxy. */
interface Tunnel {
  readonly host: string;
  readonly port: number;
  readonly viewers: readonly string[];
  readonly by: IConstruct;
}

/**
 * An HTTP proxy outside the mesh that the sidecar or the egress gateway uses for applications that know nothing of it: it takes their
 * TLS or TCP to the proxy by CONNECT. `TlsEgress.tunnel` and `TcpEgress.tunnel` say what goes that way: of SidecarEgress from the sidecar, of
 * `EgressGateway.forward` or EgressTrafficPolicy from the gateway.
 *
 * Each site is registered as an ExternalService, as it is without a proxy, so that sidecars know what to tunnel. Plain HTTP can't be
 * tunnelled: Envoy opens tunnels for connections, never for requests. Nor can a wildcard, since a tunnel leads to one host. Istio has no field for
 * credentials of the proxy, so it has to know its clients by address.
 *
 * Only who tunnels sees the proxy, and nobody can dial it through a sidecar: an application that asks the proxy by itself is cut by
 * REGISTRY_ONLY. For applications that do use a proxy by its address, see ExternalProxy.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-TunnelSettings
 * @example
 * const proxy = new TransparentProxy(this, 'Proxy', { host: 'proxy.corp.example', namespace: 'istio-egress' });
 * gateway.forward(wikipedia, { https: TlsEgress.tunnel(proxy) });
 */
export class TransparentProxy extends Construct {
  /** Its DNS name. */
  public readonly host: string;

  /** Its port. */
  public readonly port: number;

  /** The proxy as a service. */
  public readonly service: ExternalService;

  /** Its IP addresses, as far as they were given. */
  public readonly addresses: string[];

  private readonly tunnels = new Map<string, Tunnel[]>();
  private rule?: ApiObject;

  public constructor(scope: Construct, id: string, props: TransparentProxyProps) {
    super(scope, id);
    this.host = props.host;
    this.port = props.port ?? 3128;
    const addresses = [...(props.addresses ?? [])];
    this.addresses = addresses;
    // TLS keeps sidecars from opening a port on which an application could speak to the proxy by itself: what is no TLS for the
    // proxy's name is cut there. An address of its own would open one again.
    this.service = new ExternalService(this, 'Service', {
      hosts: [props.host],
      ports: [ExternalPort.tls(this.port)],
      resolution: addresses.length ? Resolution.static(...addresses.map((address) => ({ address }))) : Resolution.dns(),
      namespace: props.namespace,
      name: props.name ?? nameOfId(id),
    });
    this.service.serviceEntry.metadata.addLabel('networking.istio.io/enable-autoallocate-ip', 'false');
    refuseAtSynth(this, () => this.problems(addresses));
    joinMesh('TransparentProxy', this, () => []);
  }

  /** The rendered DestinationRule, with a subset for each tunnel; none as long as nothing goes through the proxy. */
  public get destinationRule(): ApiObject | undefined {
    return this.rule;
  }

  /**
   * Leads a way through this proxy.
   *
   * @internal
   */
  public _tunnelTo(host: string, port: number, viewers: readonly string[], by: IConstruct): void {
    const subset = subsetOf(host, port);
    this.tunnels.set(subset, [...(this.tunnels.get(subset) ?? []), { host, port, viewers, by }]);
    for (const viewer of viewers) this.service.carryBy(viewer, this.service.ports[0]);
    this.rule ??= new MeshObject(this, 'Tunnels', {
      ...networking.DestinationRule.GVK,
      metadata: { name: `${this.service.serviceEntry.name}-tunnels`, namespace: this.service.namespace },
      manifest: networking.DestinationRule.manifest,
      spec: () => ({
        spec: { host: this.host, exportTo: this.exportTo(), subsets: this.subsets() },
      }),
    });
  }

  /**
   * Where a route sends what goes through this proxy to a host and port.
   *
   * @internal
   */
  public _destination(host: string, port: number): { host: string; subset: string; port: { number: number } } {
    return { host: this.host, subset: subsetOf(host, port), port: { number: this.port } };
  }

  private exportTo(): string[] {
    const viewers = [...this.tunnels.values()].flat().flatMap((tunnel) => tunnel.viewers);
    return Audience._exportOnlyTo(this.service.namespace, ...viewers);
  }

  private subsets(): networking.DestinationRuleSpecSubsets[] {
    return [...this.tunnels.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, [{ host, port }]]) => ({
        name,
        trafficPolicy: { tunnel: { protocol: 'CONNECT', targetHost: host, targetPort: port } },
      }));
  }

  private problems(addresses: readonly string[]): Problem[] {
    const problems = portProblems('port of the proxy', this.port);
    for (const address of addresses.filter((text) => !isIpAddress(text)))
      problems.push({
        what: `address ${quote(address)} is no IP address`,
        why: 'sidecars and gateways dial the proxy themselves, so they need to know it exactly',
        fix: address.includes('/')
          ? 'name single addresses, or leave `addresses` out to have the name resolved'
          : 'write it as "203.0.113.7", or leave `addresses` out to have the name resolved',
      });
    const used = [...this.tunnels.values()].flat();
    if (!used.length)
      problems.push({
        what: `nothing is tunnelled through ${quote(this.host)}`,
        why: 'nobody would see the proxy',
        fix: 'use it in TlsEgress.tunnel(...) or TcpEgress.tunnel(...), or leave it out',
      });
    for (const { by } of used.filter((tunnel) => !sameMesh(tunnel.by, this)))
      problems.push({
        what: `${by.node.path} is of another mesh, and tunnels through this proxy`,
        why: 'proxies of that mesh know nothing of it',
        fix: 'make a TransparentProxy below the same MeshBoundary',
      });
    for (const route of meshMembers<MeshRoute>('mesh route', this).filter(({ service }) => service === this.service))
      problems.push({
        what: `the proxy ${quote(this.host)} is itself routed by ${route.node.path}`,
        why: 'a tunnel that begins at the sidecar would reach a gateway in the place of the proxy, which answers 404',
        fix: 'route the sites with TlsEgress.tunnel(...), so that the tunnel begins at the gateway',
      });
    return problems;
  }
}

function subsetOf(host: string, port: number): string {
  return shorten(`to-${nameOfHost(host)}-${port}`);
}

/**
 * What can't be tunnelled.
 *
 * @internal
 */
export function tunnelProblems(service: IExternalService, ports: readonly ExternalPort[]): Problem[] {
  const problems: Problem[] = service.hosts.filter(isWildcard).map((host) => ({
    what: `wildcard ${quote(host)} through a tunnel`,
    why: 'a tunnel leads to one host, which Istio has to know beforehand',
    fix: 'name the single hosts, or let applications use the proxy themselves (ExternalProxy)',
  }));
  for (const port of ports.filter(({ isHttp }) => isHttp))
    problems.push({
      what: `${port.protocol} port ${port.number} of ${service.hosts.map(quote).join(', ')}, beside a tunnel`,
      why: 'Envoy tunnels connections, never requests: plain HTTP would leave past the proxy',
      fix: 'leave the port out of the service, or declare it ExternalPort.tcp(...) with addresses',
    });
  return problems;
}
