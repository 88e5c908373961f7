/** Routes of Gateway API. */
import { Call } from '../code';
import { number, record, records, text, texts, type Json } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { type Draft, duration, given, Kept, objectProps } from './draft';
import { attachment, type Known } from './gateways';

export function httpRouteDraft(manifest: Manifest, known: Known): Draft | Kept {
  const { hostnames, rules } = record(manifest.body.spec);
  const place = attachment(manifest, known);
  if (place instanceof Kept) return place;
  return {
    construct: 'HttpIngressRoute',
    props: {
      gateway: place.gateway,
      listeners: place.listeners,
      hostnames: listed(texts(hostnames)),
      rules: records(rules).map((rule) => httpRule(rule, manifest.namespace)),
      ...objectProps(manifest),
    },
  };
}

function httpRule(rule: Json, namespace: string): Json {
  const timeouts = record(rule.timeouts);
  return (
    given({
      name: text(rule.name) || undefined,
      matches: listed(records(rule.matches).map(httpMatch)),
      ...filterProps(records(rule.filters), namespace),
      backends: listed(records(rule.backendRefs).map((ref) => backend(ref, namespace))),
      retry: retryProp(record(rule.retry)),
      timeout: duration(timeouts.request),
      backendTimeout: duration(timeouts.backendRequest),
    }) ?? {}
  );
}

const FACTORIES: Readonly<Record<string, string>> = { Exact: 'exact', RegularExpression: 'regex' };

function httpMatch(match: Json): Call {
  const { type, value } = record(match.path);
  const headers = records(match.headers);
  const isRegular = (one: Json): boolean => one.type === 'RegularExpression';
  const parameters = records(match.queryParams).filter((one) => !isRegular(one));
  const options = given({
    headers: byName(headers.filter((one) => !isRegular(one))),
    headersMatching: byName(headers.filter(isRegular)),
    queryParameters: byName(parameters),
    method: text(match.method) || undefined,
  });
  return new Call(`HttpMatch.${FACTORIES[text(type)] ?? 'prefix'}`, value === undefined ? '/' : text(value), options);
}

function byName(entries: readonly Json[]): Json | undefined {
  return given(Object.fromEntries(entries.map(({ name, value }) => [text(name), text(value)])));
}

/** What a rule sends to. Whoever owns another namespace gives the leave there. */
export function backend(ref: Json, namespace: string): Call {
  const { group, kind, name, port, weight } = ref;
  const where = text(ref.namespace);
  const options = given({
    namespace: where || undefined,
    weight: weight === undefined ? undefined : number(weight),
    grantedElsewhere: where !== '' && where !== namespace ? true : undefined,
  });
  const isService = text(group) === '' && (kind ?? 'Service') === 'Service' && port !== undefined;
  if (isService) return new Call('IngressBackend.service', text(name), number(port), options);
  const reference = given({ group: text(group), kind: text(kind) || 'Service', name: text(name), port });
  return new Call('IngressBackend.reference', reference, options);
}

/** Filters by the order in which a rule has them; what is in another order is a field of its own. */
function filterProps(filters: readonly Json[], namespace: string): Json {
  const of = (type: string, field: string): readonly Json[] =>
    filters.filter((one) => one.type === type).map((one) => record(one[field]));
  const [requestHeaders] = of('RequestHeaderModifier', 'requestHeaderModifier');
  const [responseHeaders] = of('ResponseHeaderModifier', 'responseHeaderModifier');
  const [redirect] = of('RequestRedirect', 'requestRedirect');
  const [rewrite] = of('URLRewrite', 'urlRewrite');
  const [cors] = of('CORS', 'cors');
  return {
    requestHeaders: headerChanges(requestHeaders),
    responseHeaders: headerChanges(responseHeaders),
    mirrorTo: listed(of('RequestMirror', 'requestMirror').map((one) => backend(record(one.backendRef), namespace))),
    cors: corsProp(cors),
    redirect: redirect && {
      ...pick(redirect, ['scheme', 'hostname', 'port', 'statusCode']),
      ...pathProps(redirect.path),
    },
    rewrite: rewrite && given({ ...pathProps(rewrite.path), hostname: rewrite.hostname }),
    extensions: listed(of('ExtensionRef', 'extensionRef').map((one) => pick(one, ['group', 'kind', 'name']))),
  };
}

function headerChanges(modifier: Json | undefined): Json | undefined {
  if (modifier === undefined) return undefined;
  return given({ set: byName(records(modifier.set)), add: byName(records(modifier.add)), remove: listed(texts(modifier.remove)) }); // prettier-ignore
}

function pathProps(path: unknown): Json {
  const { replacePrefixMatch, replaceFullPath } = record(path);
  return { prefix: replacePrefixMatch, path: replaceFullPath };
}

