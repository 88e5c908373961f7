import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { OutputFile } from '../app/output-file';
import { objectNameProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { MeshMembership } from '../mesh/mesh-membership';
import { MeshNamespace } from '../mesh/mesh-namespace';
import { MeshObject } from '../mesh/mesh-object';
import { MutualTls, PeerAuthentication } from '../mesh/peer-authentication';
import { PeerScope } from '../mesh/peer-scope';
import { ENVOY_GATEWAY_API } from './envoy-gateway-bindings';
import { envoyGatewayValues } from './envoy-gateway-values';
import { envoyProxyManifest, envoyProxyProblems, EnvoyProxySettings } from './envoy-proxy-settings';
import { IRateLimitStore, RateLimitRedis } from './global-rate-limit';
import { IIngressClass, IngressController } from './ingress-class';
import { partialObject } from './partial-object';

/** Envoy Gateway names this port "http", and speaks TLS on it. */
const RATE_LIMIT_PORT = { name: 'http', port: 8081 };

/** What there is to say of an Envoy Gateway that belongs to the mesh. */
export interface EnvoyGatewayInMeshProps {
  /**
   * The name of the GatewayClass.
   *
   * @default "eg"
   */
  readonly gatewayClassName?: string;

  /**
   * The namespace that Envoy Gateway is installed in. Its proxies run there too.
   *
   * @default "envoy-gateway-system"
   */
  readonly namespace?: string;

  /**
   * Which istiod injects the sidecars.
   *
   * @default the one that has no revision, or the default one
   */
  readonly membership?: MeshMembership;

  /**
   * What the proxies are made of.
   *
   * @default two for each Gateway, with a disruption budget
   */
  readonly proxies?: EnvoyProxySettings;

  /**
   * The name of the EnvoyProxy.
   *
   * @default "in-mesh"
   */
  readonly envoyProxyName?: string;

  /**
   * The controller that the class belongs to.
   *
   * @default "gateway.envoyproxy.io/gatewayclass-controller"
   */
  readonly controllerName?: string;

  /**
   * Where global rate limits count, such as a `RateLimitRedis`. The rate-limit service is then told about it by the chart's values, and
   * its Service made fit for the mesh.
   *
   * @default no global rate limits
   */
  readonly rateLimitStore?: IRateLimitStore;

  /**
   * Whether routes may send to hosts outside the cluster (`ExternalBackend`). Written into the chart's values (`extensionApis.enableBackend`).
   *
   * @default false
   */
  readonly externalBackends?: boolean;

  /**
   * Annotations of the partial objects, for the tool that applies them: Argo CD wants
   * `argocd.argoproj.io/sync-options: ServerSideApply=true,Prune=false`, Flux `kustomize.toolkit.fluxcd.io/ssa: Merge`.
   *
   * @default none
   */
  readonly partialAnnotations?: { [key: string]: string };

  /**
   * The cluster's DNS domain.
   *
   * @default "cluster.local"
   */
  readonly clusterDomain?: string;
}

/**
 * Makes an Envoy Gateway, installed by its own chart, a member of an Istio mesh: its proxies take requests from outside as they
 * are, and send them on through a sidecar, with mutual TLS and an identity, so that Services can refuse everyone else.
 *
 * Renders the Namespace (for the sidecars), part of the control plane's Service (so that its sidecar passes xDS through), the
 * EnvoyProxy (no capture on the way in, Service addresses on the way out), the GatewayClass with it, and the one exception
 * from STRICT that the API server needs. Beside the manifests it writes values for the chart.
 *
 * Pods that ran before injection was on have no sidecar: see `RolloutRestart`. Apply server-side, after the chart.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/operations/customize-envoyproxy/
 * @example
 * const envoyGateway = new EnvoyGatewayInMesh(this, 'EnvoyGateway');
 * new IngressGateway(this, 'Public', {
 *   namespace: 'shop',
 *   ingressClass: envoyGateway,
 *   listeners: [IngressListener.https(ListenerCertificate.secret('shop-tls'), { hostname: 'shop.example.com' })],
 * });
 */
export class EnvoyGatewayInMesh extends Construct implements IIngressClass {
  public readonly gatewayClassName: string;
  public readonly sendsThroughSidecar = true;
  public readonly clusterDomain: string;
  public readonly proxyNamespace: string;
  public readonly limitsGlobally?: boolean;
  public readonly takesBackends?: boolean;
  public readonly controller? = IngressController.ENVOY_GATEWAY;

  /** The namespace of control plane and proxies. */
  public readonly namespace: MeshNamespace;

  /** The part of the control plane's Service that is ours, to patch. */
  public readonly controlPlaneService: ApiObject;

  /** The rendered EnvoyProxy, to patch. */
  public readonly envoyProxy: ApiObject;

  /** The rendered GatewayClass, to patch. */
  public readonly gatewayClass: ApiObject;

  public constructor(scope: Construct, id: string, props: EnvoyGatewayInMeshProps = {}) {
    super(scope, id);
    this.gatewayClassName = props.gatewayClassName ?? 'eg';
    this.clusterDomain = props.clusterDomain ?? 'cluster.local';
    this.proxyNamespace = props.namespace ?? 'envoy-gateway-system';
    this.limitsGlobally = props.rateLimitStore !== undefined;
    this.takesBackends = props.externalBackends ?? false;
    const membership = props.membership ?? MeshMembership.sidecar();
    this.namespace = new MeshNamespace(this, 'Namespace', { name: this.proxyNamespace, membership });
    this.controlPlaneService = this.tlsPort('ControlPlane', 'envoy-gateway', { name: 'grpc', port: 18000 }, props);
    if (props.rateLimitStore instanceof RateLimitRedis) props.rateLimitStore._admit(this.proxyNamespace);
    if (props.rateLimitStore) {
      this.tlsPort('RateLimit', 'envoy-ratelimit', RATE_LIMIT_PORT, props);
      this.renderRateLimitPods();
    }
    const proxies = props.proxies ?? {};
    this.envoyProxy = new MeshObject<EnvoyProxySettings>(this, 'EnvoyProxy', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'EnvoyProxy',
      metadata: { name: props.envoyProxyName ?? 'in-mesh', namespace: this.proxyNamespace },
      manifest: envoyProxyManifest,
      spec: () => proxies,
    });
    this.gatewayClass = this.renderClass(props);
    this.exceptWebhook();
    new OutputFile(this, 'Values', {
      path: 'install/envoy-gateway.values',
      content: envoyGatewayValues({
        namespace: this.proxyNamespace,
        redisUrl: props.rateLimitStore?.url,
        externalBackends: props.externalBackends,
      }),
    });
    refuseAtSynth(this, () => this.problems(props, membership));
  }

  /**
   * Where a port's name says HTTP or gRPC and the bytes are Envoy Gateway's own TLS, a sidecar would parse them, and fail. `appProtocol`
   * outranks the name.
   */
  private tlsPort(id: string, service: string, port: { name: string; port: number }, props: EnvoyGatewayInMeshProps) {
    return partialObject(this, id, {
      apiVersion: 'v1',
      kind: 'Service',
      name: service,
      namespace: this.proxyNamespace,
      annotations: props.partialAnnotations,
      spec: () => ({ ports: [{ ...port, protocol: 'TCP', appProtocol: 'tls' }] }),
    });
  }

  /** Since 1.9.1 proxies dial the Pods of the rate-limit service, which sidecars know, and hand their identity, by a headless Service alone. */
  private renderRateLimitPods(): ApiObject {
    return new MeshObject<unknown>(this, 'RateLimitPods', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'envoy-ratelimit-pods', namespace: this.proxyNamespace },
      manifest: (fields) => fields,
      spec: () => ({
        spec: {
          clusterIP: 'None',
          selector: { 'app.kubernetes.io/name': 'envoy-ratelimit', 'app.kubernetes.io/component': 'ratelimit' },
          ports: [{ ...RATE_LIMIT_PORT, name: 'tls', protocol: 'TCP', appProtocol: 'tls' }],
        },
      }),
    });
  }

  private renderClass(props: EnvoyGatewayInMeshProps): ApiObject {
    return new MeshObject<gatewayApi.GatewayClassProps>(this, 'GatewayClass', {
      ...gatewayApi.GatewayClass.GVK,
      metadata: { name: this.gatewayClassName },
      clusterScoped: true,
      manifest: gatewayApi.GatewayClass.manifest,
      spec: () => ({
        spec: {
          controllerName: props.controllerName ?? 'gateway.envoyproxy.io/gatewayclass-controller',
          parametersRef: {
            group: 'gateway.envoyproxy.io',
            kind: 'EnvoyProxy',
            name: this.envoyProxy.name,
            namespace: this.proxyNamespace,
          },
        },
      }),
    });
  }

  /** The API server calls the controller's webhook and has no identity in the mesh; the webhook fails open, so no one would notice. */
  private exceptWebhook(): void {
    const appliesTo = PeerScope.workloads(
      this.proxyNamespace,
      { 'control-plane': 'envoy-gateway' },
      { ports: { 9443: MutualTls.DISABLE } },
    );
    new PeerAuthentication(this, 'Webhook', { name: 'envoy-gateway-webhook', appliesTo, mode: MutualTls.UNSET });
  }

  private problems(props: EnvoyGatewayInMeshProps, membership: MeshMembership): Problem[] {
    const problems = [
      ...objectNameProblems('gatewayClassName', this.gatewayClassName),
      ...objectNameProblems('envoyProxyName', props.envoyProxyName),
      ...envoyProxyProblems(props.proxies ?? {}),
    ];
    if (!membership.isInjected) {
      problems.push({
        what: `namespace ${JSON.stringify(this.proxyNamespace)} gets no sidecars`,
        why: 'without them the proxies have no identity in the mesh, and STRICT Services refuse them',
        fix: 'use MeshMembership.sidecar() or .revision(...)',
      });
    }
    return problems;
  }
}
