/**
 * What a request does, hop by hop. Pure: a mesh and a request in, a trace out; the same input gives the same trace.
 *
 * ```ts
 * const mesh = buildMesh(load(['dist']).manifests);
 * trace(mesh, { from: 'app/sleep', request: 'https://edition.cnn.com/' }).outcome;
 * ```
 */
import { isLoopback } from '../model/addresses';
import { overlaps } from '../model/hostnames';
import type { LeftOut } from '../model/left-out';
import { HTTP1_METHODS } from '../model/http1-methods';
import type { Mesh } from '../model/mesh';
import { proxySettings } from '../model/proxy-config';
import { isCaller } from './arrive';
import type { Recorder } from './ask';
import { isListenedAt, outboundCapture, virtualInterfaces } from './capture';
import { client, type Origin } from './client';
import { noteDns } from './dns';
import { workloadOffered } from './endpoint-kinds';
import { droppedBefore } from './enter';
import { beforeEnvoyGateway } from './envoy-gateway';
import { withExtensions } from './extensions';
import { gap, type Note, remark } from './notes';
import { withoutProxy } from './proxies';
import { carry } from './loop';
import { type Answer, type Dialled, answersOfProxy, dial } from './names';
import { otherEnd } from './other-end';
import { refOf } from './refs';
import { NoGateway, parseRequest, type RequestError } from './request';
import { unknown, type Step } from './step';
import type { Trace, TraceRequest } from './types';
import { ownerOf, podOf, Walk, type Flight } from './walk';
import { withNotes, wordsOf } from './words';

export { NoGateway, RequestError } from './request';
export type { Recorder } from './ask';
export type * from './types';
export type { NoteKind } from './notes';
export type { Reason, ReasonKind } from './reasons';
export { NOTE_KINDS, REASON_KINDS, whyUnknown, wordsOf, wordsOfNote } from './words';

/**
 * Follows one request through a mesh. A `recorder` gets each question that a proxy asked of the request: all that give the same
 * answers to them fare the same.
 *
 * @throws RequestError if the request is none, or names a client or gateway that cannot be.
 */
export function trace(mesh: Mesh, request: TraceRequest, recorder?: Recorder): Trace {
  const given = mesh.beside(request);
  try {
    return withExtensions(given, request, follow(given, request, recorder), recorder);
  } catch (error) {
    const { at, known = [] } = request;
    if (!(error instanceof NoGateway) || at === undefined || !known.some((one) => one.endsWith(`/${at}`))) throw error;
    return noSuchGateway(at);
  }
}

/** The trace of a request from outside whose gateway is gone, or not there yet. */
export function noSuchGateway(at: string): Trace {
  const [namespace = '', workload = ''] = at.split('/');
  const reason = { kind: 'no-such-gateway', gateway: at } as const;
  const proxy = { kind: 'none', namespace, workload } as const;
  return {
    outcome: 'refused',
    hops: [],
    destination: null,
    refusal: { code: 'no-such-gateway', status: null, proxy, ...wordsOf(reason), by: null, reason },
    ...withNotes([]),
  };
}

function follow(mesh: Mesh, request: TraceRequest, recorder?: Recorder): Trace {
  const { host, address, port } = parseRequest(request);
  const origin = client(mesh, request, port);
  const answers = origin.entry === undefined ? answersOfProxy(mesh, host, address, origin) : [];
  if (answers.length < 2) {
    const told = followTo(mesh, request, answers[0]?.dialled, recorder);
    const note =
      told.outcome === 'delivered' && origin.entry === undefined
        ? otherEnd(mesh, host, origin.peer.namespace, told)
        : undefined;
    return note === undefined ? told : { ...told, ...withNotes([...told.noted, note]) };
  }
  return eitherOf(answers.map((answer) => ({ answer, told: followTo(mesh, request, answer.dialled, recorder) })), host); // prettier-ignore
}

