import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { IIngressRoute } from './http-ingress-route';
import { IngressBackend } from './ingress-backend';
import { IIngressGateway } from './ingress-gateway';
import { attachmentProblems, attachRoute, parentRefs, RouteAttachment } from './route-attachment';

/** What there is to say of a route for TLS that is passed on unread. */
export interface TlsIngressRouteProps {
  /** The gateway that takes the connections. */
  readonly gateway: IIngressGateway;

  /** The names that clients ask for by SNI, or wildcards such as `*.example.com`. */
  readonly hostnames: string[];

  /** Where the connections go. Several share them by weight. */
  readonly backends: IngressBackend[];

  /**
   * The listeners that it is attached to, by name.
   *
   * @default all of the gateway that pass TLS through
   */
  readonly listeners?: string[];

  /**
   * Its namespace. If another than that of the gateway, the gateway's listeners admit it.
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
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Says which TLS connections at a gateway go to which Service, by the name that the client asks for, without reading them. Renders
 * one TLSRoute, and a ReferenceGrant in each other namespace that it sends to.
 *
 * Where the gateway sends through a sidecar, name the Service's port `tls-...` or `https-...`, or give it `appProtocol: tls`.
 *
 * @see https://gateway-api.sigs.k8s.io/api-types/tlsroute/
 * @example
 * new TlsIngressRoute(this, 'Vault', {
 *   gateway,
 *   hostnames: ['vault.example.com'],
 *   backends: [IngressBackend.service('vault', 8200)],
 * });
 */
export class TlsIngressRoute extends Construct implements IIngressRoute {
  public readonly kind = 'TLSRoute';
  public readonly name: string;
  public readonly namespace: string;
  public readonly gateway: IIngressGateway;

  /** The rendered TLSRoute, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: TlsIngressRouteProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.gateway = props.gateway;
    this.resource = streamRoute(this, gatewayApi.TlsRoute, props, {
      listenerNames: props.listeners ?? passthroughListeners(props.gateway),
      hostnames: props.hostnames,
      fits: (listener) => listener._isPassthrough,
    });
    refuseAtSynth(this, () => (props.hostnames.length ? [] : [noHostname]));
  }
}

/** What there is to say of a route for TCP. */
export interface TcpIngressRouteProps {
  /** The gateway that takes the connections. */
  readonly gateway: IIngressGateway;

  /**
   * The listener that it is attached to: a TCP route has all connections of a listener, or none.
   *
   * @default all listeners of TCP that the gateway has
   */
  readonly listener?: string;

  /** Where the connections go. Several share them by weight. */
  readonly backends: IngressBackend[];

  /**
   * Its namespace. If another than that of the gateway, the gateway's listener admits it.
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
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Sends all connections of a TCP listener, or of one that ends TLS, to a Service. Renders one TCPRoute, and a ReferenceGrant in each other
 * namespace that it sends to.
 *
 * @see https://gateway-api.sigs.k8s.io/guides/tcp/
 * @example
 * new TcpIngressRoute(this, 'Database', {
 *   gateway,
 *   listener: 'tcp-5432',
 *   backends: [IngressBackend.service('postgres', 5432)],
 * });
 */
export class TcpIngressRoute extends Construct implements IIngressRoute {
  public readonly kind = 'TCPRoute';
  public readonly name: string;
  public readonly namespace: string;
  public readonly gateway: IIngressGateway;

  /** The rendered TCPRoute, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: TcpIngressRouteProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.gateway = props.gateway;
    this.resource = streamRoute(this, gatewayApi.TcpRoute, props, {
      listenerNames: props.listener === undefined ? [] : [props.listener],
      fits: (listener) => listener.protocol === 'TCP' || (listener.protocol === 'TLS' && !listener._isPassthrough),
    });
  }
}

/** What there is to say of a route for UDP. */
export interface UdpIngressRouteProps {
  /** The gateway that takes the datagrams. */
  readonly gateway: IIngressGateway;

  /**
   * The listener that it is attached to: a UDP route has all datagrams of a listener, or none.
   *
   * @default all listeners of UDP that the gateway has
   */
  readonly listener?: string;

