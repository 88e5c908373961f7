/** What a listener of Envoy Gateway does with a connection and a request before any route: its ClientTrafficPolicy. */
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import type { FrontendTls } from '../model/frontend-tls';
import type { ApiListener } from '../model/gateway-api';
import { entry, optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import { handshake } from './handshake';
import type { HttpRequest } from './http-routes';
import { PRESENT, exact, regex } from './matcher';
import { gap, type Gap } from './notes';
import { asRead, type PathSettings } from './paths';
import type { Reason } from './reasons';
import { refOf } from './refs';
import type { Decision } from './types';
import type { TlsLayer } from './walk';

export type ListenerVerdict =
  | { readonly is: 'taken'; readonly http: HttpRequest | null }
  | {
      readonly is: 'refused';
      readonly code: string;
      readonly status: number | null;
      readonly reason: Reason;
      readonly location?: string;
      readonly by: Decision | undefined;
    }
  | { readonly is: 'unknown'; readonly why: Gap; readonly by: Decision };

type Refused = Extract<ListenerVerdict, { is: 'refused' }>;

function decision(policy: EffectivePolicy | undefined, field: string): Decision | undefined {
  if (policy === undefined) return undefined;
  const { kind, namespace, name } = policy.manifest;
  return { kind, namespace, name, field: `spec.${field}` };
}

/**
 * Whether clients must show a certificate; of both, `mode` (since 1.8) counts (api/v1alpha1/tls_types.go). What the Gateway says holds where
 * the policy says nothing (buildListenerTLSParameters of internal/gatewayapi/clienttrafficpolicy.go).
 */
export function demandsCertificate(policy: EffectivePolicy | undefined, frontend?: FrontendTls): boolean {
  if (frontend !== undefined && optionalRecord(record(policy?.spec.tls).clientValidation) === undefined)
    return frontend.demands;
  const validation = optionalRecord(record(policy?.spec.tls).clientValidation);
  const mode = text(validation?.mode);
  if (mode !== '') return mode === 'RequireAny' || mode === 'RequireAndVerify';
  return validation !== undefined && validation.optional !== true && records(validation.caCertificateRefs).length > 0;
}

/** The connection: what has to come before its first byte, and the certificate of the client. Undefined takes it. */
export function connectionVerdict(
  policy: EffectivePolicy | undefined,
  outer: TlsLayer | undefined,
  listener: ApiListener | undefined,
): Exclude<ListenerVerdict, { is: 'taken' }> | undefined {
  return headerVerdict(policy) ?? certificateVerdict(policy, outer, listener?.frontend);
}

function headerVerdict(policy: EffectivePolicy | undefined): Extract<ListenerVerdict, { is: 'unknown' }> | undefined {
  if (policy === undefined) return undefined;
  const { spec } = policy;
  const [header, field] =
    optionalRecord(spec.proxyProtocol) === undefined
      ? [spec.enableProxyProtocol === true, 'enableProxyProtocol']
      : [record(spec.proxyProtocol).optional !== true, 'proxyProtocol'];
  if (header)
    return {
      is: 'unknown',
      why: gap({ kind: 'proxy-protocol-at-listener', policy: refOf(policy.manifest), field }),
      by: decision(policy, field)!,
    };
  return undefined;
}

function certificateVerdict(
  policy: EffectivePolicy | undefined,
  outer: TlsLayer | undefined,
  frontend: FrontendTls | undefined,
): Refused | undefined {
  if (!demandsCertificate(policy, frontend) || handshake('MUTUAL', outer) !== 'no-certificate') return undefined;
  const isByPolicy = optionalRecord(record(policy?.spec.tls).clientValidation) !== undefined;
  return {
    is: 'refused',
    code: 'UF',
    status: null,
    reason: { kind: 'client-certificate-missing', asks: 'listener', port: 0 },
    by: isByPolicy ? decision(policy, 'tls.clientValidation') : undefined,
  };
}

const ESCAPED: Readonly<Record<string, PathSettings['escapedSlashes']>> = {
  KeepUnchanged: 'KEEP',
  UnescapeAndForward: 'UNESCAPE',
  UnescapeAndRedirect: 'REDIRECT',
  RejectRequest: 'REJECT',
};

/** The request as routes see it. Envoy Gateway merges slashes and redirects from escaped ones unless it is told otherwise. */
export function requestVerdict(
  policy: EffectivePolicy | undefined,
  http: HttpRequest,
  overTls: boolean,
): ListenerVerdict {
  const spec = policy?.spec ?? {};
  const named = withoutUnderscores(policy, record(spec.headers), http, overTls);
  if ('is' in named) return named;
  const path = record(spec.path);
  const treated = asRead(named, {
    normalizes: true,
    mergesSlashes: path.disableMergeSlashes !== true,
    escapedSlashes: entry(ESCAPED, text(path.escapedSlashesAction)) ?? 'REDIRECT',
  });
  if (treated.is !== 'taken')
    return {
      is: 'refused',
      code: treated.is === 'refused' ? 'path_normalization_failed' : 'redirect',
      status: treated.is === 'refused' ? 400 : 307,
      reason:
        treated.is === 'refused'
          ? { kind: 'path-refused', path: treated.path, has: treated.has, byEnvoyGateway: true }
          : { kind: 'path-redirected', location: treated.path },
      ...(treated.is === 'refused' ? {} : { location: treated.path }),
      by: decision(policy, 'path.escapedSlashesAction'),
    };
  const headers = early(record(record(spec.headers).earlyRequestHeaders), treated.http);
  const asked = { ...treated.http, headers };
  return withoutAddress(policy, asked) ?? healthAnswer(policy, asked) ?? { is: 'taken', http: asked };
}

function withoutUnderscores(
  policy: EffectivePolicy | undefined,
  settings: Json,
  http: HttpRequest,
  overTls: boolean,
): HttpRequest | Refused {
  const action = text(settings.withUnderscoresAction) || 'RejectRequest';
  const found = http.headers.names.filter((name) => name.includes('_') && http.headers.get(name).is(PRESENT));
  if (action === 'Allow' || found.length === 0) return http;
  if (action === 'DropHeader')
    return { ...http, headers: found.reduce((kept, name) => kept.without(name), http.headers) };
  return {
    is: 'refused',
    code: 'unexpected_underscore',
    // HTTP/2, which clients choose over TLS, has its stream reset.
    status: overTls ? null : 400,
    reason: { kind: 'underscore-in-header', headers: found },
    by: decision(policy, 'headers.withUnderscoresAction'),
  };
}

/** Headers as they are set, added and removed before a route is looked for. */
function early(settings: Json, http: HttpRequest): HttpRequest['headers'] {
  let { headers } = http;
  for (const { name, value } of records(settings.set)) headers = headers.with(text(name), text(value));
  for (const { name, value } of records(settings.add)) {
    const known = headers.get(text(name));
    const added = `,${text(value)}`;
    headers = headers.with(
      text(name),
      known.is(PRESENT) ? known.changed((own) => own + added, 'a header that a listener adds to') : text(value),
    );
  }
  for (const name of texts(settings.remove)) headers = headers.without(name);
  return headers;
}

const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
/** What is an IP, and no port beside it; of IPv6 no more is asked than its characters. */
const ADDRESS = regex(`(?:${BYTE}\\.){3}${BYTE}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*`);

function withoutAddress(policy: EffectivePolicy | undefined, http: HttpRequest): Refused | undefined {
  const custom = record(record(policy?.spec.clientIPDetection).customHeader);
  const name = text(custom.name).toLowerCase();
  if (custom.failClosed !== true || name === '' || http.headers.get(name).is(ADDRESS)) return undefined;
  return {
    is: 'refused',
    code: 'rejecting_because_detection_failed',
    status: 403,
    reason: { kind: 'client-address-missing', header: name },
    by: decision(policy, 'clientIPDetection.customHeader'),
  };
}

function healthAnswer(policy: EffectivePolicy | undefined, http: HttpRequest): Refused | undefined {
  const path = text(record(policy?.spec.healthCheck).path);
  if (path === '' || !http.path.wholeIs(exact(path))) return undefined;
  return {
    is: 'refused',
    code: 'direct_response',
    status: 200,
    reason: { kind: 'health-check', path },
    by: decision(policy, 'healthCheck.path'),
  };
}
