import { Construct } from 'constructs';
import { IIngressClass, IngressClass } from './ingress-class';
import { IIngressGateway } from './ingress-gateway';
import { IngressListener } from './ingress-listener';

/** Names a Service whose clients in the mesh a route is for. */
export interface MeshServiceAttributes {
  /** Its name. */
  readonly name: string;

  /** Its namespace. */
  readonly namespace: string;
}

/**
 * A Service as the parent of routes of Gateway API: the proxies of its clients in the mesh take the route's rules. Renders nothing.
 *
 * @see https://gateway-api.sigs.k8s.io/mesh/
 * @example
 * new HttpIngressRoute(this, 'Reviews', {
 *   gateway: new MeshService(this, 'ReviewsService', { name: 'reviews', namespace: 'shop' }),
 *   namespace: 'shop',
 *   rules: [{ backends: [IngressBackend.service('reviews-v2', 9080)] }],
 * });
 */
export class MeshService extends Construct implements IIngressGateway {
  /** Its kind: "Service". */
  public readonly kind = 'Service';
  public readonly name: string;
  public readonly namespace: string;
  public readonly ingressClass: IIngressClass = IngressClass.istio();
  public readonly listeners: IngressListener[] = [];

  public constructor(scope: Construct, id: string, attributes: MeshServiceAttributes) {
    super(scope, id);
    this.name = attributes.name;
    this.namespace = attributes.namespace;
  }

  public admitRoutes(namespace: string, listenerNames: string[]): void {
    if (listenerNames.length)
      throw new Error(
        `${this.node.path}: a route of ${namespace} names listeners (${listenerNames.join(', ')}), and a Service has none. Leave \`listeners\` out`,
      );
  }

  public admitListeners(namespace: string): void {
    throw new Error(`${this.node.path}: a ListenerSet of ${namespace} is added to a Service. Name a Gateway`);
  }
}
