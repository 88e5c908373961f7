/** Who reads the Gateways of a class, and runs their proxies. */
export enum IngressController {
  /** istiod, of Istio. */
  ISTIO = 'istio',
  /** Envoy Gateway. */
  ENVOY_GATEWAY = 'envoy-gateway',
}

/** A GatewayClass, as gateways need to know it. */
export interface IIngressClass {
  /** Its name, for `gatewayClassName`. */
  readonly gatewayClassName: string;

  /**
   * Whether its proxies send to the mesh through a sidecar beside them, as Envoy Gateway's do. The sidecar finds the Service by the
   * Host header, so routes have to carry the Service's own name there.
   */
  readonly sendsThroughSidecar: boolean;

  /** The cluster's DNS domain, which Service names end in. */
  readonly clusterDomain: string;

  /** The namespace that its proxies run in, or empty where each runs in the namespace of its Gateway. */
  readonly proxyNamespace: string;

  /** Whether it has what global rate limits take. Not set where that is not known here. */
  readonly limitsGlobally?: boolean;

  /** Whether its routes may send to hosts outside the cluster (Backends). Not set where that is not known here. */
  readonly takesBackends?: boolean;

  /** Who reads its Gateways: what that controller does not do is refused at synth. Not set where that is not known here. */
  readonly controller?: IngressController;
}

/** What may be said of a class that is made elsewhere. */
export interface IngressClassOptions {
  /**
   * The namespace that its proxies run in.
   *
   * @default "envoy-gateway-system" for Envoy Gateway, else the namespace of each Gateway
   */
  readonly proxyNamespace?: string;

  /**
   * The cluster's DNS domain.
   *
   * @default "cluster.local"
   */
  readonly clusterDomain?: string;

  /**
   * Who reads its Gateways.
   *
   * @default that of `envoyGatewayInMesh` is Envoy Gateway; of another class it is not known
   */
  readonly controller?: IngressController;
}

/** A GatewayClass that is made elsewhere. Renders nothing; `EnvoyGatewayInMesh` makes one. */
export class IngressClass implements IIngressClass {
  /**
   * The class of an Envoy Gateway whose proxies have sidecars, made by `EnvoyGatewayInMesh` in another chart or app.
   *
   * @param gatewayClassName its name
   * @param options where its proxies run
   */
  public static envoyGatewayInMesh(gatewayClassName: string, options?: IngressClassOptions): IngressClass {
    return new IngressClass(gatewayClassName, true, options?.proxyNamespace ?? 'envoy-gateway-system', {
      controller: IngressController.ENVOY_GATEWAY,
      ...options,
    });
  }

  /** Istio's own: istiod makes a gateway that is itself a proxy of the mesh. */
  public static istio(): IngressClass {
    return new IngressClass('istio', false, '', { controller: IngressController.ISTIO });
  }

  /**
   * Any other class, whose proxies send to Services by themselves.
   *
   * @param gatewayClassName its name
   * @param options where its proxies run
   */
  public static named(gatewayClassName: string, options?: IngressClassOptions): IngressClass {
    return new IngressClass(gatewayClassName, false, options?.proxyNamespace ?? '', options);
  }

  public readonly clusterDomain: string;
  public readonly controller?: IngressController;

  private constructor(
    public readonly gatewayClassName: string,
    public readonly sendsThroughSidecar: boolean,
    public readonly proxyNamespace: string,
    options?: IngressClassOptions,
  ) {
    this.clusterDomain = options?.clusterDomain ?? 'cluster.local';
    this.controller = options?.controller;
  }
}
