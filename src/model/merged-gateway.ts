import { labelsMatch, number, optionalRecord, record, records, strings, text, texts, type Json } from './fields';
import { push, type Config } from './objects';
import { isHttp, parseProtocol, type Protocol } from './protocols';

export type ServerTlsMode =
  'PASSTHROUGH' | 'SIMPLE' | 'MUTUAL' | 'AUTO_PASSTHROUGH' | 'ISTIO_MUTUAL' | 'OPTIONAL_MUTUAL';

export interface ServerTls {
  readonly mode: ServerTlsMode;
  readonly httpsRedirect: boolean;
  readonly credentialName: string;
}

/** One server of a Gateway, its hosts with the namespace part made plain. */
export interface Server {
  readonly gateway: Config;
  /** `namespace/name`, as VirtualServices name it. */
  readonly gatewayName: string;
  readonly index: number;
  readonly port: number;
  readonly portName: string;
  readonly protocol: Protocol;
  readonly bind: string;
  readonly hosts: readonly string[];
  readonly tls: ServerTls | undefined;
}

export interface ServerPort {
  /** Port that the proxy listens on, after the Service's targetPort. */
  readonly number: number;
  readonly protocol: Protocol;
  readonly bind: string;
}

export interface ServerGroup {
  readonly port: ServerPort;
  readonly servers: Server[];
  routeName: string;
}

export type ServerProblem =
  | { readonly is: 'hosts-taken'; readonly port: number; readonly hosts: readonly string[] }
  | { readonly is: 'plain-text-already'; readonly port: number; readonly protocol: string }
  | { readonly is: 'port-taken'; readonly port: number }
  | { readonly is: 'port-name-taken'; readonly port: number; readonly portName: string };

/** A server that istiod leaves out, and why. */
export interface Rejected {
  readonly server: Server;
  readonly port: number;
  readonly why: ServerProblem;
  /** The server that was there first. */
  readonly by: Server | undefined;
}

export interface MergedGateway {
  readonly groups: readonly ServerGroup[];
  readonly serversByRoute: ReadonlyMap<string, readonly Server[]>;
  readonly rejected: readonly Rejected[];
}

/** A port of a Service that selects the gateway's Pods, with the port it has there. */
export interface ServiceTarget {
  readonly serviceHost: string;
  readonly namespace: string;
  readonly port: number;
  readonly targetPort: number;
  readonly portTranslation: boolean;
}

export interface GatewayForProxy {
  readonly gateway: Config;
  /** Gateway API gateways name their Services; Istio's choose Pods and guess the Service. */
  readonly services: readonly string[] | undefined;
  /** The namespace of those, where it is not that of `gateway`: a set of listeners is in one of its own. */
  readonly servicesIn?: string;
  /** Of the Gateway API, for Pods that istiod makes. */
  readonly isMade?: boolean;
}

const MODES: readonly ServerTlsMode[] = [
  'PASSTHROUGH',
  'SIMPLE',
  'MUTUAL',
  'AUTO_PASSTHROUGH',
  'ISTIO_MUTUAL',
  'OPTIONAL_MUTUAL',
];

function plainHost(host: string, namespace: string): string {
  const slash = host.indexOf('/');
  if (slash < 0) return host;
  const owner = host.slice(0, slash);
  const name = host.slice(slash + 1);
  if (owner === '.') return `${namespace}/${name}`;
  return owner === '*' ? name : host;
}

function parseTls(tls: Json | undefined): ServerTls | undefined {
  if (tls === undefined) return undefined;
  const mode = text(tls.mode) as ServerTlsMode;
  return {
    mode: MODES.includes(mode) ? mode : 'PASSTHROUGH',
    httpsRedirect: tls.httpsRedirect === true,
    credentialName: text(tls.credentialName) || (texts(tls.credentialNames)[0] ?? ''),
  };
}

