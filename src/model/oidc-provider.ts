/** Which URLs of an OpenID provider Envoy Gateway takes. */
import { isAddress } from './addresses';
import { record, text, type Json } from './fields';
import type { EnvoyGatewayBehavior } from './release-behavior';

export interface ProviderFault {
  readonly field: 'issuer' | 'tokenEndpoint';
  readonly url: string;
  readonly has: 'address' | 'other-scheme' | 'no-host' | 'user' | 'query' | 'fragment';
}

/** The first URL that is not taken (translateOIDCProvider of internal/gatewayapi/securitypolicy.go). */
export function providerFault(oidc: Json, { wantsSecureIssuers }: EnvoyGatewayBehavior): ProviderFault | undefined {
  const { issuer, tokenEndpoint } = record(oidc.provider);
  const ofIssuer = issuer === undefined || !wantsSecureIssuers ? undefined : issuerFault(text(issuer));
  if (ofIssuer !== undefined) return { field: 'issuer', url: text(issuer), has: ofIssuer };
  const host = parsed(text(tokenEndpoint))?.hostname.replace(/^\[|\]$/g, '') ?? '';
  return isAddress(host) ? { field: 'tokenEndpoint', url: text(tokenEndpoint), has: 'address' } : undefined;
}

function issuerFault(issuer: string): ProviderFault['has'] | undefined {
  const url = parsed(issuer);
  if (url?.protocol !== 'https:') return 'other-scheme';
  if (url.hostname === '') return 'no-host';
  if (url.username !== '' || url.password !== '') return 'user';
  if (issuer.includes('?')) return 'query';
  return issuer.includes('#') ? 'fragment' : undefined;
}

function parsed(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
