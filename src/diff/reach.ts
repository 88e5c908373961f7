/**
 * How far a changed object can reach: the hosts and clients whose traffic it may alter. What is outside is not followed, so
 * this errs on the side of too much; the tests compare it with following everything.
 */
import { record, records, strings, text, texts, type Json } from '../model/fields';
import { isOfInstallation } from '../model/installation';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import { visibility, type Visibility } from '../model/objects';
import { type Workload, readWorkload } from '../model/workloads';
import { isForwardProxy } from '../trace/forward-proxy';
import { hostsOf, serverHosts, type Links } from './links';
import { meshFacts } from './mesh-facts';
import { type ObjectChange } from './objects';
import { ofNetworkPolicy, ofPolicy } from './reach-of-policies';
import { EVERYTHING, NOTHING, type Reach, type Side, specOf, toHosts } from './reach-shape';
import { canonical } from '../model/canonical';
import { RBAC } from '../model/secret-access';
import { ofRoles } from './reach-of-roles';

/** Kinds whose configuration reaches Envoy as it is written: what it does there is not ours to tell. */
const AS_WRITTEN = new Set([
  'EnvoyFilter',
  'WasmPlugin',
  'TrafficExtension',
  'EnvoyPatchPolicy',
  'EnvoyExtensionPolicy',
]);

/** Whether nobody but Envoy can tell what a change does. */
export function isBeyondJudgement({ ref, was, is }: ObjectChange): boolean {
  const sides = [was, is].filter((manifest) => manifest !== undefined);
  return AS_WRITTEN.has(ref.kind) && !sides.every((manifest) => isForwardProxy(specOf(manifest)));
}

const GATEWAY_API = new Set(['gateway.networking.k8s.io', 'gateway.envoyproxy.io', 'gateway.networking.x-k8s.io']);

/** Kinds of which nothing but the spec, and their age, is read. */
const SPEC_DECIDES = new Set([
  'VirtualService',
  'Gateway',
  'DestinationRule',
  'Sidecar',
  'PeerAuthentication',
  'AuthorizationPolicy',
]);

function onlyMetadata({ was, is }: ObjectChange): boolean {
  if (was === undefined || is === undefined) return false;
  const read = (manifest: Manifest): string =>
    canonical([
      specOf(manifest),
      text(record(record(manifest.body).metadata).creationTimestamp),
      manifest.annotations['istio.io/dry-run'] ?? '',
    ]);
  return read(was) === read(is);
}

export function reachOf(change: ObjectChange, was: Links, is: Links): Reach {
  const sides: Side[] = [];
  if (change.was !== undefined) sides.push({ manifest: change.was, links: was });
  if (change.is !== undefined) sides.push({ manifest: change.is, links: is });
  const [first] = sides;
  if (first === undefined) return NOTHING;
  const { kind, group } = first.manifest;
  const both = [was, is];
  if (SPEC_DECIDES.has(kind) && /\.istio\.io$/.test(group) && onlyMetadata(change)) return NOTHING;
  if (group === 'networking.istio.io') {
    switch (kind) {
      case 'ServiceEntry':
        return ofServiceEntry(sides, both);
      case 'VirtualService':
        return ofVirtualService(sides, both);
      case 'Gateway':
        return ofGateway(change, sides, both);
      case 'DestinationRule':
        return ofDestinationRule(change, sides, both);
      case 'Sidecar':
        return ofSidecar(change, sides);
      case 'ProxyConfig':
        return ofProxyConfig(sides);
      case 'WorkloadEntry':
      case 'WorkloadGroup':
        return ofEndpoints(first.manifest.namespace, both);
      case 'EnvoyFilter':
        return sides.some(({ manifest }) => isForwardProxy(specOf(manifest))) ? EVERYTHING : NOTHING;
    }
    return NOTHING;
  }
  if (group === 'security.istio.io') return ofPolicy(sides, both);
  if (group === RBAC) return ofRoles([was, is]);
  if (kind === 'NetworkPolicy') return ofNetworkPolicy(sides, both);
  if (GATEWAY_API.has(group) || kind === 'Ingress' || kind === 'IngressClass')
    return { ...NOTHING, hosts: 'all', clients: 'all' };
  if (kind === 'ConfigMap' && sides.some(({ manifest }) => isEnvoyGatewayConfig(manifest)))
    return { ...NOTHING, hosts: 'all', clients: 'all' };
  if (isOfInstallation(first.manifest)) return meshFacts(was.mesh) === meshFacts(is.mesh) ? NOTHING : EVERYTHING;
  if (group === '' && kind === 'Service') {
    const { namespace, name } = first.manifest;
    const host = `${name}.${namespace}.svc.${is.mesh.config.clusterDomain}`;
    const beside = besideOnPods(sides, ({ selector }) => strings(selector));
    return toHosts(
      both.flatMap((links) => [...links.viaAll([host, ...beside])]),
      'all',
      portsOf(sides),
    );
  }
  if (group === '' && kind === 'Namespace') return ofNamespace(change, first.manifest.name, both);
  if (kind === 'Endpoints' || kind === 'EndpointSlice') return ofEndpoints(first.manifest.namespace, both);
  return ofWorkload(change, sides, both);
}