  /** Where the datagrams go. Several share the clients by weight. */
  readonly backends: IngressBackend[];

  /**
   * Its namespace. If another than that of the gateway, the gateway's listener admits it.
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
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Sends all datagrams of a UDP listener to a Service. Renders one UDPRoute, and a ReferenceGrant in each other namespace that it sends to. Needs Gateway API 1.6 or newer, or the
 * experimental channel of an older one. Istio's gateways do not have UDP, and sidecars do not take part: datagrams leave the proxy as they came, with no mutual TLS.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/traffic/udp-routing/
 * @example
 * const gateway = new IngressGateway(this, 'Dns', {
 *   ingressClass: IngressClass.named('eg', { controller: IngressController.ENVOY_GATEWAY }),
 *   listeners: [IngressListener.udp(53)],
 * });
 * new UdpIngressRoute(this, 'Resolver', {
 *   gateway,
 *   listener: 'udp-53',
 *   backends: [IngressBackend.service('coredns', 53)],
 * });
 */
export class UdpIngressRoute extends Construct implements IIngressRoute {
  public readonly kind = 'UDPRoute';
  public readonly name: string;
  public readonly namespace: string;
  public readonly gateway: IIngressGateway;

  /** The rendered UDPRoute, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: UdpIngressRouteProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.gateway = props.gateway;
    this.resource = streamRoute(this, gatewayApi.UdpRoute, props, {
      listenerNames: props.listener === undefined ? [] : [props.listener],
      fits: (listener) => listener.protocol === 'UDP',
    });
  }
}

/** What is said of each of these routes. */
interface StreamRouteProps {
  readonly namespace?: string;
  readonly backends: IngressBackend[];
  readonly metadata?: ApiObjectMetadata;
}

/** The generated binding of a kind of route. */
interface RouteBinding {
  readonly GVK: { readonly apiVersion: string; readonly kind: string };
  readonly manifest: (props: never) => unknown;
}

/** Renders a route that sends all that its listeners give it to its backends, and attaches it. */
function streamRoute(
  route: Construct & IIngressRoute,
  binding: RouteBinding,
  props: StreamRouteProps,
  wanted: Pick<RouteAttachment, 'listenerNames' | 'fits'> & { readonly hostnames?: string[] },
): ApiObject {
  const { kind, name, namespace, gateway } = route;
  const attachment: RouteAttachment = { kind, name, namespace, gateway, hostnames: [], ...wanted };
  const resource = new MeshObject(route, 'Resource', {
    ...binding.GVK,
    metadata: objectMetadata({ name, namespace }, props.metadata),
    manifest: binding.manifest as (given: object) => unknown,
    spec: () => ({
      spec: {
        parentRefs: parentRefs(attachment),
        hostnames: wanted.hostnames,
        rules: [{ backendRefs: props.backends.map((backend) => backend._ref(namespace)) }],
      },
    }),
  });
  attachRoute(route, attachment, props.backends);
  refuseAtSynth(route, () => [
    ...streamProblems(name, props.namespace, props.backends),
    ...attachmentProblems(attachment),
  ]);
  return resource;
}

/** Unnamed, a route would try all listeners, and be refused by those that end TLS or read HTTP. */
function passthroughListeners(gateway: IIngressGateway): string[] {
  return gateway.listeners.filter((listener) => listener._isPassthrough).map((listener) => listener.name);
}

const noHostname: Problem = {
  what: 'names no host',
  why: 'connections are told apart by the name that clients ask for',
  fix: 'give `hostnames` at least one',
};

function streamProblems(name: string, namespace: string | undefined, backends: readonly IngressBackend[]): Problem[] {
  const nowhere: Problem = {
    what: 'sends connections nowhere',
    why: 'clients would be cut off',
    fix: 'give it `backends`',
  };
  return [
    ...objectNameProblems('name', name),
    ...namespaceProblems('namespace', namespace),
    ...(backends.length ? [] : [nowhere]),
    ...backends.flatMap((backend) => backend._problems()),
  ];
}
