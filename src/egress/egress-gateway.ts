import { ApiObject } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfHost } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { namespaceProblems, objectNameProblems, portProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { Audience } from '../mesh/audience';
import { MeshObject } from '../mesh/mesh-object';
import { Workloads } from '../mesh/workloads';
import { DedicatedNodes } from './dedicated-nodes';
import { EgressGatewayWorkload, EgressGatewayWorkloadProps } from './egress-gateway-workload';
import { IEgressProxy } from './egress-proxy';
import { EgressRoute, ForwardOptions } from './egress-route';
import { AllowOptions, EgressTrafficPolicy } from './egress-traffic-policy';
import { IExternalService } from './external-service';
import { ForwardedWildcard, forwardProxy } from './forward-proxy';
import { ServerClaim, SubsetClaim, mergeServers, mergeSubsets, serverProblems, subsetProblems } from './gateway-claims';
import { GatewayHop } from './gateway-hop';
import { GatewayLockdown } from './gateway-lockdown';
import { GatewayPolicies } from './gateway-policies';
import { podPortOf } from './pod-port';
import { Grant } from './policy-grant';
import { UpstreamParts, upstreamFilter } from './upstream-filter';
import { UpstreamSettings } from './upstream-settings';

/** What any egress gateway may be told. */
export interface EgressGatewayOptions {
  /**
   * Whether what is forwarded (`forward`) stays open to every client of the service while policies (EgressTrafficPolicy, `allow`) say of other services who may reach them. For the time while a
   * team moves over: one service after the other goes from `forward` to a policy.
   *
   * @default false: beside policies, `forward` is refused, because the gateway would answer 403
   */
  readonly admitForwarded?: boolean;

  /**
   * How plain HTTP travels from the sidecars to the gateway.
   *
   * @default mutual TLS of the mesh
   */
  readonly hop?: GatewayHop;

  /**
   * The port of its Service for TLS passed through, and for TCP.
   *
   * @default 443
   */
  readonly tlsPort?: number;

  /**
   * The name of the Istio Gateway object.
   *
   * @default the name of the gateway's Service
   */
  readonly gatewayName?: string;

  /**
   * The name of the DestinationRule for the way to the gateway.
   *
   * @default the name of the gateway's Service and "-hop"
   */
  readonly hopRuleName?: string;
}

/** An egress gateway that this construct runs. */
export interface EgressGatewayProps extends EgressGatewayOptions, EgressGatewayWorkloadProps {}

/** An egress gateway that istioctl, Helm or another team installed. */
export interface InstalledEgressGatewayProps extends EgressGatewayOptions {
  /**
   * The namespace that it runs in.
   *
   * @default "istio-system"
   */
  readonly namespace?: string;

  /**
   * The name of its Service.
   *
   * @default "istio-egressgateway"
   */
  readonly serviceName?: string;

  /**
   * The labels that select its pods, and no other gateway's.
   *
   * @default istio: egressgateway
   */
  readonly selector?: { [key: string]: string };

  /**
   * The ports of its Service.
   *
   * @default 80 and 443, as Istio's own charts have them
   */
  readonly servicePorts?: number[];

  /**
   * The ports that its pods listen on.
   *
   * @default the ports of its Service, those under 1024 moved up by 8000, as Istio's own gateways have them
   */
  readonly podPorts?: number[];

  /**
   * The namespace for the Gateway and the DestinationRule that are rendered.
   *
   * @default the namespace that it runs in
   */
  readonly configNamespace?: string;
}

/** What routes need to know of an egress gateway. */
export interface IEgressGateway extends IConstruct {
  /** The DNS name of its Service. */
  readonly host: string;

  /** The namespace that it runs in. */
  readonly namespace: string;

  /**
   * Takes an external service through this gateway.
   *
   * @param service what is to be reached
   * @param options how; left out, each port goes through in the way that leaves it as it is
   */
  forward(service: IExternalService, options?: ForwardOptions): EgressRoute;
}

/**
 * A gateway through which traffic leaves the mesh, and all that its hosts share: one Istio Gateway whose servers are merged, and one
 * DestinationRule for the way to it. Hosts are added by `forward`, in any order, from any chart, and never overwrite each other's objects.
 */
export abstract class EgressGatewayBase extends Construct implements IEgressGateway, IEgressProxy {
  public abstract readonly host: string;
  public abstract readonly namespace: string;

  /** The namespace of its Gateway and DestinationRule. */
  public abstract readonly configNamespace: string;

  /** The labels that select its pods. */
  public abstract readonly selector: { [key: string]: string };

  /** The ports of its Service. */
  public abstract readonly servicePorts: number[];

  /** The ports that its pods listen on: what a NetworkPolicy sees of the Service's ports. */
  public abstract readonly podPorts: number[];

  /** How plain HTTP travels to it, unless a route says otherwise. */
  public abstract readonly hop: GatewayHop;

  /** The port of its Service for TLS passed through, and for TCP. */
  public abstract readonly tlsPort: number;

  /** The rendered Istio Gateway, to patch. */
  public abstract readonly gateway: ApiObject;

  /** The rendered DestinationRule for the way to the gateway, to patch. */
  public abstract readonly hopRule: ApiObject;

  private readonly routes: EgressRoute[] = [];
  private policies?: GatewayPolicies;

  /** @internal */
  public readonly _lockdown = new GatewayLockdown();

  /**
   * Takes an external service through this gateway.
   *
   * @param service what is to be reached
   * @param options how; left out, each port goes through in the way that leaves it as it is
   */
  public forward(service: IExternalService, options?: ForwardOptions): EgressRoute {
    const stem = `Through${this.node.id}`;
    const earlier = service.node.children.filter((child) => child.node.id.startsWith(stem)).length;
    const route = new EgressRoute(service as Construct & IExternalService, earlier ? `${stem}${earlier + 1}` : stem, {
      gateway: this,
      service,
      options: options ?? {},
    });
    this.routes.push(route);
    service.showIn(this.namespace);
    this.resolveNamesOf(service);
    this.filterUpstreams(options?.upstream);
    return route;
  }

  /**
   * Lets a caller reach an external service through this gateway: an EgressTrafficPolicy of one rule, below the service. From then on, what nothing allows is refused.
   *
   * @param caller who
   * @param service what
   * @param options how, and what of it
   * @example
   * gateway.allow(Workloads.of(payments), stripe, { http: HttpEgress.originateTls(), methods: ['POST'] });
   */
  public allow(caller: Workloads, service: IExternalService, options?: AllowOptions): EgressTrafficPolicy {
    const { registryOnly, lockdown, trustDomain, ...rule } = options ?? {};
    const { namespace, labels, serviceAccounts } = caller;
    const words = [namespace, ...serviceAccounts, ...Object.values(labels)].map(nameOfHost);
    const stem = `Allow${this.node.id}-${words.join('-')}`;
    const earlier = service.node.children.filter(({ node }) => node.id === stem || node.id.startsWith(`${stem}.`));
    return new EgressTrafficPolicy(
      service as Construct & IExternalService,
      earlier.length ? `${stem}.${earlier.length + 1}` : stem,
      {
        gateway: this,
        registryOnly,
        lockdown,
        trustDomain,
        rules: [{ ...rule, from: [caller], to: [service] }],
      },
    );
  }

  /**
   * Lets callers in, as an EgressTrafficPolicy says. From then on, everybody else is refused.
   *
   * @internal
   */
  public _admit(grants: readonly Grant[]): void {
    this.policies ??= new GatewayPolicies(this);
    this.policies.add(grants);
    if (this._admitsForwarded) this.policies.admitForwarded();
    for (const { service } of grants) this.resolveNamesOf(service);
    for (const { upstream } of grants) this.filterUpstreams(upstream);
  }

  /** One EnvoyFilter for all hosts, so that requests are counted once. */
  private filterUpstreams(settings: UpstreamSettings | undefined): void {
    if ((!settings?.rateLimit && !settings?.tls) || this.node.tryFindChild('Upstreams')) return;
    const proxy = {
      name: `${this.gateway.name}-upstreams`,
      namespace: this.namespace,
      labels: () => this.selector,
      at: 'GATEWAY' as const,
    };
    upstreamFilter(this, 'Upstreams', proxy, () => this.upstreamParts());
  }

  private upstreamParts(): UpstreamParts {
    const parts = [
      ...this.routes.map((route) => route._upstreamParts()),
      ...(this.policies ? [this.policies.upstreamParts()] : []),
    ];
    return { routes: parts.flatMap(({ routes }) => routes), clusters: parts.flatMap(({ clusters }) => clusters) };
  }

  /** @internal */
  public _objectsFor(grants: readonly Grant[]): ApiObject[] {
    return this.policies?.objectsFor(grants) ?? [];
  }

  private resolveNamesOf({ resolution }: IExternalService): void {
    if (!resolution._isForwardProxy || this.node.tryFindChild('ForwardProxy')) return;
    const selector = () => this.selector;
    forwardProxy(this, { name: this.gateway.name, namespace: this.namespace, selector }, () =>
      this.forwardedWildcards(),
    );
  }

  private forwardedWildcards(): ForwardedWildcard[] {
    return [
      ...this.routes.flatMap((route) => route._forwardedWildcards()),
      ...(this.policies?.forwardedWildcards() ?? []),
    ];
  }

  /**
   * Whether it stays open for what is forwarded once policies say who may come.
   *
   * @internal
   */
  public _admitsForwarded = false;

  /**
   * What the gateway has to admit for what is forwarded: hosts of HTTP, and SNIs of all else.
   *
   * @internal
   */
  public _forwarded(): { readonly hosts: string[]; readonly snis: string[] } {
    const all = this.routes.map((route) => route._admissions());
    return { hosts: all.flatMap(({ hosts }) => hosts), snis: all.flatMap(({ snis }) => snis) };
  }

  /**
   * The nodes that it runs on, where this app decides that.
   *
   * @internal
   */
  public _nodes: DedicatedNodes | undefined | 'unknown' = 'unknown';

  /** @internal */
  public _routePaths(): string[] {
    return this.routes.map((route) => route.node.path);
  }

  /** @internal */
  public get _callingNamespaces(): string[] {
    return this.policies?.namespaces ?? [];
  }

  /** The Gateway object as routes refer to it: always with its namespace. */
  public get reference(): string {
    return `${this.configNamespace}/${this.gateway.name}`;
  }

  /** @internal */
  protected _renderGateway(name: string): ApiObject {
    return new MeshObject(this, 'Gateway', {
      ...networking.Gateway.GVK,
      metadata: { name, namespace: this.configNamespace },
      manifest: networking.Gateway.manifest,
      spec: () => ({ spec: { selector: this.selector, servers: mergeServers(this.serverClaims()) } }),
    });
  }

  /** @internal */
  protected _renderHopRule(name: string): ApiObject {
    refuseAtSynth(this, () => this.problems());
    return new MeshObject(this, 'Hop', {
      ...networking.DestinationRule.GVK,
      metadata: { name, namespace: this.configNamespace },
      manifest: networking.DestinationRule.manifest,
      spec: () => ({
        spec: {
          host: this.host,
          exportTo: this.audience()._exportTo(this.configNamespace),
          subsets: mergeSubsets(this.subsetClaims()),
        },
      }),
    });
  }

  private audience(): Audience {
    const clients = this.routes.map((route) => route._clients());
    if (clients.some((audience) => audience.isMesh)) return Audience.mesh();
    return Audience.namespaces(
      ...new Set([
        ...this.routes.flatMap((route, i) => clients[i]._namespaces(route.service.namespace)),
        ...this._callingNamespaces,
      ]),
    );
  }

  private serverClaims(): ServerClaim[] {
    return [...this.routes.flatMap((route) => route._serverClaims()), ...(this.policies?.serverClaims() ?? [])];
  }

  private subsetClaims(): SubsetClaim[] {
    return [...this.routes.flatMap((route) => route._subsetClaims()), ...(this.policies?.subsetClaims() ?? [])];
  }

  private problems(): Problem[] {
    const claims = this.serverClaims();
    const problems = [...serverProblems(claims), ...subsetProblems(this.subsetClaims())];
    problems.push(
      ...namespaceProblems('namespace', this.namespace),
      ...namespaceProblems('configNamespace', this.configNamespace),
    );
    problems.push(
      ...objectNameProblems('name of the Gateway', this.gateway.name),
      ...this.servicePorts.flatMap((port) => portProblems('service port', port)),
    );
    for (const claim of firstByPort(claims)) {
      if (claim.bind !== undefined || this.servicePorts.includes(claim.port)) continue;
      problems.push({
        what: `${claim.by} goes to port ${claim.port} of ${this.host}, which its Service has not`,
        why: 'sidecars would have no cluster for the hop, and answer 503',
        fix: `use one of ${this.servicePorts.join(', ')}, or add the port to the gateway's Service`,
      });
    }
    if (!Object.keys(this.selector).length) {
      problems.push({
        what: 'the selector of the gateway names no label',
        why: 'the configuration would go to every gateway of the mesh',
        fix: 'name the labels of its pods, such as { istio: "egressgateway" }',
      });
    }
    if (!this.routes.length && !this._callingNamespaces.length) {
      problems.push({
        what: `gateway ${quote(this.gateway.name)} forwards nothing`,
        why: 'Istio refuses a Gateway without servers',
        fix: 'call allow(...) or forward(...), or name it in an EgressTrafficPolicy; to install the gateway alone, use EgressGatewayWorkload',
      });
    }
    return [...problems, ...this.unreadableHopRule()];
  }

  private unreadableHopRule(): Problem[] {
    if (this.configNamespace === this.namespace || this.configNamespace === 'istio-system') return [];
    const audience = this.audience();
    const readers = audience.isMesh
      ? []
      : audience._namespaces(this.configNamespace).filter((ns) => ns !== this.configNamespace);
    if (!audience.isMesh && !readers.length) return [];
    return [
      {
        what: `the DestinationRule for ${this.host} is in ${quote(this.configNamespace)}, and read by ${audience.isMesh ? 'every namespace' : readers.map(quote).join(', ')}`,
        why: "a proxy looks for it in its own namespace, in the gateway's, and in Istio's root namespace, so these would find no subset and answer 503",
        fix: `leave out \`configNamespace\`, so that it goes to ${quote(this.namespace)}`,
      },
    ];
  }
}

function firstByPort(claims: readonly ServerClaim[]): ServerClaim[] {
  return [...new Map([...claims].reverse().map((claim) => [claim.port, claim])).values()];
}

/**
 * An egress gateway that this construct runs, as plain manifests: its workload, and all that its hosts share.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/
 * @example
 * const gateway = new EgressGateway(this, 'Egress');
 * const stripe = new ExternalService(this, 'Stripe', { hosts: ['api.stripe.com'], namespace: 'istio-egress' });
 * gateway.allow(Workloads.in('shop', { app: 'payments' }), stripe);
 */
export class EgressGateway extends EgressGatewayBase {
  /**
   * Refers to a gateway that istioctl, Helm or another team installed. Its Istio Gateway object and the DestinationRule are rendered,
   * its workload is not.
   *
   * @param scope the parent
   * @param id the construct's id
   * @param props where it is; left out, the gateway of `istioctl install` is meant
   */
  public static fromInstalled(scope: Construct, id: string, props?: InstalledEgressGatewayProps): EgressGatewayBase {
    return new InstalledEgressGateway(scope, id, props ?? {});
  }

  public readonly host: string;
  public readonly namespace: string;
  public readonly configNamespace: string;
  public readonly selector: { [key: string]: string };
  public readonly servicePorts: number[];
  public readonly podPorts: number[];
  public readonly hop: GatewayHop;
  public readonly tlsPort: number;
  public readonly gateway: ApiObject;
  public readonly hopRule: ApiObject;

  /** What runs the gateway. */
  public readonly workload: EgressGatewayWorkload;

  public constructor(scope: Construct, id: string, props?: EgressGatewayProps) {
    super(scope, id);
    this.workload = new EgressGatewayWorkload(this, 'Workload', { ...props, name: props?.name ?? nameOfId(id) });
    this.namespace = this.workload.namespace;
    this.configNamespace = this.namespace;
    this.selector = this.workload.selector;
    this.servicePorts = this.workload.servicePorts;
    this.podPorts = this.workload.podPorts;
    this._nodes = props?.nodes;
    this.host = this.workload.host;
    this.hop = props?.hop ?? GatewayHop.mutualTls();
    this._admitsForwarded = props?.admitForwarded ?? false;
    this.tlsPort = props?.tlsPort ?? 443;
    this.gateway = this._renderGateway(props?.gatewayName ?? this.workload.name);
    this.hopRule = this._renderHopRule(props?.hopRuleName ?? `${this.workload.name}-hop`);
  }
}

class InstalledEgressGateway extends EgressGatewayBase {
  public readonly host: string;
  public readonly namespace: string;
  public readonly configNamespace: string;
  public readonly selector: { [key: string]: string };
  public readonly servicePorts: number[];
  public readonly podPorts: number[];
  public readonly hop: GatewayHop;
  public readonly tlsPort: number;
  public readonly gateway: ApiObject;
  public readonly hopRule: ApiObject;

  public constructor(scope: Construct, id: string, props: InstalledEgressGatewayProps) {
    super(scope, id);
    const service = props.serviceName ?? 'istio-egressgateway';
    this.namespace = props.namespace ?? 'istio-system';
    this.configNamespace = props.configNamespace ?? this.namespace;
    this.selector = props.selector ?? { istio: 'egressgateway' };
    this.servicePorts = props.servicePorts ?? [80, 443];
    this.podPorts = props.podPorts ?? this.servicePorts.map(podPortOf);
    this.host = `${service}.${this.namespace}.svc.cluster.local`;
    this.hop = props.hop ?? GatewayHop.mutualTls();
    this._admitsForwarded = props.admitForwarded ?? false;
    this.tlsPort = props.tlsPort ?? 443;
    this.gateway = this._renderGateway(props.gatewayName ?? service);
    this.hopRule = this._renderHopRule(props.hopRuleName ?? `${service}-hop`);
  }
}
