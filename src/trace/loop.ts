/** The loop that carries a connection from proxy to proxy, by the steps that these return, until it ends. */
import { throughZtunnel, atZtunnel } from './ambient';
import { arrive } from './arrive';
import { throughProxies } from './envoy-gateway';
import { gap, remark } from './notes';
import { gatewayProxy, throughGateway, throughSidecar } from './proxies';
import { brokenStatus, ruleDecision } from './hop';
import { overrideOf } from './response-override';
import { throughServer } from './server';
import { refused, type End, type Next, type Step } from './step';
import type { ServedPod } from '../model/revisions';
import type { Binding } from '../model/waypoints';
import type { Hop, ProxyRef, Trace } from './types';
import { refOf as policyRef } from './envoy-gateway-verdict';
import { outermost, podOf, type Flight, type Walk } from './walk';
import { throughWaypoint } from './waypoint';
import { spelled, withNotes, wordsOf } from './words';

const MAX_HOPS = 16;

/** Carries on from a first step to the end. */
export function carry(walk: Walk, first: Step): Trace {
  const hops: Hop[] = [];
  const seen = new Set<string>();
  for (let { hop, then } = first; ;) {
    if (hop !== undefined) {
      hops.push(hop);
      noteCopies(walk, hop);
    }
    if ('is' in then) return ended(walk, hops, then);
    const reads = hop?.receives.protocol === 'HTTP' && hop.proxy.kind !== 'none';
    const next = reads && !then.flight.isRead ? { ...then, flight: { ...then.flight, isRead: true } } : then;
    ({ hop, then } = goesRound(next, hops, seen) ?? stepAt(walk, next));
  }
}

/** What becomes of a connection where it is. */
function stepAt(walk: Walk, next: Next): Step {
  switch (next.at) {
    case 'network':
      return arrive(walk, next.flight, next.target, next.isHttp);
    case 'outbound-sidecar':
      return throughSidecar(walk.at(podOf(next.flight.from)), next.flight, next.workload, next.proxy);
    case 'inbound-sidecar':
      return throughServer(walk.at(next.workload), next.flight, next.workload, next.unserved, next.behind);
    case 'gateway':
      return throughGateway(walk.at(next.workload), next.flight, next.workload);
    case 'outbound-ztunnel':
      return throughZtunnel(walk, next.flight, next.name, next.dialsPod);
    case 'inbound-ztunnel':
      return atZtunnel(walk, next.flight, next.workload, next.behind);
    case 'waypoint':
      return throughWaypoint(walk.at(waypointPod(walk, next.binding)), next.flight, next.binding, next.to);
    case 'envoy-gateway':
      return throughProxies(walk, next.flight, next.proxies);
  }
}

/** The Pod of a waypoint. */
function waypointPod({ mesh }: Walk, { namespace, name }: Binding): ServedPod {
  return mesh.workloads.find(namespace, name) ?? { namespace, labels: {} };
}

/** The refusal of a proxy that sees the same request for the second time. Whatever goes round comes through a sidecar or a gateway. */
function goesRound(next: Next, hops: readonly Hop[], seen: Set<string>): Step | undefined {
  if (next.at !== 'outbound-sidecar' && next.at !== 'gateway') return undefined;
  const { flight } = next;
  const proxy = next.at === 'gateway' ? gatewayProxy(flight, next.workload) : next.proxy;
  const key = keyOf(proxy, flight);
  if (!seen.has(key) && hops.length < MAX_HOPS) {
    seen.add(key);
    return undefined;
  }
  const path = [...hops.map((hop) => hop.proxy), proxy].map((one) => `${one.namespace}/${one.workload ?? '?'}`);
  return refused(undefined, {
    code: 'loop',
    status: brokenStatus(flight),
    proxy,
    by: ruleDecision(hops[hops.length - 1]?.route ?? null) ?? null,
    reason: { kind: 'loop', path, bySidecar: proxy.kind === 'sidecar' },
  });
}

function keyOf(proxy: ProxyRef, flight: Flight): string {
  const outer = outermost(flight.layers);
  return JSON.stringify([
    proxy.namespace,
    proxy.workload,
    flight.port,
    outer?.kind,
    outer?.sni,
    flight.http?.authority.toString(),
    flight.http?.path.toString(),
  ]);
}

function noteCopies(walk: Walk, { copies = [] }: Hop): void {
  for (const { cluster, percent } of copies) walk.note(remark({ kind: 'copied', cluster, percent }));
}

/** An end as the client sees it: policies on the way back may replace a response by its status. What is refused stays so. */
function comeBack(walk: Walk, end: End): End {
  if (end.is === 'delivered' || end.is === 'unknown') return end;
  const told = end.is === 'replied' ? end.reply : end.refused;
  let { status } = told;
  for (const { policy, at } of walk.overrides) {
    const isLocal = told.proxy.namespace === at.namespace && told.proxy.workload === at.workload;
    const override = status === null ? undefined : overrideOf(policy, { status, isLocal });
    if (status === null || override === undefined) continue;
    if (override.is === 'open') return { is: 'unknown', why: gap({ kind: 'response-headers', policy: policyRef(policy), status }) }; // prettier-ignore
    if (override.is === 'redirect') return { is: 'unknown', why: gap({ kind: 'response-redirected', policy: policyRef(policy), status }) }; // prettier-ignore
    walk.note(remark({ kind: 'status-replaced', policy: policyRef(policy), from: status, to: override.status }));
    status = override.status;
  }
  if (status === told.status || status === null) return end;
  if (end.is === 'replied' && end.reply.status < 400) return { is: 'replied', reply: { ...end.reply, status } };
  return { is: 'refused', refused: { ...told, status } };
}

function ended(walk: Walk, hops: readonly Hop[], last: End): Trace {
  const end = comeBack(walk, last);
  if (end.is === 'unknown') walk.note(end.why);
  const notes = withNotes(walk.notes);
  if (end.is === 'delivered')
    return { outcome: 'delivered', hops, destination: end.destination, refusal: null, ...notes };
  if (end.is === 'unknown') return { outcome: 'unknown', hops, destination: null, refusal: null, ...notes };
  // A fault is never meant, whatever its status.
  const { location, ...told } = end.is === 'replied' ? end.reply : { ...end.refused, location: undefined };
  const { code, status, proxy, by } = told;
  const { what, fix } = wordsOf(told.reason);
  const reason = spelled(told.reason);
  if (end.is === 'refused' || end.reply.status >= 400 || code === 'FI')
    return { outcome: 'refused', hops, destination: null, refusal: { code, status, proxy, what, fix, by, reason }, ...notes }; // prettier-ignore
  const answer = { code, status: end.reply.status, proxy, what, by, reason, ...(location === undefined ? {} : { location }) }; // prettier-ignore
  return { outcome: 'answered', hops, destination: null, refusal: null, answer, ...notes };
}
