import { isCatchAll } from '../../trace/catch-all';
import { MESH, type RuleMatch, isVisible, nameOf, ruleMatches } from '../edge';
import { type WayOut, waysFor, waysOut } from '../egress-gateways';
import { type Path, paths } from '../paths/paths';
import type { CheckContext } from '../context';
import { overlaps } from '../../model/hostnames';
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
  isCauseToo: true,
  causedBy: ['EDGE203', 'EDGE204', 'EDGE406'],
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
  return isDirect && refusal?.code === 'UF' && refusal.reason.kind === 'network-policy-denies';
}

function describe(
  { mesh }: CheckContext,
  { service, host, kind, field, gateway }: WayOut,
  first: Path,
  past: number,
  through: number,
): Hit {
  const sidecar = mesh.sidecarFor(first.client.namespace, first.client.labels);
  const more = past > 1 ? ` (and ${past - 1} more)` : '';
  const isForMesh = service.gateways.includes(MESH);
  const { namespace } = first.client;
  const isSeen = isVisible(service.spec.exportTo, service.manifest.namespace, namespace);
  const own = isSeen ? ruleForMesh(service, kind, host) : undefined;
  const doubtful = through > 0 && !first.client.hasSidecarForSure;
  return {
    manifest: service.manifest,
    onTheWay: sidecar ? [service.manifest, sidecar.manifest] : [service.manifest],
    field: own?.field ?? (isForMesh ? field : ['spec', 'gateways']),
    what: `${first.probe.url} from ${first.client.from}${more} leaves from the sidecar, though ${nameOf(service.manifest)} has a route for ${host} on gateway ${gateway}${isForMesh ? '' : `; its gateways are ${service.gateways.join(', ')}, without mesh`}`,
    ...(own ? missesRequest(service, own) : {}),
    ...(isForOthers(service, gateway, namespace) && isUndeclared(first) ? closeNamespace(namespace) : {}),
    ...(doubtful || through > 0 ? { severity: 'warning' as const } : {}),
  };
}

/** The rule that leads sidecars' requests for a host somewhere else than to the host itself. */
function ruleForMesh(service: WayOut['service'], kind: WayOut['kind'], host: string): RuleMatch | undefined {
  return ruleMatches(service).find(
    (rule) =>
      rule.kind === kind &&
      rule.gateways.includes(MESH) &&
      (rule.sniHosts.length === 0 || rule.sniHosts.some((one) => overlaps(one, host))) &&
      (service.spec[kind]?.[rule.rule]?.route ?? []).every(({ destination }) => destination?.host !== host),
  );
}

function missesRequest(service: WayOut['service'], { kind, rule, match }: RuleMatch): Pick<Hit, 'why' | 'fix'> {
  const name = `${kind}[${rule}]`;
  const own = kind === 'http' ? undefined : service.spec[kind]?.[rule]?.match?.[match ?? 0];
  const subnets = own?.destinationSubnets ?? [];
  return {
    why: `Rule ${name} leads sidecars to the gateway, and does not take this request: it leaves from the sidecar, unseen by the gateway and its policies.`,
    fix:
      subnets.length > 0
        ? `Write destinationSubnets of ${name} so that they hold the addresses of the host's ServiceEntry (now ${subnets.join(', ')}).`
        : `Compare the match of ${name} with the request (port, sniHosts, source), and the addresses of the host's ServiceEntry: where the host has one, given or allocated, the rule holds for connections to that address only.`,
  };
}

/** Whether a rule is written for clients of namespaces that are named, and these are not among them. */
function isForOthers({ spec, manifest, gateways }: WayOut['service'], gateway: string, namespace: string): boolean {
  const meant = (spec.exportTo ?? []).map((entry) => (entry === '.' ? manifest.namespace : entry));
  const isOther = (entry: string): boolean => entry !== '*' && entry !== '~' && entry !== gateway.split('/')[0];
  return gateways.includes(MESH) && meant.some(isOther) && !meant.includes('*') && !meant.includes(namespace);
}

/** Whether the sidecar knows nothing of the host, and lets the request out as it lets out everything. */
function isUndeclared({ trace: { hops } }: Path): boolean {
  return isCatchAll(hops.at(-1)?.cluster);
}

function closeNamespace(namespace: string): Pick<Hit, 'why' | 'fix'> {
  return {
    why: `The way through the gateway is for other namespaces. In ${namespace} sidecars let everything out that is not declared there (ALLOW_ANY), this host as well.`,
    fix: `Set outboundTrafficPolicy to REGISTRY_ONLY for ${namespace} (a Sidecar there, or the whole mesh). Only if its workloads are meant to call the host, export the route to ${namespace}.`,
  };
}
