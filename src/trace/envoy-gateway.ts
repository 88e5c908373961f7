import {
  backendTls,
  effectiveProxy,
  listenPort,
  policiesFor,
  proxyNamespace,
  proxyWorkload,
  routingType,
  type EffectiveProxy,
} from '../model/envoy-gateway';
import { optionalRecord, record } from '../model/fields';
import { hostnamesAt, type ApiGateway, type Attachment } from '../model/gateway-api';
import { byPrecedence, httpRules, l4Rules } from '../model/gateway-api-rules';
import { isSubsetOf } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import { namespaceInjection, type Workload } from '../model/workloads';
import type { HttpRule, RouteDestination } from '../model/virtual-services';
import { DomainIndex, hostWithoutPort } from './envoy';
import { arrive } from './arrive';
import { throughSidecar } from './follow';
import { inboundCapture, outboundCapture } from './capture';
import { inboundChain } from './inbound';
import {
  heaviest,
  rewritten,
  routeMatches,
  unreadablePart,
  weighted,
  type HttpRequest,
  type Route,
} from './http-routes';
import { ownAnswer } from './own-answer';
import type { Decision, Hop, ProxyRef, RouteRef, Trace, WireProtocol } from './types';
import { connectionOf, decisions, noMatch, outermost, wire, type Flight, type TlsLayer, type Walk } from './walk';

interface Candidate {
  readonly attachment: Attachment;
  readonly rule: HttpRule;
}

interface Stage {
  readonly walk: Walk;
  readonly mesh: Mesh;
  readonly gateway: ApiGateway;
  readonly proxy: EffectiveProxy;
  readonly workload: Workload;
  readonly ref: ProxyRef;
  readonly flight: Flight;
  readonly receives: Hop['receives'];
}

function gatewayDecision(gateway: ApiGateway, field: string): Decision {
  return { kind: 'Gateway', namespace: gateway.config.namespace, name: gateway.config.name, field };
}

/** A connection at the proxies that Envoy Gateway runs for a Gateway: listener by port and SNI, route by host and match, backend. */
export function throughEnvoyGateway(walk: Walk, flight: Flight, gateway: ApiGateway): Trace {
  const { mesh } = walk;
  const proxy = effectiveProxy(gateway, mesh);
  const home = mesh.remember(gateway, 'home', () => proxyNamespace(gateway, mesh));
  const info = mesh.namespaces.get(home);
  const workload = proxyWorkload(gateway, proxy, namespaceInjection(info) === true, home);
  if (info === undefined && workload.membership === 'none')
    walk.note(`no manifest shows namespace ${home}; assumed that Envoy Gateway's proxies there have no sidecar`);
  const refusal = atOwnSidecar(walk, flight, workload);
  if (refusal !== undefined) return refusal;
  const ref: ProxyRef = { kind: 'envoy-gateway', namespace: home, workload: workload.name };
  const outer = outermost(flight.layers);
  const onPort = gateway.listeners.filter(
    (listener) => listener.port === flight.namedPort && listener.problem === undefined,
  );
  const sni = outer?.sni ?? null;
  const ranked =
    outer === undefined
      ? onPort.filter((listener) => listener.protocol === 'HTTP' || listener.protocol === 'TCP')
      : onPort
          .filter(
            (listener) =>
              (listener.protocol === 'HTTPS' || listener.protocol === 'TLS') &&
              sni !== null &&
              isSubsetOf(sni, listener.hostname),
          )
          .sort((a, b) => b.hostname.length - a.hostname.length);
  const listeners = outer === undefined ? ranked : ranked.slice(0, 1);
  const isPassthrough = listeners[0]?.tls?.mode === 'Passthrough';
  const readsHttp = listeners.some((listener) => listener.protocol === 'HTTP' || listener.protocol === 'HTTPS');
  const protocol: WireProtocol = readsHttp && flight.http !== null ? 'HTTP' : isPassthrough ? 'TLS' : 'TCP';
  const receives: Hop['receives'] = {
    ...wire(protocol, flight.namedPort, flight.layers),
    ...(outer !== undefined && !isPassthrough ? { tls: 'SIMPLE' as const } : {}),
  };
  const stage: Stage = { walk, mesh, gateway, proxy, workload, ref, flight, receives };
  if (listeners.length === 0) {
    const problem = gateway.listeners.find(
      (listener) => listener.port === flight.namedPort && listener.problem !== undefined,
    );
    const what =
      problem !== undefined
        ? `listener ${problem.name} is not programmed: ${problem.problem ?? ''}`
        : onPort.length > 0
          ? `no listener on port ${flight.namedPort} takes ${outer === undefined ? 'plain text' : `SNI "${sni ?? ''}"`}`
          : `the Gateway has no listener on port ${flight.namedPort}`;
    return refuse(
      stage,
      'NR',
      null,
      what,
      'add a listener for the port, protocol and hostname',
      gatewayDecision(gateway, 'spec.listeners'),
    );
  }
  const attachments = mesh.gatewayApi.attachments.filter(
    (attachment) => attachment.gateway === gateway && listeners.includes(attachment.listener),
  );
  if (protocol !== 'HTTP') return forwardL4(stage, attachments);
  if (flight.http === null)
    return refuse(
      stage,
      'DPE',
      null,
      'the listener expects HTTP',
      'speak HTTP, or use a TCP listener',
      gatewayDecision(gateway, 'spec.listeners'),
    );
  return forwardHttp(stage, attachments, flight.http);
}

