/** Envoy Gateway's proxies: what is before them, and what its configuration makes them do with a connection. */
import { bypassesInbound } from '../model/ambient-capture';
import { refusedByEnvoy } from '../model/envoy-gateway-chains';
import { passwordsRefusedAt } from '../model/envoy-gateway-passwords';
import {
  containerPort,
  effectiveProxy,
  mergerOf,
  proxyNamespace,
  proxyWorkload,
  whyNotAccepted,
} from '../model/envoy-gateway';
import { streamPolicies } from '../model/envoy-gateway-policies';
import { unwritten } from '../model/envoy-gateway-unwritten';
import type { ApiGateway } from '../model/gateway-api';
import { shownName } from '../model/workloads';
import { inboundCapture } from './capture';
import { through } from './connection';
import { droppedBefore } from './enter';
import { matchFilterChain } from './envoy';
import { streamVerdict } from './envoy-gateway-authorization';
import { listenerAt, routesAt, streamTarget, type ServedChain, type StreamTarget } from './envoy-gateway-config';
import { envoyGatewayPlane, unattachedToEnvoyGateway } from './envoy-gateway-plane';
import { gatewayDecision, gatewayRef, listenerDecision, type Stage } from './envoy-gateway-stage';
import { accessOf, type Filter } from './filters';
import { brokenStatus, hopOf, protocolOf, type Incoming } from './hop';
import { assumption, gap, remark } from './notes';
import { refOf } from './refs';
import { refused, unknown, type EnvoyGatewayProxies, type Step } from './step';
import type { ProxyRef, Refused } from './types';
import { connectionOf, decisions, noMatch, outermost, wire, type Flight, type Walk } from './walk';

/** A connection from outside to the Pods that Envoy Gateway runs for a Gateway: to the proxies, or before that to what is in the mesh before them. */
export function beforeEnvoyGateway(walk: Walk, flight: Flight, gateway: ApiGateway): Step {
  const { mesh } = walk;
  const proxy = effectiveProxy(gateway, mesh.gatewayApi.input);
  const home = mesh.remember(gateway, 'home', () => proxyNamespace(gateway, mesh));
  const info = mesh.namespaces.get(home);
  const workload = proxyWorkload(gateway, proxy, info, home, mergerOf(gateway, mesh) !== undefined);
  if (info === undefined && workload.membership === 'none')
    walk.note(assumption({ kind: 'proxies-without-sidecar', namespace: home }));
  const port = containerPort(gateway, flight.namedPort, mesh.gatewayApi.input);
  const dropped = droppedBefore(walk, flight, workload, port);
  if (dropped !== undefined) return dropped;
  const proxies = { gateway, proxy, workload, home };
  const behind = { proxies, port: flight.port };
  if (workload.membership === 'ztunnel' && !bypassesInbound(workload.annotations))
    return { then: { at: 'inbound-ztunnel', flight: { ...flight, port }, workload, behind } };
  if (workload.membership === 'sidecar' && inboundCapture(workload, mesh.servedTo(workload).config.capture, port))
    return { then: { at: 'inbound-sidecar', flight: { ...flight, port }, workload, behind } };
  return { then: { at: 'envoy-gateway', flight, proxies } };
}

/** What the proxies do with what has come to them: listener by port and SNI, route by host and match, backend. */
export function throughProxies(
  walk: Walk,
  flight: Flight,
  { gateway, proxy, workload, home }: EnvoyGatewayProxies,
): Step {
  const { mesh } = walk;
  const stage: Stage = { walk, mesh, gateway, proxy, workload, flight };
  const own: ProxyRef = { kind: 'envoy-gateway', namespace: home, workload: shownName(workload) };
  const { namedPort } = flight;
  const listener = listenerAt(stage, namedPort);
  const matched = matchFilterChain(listener, connectionOf(flight)) as ServedChain | null;
  const receives = wire(protocolOf(flight), namedPort, flight.layers);
  const incoming: Incoming = { proxy: own, receives, envoy: { ...noMatch(), listener: listener.name }, decidedBy: [] };
  const closed = ({ reason, by }: Pick<Refused, 'reason' | 'by'>): Step =>
    refused(hopOf(incoming, { decidedBy: decisions(by ?? undefined) }), { code: 'NR', status: brokenStatus(flight), proxy: own, reason, by }); // prettier-ignore
  const notAccepted = whyNotAccepted(gateway, mesh);
  if (notAccepted !== undefined) {
    const field = notAccepted.is === 'address-of-other-type' ? 'spec.addresses' : 'spec.infrastructure.parametersRef';
    return closed({ reason: { kind: 'gateway-not-accepted', gateway: gatewayRef(gateway), problem: notAccepted }, by: gatewayDecision(gateway, field) }); // prettier-ignore
  }
  const left = unwritten(gateway, mesh);
  if (left !== undefined) {
    const by = { ...left.policy, field: `spec.authorization.rules[${left.rule}]` };
    return unknown(hopOf(incoming, { decidedBy: decisions(by) }), gap({ kind: 'configuration-not-written', ...left }));
  }
  const refusal = mesh.remember(gateway, `refused ${namedPort}`, () => refusedByEnvoy(mesh.gatewayApi, gateway, namedPort) ?? passwordsRefusedAt(mesh, gateway, namedPort)); // prettier-ignore
  if (refusal?.is === 'listener') {
    const [at] = refusal.at;
    const { problem } = refusal;
    const by =
      problem.is === 'passwords'
        ? { ...problem.policy, field: 'spec.basicAuth.users' }
        : at === undefined
          ? gatewayDecision(gateway, 'spec.listeners')
          : listenerDecision(at);
    return closed({ reason: { kind: 'listener-refused-by-envoy', problem }, by });
  }
  const stream = matched?.routeConfig === null ? streamTarget(stage, matched, outermost(flight.layers)?.sni ?? null) : undefined; // prettier-ignore
  return through(walk, {
    flight,
    proxy: own,
    plane: envoyGatewayPlane(stage, matched, refusal),
    listener,
    chain: matched?.routeConfig === null ? streamChain(stage, matched, stream) : matched,
    filters: stream === undefined ? [] : [streamFilter(stream)],
    routeConfig: (name) =>
      matched === null || refusal !== undefined ? { name, match: () => undefined, hosts: () => [] } : routesAt(stage, matched), // prettier-ignore
  });
}

/** A chain of TLS that is left on, or of TCP, with the route that takes the connection, if any. */
function streamChain(
  { mesh, gateway, flight }: Stage,
  chain: ServedChain,
  stream: StreamTarget | undefined,
): ServedChain {
  if (stream !== undefined) return { ...chain, tcp: stream };
  const sni = outermost(flight.layers)?.sni ?? null;
  const reason = { kind: 'no-l4-route', sni, port: flight.namedPort, unattached: unattachedToEnvoyGateway(mesh, gateway) } as const; // prettier-ignore
  return {
    ...chain,
    unusable: chain.unusable ?? { code: 'NR', reason, by: gatewayDecision(gateway, 'spec.listeners') },
  };
}

/** What SecurityPolicies make of a connection: a network filter before the route's own closes it. */
function streamFilter({ place, ref }: StreamTarget): Filter {
  return (at, http) => {
    const { walk } = at;
    const { authorization, refused: others } = streamPolicies(place, walk.mesh);
    for (const { policy, why } of others)
      walk.note(remark({ kind: 'policy-not-for-route', policy: refOf(policy.manifest), route: refOf(ref), problem: why })); // prettier-ignore
    return (authorization && streamVerdict(walk.mesh, authorization, accessOf(at, null))) ?? { is: 'passed', http };
  };
}
