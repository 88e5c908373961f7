import { MESH, nameOf } from '../edge';
import { type WayOut, waysFor, waysOut } from '../egress-gateways';
import { type Path, paths } from '../paths/paths';
import type { CheckContext } from '../context';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE201',
  name: 'egress-bypasses-gateway',
  severity: 'error',
  title: 'Requests for a host go past the egress gateway that has a route for it',
  why: 'A VirtualService gives the host a way out of the gateway, and no rule that the client sees leads into it: requests leave from the sidecar, unseen by the gateway and its policies.',
  fix: 'Add `mesh` to the gateways of the VirtualService, with a rule that sends the host to the gateway, and export it to the clients.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/',
  reads: ['VirtualService'],
  footguns: ['V01', 'X04'],
  *check(context) {
    if (context.index(waysOut).length === 0) return;
    const found = new Map<WayOut, { past: Path[]; held: Path[]; through: number }>();
    for (const path of context.index(paths)) {
      const isHeld = isHeldByPolicy(path);
      if ((path.trace.outcome !== 'delivered' && !isHeld) || path.trace.hops.some(({ proxy }) => proxy.kind === 'none'))
        continue;
      const kind = path.probe.scheme === 'http' ? 'http' : path.probe.scheme === 'https' ? 'tls' : 'tcp';
      const isThrough = path.trace.hops.some((hop) => /gateway|waypoint/.test(hop.proxy.kind));
      for (const way of waysFor(context, path.probe.host)) {
        if (way.kind !== kind) continue;
        const state = found.get(way) ?? { past: [], held: [], through: 0 };
        if (isThrough) state.through += 1;
        else (isHeld ? state.held : state.past).push(path);
        found.set(way, state);
      }
    }
    for (const [way, { past, held, through }] of found) {
      // What a NetworkPolicy holds on its way past the gateway was to go through it, if nothing else does.
      const all = past.length === 0 && through === 0 ? held : past;
      const first = all[0];
      if (first) yield describe(context, way, first, all.length, through);
    }
  },
};

/** Whether a request was on its way to the host itself when a NetworkPolicy stopped it. */
function isHeldByPolicy({ probe, trace: { hops, refusal } }: Path): boolean {
  const isDirect = hops.length === 1 && hops[0]?.cluster?.endsWith(`|${probe.host}`) === true;
  return isDirect && refusal?.code === 'UF' && refusal.what.includes('NetworkPolicy');
}

function describe(
  { mesh }: CheckContext,
  { service, host, field, gateway }: WayOut,
  first: Path,
  past: number,
  through: number,
): Hit {
  const sidecar = mesh.sidecarFor(first.client.namespace, first.client.labels);
  const more = past > 1 ? ` (and ${past - 1} more)` : '';
  const isForMesh = service.gateways.includes(MESH);
  const doubtful = through > 0 && !first.client.hasSidecarForSure;
  return {
    manifest: service.manifest,
    onTheWay: sidecar ? [service.manifest, sidecar.manifest] : [service.manifest],
    field: isForMesh ? field : ['spec', 'gateways'],
    what: `${first.probe.url} from ${first.client.from}${more} leaves from the sidecar, though ${nameOf(service.manifest)} has a route for ${host} on gateway ${gateway}${isForMesh ? '' : `; its gateways are ${service.gateways.join(', ')}, without mesh`}`,
    ...(doubtful || through > 0 ? { severity: 'warning' as const } : {}),
  };
}
