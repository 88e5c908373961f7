import { type ObjectRef } from './refs';
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import type { Endpoint } from '../model/endpoints';
import type { Mesh } from '../model/mesh';
import type { ProxyOwner } from '../model/proxy-config';
import type { ServedPod } from '../model/revisions';
import type { Workload } from '../model/workloads';
import type { Asked, Recorder, Supposed } from './ask';
import { endpointKinds, endpointName } from './endpoint-kinds';
import type { Connection, WeightedCluster } from './envoy';
import { heaviest, type HttpRequest } from './http-routes';
import type { Note } from './notes';
import type { Decision, Hop, ProxyRef, TlsKind, Wire, WireProtocol } from './types';

/** Whose address it is that nobody in the cluster has. */
export const CLIENT_OUTSIDE = 'the client';

/** One TLS session around what is sent; sessions nest where a proxy adds its own around an application's. */
export interface TlsLayer {
  readonly kind: Exclude<TlsKind, 'NONE'>;
  readonly sni: string | null;
  /** Name of the credential that a client certificate is taken from; empty if the session has none to show. */
  readonly certificate: string;
  /** The BackendTLSPolicy that has a proxy originate it. */
  readonly policy?: ObjectRef;
}

/** Who opens the connection: with an identity only if it is a proxy of the mesh. */
export interface Peer {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string | null;
  readonly workload: Workload | undefined;
  readonly inMesh: boolean;
}

/** Whose address it is that connections of a peer come from. */
export function addressOwner({ namespace, workload }: Peer): string {
  return namespace === '' ? CLIENT_OUTSIDE : `${namespace}/${workload?.name ?? ''}`;
}

/** The Pod whose sidecar carries what a client sends. */
export function ownerOf({ namespace, labels, workload }: Peer): ProxyOwner {
  return { namespace, labels, annotations: workload?.annotations ?? {} };
}

/** The Pod of a peer, with the labels that are said of it. */
export function podOf({ namespace, labels, workload }: Peer): ServedPod {
  return { kind: workload?.kind, manifest: workload?.manifest, namespace, labels };
}

/** What is on its way from one hop to the next. */
export interface Tunnelled {
  readonly host: string;
  readonly port: number;
  /** The TLS inside, the outermost last. */
  readonly layers: readonly TlsLayer[];
}

export interface Flight {
  readonly from: Peer;
  /** IP that is dialled; null if nothing tells. */
  readonly address: string | null;
  /** Port that is dialled at that address. */
  readonly port: number;
  /** Port by which people know it: that of the Service or Gateway server. */
  readonly namedPort: number;
  /** TLS sessions, the outermost last. */
  readonly layers: readonly TlsLayer[];
  /** Null for what is not HTTP. Unread by a proxy as long as there are layers. */
  readonly http: HttpRequest | null;
  /** The name that the client asked for. */
  readonly host: string;
  /** How the proxy that sent it names where it goes; null before the first proxy. */
  readonly sentBy: ProxyRef | null;
  readonly isHttp2: boolean;
  /** Whether a proxy before this one reads it as HTTP: if the connection breaks from here on, that proxy answers its client. */
  readonly isRead: boolean;
  /** What travels inside an HTTP CONNECT, and where that leads; the rest is then about the CONNECT itself. */
  readonly tunnelled?: Tunnelled;
  /** The SNI that the client itself said. */
  readonly askedSni?: Asked | undefined;
}

/** What holds at every step of a walk, and what is noted on the way. */
export class Walk {
  private readonly noted: Note[];
  /** Policies on the way that may put another response in the place of what comes back, the last first, and whose proxies do. */
  public readonly overrides: { readonly policy: EffectivePolicy; readonly at: ProxyRef }[];
  /** Endpoints of other kinds than those that were followed. */
  public readonly others: Set<string>;

