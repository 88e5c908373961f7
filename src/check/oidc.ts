/** SecurityPolicies of Envoy Gateway that ask for a login at an OpenID provider. */
import type { Manifest } from '../model/manifest';
import { defineIndex } from './context';
import { ENVOY_GATEWAY, type Reference } from './gateway-api';

export interface OidcSpec {
  readonly provider?: {
    readonly issuer?: string;
    readonly authorizationEndpoint?: string;
    readonly tokenEndpoint?: string;
    readonly endSessionEndpoint?: string;
    readonly backendRef?: Reference;
    readonly backendRefs?: readonly Reference[];
  };
  readonly clientID?: string;
  readonly clientIDRef?: Reference;
  readonly redirectURL?: string;
  readonly logoutPath?: string;
  readonly cookieDomain?: string;
  readonly cookieNames?: { readonly accessToken?: string; readonly idToken?: string };
}

export interface OidcPolicy {
  readonly manifest: Manifest;
  readonly oidc: OidcSpec;
}

export const oidcPolicies = defineIndex('oidc policies', (context): readonly OidcPolicy[] =>
  context.of(ENVOY_GATEWAY, 'SecurityPolicy').flatMap((manifest) => {
    const { spec = {} } = manifest.body as { spec?: { oidc?: OidcSpec } };
    return typeof spec.oidc === 'object' && spec.oidc !== null ? [{ manifest, oidc: spec.oidc }] : [];
  }),
);

/** Host, port and path of a URL whose parts may be Envoy's own variables; nothing if it is none. */
export function urlParts(
  url: string,
): { host: string | undefined; port: number | undefined; path: string } | undefined {
  const found = /^(https?|%[^%]+%):\/\/(%[^%]+%|[^/?#:]+)(?::(\d+|%[^%]+%))?(\/[^?#]*)?/i.exec(url);
  if (!found) return undefined;
  const [, scheme = '', host = '', port, path = '/'] = found;
  const usual = scheme.toLowerCase() === 'http' ? 80 : scheme.toLowerCase() === 'https' ? 443 : undefined;
  return {
    host: host.startsWith('%') ? undefined : host.toLowerCase(),
    port: port === undefined ? usual : /^\d+$/.test(port) ? Number(port) : undefined,
    path,
  };
}
