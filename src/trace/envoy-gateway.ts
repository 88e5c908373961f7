import { brokenReferences } from '../model/envoy-gateway-references';
import { hostnamesAt, type Attachment } from '../model/attachments';
import { chainFor, chainsAt, refusedByEnvoy, servedAt, type Served } from '../model/envoy-gateway-chains';
import {
  effectiveProxy,
  containerPort,
  mergerOf,
  proxyNamespace,
  proxyWorkload,
  whyNotAccepted,
} from '../model/envoy-gateway';
import {
  clientTrafficPolicy,
  type EffectivePolicy,
  effectivePolicy,
  ownFilters,
  patchPolicy,
  routingTypeAt,
  streamPolicies,
} from '../model/envoy-gateway-policies';
import { clientFault } from '../model/envoy-gateway-client-faults';
import { extensionFault, foreignCode } from '../model/envoy-gateway-extension-faults';
import { trafficFault } from '../model/envoy-gateway-traffic-faults';
import { limitsGlobally } from '../model/envoy-gateway-settings';
import { optionalRecord, record, records, text } from '../model/fields';
import { routeFault } from '../model/envoy-gateway-rules';
import type { ApiGateway, ApiRoute } from '../model/gateway-api';
import { l4Rules } from '../model/gateway-api-rules';
import type { Mesh } from '../model/mesh';
import { isSubsetOf } from '../model/hostnames';
import { shownName } from '../model/workloads';
import { Asked } from './ask';
import { hostWithoutPort } from './envoy';
import { toBackend } from './envoy-gateway-backend';
import { attachedAt, candidatesAt, type Candidate } from './envoy-gateway-candidates';
import { connectionVerdict, demandsCertificate, requestVerdict } from './envoy-gateway-listener';
import {
  frontendDecision,
  hopOf,
  gatewayDecision,
  gatewayRef,
  listenerDecision,
  refuse,
  reply,
  type Stage,
} from './envoy-gateway-stage';
import { droppedBefore } from './enter';
import { inboundCapture } from './capture';
import { handshake } from './handshake';
import { copiesOf, firstRoute, rewritten, toldCopies, weighted, type HttpRequest, type Route } from './http-routes';
import { streamVerdict } from './envoy-gateway-authorization';
import { applyOwnFilters, type AtRule, type OwnFilters, isGlobalLimit, policyVerdict } from './envoy-gateway-policies';
import { firstOf, sharesOf } from './envoy-gateway-shares';
import { decision } from './envoy-gateway-verdict';
import { assumption, gap, type Gap, remark } from './notes';
import { ownAnswer, replyOf } from './own-answer';
import type { Reason } from './reasons';
import { refOf } from './refs';
import { unknown, type EnvoyGatewayProxies, type Step } from './step';
import type { Decision, Hop, ProxyRef, RouteRef, WireProtocol } from './types';
import { outermost, wire, type Flight, type Walk } from './walk';

/** A connection from outside to the Pods that Envoy Gateway runs for a Gateway: to the proxies, or before that to what is in the mesh before them. */
export function beforeEnvoyGateway(walk: Walk, flight: Flight, gateway: ApiGateway): Step {
  const { mesh } = walk;
  const proxy = effectiveProxy(gateway, mesh);
  const home = mesh.remember(gateway, 'home', () => proxyNamespace(gateway, mesh));
  const info = mesh.namespaces.get(home);
  const workload = proxyWorkload(gateway, proxy, info, home, mergerOf(gateway, mesh) !== undefined);
  if (info === undefined && workload.membership === 'none')
    walk.note(assumption({ kind: 'proxies-without-sidecar', namespace: home }));
  const port = containerPort(gateway, flight.namedPort, mesh);
  const dropped = droppedBefore(walk, flight, workload, port);
  if (dropped !== undefined) return dropped;
  const proxies = { gateway, proxy, workload, home };
  const behind = { proxies, port: flight.port };
  if (workload.membership === 'ztunnel')
    return { then: { at: 'inbound-ztunnel', flight: { ...flight, port }, workload, behind } };
  if (workload.membership === 'sidecar' && inboundCapture(workload, mesh.config.capture, port))
    return { then: { at: 'inbound-sidecar', flight: { ...flight, port }, workload, behind } };
  return { then: { at: 'envoy-gateway', flight, proxies } };
}

