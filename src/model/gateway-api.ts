import { lets, reasonAgainst, type Against, type Attachment, type Unattached } from './attachments';
import { mergerOf } from './envoy-gateway';
import { conflictsAmong } from './envoy-gateway-conflicts';
import { kindsInEnvoyGateway, problemInEnvoyGateway } from './envoy-gateway-listeners';
import { unreadCa } from './client-cas';
import { type CaReference, frontendCas, frontendTls, type FrontendTls } from './frontend-tls';
import { entry, list, number, optionalRecord, record, records, text, texts, type Json } from './fields';
import { GATEWAY_API } from './groups';
import type { ListenerProblem } from './listener-problems';
import { isOf, listenerSets, whyNotTaken, type ListenerSet } from './listener-sets';
import type { Manifest } from './manifest';
import { compareText, config, firstOfEach, push, type Config } from './objects';
import { withConflictsInIstio } from './gateway-api-conflicts';
import {
  type ApiKindsRead,
  type EnvoyGatewayBehavior,
  ISTIO_SWITCHES,
  type IstioBehavior,
  whyKindUnread,
  whyUnserved,
} from './release-behavior';
import { isGranted } from './reference-grants';
import type { ReleasesInForce } from './releases-in-force';
import { selects } from './selectors';
import type { NamespaceInfo } from './workloads';

export { GATEWAY_API } from './groups';

/** Whose gateways a class makes. `other`: a controller whose rules are not known here. */
export type GatewayController = 'istio' | 'istio-waypoint' | 'envoy-gateway' | 'other';

export interface ApiListener {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  /** `*` for any. */
  readonly hostname: string;
  readonly tls: Json | undefined;
  /** Whether clients have to show a certificate, by the Gateway's own word. */
  readonly frontend: FrontendTls | undefined;
  readonly admits: (namespace: string) => boolean;
  /** Which namespaces may have routes at it: All, Same, Selector. */
  readonly from: string;
  /** Kinds of routes that it takes. */
  readonly kinds: readonly string[];
  readonly index: number;
  /** The XListenerSet that it is from; undefined for a listener of the Gateway's own. */
  readonly set?: Manifest;
  /** Why the listener is not programmed. */
  readonly problem: ListenerProblem | undefined;
  /** Whether its hostname is another listener's, which has it in its place. */
  readonly lostHostname?: boolean;
}

export interface ApiGateway {
  readonly config: Config;
  readonly className: string;
  readonly controller: GatewayController;
  readonly listeners: readonly ApiListener[];
  /** Whether a route of `*.com` is for a listener of `*.example.com`. */
  readonly takesBroaderHosts: boolean;
}

export type RouteKind = 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute' | 'UDPRoute';

export interface ApiRoute {
  readonly config: Config;
  readonly kind: RouteKind;
  readonly hostnames: readonly string[];
}

const CONTROLLERS: Readonly<Record<string, GatewayController>> = {
  'istio.io/gateway-controller': 'istio',
  'istio.io/unmanaged-gateway': 'istio',
  'istio.io/mesh-controller': 'istio-waypoint',
  'gateway.envoyproxy.io/gatewayclass-controller': 'envoy-gateway',
};

/** Classes that an installation brings without a manifest. */
export const USUAL_CLASSES: Readonly<Record<string, GatewayController>> = {
  istio: 'istio',
  'istio-remote': 'istio',
  'istio-waypoint': 'istio-waypoint',
  eg: 'envoy-gateway',
  'envoy-gateway': 'envoy-gateway',
};

/** Kinds of routes that istiod takes to a listener (generateSupportedKinds of pilot/pkg/config/kube/gateway/conditions.go). */
function kindsInIstio(listener: Json, { istio }: GatewayApiInput): readonly string[] {
  const { mode } = record(listener.tls);
  switch (text(listener.protocol).toUpperCase()) {
    case 'HTTP':
    case 'HTTPS':
      return ['HTTPRoute', 'GRPCRoute'];
    case 'TCP':
      return ['TCPRoute'];
    case 'TLS':
      if (istio.takesTlsRoutesOfAnyMode) return mode === 'Terminate' ? ['TLSRoute', 'TCPRoute'] : ['TLSRoute'];
      return [mode === 'Passthrough' ? 'TLSRoute' : 'TCPRoute'];
    default:
      return [];
  }
}

