/**
 * Compares what a running proxy has with what istiod would send it by the manifests, part by part: listeners with their filter chains, routes of each domain in their
 * order, clusters with their TLS. What both agree about decides about requests in the same way, so parts that are equal are equal for every request.
 */
import { PASSTHROUGH, RESOLVED_BY_HOST } from '../trace/catch-all';
import { isIP } from 'node:net';
import type { Mesh } from '../model/mesh';
import { expectedOf, routeShapes, type Expected } from './expected';
import type { RunningProxy } from './config-dump';
import {
  condition,
  outcome,
  type ChainShape,
  type ClusterShape,
  type ListenerShape,
  type RouteShape,
  type VirtualHostShape,
} from './shape';

export type Part = 'listener' | 'filter chain' | 'route' | 'cluster';

export interface Difference {
  readonly part: Part;
  /** The listener, the domain and port, or the cluster. */
  readonly of: string;
  /** What the manifests say; null where they have no such part. */
  readonly manifests: string | null;
  /** What the proxy has; null where it has no such part. */
  readonly proxy: string | null;
}

export type Refused = RunningProxy['refused'][number];

export interface Verification {
  readonly proxy: { readonly type: RunningProxy['type']; readonly namespace: string; readonly pod: string };
  readonly verdict: 'agreed' | 'differs' | 'not compared';
  readonly compared: Readonly<Record<'listeners' | 'domains' | 'clusters', number>>;
  readonly differences: readonly Difference[];
  /** What Envoy refused of the last that it was sent, with its own words: it goes on with what it had. */
  readonly refused: readonly Refused[];
  /** Parts of services that no manifest shows: whether they are stale nobody can say. */
  readonly notInManifests: readonly string[];
  /** What is not compared, and why. */
  readonly notCompared: readonly string[];
}

/** Of Envoy itself, whatever the manifests say. */
const OWN_CLUSTERS = new Set(['BlackHoleCluster', PASSTHROUGH, RESOLVED_BY_HOST, 'InboundPassthroughCluster']);

const NOT_COMPARED = [
  'what the proxy does with calls to its own workload (virtualInbound)',
  'authorization, tokens, rate limits, timeouts, retries and header changes',
  'endpoints',
];

export function verify(mesh: Mesh, running: RunningProxy): Verification {
  const proxy = { type: running.type, namespace: running.namespace, pod: running.pod };
  const none = { listeners: 0, domains: 0, clusters: 0 };
  if (running.type === 'waypoint') {
    const why = 'the configuration of waypoints is not compared yet';
    return { proxy, verdict: 'not compared', compared: none, differences: [], refused: running.refused, notInManifests: [], notCompared: [why] }; // prettier-ignore
  }
  const expected = expectedOf(mesh, running);
  const unknown = new Set<string>();
  const isShown = (cluster: string): boolean => {
    const [, , , host = ''] = cluster.replace(/ \(\d+\)$/, '').split('|');
    if (host === '' || expected.knows(host)) return true;
    unknown.add(host);
    return false;
  };
  const listeners = compareListeners(expected, running, isShown);
  const domains = compareRoutes(expected, running, isShown);
  const clusters = compareClusters(expected, running, isShown);
  const differences = [...listeners.differences, ...domains.differences, ...clusters.differences];
  return {
    proxy,
    verdict: differences.length + running.refused.length === 0 ? 'agreed' : 'differs',
    compared: { listeners: listeners.count, domains: domains.count, clusters: clusters.count },
    differences,
    refused: running.refused,
    notInManifests: [...unknown].sort(),
    notCompared: NOT_COMPARED,
  };
}

interface Compared {
  readonly count: number;
  readonly differences: readonly Difference[];
}
type IsShown = (cluster: string) => boolean;

function compareListeners(expected: Expected, running: RunningProxy, isShown: IsShown): Compared {
  const differences: Difference[] = [];
  let count = 0;
  const own = running.listeners.filter(({ name }) => name !== 'virtualInbound' && name !== 'virtualOutbound');
  const ports = [...new Set([...own.map(({ port }) => port), ...expected.ports])].sort((a, b) => a - b);
  for (const port of ports) {
    const wanted = new Map(expected.listeners(port));
    const had = new Map(own.filter((one) => one.port === port).map((one) => [one.address, one]));
    for (const [address, listener] of had) {
      const other = wanted.get(address) ?? standIn(wanted, had, listener);
      if (other !== undefined) wanted.delete(other.address);
      const shown = chainsOf(listener).filter(
        (chain) => clustersOf(chain, running).some(isShown) || chain.clusters.length === 0,
      );
      if (other === undefined) {
        // A listener for nothing but services that no manifest shows.
        if (chainsOf(listener).every((chain) => leadsOnlyElsewhere(chain, running, isShown))) continue;
        count++;
        differences.push({ part: 'listener', of: listener.name, manifests: null, proxy: shown.map(words).join('; ') });
        continue;
      }
      count++;
      differences.push(...compareChains(other, listener, running, isShown));
    }
    for (const listener of wanted.values()) {
      count++;
      differences.push({ part: 'listener', of: listener.name, manifests: chainsOf(listener).map(words).join('; '), proxy: null }); // prettier-ignore
    }
  }
  return { count, differences };
}