/** What the proxies do with what has come to them: listener by port and SNI, route by host and match, backend. */
export function throughProxies(walk: Walk, flight: Flight, proxies: EnvoyGatewayProxies): Step {
  const { gateway, proxy, workload, home } = proxies;
  const { mesh } = walk;
  const ref: ProxyRef = { kind: 'envoy-gateway', namespace: home, workload: shownName(workload) };
  const outer = outermost(flight.layers);
  const onPort = mesh.remember(gateway, `served ${flight.namedPort}`, () => servedAt(mesh.gatewayApi, gateway, flight.namedPort)); // prettier-ignore
  const sni = outer?.sni ?? null;
  const chain = chainFor(mesh.remember(gateway, `chains ${flight.namedPort}`, () => chainsAt(mesh.gatewayApi, gateway, flight.namedPort)), sni); // prettier-ignore
  const plain = onPort.filter(({ listener }) => listener.protocol === 'HTTP');
  const listeners: readonly Served[] = chain !== undefined ? [chain] : outer === undefined ? plain : [];
  const [first] = listeners;
  const policy = first === undefined ? undefined : clientTrafficPolicy(first, plain, mesh);
  const terminates =
    ['HTTPS', 'TLS'].includes(first?.listener.protocol ?? '') && first?.listener.tls?.mode !== 'Passthrough';
  const at = (): Decision =>
    first === undefined ? gatewayDecision(gateway, 'spec.listeners') : listenerDecision(first);
  const readsHttp = first?.listener.protocol === 'HTTP' || first?.listener.protocol === 'HTTPS';
  const protocol: WireProtocol =
    readsHttp && flight.http !== null ? 'HTTP' : outer !== undefined && !terminates ? 'TLS' : 'TCP';
  const receives: Hop['receives'] = {
    ...wire(protocol, flight.namedPort, flight.layers),
    ...(outer !== undefined && terminates
      ? { tls: demandsCertificate(policy, first?.listener.frontend) ? ('MUTUAL' as const) : ('SIMPLE' as const) }
      : {}),
  };
  const stage: Stage = { walk, mesh, gateway, proxy, workload, ref, flight, receives, clientFault: ofClient(mesh, first, policy) }; // prettier-ignore
  const notAccepted = whyNotAccepted(gateway, mesh);
  if (notAccepted !== undefined)
    return refuse(stage, 'NR', null, { kind: 'gateway-not-accepted', gateway: gatewayRef(gateway), detail: notAccepted.detail, cure: notAccepted.cure }, gatewayDecision(gateway, notAccepted.field ?? 'spec.infrastructure.parametersRef')); // prettier-ignore
  const refused = mesh.remember(gateway, `refused ${flight.namedPort}`, () => refusedByEnvoy(mesh.gatewayApi, gateway, flight.namedPort)); // prettier-ignore
  const refusedBy = (): Decision => (refused?.at[0] === undefined ? at() : listenerDecision(refused.at[0]));
  if (refused?.is === 'listener') return refuse(stage, 'NR', null, { kind: 'listener-refused-by-envoy', detail: refused.what, cure: refused.fix }, refusedBy()); // prettier-ignore
  if (listeners.length === 0) {
    const idle = gateway.listeners.find(
      (listener) => listener.port === flight.namedPort && listener.problem !== undefined,
    );
    if (idle !== undefined)
      return refuse(stage, 'NR', null, { kind: 'listener-not-programmed', gateway: gatewayRef(gateway), listener: idle.name, detail: idle.problem ?? '', cure: idle.cure ?? '' }, listenerDecision({ gateway, listener: idle })); // prettier-ignore
    const udp = onPort.find(({ listener }) => listener.protocol === 'UDP')?.listener;
    const place = { gateway: gatewayRef(gateway), port: flight.namedPort };
    const reason: Reason =
      udp !== undefined
        ? { kind: 'listener-takes-udp', listener: udp.name, ...place }
        : onPort.length > 0
          ? { kind: 'no-listener-for-connection', isTls: outer !== undefined, sni, ...place }
          : { kind: 'no-listener-on-port', ...place };
    return refuse(stage, 'NR', null, reason, gatewayDecision(gateway, 'spec.listeners'));
  }
  if (terminates && outer === undefined)
    return refuse(stage, 'UF', null, { kind: 'tls-expected', listener: first?.listener.name ?? '', mode: null }, at());
  const patch = patchPolicy(gateway, mesh);
  if (patch !== undefined)
    return undecided(stage, gap({ kind: 'patch-policy', policy: refOf(patch.manifest) })); // prettier-ignore
  const held = connectionVerdict(policy, terminates ? outer : undefined, first?.listener);
  if (held?.is === 'unknown') return undecided(stage, held.why, held.by);
  if (held !== undefined)
    return refuse(stage, held.code, held.status, held.reason, held.by ?? frontendDecision(gateway, first) ?? at());
  if (
    demandsCertificate(policy, first?.listener.frontend) &&
    terminates &&
    handshake('MUTUAL', outer) === 'certificate-assumed'
  )
    walk.note(assumption({ kind: 'client-certificate', namespace: home, workload: workload.name }));
  if (protocol !== 'HTTP' && stage.clientFault !== undefined) {
    const { policy: by, field, what, fix } = stage.clientFault;
    return refuse(stage, 'NC', null, { kind: 'policy-not-usable', policy: refOf(by.manifest), problem: 'invalid', detail: what, cure: fix }, decision(by, field)); // prettier-ignore
  }
  if (protocol !== 'HTTP') return forwardL4(stage, attachedAt(stage, listeners));
  if (flight.http === null)
    return refuse(
      stage,
      'DPE',
      null,
      { kind: 'http-expected', got: 'other', byEnvoyGateway: true },
      gatewayDecision(gateway, 'spec.listeners'),
    );
  const read = requestVerdict(policy, flight.http, outer !== undefined);
  if (read.is === 'refused') return reply(stage, { ...read, by: read.by ?? at() });
  if (refused !== undefined) return refuse(stage, 'NR', 404, { kind: 'listener-refused-by-envoy', detail: refused.what, cure: refused.fix }, refusedBy()); // prettier-ignore
  return forwardHttp(stage, listeners, (read.is === 'taken' ? read.http : null) ?? flight.http);
}

