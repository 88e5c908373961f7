import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import { covers } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { joinMesh } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { ApiKeys, apiKeyProblems, apiKeySpec } from './api-keys';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';
import { HttpIngressRoute } from './http-ingress-route';
import { OidcLogin, oidcProblems, oidcSpec } from './oidc-login';
import { mergeProblems, PolicyMerge } from './policy-merge';
import { PolicyTarget } from './policy-target';
import {
  AuthorizationRule,
  authorizationProblems,
  authorizationSpec,
  corsSpec,
  CorsRule,
  ExternalAuthorization,
  extAuthSpec,
  JwtProvider,
  jwtSpec,
} from './request-checks';
import { grantReferences } from './reference-grants';

/** Who may come in. */
export interface SecurityPolicyProps {
  /** What it is about. */
  readonly target: PolicyTarget;

  /**
   * How people log in before their requests are let through.
   *
   * @default no login
   */
  readonly oidc?: OidcLogin;

  /**
   * Signed tokens of which requests have to carry one.
   *
   * @default none
   */
  readonly jwt?: JwtProvider[];

  /**
   * Which pages of other origins may call.
   *
   * @default browsers let none
   */
  readonly cors?: CorsRule;

  /**
   * The name of the Secret with names and passwords (key `.htpasswd`, SHA-1 hashes), in the namespace of the target.
   *
   * @default no passwords
   */
  readonly basicAuthSecretName?: string;

  /**
   * Keys of which requests have to carry one.
   *
   * @default none
   */
  readonly apiKeys?: ApiKeys;

  /**
   * A service that is asked about each request.
   *
   * @default none
   */
  readonly externalAuthorization?: ExternalAuthorization;

  /**
   * Who may pass, in order: the first rule that fits decides. What no rule speaks of gets 403.
   *
   * @default everyone that the rest of the policy lets through
   */
  readonly authorization?: AuthorizationRule[];

  /**
   * How it is joined with the policy of the gateway that its route is attached to. Needs Envoy Gateway 1.8 or newer.
   *
   * @default not: it stands in the place of that one
   */
  readonly mergeType?: PolicyMerge;

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
 * Says who may come in at an Envoy Gateway: by login (OIDC), token (JWT), API key, password, or another service's word. Renders one
 * SecurityPolicy in the namespace of its target, ahead of the target where both are in one chart.
 *
 * A login needs both endpoints of the provider said. Envoy Gateway would else discover them, and until it has, the route
 * is open: 200 without a login.
 *
 * Where a login and its route are both new, apply the policy a moment earlier, by a sync wave or a dependency: even when it comes first in the
 * file, requests may pass without a login for half a second.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/security/oidc/
 * @example
 * new SecurityPolicy(this, 'Tokens', {
 *   target: PolicyTarget.route(route),
 *   jwt: [{ name: 'login', issuer: 'https://login.example.com', jwksUri: 'https://login.example.com/keys' }],
 * });
 */
export class SecurityPolicy extends Construct {
  /** What it is about. */
  public readonly target: PolicyTarget;

  /** The login, if it asks for one. */
  public readonly oidc?: OidcLogin;

  /** The rendered SecurityPolicy, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: SecurityPolicyProps) {
    super(scope, id);
    this.target = props.target;
    this.oidc = props.oidc;
    const { namespace } = props.target;
    const name = props.name ?? nameOfId(id);
    this.resource = new MeshObject<envoyGateway.SecurityPolicySpec>(this, 'Resource', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'SecurityPolicy',
      metadata: objectMetadata({ name, namespace }, props.metadata),
      manifest: (spec) => envoyGatewayBindings().SecurityPolicy.manifest({ spec }),
      spec: () => ({
        targetRefs: [props.target._ref()],
        mergeType: props.mergeType,
        oidc: props.oidc && oidcSpec(props.oidc),
        jwt: props.jwt?.length ? jwtSpec(props.jwt) : undefined,
        cors: props.cors && corsSpec(props.cors),
        apiKeyAuth: props.apiKeys && apiKeySpec(props.apiKeys),
        basicAuth: props.basicAuthSecretName ? { users: { name: props.basicAuthSecretName } } : undefined,
        extAuth: props.externalAuthorization && extAuthSpec(props.externalAuthorization, namespace),
        authorization: props.authorization?.length ? authorizationSpec(props.authorization) : undefined,
      }),
    });
    props.target._guardedBy(this);
    const asked = props.externalAuthorization?.service;
    if (asked) grantReferences(this, name, asked._grants('gateway.envoyproxy.io', 'SecurityPolicy', namespace));
    this.showProvider(props.target);
    refuseAtSynth(this, () => this.problems(props));
    joinMesh<SecurityPolicy>('SecurityPolicy', this, sharedSessions);
  }

  /** The provider has to be known where the proxies run: they are who calls it. */
  private showProvider(target: PolicyTarget): void {
    const gateway = target._gateway();
    this.oidc?.provider.service?.showIn(gateway.ingressClass.proxyNamespace || gateway.namespace);
  }

