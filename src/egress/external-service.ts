import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { hostProblems, isWildcard } from '../core/hostname';
import { objectMetadata } from '../core/metadata';
import { nameOfId } from '../core/ids';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { noTexts, textsOf } from '../core/texts';
import { settled } from '../core/settled';
import { Audience } from '../mesh/audience';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { ExternalPort, portNames } from './external-port';
import { addressProblems, hostMixProblems, portMixProblems } from './external-service-rules';
import { overlappingServices } from './external-service-overlap';
import { Resolution } from './resolution';

/** A service outside the mesh, as routes need to know it. */
export interface IExternalService extends IConstruct {
  /** Its hosts, as applications ask for them. */
  readonly hosts: string[];

  /** Its ports. */
  readonly ports: ExternalPort[];

  /** The namespace of its ServiceEntry. */
  readonly namespace: string;

  /** Who in the mesh may know of it. */
  readonly audience: Audience;

  /** How proxies find its address. */
  readonly resolution: Resolution;

  /**
   * Makes the service visible in one more namespace, such as that of a gateway it is reached through.
   *
   * @param namespace the namespace whose proxies need it
   */
  showIn(namespace: string): void;

  /** The addresses that were declared. */
  readonly addresses: string[];

  /** The names that its certificate may carry, if it says any. */
  readonly subjectAltNames: string[];

  /** Whether Istio gives it an address of its own. */
  readonly allocatesAddress: boolean;

  /**
   * Shows the service to the proxies of one namespace, a gateway's, and to nobody else: what its clients need is rendered for them by an
   * EgressTrafficPolicy. Called for each gateway and port that a rule allows.
   *
   * @param namespace the namespace of the gateway
   * @param port the port, as the gateway is to see it
   */
  carryBy(namespace: string, port: ExternalPort): void;

  /**
   * Binds the service to a waypoint, through which ambient workloads reach it, and asks Istio for an address that ztunnel knows it by.
   *
   * @param namespace the namespace of the waypoint
   * @param name the name of the waypoint
   */
  useWaypoint(namespace: string, name: string): void;

  /** The name of its ServiceEntry, by which policies target it. */
  readonly serviceEntryName: string;
}

/** What there is to say of a service outside the mesh. */
export interface ExternalServiceProps {
  /**
   * The DNS names that applications ask for, or wildcards such as `*.example.com`.
   */
  readonly hosts: string[];

  /**
   * Its ports. All that applications use: a sidecar in REGISTRY_ONLY mode cuts every other.
   *
   * @default [ExternalPort.https()]: port 443, with TLS that applications make
   */
  readonly ports?: ExternalPort[];

  /**
   * How proxies find its address.
   *
   * @default DNS; for wildcards, and for addresses with no host to resolve them (IP ranges), the address that the application dialled
   */
  readonly resolution?: Resolution;

  /**
   * IP addresses or ranges (CIDR) that applications dial. TCP services are told apart by them.
   *
   * @default none
   */
  readonly addresses?: string[];

  /**
   * Whether Istio gives the service an address of its own, which its DNS proxy answers with. Tells TCP services apart that share a port.
   * Needs DNS capture in the sidecars (`ISTIO_META_DNS_CAPTURE`).
   *
   * @default false
   */
  readonly allocateAddress?: boolean;

  /**
   * Whether it belongs to the mesh, as a virtual machine with a sidecar does, rather than lying outside.
   *
   * @default false
   */
  readonly meshInternal?: boolean;

  /**
   * Names that the certificate of the service may carry, checked where a proxy makes the TLS.
   *
   * @default the name that the proxy sends as SNI
   */
  readonly subjectAltNames?: string[];

  /**
   * Who in the mesh may know of it. Gateways that forward it are added of themselves.
   *
   * @default its own namespace
   */
  readonly audience?: Audience;

  /**
   * The namespace of its ServiceEntry.
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

  /**
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/** An external service whose ServiceEntry another repository owns. */
export interface ExternalServiceAttributes {
  /** Its hosts. */
  readonly hosts: string[];

  /** Its ports. */
  readonly ports: ExternalPort[];

  /** The namespace of its ServiceEntry. */
  readonly namespace: string;

  /** The name of its ServiceEntry. */
  readonly name: string;

  /**
   * Whom its owner exports it to. A gateway or a caller that is not among them is refused here.
   *
   * @default the whole mesh, as Istio does where `exportTo` is not said
   */
  readonly exportedTo?: Audience;

  /**
   * How proxies find its address.
   *
   * @default Resolution.dns(); for a wildcard Resolution.none()
   */
  readonly resolution?: Resolution;