/** The listener of a Service whose address no manifest shows, since the cluster allots it: known by where it leads. */
function standIn(
  wanted: ReadonlyMap<string, ListenerShape>,
  had: ReadonlyMap<string, ListenerShape>,
  listener: ListenerShape,
): ListenerShape | undefined {
  const all = (one: ListenerShape): string => chainsOf(one).map(words).join('\n');
  return [...wanted.values()].find(
    (one) => !had.has(one.address) && isIP(one.address) === 0 && all(one) === all(listener),
  );
}

function chainsOf({ chains, defaultChain }: ListenerShape): readonly ChainShape[] {
  return defaultChain === undefined ? chains : [...chains, defaultChain];
}

function words(chain: ChainShape): string {
  return `${condition(chain)} -> ${outcome(chain)}`;
}

/** The clusters that a chain may lead to: its own, or those of its routes. */
function clustersOf(chain: ChainShape, running: RunningProxy): readonly string[] {
  if (chain.routeConfig === undefined) return chain.clusters;
  const hosts = running.routes.get(chain.routeConfig) ?? [];
  return hosts.flatMap(({ routes }) => routes.flatMap(({ action }) => action.replace(/^to /, '').split(', ')));
}

function leadsOnlyElsewhere(chain: ChainShape, running: RunningProxy, isShown: IsShown): boolean {
  const clusters = clustersOf(chain, running).filter((name) => name.includes('|'));
  return clusters.every((cluster) => !isShown(cluster));
}

function compareChains(
  wanted: ListenerShape,
  had: ListenerShape,
  running: RunningProxy,
  isShown: IsShown,
): readonly Difference[] {
  const byCondition = (listener: ListenerShape): Map<string, ChainShape> =>
    new Map([
      ...listener.chains.map((chain): [string, ChainShape] => [condition(chain), chain]),
      ...(listener.defaultChain === undefined
        ? []
        : [['anything else', listener.defaultChain] as [string, ChainShape]]),
    ]);
  const [one, other] = [byCondition(wanted), byCondition(had)];
  const differences: Difference[] = [];
  for (const when of new Set([...one.keys(), ...other.keys()])) {
    const [ours, theirs] = [one.get(when), other.get(when)];
    if (ours === undefined && theirs !== undefined && leadsOnlyElsewhere(theirs, running, isShown)) continue;
    const [a, b] = [ours === undefined ? null : outcome(ours), theirs === undefined ? null : outcome(theirs)];
    if (a !== b) differences.push({ part: 'filter chain', of: `${had.name}, ${when}`, manifests: a, proxy: b });
  }
  return differences;
}

