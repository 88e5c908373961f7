/** Tokens by SecurityPolicies of Envoy Gateway: its providers as rules for tokens, and its conditions on claims. */
import { type EffectivePolicy } from '../model/envoy-gateway-policies';
import type { Mesh } from '../model/mesh';
import { record, records, text, texts, type Json } from '../model/fields';
import type { HttpRequest } from './http-routes';
import { anyOf, exact } from './matcher';
import type { TokenRule } from './tokens';

/** The key set of a provider, as far as manifests show it: written in the policy, or in a ConfigMap beside it. */
function keysOf({ localJWKS }: Json, namespace: string, find: Mesh['find']): string | undefined {
  const { type, inline, valueRef } = record(localJWKS);
  if (type !== 'ValueRef') return text(inline) || undefined;
  const shown = find('', 'ConfigMap', namespace, text(record(valueRef).name));
  const data = record(record(shown?.body).data);
  const [only, ...more] = Object.values(data);
  // Of several others Envoy Gateway takes any.
  return text(data.jwks ?? (more.length === 0 ? only : undefined)) || undefined;
}

export function tokenRulesOf({ manifest, spec }: EffectivePolicy, find: Mesh['find']): readonly TokenRule[] {
  const { kind, namespace, name } = manifest;
  return records(record(spec.jwt).providers).map((provider, index): TokenRule => {
    const { headers, params, cookies } = record(provider.extractFrom);
    return {
      policy: `${kind} ${namespace}/${name}`,
      by: { kind, namespace, name, field: `spec.jwt.providers[${index}]` },
      name: text(provider.name),
      places: {
        headers: records(headers).map((one) => ({ name: text(one.name), prefix: text(one.valuePrefix) })),
        parameters: texts(params),
        cookies: texts(cookies),
      },
      trust: {
        issuer: text(provider.issuer),
        audiences: texts(provider.audiences),
        keys: keysOf(provider, namespace, find),
      },
      isForwarded: true,
      payloadHeader: '',
      claimHeaders: records(provider.claimToHeaders).map(({ header, claim }) => ({
        header: text(header),
        claim: text(claim),
      })),
      spaceDelimited: ['scope', 'scp'],
      choosesAnew: provider.recomputeRoute === true,
      isRequired: false,
    };
  });
}

/** Whether a token is of the provider, and has all claims and scopes, that a principal names. */
export function claimsFit(
  { provider, claims, scopes }: Json,
  { claims: own, verifiedBy }: Partial<HttpRequest>,
): boolean {
  if (verifiedBy !== text(provider) || own === undefined || own === 'unknown') return false;
  const isScoped = texts(scopes).every((scope) =>
    ['scope', 'scp'].some((claim) => own.isList([claim]) && own.has([claim], exact(scope))),
  );
  return (
    isScoped &&
    records(claims).every(({ name, valueType, values }) => {
      const path = text(name).split('.');
      if (own.isList(path) !== (valueType === 'StringArray')) return false;
      return own.has(path, anyOf(...texts(values).map((value) => exact(value))));
    })
  );
}
