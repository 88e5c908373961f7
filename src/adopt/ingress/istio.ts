/** Gateways, VirtualServices and DestinationRules of Istio's own API that belong to no egress gateway. */
import { Call } from '../code';
import { number, record, records, strings, text, texts, type Json } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { resolveGatewayName } from '../../model/virtual-services';
import { type Draft, duration, EnumValue, given, Kept, objectProps, type Reference } from './draft';
import type { Known } from './gateways';
import { listed, pick } from './routes';

export function classicGatewayDraft(manifest: Manifest): Draft | Kept {
  const { selector, servers } = record(manifest.body.spec);
  const calls: Call[] = [];
  for (const server of records(servers)) {
    const call = serverCall(server);
    if (call instanceof Kept) return call;
    calls.push(call);
  }
  const labels = strings(selector);
  const isUsual = Object.keys(labels).length === 1 && labels.istio === 'ingressgateway';
  return {
    construct: 'ClassicGateway',
    props: { servers: calls, selector: isUsual ? undefined : labels, ...objectProps(manifest) },
  };
}

function serverCall({ port, hosts, tls }: Json): Call | Kept {
  const { number: own, protocol: written, name } = record(port);
  const { mode, httpsRedirect, credentialName, minProtocolVersion } = record(tls);
  const protocol = text(written).toUpperCase();
  const options = (usual: number): Json =>
    given({
      port: number(own) === usual ? undefined : number(own),
      name: name === protocol.toLowerCase() ? undefined : name,
    }) ?? {};
  const filled = (all: Json): Json | undefined => given(all);
  if (protocol === 'TCP') return new Call('ClassicServer.tcp', number(own), name === 'tcp' ? undefined : name);
  if (protocol === 'HTTP' || protocol === 'HTTP2' || protocol === 'GRPC')
    return new Call(`ClassicServer.${httpsRedirect === true ? 'redirectToHttps' : 'http'}`, texts(hosts), filled(options(80))); // prettier-ignore
  if (mode === 'PASSTHROUGH') return new Call('ClassicServer.tlsPassthrough', texts(hosts), filled(options(443)));
  if (text(credentialName) === '') return new Kept(`its server ${text(name)} has no certificate of a Secret`);
  const credential = new Call('TlsCredential.fromSecretName', text(credentialName));
  const version = { TLSV1_2: 'V1_2', TLSV1_3: 'V1_3' }[text(minProtocolVersion)];
  const clients = { clientCertificates: mode === 'MUTUAL' ? true : undefined, minTlsVersion: version && new EnumValue(`TlsVersion.${version}`) }; // prettier-ignore
  return new Call('ClassicServer.https', texts(hosts), credential, filled({ ...options(443), ...clients }));
}

export function classicRouteDraft(manifest: Manifest, known: Known): Draft | Kept {
  const { hosts, gateways, http, tls, tcp, exportTo } = record(manifest.body.spec);
  const names = texts(gateways).filter((name) => name !== 'mesh');
  const gatewayOf: Find = (name) => known.classic(resolveGatewayName(name, manifest.namespace));
  const delegates = records(http).some((rule) => rule.delegate !== undefined);
  if (delegates) return new Kept('it delegates to other VirtualServices');
  if (texts(hosts).length === 0) return new Kept('other VirtualServices delegate to it');
  return {
    construct: 'ClassicRoute',
    props: {
      hosts: texts(hosts),
      gateways: listed(names.map(gatewayOf)),
      forMesh: names.length > 0 && texts(gateways).includes('mesh') ? true : undefined,
      rules: listed(records(http).map((rule) => httpRule(rule, gatewayOf))),
      tlsRules: listed(records(tls).map(tlsRule)),
      tcpRules: listed(records(tcp).map(tcpRule)),
      audience: audience(texts(exportTo), manifest.namespace),
      ...objectProps(manifest),
    },
  };
}

function audience(exportTo: readonly string[], namespace: string): Call | undefined {
  if (exportTo.length === 0 || exportTo.includes('~')) return undefined;
  if (exportTo.includes('*')) return new Call('Audience.mesh');
  const others = exportTo.filter((name) => name !== '.' && name !== namespace);
  return others.length === 0 ? new Call('Audience.ownNamespace') : new Call('Audience.namespaces', ...others);
}

type Find = (gateway: string) => Reference;