function ofClient(mesh: Mesh, first: Served | undefined, policy: EffectivePolicy | undefined): Stage['clientFault'] {
  const fault = first && policy && clientFault(policy, first.listener, attachedAt({ mesh }, [first]), mesh);
  return fault && policy && { policy, ...fault };
}

function undecided(stage: Stage, why: Gap, ...by: readonly Decision[]): Step {
  return unknown(hopOf(stage, { decidedBy: by }), why);
}

function whyUnattached({ mesh, gateway }: Stage): readonly string[] {
  const name = `${gateway.config.namespace}/${gateway.config.name}`;
  const told = (route: ApiRoute, why: string): string =>
    `${route.kind} ${route.config.namespace}/${route.config.name} is not attached: ${why}`;
  const attached = new Set(mesh.gatewayApi.attachedTo(gateway).map(({ route }) => route));
  return [
    ...mesh.gatewayApi.unattached.filter((item) => item.gateway === name).map(({ route, why }) => told(route, why)),
    ...[...attached].flatMap((route) => {
      const fault = routeFault(route, mesh);
      return fault === undefined ? [] : [told(route, `Envoy Gateway accepts none of its rules, since ${fault.detail}`)];
    }),
  ];
}

function forwardHttp(stage: Stage, listeners: readonly Served[], http: HttpRequest): Step {
  const { gateway } = stage;
  const host = hostWithoutPort(http.authority.name);
  const candidates = candidatesAt(stage, listeners).match(host)?.();
  if (candidates === undefined) {
    return refuse(
      stage,
      'NR',
      404,
      { kind: 'no-hostname', gateway: gatewayRef(gateway), host, unattached: whyUnattached(stage) },
      gatewayDecision(gateway, 'spec.listeners'),
    );
  }
  const found = firstRoute(candidates, http);
  if (found?.isOpen === true)
    return unknown(hopOf(stage, { route: found.route.rule.ref }), gap({ kind: 'condition-for-proxy-only', byEnvoyGateway: true })); // prettier-ignore
  if (found !== undefined) return throughRule(stage, found.route, http);
  const first = candidates[0]?.rule.ref;
  return refuse(
    stage,
    'NR',
    404,
    { kind: 'no-rule-matches', of: `rule for ${host}`, method: `${http.method}`, path: `${http.path}` },
    first === undefined
      ? gatewayDecision(gateway, 'spec.listeners')
      : { kind: first.kind, namespace: first.namespace, name: first.name, field: 'spec.rules' },
  );
}