function isEnvoyGatewayConfig(manifest: Manifest): boolean {
  return Object.keys(record(record(manifest.body).data)).some((key) => /^envoy-gateway\.ya?ml$/.test(key));
}

/** Who may notice an object: those who see it, or everyone if a gateway on the way is among them. */
function audience(seenBy: readonly Visibility[], sides: readonly Side[]): Reach['clients'] {
  // ztunnels are told of everything, whatever is exported to whom.
  if (sides.some(({ links }) => hasAmbient(links.mesh))) return 'all';
  const namespaces = new Set<string>();
  for (const [at, one] of seenBy.entries()) {
    const side = sides[at];
    if (one === 'public' || side === undefined) return 'all';
    if (one === 'none') continue;
    for (const namespace of one === 'private' ? [side.manifest.namespace] : one) namespaces.add(namespace);
  }
  return [...namespaces].some((namespace) =>
    sides.some(({ links }) => links.hasGateway(namespace) || namespace === links.mesh.config.rootNamespace),
  )
    ? 'all'
    : namespaces;
}

function hasAmbient(mesh: Mesh): boolean {
  return mesh.remember(
    mesh,
    'diff: has ambient clients',
    () =>
      mesh.workloads.all.some(({ membership }) => membership === 'ztunnel') ||
      [...mesh.namespaces.keys()].some((namespace) => mesh.membershipIn(namespace) === 'ztunnel'),
  );
}

function exportOf({ manifest, links }: Side): Visibility {
  const spec = specOf(manifest);
  const { config } = links.mesh;
  const defaults =
    manifest.kind === 'VirtualService'
      ? config.defaultVirtualServiceExportTo
      : manifest.kind === 'DestinationRule'
        ? config.defaultDestinationRuleExportTo
        : config.defaultServiceExportTo;
  return visibility(texts(spec.exportTo), defaults, manifest.namespace);
}

function ofServiceEntry(sides: readonly Side[], both: readonly Links[]): Reach {
  const own = sides.flatMap(({ manifest }) => texts(specOf(manifest).hosts));
  // A sidecar reads a route for TLS or TCP for the sake of a service that it sees, and with it all that the route is for.
  const beside = both.flatMap(({ mesh }) =>
    own.flatMap((host) => mesh.virtualServices.forHost(host).filter(({ tls, tcp }) => tls.length + tcp.length > 0)),
  );
  const behind = besideOnPods(sides, ({ workloadSelector }) => strings(record(workloadSelector).labels));
  const hosts = [
    ...own,
    ...behind,
    ...beside.flatMap(hostsOf),
    ...both.flatMap(({ mesh }) => [...hostsOfRoutesAlone(mesh)]),
  ];
  return toHosts(
    both.flatMap((links) => [...links.viaAll(hosts)]),
    // What its Pods are asked for, everybody may notice.
    behind.length > 0 ? 'all' : audience(sides.map(exportOf), sides),
    portsOf(sides),
  );
}

/** Hosts that have Pods in common with an object which selects some: what listens at these is made of all that is said of them. */
function besideOnPods(
  sides: readonly Side[],
  selectorOf: (spec: Json) => Readonly<Record<string, string>>,
): readonly string[] {
  return sides.flatMap(({ manifest, links }) => {
    const selector = selectorOf(specOf(manifest));
    return links.mesh.workloads
      .behind({ namespace: manifest.namespace, selector })
      .flatMap((workload) => links.hostsAt(workload));
  });
}