export function serversOf(gateway: Config): readonly Server[] {
  return records(gateway.spec.servers)
    .map((server, index): Server => {
      const hosts = texts(server.hosts);
      const port = record(server.port);
      return {
        gateway,
        gatewayName: `${gateway.namespace}/${gateway.name}`,
        index,
        port: number(port.number),
        portName: text(port.name),
        protocol: parseProtocol(port.protocol),
        bind: text(server.bind),
        hosts: hosts.includes('*/*') ? ['*'] : hosts.map((host) => plainHost(host, gateway.namespace)),
        tls: parseTls(optionalRecord(server.tls)),
      };
    })
    .filter((server) => server.port > 0);
}

/** The ports of a Gateway's servers. */
export function portsOf(gateway: Config): readonly number[] {
  return records(gateway.spec.servers)
    .map((server) => number(record(server.port).number))
    .filter((port) => port > 0);
}

export function isPassthrough(server: Server): boolean {
  return server.tls?.mode === 'PASSTHROUGH' || server.tls?.mode === 'AUTO_PASSTHROUGH';
}

export function terminatesHttps(server: Server): boolean {
  return server.tls !== undefined && server.protocol === 'HTTPS' && !isPassthrough(server);
}

function isHttpServer(server: Server): boolean {
  return isHttp(server.protocol) || (server.protocol === 'HTTPS' && !isPassthrough(server));
}

function isTlsServer(server: Server): boolean {
  return server.tls !== undefined && !isHttp(server.protocol);
}

export function routeNameOf(server: Server, port: number): string {
  const bind = server.bind === '' ? '' : `.${server.bind}`;
  if (isHttp(server.protocol)) return `http.${port}${bind}`;
  if (server.protocol === 'HTTPS' && !isPassthrough(server)) {
    return `https.${server.port}.${server.portName}.${server.gateway.name}.${server.gateway.namespace}${bind}`;
  }
  return '';
}

/** SNI that a server's chain matches: its hosts without their namespaces. */
export function sniHostsOf(server: Server): readonly string[] {
  return [...new Set(server.hosts.map((host) => host.slice(host.indexOf('/') + 1)))].sort();
}

/** Hosts already taken on a port with the same bind; takes them if there are none. */
export function takeHosts(hosts: readonly string[], bind: string, taken: Map<string, string>): readonly string[] {
  const duplicates = hosts.filter((host) => taken.get(host) === bind);
  if (duplicates.length === 0) for (const host of hosts) taken.set(host, bind);
  return duplicates;
}

function resolvePorts(port: number, targets: readonly ServiceTarget[], legacy: boolean): readonly number[] {
  const ports = new Set<number>();
  for (const target of targets) {
    if (!target.portTranslation && legacy) continue;
    if (target.port !== port) continue;
    if (legacy) return [target.targetPort];
    ports.add(target.targetPort);
  }
  return ports.size === 0 && legacy ? [port] : [...ports];
}

export function gatewaysFor(
  gateways: readonly GatewayForProxy[],
  labels: Readonly<Record<string, string>>,
  targets: readonly ServiceTarget[],
): readonly (readonly [GatewayForProxy, readonly ServiceTarget[]])[] {
  return gateways.flatMap((candidate): readonly (readonly [GatewayForProxy, readonly ServiceTarget[]])[] => {
    if (candidate.services !== undefined) {
      const named = candidate.services;
      const home = candidate.servicesIn ?? candidate.gateway.namespace;
      const matching = targets.filter((target) => named.includes(target.serviceHost) && target.namespace === home);
      return matching.length > 0 ? [[candidate, matching]] : [];
    }
    const selector = optionalRecord(candidate.gateway.spec.selector);
    return selector === undefined || labelsMatch(strings(selector), labels) ? [[candidate, targets]] : [];
  });
}