/** Whether a rule sends on what it takes: not one that answers, nor one none of whose backends is there. */
function forwards({ mesh }: Stage, { rule, clusters }: Route): boolean {
  if (rule === null || rule.redirect !== undefined || rule.directResponse !== undefined) return false;
  return clusters.some(
    ({ destination: { host, port } }) =>
      /^(Backend|ServiceImport) /.test(host) ||
      [...mesh.services.named(host).values()].some(({ ports }) => ports.some((one) => one.port === port)),
  );
}

function throughRule(stage: Stage, route: Candidate, http: HttpRequest): Step {
  const { mesh, walk } = stage;
  const { attachment, own, fault } = route;
  const { ref } = route.rule;
  const by: Decision = { kind: ref.kind, namespace: ref.namespace, name: ref.name, field: `spec.${ref.rule}` };
  const place = { ...attachment, rule: text(own.name) };
  const traffic = effectivePolicy('BackendTrafficPolicy', place, mesh);
  const security = effectivePolicy('SecurityPolicy', place, mesh);
  const { extension, faults } = policyFaults(stage, traffic, effectivePolicy('EnvoyExtensionPolicy', place, mesh));
  const limits = traffic && mesh.remember(traffic.manifest, 'limits globally', () => limitsGlobally(mesh));
  const found = ownFilters(attachment.route, own, mesh);
  if (traffic !== undefined && !faults.some(({ policy }) => policy === traffic)) walk.overrides.unshift(traffic);
  const failed: OwnFilters['answer'] = fault && { status: 500, reason: { kind: 'filter-not-usable', detail: fault.detail, cure: fault.cure } }; // prettier-ignore
  const filters = { ...applyOwnFilters(found, http), ...(failed === undefined ? {} : { answer: failed }) };
  const verdict = policyVerdict({
    proxy: stage.proxy.spec,
    traffic,
    security,
    extension,
    faults,
    cors: route.rule.corsPolicy === undefined ? undefined : by,
    limitsGlobally: limits,
    broken: security === undefined ? [] : mesh.remember(security.manifest, 'broken references', () => brokenReferences(security.manifest, mesh)), // prettier-ignore
    forwards: route.isForPreflights === true || (filters.answer === undefined && forwards(stage, route)),
    http: { ...http, source: stage.flight.from.address },
  });
  if (verdict?.is === 'refused') return reply(stage, verdict, ref);
  if (verdict?.is === 'unknown') {
    return unknown(hopOf(stage, { route: ref, decidedBy: [verdict.by] }), verdict.why);
  }
  if (traffic !== undefined && optionalRecord(traffic.spec.rateLimit) !== undefined) {
    const isUncertain = limits === undefined && isGlobalLimit(traffic);
    walk.note(remark({ kind: 'rate-limited', policy: refOf(traffic.manifest), isUncertain }));
  }
  if (fault === undefined && found.includes(null)) {
    return unknown(hopOf(stage, { route: ref, decidedBy: [by] }), gap({ kind: 'filter-not-shown', route: refOf(ref) }));
  }
  if (filters.answer !== undefined) return reply(stage, { code: 'direct_response', ...filters.answer, by }, ref);
  const answer = ownAnswer(route, http, stage.flight.namedPort);
  if (answer !== undefined)
    return reply(
      stage,
      {
        ...replyOf(answer),
        ...(answer.field === 'directResponse'
          ? { reason: { kind: 'direct-response', status: answer.status, filter: false, byEnvoyGateway: true } }
          : {}),
        by,
      },
      ref,
    );
  const { backends, apart } = sharesOf(stage, route, place, traffic);
  const chosen = walk.choose(backends, copiesOf(route));
  if (chosen === undefined || chosen.destination.host === '')
    return refuse(stage, 'direct_response', 500, { kind: 'backend-not-granted' }, by, ref);
  noteShares(walk, backends);
  const onward = rewritten(http, route, chosen.destination);
  const authority =
    filters.authority === null ? Asked.fixed(chosen.destination.host) : (filters.authority ?? onward.authority);
  const asked = { ...onward, authority, path: filters.path ?? onward.path };
  return toBackend({
    stage,
    attachment,
    destination: chosen.destination,
    routing: routingTypeAt(place, mesh),
    http: asked,
    inner: [],
    ref,
    by,
    cluster: clusterOf(ref, apart && chosen.index >= 0 ? chosen.index : undefined),
    copies: toldCopies(route.mirrors ?? []),
  });
}

