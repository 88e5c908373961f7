import { conflictOf } from './envoy-gateway-conflicts';
import { entry, list, number, optionalRecord, record, records, strings, text, texts, type Json } from './fields';
import { isSubsetOf, overlaps } from './hostnames';
import { isOf, listenerSets, whyNotTaken, type ListenerSet } from './listener-sets';
import type { Manifest } from './manifest';
import { compareText, config, firstOfEach, push, type Config } from './objects';
import { type ApiKindsRead, type IstioBehavior, whyKindUnread } from './release-behavior';
import type { ReleasesInForce } from './releases-in-force';
import type { NamespaceInfo } from './workloads';

export const GATEWAY_API = 'gateway.networking.k8s.io';

/** Whose gateways a class makes. `other`: a controller whose rules are not known here. */
export type GatewayController = 'istio' | 'istio-waypoint' | 'envoy-gateway' | 'other';

export interface ApiListener {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  /** `*` for any. */
  readonly hostname: string;
  readonly tls: Json | undefined;
  readonly admits: (namespace: string) => boolean;
  /** Kinds of routes; empty for those of the protocol. */
  readonly kinds: readonly string[];
  readonly index: number;
  /** The XListenerSet that it is from; undefined for a listener of the Gateway's own. */
  readonly set?: Manifest;
  /** Why the listener is not programmed. */
  readonly problem: string | undefined;
  /** What to do about that. */
  readonly cure?: string;
}

export interface ApiGateway {
  readonly config: Config;
  readonly className: string;
  readonly controller: GatewayController;
  readonly listeners: readonly ApiListener[];
}

export type RouteKind = 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute';

export interface ApiRoute {
  readonly config: Config;
  readonly kind: RouteKind;
  readonly hostnames: readonly string[];
}

/** A route at a listener, with the hostnames that both have. */
export interface Attachment {
  readonly route: ApiRoute;
  readonly gateway: ApiGateway;
  readonly listener: ApiListener;
}

/** A reference of a route to a parent that does not take it. */
export interface Unattached {
  readonly route: ApiRoute;
  readonly gateway: string;
  readonly why: string;
  readonly field: string;
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

const KINDS_OF_PROTOCOL: Readonly<Record<string, readonly string[]>> = {
  HTTP: ['HTTPRoute', 'GRPCRoute'],
  HTTPS: ['HTTPRoute', 'GRPCRoute'],
  TLS: ['TLSRoute', 'TCPRoute'],
  TCP: ['TCPRoute'],
};

/** Whether a selector of labels, by values or by expressions, takes them. */
export function selects(selector: Json, labels: Readonly<Record<string, string>>): boolean {
  const wanted = strings(selector.matchLabels);
  if (Object.keys(wanted).some((key) => labels[key] !== wanted[key])) return false;
  return records(selector.matchExpressions).every((expression) => {
    const value = labels[text(expression.key)];
    const values = texts(expression.values);
    if (expression.operator === 'In') return value !== undefined && values.includes(value);
    if (expression.operator === 'NotIn') return value === undefined || !values.includes(value);
    if (expression.operator === 'Exists') return value !== undefined;
    return expression.operator === 'DoesNotExist' && value === undefined;
  });
}

export interface GatewayApiInput {
  /** Which kinds istiod reads, and with them listeners of their protocols. */
  readonly kindsRead: ApiKindsRead;
  readonly releases: ReleasesInForce;
  /** What the release of Istio does that others do otherwise. */
  readonly istio: IstioBehavior;
  readonly of: (group: string, kind: string) => readonly Manifest[];
  readonly namespaces: ReadonlyMap<string, NamespaceInfo>;
}

function admission(listener: Json, own: string, input: GatewayApiInput): (namespace: string) => boolean {
  const namespaces = record(record(listener.allowedRoutes).namespaces);
  if (namespaces.from === 'All') return () => true;
  if (namespaces.from !== 'Selector') return (namespace) => namespace === own;
  const selector = record(namespaces.selector);
  return (namespace) =>
    selects(selector, { 'kubernetes.io/metadata.name': namespace, ...input.namespaces.get(namespace)?.labels });
}

/**
 * Whether a ReferenceGrant of the target's namespace lets a kind of another namespace name it.
 *
 * @param lastOfKind of a grant's entries for one kind the last one counts alone
 */
export function isGranted(
  input: GatewayApiInput,
  from: { readonly group?: string; readonly kind: string; readonly namespace: string },
  to: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string },
  lastOfKind = false,
): boolean {
  if (from.namespace === to.namespace) return true;
  return input.of(GATEWAY_API, 'ReferenceGrant').some((grant) => {
    if (grant.namespace !== to.namespace) return false;
    const spec = record(record(grant.body).spec);
    const givenTo = records(spec.from).some(
      (entry) =>
        text(entry.kind) === from.kind &&
        text(entry.namespace) === from.namespace &&
        text(entry.group) === (from.group ?? GATEWAY_API),
    );
    const ofKind = records(spec.to).filter((entry) => text(entry.kind) === to.kind && text(entry.group) === to.group);
    const counting = lastOfKind ? ofKind.slice(-1) : ofKind;
    return givenTo && counting.some((entry) => text(entry.name) === '' || text(entry.name) === to.name);
  });
}