/** The sidecar in front of the proxies, if their Pods are injected and do not keep inbound traffic from it. */
function atOwnSidecar(walk: Walk, flight: Flight, workload: Workload): Trace | undefined {
  const port = listenPort(flight.namedPort);
  if (workload.membership !== 'sidecar' || !inboundCapture(workload, port)) return undefined;
  const proxy: ProxyRef = { kind: 'sidecar', namespace: workload.namespace, workload: workload.name };
  const self = { type: 'sidecar' as const, namespace: workload.namespace, labels: workload.labels, addresses: [] };
  const chain = inboundChain(walk.mesh, self, port, connectionOf({ ...flight, port }));
  const { config } = chain.tls;
  const by: Decision | undefined =
    config === undefined
      ? undefined
      : { kind: config.kind, namespace: config.namespace, name: config.name, field: chain.tls.field };
  const received = wire(flight.layers.length > 0 ? 'TLS' : 'HTTP', flight.namedPort, flight.layers);
  const accepted = chain.is === 'accepted';
  walk.hops.push({
    proxy,
    receives: received,
    route: null,
    cluster: accepted ? chain.cluster : null,
    sends: accepted ? received : null,
    decidedBy: decisions(by),
    alternatives: [],
    envoy: { ...noMatch(), listener: 'virtualInbound' },
  });
  if (chain.is === 'accepted') return undefined;
  return walk.refused({
    code: 'NR',
    status: null,
    proxy,
    what: `the sidecar of the gateway's Pods captures inbound traffic, and ${chain.what}`,
    fix: 'set the Pod annotation traffic.sidecar.istio.io/includeInboundPorts: "" in the EnvoyProxy',
    by: by ?? null,
  });
}

function addHop(stage: Stage, rest: Partial<Hop>): void {
  stage.walk.hops.push({
    proxy: stage.ref,
    receives: stage.receives,
    route: null,
    cluster: null,
    sends: null,
    decidedBy: [],
    alternatives: [],
    envoy: { ...noMatch(), listener: `${stage.gateway.config.namespace}/${stage.gateway.config.name}`, endpoints: [] },
    ...rest,
  });
}

function refuse(
  stage: Stage,
  code: string,
  status: number | null,
  what: string,
  fix: string,
  by: Decision,
  route: RouteRef | null = null,
): Trace {
  addHop(stage, { route, decidedBy: [by] });
  return stage.walk.refused({ code, status, proxy: stage.ref, what, fix, by });
}

