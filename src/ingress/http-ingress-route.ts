import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { MeshTarget } from '../mesh/mesh-target';
import { gatewayDuration } from './durations';
import { httpFilters } from './http-filters';
import { httpRuleProblems } from './http-rule-problems';
import { HttpRule } from './http-rule';
import { IIngressGateway } from './ingress-gateway';
import { attachmentProblems, attachRoute, parentRefs, RouteAttachment } from './route-attachment';
import { isByKind } from './session-persistence';

/** A route, as policies need to know it. */
export interface IIngressRoute extends IConstruct {
  /** Its kind, such as "HTTPRoute". */
  readonly kind: string;

  /** Its name. */
  readonly name: string;

  /** Its namespace. */
  readonly namespace: string;

  /** The gateway that it is attached to. */
  readonly gateway: IIngressGateway;
}

/** What is rendered, as far as it is changed afterwards. */
interface HttpRouteJson {
  readonly spec: { readonly rules: readonly object[] };
}

/** What there is to say of a route for HTTP. */
export interface HttpIngressRouteProps {
  /** The gateway that takes the requests. */
  readonly gateway: IIngressGateway;

  /** What is done with which requests. The order means nothing: the most precise match wins. */
  readonly rules: HttpRule[];

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
   * Labels and annotations of the HTTPRoute.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Says which HTTP requests at a gateway go to which Service. Renders one HTTPRoute, and a ReferenceGrant in each other namespace that
 * it sends to.
 *
 * Where the gateway sends through a sidecar, each rule's Host header becomes the name of its Service: that is what the sidecar
 * finds the Service by, and speaks mutual TLS to it for. The host that the client asked for goes along in x-forwarded-host.
 *
 * @see https://gateway-api.sigs.k8s.io/api-types/httproute/
 * @example
 * new HttpIngressRoute(this, 'Shop', {
 *   gateway,
 *   hostnames: ['shop.example.com'],
 *   rules: [
 *     { matches: [HttpMatch.prefix('/api/')], backends: [IngressBackend.service('api', 8080)], timeout: Duration.seconds(10) },
 *     { backends: [IngressBackend.service('web', 80)] },
 *   ],
 * });
 */
export class HttpIngressRoute extends Construct implements IIngressRoute {
  public readonly kind = 'HTTPRoute';
  public readonly name: string;
  public readonly namespace: string;
  public readonly gateway: IIngressGateway;

  /** The hosts that it is for; none means all. */
  public readonly hostnames: string[];

  /** What is done with which requests. */
  public readonly rules: HttpRule[];

  /** The rendered HTTPRoute, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: HttpIngressRouteProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.gateway = props.gateway;
    this.hostnames = [...(props.hostnames ?? [])];
    this.rules = [...props.rules];
    const attachment: RouteAttachment = {
      kind: this.kind,
      name: this.name,
      namespace: this.namespace,
      gateway: this.gateway,
      listenerNames: props.listeners ?? [],
      hostnames: this.hostnames,
      fits: (listener) => listener.isHttp,
    };
    this.resource = new MeshObject<gatewayApi.HttpRouteProps>(this, 'Resource', {
      ...gatewayApi.HttpRoute.GVK,
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: (route) => this.withSessions(gatewayApi.HttpRoute.manifest(route) as HttpRouteJson),
      spec: () => ({
        spec: {
          parentRefs: parentRefs(attachment),
          hostnames: this.hostnames.length ? this.hostnames : undefined,
          rules: this.rules.map((rule) => this.rule(rule)),
        },
      }),
    });
    const backends = this.rules.flatMap((rule) => [...(rule.backends ?? []), ...(rule.mirrorTo ?? [])]);
    attachRoute(this, attachment, backends);
    refuseAtSynth(this, () => [...this.problems(props), ...attachmentProblems(attachment)]);
  }

  private rule(rule: HttpRule): gatewayApi.HttpRouteSpecRules {
    const filters = httpFilters(rule, this.namespace, this.gateway.ingressClass);
    const request = gatewayDuration(rule.timeout);
    const backendRequest = gatewayDuration(rule.backendTimeout);
    return {
      name: rule.name,
      matches: rule.matches?.length ? rule.matches.map((match) => match._spec()) : undefined,
      filters: filters.length ? filters : undefined,
      backendRefs: rule.backends?.length ? rule.backends.map((backend) => backend._ref(this.namespace)) : undefined,
      retry: rule.retry && {
        attempts: rule.retry.attempts,
        codes: rule.retry.statusCodes,
        backoff: gatewayDuration(rule.retry.backoff),
      },
      timeouts: request || backendRequest ? { request, backendRequest } : undefined,
    };
  }

  /** Names of sessions are said otherwise in older releases than that of the bindings, which would drop them. */
  private withSessions(route: HttpRouteJson): unknown {
    const byKind = isByKind(MeshTarget.of(this));
    const rules = route.spec.rules.map((rule, at) => {
      const sessionPersistence = this.rules[at].sessionPersistence?._spec(byKind);
      return sessionPersistence ? { ...rule, sessionPersistence } : rule;
    });
    return { ...route, spec: { ...route.spec, rules } };
  }

  private problems(props: HttpIngressRouteProps): Problem[] {
    return [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', props.namespace),
      ...this.rules.flatMap((rule) => httpRuleProblems(this, rule, this.gateway.ingressClass)),
    ];
  }
}
