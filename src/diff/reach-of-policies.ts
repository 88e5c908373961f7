/** How far policies reach: of whom they let in, and of what is let out. */
import { labelsMatch, optionalRecord, record, records, strings, text, texts, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import type { Links } from './links';
import { EVERYTHING, NOTHING, type Reach, type Side, specOf, toHosts } from './reach-shape';

export function ofPolicy(sides: readonly Side[], both: readonly Links[]): Reach {
  const [first] = sides;
  if (first === undefined) return NOTHING;
  const { namespace, kind } = first.manifest;
  if (kind !== 'AuthorizationPolicy' && kind !== 'PeerAuthentication' && kind !== 'RequestAuthentication')
    return NOTHING;
  if (both.some((links) => links.mesh.config.rootNamespace === namespace)) {
    const selective = sides.every(({ manifest }) => optionalRecord(specOf(manifest).selector) !== undefined);
    if (!selective || kind !== 'AuthorizationPolicy') {
      const inMesh = both.flatMap((links) =>
        [...links.mesh.workloads.namespaces()].flatMap((one) => [...links.into(one)]),
      );
      return toHosts(
        [
          ...inMesh,
          ...both.flatMap((links) =>
            [...links.mesh.services.all].filter((s) => s.registry === 'Kubernetes').map((s) => s.host),
          ),
        ],
        'all',
      );
    }
  }
  const refs = sides.flatMap(({ manifest }) => targetsOf(manifest));
  // What a waypoint carries is known only by following it.
  if (refs.some((ref) => ref.kind !== 'Service' && ref.kind !== 'ServiceEntry')) return EVERYTHING;
  const selectors = sides
    .filter(({ manifest }) => targetsOf(manifest).length === 0)
    .map(({ manifest }) => strings(record(specOf(manifest).selector).matchLabels));
  const attached = both.flatMap((links) =>
    refs.flatMap((ref) => {
      const name = text(ref.name);
      if (ref.kind === 'Service') return [...links.via(`${name}.${namespace}.svc.${links.mesh.config.clusterDomain}`)];
      const entry = links.mesh.find('networking.istio.io', 'ServiceEntry', namespace, name);
      return [...links.viaAll(texts(specOf(entry).hosts))];
    }),
  );
  const targets = both.flatMap((links) =>
    links.mesh.workloads.all.filter(
      (workload) =>
        (workload.namespace === namespace || links.mesh.config.rootNamespace === namespace) &&
        selectors.some((selector) => labelsMatch(selector, workload.labels)),
    ),
  );
  if (targets.some(({ membership }) => membership === 'waypoint')) return EVERYTHING;
  const hosts = both.flatMap((links) =>
    targets.flatMap((workload) => [
      ...(workload.membership === 'gateway' ? links.through(workload) : []),
      ...links.viaAll(links.hostsAt(workload)),
    ]),
  );
  const peers = kind === 'PeerAuthentication' ? both.flatMap((links) => [...links.into(namespace)]) : [];
  return toHosts([...hosts, ...attached, ...peers], 'all');
}

function targetsOf(manifest: Manifest): readonly Json[] {
  const { targetRefs, targetRef } = specOf(manifest);
  return [...records(targetRefs), ...(targetRef === undefined ? [] : [record(targetRef)])];
}

/** What a namespace's own Pods may dial, and what may reach them. */
export function ofNetworkPolicy(sides: readonly Side[], both: readonly Links[]): Reach {
  const namespace = sides[0]?.manifest.namespace ?? '';
  const ports = new Set(sides.flatMap(({ manifest }) => portsDialled(specOf(manifest))));
  if (both.some((links) => links.hasGateway(namespace))) return { ...EVERYTHING, hosts: 'all', ports };
  const inward = both.flatMap((links) => [...links.into(namespace)]);
  return inward.length > 0 ? { ...EVERYTHING, ports } : { ...EVERYTHING, ports, clients: new Set([namespace]) };
}

/** Ports that rules for what leaves name, the first and last of each row. */
function portsDialled(spec: Json): readonly number[] {
  return records(spec.egress)
    .flatMap(({ ports }) => records(ports))
    .filter(({ protocol }) => (text(protocol) || 'TCP') === 'TCP')
    .flatMap(({ port, endPort }) => [Number(port), Number(endPort)])
    .filter((port) => Number.isInteger(port) && port > 0);
}