interface Problem {
  readonly problem: string;
  readonly cure: string;
}

/** @param owner the Gateway, or the set that the listener is from: whose kind a grant has to name */
function certificateProblem(listener: Json, owner: Manifest, input: GatewayApiInput): Problem | undefined {
  const tls = record(listener.tls);
  if (tls.mode === 'Passthrough' || optionalRecord(listener.tls) === undefined) return undefined;
  for (const reference of records(tls.certificateRefs)) {
    const namespace = text(reference.namespace) || owner.namespace;
    const name = text(reference.name);
    if (
      !isGranted(
        input,
        { group: owner.group, kind: owner.kind, namespace: owner.namespace },
        { group: '', kind: 'Secret', namespace, name },
      )
    ) {
      return {
        problem: `its certificate ${namespace}/${name} is in another namespace, and no ReferenceGrant there lets ${owner.kind}s of ${owner.namespace} use it`,
        cure: `write a ReferenceGrant in ${namespace} that lets ${owner.kind}s of ${owner.namespace} use Secret ${name}, or keep the Secret in ${owner.namespace}`,
      };
    }
  }
  return undefined;
}

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
  const parse = (listener: Json, index: number, owner: Manifest): ApiListener => ({
    name: text(listener.name),
    port: number(listener.port),
    protocol: text(listener.protocol).toUpperCase(),
    hostname: text(listener.hostname) || '*',
    tls: optionalRecord(listener.tls),
    admits: admission(listener, owner.namespace, input),
    kinds: records(record(listener.allowedRoutes).kinds).map((kind) => text(kind.kind)),
    index,
    problem: undefined,
    ...((isIstio ? unreadProtocol(listener, input) : undefined) ?? certificateProblem(listener, owner, input)),
  });
  const own = records(object.spec.listeners).map((listener, index) => parse(listener, index, manifest));
  const gateway: ApiGateway = { config: object, className, controller, listeners: own };
  const judged = (listeners: readonly ApiListener[]): ApiGateway => ({
    ...gateway,
    listeners:
      controller === 'envoy-gateway'
        ? listeners.map((one) => (one.problem === undefined ? { ...one, ...conflictOf(one, listeners) } : one))
        : listeners,
  });
  const added = sets
    .filter((set) => set.gateway === `${object.namespace}/${object.name}`)
    .filter((set) => whyNotTaken(set, gateway, input) === undefined)
    .flatMap((set) =>
      set.listeners.map((listener, index) => ({ ...parse(listener, index, set.manifest), set: set.manifest })),
    );
  return judged([...own, ...added]);
}

