/** What a listener of Envoy Gateway does with a connection and a request before any route: its ClientTrafficPolicy. */
import type { Served } from '../model/envoy-gateway-chains';
import { clientFault } from '../model/envoy-gateway-client-faults';
import { clientTrafficPolicy, type EffectivePolicy } from '../model/envoy-gateway-policies';
import type { PolicyFault } from '../model/policy-problems';
import type { FrontendTls } from '../model/frontend-tls';
import { entry, number, optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import { fullMatch } from '../model/re2';
import type { ClientDetection } from './client-address';
import type { FilterChain } from './envoy';
import { attachedAt } from './envoy-gateway-stage';
import { decision } from './envoy-gateway-verdict';
import type { FilterVerdict } from './filters';
import type { Mesh } from '../model/mesh';
import type { HttpRequest } from './http-routes';
import { PRESENT, exact, regex } from './matcher';
import { gap } from './notes';
import { asRead, type PathSettings } from './paths';
import { refOf } from './refs';
import type { Decision } from './types';

type Refused = Extract<FilterVerdict, { is: 'refused' }>;

/** The field of a policy that decides; undefined where what is usual does. */
function fieldOf(policy: EffectivePolicy | undefined, field: string): Decision | undefined {
  return policy && decision(policy, field);
}

/** The ClientTrafficPolicy of listeners that are one chain: several only of plain HTTP. */
export function policyOf(mesh: Mesh, of: readonly Served[]): EffectivePolicy | undefined {
  const [first] = of;
  return first && clientTrafficPolicy(first, first.listener.protocol === 'HTTP' ? of : [], mesh);
}

/** What Envoy Gateway does not take of it. */
export function faultOfClient(
  mesh: Mesh,
  of: readonly Served[],
): (PolicyFault & { readonly policy: EffectivePolicy }) | undefined {
  const [first] = of;
  const policy = policyOf(mesh, of);
  const fault = first && policy && clientFault(policy, first.listener, attachedAt({ mesh }, [first]), mesh);
  return fault && policy && { policy, ...fault };
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

/** What a connection has to begin with, before its first byte of TLS or HTTP: which PROXY header it has no manifest shows. */
export function openBefore(policy: EffectivePolicy | undefined): FilterChain['openBefore'] {
  if (policy === undefined) return undefined;
  const { spec } = policy;
  const [header, field] =
    optionalRecord(spec.proxyProtocol) === undefined
      ? [spec.enableProxyProtocol === true, 'enableProxyProtocol']
      : [record(spec.proxyProtocol).optional !== true, 'proxyProtocol'];
  if (!header) return undefined;
  const why = gap({ kind: 'proxy-protocol-at-listener', policy: refOf(policy.manifest), field });
  return { why, by: decision(policy, field) };
}

const ESCAPED: Readonly<Record<string, PathSettings['escapedSlashes']>> = {
  KeepUnchanged: 'KEEP',
  UnescapeAndForward: 'UNESCAPE',
  UnescapeAndRedirect: 'REDIRECT',
  RejectRequest: 'REJECT',
};

/** How a listener treats paths. Envoy Gateway merges slashes and redirects from escaped ones unless it is told otherwise. */
export function pathSettings(policy: EffectivePolicy | undefined, { envoyGateway }: Mesh['config']): PathSettings {
  const path = record(policy?.spec.path);
  return {
    normalizes: true,
    mergesSlashes: path.disableMergeSlashes !== true,
    escapedSlashes: entry(ESCAPED, text(path.escapedSlashesAction)) ?? 'REDIRECT',
    foldsParameters: envoyGateway.foldsParameters,
  };
}

/** The request as routes see it. */
export function requestVerdict(
  policy: EffectivePolicy | undefined,
  http: HttpRequest,
  overTls: boolean,
  config: Mesh['config'],
): FilterVerdict {
  const spec = policy?.spec ?? {};
  const named = withoutUnderscores(policy, record(spec.headers), http, overTls);
  if ('is' in named) return named;
  const treated = asRead(named, pathSettings(policy, config));
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
      by: fieldOf(policy, 'path.escapedSlashesAction'),
    };
  const settings = record(spec.headers);
  const headers = early(record(settings.earlyRequestHeaders), treated.http);
  const authority = hostAsRead(record(settings.host), treated.http);
  const client = detectionOf(record(spec.clientIPDetection), treated.http);
  const asked = { ...treated.http, headers, authority, client };
  return withoutAddress(policy, asked) ?? healthAnswer(policy, asked) ?? { is: 'passed', http: asked };
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
    by: fieldOf(policy, 'headers.withUnderscoresAction'),
  };
}

