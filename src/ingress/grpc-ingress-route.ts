import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { HeaderChanges } from '../core/header-changes';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';
import { headerModifier } from './header-changes';
import { IIngressRoute } from './http-ingress-route';
import { IngressBackend } from './ingress-backend';
import { IIngressGateway } from './ingress-gateway';
import { attachmentProblems, attachRoute, parentRefs, RouteAttachment } from './route-attachment';

/** What a call has to carry, beyond its service and method. */
export interface GrpcMatchOptions {
  /**
   * Headers and their exact values.
   *
   * @default any
   */
  readonly headers?: { [name: string]: string };

  /**
   * Headers and regular expressions that their values match as a whole.
   *
   * @default any
   */
  readonly headersMatching?: { [name: string]: string };
}

/**
 * Which gRPC calls a rule is about.
 *
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#grpcroutematch
 */
export class GrpcMatch {
  /**
   * All methods of a service.
   *
   * @param service its full name, such as "shop.v1.Orders"
   * @param options what else the call has to carry
   */
  public static service(service: string, options?: GrpcMatchOptions): GrpcMatch {
    return new GrpcMatch(service, undefined, options);
  }

  /**
   * One method.
   *
   * @param service the full name of its service
   * @param method its name
   * @param options what else the call has to carry
   */
  public static method(service: string, method: string, options?: GrpcMatchOptions): GrpcMatch {
    return new GrpcMatch(service, method, options);
  }

  /**
   * Any call.
   *
   * @param options what it has to carry
   */
  public static any(options: GrpcMatchOptions): GrpcMatch {
    return new GrpcMatch(undefined, undefined, options);
  }

  private constructor(
    private readonly service?: string,
    private readonly method?: string,
    private readonly options: GrpcMatchOptions = {},
  ) {}

  /** @internal */
  public _spec(): gatewayApi.GrpcRouteSpecRulesMatches {
    const { service, method } = this;
    const { headers = {}, headersMatching = {} } = this.options;
    const Type = gatewayApi.GrpcRouteSpecRulesMatchesHeadersType;
    const all = [
      ...Object.entries(headers).map(([name, value]) => ({ name, value })),
      ...Object.entries(headersMatching).map(([name, value]) => ({ name, value, type: Type.REGULAR_EXPRESSION })),
    ];
    return {
      method: service === undefined ? undefined : { service, method },
      headers: all.length ? all.sort((a, b) => (a.name < b.name ? -1 : 1)) : undefined,
    };
  }

  /** @internal */
  public _problems(): Problem[] {
    const name = /^[A-Za-z_][A-Za-z_0-9]*(\.[A-Za-z_][A-Za-z_0-9]*)*$/;
    const bad = [this.service, this.method].find((text) => text !== undefined && !name.test(text));
    if (bad === undefined) return [];
    const fix = 'write service and method apart, as in the .proto file: "shop.v1.Orders", "Get"';
    return [{ what: `gRPC name ${quote(bad)}`, why: 'the API server refuses it', fix }];
  }
}

/** What is done with the calls that fit. */
export interface GrpcRule {
  /** Where they go. */
  readonly backends: IngressBackend[];

  /**
   * Which calls it is about: those that fit any of these.
   *
   * @default all
   */
  readonly matches?: GrpcMatch[];

  /**
   * What is done to the headers of requests.
   *
   * @default nothing
   */
  readonly requestHeaders?: HeaderChanges;

  /**
   * What is done to the headers of responses.
   *
   * @default nothing
   */
  readonly responseHeaders?: HeaderChanges;

  /**
   * Who gets a copy of each call, and whose answers no one sees.
   *
   * @default no one
   */
  readonly mirrorTo?: IngressBackend[];
}

/** What there is to say of a route for gRPC. */
export interface GrpcIngressRouteProps {
  /** The gateway that takes the calls. */
  readonly gateway: IIngressGateway;

  /** What is done with which calls. */
  readonly rules: GrpcRule[];

  /**
   * The hosts that it is for.
   *
   * @default all that the listeners take
   */
  readonly hostnames?: string[];

  /**
   * The listeners that it is attached to, by name.
   *
   * @default all of the gateway that take HTTP
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

/** The header that carries the Service's name from the route to Envoy Gateway's rewrite of the host. */
const HOST_HEADER = 'x-mesh-service';

/**
 * Says which gRPC calls at a gateway go to which Service. Renders one GRPCRoute, and a ReferenceGrant in each other namespace that
 * it sends to.
 *
 * A GRPCRoute cannot rewrite the host, which a gateway that sends through a sidecar needs: there, an HTTPRouteFilter of Envoy Gateway is
 * rendered too, which takes the Service's name from a header that the route sets.
 *
 * @see https://gateway-api.sigs.k8s.io/api-types/grpcroute/
 * @example
 * new GrpcIngressRoute(this, 'Catalog', {
 *   gateway,
 *   hostnames: ['grpc.example.com'],
 *   rules: [{ backends: [IngressBackend.service('catalog', 9090)] }],
 * });
 */
export class GrpcIngressRoute extends Construct implements IIngressRoute {
  public readonly kind = 'GRPCRoute';
  public readonly name: string;
  public readonly namespace: string;
  public readonly gateway: IIngressGateway;