function whyUnattached(stage: Stage): string {
  const name = `${stage.gateway.config.namespace}/${stage.gateway.config.name}`;
  const reasons = stage.mesh.gatewayApi.unattached
    .filter((item) => item.gateway === name)
    .map(
      (item) =>
        `${item.route.kind} ${item.route.config.namespace}/${item.route.config.name} is not attached: ${item.why}`,
    );
  return reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
}

function forwardHttp(stage: Stage, attachments: readonly Attachment[], http: HttpRequest): Trace {
  const { mesh, gateway } = stage;
  const byHost = new Map<string, Candidate[]>();
  for (const attachment of attachments) {
    const rules = httpRules(attachment.route, mesh.gatewayApi.input, mesh.config.clusterDomain);
    for (const host of hostnamesAt(attachment))
      byHost.set(host, [...(byHost.get(host) ?? []), ...rules.map((rule) => ({ attachment, rule }))]);
  }
  const domains = new DomainIndex<readonly Candidate[]>();
  for (const [host, candidates] of byHost) domains.add(host, candidates);
  const host = hostWithoutPort(http.authority);
  const candidates = domains.match(host);
  if (candidates === undefined) {
    return refuse(
      stage,
      'NR',
      404,
      `no route of Gateway ${gateway.config.namespace}/${gateway.config.name} has hostname ${host}${whyUnattached(stage)}`,
      `add ${host} to the hostnames of a route that is attached`,
      gatewayDecision(gateway, 'spec.listeners'),
    );
  }
  const owner = new Map(candidates.map((candidate) => [candidate.rule, candidate.attachment]));
  for (const rule of byPrecedence(candidates.map((candidate) => candidate.rule))) {
    const clusters = weighted(rule.route, (destination) => destination.host);
    const route: Route = { name: rule.name, rule, match: rule.matches[0] ?? null, clusters, gatewaySemantics: true };
    if (unreadablePart(route) !== undefined) {
      addHop(stage, { route: rule.ref });
      return stage.walk.unknown('a condition of a route can be evaluated only by the proxy');
    }
    if (routeMatches(route, http)) return throughRule(stage, owner.get(rule) as Attachment, route, http);
  }
  const first = candidates[0]?.rule.ref;
  return refuse(
    stage,
    'NR',
    404,
    `no rule for ${host} matches ${http.method} ${http.path}`,
    'add a rule with a match for it',
    first === undefined
      ? gatewayDecision(gateway, 'spec.listeners')
      : { kind: first.kind, namespace: first.namespace, name: first.name, field: 'spec.rules' },
  );
}

/** What a SecurityPolicy asks of a request before it is routed; undefined lets it pass. */
function security(stage: Stage, attachment: Attachment, http: HttpRequest, ref: RouteRef): Trace | undefined {
  const { mesh, gateway } = stage;
  for (const policy of policiesFor('SecurityPolicy', attachment.route, gateway, mesh)) {
    const spec = record(record(policy.body).spec);
    const by = (field: string): Decision => ({
      kind: policy.kind,
      namespace: policy.namespace,
      name: policy.name,
      field: `spec.${field}`,
    });
    const hasToken = http.headers.authorization !== undefined;
    if (optionalRecord(spec.oidc) !== undefined && http.headers.cookie === undefined) {
      return refuse(
        stage,
        'oidc',
        302,
        'a request without a session is sent to the OpenID provider',
        'sign in first',
        by('oidc'),
        ref,
      );
    }
    for (const kind of ['jwt', 'basicAuth', 'apiKeyAuth'] as const) {
      if (optionalRecord(spec[kind]) !== undefined && !hasToken && kind !== 'apiKeyAuth')
        return refuse(
          stage,
          kind,
          401,
          `the request has no credentials for ${kind}`,
          'send an Authorization header',
          by(kind),
          ref,
        );
    }
    const open = ['oidc', 'jwt', 'basicAuth', 'apiKeyAuth', 'extAuth', 'authorization'].find(
      (kind) => optionalRecord(spec[kind]) !== undefined,
    );
    if (open !== undefined) {
      addHop(stage, { route: ref, decidedBy: [by(open)] });
      return stage.walk.unknown(
        `whether SecurityPolicy ${policy.namespace}/${policy.name} lets the request pass hangs on credentials or a service that no manifest shows (${open})`,
      );
    }
  }
  return undefined;
}