/** Hosts that routes of sidecars are for and no service has: they are routed where a listener is there for some service on the port. */
function hostsOfRoutesAlone(mesh: Mesh): ReadonlySet<string> {
  return mesh.remember(mesh, 'diff: hosts of routes alone', () => {
    const routes = mesh.virtualServices.all.filter(
      ({ gateways, http }) => gateways.includes('mesh') && http.length > 0,
    );
    return new Set(routes.flatMap(hostsOf).filter((host) => mesh.services.named(host).size === 0));
  });
}

/** Ports that an object declares. */
function portsOf(sides: readonly Side[]): ReadonlySet<number> {
  return new Set(
    sides.flatMap(({ manifest }) =>
      records(specOf(manifest).ports).map((port) => Number(port.number ?? port.port ?? 0)),
    ),
  );
}

function ofVirtualService(sides: readonly Side[], both: readonly Links[]): Reach {
  const hosts = new Set<string>();
  const destinations = new Set<string>();
  let onlyGateways = true;
  for (const { manifest, links } of sides) {
    const { namespace, name } = manifest;
    const spec = specOf(manifest);
    const own = links.mesh.virtualServices.all.filter((one) => one.namespace === namespace && one.name === name);
    for (const route of [...own, ...links.rootsOf(namespace, name)]) {
      if (route.gateways.includes('mesh')) onlyGateways = false;
      for (const host of hostsOf(route)) hosts.add(host);
      // Routes that a gateway follows without knowing the name that the client asked for.
      if (route.tcp.length > 0 || route.hosts.some((host) => host.startsWith('*')))
        for (const gateway of route.gateways)
          if (gateway !== 'mesh') for (const host of links.throughGateway(gateway)) hosts.add(host);
      // A Sidecar that imports the route imports its destinations with it.
      for (const rule of [...route.http, ...route.tls, ...route.tcp])
        for (const one of rule.route) destinations.add(one.host);
    }
    for (const host of texts(spec.hosts)) hosts.add(host);
  }
  const clients = onlyGateways ? 'all' : audience(sides.map(exportOf), sides);
  return toHosts([...both.flatMap((links) => [...links.viaAll(hosts)]), ...destinations], clients);
}

function ofGateway(change: ObjectChange, sides: readonly Side[], both: readonly Links[]): Reach {
  const { namespace, name } = sides[0]?.manifest ?? { namespace: '', name: '' };
  const gateway = `${namespace}/${name}`;
  const [before, after] = [specOf(change.was), specOf(change.is)];
  const serversOf = (spec: Json): ReadonlyMap<string, unknown> =>
    new Map(records(spec.servers).map((server) => [canonical({ ...server, hosts: [] }), server]));
  const [old, now] = [serversOf(before), serversOf(after)];
  const services = both.flatMap((links) => [before, after].flatMap(({ selector }) => links.servicesOfGateway(strings(selector)))); // prettier-ignore
  const onlyHosts =
    change.was !== undefined &&
    change.is !== undefined &&
    canonical({ ...before, servers: [] }) === canonical({ ...after, servers: [] }) &&
    old.size === now.size &&
    [...old.keys()].every((key) => now.has(key));
  if (onlyHosts) {
    const hosts = [...old].flatMap(([key, server]) =>
      difference(texts(record(server).hosts), texts(record(now.get(key)).hosts)),
    );
    const named = hosts.map((host) => host.slice(host.indexOf('/') + 1));
    return toHosts([...services, ...both.flatMap((links) => [...links.viaAll(named)])], 'all');
  }
  const hosts = new Set<string>();
  for (const { manifest, links } of sides) {
    for (const host of links.atGateway(gateway)) hosts.add(host);
    for (const server of records(specOf(manifest).servers)) for (const host of serverHosts(server)) hosts.add(host);
  }
  // Gateways on the same Pods share ports: one of another protocol pushes others out.
  for (const links of both) for (const host of crowdedOut(links, sides)) hosts.add(host);
  return toHosts([...services, ...both.flatMap((links) => [...links.viaAll(hosts)])], 'all');
}

