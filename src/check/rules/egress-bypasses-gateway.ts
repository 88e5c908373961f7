import { isCatchAll } from '../../trace/catch-all';
import { MESH, type RuleMatch, fullHost, isVisible, nameOf, ruleMatches, virtualServices } from '../edge';
import { type WayOut, waysFor, waysOut } from '../egress-gateways';
import { missed, notExported, unreadByZtunnel } from '../past-gateway';
import { type Path, paths } from '../paths/paths';
import { type Client, clients } from '../paths/clients';
import { trace } from '../../trace';
import { push } from '../../model/objects';
import { type CheckContext, defineIndex } from '../context';
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
    const open = new Map<string, Past>();
    for (const [way, { past, held, through }] of found) {
      // What a NetworkPolicy holds on its way past the gateway was to go through it, if nothing else does.
      const all = past.length === 0 && through === 0 ? held : past;
      const others: Path[] = [];
      for (const one of all) {
        if (!isOpenTo(context, way, one)) others.push(one);
        else if (!open.has(one.client.namespace)) open.set(one.client.namespace, { way, ...one });
      }
      const [first] = others;
      if (first) yield describe(context, way, first, others.length, through);
    }
    for (const one of openByAddress(context, open)) open.set(one.client.namespace, one);
    const byGateway = new Map<string, Past[]>();
    for (const one of open.values()) push(byGateway, one.way.gateway, one);
    for (const all of byGateway.values()) yield* closeNamespaces(context, all);
  },
};

/** A request that goes past the gateway that has a way out for its host. */
interface Past {
  readonly way: WayOut;
  readonly probe: Pick<Path['probe'], 'url'>;
  readonly client: Client;
}

/** Whether the way out is for other namespaces, and this one lets out whatever it knows nothing of. */
function isOpenTo(context: CheckContext, way: WayOut, path: Path): boolean {
  return isUndeclared(path.trace) && isForOthers((context.index(leads).get(way)?.service ?? way.service), way.gateway, path.client.namespace); // prettier-ignore
}

/** The same of namespaces that no object speaks to: each is asked for one host that others are led to the gateway for. */
function* openByAddress(context: CheckContext, known: ReadonlyMap<string, Past>): Generator<Past> {
  const { mesh } = context;
  const asked = new Set(known.keys());
  for (const client of context.index(clients)) {
    const { namespace } = client;
    if (client.isAssumed || !client.hasSidecarForSure || asked.has(namespace)) continue;
    asked.add(namespace);
    const way = context.index(waysOut).find((one) => isKeptFrom(context, one, namespace));
    const port = way && mesh.services.declaring(way.host)[0]?.ports[0]?.port;
    if (way === undefined || port === undefined) continue;
    const url = way.kind === 'http' ? `http://${way.host}:${port}/` : `https://${way.host}:${port}/`;
    const followed = trace(mesh, { from: client.from, request: url });
    const isDirect = followed.outcome === 'delivered' && followed.hops.every(({ proxy }) => proxy.kind === 'sidecar');
    if (isDirect && isUndeclared(followed)) yield { way, probe: { url }, client };
  }
}

/** Whether a way out is led to by a rule for other namespaces, and nothing declares the host to this one. */
function isKeptFrom(context: CheckContext, way: WayOut, namespace: string): boolean {
  if (way.kind === 'tcp' || way.host.includes('*') || namespace === way.gateway.split('/')[0]) return false;
  const lead = context.index(leads).get(way);
  const declared = context.mesh.services.declaring(way.host);
  return (
    lead !== undefined &&
    isForOthers(lead.service, way.gateway, namespace) &&
    declared.length > 0 &&
    !declared.some((service) => context.mesh.services.isVisible(service, namespace))
  );
}

/** The rule that leads sidecars to the gateway of a way out. */
interface Lead {
  readonly service: WayOut['service'];
  readonly rule: RuleMatch;
}

/** By ways out: in the VirtualService of the way out, or in one of its own. */
const leads = defineIndex('leads to ways out', (context): ReadonlyMap<WayOut, Lead> => {
  const byHost = new Map<string, WayOut['service'][]>();
  for (const service of context.index(virtualServices))
    if (service.gateways.includes(MESH))
      for (const host of service.hosts) push(byHost, fullHost(context, host, service.manifest.namespace), service);
  const found = new Map<WayOut, Lead>();
  for (const way of context.index(waysOut))
    for (const service of [way.service, ...(byHost.get(way.host) ?? [])]) {
      const rule = ruleForMesh(service, way.kind, way.host);
      if (rule === undefined) continue;
      found.set(way, { service, rule });
      break;
    }
  return found;
});

/** Whether a request was on its way to the host itself when a NetworkPolicy stopped it. */
function isHeldByPolicy({ probe, trace: { hops, refusal } }: Path): boolean {
  const isDirect = hops.length === 1 && hops[0]?.cluster?.endsWith(`|${probe.host}`) === true;
  return isDirect && refusal?.code === 'UF' && refusal.reason.kind === 'network-policy-denies';
}

