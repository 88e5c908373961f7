import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { Problem, refuseAtSynth } from '../core/problem';
import { joinMesh, meshMembers, sameMesh } from '../mesh/mesh-boundary';
import { namesNamespaces } from '../mesh/namespace-names';
import { OutboundMode, OutboundTrafficPolicy } from '../mesh/outbound-traffic-policy';
import { SidecarScope } from '../mesh/sidecar-scope';
import { Workloads } from '../mesh/workloads';
import type { EgressGatewayBase } from './egress-gateway';
import type { EgressLockdown } from './egress-lockdown';
import { ruleProblems, trustDomainProblems } from './egress-traffic-policy-rules';
import { HttpEgress, TcpEgress, TlsEgress } from './egress-ways';
import { defaultWay } from './plain-http';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';
import { policiesAgainstEachOther } from './policy-conflicts';
import { DirectEgress } from './policy-direct';
import { Grant, Permission, gatewayOf } from './policy-grant';
import { UpstreamSettings, mirrorsNamed, showMirrors } from './upstream-settings';

/** How what is allowed is reached, and what of it. */
export interface EgressTrafficOptions {
  /**
   * Which ports of the services.
   *
   * @default all that the services declare
   */
  readonly ports?: number[];

  /**
   * What the gateway does with plain HTTP, or the sidecar where there is none: sends it on, or makes TLS or mutual TLS of it. Callers of different
   * rules may have different credentials for one host; credentials take a gateway.
   *
   * @default sent on as it is
   */
  readonly http?: HttpEgress;

  /**
   * How TLS that applications make leaves: as it is, or through a proxy outside the mesh (`TlsEgress.tunnel`).
   *
   * @default as it is
   */
  readonly https?: TlsEgress;

  /**
   * How other TCP leaves: as it is, or through a proxy outside the mesh (`TcpEgress.tunnel`).
   *
   * @default as it is
   */
  readonly tcp?: TcpEgress;

  /**
   * How the gateway, or the sidecar where there is none, treats the services: timeouts, retries, limits, outlier detection, localities, TLS versions, headers, mirrors, faults. Said by one rule it holds for
   * the host, whoever calls it through the same gateway or from a sidecar; two rules that say different things of one host are refused.
   *
   * @default as Istio does, but that only what never reached the site is sent once more
   */
  readonly upstream?: UpstreamSettings;

  /**
   * Whether it leaves straight from the callers' sidecars, in a policy that has a gateway for its other rules. Who may, their own sidecars
   * decide by labels; nothing on the way asks once more.
   *
   * @default false; without a gateway, every rule is direct
   */
  readonly direct?: boolean;

  /**
   * The HTTP methods that are allowed.
   *
   * @default any
   */
  readonly methods?: string[];

  /**
   * The HTTP paths that are allowed: exact, or with a star first or last ("/v1/*").
   *
   * @default any
   */
  readonly paths?: string[];

  /**
   * The port of the gateway's Service that the hop goes to.
   *
   * @default for HTTP the port of the gateway's hop, 80 unless it says otherwise; for TLS and TCP its `tlsPort`
   */
  readonly gatewayPort?: number;
}

/** Who may reach what, and how. */
export interface EgressTrafficRule extends EgressTrafficOptions {
  /** The callers. */
  readonly from: Workloads[];

  /** The external services that they may reach. */
  readonly to: IExternalService[];
}

/** What may be said where one caller is allowed one service. */
export interface AllowOptions extends EgressTrafficOptions {
  /**
   * Whether the caller's namespace gets a Sidecar that cuts what nothing allows (REGISTRY_ONLY).
   *
   * @default true
   */
  readonly registryOnly?: boolean;

  /**
   * The lockdown by which the cluster's network holds it too.
   *
   * @default that of the gateway, if it has one
   */
  readonly lockdown?: EgressLockdown;

  /**
   * The trust domain of the caller's certificates.
   *
   * @default "cluster.local"
   */
  readonly trustDomain?: string;
}