/** Beside Gateways of the Gateway API whose Pods istiod makes, those of Istio in other namespaces do not count: they would see their credentials. */
export function apartFromMade<T extends readonly [GatewayForProxy, ...unknown[]]>(
  selected: readonly T[],
): readonly T[] {
  const homes = new Set(selected.flatMap(([{ isMade, gateway }]) => (isMade === true ? [gateway.namespace] : [])));
  if (homes.size === 0) return selected;
  return selected.filter(([{ services, gateway }]) => services !== undefined || homes.has(gateway.namespace));
}

function keyOf(port: ServerPort): string {
  return `${port.number} ${port.protocol} ${port.bind}`;
}

/** Merges the Gateways of one proxy as istiod does: by port the first server decides what else may join it. */
export function mergeGateways(
  selected: readonly (readonly [GatewayForProxy, readonly ServiceTarget[]])[],
): MergedGateway {
  const groups = new Map<string, ServerGroup>();
  const serversByRoute = new Map<string, Server[]>();
  const plain = new Map<number, ServerPort>();
  const seen = new Map<number, Server>();
  const tlsHosts = new Map<number, Map<string, string>>();
  const encryptedBinds = new Map<number, Set<string>>();
  const rejected: Rejected[] = [];

  const start = (server: Server, port: ServerPort, routeName: string): void => {
    if (!isTlsServer(server)) plain.set(port.number, port);
    if (isHttpServer(server)) serversByRoute.set(routeName, [server]);
    groups.set(keyOf(port), { port, servers: [server], routeName });
  };

  for (const [candidate, targets] of selected) {
    for (const server of serversOf(candidate.gateway)) {
      for (const number of resolvePorts(server.port, targets, candidate.services === undefined)) {
        const reject = (why: ServerProblem): void => {
          rejected.push({ server, port: number, why, by: seen.get(number) });
        };
        const routeName = routeNameOf(server, number);
        if (server.tls !== undefined) {
          const taken = tlsHosts.get(number) ?? new Map<string, string>();
          tlsHosts.set(number, taken);
          const duplicates = takeHosts(server.hosts, server.bind, taken);
          if (duplicates.length > 0) {
            reject({ is: 'hosts-taken', port: number, hosts: duplicates });
            continue;
          }
        }
        const port: ServerPort = { number, protocol: server.protocol, bind: server.bind };
        if (!seen.has(number)) {
          seen.set(number, server);
          start(server, port, routeName);
          continue;
        }
        const current = plain.get(number);
        if (current !== undefined) {
          const sameBind = current.bind === port.bind;
          const canMerge =
            (isHttp(server.protocol) || server.protocol === current.protocol) && isHttp(current.protocol);
          if (!canMerge && sameBind) {
            reject({ is: 'plain-text-already', port: number, protocol: current.protocol });
          } else if (routeName === '' && sameBind) {
            reject({ is: 'port-taken', port: number });
          } else if (!sameBind) {
            const existing = groups.get(keyOf(port));
            if (existing === undefined) start(server, port, routeName);
            else {
              existing.routeName = routeName;
              existing.servers.push(server);
              push(serversByRoute, routeName, server);
            }
          } else {
            groups.get(keyOf(current))?.servers.push(server);
            push(serversByRoute, routeName, server);
          }
          continue;
        }
        if (!isTlsServer(server)) {
          plain.set(number, port);
          if (isHttpServer(server)) serversByRoute.set(routeName, [server]);
          groups.set(keyOf(port), { port, servers: [server], routeName });
          continue;
        }
        if (isHttpServer(server)) {
          if (routeName === '' || serversByRoute.has(routeName)) {
            reject({ is: 'port-name-taken', port: number, portName: server.portName });
            continue;
          }
          serversByRoute.set(routeName, [server]);
        }
        const binds = encryptedBinds.get(number) ?? new Set<string>();
        encryptedBinds.set(number, binds.add(server.bind));
        const existing = groups.get(keyOf(port));
        if (existing === undefined) groups.set(keyOf(port), { port, servers: [server], routeName: '' });
        else existing.servers.push(server);
      }
    }
  }
  return { groups: [...groups.values()], serversByRoute, rejected };
}