function corsProp(cors: Json | undefined): Json | undefined {
  if (cors === undefined) return undefined;
  const { maxAge, ...lists } = pick(cors, ['allowOrigins', 'allowMethods', 'allowHeaders', 'exposeHeaders', 'allowCredentials', 'maxAge']); // prettier-ignore
  return {
    allowOrigins: [],
    ...lists,
    ...(typeof maxAge === 'number' && { maxAge: new Call('Duration.seconds', maxAge) }),
  };
}

function retryProp({ attempts, codes, backoff }: Json): Json | undefined {
  return given({ attempts, statusCodes: codes, backoff: duration(backoff) });
}

export function grpcRouteDraft(manifest: Manifest, known: Known): Draft | Kept {
  const { hostnames, rules } = record(manifest.body.spec);
  const place = attachment(manifest, known);
  if (place instanceof Kept) return place;
  const own: Json[] = [];
  for (const rule of records(rules)) {
    const matches = records(rule.matches).map(grpcMatch);
    if (matches.includes(undefined)) return new Kept('a match is by method alone, and a GrpcMatch is by service');
    const { requestHeaders, responseHeaders, mirrorTo } = filterProps(records(rule.filters), manifest.namespace);
    const backends = records(rule.backendRefs).map((ref) => backend(ref, manifest.namespace));
    own.push(given({ matches: listed(matches), requestHeaders, responseHeaders, mirrorTo, backends }) ?? {});
  }
  return {
    construct: 'GrpcIngressRoute',
    props: {
      gateway: place.gateway,
      listeners: place.listeners,
      hostnames: listed(texts(hostnames)),
      rules: own,
      ...objectProps(manifest),
    },
  };
}

function grpcMatch(match: Json): Call | undefined {
  const { service, method } = record(match.method);
  const headers = records(match.headers);
  const isRegular = (one: Json): boolean => one.type === 'RegularExpression';
  const options = given({
    headers: byName(headers.filter((one) => !isRegular(one))),
    headersMatching: byName(headers.filter(isRegular)),
  });
  if (match.method === undefined) return new Call('GrpcMatch.any', options ?? {});
  if (text(service) === '') return undefined;
  return text(method) === ''
    ? new Call('GrpcMatch.service', text(service), options)
    : new Call('GrpcMatch.method', text(service), text(method), options);
}

const STREAM: Readonly<Record<string, string>> = {
  TLSRoute: 'TlsIngressRoute',
  TCPRoute: 'TcpIngressRoute',
  UDPRoute: 'UdpIngressRoute',
};

export function streamRouteDraft(manifest: Manifest, known: Known): Draft | Kept {
  const { hostnames, rules } = record(manifest.body.spec);
  const place = attachment(manifest, known);
  if (place instanceof Kept) return place;
  const isTls = manifest.kind === 'TLSRoute';
  const [rule, ...others] = records(rules);
  if (others.length > 0) return new Kept('it has several rules, of which only the first has an effect');
  const listener = place.listeners?.[0];
  return {
    construct: STREAM[manifest.kind] ?? '',
    props: {
      gateway: place.gateway,
      ...(isTls ? { listeners: place.listeners ?? [], hostnames: texts(hostnames) } : { listener }),
      backends: records(rule?.backendRefs).map((ref) => backend(ref, manifest.namespace)),
      ...objectProps(manifest),
    },
  };
}

export function grantDraft(manifest: Manifest): Draft {
  const { from, to } = record(manifest.body.spec);
  const entry =
    (usual: string) =>
    (one: Json): Json => ({
      ...pick(one, ['kind', 'namespace', 'name']),
      ...(text(one.group) !== usual && { group: text(one.group) }),
    });
  return {
    construct: 'ReferenceGrant',
    props: {
      from: records(from).map(entry('gateway.networking.k8s.io')),
      to: records(to).map(entry('')),
      ...objectProps(manifest),
    },
  };
}

export function backendTlsDraft(manifest: Manifest): Draft | Kept {
  const { targetRefs, validation } = record(manifest.body.spec);
  const [target] = records(targetRefs);
  const { hostname, caCertificateRefs } = record(validation);
  const [ca] = records(caCertificateRefs);
  if (text(target?.kind) !== 'Service') return new Kept('it is about no Service');
  return {
    construct: 'BackendTlsPolicy',
    props: {
      serviceName: text(target?.name),
      portName: text(target?.sectionName) || undefined,
      hostname: text(hostname),
      caConfigMapName: text(ca?.name) || undefined,
      ...objectProps(manifest),
    },
  };
}

export function listed<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length === 0 ? undefined : values;
}

export function pick(from: Json, fields: readonly string[]): Json {
  return Object.fromEntries(fields.filter((field) => from[field] !== undefined).map((field) => [field, from[field]]));
}
