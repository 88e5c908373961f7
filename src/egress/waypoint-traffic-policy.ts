import { Construct } from 'constructs';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { sameMesh } from '../mesh/mesh-boundary';
import { MeshNamespace } from '../mesh/mesh-namespace';
import { namesNamespaces } from '../mesh/namespace-names';
import { Workloads } from '../mesh/workloads';
import { generalRuleProblems, noTlsPort, trustDomainProblems } from './egress-traffic-policy-rules';
import { EgressWaypoint } from './egress-waypoint';
import { HttpEgress } from './egress-ways';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';
import { originationProblems } from './origination-rule';
import { WaypointGrant } from './waypoint-grant';
import { bindingProblems } from './waypoint-policies';

/** Who may reach what through a waypoint, and how. */
export interface WaypointTrafficRule {
  /** The callers, by namespace and service account. Labels are not known to a waypoint. */
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
   * What the waypoint does with plain HTTP: sends it on, or makes TLS or mutual TLS of it. The same for all callers of a service.
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
}

/** Who may reach what through which waypoint. */
export interface WaypointTrafficPolicyProps {
  /** The waypoint that all of it goes through. */
  readonly waypoint: EgressWaypoint;

  /** Who may reach what. What no rule allows is refused. */
  readonly rules: WaypointTrafficRule[];

  /**
   * The trust domain of the callers' certificates.
   *
   * @default "cluster.local"
   */
  readonly trustDomain?: string;
}

/**
 * Says which workloads of ambient namespaces may reach which external services through a waypoint: what EgressTrafficPolicy says of workloads
 * with sidecars. Each ServiceEntry is bound to the waypoint and given an address that ztunnel knows it by; an AuthorizationPolicy for each
 * service names the callers, and a DestinationRule beside the waypoint makes the TLS.
 *
 * Everybody else of the mesh is refused at the waypoint: 403 for HTTP, a closed connection for TLS and TCP. Sidecars are not shown the
 * services at all. Policies of one waypoint add up, in any order.
 *
 * A TCP connection is judged at the caller's first byte: of a server that speaks first, such as MySQL, everybody of the mesh hears the
 * greeting, and nobody but the callers may answer it.
 *
 * @see https://istio.io/latest/docs/ambient/usage/waypoint/
 * @example
 * new WaypointTrafficPolicy(this, 'Policy', {
 *   waypoint: new EgressWaypoint(this, 'Waypoint'),
 *   rules: [{ from: [Workloads.serviceAccount('shop', 'payments')], to: [stripe], ports: [443] }],
 * });
 */
export class WaypointTrafficPolicy extends Construct {
  /** The waypoint that all of it goes through. */
  public readonly waypoint: EgressWaypoint;

  public constructor(scope: Construct, id: string, props: WaypointTrafficPolicyProps) {
    super(scope, id);
    this.waypoint = props.waypoint;
    const grants = props.rules.flatMap((rule, i) => this.grantsOf(rule, i, props.trustDomain ?? 'cluster.local'));
    for (const { service, port, way } of grants) {
      service.carryBy(this.waypoint.namespace, carried(service, port, way));
      service.useWaypoint(this.waypoint.namespace, this.waypoint.name);
    }
    this.waypoint._admit(grants);
    refuseAtSynth(this, () => this.problems(props));
    namesNamespaces(this, () => props.rules.flatMap((rule) => rule.from.map((workloads) => workloads._named())));
  }

  private grantsOf(rule: WaypointTrafficRule, index: number, trustDomain: string): WaypointGrant[] {
    return rule.to.flatMap((service) =>
      portsOf(rule, service).flatMap((port) =>
        rule.from.map((from) => ({
          by: this,
          rule: index,
          from,
          service,
          port,
          way: port.isHttp ? rule.http : undefined,
          methods: [...(rule.methods ?? [])].sort(),
          paths: [...(rule.paths ?? [])].sort(),
          trustDomain,
        })),
      ),
    );
  }

  private problems(props: WaypointTrafficPolicyProps): Problem[] {
    const problems = props.rules.flatMap((rule, i) =>
      this.ruleProblems(rule).map((problem) => ({ ...problem, what: `rules[${i}]: ${problem.what}` })),
    );
    if (!props.rules.length)
      problems.push({
        what: '`rules` is empty',
        why: 'the policy would allow nothing',
        fix: 'add a rule, or leave the policy out',
      });
    if (!sameMesh(this, this.waypoint))
      problems.push({
        what: `waypoint ${this.waypoint.node.path} belongs to another mesh`,
        why: 'ztunnels of this mesh know nothing of it',
        fix: 'use a waypoint below the same MeshBoundary',
      });
    return [...problems, ...trustDomainProblems(props.trustDomain)];
  }

  private ruleProblems(rule: WaypointTrafficRule): Problem[] {
    return [
      ...generalRuleProblems(rule),
      ...rule.from.flatMap((workloads) => this.callerProblems(workloads)),
      ...rule.to.flatMap((service) => bindingProblems(service)),
      ...this.originations(rule),
    ];
  }

  private callerProblems(workloads: Workloads): Problem[] {
    const problems: Problem[] = [];
    const namespace = MeshNamespace._called(workloads.namespace, this);
    if (Object.keys(workloads.labels).length)
      problems.push({
        what: `${workloads._words()} are chosen by labels`,
        why: 'a waypoint knows its callers by their certificates, which carry no labels',
        fix: `run them as a service account of their own, and name it: Workloads.serviceAccount(${quote(workloads.namespace)}, "...")`,
      });
    if (namespace && !namespace.membership.isAmbient)
      problems.push({
        what: `${workloads._words()} can't match: ${namespace.node.path} is not ambient`,
        why: 'only ztunnel leads to a waypoint; a sidecar, or none, would dial the host itself',
        fix: 'give the namespace MeshMembership.ambient(), or use an EgressGateway and an EgressTrafficPolicy',
      });
    if (workloads.namespace === this.waypoint.namespace)
      problems.push({
        what: `${workloads._words()} are in the namespace of the waypoint`,
        why: 'whoever may run workloads there may use its credentials, and leave as it does',
        fix: 'run the applications in a namespace of their own',
      });
    return problems;
  }

  private originations(rule: WaypointTrafficRule): Problem[] {
    const way = rule.http;
    const host = rule.to.flatMap(({ hosts }) => hosts)[0];
    if (!way?._originates || host === undefined) return [];
    const problems = originationProblems(host, way, this.waypoint.namespace);
    if (way.tls?.subset !== undefined)
      problems.push({
        what: `subset ${quote(way.tls.subset)} for TLS that a waypoint makes`,
        why: 'no route of the waypoint leads to it, so the request would leave as plain HTTP to the TLS port',
        fix: 'leave out `subset`',
      });
    return [...problems, ...rule.to.flatMap((service) => noTlsPort(service, portsOf(rule, service)))];
  }
}

function portsOf({ ports }: WaypointTrafficRule, service: IExternalService): ExternalPort[] {
  return service.ports.filter(({ number }) => !ports || ports.includes(number));
}

/** The port as the waypoint sees it: where it makes TLS, plain HTTP goes on to the TLS port. */
function carried(service: IExternalService, port: ExternalPort, way: HttpEgress | undefined): ExternalPort {
  if (!way?._originates || port.targetPort !== undefined) return port;
  const tls = service.ports.find((other) => other.isTls);
  return tls ? port._to(tls.targetPort ?? tls.number) : port;
}