  /**
   * Its addresses.
   *
   * @default none
   */
  readonly addresses?: string[];
}

/**
 * Registers a service outside the mesh, so that sidecars let traffic to it pass and can route it. Renders one ServiceEntry.
 *
 * Alone, it lets applications reach the service straight from their sidecars. `EgressGateway.forward` takes it through a gateway;
 * `SidecarEgress` has the sidecar make the TLS.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/service-entry/
 * @example
 * new ExternalService(this, 'Stripe', {
 *   hosts: ['api.stripe.com'],
 *   ports: [ExternalPort.https()],
 *   audience: Audience.namespaces('shop', 'billing'),
 * });
 */
export class ExternalService extends Construct implements IExternalService {
  /**
   * A service whose ServiceEntry another repository owns. Renders nothing: what it says has to be what the ServiceEntry says, and its owner exports it to whom it is for.
   *
   * @param scope the construct above
   * @param id the construct's id
   * @param attributes what the ServiceEntry says
   */
  public static fromAttributes(scope: Construct, id: string, attributes: ExternalServiceAttributes): IExternalService {
    return new ForeignExternalService(scope, id, attributes);
  }

  public readonly hosts: string[];
  public readonly ports: ExternalPort[];
  public readonly namespace: string;
  public readonly audience: Audience;
  public readonly resolution: Resolution;

  public readonly addresses: string[];
  public readonly subjectAltNames: string[];
  public readonly allocatesAddress: boolean;

  /** The rendered ServiceEntry, to patch. */
  public readonly serviceEntry: ApiObject;

  private readonly viewers = new Set<string>();
  private readonly carriers = new Set<string>();
  private readonly waypoints = new Set<string>();
  private readonly carriedPorts = new Map<number, ExternalPort>();
  private readonly hasAudience: boolean;

  public constructor(scope: Construct, id: string, props: ExternalServiceProps) {
    super(scope, id);
    this.hosts = textsOf(settled(props.hosts));
    this.ports = [...(props.ports ?? [ExternalPort.https()])];
    this.addresses = textsOf(settled(props.addresses));
    this.subjectAltNames = [...(props.subjectAltNames ?? [])];
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.audience = props.audience ?? Audience.ownNamespace();
    this.hasAudience = props.audience !== undefined;
    this.allocatesAddress = Boolean(props.allocateAddress);
    this.resolution = props.resolution ?? defaultResolution({ hosts: this.hosts, addresses: this.addresses });
    const labels = props.allocateAddress ? { 'networking.istio.io/enable-autoallocate-ip': 'true' } : undefined;
    this.serviceEntry = new MeshObject(this, 'Resource', {
      ...networking.ServiceEntry.GVK,
      metadata: objectMetadata({ name: props.name ?? nameOfId(id), namespace: this.namespace, labels }, props.metadata),
      manifest: networking.ServiceEntry.manifest,
      spec: () => ({ spec: this.spec(props) }),
    });
    refuseAtSynth(this, () => this.problems(props));
    joinMesh('ExternalService', this, overlappingServices);
    namesNamespaces(this, () => this.audience._named());
  }

  public showIn(namespace: string): void {
    this.viewers.add(namespace);
  }

  public carryBy(namespace: string, port: ExternalPort): void {
    this.carriers.add(namespace);
    this.carriedPorts.set(port.number, port);
  }

  public useWaypoint(namespace: string, name: string): void {
    this.waypoints.add(`${namespace}/${name}`);
    const { metadata } = this.serviceEntry;
    metadata.addLabel('istio.io/use-waypoint', name);
    metadata.addLabel('istio.io/use-waypoint-namespace', namespace);
    if (!this.addresses.length) metadata.addLabel('networking.istio.io/enable-autoallocate-ip', 'true');
  }

  public get serviceEntryName(): string {
    return this.serviceEntry.name;
  }

  /**
   * Whether an EgressTrafficPolicy decides who reaches it.
   *
   * @internal
   */
  public get _isCarried(): boolean {
    return this.carriers.size > 0;
  }

  /**
   * The namespaces whose proxies know of it, or undefined for all.
   *
   * @internal
   */
  public _visibleIn(): readonly string[] | undefined {
    if (this.carriers.has('*')) return undefined;
    if (this._isCarried) return [...new Set([...this.carriers, ...this.viewers])];
    return this.audience.isMesh
      ? undefined
      : [...new Set([...this.audience._namespaces(this.namespace), ...this.viewers])];
  }

  private spec(props: ExternalServiceProps): networking.ServiceEntrySpec {
    const names = portNames(this.ports);
    const seen = this.ports.map((port) => (this._isCarried ? this.carriedPorts.get(port.number) : port));
    return {
      hosts: this.hosts,
      addresses: this.addresses.length ? this.addresses : undefined,
      ports: seen.flatMap((port, i) =>
        port ? [{ number: port.number, name: names[i], protocol: port.protocol, targetPort: port.targetPort }] : [],
      ),
      location: props.meshInternal
        ? networking.ServiceEntrySpecLocation.MESH_UNDERSCORE_INTERNAL
        : networking.ServiceEntrySpecLocation.MESH_UNDERSCORE_EXTERNAL,
      ...this.resolution._spec(),
      subjectAltNames: props.subjectAltNames,
      exportTo: this._isCarried
        ? Audience._exportOnlyTo(this.namespace, ...this.carriers, ...this.viewers)
        : this.audience._exportTo(this.namespace, ...this.viewers),
    };
  }