  private problems(props: SecurityPolicyProps): Problem[] {
    const problems = [
      ...objectNameProblems('name', props.name),
      ...props.target._problems(),
      ...mergeProblems(props.mergeType, props.target),
    ];
    if (props.oidc) problems.push(...oidcProblems(props.oidc), ...loginPathProblems(props.oidc, props.target));
    problems.push(...authorizationProblems(props.authorization ?? [], props.jwt ?? []));
    if (props.apiKeys) problems.push(...apiKeyProblems(props.apiKeys));
    if (props.externalAuthorization) problems.push(...props.externalAuthorization.service._problems());
    const { oidc, jwt, cors, apiKeys, basicAuthSecretName, externalAuthorization, authorization } = props;
    if (
      !oidc &&
      !jwt?.length &&
      !cors &&
      !apiKeys &&
      !basicAuthSecretName &&
      !externalAuthorization &&
      !authorization?.length
    ) {
      const fix =
        'give at least one of `oidc`, `jwt`, `cors`, `apiKeys`, `basicAuthSecretName`, `externalAuthorization`, `authorization`';
      problems.push({ what: 'asks for nothing', why: 'everyone would come in, as without it', fix });
    }
    return problems;
  }
}

/** The proxy answers the redirect and the logout itself, but only for requests that reach the route it guards. */
function loginPathProblems(login: OidcLogin, target: PolicyTarget): Problem[] {
  const route = target._construct();
  if (!(route instanceof HttpIngressRoute)) return [];
  const redirect = login.redirectUrl && URL.canParse(login.redirectUrl) ? new URL(login.redirectUrl) : undefined;
  const problems: Problem[] = [];
  const hostKnown = !route.hostnames.length || route.hostnames.some((host) => covers(host, redirect?.hostname ?? host));
  if (redirect && !hostKnown) {
    problems.push({
      what: `redirectUrl ${quote(login.redirectUrl)} is at a host that ${route.node.path} has not (${route.hostnames.join(', ')})`,
      why: 'the provider would send browsers to where no one knows of their login',
      fix: `use a path of https://${route.hostnames[0]}`,
    });
  }
  const taken = (path: string) =>
    route.rules.some((rule) => !rule.matches?.length || rule.matches.some((match) => match._takesPath(path)));
  const paths: ReadonlyArray<readonly [string, string]> = [
    ['redirectUrl', redirect?.pathname ?? '/oauth2/callback'],
    ['logoutPath', login.logoutPath ?? '/logout'],
  ];
  for (const [field, path] of paths) {
    if (taken(path)) continue;
    problems.push({
      what: `${field} ${quote(path)} fits no rule of ${route.node.path}`,
      why: 'browsers would get 404 there, and never be logged in or out',
      fix: `choose a path that a rule takes, or add one for ${quote(path)}`,
    });
  }
  return problems;
}

/** Two logins that share cookies log each other's people out, again and again. */
function sharedSessions(policies: readonly SecurityPolicy[]): Array<{ at: IConstruct; problem: Problem }> {
  const owners = new Map<string, SecurityPolicy>();
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  for (const policy of policies) {
    const { idTokenCookie, accessTokenCookie, clientId } = policy.oidc ?? {};
    for (const cookie of [idTokenCookie, accessTokenCookie]) {
      if (cookie === undefined) continue;
      const other = owners.get(cookie);
      if (!other) owners.set(cookie, policy);
      else if (other !== policy && other.oidc?.clientId !== clientId) {
        found.push({ at: policy, problem: sameCookie(cookie, other, policy) });
      }
    }
  }
  return found;
}

function sameCookie(cookie: string, first: SecurityPolicy, second: SecurityPolicy): Problem {
  return {
    what: `cookie ${quote(cookie)} belongs to both ${first.node.path} and ${second.node.path}`,
    why: 'each takes the other\'s session for a bad one of its own, and browsers end in "too many redirects"',
    fix: 'give each its own name, or leave the names out: they are unique then',
  };
}
