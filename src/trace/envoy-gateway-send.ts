/**
 * From a proxy of Envoy Gateway's to a backend that its route chose. What Envoy makes of a cluster is what it makes of istiod's (`upstream.ts`); other
 * than istiod's proxies these are applications to the mesh, so that what they dial may be taken by a sidecar or a ztunnel of their Pod.
 */
import { isAddress } from '../model/addresses';
import { endpointText } from '../model/endpoints';
import { shownName } from '../model/workloads';
import { outboundCapture } from './capture';
import type { BackendCluster, BackendUpstream, MissingBackend } from './envoy-gateway-clusters';
import type { Placed } from './envoy-gateway-candidates';
import { brokenCircuit, SNI_ITSELF } from './envoy-gateway-guards';
import { listenerDecision, type Stage } from './envoy-gateway-stage';
import { resolvedName, type Resolved } from './forward-proxy';
import { brokenStatus, hopOf, hopTo, ruleDecision, type Onward } from './hop';
import { refused, step, unknown, type Step } from './step';
import type { Decision } from './types';
import { layersTo, opened } from './upstream';
import { decisions, outermost, wire } from './walk';

/** What a route of a listener sends on. */
export interface ToBackend extends Placed {
  readonly stage: Stage;
  readonly onward: Onward;
}

export function sendToBackend(going: ToBackend, upstream: BackendUpstream): Step {
  const { stage, onward, ref } = going;
  for (const note of upstream.notes) stage.walk.note(note);
  if (upstream.is === 'open') {
    const { supposed } = stage.walk;
    const { service, why } = upstream;
    if (supposed === undefined || service === undefined) return unknown(hopOf(onward.incoming, { route: ref }), why);
    const { host, port } = service;
    if (!supposed.isSo(`${host}:${port} is there`))
      return withoutUpstream(going, { lacks: 'cluster', reason: { kind: 'backend-service-missing', host, port: null }, by: undefined }); // prettier-ignore
    const sends = wire(onward.http === null ? 'TCP' : 'HTTP', port, onward.inner);
    return step(hopTo(onward, stage.flight, `${host}:${port}`, { sends }), { is: 'delivered', destination: { host, port, tls: sends.tls, sni: sends.sni } }); // prettier-ignore
  }
  if (upstream.is === 'missing') return withoutUpstream(going, upstream);
  const { host: backend, resolves } = upstream;
  if (resolves === 'host or SNI' && onward.http === null && stage.flight.askedSni?.is(SNI_ITSELF) === true)
    return refused(hopOf(onward.incoming, { route: ref }), {
      code: 'RBAC',
      status: brokenStatus(stage.flight),
      proxy: onward.incoming.proxy,
      by: ruleDecision(ref) ?? null,
      reason: { kind: 'loopback-asked-for', backend: backend.replace(/^Backend /, '') },
    });
  const resolved = resolves && nameAsked(going, resolves, upstream);
  if (resolved === null)
    return withoutUpstream(going, { lacks: 'cluster', reason: { kind: 'backend-without-endpoint', backend, resolves: true }, by: undefined }); // prettier-ignore
  return open(going, upstream, resolved);
}

function withoutUpstream({ stage, onward, ref }: ToBackend, { lacks, reason, by }: Omit<MissingBackend, 'is'>): Step {
  const { incoming, http } = onward;
  const [code, status] = lacks === 'endpoints' ? ['UH', 503] : [http === null ? 'NC' : 'direct_response', 500];
  return refused(hopOf(incoming, { route: ref, decidedBy: decisions(by, ...incoming.decidedBy) }), {
    code,
    status: http === null ? brokenStatus(stage.flight) : status,
    proxy: incoming.proxy,
    by: by ?? ruleDecision(ref) ?? null,
    reason,
  });
}

