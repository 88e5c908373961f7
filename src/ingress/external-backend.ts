import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { hostProblems, isWildcard } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { IExternalService } from '../egress/external-service';
import { MeshObject } from '../mesh/mesh-object';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';

/** A backend outside the cluster, as routes need to know it. */
export interface IExternalBackend extends IConstruct {
  /** Its name. */
  readonly name: string;

  /** Its namespace. */
  readonly namespace: string;

  /** The host that is asked for. */
  readonly hostname: string;

  /** The port. */
  readonly port: number;

  /**
   * Lets the proxies of a gateway reach it.
   *
   * @param namespace the namespace that they run in
   */
  showIn(namespace: string): void;
}

/** What there is to say of a backend outside. */
export interface ExternalBackendProps {
  /** What it is: one host, as the mesh knows it too. The proxies' own sidecars let pass what is registered. */
  readonly service: IExternalService;

  /**
   * The port.
   *
   * @default the service's TLS port, else its first
   */
  readonly port?: number;

  /**
   * The ConfigMap with the CA (`ca.crt`) that the host's certificate is checked against.
   *
   * @default the CAs of the proxy's operating system
   */
  readonly caConfigMapName?: string;

  /**
   * Its namespace.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the Backend.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * A host outside the cluster that routes of an Envoy Gateway may send to. Renders one Backend, with TLS verified and SNI set where the port is one of TLS. Envoy Gateway
 * takes Backends only where its configuration says so: `externalBackends` of `EnvoyGatewayInMesh`. Needs Envoy Gateway 1.6 or newer.
 *
 * Under REGISTRY_ONLY the sidecars of the proxies let it pass because the service is shown to them.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/traffic/backend/
 * @example
 * const legacy = new ExternalBackend(this, 'Legacy', {
 *   service: new ExternalService(this, 'LegacyHost', { hosts: ['legacy.example.com'], ports: [ExternalPort.https()] }),
 * });
 * const backends = [IngressBackend.external(legacy)];
 */
export class ExternalBackend extends Construct implements IExternalBackend {
  public readonly name: string;
  public readonly namespace: string;
  public readonly hostname: string;
  public readonly port: number;

  /** The rendered Backend, to patch. */
  public readonly resource: ApiObject;

  private readonly service: IExternalService;

  public constructor(scope: Construct, id: string, props: ExternalBackendProps) {
    super(scope, id);
    this.service = props.service;
    const { hosts, ports } = props.service;
    const port =
      props.port === undefined
        ? (ports.find(({ isTls }) => isTls) ?? ports[0])
        : ports.find(({ number }) => number === props.port);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.hostname = hosts[0] ?? '';
    this.port = port?.number ?? props.port ?? 0;
    this.resource = new MeshObject<envoyGateway.BackendSpec>(this, 'Resource', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'Backend',
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: (spec) => envoyGatewayBindings().Backend.manifest({ spec }),
      spec: () => ({
        endpoints: [{ fqdn: { hostname: this.hostname, port: this.port } }],
        tls: port?.isTls ? this.tls(props) : undefined,
      }),
    });
    refuseAtSynth(this, () => this.problems(props));
  }

  public showIn(namespace: string): void {
    this.service.showIn(namespace);
  }

  private tls({ caConfigMapName: name }: ExternalBackendProps): envoyGateway.BackendSpecTls {
    return {
      sni: this.hostname,
      ...(name === undefined
        ? { wellKnownCaCertificates: 'System' }
        : { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name }] }),
    };
  }

  private problems(props: ExternalBackendProps): Problem[] {
    const { hosts, ports } = props.service;
    const problems = [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...hosts.slice(0, 1).flatMap(hostProblems),
    ];
    if (hosts.length !== 1 || isWildcard(this.hostname))
      problems.push({
        what: `a backend of ${hosts.map(quote).join(', ')}`,
        why: 'a proxy asks for one host, whose certificate is checked',
        fix: 'make a Backend for each single host',
      });
    const declared = ports.map(({ number }) => number);
    if (props.port !== undefined && !declared.includes(props.port))
      problems.push({
        what: `port ${props.port}, which ${props.service.node.path} has not`,
        why: "the proxies' sidecars open only the ports that are declared",
        fix: `use one of ${declared.join(', ')}, or declare it there`,
      });
    if (props.caConfigMapName !== undefined && !ports.some(({ number, isTls }) => number === this.port && isTls))
      problems.push({
        what: `a CA for port ${this.port}, which is plain text`,
        why: 'no certificate is shown there',
        fix: 'declare ExternalPort.https() on the service, or leave it out',
      });
    return problems;
  }
}