  private problems(props: ExternalServiceProps): Problem[] {
    const problems = [...noTexts('hosts', settled(props.hosts)), ...noTexts('addresses', settled(props.addresses))];
    if (!this.hosts.length && problems.length === 0)
      problems.push({
        what: 'names no host',
        why: 'a ServiceEntry without hosts is refused',
        fix: 'give `hosts` at least one DNS name',
      });
    if (!this.ports.length)
      problems.push({
        what: 'names no port',
        why: 'sidecars open only the ports that are declared',
        fix: 'give `ports`, such as [ExternalPort.https()]',
      });
    problems.push(...this.hosts.flatMap(hostProblems));
    const twice = this.hosts.filter((host, i) => this.hosts.indexOf(host) !== i);
    problems.push(
      ...twice.map((host) => ({
        what: `host ${quote(host)} is listed twice`,
        why: 'the second has no effect',
        fix: 'list it once',
      })),
    );
    problems.push(...this.ports.flatMap((port) => port._problems()), ...portMixProblems(this.ports));
    problems.push(...this.resolution._problems(portNames(this.ports)));
    problems.push(...hostMixProblems(this.hosts, this.ports, this.resolution, Boolean(props.meshInternal)));
    problems.push(...addressProblems(this.addresses, this.ports, this.resolution, this.isGivenAddress));
    problems.push(...this.waypointProblems());
    if (this._isCarried && this.hasAudience)
      problems.push({
        what: `has an \`audience\`, and ${this.waypoints.size ? 'a WaypointTrafficPolicy' : 'an EgressTrafficPolicy'} that decides who reaches it`,
        why: 'what the audience shows, the rules of the policy would have to hide',
        fix: 'leave out `audience`; the policy derives it',
      });
    problems.push(
      ...this.audience._problems(),
      ...namespaceProblems('namespace', props.namespace),
      ...objectNameProblems('name', this.serviceEntry.name),
    );
    return problems;
  }

  private get isGivenAddress(): boolean {
    return this.allocatesAddress || (this.waypoints.size > 0 && !this.addresses.length);
  }

  private waypointProblems(): Problem[] {
    if (this.waypoints.size < 2) return [];
    return [
      {
        what: `is bound to waypoints ${[...this.waypoints].map(quote).join(' and ')}`,
        why: 'a service has one waypoint',
        fix: 'give all policies for it one waypoint',
      },
    ];
  }
}

function defaultResolution(props: Pick<ExternalServiceProps, 'hosts' | 'addresses'>): Resolution {
  const hasRange = (props.addresses ?? []).some((address) => address.includes('/'));
  return props.hosts.some(isWildcard) || hasRange ? Resolution.none() : Resolution.dns();
}

class ForeignExternalService extends Construct implements IExternalService {
  public readonly hosts: string[];
  public readonly ports: ExternalPort[];
  public readonly namespace: string;
  public readonly audience: Audience;
  public readonly resolution: Resolution;
  public readonly addresses: string[];
  public readonly subjectAltNames: string[] = [];
  public readonly allocatesAddress = false;
  public readonly serviceEntryName: string;

  private readonly viewers = new Set<string>();
  private readonly policies: Problem[] = [];

  public constructor(scope: Construct, id: string, attributes: ExternalServiceAttributes) {
    super(scope, id);
    this.hosts = [...attributes.hosts];
    this.ports = [...attributes.ports];
    this.namespace = attributes.namespace;
    this.audience = attributes.exportedTo ?? Audience.mesh();
    this.resolution = attributes.resolution ?? defaultResolution(attributes);
    this.addresses = [...(attributes.addresses ?? [])];
    this.serviceEntryName = attributes.name;
    refuseAtSynth(this, () => [...this.hosts.flatMap(hostProblems), ...this.unseen(), ...this.policies.slice(0, 1)]);
  }

  public showIn(namespace: string): void {
    this.viewers.add(namespace);
  }

  public carryBy(): void {
    this.policies.push({
      what: `${quote(this.hosts[0])} is decided on by a policy, and another repository owns its ServiceEntry ${this.namespace}/${this.serviceEntryName}`,
      why: 'a policy decides who sees the ServiceEntry, and this app can not change whom it is exported to',
      fix: 'declare it here as an ExternalService and take it out there, or let it through a gateway by `forward`',
    });
  }

  public useWaypoint(namespace: string, name: string): void {
    this.policies.push({
      what: `${quote(this.hosts[0])} is bound to waypoint ${namespace}/${name}, and another repository owns its ServiceEntry`,
      why: 'the binding is a label of the ServiceEntry',
      fix: `have its owner add the labels istio.io/use-waypoint: ${name} and istio.io/use-waypoint-namespace: ${namespace}`,
    });
  }

  private unseen(): Problem[] {
    if (this.audience.isMesh) return [];
    const seen = this.audience._namespaces(this.namespace);
    return [...this.viewers]
      .filter((viewer) => !seen.includes(viewer))
      .map((viewer) => ({
        what: `${quote(this.hosts[0])} is reached from ${quote(viewer)}, where its ServiceEntry ${this.namespace}/${this.serviceEntryName} is not seen`,
        why: 'a proxy there would have no cluster for it, and answer 503',
        fix: `have its owner add ${quote(viewer)} to \`exportTo\`, and to \`exportedTo\` here`,
      }));
  }
}