function throughRule(stage: Stage, attachment: Attachment, route: Route, http: HttpRequest): Trace {
  const { mesh, gateway, walk } = stage;
  const ref = route.rule?.ref as RouteRef;
  const by: Decision = { kind: ref.kind, namespace: ref.namespace, name: ref.name, field: `spec.${ref.rule}` };
  const held = security(stage, attachment, http, ref);
  if (held !== undefined) return held;
  for (const policy of policiesFor('BackendTrafficPolicy', attachment.route, gateway, mesh)) {
    if (optionalRecord(record(record(policy.body).spec).rateLimit) !== undefined)
      walk.note(`BackendTrafficPolicy ${policy.namespace}/${policy.name} limits the rate: over it the answer is 429`);
  }
  const answer = ownAnswer(route, http);
  if (answer !== undefined)
    return refuse(
      stage,
      answer.code,
      answer.status,
      answer.what,
      answer.code === 'direct_response'
        ? 'give the rule a backend that exists and may be referred to'
        : 'take the filter off to forward',
      by,
      ref,
    );
  const chosen = heaviest(route.clusters);
  if (chosen === undefined || chosen.destination.host === '')
    return refuse(
      stage,
      'direct_response',
      500,
      'the backend may not be referred to, or is none',
      'add a ReferenceGrant in its namespace, or correct the backendRef',
      by,
      ref,
    );
  const onward = rewritten(http, route, chosen.destination);
  return toBackend(stage, attachment, chosen.destination, onward, [], ref, by);
}

function forwardL4(stage: Stage, attachments: readonly Attachment[]): Trace {
  const { mesh, gateway, flight } = stage;
  const sni = outermost(flight.layers)?.sni ?? null;
  for (const attachment of attachments) {
    if (attachment.route.kind !== 'TLSRoute' && attachment.route.kind !== 'TCPRoute') continue;
    const hosts = hostnamesAt(attachment);
    if (attachment.route.kind === 'TLSRoute' && (sni === null || !hosts.some((host) => isSubsetOf(sni, host))))
      continue;
    const rule = l4Rules(attachment.route, mesh.gatewayApi.input, mesh.config.clusterDomain, hosts)[0];
    const chosen = rule === undefined ? undefined : heaviest(weighted(rule.route, (destination) => destination.host));
    if (rule === undefined || chosen === undefined) continue;
    const by: Decision = {
      kind: rule.ref.kind,
      namespace: rule.ref.namespace,
      name: rule.ref.name,
      field: `spec.${rule.ref.rule}`,
    };
    const inner =
      attachment.listener.tls === undefined || attachment.listener.tls.mode === 'Passthrough'
        ? flight.layers
        : flight.layers.slice(0, -1);
    return toBackend(stage, attachment, chosen.destination, null, inner, rule.ref, by);
  }
  return refuse(
    stage,
    'NR',
    null,
    `no TLSRoute or TCPRoute is attached for ${sni ?? `port ${flight.namedPort}`}${whyUnattached(stage)}`,
    "attach a route of the listener's protocol",
    gatewayDecision(gateway, 'spec.listeners'),
  );
}

