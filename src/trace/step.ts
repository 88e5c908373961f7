/**
 * What a proxy, or the network between two, makes of a connection: what happened there, and where it goes next or how it ends. Steps are data:
 * nothing here calls the next proxy, and the loop of `loop.ts` does.
 */
import type { Endpoint } from '../model/endpoints';
import type { EffectiveProxy } from '../model/envoy-gateway';
import type { ApiGateway } from '../model/gateway-api';
import type { Port, Service } from '../model/services';
import type { Binding } from '../model/waypoints';
import type { Workload } from '../model/workloads';
import type { Gap } from './notes';
import type { Answer, Destination, Hop, ProxyRef, Refused } from './types';
import type { Flight } from './walk';

/** Whom a connection is for, where the sender knows its endpoint. */
export interface Target {
  readonly workload: Workload | undefined;
  /** Whether the sender dials what its client dialled, so that the address is looked up as it is for any client. */
  readonly original: boolean;
  /** The endpoints among which the sender has chosen, where it has. */
  readonly among?: readonly Endpoint[];
}

/** The Pods that run a Gateway of Envoy Gateway's. */
export interface EnvoyGatewayProxies {
  readonly gateway: ApiGateway;
  readonly proxy: EffectiveProxy;
  readonly workload: Workload;
  readonly home: string;
}

/** A proxy that is itself the application behind a sidecar or a ztunnel, and the port that was dialled before that one. */
export interface Behind {
  readonly proxies: EnvoyGatewayProxies;
  readonly port: number;
}

/** Who has the connection next. */
export type Next =
  /** On its way to whoever is at the other end. */
  | {
      readonly at: 'network';
      readonly flight: Flight;
      readonly target: Target | undefined;
      /** Whether the sender reads it as HTTP. */
      readonly isHttp: boolean;
    }
  | {
      readonly at: 'outbound-sidecar';
      readonly flight: Flight;
      readonly workload: Workload | undefined;
      readonly proxy: ProxyRef;
    }
  | {
      readonly at: 'inbound-sidecar';
      readonly flight: Flight;
      readonly workload: Workload;
      /** Why nobody listens behind the sidecar. */
      readonly unserved?: Pick<Refused, 'reason' | 'by'>;
      readonly behind?: Behind;
    }
  /** One of Istio's gateways. */
  | { readonly at: 'gateway'; readonly flight: Flight; readonly workload: Workload }
  | {
      readonly at: 'outbound-ztunnel';
      readonly flight: Flight;
      /** Name of the workload whose connection it carries. */
      readonly name: string | null;
      /** Whether a Pod's own address is dialled. */
      readonly dialsPod: boolean;
    }
  | { readonly at: 'inbound-ztunnel'; readonly flight: Flight; readonly workload: Workload; readonly behind?: Behind }
  | { readonly at: 'waypoint'; readonly flight: Flight; readonly binding: Binding; readonly to: WaypointTarget }
  | { readonly at: 'envoy-gateway'; readonly flight: Flight; readonly proxies: EnvoyGatewayProxies };

/** What a connection at a waypoint is for: a port of a service, undefined where the service has none of that number, or a Pod. */
export type WaypointTarget =
  { readonly service: Service; readonly port: Port | undefined } | { readonly workload: Workload };

/** How it ends. */
export type End =
  | { readonly is: 'delivered'; readonly destination: Destination }
  | { readonly is: 'refused'; readonly refused: Refused }
  /** What a proxy replies by itself: an answer, as it is meant to, or from status 400 on a refusal. */
  | { readonly is: 'replied'; readonly reply: Refused & Pick<Answer, 'status' | 'location'> }
  | { readonly is: 'unknown'; readonly why: Gap };

export interface Step {
  /** What the proxy did; the network leaves none. */
  readonly hop?: Hop;
  readonly then: Next | End;
}

export function refused(hop: Hop | undefined, refusal: Refused): Step {
  return step(hop, { is: 'refused', refused: refusal });
}

export function replied(hop: Hop, reply: Refused & Pick<Answer, 'status' | 'location'>): Step {
  return step(hop, { is: 'replied', reply });
}

export function unknown(hop: Hop | undefined, why: Gap): Step {
  return step(hop, { is: 'unknown', why });
}

export function step(hop: Hop | undefined, then: Next | End): Step {
  return hop === undefined ? { then } : { hop, then };
}
