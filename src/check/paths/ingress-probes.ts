/** Requests that come in from outside: each host and rule of a route at a gateway, at each listener that takes it. */
import { type Attachment, hostnamesAt } from '../../model/attachments';
import { cookieConditions } from '../../model/envoy-gateway-rules';
import { number, record, records, strings, text } from '../../model/fields';
import { GATEWAY_API, type ApiRoute } from '../../model/gateway-api';
import { hostsForNamespace, isSubsetOf, overlaps } from '../../model/hostnames';
import { isHttp as declaresHttp } from '../../model/protocols';
import type { CheckContext } from '../context';
import { type GatewayView, MESH, type RuleMatch, type VirtualServiceView, entriesFor, gatewaysByName, ruleMatches, virtualServices, fullHost } from '../edge'; // prettier-ignore
import { ENVOY_GATEWAY } from '../gateway-api';
import type { HttpMatch, Server } from '../istio';
import { isHttp, isPlainTcp } from '../protocol';
import { type Probe, httpRequest, isName, sampleOf } from './probes';

const isFor = (): boolean => false;

/** Requests for rules that forward to what manifests show. */
export function ingressProbes(context: CheckContext): Generator<Probe> {
  return probesFor(
    context,
    (service, rule) => leadsInside(context, service, rule),
    (route, rule) => isShown(context, route, records(rule.backendRefs)),
  );
}

/** Requests for rules that redirect. */
export function redirectProbes(context: CheckContext): Generator<Probe> {
  return probesFor(
    context,
    ({ spec }, { kind, rule }) => kind === 'http' && spec.http?.[rule]?.redirect !== undefined,
    (_, rule) => records(rule.filters).some(({ type }) => type === 'RequestRedirect'),
  );
}

/** Requests for rules that answer preflights. */
export function corsProbes(context: CheckContext): Generator<Probe> {
  return probesFor(
    context,
    ({ spec }, { kind, rule }) => kind === 'http' && spec.http?.[rule]?.corsPolicy !== undefined,
    (_, rule) => records(rule.filters).some(({ type }) => type === 'CORS'),
  );
}

type Rule = Readonly<Record<string, unknown>>;

function* probesFor(
  context: CheckContext,
  isWanted: (service: VirtualServiceView, rule: RuleMatch) => boolean,
  isWantedRoute: (route: ApiRoute, rule: Rule) => boolean,
): Generator<Probe> {
  for (const service of context.index(virtualServices)) {
    for (const rule of ruleMatches(service)) {
      if (!isWanted(service, rule)) continue;
      for (const name of rule.gateways) {
        const gateway = name === MESH ? undefined : context.index(gatewaysByName).get(name);
        for (const server of gateway?.spec.servers ?? [])
          if (gateway) yield* serverProbes(context, service, rule, gateway, server);
      }
    }
  }
  for (const attachment of context.mesh.gatewayApi.attachments) {
    if (attachment.gateway.controller === 'istio' || attachment.gateway.controller === 'envoy-gateway')
      yield* attachmentProbes(context, attachment, isWantedRoute);
  }
}

/**
 * Routes to Services that manifests show, other than those of gateways, and from names of the mesh's own to hosts outside. What goes out at a
 * gateway by its own name is followed from the workload that sends it.
 */
function leadsInside(context: CheckContext, service: VirtualServiceView, { kind, rule }: RuleMatch): boolean {
  const { mesh } = context;
  const routes = service.spec[kind]?.[rule]?.route ?? [];
  const isOwnName = !service.hosts.some((host) => entriesFor(context, host).length > 0);
  return (
    routes.length > 0 &&
    routes.every(({ destination }) => {
      const named = mesh.services.declaring(fullHost({ mesh }, destination?.host ?? '', service.manifest.namespace));
      return named.some((service) =>
        service.registry === 'Kubernetes'
          ? !service.assumed && !mesh.workloads.behind(service).some(({ membership }) => membership === 'gateway')
          : isOwnName,
      );
    })
  );
}

