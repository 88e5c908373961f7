import { Duration } from 'cdk8s';
import { Problem, quote } from '../core/problem';
import { IExternalService } from '../egress/external-service';
import type { envoyGateway } from './envoy-gateway-bindings';
import { gatewayDuration } from './durations';

/** Who logs people in. */
export interface OidcProvider {
  /** The issuer, as its tokens name it, such as "https://accounts.example.com". */
  readonly issuer: string;

  /**
   * Where browsers are sent to log in. Said here rather than discovered: while Envoy Gateway can't discover it, a route is open to everyone.
   */
  readonly authorizationEndpoint: string;

  /** Where the proxy turns a code into tokens. */
  readonly tokenEndpoint: string;

  /**
   * Where browsers are sent to log out.
   *
   * @default logging out ends the session here only
   */
  readonly endSessionEndpoint?: string;

  /**
   * The service outside the mesh that is the provider. Proxies call it themselves, through their sidecars, so a mesh with REGISTRY_ONLY
   * has to know it. It becomes visible where the proxies run.
   *
   * @default a provider inside the mesh, or a mesh that lets everything out
   */
  readonly service?: IExternalService;
}

/** How people log in before their requests are let through. */
export interface OidcLogin {
  /** Who logs them in. */
  readonly provider: OidcProvider;

  /** The client's id at the provider. */
  readonly clientId: string;

  /** The name of the Secret that holds the client's secret, under the key `client-secret`, in the namespace of the policy. */
  readonly clientSecretName: string;

  /**
   * Where the provider sends browsers back to. The route has to take in its host and path.
   *
   * @default "/oauth2/callback" on the host that was asked for
   */
  readonly redirectUrl?: string;

  /**
   * The path that ends a session. The route has to take it in.
   *
   * @default "/logout"
   */
  readonly logoutPath?: string;

  /**
   * What is asked for, beyond "openid".
   *
   * @default nothing
   */
  readonly scopes?: string[];

  /**
   * Whether the access token goes along to the Service, as a bearer token.
   *
   * @default false
   */
  readonly forwardAccessToken?: boolean;

  /**
   * The domain whose hosts share the session.
   *
   * @default the host that was asked for
   */
  readonly cookieDomain?: string;

  /**
   * The name of the cookie with the ID token. A JWT rule can read the token from it.
   *
   * @default one that is unique to the policy
   */
  readonly idTokenCookie?: string;

  /**
   * The name of the cookie with the access token.
   *
   * @default one that is unique to the policy
   */
  readonly accessTokenCookie?: string;

  /**
   * How long a session lasts where the provider does not say.
   *
   * @default Envoy's own: no session then
   */
  readonly defaultTokenLifetime?: Duration;
}

/** @internal */
export function oidcSpec(login: OidcLogin): envoyGateway.SecurityPolicySpecOidc {
  const { provider, idTokenCookie: idToken, accessTokenCookie: accessToken } = login;
  return {
    provider: {
      issuer: provider.issuer,
      authorizationEndpoint: provider.authorizationEndpoint,
      tokenEndpoint: provider.tokenEndpoint,
      endSessionEndpoint: provider.endSessionEndpoint,
    },
    clientId: login.clientId,
    clientSecret: { name: login.clientSecretName },
    redirectUrl: login.redirectUrl,
    logoutPath: login.logoutPath,
    scopes: login.scopes,
    forwardAccessToken: login.forwardAccessToken,
    cookieDomain: login.cookieDomain,
    cookieNames: idToken || accessToken ? { idToken, accessToken } : undefined,
    defaultTokenTtl: gatewayDuration(login.defaultTokenLifetime),
  };
}

/** @internal */
export function oidcProblems(login: OidcLogin): Problem[] {
  const { provider } = login;
  const urls: ReadonlyArray<readonly [string, string | undefined]> = [
    ['issuer', provider.issuer],
    ['authorizationEndpoint', provider.authorizationEndpoint],
    ['tokenEndpoint', provider.tokenEndpoint],
    ['endSessionEndpoint', provider.endSessionEndpoint],
  ];
  const problems: Problem[] = [];
  for (const [field, url] of urls) {
    if (url === undefined || URL.canParse(url)) continue;
    problems.push({
      what: `${field} ${quote(url)} is not a URL`,
      why: 'no one could be sent there',
      fix: 'write it in full, such as "https://accounts.example.com/token"',
    });
  }
  problems.push(...tokenEndpointProblems(provider));
  if (login.logoutPath !== undefined && !login.logoutPath.startsWith('/')) {
    problems.push({
      what: `logoutPath ${quote(login.logoutPath)} has no leading slash`,
      why: 'no request would fit it',
      fix: `did you mean ${quote(`/${login.logoutPath}`)}?`,
    });
  }
  return problems;
}

/** The proxy itself calls the token endpoint, so it is egress: the host and port have to be registered. */
function tokenEndpointProblems(provider: OidcProvider): Problem[] {
  if (!provider.service || !URL.canParse(provider.tokenEndpoint)) return [];
  const { hostname, port, protocol } = new URL(provider.tokenEndpoint);
  const number = port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port);
  const { hosts, ports, node } = provider.service;
  if (!hosts.some((host) => host === hostname || (host.startsWith('*.') && hostname.endsWith(host.slice(1))))) {
    return [
      {
        what: `token endpoint ${quote(provider.tokenEndpoint)} is not at ${node.path} (${hosts.join(', ')})`,
        why: 'the proxy could not turn codes into tokens: every login would end in 500',
        fix: `give ${node.path} the host ${quote(hostname)}`,
      },
    ];
  }
  if (ports.some((one) => one.number === number)) return [];
  return [
    {
      what: `token endpoint ${quote(provider.tokenEndpoint)} is at port ${number}, which ${node.path} has not`,
      why: 'the proxy could not turn codes into tokens: every login would end in 500',
      fix: `add ExternalPort.https(${number}) to ${node.path}`,
    },
  ];
}
