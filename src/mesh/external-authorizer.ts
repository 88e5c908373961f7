import { IConstruct } from 'constructs';
import { meshMembers } from './mesh-boundary';

/** What may be said of a service that is asked by HTTP. */
export interface HttpAuthorizerOptions {
  /**
   * Headers of the request that it is shown, besides Host, method, path and Authorization.
   *
   * @default none
   */
  readonly requestHeaders?: string[];

  /**
   * Headers of its answer that go on to the workload where it lets pass.
   *
   * @default none
   */
  readonly headersToWorkload?: string[];

  /**
   * What comes before the path when it is asked.
   *
   * @default nothing
   */
  readonly pathPrefix?: string;

  /**
   * Whether requests pass where it can't be asked.
   *
   * @default false: they get 403
   */
  readonly failOpen?: boolean;
}

/** What may be said of a service that is asked by gRPC. */
export interface GrpcAuthorizerOptions {
  /**
   * Whether requests pass where it can't be asked.
   *
   * @default false: they get 403
   */
  readonly failOpen?: boolean;
}

/**
 * A service that proxies ask who may pass: Envoy's ext_authz, such as oauth2-proxy or OPA. It is part of the mesh configuration: `IstioInstall` writes it there, an
 * AuthorizationPolicy with `AuthorizationAction.custom` says who is asked about.
 *
 * @see https://istio.io/latest/docs/tasks/security/authorization/authz-custom/
 * @example
 * const opa = ExternalAuthorizer.grpc('opa', 'opa.policy.svc.cluster.local', 9191);
 */
export class ExternalAuthorizer {
  /**
   * A service that is asked by HTTP: a status under 300 lets pass.
   *
   * @param name the name of the provider
   * @param service the service's full host, such as "oauth2-proxy.auth.svc.cluster.local"
   * @param port its port
   * @param options what it is told
   */
  public static http(name: string, service: string, port: number, options?: HttpAuthorizerOptions): ExternalAuthorizer {
    return new ExternalAuthorizer(name, service, {
      envoyExtAuthzHttp: {
        service,
        port,
        ...(options?.pathPrefix && { pathPrefix: options.pathPrefix }),
        ...(options?.requestHeaders && { includeRequestHeadersInCheck: [...options.requestHeaders] }),
        ...(options?.headersToWorkload && { headersToUpstreamOnAllow: [...options.headersToWorkload] }),
        ...(options?.failOpen && { failOpen: true }),
      },
    });
  }

  /**
   * A service that is asked by gRPC (envoy.service.auth.v3.Authorization).
   *
   * @param name the name of the provider
   * @param service the service's full host
   * @param port its port
   * @param options what it is told
   */
  public static grpc(name: string, service: string, port: number, options?: GrpcAuthorizerOptions): ExternalAuthorizer {
    return new ExternalAuthorizer(name, service, {
      envoyExtAuthzGrpc: { service, port, ...(options?.failOpen && { failOpen: true }) },
    });
  }

  /**
   * One that another repository puts into the mesh configuration.
   *
   * @param name the name of the provider
   */
  public static fromName(name: string): ExternalAuthorizer {
    return new ExternalAuthorizer(name, undefined, {});
  }

  private constructor(
    /** The name of the provider. */
    public readonly name: string,
    /** Its host, where that is known here. */
    public readonly service: string | undefined,
    private readonly config: { readonly [key: string]: unknown },
  ) {}

  /** @internal */
  public _provider(): { [key: string]: unknown } {
    return { name: this.name, ...this.config };
  }
}

/** A construct that writes the mesh configuration. */
export interface KnowsProviders extends IConstruct {
  readonly _providers: readonly string[];
}

/**
 * The extension providers of the mesh, where an IstioInstall says them.
 *
 * @internal
 */
export function providersOf(construct: IConstruct): readonly string[] | undefined {
  const installs = meshMembers<KnowsProviders>('IstioInstall', construct);
  return installs.length ? installs.flatMap(({ _providers }) => _providers) : undefined;
}
