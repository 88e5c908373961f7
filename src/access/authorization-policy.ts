import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct } from 'constructs';
import * as security from '../../imports/security.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { ExternalAuthorizer, providersOf } from '../mesh/external-authorizer';
import { meshMembers } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { AccessRule, Action, asksForToken, ruleProblems, ruleSpec } from './access-rule';
import { AccessTarget } from './access-target';
import type { RequestAuthentication } from './request-authentication';

/** What becomes of requests that a rule fits. */
export class AuthorizationAction {
  /** They pass, and everything else that comes to the target is refused with 403. */
  public static allow(): AuthorizationAction {
    return new AuthorizationAction('ALLOW');
  }

  /** They are refused with 403, whatever is allowed. */
  public static deny(): AuthorizationAction {
    return new AuthorizationAction('DENY');
  }

  /**
   * Another service is asked about them first. What it lets pass is still judged by the rules of the other actions. A target has one such service.
   *
   * @param authorizer the service; it has to be in the mesh configuration, so give it to `IstioInstall` too
   */
  public static custom(authorizer: ExternalAuthorizer): AuthorizationAction {
    return new AuthorizationAction('CUSTOM', authorizer);
  }

  private constructor(
    /** ALLOW, DENY or CUSTOM. */
    public readonly type: string,
    /** Who is asked, with CUSTOM. */
    public readonly authorizer?: ExternalAuthorizer,
  ) {}
}

/** Who may come to a workload or gateway. */
export interface AuthorizationPolicyProps {
  /** Whose proxies hold it. */
  readonly target: AccessTarget;

  /** Which requests it is about: those that any rule fits. With ALLOW and none, nobody is let in. */
  readonly rules: AccessRule[];

  /**
   * What becomes of them.
   *
   * @default AuthorizationAction.allow()
   */
  readonly action?: AuthorizationAction;

  /**
   * The trust domain of the callers' certificates.
   *
   * @default "cluster.local"
   */
  readonly trustDomain?: string;

  /**
   * Whether tokens are read by a RequestAuthentication that this app does not hold, in another repository.
   *
   * @default false: rules that ask for a token need one in this app
   */
  readonly tokensReadElsewhere?: boolean;

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
 * Who may come to a workload, a namespace or one of Istio's gateways. Renders one AuthorizationPolicy where its target is.
 *
 * CUSTOM is asked first, then DENY, then ALLOW: once any ALLOW is about a workload, what none allows is refused.
 *
 * @see https://istio.io/latest/docs/reference/config/security/authorization-policy/
 * @example
 * new AuthorizationPolicy(this, 'OrdersOnly', {
 *   target: AccessTarget.workloads(Workloads.in('shop', { app: 'payments' })),
 *   rules: [{ callers: [Workloads.serviceAccount('shop', 'orders')], methods: ['POST'], paths: ['/charge'] }],
 * });
 */
export class AuthorizationPolicy extends Construct {
  /** Whose proxies hold it. */
  public readonly target: AccessTarget;

  /** The rendered AuthorizationPolicy, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: AuthorizationPolicyProps) {
    super(scope, id);
    this.target = props.target;
    const action = props.action ?? AuthorizationAction.allow();
    const trustDomain = props.trustDomain ?? 'cluster.local';
    this.resource = new MeshObject<security.AuthorizationPolicyProps>(this, 'Resource', {
      ...security.AuthorizationPolicy.GVK,
      metadata: objectMetadata({ name: props.name ?? nameOfId(id), namespace: this.target.namespace }, props.metadata),
      manifest: security.AuthorizationPolicy.manifest,
      spec: () => ({
        spec: {
          ...this.target._spec(),
          action: action.type as security.AuthorizationPolicySpecAction,
          provider: action.authorizer && { name: action.authorizer.name },
          rules: props.rules.length ? props.rules.map((rule) => ruleSpec(rule, trustDomain)) : undefined,
        },
      }),
    });
    refuseAtSynth(this, () => this.problems(props, action));
    namesNamespaces(this, () => [
      ...this.target._named,
      ...props.rules
        .flatMap((rule) => [rule, ...(rule.orFrom ?? [])])
        .flatMap(({ callers = [], exceptCallers = [] }) => [
          ...callers.map((one) => one._named('`callers`')),
          ...exceptCallers.map((one) => one._named('`exceptCallers`')),
        ]),
    ]);
  }

  private problems(props: AuthorizationPolicyProps, action: AuthorizationAction): Problem[] {
    const problems = [
      ...objectNameProblems('name', props.name),
      ...this.target._problems(this),
      ...props.rules.flatMap((rule, i) => ruleProblems(rule, i, action.type as Action, this.target)),
      ...this.unreadTokens(props),
      ...this.unknownAuthorizer(action),
    ];
    if (!props.rules.length && action.type !== 'ALLOW')
      problems.push({
        what: `${action.type} without rules`,
        why: 'it would be about no request',
        fix: 'add a rule, or leave the policy out',
      });
    const domain = props.trustDomain;
    if (domain !== undefined && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(domain))
      problems.push({
        what: `trust domain ${quote(domain)}`,
        why: 'principals are compared with the bare name, without "spiffe://" and path',
        fix: 'such as "cluster.local"',
      });
    return problems;
  }

  private unreadTokens({ rules, tokensReadElsewhere }: AuthorizationPolicyProps): Problem[] {
    const at = rules.findIndex(asksForToken);
    if (at < 0 || tokensReadElsewhere) return [];
    const readers = meshMembers<RequestAuthentication>('RequestAuthentication', this).filter(({ target }) =>
      target._covers(this.target, 'istio-system'),
    );
    if (!readers.length)
      return [
        {
          what: `rules[${at}] asks for a token, and nobody reads one at ${this.target._words()}`,
          why: 'without a RequestAuthentication no token is ever found good, so the rule fits nobody',
          fix: 'add a RequestAuthentication for the same target, or say `tokensReadElsewhere: true` where another repository has it',
        },
      ];
    const issuers = readers.flatMap(({ issuers: theirs }) => theirs.map(({ issuer }) => issuer));
    return rules.flatMap(({ tokens = [] }, i) =>
      tokens
        .filter((token) => !token.startsWith('*') && !issuers.some((issuer) => fromIssuer(token, issuer)))
        .map((token) => ({
          what: `rules[${i}].tokens has ${quote(token)}, of an issuer that nobody reads at ${this.target._words()}`,
          why: 'a token of another issuer is never found good there',
          fix: `use one of ${issuers.map(quote).join(', ')}, or add the issuer to the RequestAuthentication`,
        })),
    );
  }

  /** istiod answers 403 to everything where the provider is unknown (pilot/pkg/security/authz/builder/extauthz.go). */
  private unknownAuthorizer({ authorizer }: AuthorizationAction): Problem[] {
    const known = providersOf(this);
    if (!authorizer || !known || known.includes(authorizer.name)) return [];
    return [
      {
        what: `CUSTOM asks ${quote(authorizer.name)}, which the mesh configuration does not know`,
        why: 'istiod would refuse all that the rules fit, with 403',
        fix: 'give it to IstioInstall: `externalAuthorizers: [...]`',
      },
    ];
  }
}

/** "issuer/subject" with a star at its end may stop within the issuer. */
function fromIssuer(token: string, issuer: string): boolean {
  if (token.startsWith(`${issuer}/`)) return true;
  return token.endsWith('*') && `${issuer}/`.startsWith(token.slice(0, -1));
}