  /** `lookedUp` is what the client says the name of its request resolves to. */
  public constructor(
    public readonly mesh: Mesh,
    private readonly lookedUp?: { readonly host: string; readonly address: string },
    private readonly recorder?: Recorder,
    same?: Walk,
  ) {
    this.noted = same?.noted ?? [];
    this.overrides = same?.overrides ?? [];
    this.others = same?.others ?? new Set();
  }

  /** The same walk where the proxy of a Pod decides, by the mesh as its istiod knows it. */
  public at(pod: ServedPod): Walk {
    const mesh = this.mesh.servedTo(pod);
    return mesh === this.mesh ? this : new Walk(mesh, this.lookedUp, this.recorder, this);
  }

  /** The cluster that is followed: the one of the greatest weight, unless whoever asks wants another share, or copies. */
  public choose<T extends WeightedCluster>(clusters: readonly T[], copies: readonly T[] = []): T | undefined {
    const all = [...clusters, ...copies];
    const wanted = all.find(({ cluster }) => this.recorder?.prefers?.has(cluster));
    const chosen = wanted ?? heaviest(clusters);
    if (all.length > 1 && wanted === undefined)
      this.recorder?.offered?.(all.filter((one) => one !== chosen).map(({ cluster }) => cluster));
    return chosen;
  }

  /** The endpoint that is followed: the first, unless whoever asks wants one of another kind. */
  public endpointOf(endpoints: readonly Endpoint[]): Endpoint | undefined {
    const [first] = endpoints;
    if (endpoints.length < 2) return first;
    const { prefers } = this.recorder ?? {};
    const wanted = prefers === undefined || prefers.size === 0 ? undefined : endpoints.find((one) => prefers.has(endpointName(one))); // prettier-ignore
    if (wanted !== undefined) return wanted;
    const kinds = endpointKinds(this.mesh, endpoints);
    if (kinds.length < 2) return first;
    const others = kinds.slice(1).map(({ name }) => name);
    this.recorder?.offered?.(others);
    for (const name of others) this.others.add(name);
    return first;
  }

  /** Whether a Pod is taken to listen at a port that nothing tells of. */
  public get listens(): boolean {
    return this.recorder?.listens === true;
  }

  public get supposed(): Supposed | undefined {
    return this.recorder?.supposed;
  }

  /** The IP of a host outside, if the request tells it. */
  public addressOf(host: string): string | null {
    return host === this.lookedUp?.host ? this.lookedUp.address : null;
  }

  public note(note: Note): void {
    this.noted.push(note);
  }

  public get notes(): readonly Note[] {
    return this.noted;
  }
}

export function outermost(layers: readonly TlsLayer[]): TlsLayer | undefined {
  return layers[layers.length - 1];
}

/** The connection as the next proxy's listener sees it. */
export function connectionOf(flight: Flight): Connection {
  const outer = outermost(flight.layers);
  return {
    address: flight.address,
    port: flight.port,
    application: flight.http === null ? 'tcp' : flight.isHttp2 ? 'http2' : 'http',
    tls: outer === undefined ? 'none' : outer.kind === 'ISTIO_MUTUAL' ? 'istio' : 'tls',
    sni: outer?.sni ?? null,
  };
}

export function wire(protocol: WireProtocol, port: number, layers: readonly TlsLayer[]): Wire {
  const outer = outermost(layers);
  return { protocol, port, tls: outer?.kind ?? 'NONE', sni: outer?.sni ?? null };
}

export function noMatch(): Hop['envoy'] {
  return { listener: null, filterChain: null, routeConfig: null, virtualHost: null, endpoints: [], tunnel: null };
}

export function decisions(...items: readonly (Decision | undefined)[]): readonly Decision[] {
  const kept: Decision[] = [];
  for (const item of items) {
    if (
      item !== undefined &&
      !kept.some(
        (known) =>
          known.kind === item.kind &&
          known.namespace === item.namespace &&
          known.name === item.name &&
          known.field === item.field,
      )
    )
      kept.push(item);
  }
  return kept.slice(); // no larger than it is: there are many
}