/** What Envoy Gateway does not take of the policies for a rule, and the code of others that requests are handed to. */
function policyFaults(
  { mesh, proxy, clientFault }: Stage,
  traffic: EffectivePolicy | undefined,
  extension: EffectivePolicy | undefined,
): Pick<AtRule, 'extension' | 'faults'> {
  const ofTraffic = traffic && trafficFault(traffic, mesh);
  const code = extension === undefined ? [] : foreignCode(extension.manifest, extension.spec, proxy.spec, mesh);
  const ofExtension = extensionFault(code);
  const running = ofExtension === undefined ? code.find(({ fault }) => fault === undefined) : undefined;
  return {
    extension:
      extension === undefined || running === undefined ? undefined : { policy: extension, field: running.part },
    faults: [
      ...(clientFault === undefined ? [] : [clientFault]),
      ...(traffic === undefined || ofTraffic === undefined ? [] : [{ policy: traffic, ...ofTraffic }]),
      ...(extension === undefined || ofExtension === undefined ? [] : [{ policy: extension, ...ofExtension }]),
    ],
  };
}

/** The name that Envoy Gateway gives a cluster: of a rule, of one of its backends, or of a route of TCP or TLS (irRouteDestinationName). */
function clusterOf({ kind, namespace, name, rule }: RouteRef, backend?: number): string {
  const index = kind === 'TCPRoute' || kind === 'TLSRoute' ? -1 : Number(/\d+/.exec(rule)?.[0] ?? 0);
  return `${kind.toLowerCase()}/${namespace}/${name}/rule/${index}${backend === undefined ? '' : `/backend/${backend}`}`;
}

/** Envoy Gateway keeps all backends of a rule in one cluster, so that no other cluster's name tells of the rest. */
function noteShares(walk: Walk, clusters: Route['clusters']): void {
  const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
  if (clusters.length < 2 || total === 0) return;
  const shares = clusters.map(({ destination: { host }, weight }) => ({
    host: host === '' ? null : host,
    percent: Math.round((1000 * weight) / total) / 10,
  }));
  walk.note(remark({ kind: 'backends-weighted', shares }));
}