/** Kinds of routes that a listener may have: of controllers that are not known here, whatever its protocol has in the Gateway API. */
function kindsTaken(listener: Json, controller: GatewayController, input: GatewayApiInput): readonly string[] {
  if (controller === 'envoy-gateway') return kindsInEnvoyGateway(listener);
  if (controller !== 'other') return kindsInIstio(listener, input);
  const mode = { ...record(listener.tls), mode: 'Terminate' };
  const known = kindsInEnvoyGateway({ ...listener, tls: mode });
  return known.length > 0 ? known : ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'];
}

/** Those of the kinds that a listener may have which it lets in. */
function kindsOf(listener: Json, can: readonly string[]): readonly string[] {
  const named = records(record(listener.allowedRoutes).kinds);
  const isNamed = (kind: string): boolean =>
    named.some((one) => text(one.kind) === kind && (one.group === undefined || text(one.group) === GATEWAY_API));
  return named.length === 0 ? can : can.filter(isNamed);
}

export interface GatewayApiInput {
  /** Which kinds istiod reads, and with them listeners of their protocols. */
  readonly kindsRead: ApiKindsRead;
  readonly releases: ReleasesInForce;
  /** What the release of Istio does that others do otherwise. */
  readonly istio: IstioBehavior;
  readonly envoyGateway: EnvoyGatewayBehavior;
  readonly of: (group: string, kind: string) => readonly Manifest[];
  readonly find: (group: string, kind: string, namespace: string, name: string) => Manifest | undefined;
  readonly namespaces: ReadonlyMap<string, NamespaceInfo>;
  /** Whether charts or operators put more into a namespace than the manifests show. */
  readonly isFilledElsewhere: (namespace: string) => boolean;
}

function admission(listener: Json, own: string, input: GatewayApiInput): (namespace: string) => boolean {
  const namespaces = record(record(listener.allowedRoutes).namespaces);
  if (namespaces.from === 'All') return () => true;
  if (namespaces.from !== 'Selector') return (namespace) => namespace === own;
  const selector = record(namespaces.selector);
  return (namespace) =>
    selects(selector, { 'kubernetes.io/metadata.name': namespace, ...input.namespaces.get(namespace)?.labels });
}

/** Modes of istiod's own, in which the proxy shows the certificate that it has anyway. */
const OWN_CERTIFICATE = new Set(['ISTIO_SIMPLE', 'ISTIO_MUTUAL']);

/**
 * Why none of a listener's certificates may be used; one that may is enough.
 *
 * @param owner the Gateway, or the set that the listener is from: whose kind a grant has to name
 */
function certificateProblem(
  listener: Json,
  owner: Manifest,
  controller: GatewayController,
  input: GatewayApiInput,
): ListenerProblem | undefined {
  const tls = record(listener.tls);
  if (tls.mode === 'Passthrough') return undefined;
  if (OWN_CERTIFICATE.has(text(record(tls.options)['gateway.istio.io/tls-terminate-mode']))) return undefined;
  const references = records(tls.certificateRefs);
  if (controller !== 'envoy-gateway' && references.length > 2) return { is: 'more-than-two-certificates' };
  const problems = references.map((reference) => referenceProblem(reference, owner, controller, input));
  return problems.every((problem) => problem !== undefined) ? problems[0] : undefined;
}

function referenceProblem(
  reference: Json,
  owner: Manifest,
  controller: GatewayController,
  input: GatewayApiInput,
): ListenerProblem | undefined {
  const namespace = text(reference.namespace) || owner.namespace;
  const name = text(reference.name);
  const kind = text(reference.kind) || 'Secret';
  if (kind !== 'Secret' || text(reference.group) !== '')
    return { is: 'certificate-of-no-secret', certificate: { kind, namespace, name } };
  const from = { group: owner.group, kind: owner.kind, namespace: owner.namespace };
  if (!isGranted(input, from, { group: '', kind, namespace, name }))
    return { is: 'certificate-not-granted', certificate: { kind, namespace, name }, owner: { kind: owner.kind, namespace: owner.namespace } }; // prettier-ignore
  const secret = controller === 'envoy-gateway' ? input.find('', kind, namespace, name) : undefined;
  const type = text(record(secret?.body).type) || 'Opaque';
  return secret === undefined || type === TLS_SECRET || type === SDS_SECRET
    ? undefined
    : { is: 'certificate-of-other-type', secret: `${namespace}/${name}`, type, takes: TLS_SECRET };
}

