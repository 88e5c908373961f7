/** The details of a hop. */
export interface GatewayHopOptions {
  /**
   * The port of the gateway's Service that the hop goes to.
   *
   * @default 80
   */
  readonly port?: number;
}

/**
 * How plain HTTP travels from a sidecar to the egress gateway.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/
 */
export class GatewayHop {
  /**
   * In the mesh's own mutual TLS: encrypted, and the gateway knows who calls, so that it can decide who may.
   *
   * @param options the port
   */
  public static mutualTls(options?: GatewayHopOptions): GatewayHop {
    return new GatewayHop(true, options?.port ?? 80);
  }

  /**
   * As it is. The gateway can't know who calls. The documents' first form; not for new meshes.
   *
   * @param options the port
   */
  public static plainText(options?: GatewayHopOptions): GatewayHop {
    return new GatewayHop(false, options?.port ?? 80);
  }

  private constructor(
    /** Whether the hop is in mutual TLS. */
    public readonly isMutualTls: boolean,
    /** The port of the gateway's Service. */
    public readonly port: number,
  ) {}
}