/** What becomes of a request by whichever address the sidecar answers with: unknown where they do not fare alike. */
function eitherOf(ways: readonly { readonly answer: Answer; readonly told: Trace }[], host: string): Trace {
  const shape = ({ outcome, destination, refusal, hops }: Trace): string =>
    JSON.stringify([
      outcome,
      destination,
      refusal?.code,
      hops.map(({ proxy, cluster, sends }) => [proxy, cluster, sends]),
    ]);
  const [first] = ways as [(typeof ways)[number]];
  if (ways.every(({ told }) => shape(told) === shape(first.told))) return first.told;
  const each = ways.map(({ answer: { service }, told: { outcome, refusal } }) => ({
    entry: refOf(service.config),
    outcome,
    code: refusal?.code ?? null,
  }));
  const good = ways.find(({ told }) => told.outcome === 'delivered') ?? first;
  return {
    ...good.told,
    outcome: 'unknown',
    destination: null,
    refusal: null,
    ...withNotes([gap({ kind: 'answers-differ', host, answers: each }), ...good.told.noted]),
  };
}

/** The trace of a request that is none, or that names a client or a gateway that cannot be. */
export function notFollowed({ problem }: RequestError): Trace {
  const notes = withNotes([gap({ kind: 'request-not-followed', problem })]);
  return { outcome: 'unknown', hops: [], destination: null, refusal: null, ...notes };
}

/** Endpoints of other kinds that a trace looks at. */
const MOST_OTHERS = 10;

function followTo(mesh: Mesh, request: TraceRequest, answer: Dialled | undefined, recorder?: Recorder): Trace {
  const parsed = parseRequest(request, recorder);
  const walk = new Walk(
    mesh,
    parsed.address === null ? undefined : { host: parsed.host, address: parsed.address },
    recorder,
  );
  const origin = client(mesh, request, parsed.port);
  for (const note of origin.notes) walk.note(note);
  for (const one of mesh.leftOut)
    if (one.isFollowed !== true && isAbout(one, parsed.host))
      walk.note(
        remark({ kind: 'left-out', object: refOf(one), field: one.field ?? null, by: one.by, detail: one.why }),
      );
  const target = answer ?? dial(mesh, parsed.host, parsed.address, origin.peer.namespace);
  const flight: Flight = {
    from: origin.peer,
    address: target.address,
    port: parsed.port,
    namedPort: parsed.port,
    layers:
      parsed.sni !== null || parsed.scheme === 'https' || parsed.scheme === 'tls'
        ? [{ kind: 'APPLICATION', sni: parsed.sni, certificate: '' }]
        : [],
    http: parsed.http,
    askedSni: parsed.askedSni,
    host: parsed.host,
    sentBy: null,
    isHttp2: false,
    isRead: false,
  };
  const told = withRefused(mesh, origin, carry(walk, firstStep(walk, flight, origin, parsed.address, target.notes)));
  // What explores asks for methods of every sort, by whichever version of HTTP has them.
  if (recorder !== undefined) return told;
  const others = [...walk.others].slice(0, MOST_OTHERS).map((name) => ({
    name,
    told: followTo(mesh, request, answer, {
      asked: () => undefined,
      opened: () => undefined,
      prefers: new Set([name]),
    }),
  }));
  return withMethod(withOthers(told, others), (request.method ?? 'GET').toUpperCase());
}

/** A trace that other endpoints would end otherwise says so. */
function withOthers(told: Trace, others: readonly { readonly name: string; readonly told: Trace }[]): Trace {
  const isRefused = ({ outcome }: Trace): boolean => outcome === 'refused';
  const known = new Set(told.noted.flatMap((one) => (one.kind === 'endpoints-apart' ? one.others : [])));
  const names = others
    .filter((one) => one.told.outcome !== 'unknown' && isRefused(one.told) !== isRefused(told))
    .map(({ name }) => workloadOffered(name))
    .filter((name) => !known.has(name));
  if (told.outcome === 'unknown' || names.length === 0) return told;
  return { ...told, ...withNotes([...told.noted, remark({ kind: 'endpoints-differ', passes: !isRefused(told), others: names })]) }; // prettier-ignore
}

