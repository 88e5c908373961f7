/** Envoy Gateway's policies and filters. */
import { Call } from '../code';
import { number, record, records, text, texts, type Json } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { type Draft, duration, EnumValue, given, Kept, objectProps } from './draft';
import type { Known } from './gateways';
import { backend, listed, pick } from './routes';

/** What a policy is about: the first of its targets. */
function target(manifest: Manifest, known: Known): Call | Kept {
  const { targetRef, targetRefs, targetSelectors } = record(manifest.body.spec);
  const [first] = [...records(targetRefs), ...(targetRef === undefined ? [] : [record(targetRef)])];
  if (first === undefined)
    return new Kept(targetSelectors === undefined ? 'it is about nothing' : 'it chooses its targets by labels');
  const { kind, name, sectionName } = first;
  const section = text(sectionName) || undefined;
  const isGateway = kind === 'Gateway' || /ListenerSet$/.test(text(kind));
  const found = isGateway
    ? known.gateway(text(kind), manifest.namespace, text(name))
    : known.find(text(kind), manifest.namespace, text(name));
  if (found === undefined) return new Kept(`its target ${text(kind)} ${manifest.namespace}/${text(name)} is none that constructs make`); // prettier-ignore
  if (isGateway) return section === undefined ? new Call('PolicyTarget.gateway', found) : new Call('PolicyTarget.listener', found, section); // prettier-ignore
  if (section === undefined) return new Call('PolicyTarget.route', found);
  return kind === 'HTTPRoute' ? new Call('PolicyTarget.rule', found, section) : new Kept('it is about a rule of no HTTPRoute'); // prettier-ignore
}

export function policy(construct: string, manifest: Manifest, known: Known, props: (spec: Json) => Json): Draft | Kept {
  const about = target(manifest, known);
  if (about instanceof Kept) return about;
  const { namespace: _ofTarget, ...own } = objectProps(manifest);
  return { construct, props: { target: about, ...props(record(manifest.body.spec)), ...own } };
}

export function clientTrafficDraft(manifest: Manifest, known: Known): Draft | Kept {
  return policy('ClientTrafficPolicy', manifest, known, (spec) => {
    const { minVersion, maxVersion, clientValidation } = record(spec.tls);
    const { http } = record(spec.timeout);
    const { numTrustedHops } = record(record(spec.clientIPDetection).xForwardedFor);
    return {
      minTlsVersion: tlsVersion(minVersion),
      maxTlsVersion: tlsVersion(maxVersion),
      clientCertificates: clientCertificates(record(clientValidation)),
      proxyProtocol: spec.enableProxyProtocol,
      trustedHops: numTrustedHops,
      requestReceivedTimeout: duration(record(http).requestReceivedTimeout),
      idleTimeout: duration(record(http).idleTimeout),
      http3: spec.http3 === undefined ? undefined : true,
    };
  });
}

function tlsVersion(version: unknown): EnumValue | undefined {
  return version === '1.2' || version === '1.3' ? new EnumValue(`TlsVersion.V${version.replace('.', '_')}`) : undefined;
}

function clientCertificates({ caCertificateRefs, optional }: Json): Json | undefined {
  const [ca] = records(caCertificateRefs);
  // A namespace takes a ReferenceGrant, which would be rendered beside the one that is there.
  if (ca === undefined || ca.namespace !== undefined) return undefined;
  return given({ caName: text(ca.name), caIsSecret: ca.kind === 'ConfigMap' ? undefined : true, optional });
}

export function backendTrafficDraft(manifest: Manifest, known: Known): Draft | Kept {
  return policy('BackendTrafficPolicy', manifest, known, (spec) => {
    const { numRetries, retryOn, perRetry } = record(spec.retry);
    const { httpStatusCodes, triggers } = record(retryOn);
    const { http, tcp } = record(spec.timeout);
    const merge = { StrategicMerge: 'STRATEGIC', JSONMerge: 'JSON' }[text(spec.mergeType)];
    return {
      retry: spec.retry && given({ attempts: numRetries, statusCodes: httpStatusCodes, triggers, perAttempt: duration(record(perRetry).timeout) }), // prettier-ignore
      circuitBreaker: given(pick(record(spec.circuitBreaker), ['maxConnections', 'maxPendingRequests', 'maxParallelRequests', 'maxParallelRetries'])), // prettier-ignore
      requestTimeout: duration(record(http).requestTimeout),
      idleTimeout: duration(record(http).connectionIdleTimeout),
      connectTimeout: duration(record(tcp).connectTimeout),
      mergeType: merge === undefined ? undefined : new EnumValue(`PolicyMerge.${merge}`),
    };
  });
}

export function securityDraft(manifest: Manifest, known: Known): Draft | Kept {
  return policy('SecurityPolicy', manifest, known, (spec) => ({
    oidc: oidcProp(record(spec.oidc)),
    jwt: listed(records(record(spec.jwt).providers).flatMap(jwtProvider)),
    cors: corsProp(record(spec.cors)),
    apiKeys: apiKeysProp(record(spec.apiKeyAuth)),
    basicAuthSecretName: text(record(record(spec.basicAuth).users).name) || undefined,
    externalAuthorization: extAuthProp(record(spec.extAuth), manifest.namespace),
    authorization: listed(records(record(spec.authorization).rules).map(authorizationRule)),
  }));
}

