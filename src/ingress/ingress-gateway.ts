import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import {
  FrontendCertificates,
  FrontendClientCertificates,
  frontendProblems,
  frontendReferences,
  frontendSpec,
} from './frontend-certificates';
import { IIngressClass } from './ingress-class';
import { gatewaysWithOneCertificate, listenerMixProblems } from './ingress-gateway-rules';
import { IngressListener } from './ingress-listener';
import { grantCertificates, renderCertificates } from './listener-certificates';

/** A gateway of Gateway API, or a set of listeners that is added to one, as routes and policies need to know it. */
export interface IIngressGateway extends IConstruct {
  /** Its kind: "Gateway" or "ListenerSet". */
  readonly kind: string;

  /** Its name. */
  readonly name: string;

  /** Its namespace. */
  readonly namespace: string;

  /** Its class. */
  readonly ingressClass: IIngressClass;

  /** What it listens for. None where that is not known here. */
  readonly listeners: IngressListener[];

  /**
   * Lets routes of a namespace attach.
   *
   * @param namespace the namespace of the routes
   * @param listenerNames the listeners that they attach to; none means all
   */
  admitRoutes(namespace: string, listenerNames: string[]): void;

  /**
   * Lets sets of listeners of a namespace be added to it.
   *
   * @param namespace the namespace of the sets
   */
  admitListeners(namespace: string): void;
}

/** What there is to say of a gateway. */
export interface IngressGatewayProps {
  /** Who runs its proxies, such as an `EnvoyGatewayInMesh`. */
  readonly ingressClass: IIngressClass;

  /** What it listens for. */
  readonly listeners: IngressListener[];

  /**
   * Namespaces whose ListenerSets may add listeners, beyond those of sets that this app adds. Needs Gateway API 1.5 or newer.
   *
   * @default none
   */
  readonly listenersFrom?: string[];

  /**
   * Which certificates clients have to show at all its HTTPS listeners, those of ListenerSets included. Needs Gateway API 1.5 or newer; with Envoy Gateway 1.8 or newer.
   *
   * @default none
   */
  readonly clientCertificates?: FrontendClientCertificates;

  /**
   * The same for the HTTPS listeners of a port alone, which it takes out of `clientCertificates`.
   *
   * @default none
   */
  readonly clientCertificatesByPort?: { [port: string]: FrontendClientCertificates };

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
   * Labels that the class puts onto the Service and Pods it makes.
   *
   * @default none
   */
  readonly infrastructureLabels?: { [key: string]: string };

  /**
   * Annotations that the class puts onto the Service and Pods it makes.
   *
   * @default none
   */
  readonly infrastructureAnnotations?: { [key: string]: string };

  /**
   * Labels and annotations of the Gateway.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/** Names a gateway that is made elsewhere. */
export interface IngressGatewayAttributes {
  /** Its name. */
  readonly name: string;

  /** Its namespace. */
  readonly namespace: string;

  /** Who runs its proxies. */
  readonly ingressClass: IIngressClass;
}

/**
 * Opens the mesh to clients outside: renders one Gateway of Gateway API, the Certificates that its listeners ask cert-manager for, and
 * the ReferenceGrants that certificates in other namespaces take.
 *
 * Which namespaces may attach routes, or add listeners (`ListenerSet`), is derived from those of this app. Its proxies are its class's: none of its own settings can
 * put those of the class aside.
 *
 * @see https://gateway-api.sigs.k8s.io/api-types/gateway/
 * @example
 * new IngressGateway(this, 'Public', {
 *   namespace: 'shop',
 *   ingressClass: IngressClass.istio(),
 *   listeners: [IngressListener.https(ListenerCertificate.secret('shop-tls'), { hostname: 'shop.example.com' })],
 * });
 */
export class IngressGateway extends Construct implements IIngressGateway {
  /**
   * A gateway that is made elsewhere. Renders nothing, and knows nothing of its listeners.
   *
   * @param scope the construct above
   * @param id the construct's id
   * @param attributes its name, namespace and class
   */
  public static fromAttributes(scope: Construct, id: string, attributes: IngressGatewayAttributes): IIngressGateway {
    return new ForeignGateway(scope, id, attributes);
  }

  public readonly kind = 'Gateway';
  public readonly name: string;
  public readonly namespace: string;
  public readonly ingressClass: IIngressClass;
  public readonly listeners: IngressListener[];

  /** The rendered Gateway, to patch. */
  public readonly resource: ApiObject;

  private readonly admitted = new Map<string, Set<string>>();
  private readonly listenersFrom: Set<string>;
  private readonly clientCas: ReturnType<typeof frontendReferences>;