/** A trace of a method that only HTTP/2 can have says so, where a proxy reads it. */
function withMethod(told: Trace, method: string): Trace {
  const reader = HTTP1_METHODS.has(method) ? undefined : told.hops.find(({ receives }) => receives.protocol === 'HTTP');
  if (reader === undefined) return told;
  return { ...told, ...withNotes([...told.noted, remark({ kind: 'method-of-http2', method, proxy: reader.proxy })]) };
}

function isAbout({ hosts, isForAll }: LeftOut, host: string): boolean {
  return hosts === undefined || isForAll === true || hosts.some((own) => overlaps(own, host));
}

/** A trace that meets workloads and namespaces which an API server refuses says so. */
function withRefused(mesh: Mesh, { peer, name }: Origin, told: Trace): Trace {
  const followed = mesh.leftOut.filter(({ isFollowed }) => isFollowed === true);
  if (followed.length === 0) return told;
  const met = [{ namespace: peer.namespace, workload: name }, ...told.hops.map(({ proxy }) => proxy)];
  const refused = followed.filter((one) =>
    met.some(({ namespace, workload }) =>
      one.kind === 'Namespace' ? one.name === namespace : one.namespace === namespace && one.name === workload,
    ),
  );
  const notes = refused.map((one) => remark({ kind: 'followed-though-refused', object: refOf(one), detail: one.why }));
  return refused.length === 0 ? told : { ...told, ...withNotes([...told.noted, ...notes]) };
}

/** Where the connection goes first: to a gateway from outside, to the proxy that carries the client's connections, or out without one. */
function firstStep(
  walk: Walk,
  flight: Flight,
  { entry, peer, name, kind, hasSidecar, isAmbient }: Origin,
  given: string | null,
  notes: readonly Note[],
): Step {
  const mesh = walk.mesh.servedTo(podOf(peer));
  if (entry !== undefined) {
    if ('gateway' in entry) return beforeEnvoyGateway(walk, flight, entry.gateway);
    const { workload, port } = entry;
    const address = workload.addresses[0] ?? null;
    return droppedBefore(walk, flight, workload, port) ?? { then: { at: 'gateway', flight: { ...flight, address, port }, workload } }; // prettier-ignore
  }
  const { namespace, workload } = peer;
  noteDns(walk.at(podOf(peer)), peer, flight.host, given);
  if (isCaller(flight, workload)) return withoutProxy(flight, { kind: 'none', namespace, workload: name }, undefined);
  const virtual = isAmbient === true || hasSidecar ? virtualInterfaces(workload, isAmbient === true) : undefined;
  if (virtual !== undefined) walk.note(remark({ kind: 'virtual-machines', namespace, workload: name, ...virtual }));
  if (isAmbient === true) return { then: { at: 'outbound-ztunnel', flight, name, dialsPod: false } };
  if (!hasSidecar) return withoutProxy(flight, { kind, namespace, workload: name }, undefined);
  const { interception } = proxySettings(mesh, ownerOf(peer));
  const bySidecar = { at: 'outbound-sidecar', flight, workload, proxy: { kind: 'sidecar', namespace, workload: name } } as const; // prettier-ignore
  if (isListenedAt(mesh, peer, flight, interception === 'NONE')) return { then: bySidecar };
  if (isLoopback(flight.address ?? ''))
    return unknown(undefined, gap({ kind: 'own-loopback', address: flight.address ?? '', port: flight.port }));
  if (interception === 'NONE') {
    walk.note(remark({ kind: 'not-led-to-sidecar' }));
    return withoutProxy(flight, { kind: 'none', namespace, workload: name }, undefined);
  }
  const capture = outboundCapture(workload, mesh.config.capture, flight.address, flight.port);
  if (capture.isUnknown) return unknown(undefined, gap({ kind: 'capture-by-address' }));
  if (!capture.captured) return withoutProxy(flight, { kind: 'none', namespace, workload: name }, capture.by);
  if (workload?.runsAsProxy !== undefined)
    walk.note(remark({ kind: 'containers-past-sidecar', namespace, workload: name, containers: workload.runsAsProxy.containers })); // prettier-ignore
  for (const note of notes) walk.note(note);
  return { then: bySidecar };
}