/** Who may reach what, through which gateway or none. */
export interface EgressTrafficPolicyProps {
  /**
   * The gateway that it goes through. Its hop has to be in mutual TLS: else it can't know who calls.
   *
   * @default none: what is allowed leaves straight from the callers' sidecars
   */
  readonly gateway?: EgressGatewayBase;

  /** Who may reach what. What no rule allows is refused. */
  readonly rules: EgressTrafficRule[];

  /**
   * Whether the callers' namespaces get a Sidecar that cuts what no rule allows (REGISTRY_ONLY). Leave it out only where the whole mesh
   * does so (`IstioInstall`), or where they have Sidecars of their own that do.
   *
   * @default true
   */
  readonly registryOnly?: boolean;

  /**
   * The lockdown by which the cluster's network holds it too: the callers' namespaces are locked in, and what leaves straight from sidecars
   * gets a way out for just those pods and ports.
   *
   * @default that of the gateway, unless it names its namespaces itself; without one proxies alone hold it
   */
  readonly lockdown?: EgressLockdown;

  /**
   * The trust domain of the callers' certificates.
   *
   * @default "cluster.local"
   */
  readonly trustDomain?: string;
}

/**
 * Says which workloads may reach which external services, through an egress gateway or straight from their sidecars, and renders all that follows: who sees which
 * ServiceEntry, the gateway's servers, the routes of both hops, the TLS that the gateway makes, Sidecars, and an AuthorizationPolicy at the
 * gateway for each calling namespace.
 *
 * Everybody else is refused twice: by their own sidecar, which has no route (502 for HTTP, a reset for TLS and TCP), and by the gateway (403,
 * or a closed connection), which asks every caller for the mesh's certificate, on every protocol. TLS that applications make travels inside
 * the hop's own mutual TLS for that reason. Labels are judged by sidecars only, service accounts by the gateway: give both where a
 * namespace holds workloads that you would not trust with each other's rights.
 *
 * What leaves straight from the sidecar is held there alone, by labels: a workload of the same namespace that no rule names gets 502, or a closed
 * connection.
 *
 * Policies add up, in any order. Its routes and AuthorizationPolicies are therefore in the chart of the gateway (where it leaves straight from sidecars: of the service), whichever
 * chart the policy is in.
 *
 * It holds what goes through proxies. A process that gets around its sidecar is held by networks only: see EgressLockdown.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/
 * @example
 * new EgressTrafficPolicy(this, 'Policy', {
 *   gateway,
 *   rules: [
 *     { from: [Workloads.in('shop', { app: 'payments' }, { serviceAccounts: ['payments'] })], to: [stripe] },
 *     { from: [Workloads.in('billing')], to: [bank], methods: ['GET'], paths: ['/rates/*'] },
 *   ],
 * });
 */
export class EgressTrafficPolicy extends Construct {
  /** The gateway that it goes through, if it has one. */
  public readonly gateway?: EgressGatewayBase;

  /** The Sidecars that cut what no rule allows: one for each calling namespace that had none yet. */
  public readonly sidecars: ApiObject[] = [];

  /** @internal */
  public readonly _permissions: readonly Permission[];

  private lockdown?: EgressLockdown;