/** What a connection names that a cluster resolves. */
function nameAsked(
  { stage, onward: { http } }: ToBackend,
  resolves: NonNullable<BackendCluster['resolves']>,
  { tls }: BackendCluster,
): Resolved | null {
  const sni = resolves === 'host or SNI' ? (outermost(stage.flight.layers)?.sni ?? null) : null;
  return resolvedName(http?.authority.name ?? null, sni, tls === null && http !== null ? 80 : 443);
}

function open(going: ToBackend, cluster: BackendCluster, resolved: Resolved | undefined): Step {
  const { stage, place, ref } = going;
  const { incoming, http, inner } = going.onward;
  const { mesh, workload, flight } = stage;
  const { pods, tls } = cluster;
  const pod = pods && stage.walk.endpointOf(pods);
  const endpoint = cluster.byService ? cluster.endpoints[0] : (pod ?? cluster.endpoints[0]);
  const { host, port: namedPort } = resolved ?? cluster;
  const port = endpoint?.port ?? namedPort;
  const dialled = pods === undefined ? host : (endpoint?.address ?? '');
  // What a Service leads to is dialled whatever stands for its address; a name outside is looked up.
  const address = dialled === '' || (pods === undefined && !isAddress(dialled)) ? null : dialled;
  // Only the Host of a request is put into TLS by itself.
  const named = resolved !== undefined && tls?.sni === null && http === null ? { ...tls, sni: resolved.host } : tls;
  const layers = layersTo(named, inner, http, false);
  const endpoints = resolved === undefined ? cluster.endpoints : [{ address: resolved.host, port: resolved.port }];
  const hop = hopTo({ ...going.onward, route: ref }, flight, cluster.name, {
    sends: wire(http === null ? (layers.length > 0 ? 'TLS' : 'TCP') : 'HTTP', namedPort, layers),
    decidedBy: decisions(...incoming.decidedBy, listenerDecision(place), dialledBy(stage, cluster), tls?.by),
    envoy: { ...incoming.envoy, endpoints: endpoints.map(endpointText) },
  });
  const broken = brokenCircuit(going, mesh, http !== null);
  if (broken !== undefined)
    return refused(hop, { ...broken, proxy: incoming.proxy, status: http === null ? brokenStatus(flight) : 503 });
  const { namespace, serviceAccount, labels } = workload;
  const from = { namespace, serviceAccount, labels, address: null, workload, inMesh: workload.membership === 'sidecar' }; // prettier-ignore
  const onward = opened(flight, going.onward, { from, host, address, port, namedPort, layers });
  const isHttp = http !== null;
  if (workload.membership === 'ztunnel')
    return step(hop, { at: 'outbound-ztunnel', flight: onward, name: shownName(workload), dialsPod: !cluster.byService && onward.address !== null }); // prettier-ignore
  const isCaptured =
    workload.membership === 'sidecar' &&
    outboundCapture(workload, mesh.servedTo(workload).config.capture, onward.address, onward.port).captured;
  if (isCaptured) {
    const proxy = { kind: 'sidecar' as const, namespace: workload.namespace, workload: shownName(workload) };
    return step(hop, { at: 'outbound-sidecar', flight: onward, workload, proxy });
  }
  const alone = { ...onward, from: { ...onward.from, inMesh: false } };
  if (pods === undefined) return step(hop, { at: 'network', flight: alone, target: undefined, isHttp });
  // The address of a Service leads to one of its Pods.
  const target = { workload: pod?.workload, original: false, among: pods };
  return step(hop, { at: 'network', flight: { ...alone, address: pod?.address ?? null, port: pod?.port ?? namedPort }, target, isHttp }); // prettier-ignore
}

/** What says whether the address of a Service is dialled. */
function dialledBy({ proxy }: Stage, { routing }: BackendCluster): Decision | undefined {
  const manifest = routing?.manifest ?? proxy.manifest;
  return manifest && { kind: manifest.kind, namespace: manifest.namespace, name: manifest.name, field: 'spec.routingType' }; // prettier-ignore
}