/** Why a listener cannot judge the certificates of clients, and is not programmed then (buildTLS of conversion.go, frontendTLSValidationInvalid of contexts.go). */
function clientCaProblem(
  listener: Json,
  owner: Manifest,
  asking: Parameters<typeof frontendCas>[2],
  input: GatewayApiInput,
): ListenerProblem | undefined {
  const references = frontendCas(listener, owner, asking);
  const isIstio = asking.controller === 'istio';
  if (isIstio && references.length > 1) return { is: 'several-client-cas' };
  const by = isIstio ? owner : asking.gateway;
  const from = { group: by.group, kind: by.kind, namespace: by.namespace };
  const unread = unreadCa(references, isIstio, input);
  if (unread !== undefined) return unread;
  const lacking = references.find((to) => !isGranted(input, from, to));
  if (lacking === undefined)
    return isIstio && !asking.istio.tellsClientCaSecrets ? untoldCa(references[0], listener, owner) : undefined;
  const { kind, namespace, name } = lacking;
  return { is: 'client-ca-not-granted', authority: { kind, namespace, name }, owner: { kind: by.kind, namespace: by.namespace } }; // prettier-ignore
}

/** A CA in a Secret that is none of the listener's certificates: istiod took nobody's word for it that the gateway may have it. */
function untoldCa(reference: CaReference | undefined, listener: Json, owner: Manifest): ListenerProblem | undefined {
  if (reference === undefined || reference.kind !== 'Secret') return undefined;
  const { kind, namespace, name } = reference;
  const isCertificate = records(record(listener.tls).certificateRefs).some((one) => text(one.name) === name && (text(one.namespace) || owner.namespace) === namespace); // prettier-ignore
  const { since } = ISTIO_SWITCHES.tellsClientCaSecrets;
  return isCertificate ? undefined : { is: 'client-ca-not-told', authority: { kind, namespace, name }, since };
}

const TLS_SECRET = 'kubernetes.io/tls';

/** Since 1.9: a reference to a certificate that is got from elsewhere. */
const SDS_SECRET = 'gateway.envoyproxy.io/sds';

function parseGateway(
  manifest: Manifest,
  input: GatewayApiInput,
  classes: ReadonlyMap<string, GatewayController>,
  sets: readonly ListenerSet[],
): ApiGateway {
  const object = config(manifest);
  const className = text(object.spec.gatewayClassName);
  const controller = classes.get(className) ?? entry(USUAL_CLASSES, className) ?? 'other';
  const isIstio = controller === 'istio' || controller === 'istio-waypoint';
  const asking = { gateway: manifest, controller, istio: input.istio, envoyGateway: input.envoyGateway };
  const isSetsOwn = controller !== 'envoy-gateway' || input.envoyGateway.readsNamespacesOfSets;
  const parse = (listener: Json, index: number, owner: Manifest): ApiListener => ({
    name: text(listener.name),
    port: number(listener.port),
    protocol: text(listener.protocol).toUpperCase(),
    hostname: text(listener.hostname) || '*',
    tls: optionalRecord(listener.tls),
    frontend: frontendTls(listener, asking),
    from: text(record(record(listener.allowedRoutes).namespaces).from) || 'Same',
    admits: admission(listener, (isSetsOwn ? owner : manifest).namespace, input),
    kinds: kindsOf(listener, kindsTaken(listener, controller, input)),
    index,
    problem:
      (isIstio ? unreadProtocol(listener, input) : undefined) ??
      (controller === 'envoy-gateway' ? problemInEnvoyGateway(listener) : undefined) ??
      certificateProblem(listener, owner, controller, input) ??
      clientCaProblem(listener, owner, asking, input),
  });
  const own = records(object.spec.listeners).map((listener, index) => parse(listener, index, manifest));
  const takesBroaderHosts = controller !== 'envoy-gateway' || input.envoyGateway.takesBroaderHosts;
  const gateway: ApiGateway = { config: object, className, controller, listeners: own, takesBroaderHosts };
  const added = sets
    .filter((set) => set.gateway === `${object.namespace}/${object.name}`)
    .filter((set) => whyNotTaken(set, gateway, input) === undefined)
    .flatMap((set) =>
      set.listeners.map((listener, index) => ({ ...parse(listener, index, set.manifest), set: set.manifest })),
    );
  const all = [...own, ...added];
  const isJudged = controller === 'istio' && input.istio.comparesListeners;
  return { ...gateway, listeners: isJudged ? withConflictsInIstio(all) : all };
}