  public constructor(scope: Construct, id: string, props: EgressTrafficPolicyProps) {
    super(scope, id);
    this.gateway = props.gateway;
    const byRule = props.rules.map((rule, i) => this.permissionsOf(rule, i, props));
    this._permissions = byRule.flat();
    const grants = this._permissions.filter((one): one is Grant => gatewayOf(one) !== undefined);
    const direct = this._permissions.filter((one) => !gatewayOf(one));
    for (const { service, port, way, gateway } of grants)
      service.carryBy(gateway.namespace, carried(service, port, way));
    for (const { service, port, way, from } of direct) service.carryBy(from.namespace, carried(service, port, way));
    for (const permission of this._permissions) {
      const viewer = gatewayOf(permission)?.namespace ?? permission.from.namespace;
      permission.tunnel?._tunnelTo(permission.host, permission.port.number, [viewer], this);
    }
    if (grants.length) this.gateway?._admit(grants);
    for (const [service, some] of byService(direct)) DirectEgress.of(service).add(some);
    for (const permission of this._permissions)
      showMirrors(permission.upstream, [gatewayOf(permission)?.namespace ?? permission.from.namespace]);
    if (props.lockdown) this._holdBy(props.lockdown);
    else this.gateway?._lockdown.hold(this);
    if (props.registryOnly !== false) this.cutTheRest();
    refuseAtSynth(this, () => this.problems(props));
    joinMesh('EgressTrafficPolicy', this, policiesAgainstEachOther);
    namesNamespaces(this, () =>
      props.rules.flatMap((rule) => [
        ...rule.from.map((workloads) => workloads._named()),
        ...mirrorsNamed(rule.upstream),
      ]),
    );
  }

  /** @internal */
  public get _lockdown(): EgressLockdown | undefined {
    return this.lockdown;
  }

  /**
   * Has the cluster's network hold it too.
   *
   * @internal
   */
  public _holdBy(lockdown: EgressLockdown): void {
    this.lockdown = lockdown;
    for (const { from } of this._permissions) lockdown._lockIn(from.namespace);
    for (const one of this._permissions.filter((permission) => !gatewayOf(permission)))
      lockdown._letOut({ ...one, ...wayOut(one) });
  }

  /**
   * The VirtualServices by which it is held, to patch: those of the callers' sidecars and those of the gateway. Policies of one gateway add up, so an object may be shared
   * with other policies; asked for once all policies are made, the list is whole.
   */
  public get virtualServices(): ApiObject[] {
    return this.objectsOf('VirtualService');
  }

  /** The DestinationRules by which TLS is originated and limits are kept, to patch. Each may be shared with other policies for the host. */
  public get destinationRules(): ApiObject[] {
    return this.objectsOf('DestinationRule');
  }

  /** The AuthorizationPolicies at the gateway, to patch: one for each calling namespace, shared with other policies that it calls by. */
  public get authorizationPolicies(): ApiObject[] {
    return this.objectsOf('AuthorizationPolicy');
  }

  /** The ServiceEntries that lead callers to the gateway or nowhere, to patch. Those of the services themselves belong to the services. */
  public get serviceEntries(): ApiObject[] {
    return this.objectsOf('ServiceEntry');
  }

  /** The EnvoyFilters for rate limits and TLS versions of what leaves straight from sidecars, to patch. The gateway's is the gateway's. */
  public get envoyFilters(): ApiObject[] {
    return this.objectsOf('EnvoyFilter');
  }

  private objectsOf(kind: string): ApiObject[] {
    const grants = this._permissions.filter((one): one is Grant => gatewayOf(one) !== undefined);
    const direct = new Set(this._permissions.filter((one) => !gatewayOf(one)).map(({ service }) => service));
    const objects = [
      ...(this.gateway?._objectsFor(grants) ?? []),
      ...[...direct].flatMap((service) => DirectEgress.of(service).objects),
    ];
    return objects.filter((object) => object.kind === kind);
  }

  private permissionsOf(rule: EgressTrafficRule, index: number, props: EgressTrafficPolicyProps): Permission[] {
    const gateway = rule.direct ? undefined : props.gateway;
    const common = {
      by: this,
      rule: index,
      methods: [...(rule.methods ?? [])].sort(),
      paths: [...(rule.paths ?? [])].sort(),
      trustDomain: props.trustDomain ?? 'cluster.local',
    };
    const hop = (port: ExternalPort) =>
      gateway && { gateway, gatewayPort: rule.gatewayPort ?? (port.isHttp ? gateway.hop.port : gateway.tlsPort) };
    const ports = (service: IExternalService) =>
      service.ports.filter(({ number }) => !rule.ports || rule.ports.includes(number));
    return rule.to.flatMap((service) =>
      ports(service).flatMap((port) =>
        service.hosts.flatMap((host) =>
          rule.from.map((from) => ({
            ...common,
            ...hop(port),
            from,
            service,
            host,
            port,
            way: port.isHttp ? (rule.http ?? (port._thenTls ? defaultWay(port) : undefined)) : undefined,
            upstream: rule.upstream,
            tunnel: port.isTls ? rule.https?.proxy : port.isTcp ? rule.tcp?.proxy : undefined,
          })),
        ),
      ),
    );
  }

