import { Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { Problem, quote } from '../core/problem';
import { supportProblems } from './controller-support';
import type { HttpIngressRoute, IIngressRoute } from './http-ingress-route';
import type { IIngressGateway } from './ingress-gateway';
import type { PublishedService } from './published-service';

/**
 * What a policy is about. The policy gets the target's namespace, because one in another namespace has no effect.
 *
 * @see https://gateway-api.sigs.k8s.io/reference/policy-attachment/
 */
export class PolicyTarget {
  /**
   * All that comes in at a gateway, or at the listeners of a ListenerSet (which needs Envoy Gateway 1.9 or newer).
   *
   * @param gateway the gateway, or the set
   */
  public static gateway(gateway: IIngressGateway): PolicyTarget {
    return new PolicyTarget(gateway, gateway.kind, gateway.name, gateway.namespace);
  }

  /**
   * All that comes in at one listener of a gateway, or of a ListenerSet (which needs Envoy Gateway 1.9 or newer).
   *
   * @param gateway the gateway, or the set
   * @param listenerName the listener
   */
  public static listener(gateway: IIngressGateway, listenerName: string): PolicyTarget {
    return new PolicyTarget(gateway, gateway.kind, gateway.name, gateway.namespace, listenerName);
  }

  /**
   * All that a route takes. A policy about a route outranks one about its gateway.
   *
   * @param route the route
   */
  public static route(route: IIngressRoute): PolicyTarget {
    return new PolicyTarget(route, route.kind, route.name, route.namespace);
  }

  /**
   * What one rule of a route takes.
   *
   * @param route the route
   * @param ruleName the `name` of the rule
   */
  public static rule(route: HttpIngressRoute, ruleName: string): PolicyTarget {
    const target = new PolicyTarget(route, route.kind, route.name, route.namespace, ruleName);
    target.knownSections = route.rules.flatMap((rule) => (rule.name === undefined ? [] : [rule.name]));
    return target;
  }

  /**
   * What a published Service takes, or one of its paths. Only what is published by Gateway API has a route that policies can be about.
   *
   * @param published the publication
   * @param pathName the `name` of one of its `paths`; left out, all of it
   * @throws where the publication renders Istio's own API
   */
  public static published(published: PublishedService, pathName?: string): PolicyTarget {
    const { route } = published;
    if (route === undefined)
      throw new Error(
        `${published.node.path} is published by Istio's own API, and policies of Envoy Gateway are about routes of Gateway API: publish it on a SharedIngressGateway`,
      );
    return pathName === undefined ? PolicyTarget.route(route) : PolicyTarget.rule(route, pathName);
  }

  private knownSections?: readonly string[];

  private constructor(
    private readonly construct: IConstruct,
    /** Its kind. */
    public readonly kind: string,
    /** Its name. */
    public readonly name: string,
    /** Its namespace. */
    public readonly namespace: string,
    /** The listener or rule, if it is about one. */
    public readonly sectionName?: string,
  ) {
    const { listeners } = construct as IConstruct & { readonly listeners?: ReadonlyArray<{ readonly name: string }> };
    if (this._isGateway && listeners?.length) this.knownSections = listeners.map((listener) => listener.name);
  }

  /**
   * Whether it is a gateway, or a set of listeners, and no route.
   *
   * @internal
   */
  public get _isGateway(): boolean {
    return this.kind === 'Gateway' || this.kind === 'ListenerSet';
  }

  /** @internal */
  public _ref(): { group: string; kind: string; name: string; sectionName?: string } {
    const { kind, name, sectionName } = this;
    return { group: 'gateway.networking.k8s.io', kind, name, sectionName };
  }

  /** @internal */
  public _construct(): IConstruct {
    return this.construct;
  }

  /**
   * The gateway that it is, or is attached to.
   *
   * @internal
   */
  public _gateway(): IIngressGateway {
    if (this._isGateway) return this.construct as IIngressGateway;
    return (this.construct as IIngressRoute).gateway;
  }

  /**
   * Puts a policy before its target where both go into one file: a target that is there first is open until its policy comes.
   *
   * @internal
   */
  public _guardedBy(policy: Construct): void {
    if (Chart.of(policy) === Chart.of(this.construct)) this.construct.node.addDependency(policy);
  }

  /** @internal */
  public _problems(): Problem[] {
    const { sectionName, knownSections } = this;
    if (this.kind === 'ListenerSet') {
      const gateway = this._gateway();
      const what = `a policy about ListenerSet ${quote(this.name)}`;
      const problems = supportProblems(this.construct, gateway.ingressClass, 'policiesOfSets', what, 'the API server refuses it'); // prettier-ignore
      if (problems.length) return problems;
    }
    if (sectionName === undefined || !knownSections || knownSections.includes(sectionName)) return [];
    const kind = this._isGateway ? 'listener' : 'rule';
    return [
      {
        what: `${kind} ${quote(sectionName)}, which ${this.construct.node.path} has not`,
        why: 'the policy would have no effect',
        fix: knownSections.length ? `use ${knownSections.map(quote).join(' or ')}` : `give the ${kind} a name`,
      },
    ];
  }
}