  public constructor(scope: Construct, id: string, props: IngressGatewayProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.ingressClass = props.ingressClass;
    this.listeners = [...props.listeners];
    this.listenersFrom = new Set(props.listenersFrom ?? []);
    const { clientCertificates: usual, clientCertificatesByPort: byPort = {} } = props;
    const frontend: FrontendCertificates = { usual, byPort };
    this.clientCas = frontendReferences(frontend);
    const issuers = this.annotatedIssuers();
    const { metadata } = props;
    const annotations = Object.fromEntries(issuers.map((text) => text.split('=') as [string, string]));
    this.resource = new MeshObject<gatewayApi.GatewayProps>(this, 'Resource', {
      ...gatewayApi.Gateway.GVK,
      metadata: objectMetadata(
        { name: this.name, namespace: this.namespace },
        issuers.length ? { ...metadata, annotations: { ...metadata?.annotations, ...annotations } } : metadata,
      ),
      manifest: gatewayApi.Gateway.manifest,
      spec: () => ({ spec: this.spec(props, frontend) }),
    });
    renderCertificates(this, this.listeners);
    grantCertificates(this, this.name, this, this.listeners, this.clientCas);
    refuseAtSynth(this, () => [
      ...this.problems(props, issuers),
      ...frontendProblems(this, this.ingressClass, frontend, this.listeners),
    ]);
    joinMesh<IngressGateway>('IngressGateway', this, gatewaysWithOneCertificate);
    namesNamespaces(this, () => [
      ...(props.listenersFrom ?? []).map((one) => ({ where: '`listenersFrom`', name: one })),
      ...this.listeners.flatMap((listener) => listener._named()),
    ]);
  }

  public admitRoutes(namespace: string, listenerNames: string[]): void {
    const names = listenerNames.length ? listenerNames : this.listeners.map((listener) => listener.name);
    for (const name of names) this.admitted.set(name, (this.admitted.get(name) ?? new Set()).add(namespace));
  }

  public admitListeners(namespace: string): void {
    this.listenersFrom.add(namespace);
  }

  /**
   * The CAs that clients are judged by, with the namespace of each.
   *
   * @internal
   */
  public get _clientCas(): ReturnType<typeof frontendReferences> {
    return this.clientCas.map((ca) => ({ ...ca, namespace: ca.namespace ?? this.namespace }));
  }

  /**
   * One more listener, for what is published on the gateway after it was made.
   *
   * @internal
   */
  public _addListener(listener: IngressListener): void {
    this.listeners.push(listener);
    renderCertificates(this, [listener]);
    if (!listener._certificates.length) return;
    const scope = new Construct(this, `Listener-${listener.name}`);
    grantCertificates(scope, `${this.name}-${listener.name}`, this, [listener]);
  }

  private spec(props: IngressGatewayProps, frontend: FrontendCertificates): gatewayApi.GatewaySpec {
    const { infrastructureLabels: labels, infrastructureAnnotations: annotations } = props;
    return {
      gatewayClassName: this.ingressClass.gatewayClassName,
      listeners: this.listeners.map((one) => one._spec(this.namespace, this.admitted.get(one.name) ?? [])),
      allowedListeners: this.listenersFrom.size ? listenersOf([...this.listenersFrom], this.namespace) : undefined,
      tls: frontendSpec(
        frontend,
        this.namespace,
        [...this.listenersFrom].some((one) => one !== this.namespace),
      ),
      infrastructure: labels || annotations ? { labels, annotations } : undefined,
    };
  }

  private annotatedIssuers(): string[] {
    const certificates = this.listeners.flatMap((listener) => listener._certificates);
    const issuers = certificates.filter((one) => one._isAnnotated).map((one) => one.issuer);
    const words = issuers.map((issuer) => {
      const key = issuer?.kind === 'ClusterIssuer' ? 'cert-manager.io/cluster-issuer' : 'cert-manager.io/issuer';
      return `${key}=${issuer?.name}`;
    });
    return [...new Set(words)].sort();
  }

  private problems(props: IngressGatewayProps, issuers: readonly string[]): Problem[] {
    const problems = [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', props.namespace),
      ...(props.listenersFrom ?? []).flatMap((one) => namespaceProblems('listenersFrom', one)),
      ...this.listeners.flatMap((listener) => listener._problems(this, this.ingressClass)),
      ...listenerMixProblems(this.listeners),
    ];
    if (issuers.length > 1) {
      problems.push({
        what: `annotations ask for the issuers ${issuers.join(' and ')}`,
        why: 'cert-manager takes one issuer from a Gateway',
        fix: 'use ListenerCertificate.certManager, which renders a Certificate for each',
      });
    }
    return problems;
  }
}

/** `Same` where the sets are all beside the Gateway, so that its namespace need not be named twice. */
function listenersOf(namespaces: readonly string[], own: string): gatewayApi.GatewaySpecAllowedListeners {
  if (namespaces.every((one) => one === own))
    return { namespaces: { from: 'Same' as gatewayApi.GatewaySpecAllowedListenersNamespacesFrom } };
  const values = [...namespaces].sort();
  return {
    namespaces: {
      from: 'Selector' as gatewayApi.GatewaySpecAllowedListenersNamespacesFrom,
      selector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] },
    },
  };
}

class ForeignGateway extends Construct implements IIngressGateway {
  public readonly kind = 'Gateway';
  public readonly name: string;
  public readonly namespace: string;
  public readonly ingressClass: IIngressClass;
  public readonly listeners: IngressListener[] = [];

  public constructor(scope: Construct, id: string, attributes: IngressGatewayAttributes) {
    super(scope, id);
    this.name = attributes.name;
    this.namespace = attributes.namespace;
    this.ingressClass = attributes.ingressClass;
  }

  public admitRoutes(): void {
    // Whoever made the gateway decides whom it admits.
  }

  public admitListeners(): void {
    // The same of sets of listeners.
  }
}