function difference(a: readonly string[], b: readonly string[]): readonly string[] {
  const [left, right] = [new Set(a), new Set(b)];
  return [...a.filter((one) => !right.has(one)), ...b.filter((one) => !left.has(one))];
}

function crowdedOut(links: Links, sides: readonly Side[]): readonly string[] {
  const mine = sides.flatMap(({ manifest }) => records(specOf(manifest).servers));
  const kinds = new Map<number, string>();
  const kindOf = (server: Json): string =>
    canonical([record(server.port).protocol, { ...record(server.tls), credentialName: '' }, text(server.bind)]);
  for (const server of mine) kinds.set(Number(record(server.port).number), kindOf(server));
  const ours = sides.map(({ manifest }) => strings(specOf(manifest).selector));
  const shareAPod = (selector: Readonly<Record<string, string>>): boolean =>
    ours.some((own) =>
      Object.entries(own).every(([key, value]) => selector[key] === undefined || selector[key] === value),
    );
  return links.mesh.gateways
    .filter((gateway) => shareAPod(strings(gateway.spec.selector)))
    .filter((gateway) => {
      if (sides.some(({ manifest }) => manifest.namespace === gateway.namespace && manifest.name === gateway.name))
        return false;
      return records(gateway.spec.servers).some((server) => {
        const kind = kinds.get(Number(record(server.port).number));
        const sameHost = mine.some((own) => serverHosts(own).some((host) => serverHosts(server).includes(host)));
        return kind !== undefined && (kind !== kindOf(server) || sameHost);
      });
    })
    .flatMap((gateway) => [...links.atGateway(`${gateway.namespace}/${gateway.name}`)]);
}

function ofDestinationRule(change: ObjectChange, sides: readonly Side[], both: readonly Links[]): Reach {
  const [before, after] = [specOf(change.was), specOf(change.is)];
  const rest = (spec: Json): string => canonical({ ...spec, subsets: [] });
  const subsetsOf = (spec: Json): ReadonlyMap<string, string> =>
    new Map(records(spec.subsets).map((subset) => [text(subset.name), canonical(subset)]));
  const clients = audience(sides.map(exportOf), sides);
  const host = fullHost(sides[0]);
  const stays =
    change.was !== undefined && change.is !== undefined ? rest(before) === rest(after) : hasTwin(change, both);
  if (stays) {
    const [old, now] = [subsetsOf(before), subsetsOf(after)];
    const names = [...new Set([...old.keys(), ...now.keys()])].filter((name) => old.get(name) !== now.get(name));
    return toHosts(
      both.flatMap((links) => names.flatMap((name) => [...links.viaSubset(host, name)])),
      clients,
    );
  }
  return toHosts(
    both.flatMap((links) => sides.flatMap((side) => [...links.via(fullHost(side))])),
    clients,
  );
}

function fullHost(side: Side | undefined): string {
  const host = text(specOf(side?.manifest).host);
  return host.includes('.') || host === '*' || side === undefined
    ? host
    : `${host}.${side.manifest.namespace}.svc.${side.links.mesh.config.clusterDomain}`;
}

/** Whether both meshes have another rule that says the same, subsets aside: then only the subsets come or go. */
function hasTwin(change: ObjectChange, both: readonly Links[]): boolean {
  const own = change.was ?? change.is;
  if (own === undefined) return false;
  const key = twinKey(own);
  return both.every(({ mesh }) => {
    const counts = mesh.remember(mesh, 'diff: rules alike', () => {
      const found = new Map<string, number>();
      for (const rule of mesh.of('networking.istio.io', 'DestinationRule'))
        found.set(twinKey(rule), (found.get(twinKey(rule)) ?? 0) + 1);
      return found;
    });
    const present = mesh.find(own.group, own.kind, own.namespace, own.name) === undefined ? 0 : 1;
    return (counts.get(key) ?? 0) - present > 0;
  });
}

function twinKey(rule: Manifest): string {
  return canonical([rule.namespace, { ...specOf(rule), subsets: [] }]);
}

