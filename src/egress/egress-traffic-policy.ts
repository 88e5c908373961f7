import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { joinMesh, meshMembers, sameMesh } from '../mesh/mesh-boundary';
import { OutboundMode, OutboundTrafficPolicy } from '../mesh/outbound-traffic-policy';
import { Workloads } from '../mesh/workloads';
import type { EgressGatewayBase } from './egress-gateway';
import { ruleProblems } from './egress-traffic-policy-rules';
import { HttpEgress } from './egress-ways';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';
import { policiesAgainstEachOther } from './policy-conflicts';
import { Grant } from './policy-grant';

/** Who may reach what, and how. */
export interface EgressTrafficRule {
  /** The callers. */
  readonly from: Workloads[];

  /** The external services that they may reach. */
  readonly to: IExternalService[];

  /**
   * Which ports of the services.
   *
   * @default all that the services declare
   */
  readonly ports?: number[];

  /**
   * What the gateway does with plain HTTP: sends it on, or makes TLS or mutual TLS of it. Callers of different rules may have different
   * credentials for one host.
   *
   * @default sent on as it is
   */
  readonly http?: HttpEgress;

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

/** Who may reach what through which gateway. */
export interface EgressTrafficPolicyProps {
  /** The gateway that all of it goes through. Its hop has to be in mutual TLS: else it can't know who calls. */
  readonly gateway: EgressGatewayBase;

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
   * The trust domain of the callers' certificates.
   *
   * @default "cluster.local"
   */
  readonly trustDomain?: string;
}

/**
 * Says which workloads may reach which external services through an egress gateway, and renders all that follows: who sees which
 * ServiceEntry, the gateway's servers, the routes of both hops, the TLS that the gateway makes, Sidecars, and an AuthorizationPolicy at the
 * gateway for each calling namespace.
 *
 * Everybody else is refused twice: by their own sidecar, which has no route (502 for HTTP, a reset for TLS and TCP), and by the gateway (403,
 * or a closed connection), which asks every caller for the mesh's certificate, on every protocol. TLS that applications make travels inside
 * the hop's own mutual TLS for that reason. Labels are judged by sidecars only, service accounts by the gateway: give both where a
 * namespace holds workloads that you would not trust with each other's rights.
 *
 * Policies of one gateway add up, in any order.
 *
 * It holds what goes through proxies. A process that gets around its sidecar is held by networks only: see EgressLockdown.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/
 */
export class EgressTrafficPolicy extends Construct {
  /** The gateway that all of it goes through. */
  public readonly gateway: EgressGatewayBase;

  /** The Sidecars that cut what no rule allows: one for each calling namespace that had none yet. */
  public readonly sidecars: ApiObject[] = [];

  /** @internal */
  public readonly _grants: readonly Grant[];

  public constructor(scope: Construct, id: string, props: EgressTrafficPolicyProps) {
    super(scope, id);
    this.gateway = props.gateway;
    this._grants = props.rules.flatMap((rule, i) => this.grantsOf(rule, i, props));
    for (const { service, port, way } of this._grants)
      service.carryBy(this.gateway.namespace, carried(service, port, way));
    this.gateway._admit(this._grants);
    if (props.registryOnly !== false) this.cutTheRest();
    refuseAtSynth(this, () => this.problems(props));
    joinMesh('EgressTrafficPolicy', this, policiesAgainstEachOther);
  }

  private grantsOf(rule: EgressTrafficRule, index: number, props: EgressTrafficPolicyProps): Grant[] {
    const common = {
      by: this,
      rule: index,
      methods: [...(rule.methods ?? [])].sort(),
      paths: [...(rule.paths ?? [])].sort(),
      trustDomain: props.trustDomain ?? 'cluster.local',
    };
    const ports = (service: IExternalService) =>
      service.ports.filter(({ number }) => !rule.ports || rule.ports.includes(number));
    return rule.to.flatMap((service) =>
      ports(service).flatMap((port) =>
        service.hosts.flatMap((host) =>
          rule.from.map((from) => ({
            ...common,
            from,
            service,
            host,
            port,
            way: port.isHttp ? rule.http : undefined,
            gatewayPort: rule.gatewayPort ?? (port.isHttp ? this.gateway.hop.port : this.gateway.tlsPort),
          })),
        ),
      ),
    );
  }

  /** The first policy that names a namespace gives it its Sidecar. Every policy would make the same. */
  private cutTheRest(): void {
    const held = new Set(
      meshMembers<OutboundTrafficPolicy>('Sidecar', this)
        .filter(({ workloads }) => !Object.keys(workloads).length)
        .map(({ namespace }) => namespace),
    );
    for (const namespace of [...new Set(this._grants.map(({ from }) => from.namespace))].sort()) {
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
    if (!sameMesh(this, this.gateway))
      problems.push({
        what: `gateway ${this.gateway.node.path} belongs to another mesh`,
        why: 'sidecars of this mesh know nothing of it',
        fix: 'use a gateway below the same MeshBoundary',
      });
    if (!this.gateway.hop.isMutualTls)
      problems.push({
        what: `gateway ${this.gateway.node.path} takes its hop in plain text`,
        why: 'it could not know who calls, and so refuses everybody',
        fix: 'give the gateway hop: GatewayHop.mutualTls()',
      });
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(props.trustDomain ?? 'cluster.local'))
      problems.push({
        what: `trust domain ${quote(props.trustDomain)}`,
        why: 'no certificate carries such a name',
        fix: 'such as "cluster.local"',
      });
    return problems;
  }
}

/** The port as the gateway sees it: where it makes TLS, plain HTTP goes on to the TLS port. One cluster is enough for that. */
function carried(service: IExternalService, port: ExternalPort, way: HttpEgress | undefined): ExternalPort {
  if (!way?._originates || port.targetPort !== undefined) return port;
  const tls = service.ports.find((other) => other.isTls);
  return tls ? port._to(tls.targetPort ?? tls.number) : port;
}