interface L4Candidate {
  readonly attachment: Attachment;
  readonly hosts: readonly string[];
}

/** The routes of TLS that take an SNI, those first whose hostname says the most of it; and routes of TCP. */
function nearest(attachments: readonly Attachment[], sni: string | null): readonly L4Candidate[] {
  const said = (hosts: readonly string[]): number =>
    Math.max(-1, ...hosts.filter((host) => sni !== null && isSubsetOf(sni, host)).map((host) => (host === sni ? Infinity : host.length))); // prettier-ignore
  return attachments
    .filter(({ route }) => route.kind === 'TLSRoute' || route.kind === 'TCPRoute')
    .map((attachment) => {
      const hosts = hostnamesAt(attachment);
      return { attachment, hosts, rank: attachment.route.kind === 'TCPRoute' ? 0 : said(hosts) };
    })
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => (a.rank === b.rank ? 0 : b.rank - a.rank));
}

/** The name that a rule has itself, by which policies refer to it; empty for none. */
function nameOfRule({ route }: Attachment, { rule }: RouteRef): string {
  return text(record(records(route.config.spec.rules)[Number(/\d+/.exec(rule)?.[0] ?? 0)]).name);
}

/** What SecurityPolicies make of a connection: a network filter before the route's own closes it. */
function streamHeld(stage: Stage, attachment: Attachment, ref: RouteRef): Step | undefined {
  const { mesh, walk, flight } = stage;
  const { authorization, refused } = streamPolicies({ ...attachment, rule: nameOfRule(attachment, ref) }, mesh);
  for (const { policy, why } of refused)
    walk.note(remark({ kind: 'policy-not-for-route', policy: refOf(policy.manifest), route: refOf(ref), detail: why }));
  const verdict = authorization && streamVerdict(authorization, flight.from.address);
  if (verdict === undefined) return undefined;
  if (verdict.is === 'refused') return refuse(stage, verdict.code, null, verdict.reason, verdict.by, ref);
  return unknown(hopOf(stage, { route: ref, decidedBy: [verdict.by] }), verdict.why);
}

function forwardL4(stage: Stage, attachments: readonly Attachment[]): Step {
  const { mesh, gateway, flight } = stage;
  const sni = outermost(flight.layers)?.sni ?? null;
  for (const { attachment, hosts } of nearest(attachments, sni)) {
    const rule = l4Rules(attachment.route, mesh.gatewayApi.input, mesh.config.clusterDomain, hosts, {
      byEnvoyGateway: true,
    })[0];
    const backends =
      rule === undefined
        ? []
        : firstOf(
            stage,
            weighted(rule.route, ({ host }) => host),
          );
    const chosen = stage.walk.choose(backends);
    if (rule === undefined || chosen === undefined) continue;
    const by: Decision = {
      kind: rule.ref.kind,
      namespace: rule.ref.namespace,
      name: rule.ref.name,
      field: `spec.${rule.ref.rule}`,
    };
    const held = streamHeld(stage, attachment, rule.ref);
    if (held !== undefined) return held;
    noteShares(stage.walk, backends);
    const inner =
      attachment.listener.tls === undefined || attachment.listener.tls.mode === 'Passthrough'
        ? flight.layers
        : flight.layers.slice(0, -1);
    const routing = routingTypeAt({ ...attachment, rule: nameOfRule(attachment, rule.ref) }, mesh);
    return toBackend({ stage, attachment, destination: chosen.destination, routing, http: null, inner, ref: rule.ref, by, cluster: clusterOf(rule.ref) }); // prettier-ignore
  }
  return refuse(
    stage,
    'NR',
    null,
    { kind: 'no-l4-route', sni, port: flight.namedPort, unattached: whyUnattached(stage) },
    gatewayDecision(gateway, 'spec.listeners'),
  );
}
