import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { objectNameProblems } from '../core/names';
import { quote, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { IIngressClass, IngressController } from './ingress-class';

/** An object with settings of a class, such as an EnvoyProxy. */
export interface ClassParameters {
  /** Its API group. */
  readonly group: string;

  /** Its kind. */
  readonly kind: string;

  /** Its name. */
  readonly name: string;

  /**
   * Its namespace.
   *
   * @default none, for kinds that belong to no namespace
   */
  readonly namespace?: string;
}

/** What there is to say of a class of gateways. */
export interface GatewayClassProps {
  /** Who reads its Gateways, such as "gateway.envoyproxy.io/gatewayclass-controller". */
  readonly controllerName: string;

  /**
   * Its settings.
   *
   * @default the controller's own
   */
  readonly parameters?: ClassParameters;

  /**
   * What it is for, in words.
   *
   * @default none
   */
  readonly description?: string;

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
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the GatewayClass.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

const CONTROLLERS: { readonly [name: string]: IngressController } = {
  'istio.io/gateway-controller': IngressController.ISTIO,
  'gateway.envoyproxy.io/gatewayclass-controller': IngressController.ENVOY_GATEWAY,
};

/**
 * A class of gateways, whose proxies send to Services by themselves. Renders one GatewayClass. `EnvoyGatewayInMesh` makes one whose proxies are members of an
 * Istio mesh; for a class that is made elsewhere, use `IngressClass`.
 *
 * @see https://gateway-api.sigs.k8s.io/api-types/gatewayclass/
 * @example
 * const ingressClass = new GatewayClass(this, 'Eg', { controllerName: 'gateway.envoyproxy.io/gatewayclass-controller' });
 * new IngressGateway(this, 'Public', { ingressClass, listeners: [IngressListener.http()] });
 */
export class GatewayClass extends Construct implements IIngressClass {
  public readonly gatewayClassName: string;
  public readonly sendsThroughSidecar = false;
  public readonly clusterDomain: string;
  public readonly proxyNamespace: string;
  public readonly controller?: IngressController;

  /** The rendered GatewayClass, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: GatewayClassProps) {
    super(scope, id);
    const { controllerName, description, parameters } = props;
    this.gatewayClassName = props.name ?? nameOfId(id);
    this.clusterDomain = props.clusterDomain ?? 'cluster.local';
    this.controller = CONTROLLERS[controllerName];
    const isEnvoyGateways = this.controller === IngressController.ENVOY_GATEWAY;
    this.proxyNamespace = props.proxyNamespace ?? (isEnvoyGateways ? 'envoy-gateway-system' : '');
    this.resource = new MeshObject<gatewayApi.GatewayClassProps>(this, 'Resource', {
      ...gatewayApi.GatewayClass.GVK,
      metadata: objectMetadata({ name: this.gatewayClassName }, props.metadata),
      clusterScoped: true,
      manifest: gatewayApi.GatewayClass.manifest,
      spec: () => ({ spec: { controllerName, description, parametersRef: parameters && { ...parameters } } }),
    });
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', this.gatewayClassName),
      ...(/^[a-z0-9.-]+\/\S+$/.test(controllerName)
        ? []
        : [
            {
              what: `controllerName ${quote(controllerName)} is no domain and path`,
              why: 'the API server refuses it',
              fix: 'such as "gateway.envoyproxy.io/gatewayclass-controller"',
            },
          ]),
    ]);
  }
}