  /** The rendered GRPCRoute, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: GrpcIngressRouteProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.gateway = props.gateway;
    const attachment: RouteAttachment = {
      kind: this.kind,
      name: this.name,
      namespace: this.namespace,
      gateway: this.gateway,
      listenerNames: props.listeners ?? [],
      hostnames: props.hostnames ?? [],
      fits: (listener) => listener.isHttp,
    };
    if (this.gateway.ingressClass.sendsThroughSidecar) this.renderHostFilter();
    this.resource = new MeshObject<gatewayApi.GrpcRouteProps>(this, 'Resource', {
      ...gatewayApi.GrpcRoute.GVK,
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: gatewayApi.GrpcRoute.manifest,
      spec: () => ({
        spec: {
          parentRefs: parentRefs(attachment),
          hostnames: props.hostnames?.length ? props.hostnames : undefined,
          rules: props.rules.map((rule) => this.rule(rule)),
        },
      }),
    });
    attachRoute(
      this,
      attachment,
      props.rules.flatMap((rule) => [...rule.backends, ...(rule.mirrorTo ?? [])]),
    );
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', props.namespace),
      ...props.rules.flatMap((rule) => this.problems(rule)),
      ...attachmentProblems(attachment),
    ]);
  }

  private get hostFilterName(): string {
    return `${this.name}-host`;
  }

  private renderHostFilter(): void {
    new MeshObject<envoyGateway.HttpRouteFilterSpec>(this, 'Host', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'HTTPRouteFilter',
      metadata: { name: this.hostFilterName, namespace: this.namespace },
      manifest: (spec) => envoyGatewayBindings().HttpRouteFilter.manifest({ spec }),
      spec: () => ({
        urlRewrite: {
          hostname: { type: 'Header' as envoyGateway.HttpRouteFilterSpecUrlRewriteHostnameType, header: HOST_HEADER },
        },
      }),
    });
  }

  private rule(rule: GrpcRule): gatewayApi.GrpcRouteSpecRules {
    const Type = gatewayApi.GrpcRouteSpecRulesFiltersType;
    const { ingressClass } = this.gateway;
    const rewrites = ingressClass.sendsThroughSidecar && rule.backends.length > 0;
    const requestHeaders: HeaderChanges | undefined = rewrites
      ? {
          ...rule.requestHeaders,
          set: {
            ...rule.requestHeaders?.set,
            [HOST_HEADER]: rule.backends[0]._host(this.namespace, ingressClass.clusterDomain),
          },
        }
      : rule.requestHeaders;
    const filters: gatewayApi.GrpcRouteSpecRulesFilters[] = [];
    if (requestHeaders)
      filters.push({ type: Type.REQUEST_HEADER_MODIFIER, requestHeaderModifier: headerModifier(requestHeaders) });
    if (rule.responseHeaders)
      filters.push({
        type: Type.RESPONSE_HEADER_MODIFIER,
        responseHeaderModifier: headerModifier(rule.responseHeaders),
      });
    for (const mirror of rule.mirrorTo ?? []) {
      const { weight: _unweighted, ...backendRef } = mirror._ref(this.namespace);
      filters.push({ type: Type.REQUEST_MIRROR, requestMirror: { backendRef } });
    }
    if (rewrites) {
      filters.push({
        type: Type.EXTENSION_REF,
        extensionRef: { group: 'gateway.envoyproxy.io', kind: 'HTTPRouteFilter', name: this.hostFilterName },
      });
    }
    return {
      matches: rule.matches?.length ? rule.matches.map((match) => match._spec()) : undefined,
      filters: filters.length ? filters : undefined,
      backendRefs: rule.backends.map((backend) => backend._ref(this.namespace)),
    };
  }

  private problems(rule: GrpcRule): Problem[] {
    const problems = [...rule.backends, ...(rule.mirrorTo ?? [])].flatMap((backend) => backend._problems());
    problems.push(...(rule.matches ?? []).flatMap((match) => match._problems()));
    if (!rule.backends.length)
      problems.push({
        what: 'a rule sends calls nowhere',
        why: 'clients would get UNAVAILABLE',
        fix: 'give it `backends`',
      });
    if (this.gateway.ingressClass.sendsThroughSidecar)
      problems.push(
        ...rule.backends.flatMap((backend) => backend._hostProblems('the sidecar finds the Service by the host')),
      );
    const services = new Set(rule.backends.map((backend) => `${backend.namespace ?? ''}/${backend.name}`));
    if (this.gateway.ingressClass.sendsThroughSidecar && services.size > 1) {
      problems.push({
        what: `a rule shares calls among ${services.size} Services behind a gateway that sends through a sidecar`,
        why: 'the sidecar finds the Service by the host, and a rule can write one name only: one Service would get all',
        fix: 'send to one Service here, and share among versions behind it with a VirtualService or a route of the mesh',
      });
    }
    return problems;
  }
}