/** Gateways by the proxies that serve them: each has its own, or those of a class of Envoy Gateway's share them, the oldest first. */
function fleetsOf(gateways: readonly ApiGateway[], input: GatewayApiInput): readonly Fleet[] {
  const merged = new Map<string, ApiGateway[]>();
  const fleets: Fleet[] = [];
  for (const gateway of gateways) {
    if (gateway.controller !== 'envoy-gateway') continue;
    if (mergerOf(gateway, input) === undefined) fleets.push({ merged: false, gateways: [gateway] });
    else push(merged, gateway.className, gateway);
  }
  for (const sharing of merged.values())
    fleets.push({ merged: true, gateways: sharing.sort((a, b) => compareConfigs(a.config, b.config)) });
  return fleets;
}

interface Fleet {
  readonly merged: boolean;
  readonly gateways: readonly ApiGateway[];
}

/** By age, and by namespace and name where that is the same. */
export function compareConfigs(a: Config, b: Config): number {
  return a.created - b.created || compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
}

/** Gateways with what Envoy Gateway says of listeners that are in conflict. */
function withConflicts({ merged, gateways }: Fleet, input: GatewayApiInput): readonly ApiGateway[] {
  const contenders = gateways.map(({ config: { namespace, name }, listeners }) => ({ name: `${namespace}/${name}`, listeners })); // prettier-ignore
  const conflicts = conflictsAmong(contenders, merged, input.envoyGateway);
  return gateways.map((gateway) => ({
    ...gateway,
    listeners: gateway.listeners.map((one) => (one.problem === undefined ? { ...one, ...conflicts.get(one) } : one)),
  }));
}

/** Why istiod does not take the protocol of a listener. */
function unreadProtocol(listener: Json, { kindsRead, releases }: GatewayApiInput): ListenerProblem | undefined {
  const protocol = text(listener.protocol).toUpperCase();
  if (protocol !== 'TLS' && protocol !== 'TCP') return undefined;
  const kind = `${protocol}Route` as const;
  return kindsRead[kind] ? undefined : whyKindUnread(kind, releases);
}

/** Gateways and routes of the Gateway API, and which route is attached where. */
export class GatewayApi {
  public readonly gateways: readonly ApiGateway[];
  public readonly routes: readonly ApiRoute[];
  public readonly attachments: readonly Attachment[];
  public readonly unattached: readonly Unattached[];
  private readonly sets: readonly ListenerSet[];
  private readonly byName: ReadonlyMap<string, ApiGateway>;
  private readonly byGateway = new Map<ApiGateway, Attachment[]>();
  private readonly fleets = new Map<ApiGateway, readonly ApiGateway[]>();
  /** How many routes a listener of Envoy Gateway's lets in, whether or not it can serve them. */
  private readonly counts = new Map<ApiListener, number>();

