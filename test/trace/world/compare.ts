/**
 * Any manifests as istiod takes them, and as `trace` does. The oracle has istiod's own configuration and nothing that is beneath it: where
 * packets are redirected, which of them policies drop, what ztunnel and waypoints do, who is authorized. Where the answer hangs on one of these,
 * what comes before is compared, and the rest is counted as beyond.
 */
import { acceptedMesh } from '../../../src/check/accepted';
import type { Manifest } from '../../../src/model/manifest';
import { record, records, text } from '../../../src/model/fields';
import { loadText } from '../../../src/model/load';
import { buildMesh, type Mesh } from '../../../src/model/mesh';
import type { MeshOptions } from '../../../src/model/mesh-options';
import { client, type Origin } from '../../../src/trace/client';
import { RequestError, trace } from '../../../src/trace/index';
import { answersOfProxy, dial } from '../../../src/trace/names';
import { parseRequest } from '../../../src/trace/request';
import type { Hop, Trace, TraceRequest } from '../../../src/trace/types';
import { TRIES } from '../oracle/equivalence';
import { admissionDifferences, difference, followedHops, meshConfigMap, ORACLE_RELEASES, refusedIn, stored, toCall, toYaml } from '../oracle/compare'; // prettier-ignore
import type { Oracle, OracleHop } from '../oracle/process';
import type { Ask, Thing } from '../oracle/vocabulary';
import { type Client, meshConfigFrom, realized, type Realized } from './realized';

/** A request as the oracle is asked it. */
interface Question {
  readonly request: TraceRequest;
  readonly ask: Ask;
}

export interface WorldDifference {
  readonly request: TraceRequest;
  readonly what: string;
  readonly ours: Trace;
  readonly istiod: readonly OracleHop[];
}

export interface WorldComparison {
  readonly requests: number;
  readonly differences: readonly WorldDifference[];
  /** How many requests went to a layer that the oracle does not know, by its name; up to it they were compared. */
  readonly beyond: ReadonlyMap<string, number>;
  /** How many are unknown to us, by what `trace` says is missing. */
  readonly unknown: ReadonlyMap<string, number>;
  /** Objects that one takes and the other refuses, in words. */
  readonly admission: readonly string[];
  /** Set if the oracle could say nothing of this world. */
  readonly failure: string | undefined;
}

/** A world that the oracle can be asked about. */
export class World {
  public readonly mesh: Mesh;
  private readonly real: Realized;
  private readonly realMesh: Mesh;
  private things: readonly Thing[];
  private readonly config: object;
  private readonly others = new Map<string, string>();

  public constructor(
    manifests: readonly Manifest[],
    options: MeshOptions,
    public readonly requests: readonly TraceRequest[],
  ) {
    this.mesh = acceptedMesh(manifests, { ...options, ...ORACLE_RELEASES });
    this.config = meshConfigFrom(manifests, options);
    this.real = realized(this.mesh, this.strangers());
    this.things = this.real.things;
    this.realMesh = buildMesh(loadText(toYaml([...this.real.things, this.settings()])).manifests, {
      ...options,
      ...ORACLE_RELEASES,
    });
  }

  private settings(): Thing {
    const { outbound } = this.mesh.config;
    return meshConfigMap({ config: this.config, outbound: outbound === 'REGISTRY_ONLY' ? outbound : 'ALLOW_ANY' });
  }

  private strangers(): readonly Client[] {
    return this.requests.flatMap((request): readonly Client[] => {
      const origin = this.originOf(request);
      if (origin === undefined || origin.entry !== undefined || origin.peer.workload !== undefined) return [];
      const { namespace, labels } = origin.peer;
      return [{ namespace, labels }];
    });
  }

  private originOf(request: TraceRequest): Origin | undefined {
    try {
      return client(this.mesh, request, parseRequest(request).port);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return undefined;
    }
  }