/** Where the address of the client is looked for. */
function detectionOf({ customHeader, xForwardedFor }: Json, { headers }: HttpRequest): ClientDetection | undefined {
  const custom = optionalRecord(customHeader);
  if (custom !== undefined) return { by: { header: text(custom.name) }, headers };
  const forwarded = optionalRecord(xForwardedFor);
  if (forwarded === undefined) return undefined;
  const hops = Math.max(number(forwarded.numTrustedHops), 1);
  return { by: { proxies: texts(forwarded.trustedCIDRs).length > 0 ? 'unknown' : hops }, headers };
}

/** The dot that ends a name, which a listener may take off. */
const LAST_DOT = /\.(?=$|:\d+$)/;

function hostAsRead({ stripTrailingHostDot }: Json, { authority }: HttpRequest): HttpRequest['authority'] {
  if (stripTrailingHostDot !== true || !LAST_DOT.test(authority.name)) return authority;
  return authority.changed((name) => name.replace(LAST_DOT, ''), 'a name whose last dot is taken off');
}

/**
 * Headers as a listener changes them before a route is looked for: of each name the first of what is added, set, or added where it is lacking; then what
 * is removed (translateHeaderModifier of internal/gatewayapi/clienttrafficpolicy.go).
 */
function early(settings: Json, http: HttpRequest): HttpRequest['headers'] {
  let { headers } = http;
  const changed = new Set<string>();
  for (const mode of ['add', 'set', 'addIfAbsent'] as const)
    for (const { name, value } of records(settings[mode])) {
      const header = text(name).toLowerCase();
      if (changed.has(header)) continue;
      changed.add(header);
      headers = written(headers, mode, header, text(value));
    }
  for (const name of texts(settings.remove)) headers = headers.without(name);
  const matches = records(settings.removeOnMatch);
  return matches.length === 0 ? headers : headers.withoutThose((name) => matches.some((match) => isMet(match, name)));
}

function written(
  headers: HttpRequest['headers'],
  mode: 'add' | 'set' | 'addIfAbsent',
  name: string,
  value: string,
): HttpRequest['headers'] {
  const known = headers.get(name);
  if (mode === 'set' || !known.is(PRESENT)) return headers.with(name, value);
  if (mode === 'addIfAbsent') return headers;
  return headers.with(
    name,
    known.changed((own) => `${own},${value}`, 'a header that a listener adds to'),
  );
}

/** Whether a name is as a match has it, by case. */
function isMet({ type, value }: Json, name: string): boolean {
  const wanted = text(value);
  if (type === 'Prefix') return name.startsWith(wanted);
  if (type === 'Suffix') return name.endsWith(wanted);
  return type === 'RegularExpression' ? fullMatch(wanted, name) === true : name === wanted;
}

const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const IPV4 = `(?:${BYTE}\\.){3}${BYTE}`;
const GROUP = '[0-9A-Fa-f]{1,4}';
/** The last two groups of an IPv6 address. */
const TAIL = `(?:${GROUP}:${GROUP}|${IPV4})`;
/** IPv6 by the number of groups before `::`, after which as many may follow as there is room for. */
const SHORTENED = [0, 1, 2, 3, 4, 5, 6].map((before) => {
  const start = before === 0 ? '' : `${GROUP}(?::${GROUP}){${before - 1}}`;
  const room = 7 - before;
  const after = room < 2 ? `(?:${GROUP})?` : `(?:(?:${GROUP}:){0,${room - 2}}${TAIL}|${GROUP})?`;
  return `${start}::${after}`;
});
/** What is an IP, and no port beside it. */
const ADDRESS = regex([IPV4, `(?:${GROUP}:){6}${TAIL}`, ...SHORTENED, `${GROUP}(?::${GROUP}){6}::`].join('|'));

function withoutAddress(policy: EffectivePolicy | undefined, http: HttpRequest): Refused | undefined {
  const custom = record(record(policy?.spec.clientIPDetection).customHeader);
  const name = text(custom.name).toLowerCase();
  if (custom.failClosed !== true || name === '' || http.headers.get(name).is(ADDRESS)) return undefined;
  return {
    is: 'refused',
    code: 'rejecting_because_detection_failed',
    status: 403,
    reason: { kind: 'client-address-missing', header: name },
    by: fieldOf(policy, 'clientIPDetection.customHeader'),
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
    by: fieldOf(policy, 'healthCheck.path'),
  };
}