  public constructor(public readonly input: GatewayApiInput) {
    const classes = new Map(
      input
        .of(GATEWAY_API, 'GatewayClass')
        .map(
          (manifest) =>
            [
              manifest.name,
              entry(CONTROLLERS, text(record(record(manifest.body).spec).controllerName)) ?? 'other',
            ] as const,
        ),
    );
    this.sets = listenerSets(input);
    const parsed = input
      .of(GATEWAY_API, 'Gateway')
      .map((manifest) => parseGateway(manifest, input, classes, this.sets));
    const judged = new Map<Manifest, ApiGateway>();
    for (const fleet of fleetsOf(parsed, input)) {
      const gateways = withConflicts(fleet, input);
      for (const gateway of gateways) {
        judged.set(gateway.config.manifest, gateway);
        this.fleets.set(gateway, gateways);
      }
    }
    this.gateways = parsed.map((gateway) => judged.get(gateway.config.manifest) ?? gateway);
    this.byName = firstOfEach(this.gateways, ({ config: { namespace, name } }) => `${namespace}/${name}`);
    this.routes = (['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const)
      .flatMap((kind) =>
        input.of(GATEWAY_API, kind).map((manifest): ApiRoute => {
          const object = config(manifest);
          return { config: object, kind, hostnames: texts(object.spec.hostnames) };
        }),
      )
      .sort((a, b) => compareConfigs(a.config, b.config));
    const attachments: Attachment[] = [];
    const unattached: Unattached[] = [];
    // Envoy Gateway looks at TCPRoutes last, which counts where a listener has other routes.
    for (const route of this.routes) if (route.kind !== 'TCPRoute') this.attach(route, attachments, unattached);
    for (const route of this.routes) if (route.kind === 'TCPRoute') this.attach(route, attachments, unattached);
    // No request comes by UDP: of its routes there is only to tell where they are not attached.
    for (const manifest of input.of(GATEWAY_API, 'UDPRoute'))
      this.attach({ config: config(manifest), kind: 'UDPRoute', hostnames: [] }, [], unattached);
    this.attachments = attachments;
    for (const attachment of attachments) push(this.byGateway, attachment.gateway, attachment);
    this.unattached = unattached;
  }

  public find(namespace: string, name: string): ApiGateway | undefined {
    return this.byName.get(`${namespace}/${name}`);
  }

  /** The routes at the listeners of a Gateway. */
  public attachedTo(gateway: ApiGateway): readonly Attachment[] {
    return this.byGateway.get(gateway) ?? [];
  }

  /** The Gateways that the proxies of a Gateway serve, in the order in which Envoy Gateway looks at them. */
  public servedWith(gateway: ApiGateway): readonly ApiGateway[] {
    return this.fleets.get(gateway) ?? [gateway];
  }

  private attach(route: ApiRoute, attachments: Attachment[], unattached: Unattached[]): void {
    const parents = records(route.config.spec.parentRefs).map((parent, index) => ({ ...this.parentOf(route, parent), parent, index })); // prettier-ignore
    const unserved = whyUnserved(route.kind, this.input.releases);
    for (const { parent, gateway, set } of parents)
      if (gateway?.controller === 'envoy-gateway' && unserved === undefined)
        for (const listener of gateway.listeners)
          if (isOf(listener, set?.manifest) && lets(route, parent, listener))
            this.counts.set(listener, (this.counts.get(listener) ?? 0) + 1);
    for (const { parent, index, gateway, set, name } of parents) {
      const kind = text(parent.kind) || 'Gateway';
      if (name === undefined) continue;
      const field = `spec.parentRefs[${index}]`;
      const refuse = (why: Unattached['why'], against: readonly Against[] = []): void => {
        unattached.push({ route, gateway: name, parent: gateway, why, against, field, index });
      };
      if (gateway === undefined) {
        refuse({ is: 'no-such-parent', kind });
        continue;
      }
      const notTaken = set === undefined ? undefined : whyNotTaken(set, gateway, this.input);
      if (notTaken !== undefined) {
        refuse(notTaken);
        continue;
      }
      if (gateway.controller === 'envoy-gateway' && unserved !== undefined) {
        refuse(unserved);
        continue;
      }
      const reasons = gateway.listeners
        .filter((one) => isOf(one, set?.manifest))
        .map((listener) => {
          const against = reasonAgainst(route, parent, gateway, listener, this.counts.get(listener) ?? 0);
          if (against === undefined) attachments.push({ route, gateway, listener });
          return against;
        });
      const all = reasons.filter((one) => one !== undefined);
      if (all.length === reasons.length) refuse({ is: 'no-listener' }, all);
    }
  }

  private setOf(namespace: string, parent: Json): ListenerSet | undefined {
    const home = text(parent.namespace) || namespace;
    return this.sets.find(
      ({ manifest: { kind, namespace, name } }) => kind === parent.kind && namespace === home && name === parent.name,
    );
  }

  /** `namespace/name` of the Gateway that a reference of an object of a namespace names, or names a set of. */
  public nameOfParent(namespace: string, parent: Json): string | undefined {
    const kind = text(parent.kind) || 'Gateway';
    if (kind !== 'Gateway' && !/^X?ListenerSet$/.test(kind)) return undefined;
    return this.setOf(namespace, parent)?.gateway ?? `${text(parent.namespace) || namespace}/${text(parent.name)}`;
  }

  /** What a reference names: a Gateway, or the Gateway of a set of listeners. Nothing at all where it is of another kind. */
  private parentOf(route: ApiRoute, parent: Json): NamedParent {
    const kind = text(parent.kind) || 'Gateway';
    if (kind !== 'Gateway' && !/^X?ListenerSet$/.test(kind)) return {};
    const set = this.setOf(route.config.namespace, parent);
    const name = this.nameOfParent(route.config.namespace, parent) ?? '';
    const [home = '', owner = ''] = name.split('/');
    return { set, name, gateway: kind !== 'Gateway' && set === undefined ? undefined : this.find(home, owner) };
  }
}

interface NamedParent {
  readonly gateway?: ApiGateway | undefined;
  readonly set?: ListenerSet | undefined;
  /** `namespace/name` of the Gateway. */
  readonly name?: string;
}

export function certificateNames(tls: Json | undefined): readonly string[] {
  return list(tls?.certificateRefs).map((reference) => text(record(reference).name));
}