function oidcProp(oidc: Json): Json | undefined {
  const provider = pick(record(oidc.provider), ['issuer', 'authorizationEndpoint', 'tokenEndpoint', 'endSessionEndpoint']); // prettier-ignore
  if (oidc.clientID === undefined || provider.authorizationEndpoint === undefined || provider.tokenEndpoint === undefined) return undefined; // prettier-ignore
  const { idToken, accessToken } = record(oidc.cookieNames);
  return given({
    provider,
    clientId: text(oidc.clientID),
    clientSecretName: text(record(oidc.clientSecret).name),
    ...pick(oidc, ['logoutPath', 'scopes', 'forwardAccessToken', 'cookieDomain']),
    redirectUrl: oidc.redirectURL,
    idTokenCookie: idToken,
    accessTokenCookie: accessToken,
    defaultTokenLifetime: duration(oidc.defaultTokenTTL),
  });
}

function jwtProvider(provider: Json): readonly Json[] {
  const uri = text(record(provider.remoteJWKS).uri);
  if (uri === '') return [];
  const { cookies } = record(provider.extractFrom);
  const claims = records(provider.claimToHeaders).map(({ claim, header }) => [text(claim), text(header)] as const);
  return [
    {
      name: text(provider.name),
      issuer: text(provider.issuer),
      jwksUri: uri,
      audiences: provider.audiences,
      fromCookies: cookies,
      claimToHeaders: claims.length === 0 ? undefined : Object.fromEntries(claims),
    },
  ];
}

function corsProp(cors: Json): Json | undefined {
  const { maxAge, ...lists } = pick(cors, ['allowOrigins', 'allowMethods', 'allowHeaders', 'exposeHeaders', 'allowCredentials', 'maxAge']); // prettier-ignore
  if (lists.allowOrigins === undefined) return undefined;
  return given({ ...lists, maxAge: duration(maxAge) });
}

const KEY_SOURCES: Readonly<Record<string, string>> = {
  headers: 'header',
  params: 'queryParameter',
  cookies: 'cookie',
};

function apiKeysProp(keys: Json): Json | undefined {
  const secretNames = records(keys.credentialRefs).map(({ name }) => text(name));
  if (secretNames.length === 0) return undefined;
  const from = records(keys.extractFrom).flatMap((source) =>
    Object.entries(KEY_SOURCES).flatMap(([field, factory]) =>
      texts(source[field]).map((name) => new Call(`ApiKeySource.${factory}`, name)),
    ),
  );
  return given({ secretNames, from, clientIdHeader: keys.forwardClientIDHeader, sanitize: keys.sanitize ?? false });
}

function extAuthProp({ http, grpc, failOpen }: Json, namespace: string): Json | undefined {
  const own = record(http ?? grpc);
  const [ref] = [...records(own.backendRefs), ...(own.backendRef === undefined ? [] : [record(own.backendRef)])];
  if (ref === undefined) return undefined;
  return given({
    service: backend(ref, namespace),
    grpc: http === undefined ? true : undefined,
    ...pick(own, ['path', 'headersToBackend']),
    failOpen,
  });
}

function authorizationRule({ action, principal }: Json): Json {
  const { clientCIDRs, jwt } = record(principal);
  const { provider, claims } = record(jwt);
  const asked = records(claims).map(({ name, values }) => [text(name), texts(values)] as const);
  return (
    given({
      allow: action === 'Allow',
      clientRanges: clientCIDRs,
      jwtProvider: provider,
      claims: asked.length === 0 ? undefined : Object.fromEntries(asked),
    }) ?? {}
  );
}

export function filterDraft(manifest: Manifest): Draft {
  const { urlRewrite, directResponse, credentialInjection, matches } = record(manifest.body.spec);
  const { hostname, path } = record(urlRewrite);
  const response = record(directResponse);
  const injected = record(credentialInjection);
  const regex = record(record(path).replaceRegexMatch);
  const secretName = text(record(record(injected.credential).valueRef).name);
  const cookies = records(records(matches)[0]?.cookies).map((one) => ({
    name: text(one.name),
    value: text(one.value),
    ...(one.type === 'RegularExpression' && { isExpression: true }),
  }));
  return {
    construct: 'HttpRouteFilter',
    props: {
      directResponse:
        directResponse === undefined
          ? undefined
          : (given({ ...pick(response, ['statusCode', 'contentType']), body: record(response.body).inline }) ?? {}),
      replacePath: regex.pattern === undefined || regex.substitution === undefined ? undefined : regex,
      hostFromHeader: record(hostname).header,
      credential: secretName === '' ? undefined : { secretName, ...pick(injected, ['header', 'overwrite']) },
      cookies: listed(cookies),
      ...objectProps(manifest),
    },
  };
}

/** Hosts and addresses; what is about TLS and protocols is added to it. */
export function backendDraft(manifest: Manifest): Draft | Kept {
  const { endpoints, type } = record(manifest.body.spec);
  if (type !== undefined && type !== 'Endpoints') return new Kept(`it is of type ${text(type)}`);
  const calls = records(endpoints).map(({ fqdn, ip, unix }) => {
    const { hostname, address, port, path } = { ...record(fqdn), ...record(ip), ...record(unix) } as Json;
    if (fqdn !== undefined) return new Call('BackendEndpoint.host', text(hostname), number(port));
    if (ip !== undefined) return new Call('BackendEndpoint.address', text(address), number(port));
    return new Call('BackendEndpoint.unixSocket', text(path));
  });
  return { construct: 'EnvoyBackend', props: { endpoints: calls, ...objectProps(manifest) } };
}
