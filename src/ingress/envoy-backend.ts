import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { hostProblems, isIpAddress } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems, portProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';
import { BackendReference } from './ingress-backend';

/** Where a Backend of Envoy Gateway leads. */
export class BackendEndpoint {
  /**
   * A host by its DNS name.
   *
   * @param hostname the name
   * @param port its port
   */
  public static host(hostname: string, port: number): BackendEndpoint {
    return new BackendEndpoint({ fqdn: { hostname, port } }, [
      ...hostProblems(hostname),
      ...portProblems('port', port),
    ]);
  }

  /**
   * An address.
   *
   * @param address IPv4 or IPv6
   * @param port its port
   */
  public static address(address: string, port: number): BackendEndpoint {
    const bad: Problem[] = isIpAddress(address)
      ? []
      : [{ what: `address ${quote(address)} is no IP address`, why: 'the API server refuses it', fix: 'use BackendEndpoint.host' }]; // prettier-ignore
    return new BackendEndpoint({ ip: { address, port } }, [...bad, ...portProblems('port', port)]);
  }

  /**
   * A socket in the proxy's Pod.
   *
   * @param path its path
   */
  public static unixSocket(path: string): BackendEndpoint {
    return new BackendEndpoint({ unix: { path } }, []);
  }

  private constructor(
    private readonly endpoint: envoyGateway.BackendSpecEndpoints,
    private readonly problems: readonly Problem[],
  ) {}

  /** @internal */
  public _spec(): envoyGateway.BackendSpecEndpoints {
    return this.endpoint;
  }

  /** @internal */
  public _problems(): readonly Problem[] {
    return this.problems;
  }
}

/** What there is to say of a Backend. */
export interface EnvoyBackendProps {
  /** Where it leads. */
  readonly endpoints: BackendEndpoint[];

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
 * Hosts and addresses that routes of an Envoy Gateway send to. Renders one Backend. A site outside a mesh is better said with `ExternalBackend`, which lets the proxies' sidecars
 * through to it and has its certificate checked.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/traffic/backend/
 * @example
 * const backend = new EnvoyBackend(this, 'Legacy', { endpoints: [BackendEndpoint.address('203.0.113.7', 8080)] });
 * new HttpIngressRoute(this, 'Route', { gateway, rules: [{ backends: [IngressBackend.reference(backend.reference)] }] });
 */
export class EnvoyBackend extends Construct {
  /** Its name. */
  public readonly name: string;

  /** Its namespace. */
  public readonly namespace: string;

  /** The rendered Backend, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: EnvoyBackendProps) {
    super(scope, id);
    const { endpoints } = props;
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.resource = new MeshObject<envoyGateway.BackendSpec>(this, 'Resource', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'Backend',
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: (spec) => envoyGatewayBindings().Backend.manifest({ spec }),
      spec: () => ({ endpoints: endpoints.map((one) => one._spec()) }),
    });
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...endpoints.flatMap((one) => one._problems()),
      ...(endpoints.length
        ? []
        : [{ what: 'leads nowhere', why: 'the API server refuses it', fix: 'give `endpoints` at least one' }]),
    ]);
  }

  /** What routes name, for `IngressBackend.reference`. */
  public get reference(): BackendReference {
    return { group: 'gateway.envoyproxy.io', kind: 'Backend', name: this.name };
  }
}