function httpRule(rule: Json, gatewayOf: Find): Json {
  const { uri, authority, scheme, redirectCode } = record(rule.redirect);
  const rewrite = record(rule.rewrite);
  const retries = record(rule.retries);
  const headers = record(rule.headers);
  return (
    given({
      name: rule.name,
      matches: listed(records(rule.match).map((match) => httpMatch(match, gatewayOf))),
      redirect: rule.redirect === undefined ? undefined : (given({ path: uri, host: authority, scheme, statusCode: redirectCode }) ?? {}), // prettier-ignore
      rewritePath: rewrite.uri,
      rewriteHost: rewrite.authority,
      destinations: listed(records(rule.route).map(destination)),
      timeout: duration(rule.timeout),
      retries: given({
        attempts: retries.attempts,
        on: retries.retryOn === undefined ? undefined : text(retries.retryOn).split(','),
        perTryTimeout: duration(retries.perTryTimeout),
      }),
      fault: faultProp(record(rule.fault)),
      cors: rule.corsPolicy === undefined ? undefined : corsProp(record(rule.corsPolicy)),
      requestHeaders: headerChanges(record(headers.request)),
      responseHeaders: headerChanges(record(headers.response)),
    }) ?? {}
  );
}

/** Origins by their older list (`allowOrigin`) are patched, as Istio reads one or the other. */
function corsProp({ allowOrigins, maxAge, unmatchedPreflights, ...rest }: Json): Json {
  const isAnswered = { IGNORE: true, FORWARD: false }[text(unmatchedPreflights)];
  const origins = records(allowOrigins).flatMap((origin) =>
    ['exact', 'prefix', 'regex'].flatMap((how) => {
      if (origin[how] === undefined) return [];
      return [how === 'exact' && origin[how] === '*' ? new Call('CorsOrigin.any') : new Call(`CorsOrigin.${how}`, text(origin[how]))]; // prettier-ignore
    }),
  );
  return {
    allowOrigins: origins,
    ...pick(rest, ['allowMethods', 'allowHeaders', 'exposeHeaders', 'allowCredentials']),
    ...given({ maxAge: duration(maxAge), answerUnmatchedPreflights: isAnswered }),
  };
}

const exactly = (all: unknown): Json | undefined =>
  given(Object.fromEntries(Object.entries(record(all)).map(([name, value]) => [name, record(value).exact])));

function httpMatch({ uri, headers, method, port, gateways, queryParams, ignoreUriCase }: Json, gatewayOf: Find): Call {
  const { prefix, exact, regex } = record(uri);
  const names = texts(gateways).filter((name) => name !== 'mesh');
  const options = given({
    headers: exactly(headers),
    query: exactly(queryParams),
    method: record(method).exact,
    port,
    gateways: listed(names.map(gatewayOf)),
    forMesh: texts(gateways).includes('mesh') ? true : undefined,
    ignorePathCase: ignoreUriCase === true && (prefix ?? exact) !== undefined ? true : undefined,
  });
  if (prefix !== undefined) return new Call('ClassicMatch.prefix', text(prefix), options);
  if (exact !== undefined) return new Call('ClassicMatch.exact', text(exact), options);
  if (regex !== undefined) return new Call('ClassicMatch.regex', text(regex), options);
  return new Call('ClassicMatch.anyPath', options ?? {});
}

function destination({ destination: to, weight }: Json): Call {
  const { host, port, subset } = record(to);
  const options = given({ port: record(port).number, version: subset, weight });
  return new Call('ClassicDestination.host', text(host), options);
}

function faultProp({ delay, abort }: Json): Json | undefined {
  const percent = (one: unknown): unknown => {
    const { value } = record(record(one).percentage);
    return value === 100 ? undefined : value;
  };
  return given({
    delay: duration(record(delay).fixedDelay),
    delayPercent: delay && percent(delay),
    abortStatus: record(abort).httpStatus,
    abortPercent: abort && percent(abort),
  });
}

const headerChanges = (all: Json): Json | undefined => given(pick(all, ['set', 'add', 'remove']));

function tlsRule({ match, route }: Json): Json {
  const [first] = records(match);
  return { sniHosts: texts(first?.sniHosts), port: first?.port, destinations: records(route).map(destination) };
}

function tcpRule({ match, route }: Json): Json {
  return { port: records(match)[0]?.port, destinations: records(route).map(destination) };
}

/** Limits of connections as props say them: an `idleTimeout` that only one of TCP and HTTP has is patched. */
function settingsProp({ connectionPool }: Json): Json | undefined {
  const { http, tcp } = record(connectionPool);
  const [requests, connections] = [record(http), record(tcp)];
  const idle = requests.idleTimeout === connections.idleTimeout ? duration(requests.idleTimeout) : undefined;
  return given({
    connections: given({
      ...pick(connections, ['maxConnections']),
      maxPendingRequests: requests.http1MaxPendingRequests,
      maxRequests: requests.http2MaxRequests,
      ...pick(requests, ['maxRequestsPerConnection']),
      connectTimeout: duration(connections.connectTimeout),
      idleTimeout: idle,
    }),
    http2: requests.h2UpgradePolicy === 'UPGRADE' ? true : undefined,
  });
}