  /** One for each address that the client may dial; none where no proxy of istiod's carries the request. */
  public questions(): readonly Question[] {
    return this.requests.flatMap((request) => {
      const origin = this.originOf(request);
      if (origin === undefined) return [];
      const { entry, peer, hasSidecar, isAmbient } = origin;
      if (entry !== undefined && 'gateway' in entry) return [];
      if (entry === undefined && (!hasSidecar || isAmbient === true)) return [];
      const pod = entry === undefined ? (peer.workload === undefined ? this.real.standInFor(peer.namespace, peer.labels) : this.real.podOf(peer.workload)) : this.real.podOf(entry.workload); // prettier-ignore
      if (this.addressOf(pod) === '' || isTakenForGateway(origin)) return [];
      const { scheme, host, port, address, http } = parseRequest(request);
      const ask = {
        from: pod,
        scheme,
        host: http === null ? host : authorityOf(http.authority.name, port),
        sni: request.sni ?? host.replace(/\.$/, ''),
        port,
        path: /^\w+:\/\/[^/?#]+([/?].*)?$/.exec(request.request)?.[1]?.replace(/^\?/, '/?') ?? '/',
        method: request.method ?? 'GET',
        headers: Object.fromEntries(Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])), // prettier-ignore
      };
      if (entry !== undefined)
        return [{ request, ask: { ...ask, address: this.addressOf(pod), at: request.at ?? '', podPort: entry.port } }];
      // A Pod that dials itself is not led to its sidecar.
      return this.dialled(host, address, origin)
        .filter((one) => one !== this.addressOf(pod))
        .map((one) => ({ request, ask: { ...ask, address: one } }));
    });
  }

  private addressOf(pod: string): string {
    const thing = this.real.things.find(({ kind, metadata }) => kind === 'Pod' && `${metadata.namespace ?? ''}/${metadata.name}` === pod); // prettier-ignore
    return (thing?.status as { podIP?: string } | undefined)?.podIP ?? '';
  }

  /** What a client comes to dial by a name: what its sidecar answers, or DNS. */
  private dialled(host: string, given: string | null, origin: Origin): readonly string[] {
    const answers = answersOfProxy(this.realMesh, host, given, { ...origin, peer: { ...origin.peer, workload: undefined } }); // prettier-ignore
    const told = answers.length > 0 ? answers.map(({ dialled }) => dialled) : [dial(this.realMesh, host, given, origin.peer.namespace)]; // prettier-ignore
    return told.map(({ address }) => address ?? this.somewhere(host));
  }

  /** An address of the internet, which no object claims. */
  private somewhere(host: string): string {
    const known = this.others.get(host) ?? `198.18.${Math.floor(this.others.size / 250)}.${(this.others.size % 250) + 1}`; // prettier-ignore
    this.others.set(host, known);
    return known;
  }

  /** A listener of the Gateway API whose Secret no manifest shows, or shows without a certificate, is none to istiod; we take it for there. */
  private lacksSecret(ours: Trace, istiod: readonly OracleHop[]): boolean {
    const hop = followedHops(ours)[istiod.length - 1];
    if (istiod.at(-1)?.error !== 'no listener matched' || hop === undefined) return false;
    const own = this.mesh.gatewayApi.gateways.filter(({ config }) => config.namespace === hop.proxy.namespace);
    return own.some(({ config: { namespace, spec } }) =>
      records(spec.listeners)
        .flatMap(({ tls }) => records(record(tls).certificateRefs))
        .some((one) => {
          const secret = this.mesh.find('', 'Secret', text(one.namespace) || namespace, text(one.name));
          return text(record(secret?.body.data)['tls.crt']) === '';
        }),
    );
  }

  /** With the address of a Service or Pod in the name of its listener, in place of what stands for it. */
  private placed(hop: Hop): Hop {
    const [, place = '', port = ''] = /^(.*)_(\d+)$/.exec(hop.envoy.listener ?? '') ?? [];
    const address = this.real.addressOf.get(place);
    return address === undefined ? hop : { ...hop, envoy: { ...hop.envoy, listener: `${address}_${port}` } };
  }

  private proxyOf({ proxy: { namespace, workload } }: Hop, first: string, isFirst: boolean): string {
    if (workload === null) return isFirst ? first : `${namespace}/`;
    const pod = this.real.podOf({ namespace, name: workload });
    return isFirst && this.mesh.workloads.find(namespace, workload) === undefined ? first : pod;
  }

  /** What istiod has each request do; the reason where it cannot say. */
  public async follow(
    oracle: Oracle,
    questions: readonly Question[],
  ): Promise<
    | { readonly hops: readonly (readonly OracleHop[])[]; readonly refused: ReadonlyMap<string, string> }
    | { readonly failure: string }
  > {
    // prettier-ignore
    let refused: ReadonlyMap<string, string> = new Map();
    for (;;) {
      const reply = await oracle.ask(stored(this.things), JSON.stringify(this.config), questions.map(({ ask }) => toCall(ask))); // prettier-ignore
      const found = refusedIn(reply);
      if (found.size === 0 && reply.error === undefined && reply.results !== null)
        return { hops: reply.results.map(({ hops }) => hops), refused };
      const without = this.things.filter(({ kind, metadata }) => !found.has(`${kind}/${metadata.name}`));
      if (without.length === this.things.length) return { failure: reply.error ?? 'no results' };
      refused = new Map([...refused, ...found]);
      this.things = without;
    }
  }

  public admission(refused: ReadonlyMap<string, string>, things: readonly Thing[]): readonly string[] {
    const outbound = this.mesh.config.outbound === 'REGISTRY_ONLY' ? 'REGISTRY_ONLY' : 'ALLOW_ANY';
    return admissionDifferences(things, refused, { config: this.config, outbound }, ORACLE_RELEASES);
  }

  public async compare(oracle: Oracle): Promise<WorldComparison> {
    const questions = this.questions();
    const all = this.things;
    const beyond = new Map<string, number>();
    const unknown = new Map<string, number>();
    const count = (of: Map<string, number>, key: string): void => void of.set(key, (of.get(key) ?? 0) + 1);
    const told = await this.follow(oracle, questions);
    if ('failure' in told)
      return { requests: 0, differences: [], beyond, unknown, admission: [], failure: told.failure };
    const led = new Set(questions.map(({ request }) => request));
    for (const request of this.requests) if (!led.has(request)) count(beyond, this.withoutProxy(request));
    let differing: readonly Question[] = [];
    let differences: readonly WorldDifference[] = [];
    for (const [index, question] of questions.entries()) {
      const ours = trace(this.mesh, question.request);
      const layer = ours.outcome === 'unknown' ? undefined : layerBeyond(ours);
      if (layer !== undefined) count(beyond, layer.is);
      if (ours.outcome === 'unknown') count(unknown, ours.noted.find(({ is }) => is === 'gap')?.kind ?? 'unknown');
      const one = this.differenceOf(question, ours, told.hops[index] ?? []);
      if (one === undefined) continue;
      differing = [...differing, question];
      differences = [...differences, one];
    }
    // What istiod answers by chance is no difference, unless it never answers so.
    for (let tried = 1; tried < TRIES && differences.length > 0; tried += 1) {
      const again = await this.follow(oracle, differing);
      if ('failure' in again) break;
      const left = differing.map((one, index) => this.differenceOf(one, trace(this.mesh, one.request), again.hops[index] ?? [])); // prettier-ignore
      differing = differing.filter((_, index) => left[index] !== undefined);
      differences = left.filter((one): one is WorldDifference => one !== undefined);
    }
    return {
      requests: questions.length,
      differences,
      beyond,
      unknown,
      admission: this.admission(told.refused, all),
      failure: undefined,
    };
  }

  private differenceOf(
    { request, ask }: Question,
    ours: Trace,
    istiod: readonly OracleHop[],
  ): WorldDifference | undefined {
    // prettier-ignore
    if (ours.outcome === 'unknown') return undefined;
    if (this.lacksSecret(ours, istiod)) return undefined;
    const layer = layerBeyond(ours);
    const [mine, theirs] = layer === undefined ? [ours, istiod] : [{ ...ours, refusal: null, hops: followedHops(ours).slice(0, layer.from) }, istiod.slice(0, layer.from)]; // prettier-ignore
    const what = difference({ ...mine, hops: mine.hops.map((hop) => this.placed(hop)) }, theirs, (hop) =>
      this.proxyOf(hop, ask.from, hop.proxy === ours.hops[0]?.proxy),
    );
    return what === undefined ? undefined : { request, what, ours, istiod };
  }

  private withoutProxy(request: TraceRequest): string {
    const origin = this.originOf(request);
    if (origin === undefined) return 'a client or gateway that is not there';
    if (origin.entry !== undefined) return 'gateway' in origin.entry ? 'Envoy Gateway' : 'a gateway whose Pods no manifest shows'; // prettier-ignore
    if (isTakenForGateway(origin)) return 'a client with the labels of a gateway';
    if (origin.isAmbient === true) return 'ztunnel';
    return origin.hasSidecar ? 'a Pod that dials itself' : 'a client without a proxy';
  }
}

