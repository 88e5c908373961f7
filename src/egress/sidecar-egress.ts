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
import { hostsRoutedTwice } from './egress-route-overlap';
import { HttpEgress } from './egress-ways';
import { ExternalPort } from './external-port';
import { IExternalService } from './external-service';
import { originationProblems, originationRule } from './origination-rule';

/** How sidecars reach an external service. */
export interface SidecarEgressProps {
  /** What is reached. */
  readonly service: IExternalService;

  /** What the sidecar does with plain HTTP. */
  readonly http: HttpEgress;

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
 * Has sidecars make TLS of plain HTTP on its way to an external service, with no gateway between. TLS that applications make themselves
 * passes untouched beside it.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-tls-origination/
 */
export class SidecarEgress extends Construct {
  /** The rendered VirtualServices, one a host. */
  public readonly virtualServices: ApiObject[] = [];

  /** The rendered DestinationRules, one a host. */
  public readonly destinationRules: ApiObject[] = [];

  /** What is reached. */
  public readonly service: IExternalService;

  private readonly hosts: string[];

  public constructor(scope: Construct, id: string, props: SidecarEgressProps) {
    super(scope, id);
    this.service = props.service;
    this.hosts = props.hosts ?? [...props.service.hosts];
    const http = this.service.ports.find((port) => port.isHttp);
    const tls = this.service.ports.find((port) => port.isTls);
    if (http && props.http._originates) this.hosts.forEach((host) => this.render(host, http, tls, props));
    refuseAtSynth(this, () => this.problems(props, http, tls));
    joinMesh('mesh route', this, hostsRoutedTwice);
  }

  /** @internal */
  public _routedHosts(): string[] {
    return this.hosts;
  }

  /** @internal */
  public _clients(): Audience {
    return this.service.audience;
  }

  private render(host: string, http: ExternalPort, tls: ExternalPort | undefined, props: SidecarEgressProps): void {
    const several = this.hosts.length > 1;
    const suffix = several ? `-${nameOfHost(host)}` : '';
    const { namespace } = this.service;
    const exportTo = this.service.audience._exportTo(namespace);
    const subset = props.http.tls?.subset ?? 'originate-tls';
    const to = http.targetPort === undefined && tls ? tls : http;
    this.virtualServices.push(
      new MeshObject(this, `Route${suffix}`, {
        ...networking.VirtualService.GVK,
        metadata: { name: shorten(`${props.virtualService ?? nameOfId(this.node.id)}${suffix}`), namespace },
        manifest: networking.VirtualService.manifest,
        spec: () => ({
          spec: {
            hosts: [host],
            exportTo,
            http: [
              {
                match: [{ port: http.number }],
                route: [{ destination: { host, subset, port: { number: to.number } } }],
              },
            ],
            tls: tls && [
              {
                match: [{ port: tls.number, sniHosts: [host] }],
                route: [{ destination: { host, port: { number: tls.number } } }],
              },
            ],
          },
        }),
      }),
    );
    const stem =
      props.http.tls?.destinationRule ??
      (several || props.virtualService === undefined
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
            way: props.http,
            subset,
            exportTo: props.workloads ? ['.'] : exportTo,
            workloadLabels: props.workloads,
          }),
        }),
      }),
    );
  }

  private problems(
    props: SidecarEgressProps,
    http: ExternalPort | undefined,
    tls: ExternalPort | undefined,
  ): Problem[] {
    const problems: Problem[] = [];
    if (!props.http._originates) {
      problems.push({
        what: `HTTP mode ${quote(props.http.mode)} at the sidecar`,
        why: 'a sidecar sends what an ExternalService allows as it is; there is nothing to route',
        fix: 'use HttpEgress.originateTls() or originateMutualTls(...), or leave this construct out',
      });
    }
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
    for (const host of this.hosts.filter((h) => !this.service.hosts.includes(h))) {
      problems.push({
        what: `host ${quote(host)} is none of the service's`,
        why: 'sidecars have no cluster for it',
        fix: `use one of ${this.service.hosts.map(quote).join(', ')}`,
      });
    }
    if (this.service.resolution.kind === 'NONE') {
      problems.push({
        what: 'TLS origination for a service without resolution',
        why: 'the sidecar would speak TLS to the plain-text port that the application dialled',
        fix: 'use Resolution.dns() on the service',
      });
    }
    const secret = props.http.mode === 'MUTUAL' || props.http.tls?.trust?.secretName !== undefined;
    if (secret && !Object.keys(props.workloads ?? {}).length) {
      problems.push({
        what: 'a credential at the sidecar, for no workloads in particular',
        why: 'sidecars read a credential only from a DestinationRule that selects them; without one the request leaves as plain HTTP to a TLS port',
        fix: 'name the workloads by their labels (`workloads`)',
      });
    }
    if (
      secret &&
      (this.service.audience.isMesh || this.service.audience._namespaces(this.service.namespace).length > 1)
    ) {
      problems.push({
        what: 'a credential at sidecars of several namespaces',
        why: 'a DestinationRule that selects workloads works in its own namespace alone',
        fix: `make the service and its SidecarEgress once a namespace`,
      });
    }
    for (const host of this.hosts.slice(0, 1))
      problems.push(...originationProblems(host, props.http, this.service.namespace));
    return problems;
  }
}
