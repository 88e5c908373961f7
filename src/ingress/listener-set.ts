import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { supportProblems } from './controller-support';
import { IIngressClass } from './ingress-class';
import { IIngressGateway, IngressGateway } from './ingress-gateway';
import { addedListenerProblems, listenerMixProblems } from './ingress-gateway-rules';
import { IngressListener } from './ingress-listener';
import { grantCertificates, renderCertificates } from './listener-certificates';
import { GATEWAY_API_GROUP } from './route-attachment';

/** What there is to say of listeners that are added to a gateway. */
export interface ListenerSetProps {
  /** The gateway that they are added to. If this app makes it, it admits the namespace of the set. */
  readonly gateway: IIngressGateway;

  /** What it listens for. */
  readonly listeners: IngressListener[];

  /**
   * Its namespace, where its certificates are too.
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
   * Labels and annotations of the ListenerSet.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Listeners that a team adds to a gateway that others share, with certificates of the team's own, in its own namespace. Renders one ListenerSet, the Certificates that its listeners ask
 * cert-manager for, and the ReferenceGrants that certificates in other namespaces take. Routes are attached to it as to a gateway.
 *
 * Needs Gateway API 1.5 or newer, with Istio 1.30 or newer, or Envoy Gateway 1.8 or newer.
 *
 * @see https://gateway-api.sigs.k8s.io/geps/gep-1713/
 * @example
 * const shared = IngressGateway.fromAttributes(this, 'Shared', {
 *   name: 'shared',
 *   namespace: 'edge',
 *   ingressClass: IngressClass.istio(),
 * });
 * const ours = new ListenerSet(this, 'Shop', {
 *   gateway: shared,
 *   listeners: [IngressListener.https(ListenerCertificate.secret('shop-tls'), { hostname: 'shop.example.com' })],
 * });
 * new HttpIngressRoute(this, 'Route', {
 *   gateway: ours,
 *   hostnames: ['shop.example.com'],
 *   rules: [{ backends: [IngressBackend.service('web', 80)] }],
 * });
 */
export class ListenerSet extends Construct implements IIngressGateway {
  public readonly kind = 'ListenerSet';
  public readonly name: string;
  public readonly namespace: string;
  public readonly ingressClass: IIngressClass;
  public readonly listeners: IngressListener[];

  /** The gateway that the listeners are added to. */
  public readonly gateway: IIngressGateway;

  /** The rendered ListenerSet, to patch. */
  public readonly resource: ApiObject;

  private readonly admitted = new Map<string, Set<string>>();

  public constructor(scope: Construct, id: string, props: ListenerSetProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.gateway = props.gateway;
    this.ingressClass = props.gateway.ingressClass;
    this.listeners = [...props.listeners];
    this.resource = new MeshObject<gatewayApi.ListenerSetProps>(this, 'Resource', {
      ...gatewayApi.ListenerSet.GVK,
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: gatewayApi.ListenerSet.manifest,
      spec: () => ({ spec: this.spec() }),
    });
    this.gateway.admitListeners(this.namespace);
    renderCertificates(this, this.listeners);
    // istiod asks for a grant to the set too, since it judges clients at the set's listeners.
    const cas = this.gateway instanceof IngressGateway ? this.gateway._clientCas : [];
    grantCertificates(this, this.name, this, this.listeners, cas);
    refuseAtSynth(this, () => this.problems(props));
    joinMesh<ListenerSet>('ListenerSet', this, setsInConflict);
    namesNamespaces(this, () => this.listeners.flatMap((listener) => listener._named()));
  }

  public admitRoutes(namespace: string, listenerNames: string[]): void {
    const names = listenerNames.length ? listenerNames : this.listeners.map((listener) => listener.name);
    for (const name of names) this.admitted.set(name, (this.admitted.get(name) ?? new Set()).add(namespace));
  }

  public admitListeners(namespace: string): void {
    this.gateway.admitListeners(namespace);
  }

  private spec(): gatewayApi.ListenerSetSpec {
    const { name, namespace } = this.gateway;
    return {
      parentRef: {
        group: GATEWAY_API_GROUP,
        kind: 'Gateway',
        name,
        namespace: namespace === this.namespace ? undefined : namespace,
      },
      // A listener of a set says the same as one of a Gateway, in types of another name.
      listeners: this.listeners.map(
        (one) => one._spec(this.namespace, this.admitted.get(one.name) ?? []) as gatewayApi.ListenerSetSpecListeners,
      ),
    };
  }

  private problems(props: ListenerSetProps): Problem[] {
    const problems = [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', props.namespace),
      ...supportProblems(this, this.ingressClass, 'listenerSets', 'a ListenerSet', 'its listeners are not there'),
      ...this.listeners.flatMap((listener) => listener._problems(this, this.ingressClass)),
      ...listenerMixProblems(this.listeners),
      ...addedListenerProblems(this.listeners, this.gateway.listeners, this.gateway.node.path),
    ];
    if (this.gateway.kind !== 'Gateway')
      problems.push({
        what: `is added to ${this.gateway.kind} ${quote(this.gateway.name)}`,
        why: 'listeners are added to Gateways alone',
        fix: 'name the Gateway that that one is added to',
      });
    for (const { secretName } of this.listeners.flatMap((one) => one._certificates).filter((one) => one._isAnnotated))
      problems.push({
        what: `certificate ${quote(secretName)} by an annotation`,
        why: 'cert-manager reads the annotations of Gateways',
        fix: 'use ListenerCertificate.certManager, which renders a Certificate',
      });
    return problems;
  }
}

/** Of listeners in conflict one is refused, whichever team came second. */
function setsInConflict(sets: readonly ListenerSet[]): Array<{ at: IConstruct; problem: Problem }> {
  return sets.flatMap((set, at) =>
    sets
      .slice(0, at)
      .filter(({ gateway }) => gateway.name === set.gateway.name && gateway.namespace === set.gateway.namespace)
      .flatMap((other) => addedListenerProblems(set.listeners, other.listeners, other.node.path))
      .map((problem) => ({ at: set, problem })),
  );
}