/** The oracle knows gateways by their labels, which a client in a namespace may have too. */
function isTakenForGateway({ entry, peer: { workload, labels } }: Origin): boolean {
  return entry === undefined && workload === undefined && (labels.istio ?? '').includes('gateway');
}

/** What refuses or answers, and is no matter of the routing that istiod's simulation follows. */
const FILTERS = new Set(['RBAC', 'jwt_authn', 'jwt', 'FI', 'path_normalization_failed', 'unexpected_underscore']);

/** The first layer on the way that the oracle knows nothing of, and how many hops come before. */
function layerBeyond(ours: Trace): { readonly is: string; readonly from: number } | undefined {
  const hops = followedHops(ours);
  const [first] = ours.hops;
  if (ours.noted.some(({ kind }) => kind === 'listener-refused')) return { is: 'a listener that Envoy refuses', from: 0 }; // prettier-ignore
  if (first === undefined || first.proxy.kind === 'none') return { is: 'redirection of packets (iptables)', from: 0 };
  const at = hops.findIndex(({ proxy: { kind } }) => kind === 'waypoint' || kind === 'ztunnel' || kind === 'envoy-gateway'); // prettier-ignore
  // What comes before ztunnel or a waypoint goes through a tunnel.
  if (at >= 0) return { is: hops[at]?.proxy.kind ?? '', from: hops[at]?.proxy.kind === 'envoy-gateway' ? at : Math.max(0, at - 1) }; // prettier-ignore
  if (ours.noted.some(({ kind }) => kind === 'endpoints-exist')) return { is: 'endpoints that no manifest shows', from: Math.max(0, hops.length - 1) }; // prettier-ignore
  if (ours.refusal?.reason.kind === 'network-policy-denies') return { is: 'NetworkPolicy', from: hops.length };
  if (ours.answer?.reason.kind === 'preflight') return { is: 'the filter of CORS', from: hops.length - 1 };
  const code = ours.refusal?.code ?? '';
  const last = hops.at(-1);
  if (FILTERS.has(code) && last?.sends === null) return { is: `the filter ${code}`, from: hops.length - 1 };
  return undefined;
}

/** Whether what becomes of a request hangs on more than the configuration that istiod sends, or on whether somebody answers at an address. */
export function isBeyond(ours: Trace): boolean {
  return layerBeyond(ours) !== undefined || (ours.refusal !== null && ours.hops.at(-1)?.cluster === 'PassthroughCluster'); // prettier-ignore
}

/** As the oracle takes hosts: without the port that was dialled. */
function authorityOf(authority: string, port: number): string {
  const end = `:${port}`;
  return (authority.endsWith(end) ? authority.slice(0, -end.length) : authority).replace(/^\[(.*)\]$/, '$1');
}
