import { Duration } from 'cdk8s';
import { Problem, quote } from '../core/problem';
import type { envoyGateway } from './envoy-gateway-bindings';
import { gatewayDuration } from './durations';
import { IngressBackend } from './ingress-backend';

/** Signed tokens that requests have to carry. */
export interface JwtProvider {
  /** Its name, by which authorization rules refer to it. */
  readonly name: string;

  /** Who issues the tokens. */
  readonly issuer: string;

  /**
   * Where the issuer's public keys are. Envoy Gateway's proxies fetch them through their sidecars: under REGISTRY_ONLY the host has to be registered,
   * by an ExternalService visible where the proxies run.
   */
  readonly jwksUri: string;

  /**
   * For whom tokens have to be.
   *
   * @default anyone
   */
  readonly audiences?: string[];

  /**
   * Cookies that the token may be in.
   *
   * @default the Authorization header alone
   */
  readonly fromCookies?: string[];

  /**
   * Headers that the Service gets, by the claim whose value each carries.
   *
   * @default none
   */
  readonly claimToHeaders?: { [claim: string]: string };
}

/** Which pages of other origins may call. */
export interface CorsRule {
  /** The origins, such as "https://shop.example.com" or "https://*.example.com". */
  readonly allowOrigins: string[];

  /**
   * The methods.
   *
   * @default GET, HEAD and POST without a question asked first
   */
  readonly allowMethods?: string[];

  /**
   * The headers that a page may send.
   *
   * @default the usual ones
   */
  readonly allowHeaders?: string[];

  /**
   * The headers that a page may read.
   *
   * @default the usual ones
   */
  readonly exposeHeaders?: string[];

  /**
   * Whether cookies go along.
   *
   * @default false
   */
  readonly allowCredentials?: boolean;

  /**
   * How long a browser may remember.
   *
   * @default the browser's own
   */
  readonly maxAge?: Duration;
}

/** A service that is asked about each request. */
export interface ExternalAuthorization {
  /** The Service that is asked. */
  readonly service: IngressBackend;

  /**
   * Whether it speaks gRPC (Envoy's ext_authz) rather than HTTP.
   *
   * @default false
   */
  readonly grpc?: boolean;

  /**
   * What comes before the path when it is asked by HTTP.
   *
   * @default nothing
   */
  readonly path?: string;

  /**
   * Headers of its answer that go along to the Service. By HTTP only.
   *
   * @default none
   */
  readonly headersToBackend?: string[];

  /**
   * Whether requests pass where it can't be asked.
   *
   * @default false
   */
  readonly failOpen?: boolean;
}

/** Who may or may not pass. */
export interface AuthorizationRule {
  /** Whether it lets pass; else it refuses with 403. */
  readonly allow: boolean;

  /**
   * Addresses of clients, as ranges such as "10.0.0.0/8".
   *
   * @default any
   */
  readonly clientRanges?: string[];

  /**
   * The JWT provider whose tokens are looked at.
   *
   * @default no token is looked at
   */
  readonly jwtProvider?: string;

  /**
   * Claims, and the values of which the token needs one.
   *
   * @default any
   */
  readonly claims?: { [claim: string]: string[] };
}

/** @internal */
export function jwtSpec(providers: readonly JwtProvider[]): envoyGateway.SecurityPolicySpecJwt {
  return {
    providers: providers.map((one) => ({
      name: one.name,
      issuer: one.issuer,
      audiences: one.audiences,
      remoteJwks: { uri: one.jwksUri },
      extractFrom: one.fromCookies ? { cookies: one.fromCookies } : undefined,
      claimToHeaders: one.claimToHeaders
        ? Object.entries(one.claimToHeaders).map(([claim, header]) => ({ claim, header }))
        : undefined,
    })),
  };
}

/** @internal */
export function corsSpec(rule: CorsRule): envoyGateway.SecurityPolicySpecCors {
  return { ...rule, maxAge: gatewayDuration(rule.maxAge) };
}

/** @internal */
export function extAuthSpec(auth: ExternalAuthorization, namespace: string): envoyGateway.SecurityPolicySpecExtAuth {
  const backendRefs = [auth.service._ref(namespace)];
  return {
    failOpen: auth.failOpen,
    ...(auth.grpc
      ? { grpc: { backendRefs } }
      : { http: { backendRefs, path: auth.path, headersToBackend: auth.headersToBackend } }),
  };
}

/** @internal */
export function authorizationSpec(rules: readonly AuthorizationRule[]): envoyGateway.SecurityPolicySpecAuthorization {
  return {
    // What no rule speaks of is refused: a forgotten rule then shows at once.
    defaultAction: 'Deny' as envoyGateway.SecurityPolicySpecAuthorizationDefaultAction,
    rules: rules.map((rule) => ({
      action: (rule.allow ? 'Allow' : 'Deny') as envoyGateway.SecurityPolicySpecAuthorizationRulesAction,
      principal: {
        clientCidRs: rule.clientRanges,
        jwt: rule.jwtProvider
          ? {
              provider: rule.jwtProvider,
              claims: rule.claims && Object.entries(rule.claims).map(([name, values]) => ({ name, values })),
            }
          : undefined,
      },
    })),
  };
}

/** @internal */
export function authorizationProblems(rules: readonly AuthorizationRule[], jwt: readonly JwtProvider[]): Problem[] {
  const names = jwt.map((provider) => provider.name);
  return rules.flatMap((rule) => {
    const problems: Problem[] = [];
    if (rule.jwtProvider !== undefined && !names.includes(rule.jwtProvider)) {
      problems.push({
        what: `an authorization rule looks at tokens of ${quote(rule.jwtProvider)}`,
        why: 'the policy has no JWT provider of that name, so it would be refused',
        fix: names.length ? `use ${names.map(quote).join(' or ')}` : 'add it to `jwt`',
      });
    }
    if (rule.claims && rule.jwtProvider === undefined) {
      const fix = 'name the `jwtProvider`';
      problems.push({
        what: 'an authorization rule has claims and no token',
        why: 'claims are read from a token',
        fix,
      });
    }
    if (!rule.clientRanges?.length && rule.jwtProvider === undefined) {
      const fix = 'give `clientRanges` or `jwtProvider`';
      problems.push({ what: 'an authorization rule is about no one', why: 'the API server refuses it', fix });
    }
    return problems;
  });
}
