/**
 * What Envoy refuses of the configuration that Envoy Gateway makes for a port: Envoy Gateway merges the listeners of a port into one
 * listener of Envoy's, and does not look whether Envoy will take that (internal/xds/translator/translator.go, listener.go).
 */
import { hostnamesAt, type Attachment } from './attachments';
import type { ApiGateway, ApiListener, GatewayApi } from './gateway-api';
import { containerPort } from './envoy-gateway';
import type { RefusedPasswords } from './secret-fault';

/** A chain of a listener: of the listener itself, of a route at it, or one that leads nowhere since there is no route. */
export interface ChainOf {
  readonly listener: string;
  /** `HTTPRoute app/web`. */
  readonly route: string | null;
  readonly isIdle: boolean;
}

/** A route at a listener; `gateway` is that of the listener where it is another than that of the other route. */
export interface RouteAt {
  readonly route: string;
  readonly listener: string;
  readonly gateway: string | null;
  readonly port: number;
}

export type RefusedByEnvoy =
  /** `name`: the server name that both have; null where both take every name. */
  | { readonly is: 'chains-match-alike'; readonly name: string | null; readonly chains: readonly [ChainOf, ChainOf]; readonly ofOneListener: boolean } // prettier-ignore
  | { readonly is: 'hostname-twice'; readonly hostname: string; readonly routes: readonly [RouteAt, RouteAt] }
  | ({ readonly is: 'passwords'; readonly policy: { readonly kind: string; readonly namespace: string; readonly name: string } } & RefusedPasswords); // prettier-ignore

export interface EnvoyRefusal {
  /** `listener`: nothing listens on the port. `routes`: no request on the port finds a route. */
  readonly is: 'listener' | 'routes';
  readonly problem: RefusedByEnvoy;
  /** The listeners that do not go together. */
  readonly at: readonly Served[];
}

/** A filter chain, as far as Envoy tells chains of a listener apart by it. */
export interface Chain {
  /** Server names; none for a chain that takes what no other does. */
  readonly names: readonly string[];
  readonly gateway: ApiGateway;
  readonly listener: ApiListener;
  readonly of: ChainOf;
}

const nameOf = ({ route: { kind, config } }: Attachment): string => `${kind} ${config.namespace}/${config.name}`;

/** Whether chains may be given to a listener at all: those of plain HTTP share the chain that takes what no other does. */
const hasChain = ({ protocol }: ApiListener): boolean => ['HTTPS', 'TLS', 'TCP'].includes(protocol);

function chainsOf({ gateway, listener }: Served, attached: readonly Attachment[]): readonly Chain[] {
  const of = { listener: listener.name, route: null, isIdle: false };
  const own = listener.hostname === '*' ? [] : [listener.hostname];
  if (listener.protocol === 'HTTPS') return [{ names: own, gateway, listener, of }];
  const routes = attached
    .filter((one) => one.listener === listener && /^T(LS|CP)Route$/.test(one.route.kind))
    .filter((one) => one.route.kind === 'TCPRoute' || hostnamesAt(one).length > 0);
  // Without a route the listener gets a chain that leads nowhere and matches everything, whatever its hostname.
  if (routes.length === 0) return [{ names: [], gateway, listener, of: { ...of, isIdle: true } }];
  return routes.map((attachment): Chain => {
    const hosts = attachment.route.kind === 'TLSRoute' ? hostnamesAt(attachment) : own;
    const isTcp = listener.protocol === 'TCP';
    return {
      names: isTcp || hosts[0] === '*' ? [] : hosts,
      gateway,
      listener,
      of: { ...of, route: nameOf(attachment) },
    };
  });
}

/** A listener that the proxies of a Gateway serve: its own, or one of another Gateway that has the same proxies. */
export interface Served {
  readonly gateway: ApiGateway;
  readonly listener: ApiListener;
}

/** The listeners of a port at the proxies of a Gateway, in the order in which Envoy Gateway looks at them. */
export function servedAt(api: GatewayApi, gateway: ApiGateway, port: number): readonly Served[] {
  // Ports of a Gateway that come to one port of the proxies are one listener of Envoy's, whatever port a client has dialled.
  const listening = (one: ApiGateway, at: number): number => containerPort(one, at, api.input);
  const own = listening(gateway, port);
  return api
    .servedWith(gateway)
    .flatMap((one) => one.listeners.map((listener): Served => ({ gateway: one, listener })))
    .filter(({ gateway: one, listener }) => listener.problem === undefined && listening(one, listener.port) === own);
}

/** The filter chains of a port, by server names. */
export function chainsAt(api: GatewayApi, gateway: ApiGateway, port: number): readonly Chain[] {
  const chains = servedAt(api, gateway, port)
    .filter(({ listener }) => hasChain(listener))
    .flatMap((served) => chainsOf(served, api.attachedTo(served.gateway)));
  const idle = chains.find(({ of }) => of.isIdle);
  return api.input.envoyGateway.sharesEmptyChain ? chains.filter((one) => !one.of.isIdle || one === idle) : chains;
}

/** Two chains that match the same: Envoy refuses the whole listener ("has the same matching rules defined as"). */
function listenerRefusal(chains: readonly Chain[]): EnvoyRefusal | undefined {
  const owners = new Map<string, Chain>();
  for (const chain of chains) {
    for (const name of chain.names.length === 0 ? [''] : chain.names) {
      const other = owners.get(name);
      if (other === undefined) {
        owners.set(name, chain);
        continue;
      }
      const ofOneListener = other.listener === chain.listener;
      return {
        is: 'listener',
        problem: {
          is: 'chains-match-alike',
          name: name === '' ? null : name,
          chains: [other.of, chain.of],
          ofOneListener,
        },
        at: ofOneListener ? [chain] : [other, chain],
      };
    }
  }
  return undefined;
}

/** A listener by its name, with its Gateway where that is another than the one it is told beside. */
export function placeOf({ gateway, listener }: Served, beside: ApiGateway): Pick<RouteAt, 'listener' | 'gateway'> {
  const other = gateway === beside ? null : `${gateway.config.namespace}/${gateway.config.name}`;
  return { listener: listener.name, gateway: other };
}

function routeAt(attachment: Attachment, beside: ApiGateway): RouteAt {
  return { route: nameOf(attachment), ...placeOf(attachment, beside), port: attachment.listener.port };
}

/** Listeners of plain HTTP on one port share a route configuration, in which Envoy takes no domain twice. */
function routesRefusal(api: GatewayApi, served: readonly Served[]): EnvoyRefusal | undefined {
  const owners = new Map<string, Attachment>();
  const http = served.filter(({ listener: { protocol } }) => protocol === 'HTTP');
  for (const { gateway, listener } of http) {
    for (const attachment of api.attachedTo(gateway).filter((one) => one.listener === listener)) {
      for (const host of hostnamesAt(attachment)) {
        const other = owners.get(host);
        if (other === undefined) owners.set(host, attachment);
        else if (other.listener !== listener)
          return {
            is: 'routes',
            problem: { is: 'hostname-twice', hostname: host, routes: [routeAt(other, gateway), routeAt(attachment, other.gateway)] }, // prettier-ignore
            at: [other, { gateway, listener }],
          };
      }
    }
  }
  return undefined;
}

/** What Envoy refuses on a port; proxies that had something else there before keep that. */
export function refusedByEnvoy(api: GatewayApi, gateway: ApiGateway, port: number): EnvoyRefusal | undefined {
  return listenerRefusal(chainsAt(api, gateway, port)) ?? routesRefusal(api, servedAt(api, gateway, port));
}