/** Why istiod does not take the protocol of a listener. */
function unreadProtocol(listener: Json, { kindsRead, releases }: GatewayApiInput): Problem | undefined {
  const protocol = text(listener.protocol).toUpperCase();
  if (protocol !== 'TLS' && protocol !== 'TCP') return undefined;
  const kind = `${protocol}Route` as const;
  return kindsRead[kind]
    ? undefined
    : {
        problem: whyKindUnread(kind, releases),
        cure: "set PILOT_ENABLE_ALPHA_GATEWAY_API=true in istiod's environment, or run a release that reads such routes",
      };
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
    this.gateways = input
      .of(GATEWAY_API, 'Gateway')
      .map((manifest) => parseGateway(manifest, input, classes, this.sets));
    this.byName = firstOfEach(this.gateways, ({ config: { namespace, name } }) => `${namespace}/${name}`);
    this.routes = (['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const)
      .flatMap((kind) =>
        input.of(GATEWAY_API, kind).map((manifest): ApiRoute => {
          const object = config(manifest);
          return { config: object, kind, hostnames: texts(object.spec.hostnames) };
        }),
      )
      .sort(
        (a, b) =>
          a.config.created - b.config.created ||
          compareText(a.config.namespace, b.config.namespace) ||
          compareText(a.config.name, b.config.name),
      );
    const attachments: Attachment[] = [];
    const unattached: Unattached[] = [];
    for (const route of this.routes) this.attach(route, attachments, unattached);
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

  private attach(route: ApiRoute, attachments: Attachment[], unattached: Unattached[]): void {
    records(route.config.spec.parentRefs).forEach((parent, index) => {
      const kind = text(parent.kind) || 'Gateway';
      if (kind !== 'Gateway' && !/^X?ListenerSet$/.test(kind)) return;
      const namespace = text(parent.namespace) || route.config.namespace;
      const set = this.sets.find(
        ({ manifest }) => manifest.kind === kind && manifest.namespace === namespace && manifest.name === parent.name,
      );
      const [home = '', owner = ''] = set === undefined ? [namespace, text(parent.name)] : set.gateway.split('/');
      const gateway = kind !== 'Gateway' && set === undefined ? undefined : this.find(home, owner);
      const field = `spec.parentRefs[${index}]`;
      const refuse = (why: string): void => {
        unattached.push({ route, gateway: `${home}/${owner}`, why, field });
      };
      if (gateway === undefined) {
        refuse(`there is no such ${kind}`);
        return;
      }
      const notTaken = set === undefined ? undefined : whyNotTaken(set, gateway, this.input);
      if (notTaken !== undefined) {
        refuse(notTaken);
        return;
      }
      const reasons = gateway.listeners
        .filter((one) => isOf(one, set?.manifest))
        .map((listener): string | undefined => {
          const why = reasonAgainst(route, parent, listener);
          if (why === undefined) attachments.push({ route, gateway, listener });
          return why;
        });
      if (reasons.every((why) => why !== undefined)) refuse(reasons.join('; ') || 'the Gateway has no listeners');
    });
  }
}

function reasonAgainst(route: ApiRoute, parent: Json, listener: ApiListener): string | undefined {
  const section = text(parent.sectionName);
  const port = number(parent.port);
  if (port !== 0 && port !== listener.port) return `listener ${listener.name} is on port ${listener.port}, not ${port}`;
  if (section !== '' && section !== listener.name) return `listener ${listener.name} is not ${section}`;
  const kinds = listener.kinds.length > 0 ? listener.kinds : (entry(KINDS_OF_PROTOCOL, listener.protocol) ?? []);
  if (!kinds.includes(route.kind)) return `listener ${listener.name} (${listener.protocol}) takes no ${route.kind}`;
  if (!listener.admits(route.config.namespace))
    return `listener ${listener.name} admits no routes of namespace ${route.config.namespace}`;
  if (
    listener.hostname !== '*' &&
    route.hostnames.length > 0 &&
    !route.hostnames.some((host) => overlaps(host, listener.hostname))
  ) {
    return `no hostname of the route (${route.hostnames.join(', ')}) is within ${listener.hostname} of listener ${listener.name}`;
  }
  return listener.problem === undefined
    ? undefined
    : `listener ${listener.name} is not programmed: ${listener.problem}`;
}

/** Hostnames under which a route answers at a listener: the narrower of each pair, leaving out what a sibling listener claims. */
export function hostnamesAt({ route, gateway, listener }: Attachment): readonly string[] {
  const own = route.hostnames.length === 0 ? [listener.hostname] : route.hostnames;
  const siblings = gateway.listeners.filter(
    (other) =>
      other !== listener &&
      other.port === listener.port &&
      // computeHosts of Envoy Gateway (internal/gatewayapi/helpers.go) looks at the port alone.
      (gateway.controller === 'envoy-gateway' || other.protocol === listener.protocol),
  );
  const found = new Set<string>();
  for (const host of own) {
    const narrower = isSubsetOf(host, listener.hostname)
      ? host
      : isSubsetOf(listener.hostname, host)
        ? listener.hostname
        : undefined;
    if (narrower !== undefined && !siblings.some((other) => other.hostname === narrower)) found.add(narrower);
  }
  return [...found];
}

/** Hosts of a route as Istio takes them to a listener, which narrows them itself: those that a narrower listener claims are left to it. */
export function hostsInIstio({ route, gateway, listener }: Attachment): readonly string[] {
  const hosts = route.hostnames.length === 0 ? ['*'] : route.hostnames;
  const own = listener.hostname;
  if (own !== '*' && !own.startsWith('*')) return hosts;
  const others = gateway.listeners
    .filter((one) => one !== listener && one.port === listener.port && one.protocol === listener.protocol)
    .map((one) => one.hostname)
    .filter((hostname) => hostname !== own && hostname !== '*' && (own === '*' || own.length <= hostname.length));
  return hosts.filter(
    (host) => (own === '*' || overlaps(host, own)) && !others.some((other) => isSubsetOf(host, other)),
  );
}

export function certificateNames(tls: Json | undefined): readonly string[] {
  return list(tls?.certificateRefs).map((reference) => text(record(reference).name));
}
