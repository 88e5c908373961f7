/** What the steps at a proxy of Envoy Gateway's share. */
import type { Attachment } from '../model/attachments';
import type { EffectiveProxy } from '../model/envoy-gateway';
import type { Served } from '../model/envoy-gateway-chains';
import type { ApiGateway } from '../model/gateway-api';
import type { Mesh } from '../model/mesh';
import type { Workload } from '../model/workloads';
import type { Decision, ObjectRef, RouteRef } from './types';
import type { Flight, Walk } from './walk';

/** The proxies of a Gateway. */
export interface Proxies {
  readonly mesh: Mesh;
  readonly gateway: ApiGateway;
  readonly proxy: EffectiveProxy;
}

/** A connection at them. */
export interface Stage extends Proxies {
  readonly walk: Walk;
  readonly workload: Workload;
  readonly flight: Flight;
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

export function attachedAt({ mesh }: Pick<Proxies, 'mesh'>, listeners: readonly Served[]): readonly Attachment[] {
  return listeners.flatMap((served) =>
    mesh.gatewayApi.attachedTo(served.gateway).filter(({ listener }) => listener === served.listener),
  );
}

/** The name that Envoy Gateway gives a cluster: of a rule, of one of its backends, or of a route of TCP or TLS (irRouteDestinationName). */
export function clusterNameOf({ kind, namespace, name, rule }: RouteRef, backend?: number): string {
  const index = kind === 'TCPRoute' || kind === 'TLSRoute' ? -1 : Number(/\d+/.exec(rule)?.[0] ?? 0);
  return `${kind.toLowerCase()}/${namespace}/${name}/rule/${index}${backend === undefined ? '' : `/backend/${backend}`}`;
}