function ofSidecar(change: ObjectChange, sides: readonly Side[]): Reach {
  const { namespace } = sides[0]?.manifest ?? { namespace: '' };
  const clients = sides.some(({ links }) => links.mesh.config.rootNamespace === namespace)
    ? 'all'
    : new Set([namespace]);
  const withoutHosts = (spec: Json): string =>
    canonical({ ...spec, egress: records(spec.egress).map((listener) => ({ ...listener, hosts: [] })) });
  const [before, after] = [specOf(change.was), specOf(change.is)];
  // What callers of its workloads meet.
  if (canonical(before.ingress ?? null) !== canonical(after.ingress ?? null)) return EVERYTHING;
  if (change.was !== undefined && change.is !== undefined && withoutHosts(before) === withoutHosts(after)) {
    // What one listener imports another may not.
    const now = records(after.egress);
    const hosts = records(before.egress)
      .flatMap((listener, index) => difference(texts(listener.hosts), texts(now[index]?.hosts)))
      .map((host) => host.slice(host.indexOf('/') + 1));
    if (!hosts.includes('*')) {
      const all = new Set(sides.flatMap(({ links }) => [...links.viaAll(hosts)]));
      // Hosts that a service of this scope shares a port with may change listeners with it.
      return { ...NOTHING, hosts: all, clients, ports: new Set(), otherHosts: true };
    }
  }
  return { ...EVERYTHING, clients };
}

/** What the proxies of a namespace, or of all, are told. */
function ofProxyConfig(sides: readonly Side[]): Reach {
  const owners = sides.map(({ manifest }) => manifest.namespace);
  const isForAll = sides.some(({ links }) => owners.includes(links.mesh.config.rootNamespace) || owners.some((one) => links.hasGateway(one))); // prettier-ignore
  return isForAll ? EVERYTHING : { ...EVERYTHING, clients: new Set(owners) };
}

function ofEndpoints(namespace: string, both: readonly Links[]): Reach {
  return toHosts(
    both.flatMap((links) => [...links.into(namespace)]),
    'all',
  );
}

function ofNamespace(change: ObjectChange, namespace: string, both: readonly Links[]): Reach {
  if (canonical(change.was?.labels ?? null) === canonical(change.is?.labels ?? null)) return NOTHING;
  // By its labels listeners take its routes, and gateways its listeners: whoever comes to those may notice.
  const isInUse = both.some(
    (links) =>
      links.into(namespace).size > 0 || links.mesh.manifests.some((manifest) => manifest.namespace === namespace),
  );
  return isInUse ? EVERYTHING : { ...EVERYTHING, clients: new Set([namespace]) };
}

function ofWorkload(change: ObjectChange, sides: readonly Side[], both: readonly Links[]): Reach {
  const read = (manifest: Manifest | undefined, links: Links | undefined): string | undefined => {
    const workload =
      manifest === undefined || links === undefined ? undefined : readWorkload(manifest, links.mesh.namespaces);
    return workload === undefined
      ? undefined
      : canonical({
          ...workload,
          manifest: null,
          namedPorts: [...workload.namedPorts],
          addresses: [...workload.addresses],
        });
  };
  const [first] = sides;
  const [old, now] = [read(change.was, both[0]), read(change.is, both[1])];
  if (first === undefined || (old === undefined && now === undefined) || old === now) return NOTHING;
  const { namespace, name } = first.manifest;
  // A ReplicaSet stands under the name of its Deployment, where that is not shown.
  const isOwn = (workload: Workload): boolean =>
    (workload.namespace === namespace && workload.name === name) ||
    (workload.manifest !== undefined && (workload.manifest === change.was || workload.manifest === change.is));
  const workloads = both.flatMap((links) => links.mesh.workloads.all.filter(isOwn));
  const carried = both.flatMap((links) =>
    workloads.flatMap((workload) => [
      ...(workload.membership === 'gateway' ? links.through(workload) : []),
      ...links.viaAll(links.hostsAt(workload)),
    ]),
  );
  // As a client it may reach other things only if it is there in both: what has come or gone opens or closes no way for others.
  if (old !== undefined && now !== undefined && workloads.some((workload) => workload.membership !== 'gateway'))
    return carried.length > 0 ? EVERYTHING : { ...EVERYTHING, clients: new Set([namespace]) };
  return toHosts(carried, 'all');
}