  /** The first policy that names a namespace gives it its Sidecar. Every policy would make the same. */
  private cutTheRest(): void {
    const held = new Set(
      meshMembers<OutboundTrafficPolicy | SidecarScope>('Sidecar', this)
        // One that leaves the mode to the mesh cuts nothing: beside it, this one is refused.
        .filter((one) => !(one instanceof SidecarScope) || one.mode === OutboundMode.REGISTRY_ONLY)
        .filter(({ workloads }) => !Object.keys(workloads).length)
        .map(({ namespace }) => namespace),
    );
    for (const namespace of [...new Set(this._permissions.map(({ from }) => from.namespace))].sort()) {
      if (held.has(namespace)) continue;
      const outbound = new OutboundTrafficPolicy(this, `Outbound-${namespace}`, {
        namespace,
        mode: OutboundMode.REGISTRY_ONLY,
        name: 'registry-only',
      });
      this.sidecars.push(outbound.sidecar);
    }
  }

  private problems(props: EgressTrafficPolicyProps): Problem[] {
    const problems = props.rules.flatMap((rule, i) => ruleProblems(this, rule, i));
    if (!props.rules.length)
      problems.push({
        what: '`rules` is empty',
        why: 'the policy would allow nothing',
        fix: 'add a rule, or leave the policy out',
      });
    const { gateway, _lockdown: lockdown } = this;
    if (gateway && lockdown && lockdown.gateway !== gateway)
      problems.push({
        what: `${lockdown.node.path} lets ${lockdown.gateway.node.path} out, and the policy goes through ${gateway.node.path}`,
        why: 'the network would drop what the callers send to the gateway of the policy, and what that sends on',
        fix: 'give both the same gateway',
      });
    if (gateway && !sameMesh(this, gateway))
      problems.push({
        what: `gateway ${gateway.node.path} belongs to another mesh`,
        why: 'sidecars of this mesh know nothing of it',
        fix: 'use a gateway below the same MeshBoundary',
      });
    if (gateway && !gateway.hop.isMutualTls)
      problems.push({
        what: `gateway ${gateway.node.path} takes its hop in plain text`,
        why: 'it could not know who calls, and so refuses everybody',
        fix: 'give the gateway hop: GatewayHop.mutualTls()',
      });
    return [...problems, ...trustDomainProblems(props.trustDomain)];
  }
}

function byService(permissions: readonly Permission[]): Map<IExternalService, Permission[]> {
  const groups = new Map<IExternalService, Permission[]>();
  for (const one of permissions) groups.set(one.service, [...(groups.get(one.service) ?? []), one]);
  return groups;
}

/** What the network sees of it: the port that is dialled, and where, as far as manifests tell. */
function wayOut({ service, port, way, tunnel }: Permission): { port: number; addresses: readonly string[] } {
  if (tunnel) return { port: tunnel.port, addresses: tunnel.addresses };
  const { number, targetPort } = carried(service, port, way);
  return { port: targetPort ?? number, addresses: service.resolution.kind === 'NONE' ? service.addresses : [] };
}

/** The port as the last proxy sees it: where that makes TLS, plain HTTP goes on to the TLS port. One cluster is enough for that. */
function carried(service: IExternalService, port: ExternalPort, way: HttpEgress | undefined): ExternalPort {
  if (!way?._originates || port.targetPort !== undefined) return port;
  const tls = service.ports.find((other) => other.isTls);
  return tls ? port._to(tls.targetPort ?? tls.number) : port;
}