function* serverProbes(
  context: CheckContext,
  service: VirtualServiceView,
  rule: RuleMatch,
  { manifest: gateway }: GatewayView,
  { port, tls, hosts = [] }: Server,
): Generator<Probe> {
  const { manifest, spec } = service;
  const { number: listen = 0, protocol = '' } = port ?? {};
  // Who has a client certificate is not in manifests.
  if (listen < 1 || listen > 65535 || tls?.mode === 'MUTUAL' || tls?.mode === 'ISTIO_MUTUAL') return;
  if (rule.port !== undefined && rule.port !== listen) return;
  const scheme = isHttp(protocol) ? 'http' : isPlainTcp(protocol) ? 'tcp' : 'https';
  const served = hostsForNamespace(
    hosts.map((host) => host.replace(/^\.\//, `${gateway.namespace}/`)),
    manifest.namespace,
  );
  const wanted = rule.kind === 'tls' ? rule.sniHosts : service.hosts;
  const at = `${gateway.namespace}/${gateway.name}`;
  const found = { manifest, field: rule.field, isFor, at, atGroup: 'networking.istio.io' as const, port: listen };
  if (rule.kind === 'tcp' && scheme !== 'http' && tls?.mode !== 'PASSTHROUGH') {
    const [host] = namesOf(['*'], served);
    const { host: to = '', port: onPort } = spec.tcp?.[rule.rule]?.route?.[0]?.destination ?? {};
    const isSpoken = speaksHttp(context, fullHost(context, to, manifest.namespace), onPort?.number ?? listen);
    if (host !== undefined) yield { ...found, host, ...l4(host, listen, scheme === 'https', isSpoken) };
    return;
  }
  if (scheme === 'tcp') return;
  if (rule.kind === 'tcp' || (rule.kind === 'http' && tls?.mode === 'PASSTHROUGH') || (rule.kind === 'tls' && scheme === 'http')) return; // prettier-ignore
  const match: HttpMatch = rule.kind === 'http' ? (spec.http?.[rule.rule]?.match?.[rule.match ?? 0] ?? {}) : {};
  const request = httpRequest(match);
  if (!request) return;
  const { path, ...rest } = request;
  for (const host of namesOf(wanted, served)) {
    const url = `${scheme}://${host}:${listen}${path}`;
    yield { ...found, ...rest, scheme, host, url };
  }
}

/** A connection whose route looks at no name in it: in TLS if the listener takes that off, else in what the backend speaks. */
function l4(host: string, port: number, inTls: boolean, isHttpInside: boolean): Pick<Probe, 'scheme' | 'url'> {
  if (inTls) return { scheme: 'https', url: `${isHttpInside ? 'https' : 'tls'}://${host}:${port}` };
  return isHttpInside
    ? { scheme: 'http', url: `http://${host}:${port}/` }
    : { scheme: 'tcp', url: `tcp://${host}:${port}` };
}

/** Whether a host speaks HTTP on the port that a route names, or on the only one that it has. */
function speaksHttp({ mesh }: CheckContext, host: string, port: number): boolean {
  return mesh.services
    .declaring(host)
    .some(({ ports }) => ports.some((one) => (one.port === port || ports.length === 1) && declaresHttp(one.protocol)));
}

/** Names that both a route and a listener are for. */
function namesOf(wanted: readonly string[], served: readonly string[]): readonly string[] {
  const names = wanted.flatMap((host) =>
    served.filter((other) => overlaps(host, other)).map((other) => (isSubsetOf(host, other) ? host : other)),
  );
  return [...new Set(names.map(sampleOf))].filter(isName);
}

function* attachmentProbes(
  context: CheckContext,
  attachment: Attachment,
  isWanted: (route: ApiRoute, rule: Rule) => boolean,
): Generator<Probe> {
  const { route, gateway, listener } = attachment;
  const { manifest } = route.config;
  const { port, protocol, tls } = listener;
  const frontend = record(tls?.frontendValidation);
  if (port < 1 || port > 65535 || Object.keys(frontend).length > 0) return;
  const at = `${gateway.config.namespace}/${gateway.config.name}`;
  for (const [index, rule] of records(route.config.spec.rules).entries()) {
    const field = ['spec', 'rules', index];
    if (!isWanted(route, rule)) continue;
    const found = { manifest, field, isFor, at, atGroup: GATEWAY_API, port } as const;
    if (route.kind === 'TCPRoute') {
      const [first] = records(rule.backendRefs);
      const backend = `${text(first?.name)}.${text(first?.namespace) || route.config.namespace}.svc.${context.mesh.config.clusterDomain}`;
      const host = sampleOf(listener.hostname);
      yield {
        ...found,
        host,
        ...l4(host, port, protocol === 'TLS', speaksHttp(context, backend, number(first?.port))),
      };
      continue;
    }
    const scheme = protocol === 'HTTP' ? 'http' : 'https';
    for (const host of [...new Set(hostnamesAt(attachment).map(sampleOf))].filter(isName)) {
      for (const request of withCookies(context, attachment, rule, requestsOf(route, rule)))
        yield { ...found, ...request, scheme, host, url: `${scheme}://${host}:${port}${request.path}` };
    }
  }
}

/** Backends whose manifests are there, of the kinds that gateways take; whether others exist is not known. */
function isShown(
  { mesh }: CheckContext,
  route: ApiRoute,
  backends: readonly Readonly<Record<string, unknown>>[],
): boolean {
  return (
    backends.length > 0 &&
    backends.every((backend) => {
      const kind = text(backend.kind) || 'Service';
      const namespace = text(backend.namespace) || route.config.namespace;
      if (kind === 'Hostname') return mesh.services.declaring(text(backend.name)).length > 0;
      const group = kind === 'Service' ? '' : kind === 'Backend' ? ENVOY_GATEWAY : undefined;
      return group !== undefined && mesh.find(group, kind, namespace, text(backend.name)) !== undefined;
    })
  );
}

/** With the cookies that the HTTPRouteFilters of a rule want besides; none where their values are told by expressions. */
function* withCookies(
  { mesh }: CheckContext,
  { route, gateway }: Attachment,
  rule: Rule,
  requests: Iterable<ProbeRequest>,
): Generator<ProbeRequest> {
  const sets = gateway.controller === 'envoy-gateway' ? cookieConditions(rule, route, mesh) : [];
  const told = sets.filter((cookies) => cookies.every(({ type }) => type !== 'RegularExpression'));
  for (const request of requests) {
    if (sets.length === 0) yield request;
    for (const cookies of told) {
      const cookie = cookies.map(({ name, value }) => `${text(name)}=${text(value)}`).join('; ');
      yield { ...request, headers: { ...request.headers, cookie } };
    }
  }
}

interface ProbeRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests that a rule of a route is for; none where that cannot be said without solving a regular expression. */
export function* requestsOf(route: ApiRoute, rule: Readonly<Record<string, unknown>>): Generator<ProbeRequest> {
  if (route.kind === 'TLSRoute') {
    yield { path: '/' };
    return;
  }
  const matches = records(rule.matches);
  for (const match of matches.length > 0 ? matches : [{}]) {
    const { path, method, headers, queryParams } = match as Readonly<Record<string, unknown>>;
    if (records(queryParams).length > 0 || record(path).type === 'RegularExpression') continue;
    if (records(headers).some(({ type }) => type === 'RegularExpression')) continue;
    const isGrpc = route.kind === 'GRPCRoute';
    const call = record(method);
    if (isGrpc && call.type === 'RegularExpression') continue;
    const value = isGrpc
      ? `/${text(call.service) || 'sample.Service'}/${text(call.method) || 'Sample'}`
      : text(record(path).value) || '/';
    yield {
      path: value,
      ...(isGrpc ? { method: 'POST' } : text(method) === '' ? {} : { method: text(method) }),
      ...(records(headers).length > 0
        ? {
            headers: strings(
              Object.fromEntries(records(headers).map(({ name, value: wanted }) => [text(name), wanted])),
            ),
          }
        : {}),
    };
  }
}