function describe(context: CheckContext, way: WayOut, first: Path, past: number, through: number): Hit {
  const { mesh } = context;
  const { service, host, field, gateway } = way;
  const sidecar = mesh.sidecarFor(first.client.namespace, first.client.labels);
  const more = past > 1 ? ` (and ${past - 1} more)` : '';
  const isForMesh = service.gateways.includes(MESH);
  const { namespace } = first.client;
  const lead = context.index(leads).get(way);
  const doubtful = through > 0 && !first.client.hasSidecarForSure;
  if (lead !== undefined && isTakenBy(lead, first)) return toNoGateway(lead, first, gateway, doubtful || through > 0);
  const byZtunnel = first.trace.hops[0]?.proxy.kind === 'ztunnel';
  return {
    manifest: service.manifest,
    onTheWay: sidecar ? [service.manifest, sidecar.manifest] : [service.manifest],
    field: lead?.service === service ? (isExported(context, lead, namespace) ? lead.rule.field : ['spec', 'exportTo']) : isForMesh ? field : ['spec', 'gateways'], // prettier-ignore
    what: `${first.probe.url} from ${first.client.from}${more} leaves from ${byZtunnel ? 'ztunnel' : 'the sidecar'}, though ${nameOf(service.manifest)} has a route for ${host} on gateway ${gateway}${isForMesh || lead !== undefined ? '' : `; its gateways are ${service.gateways.join(', ')}, without mesh`}`,
    ...(byZtunnel ? unreadByZtunnel(namespace) : lead === undefined ? {} : notLed(context, lead, first)),
    ...(doubtful || through > 0 ? { severity: 'warning' as const } : {}),
  };
}

/** Whether the rule that leads to the gateway took the request. */
function isTakenBy({ service: { manifest }, rule: { kind, rule } }: Lead, { trace: { hops } }: Path): boolean {
  const taken = hops[0]?.route;
  return taken?.namespace === manifest.namespace && taken.name === manifest.name && taken.rule === `${kind}[${rule}]`;
}

/** The rule leads to Pods, and they are no gateway. */
function toNoGateway(
  { service, rule: { field, kind, rule } }: Lead,
  { probe, client, trace: { hops } }: Path,
  gateway: string,
  isDoubtful: boolean,
): Hit {
  // prettier-ignore
  const [, , , to = ''] = (hops[0]?.cluster ?? '').split('|');
  return {
    manifest: service.manifest,
    onTheWay: [service.manifest],
    field,
    what: `${probe.url} from ${client.from} is led to ${to} by ${kind}[${rule}] of ${nameOf(service.manifest)}, and no Pods there run Gateway ${gateway}`,
    why: 'What is behind the Service that the rule names is no gateway: the request reaches another workload, or nobody, and its policies are not those of the gateway.',
    fix: `Name the Service of the Pods that Gateway ${gateway} selects, and give those Pods the template of a gateway (inject.istio.io/templates: gateway).`,
    ...(isDoubtful ? { severity: 'warning' as const } : {}),
  };
}

/** Why the rule for sidecars does not lead this request. */
function notLed(context: CheckContext, lead: Lead, first: Path): Pick<Hit, 'why' | 'fix'> {
  const { namespace } = first.client;
  return isExported(context, lead, namespace)
    ? missed(context, lead.service, lead.rule, first)
    : notExported(lead.service, namespace);
}

function isExported(context: CheckContext, { service }: Lead, namespace: string): boolean {
  return isVisible(context, service, namespace);
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

/** Whether a rule is written for clients of namespaces that are named, and these are not among them. */
function isForOthers({ spec, manifest, gateways }: WayOut['service'], gateway: string, namespace: string): boolean {
  const meant = (spec.exportTo ?? []).map((entry) => (entry === '.' ? manifest.namespace : entry));
  const isOther = (entry: string): boolean => entry !== '*' && entry !== '~' && entry !== gateway.split('/')[0];
  return gateways.includes(MESH) && meant.some(isOther) && !meant.includes('*') && !meant.includes(namespace);
}

/** Whether the sidecar knows nothing of the host, and lets the request out as it lets out everything. */
function isUndeclared({ hops }: Pick<Path['trace'], 'hops'>): boolean {
  return isCatchAll(hops.at(-1)?.cluster);
}

/** Namespaces that let out whatever they know nothing of: one finding for all of them, since one setting mends it. */
function* closeNamespaces(context: CheckContext, all: readonly Past[]): Generator<Hit> {
  const [first] = all;
  if (first === undefined) return;
  const { way, probe, client } = first;
  const namespaces = all.map((one) => one.client.namespace);
  const named = `${namespaces.slice(0, MOST_NAMED).join(', ')}${namespaces.length > MOST_NAMED ? ` and ${namespaces.length - MOST_NAMED} more` : ''}`; // prettier-ignore
  const kept = context
    .index(waysOut)
    .filter((one) => one.host !== way.host && isKeptFrom(context, one, client.namespace));
  const others = new Set(kept.map(({ host }) => host)).size;
  const ofWhich = kept.every(({ gateway }) => gateway === way.gateway) ? 'the gateway' : 'egress gateways';
  const more =
    namespaces.length > 1
      ? ` (and from ${namespaces.length - 1} more namespace${namespaces.length === 2 ? '' : 's'})`
      : '';
  const sidecar = context.mesh.sidecarFor(client.namespace, client.labels);
  yield {
    manifest: way.service.manifest,
    onTheWay: sidecar ? [way.service.manifest, sidecar.manifest] : [way.service.manifest],
    field: way.field,
    severity: 'warning',
    what: `${probe.url} from ${client.from}${more} leaves from the sidecar, past gateway ${way.gateway}${others === 0 ? '' : `, and so may requests for ${others} other host${others === 1 ? '' : 's'} of ${ofWhich}`}`,
    why: `The way through the gateway is for other namespaces. In ${named} sidecars let everything out that is not declared there (ALLOW_ANY), this host as well.`,
    fix: `Set outboundTrafficPolicy to REGISTRY_ONLY for ${named} (a Sidecar there, or the whole mesh). Only if its workloads are meant to call the host, export the route to ${namespaces.length > 1 ? 'a namespace' : named}.`,
  };
}

const MOST_NAMED = 3;