function toBackend(
  stage: Stage,
  attachment: Attachment,
  destination: RouteDestination,
  http: HttpRequest | null,
  inner: readonly TlsLayer[],
  ref: RouteRef,
  by: Decision,
): Trace {
  const { mesh, walk, workload, flight, gateway } = stage;
  const service = [...mesh.services.named(destination.host).values()].find(
    (candidate) => candidate.registry === 'Kubernetes',
  );
  const port =
    service?.ports.find((candidate) => candidate.port === destination.port) ??
    (destination.port === 0 ? service?.ports[0] : undefined);
  const [, namespace = ''] = destination.host.split('.');
  if (service === undefined || port === undefined) {
    if (service === undefined && !mesh.shows(namespace)) {
      addHop(stage, { route: ref, decidedBy: [by] });
      return walk.unknown(
        `no manifest shows namespace ${namespace}: whether Service ${destination.host} exists cannot be told`,
      );
    }
    return refuse(
      stage,
      'direct_response',
      500,
      `there is no ${service === undefined ? 'Service' : `port ${destination.port} of Service`} ${destination.host}`,
      'correct the backendRef, or create the Service',
      by,
      ref,
    );
  }
  const byService = routingType(stage.proxy, service.resolution === 'PASSTHROUGH') === 'Service';
  const { endpoints, known } = mesh.endpoints.of(service, port, {});
  const endpoint = endpoints[0];
  if (endpoint === undefined && known)
    return refuse(
      stage,
      'UH',
      http === null ? null : 503,
      `nothing that runs is selected by Service ${destination.host}`,
      'correct the selector or the labels of the Pods',
      by,
      ref,
    );
  const tls = backendTls({ namespace: service.namespace, name: service.name }, port.name, mesh);
  const layers: readonly TlsLayer[] =
    tls === undefined ? inner : [...inner, { kind: 'SIMPLE', sni: tls.sni, certificate: '' }];
  addHop(stage, {
    route: ref,
    cluster: `${ref.kind.toLowerCase()}/${ref.namespace}/${ref.name}/${ref.rule.replace(/^rules\[(\d+)\]$/, 'rule/$1')}`,
    sends: wire(http === null ? (layers.length > 0 ? 'TLS' : 'TCP') : 'HTTP', port.port, layers),
    decidedBy: decisions(
      by,
      gatewayDecision(gateway, `spec.listeners[${attachment.listener.index}]`),
      stage.proxy.manifest === undefined
        ? undefined
        : {
            kind: stage.proxy.manifest.kind,
            namespace: stage.proxy.manifest.namespace,
            name: stage.proxy.manifest.name,
            field: 'spec.routingType',
          },
      tls === undefined
        ? undefined
        : {
            kind: tls.manifest.kind,
            namespace: tls.manifest.namespace,
            name: tls.manifest.name,
            field: 'spec.validation.hostname',
          },
    ),
    envoy: {
      ...noMatch(),
      listener: `${gateway.config.namespace}/${gateway.config.name}/${attachment.listener.name}`,
      endpoints: byService
        ? [`${service.address}:${port.port}`]
        : endpoints.map((item) => `${item.address}:${item.port}`),
    },
  });
  const onward: Flight = {
    ...flight,
    from: {
      namespace: workload.namespace,
      serviceAccount: workload.serviceAccount,
      labels: workload.labels,
      address: null,
      workload,
      inMesh: workload.membership === 'sidecar',
    },
    address: byService ? service.address : (endpoint?.address ?? null),
    port: byService ? port.port : (endpoint?.port ?? port.port),
    namedPort: port.port,
    layers,
    http: http ?? flight.http,
    host: service.host,
    sentBy: stage.ref,
  };
  const direct = (): Trace =>
    arrive(
      walk,
      {
        ...onward,
        from: { ...onward.from, inMesh: false },
        address: endpoint?.address ?? null,
        port: endpoint?.port ?? port.port,
      },
      { service, workload: endpoint?.workload, original: false },
      http !== null,
    );
  if (workload.membership !== 'sidecar') return direct();
  const capture = outboundCapture(workload, mesh.config.capture, onward.address, onward.port);
  if (!capture.captured) return direct();
  return throughSidecar(walk, onward, workload, {
    kind: 'sidecar',
    namespace: workload.namespace,
    workload: workload.name,
  });
}