function compareRoutes(expected: Expected, running: RunningProxy, isShown: IsShown): Compared {
  const differences: Difference[] = [];
  let count = 0;
  const used = new Set(
    running.listeners
      .filter(({ name }) => name !== 'virtualInbound')
      .flatMap((listener) =>
        chainsOf(listener).flatMap(({ routeConfig }) => (routeConfig === undefined ? [] : [routeConfig])),
      ),
  );
  for (const name of used) {
    if (running.routes.has(name)) continue;
    count++;
    const hosts = expected.routes(name).hosts();
    differences.push({ part: 'route', of: name, manifests: hosts.map((host) => host.name).join(', ') || 'no host', proxy: null }); // prettier-ignore
  }
  for (const [name, hosts] of running.routes) {
    if (!used.has(name)) continue;
    const config = expected.routes(name);
    for (const host of hosts)
      for (const domain of host.domains) {
        // Addresses that a cluster allots stand beside the Service's names, which lead to the same routes.
        const isAllotted = isIP(domain) !== 0 && host.domains.some((other) => isIP(other) === 0 && !hasPort(other));
        // A sidecar's own, for hosts that nobody declares: what becomes of these is that of its outbound policy.
        const isCatchAll = domain === '*' && running.type === 'sidecar' && !name.includes(':');
        if (isCatchAll || hasPort(domain) || isAllotted || domain.includes('/')) continue;
        const ours = config.match(domain === '*' ? NOBODY : domain.toLowerCase());
        const theirs = host.routes;
        if (ours === undefined && theirs.every(({ action }) => !action.includes('|') || !namesShown(action, isShown)))
          continue;
        count++;
        differences.push(
          ...compareHost(
            `${name} ${domain}`,
            ours === undefined ? undefined : routeShapes(ours),
            ours?.requireTls === true,
            host,
          ),
        );
      }
    const had = new Set(hosts.flatMap(({ domains }) => domains.map((domain) => domain.toLowerCase())));
    for (const host of config.hosts())
      for (const domain of host.domains.map((one) => one.toLowerCase())) {
        if (domain === '*' || hasPort(domain) || domain.includes('/') || had.has(domain) || (had.has('*') && name.includes(':')) || isAllottedAddress(domain) || host.domains.some((one) => had.has(one.toLowerCase()))) continue; // prettier-ignore
        count++;
        differences.push({ part: 'route', of: `${name} ${domain}`, manifests: routeShapes(host).map(line).join('; '), proxy: null }); // prettier-ignore
        break;
      }
  }
  return { count, differences };
}

/** A name that is nobody's. */
const NOBODY = 'nobody.invalid';

/** An address, or what stands for one that no manifest shows. */
function isAllottedAddress(domain: string): boolean {
  return isIP(domain) !== 0 || domain.startsWith('cluster-ip-of:');
}

function namesShown(action: string, isShown: IsShown): boolean {
  return action.replace(/^to /, '').split(', ').some(isShown);
}

/** istiod writes each domain with and without the port; one of both is enough. */
function hasPort(domain: string): boolean {
  return /:\d+$/.test(domain);
}

function line({ match, action }: RouteShape): string {
  return `${match} -> ${action}`;
}

function compareHost(
  of: string,
  ours: readonly RouteShape[] | undefined,
  requiresTls: boolean,
  host: VirtualHostShape,
): readonly Difference[] {
  if (ours === undefined) return [{ part: 'route', of, manifests: null, proxy: host.routes.map(line).join('; ') }];
  const differences: Difference[] = [];
  if (requiresTls !== host.requiresTls)
    differences.push({ part: 'route', of, manifests: requiresTls ? 'redirects to https' : 'takes plain text', proxy: host.requiresTls ? 'redirects to https' : 'takes plain text' }); // prettier-ignore
  for (let at = 0; at < Math.max(ours.length, host.routes.length); at++) {
    const [a, b] = [ours[at], host.routes[at]];
    const [x, y] = [a === undefined ? null : line(a), b === undefined ? null : line(b)];
    if (x !== y) differences.push({ part: 'route', of: `${of}, route ${at + 1}`, manifests: x, proxy: y });
  }
  return differences;
}

function clusterWords({ type, tls }: ClusterShape): string {
  return `${type}, ${tls}`;
}

function compareClusters(expected: Expected, running: RunningProxy, isShown: IsShown): Compared {
  const differences: Difference[] = [];
  let count = 0;
  for (const [name, cluster] of running.clusters) {
    if (OWN_CLUSTERS.has(name) || !name.startsWith('outbound|') || !isShown(name)) continue;
    count++;
    const ours = expected.cluster(name);
    const [a, b] = [ours === undefined ? null : clusterWords(ours), clusterWords(cluster)];
    if (a !== b) differences.push({ part: 'cluster', of: name, manifests: a, proxy: b });
  }
  for (const name of ledTo(running)) {
    const ours = running.clusters.has(name) || !isShown(name) ? undefined : expected.cluster(name);
    if (ours === undefined) continue;
    count++;
    differences.push({ part: 'cluster', of: name, manifests: clusterWords(ours), proxy: null });
  }
  return { count, differences };
}

/** Clusters of the mesh that its listeners and routes lead to. */
function ledTo(running: RunningProxy): ReadonlySet<string> {
  const chains = running.listeners.filter(({ name }) => name !== 'virtualInbound').flatMap(chainsOf);
  const named = chains.flatMap((chain) => clustersOf(chain, running)).map((name) => name.replace(/ \(.*$/, ''));
  return new Set(named.filter((name) => /^outbound\|[^ ]*$/.test(name)));
}
