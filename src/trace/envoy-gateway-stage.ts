/** What the steps at a proxy of Envoy Gateway's share. */
import type { EffectiveProxy } from '../model/envoy-gateway';
import type { Served } from '../model/envoy-gateway-chains';
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import type { PolicyFault } from '../model/envoy-gateway-traffic-faults';
import type { ApiGateway } from '../model/gateway-api';
import type { Mesh } from '../model/mesh';
import type { Workload } from '../model/workloads';
import type { Reason } from './reasons';
import { refused, replied, type Step } from './step';
import type { Decision, Hop, ObjectRef, ProxyRef, RouteRef } from './types';
import { noMatch, type Flight, type Walk } from './walk';

/** A connection at the proxies of a Gateway of Envoy Gateway's. */
export interface Stage {
  readonly walk: Walk;
  readonly mesh: Mesh;
  readonly gateway: ApiGateway;
  readonly proxy: EffectiveProxy;
  readonly workload: Workload;
  readonly ref: ProxyRef;
  readonly flight: Flight;
  readonly receives: Hop['receives'];
  /** What Envoy Gateway does not take of the listener's ClientTrafficPolicy. */
  readonly clientFault?: (PolicyFault & { readonly policy: EffectivePolicy }) | undefined;
}

export function gatewayRef({ config: { namespace, name } }: ApiGateway): ObjectRef {
  return { kind: 'Gateway', namespace, name };
}

export function gatewayDecision(gateway: ApiGateway, field: string): Decision {
  return { ...gatewayRef(gateway), field };
}

/** The field by which a Gateway asks clients for certificates at a listener. */
export function frontendDecision(gateway: ApiGateway, served: Served | undefined): Decision | undefined {
  const field = served?.listener.frontend?.field;
  return field === undefined ? undefined : gatewayDecision(gateway, field);
}

/** A listener as what decides: of the Gateway itself, or of the set that it is from. */
export function listenerDecision({ gateway, listener: { set, index } }: Served): Decision {
  const { kind, namespace, name } = set ?? gateway.config.manifest;
  return { kind, namespace, name, field: `spec.listeners[${index}]` };
}

export function hopOf(stage: Stage, rest: Partial<Hop>): Hop {
  return {
    proxy: stage.ref,
    receives: stage.receives,
    route: null,
    cluster: null,
    sends: null,
    decidedBy: [],
    alternatives: [],
    envoy: { ...noMatch(), listener: `${stage.gateway.config.namespace}/${stage.gateway.config.name}`, endpoints: [] },
    ...rest,
  };
}

export function refuse(
  stage: Stage,
  code: string,
  status: number | null,
  reason: Reason,
  by: Decision,
  route: RouteRef | null = null,
): Step {
  return refused(hopOf(stage, { route, decidedBy: [by] }), { code, status, proxy: stage.ref, by, reason });
}

/** What the proxy replies by itself: an answer under 400, as it is meant to, and a refusal else; a connection that it closes is refused. */
export function reply(
  stage: Stage,
  { code, status, reason, by, location }: Reply,
  route: RouteRef | null = null,
): Step {
  if (status === null) return refuse(stage, code, status, reason, by, route);
  const told = { code, status, by, reason, proxy: stage.ref };
  const hop = hopOf(stage, { route, decidedBy: [by] });
  return replied(hop, location === undefined ? told : { ...told, location });
}

export interface Reply {
  readonly code: string;
  readonly status: number | null;
  readonly reason: Reason;
  readonly by: Decision;
  readonly location?: string | undefined;
}
