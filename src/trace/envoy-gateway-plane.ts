/** What Envoy Gateway's proxies have for themselves: how they read requests, reach backends, and why there is no chain, host or route for what comes. */
import { servedAt, type EnvoyRefusal } from '../model/envoy-gateway-chains';
import { routeFault } from '../model/envoy-gateway-rules';
import type { ApiGateway } from '../model/gateway-api';
import type { Mesh } from '../model/mesh';
import { hostWithoutPort } from './envoy';
import type { Candidate } from './envoy-gateway-candidates';
import { backendCluster } from './envoy-gateway-clusters';
import type { ServedChain, StreamTarget } from './envoy-gateway-config';
import { requestVerdict } from './envoy-gateway-listener';
import { sendToBackend } from './envoy-gateway-send';
import { clusterNameOf, gatewayDecision, gatewayRef, listenerDecision, type Stage } from './envoy-gateway-stage';
import { heldBy, type Past } from './filters';
import { hopOf, type Absent, type ControlPlane, type Incoming } from './hop';
import type { HttpRequest, Route, VirtualHost, WeightedRoute } from './http-routes';
import { remark } from './notes';
import { refOf } from './refs';
import { refused, type Step } from './step';
import { decisions, type TlsLayer, type Walk } from './walk';
import type { UnattachedRoute } from './reasons';
import { unattachedRoute, unattachedTo } from './unattached';

/** @param refusal the routes of the port that Envoy does not take */
export function envoyGatewayPlane(
  stage: Stage,
  chain: ServedChain | null,
  refusal: EnvoyRefusal | undefined,
): ControlPlane {
  const { walk } = stage;
  return {
    byEnvoyGateway: true,
    reads: (incoming, http) => reads(stage, chain, incoming, http),
    send: (onward, chosen, by) => {
      // What it chooses from is what Envoy Gateway made.
      const { place, ref } = by as Candidate | StreamTarget;
      const { destination, name: cluster = clusterNameOf(ref) } = chosen as WeightedRoute;
      return sendToBackend({ stage, onward, place, ref }, backendCluster(stage, { place, destination }, cluster));
    },
    sharesOf: (by) => {
      noteShares(walk, (by as Candidate | StreamTarget).clusters);
      return [];
    },
    mayHave: () => true,
    isDeadEnd: () => false,
    keyWithheld: () => undefined,
    noTls: ({ name }) => ({ kind: 'tls-expected', listener: name.split('/')[2] ?? '', mode: null }),
    noChain: (_listener, outer) => noChain(stage, outer),
    noHost: (incoming, _routes, http) => noHost(stage, incoming, http, refusal),
    noRoute: (incoming, host, http) => noRoute(stage, incoming, host, http),
  };
}

/** The request as routes see it, by the listener's ClientTrafficPolicy. */
function reads({ flight, mesh }: Stage, chain: ServedChain | null, incoming: Incoming, http: HttpRequest): Past {
  const read = requestVerdict(chain?.policy, http, flight.layers.length > 0, mesh.config);
  if (read.is === 'passed') return read;
  const verdict = { ...read, by: read.by ?? incoming.decidedBy[0] };
  return { held: heldBy(verdict, hopOf(incoming, { decidedBy: decisions(verdict.by, ...incoming.decidedBy) })) };
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

/** A connection on a port where nothing listens, or nothing for such a one. */
function noChain({ mesh, gateway, flight: { namedPort: port } }: Stage, outer: TlsLayer | undefined): Absent {
  const own = gatewayRef(gateway);
  const idle = gateway.listeners.find((listener) => listener.port === port && listener.problem !== undefined);
  if (idle?.problem !== undefined)
    return {
      reason: { kind: 'listener-not-programmed', gateway: own, listener: idle.name, problem: idle.problem },
      by: listenerDecision({ gateway, listener: idle }),
    };
  const served = servedAt(mesh.gatewayApi, gateway, port);
  const udp = served.find(({ listener }) => listener.protocol === 'UDP')?.listener;
  const by = gatewayDecision(gateway, 'spec.listeners');
  if (udp !== undefined) return { reason: { kind: 'listener-takes-udp', listener: udp.name, gateway: own, port }, by };
  if (served.length === 0) return { reason: { kind: 'no-listener-on-port', gateway: own, port }, by };
  const [isTls, sni] = [outer !== undefined, outer?.sni ?? null];
  return { reason: { kind: 'no-listener-for-connection', isTls, sni, gateway: own, port }, by };
}

function noHost(
  { mesh, gateway }: Stage,
  incoming: Incoming,
  http: HttpRequest,
  refusal: EnvoyRefusal | undefined,
): Step {
  const host = hostWithoutPort(http.authority.name);
  const [at] = refusal?.at ?? [];
  return notFound(incoming, {
    reason:
      refusal === undefined
        ? {
            kind: 'no-hostname',
            gateway: gatewayRef(gateway),
            host,
            unattached: unattachedToEnvoyGateway(mesh, gateway),
            closer: null,
          }
        : { kind: 'listener-refused-by-envoy', problem: refusal.problem },
    by: at === undefined ? gatewayDecision(gateway, 'spec.listeners') : listenerDecision(at),
  });
}

function noRoute({ gateway }: Stage, incoming: Incoming, { routes }: VirtualHost, http: HttpRequest): Step {
  const first = routes[0]?.rule?.ref;
  const of = `rule for ${hostWithoutPort(http.authority.name)}`;
  return notFound(incoming, {
    reason: { kind: 'no-rule-matches', of, method: `${http.method}`, path: `${http.path}` },
    by: first === undefined ? gatewayDecision(gateway, 'spec.listeners') : { ...refOf(first), field: 'spec.rules' },
  });
}

function notFound(incoming: Incoming, absent: Absent): Step {
  const hop = hopOf(incoming, { decidedBy: decisions(absent.by ?? undefined, ...incoming.decidedBy) });
  return refused(hop, { code: 'NR', status: 404, proxy: incoming.proxy, ...absent });
}

/** Routes that name a Gateway and are not attached to it, or have no rule that is accepted. */
export function unattachedToEnvoyGateway(mesh: Mesh, gateway: ApiGateway): readonly UnattachedRoute[] {
  const name = `${gateway.config.namespace}/${gateway.config.name}`;
  const attached = new Set(mesh.gatewayApi.attachedTo(gateway).map(({ route }) => route));
  return [
    ...unattachedTo(mesh, name),
    ...[...attached].flatMap((route) => {
      const fault = routeFault(route, mesh);
      return fault === undefined ? [] : [unattachedRoute(route, { is: 'no-rule-accepted', problem: fault.problem })];
    }),
  ];
}