const BALANCERS: Readonly<Record<string, string>> = { LEAST_REQUEST: 'leastRequest', ROUND_ROBIN: 'roundRobin', RANDOM: 'random' }; // prettier-ignore

function balancingCall({ simple, consistentHash }: Json): Call | undefined {
  const factory = BALANCERS[text(simple)];
  if (factory !== undefined) return new Call(`LoadBalancing.${factory}`);
  const { httpHeaderName, httpCookie, useSourceIp } = record(consistentHash);
  if (httpHeaderName !== undefined) return new Call('LoadBalancing.byHeader', text(httpHeaderName));
  const lifetime = duration(record(httpCookie).ttl);
  if (lifetime !== undefined) return new Call('LoadBalancing.byCookie', text(record(httpCookie).name), lifetime);
  return useSourceIp === true ? new Call('LoadBalancing.bySourceAddress') : undefined;
}

export function versionsDraft(manifest: Manifest): Draft | Kept {
  const { host, subsets, exportTo, trafficPolicy } = record(manifest.body.spec);
  const versions = records(subsets).map(({ name, labels }) => [text(name), strings(labels)] as const);
  return {
    construct: 'ServiceVersions',
    props: {
      host: text(host),
      settings: settingsProp(record(trafficPolicy)),
      loadBalancing: balancingCall(record(record(trafficPolicy).loadBalancer)),
      alwaysMutualTls: record(record(trafficPolicy).tls).mode === 'ISTIO_MUTUAL' ? true : undefined,
      versions: versions.length === 0 ? undefined : Object.fromEntries(versions),
      audience: audience(texts(exportTo), manifest.namespace),
      ...objectProps(manifest),
    },
  };
}

const PORTS: Readonly<Record<string, string>> = { HTTP: 'http', HTTPS: 'https', TLS: 'tls', HTTP2: 'http2', GRPC: 'grpc', TCP: 'tcp' }; // prettier-ignore
const RESOLUTIONS: Readonly<Record<string, string>> = {
  NONE: 'none',
  DNS: 'dns',
  DNS_ROUND_ROBIN: 'dnsRoundRobin',
  STATIC: 'addresses',
};
const ENDPOINT = ['address', 'ports', 'labels', 'locality', 'weight'];

function resolutionCall(spec: Json): Call | undefined {
  const kind = text(spec.resolution) || 'NONE';
  const labels = strings(record(spec.workloadSelector).labels);
  if (kind === 'STATIC' && Object.keys(labels).length > 0) return new Call('Resolution.workloads', labels);
  const factory = RESOLUTIONS[kind];
  // Endpoints of NONE mean nothing, and stay what they are.
  const endpoints = kind === 'NONE' ? [] : records(spec.endpoints).map((one) => pick(one, ENDPOINT));
  return factory === undefined ? undefined : new Call(`Resolution.${factory}`, ...endpoints);
}

export function serviceEntryDraft(manifest: Manifest): Draft | Kept {
  const spec = record(manifest.body.spec);
  const ports: Call[] = [];
  for (const { number: own, name, protocol, targetPort } of records(spec.ports)) {
    const factory = PORTS[text(protocol).toUpperCase()];
    if (factory === undefined) return new Kept(`no ExternalPort is for ${text(protocol) || 'a port without protocol'}`);
    ports.push(new Call(`ExternalPort.${factory}`, number(own), given({ name, targetPort })));
  }
  if (records(spec.endpoints).some(({ address }) => text(address) === '')) return new Kept('an endpoint has no address'); // prettier-ignore
  const resolution = resolutionCall(spec);
  if (resolution === undefined) return new Kept(`it is resolved by ${text(spec.resolution)}`);
  return {
    construct: 'ExternalService',
    props: {
      hosts: texts(spec.hosts),
      ports,
      resolution,
      addresses: listed(texts(spec.addresses)),
      subjectAltNames: listed(texts(spec.subjectAltNames)),
      meshInternal: spec.location === 'MESH_INTERNAL' ? true : undefined,
      audience: audience(texts(spec.exportTo), manifest.namespace) ?? new Call('Audience.mesh'),
      ...objectProps(manifest),
    },
  };
}
