import { labelsMatch, number, optionalRecord, record, records, strings, text, texts, type Json } from './fields';
import { resolveShortName } from './hostnames';
import type { MeshConfig } from './mesh-config';
import { push, visibility, VisibilityIndex, type Config, type Visibility } from './objects';

/** `istio` for VirtualServices; routes of the Gateway API, and Ingress in part, match paths and choose hosts by rules of their own. */
export type RouteSemantics = 'istio' | 'gateway-api' | 'ingress';

export interface RuleRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly rule: string;
}

export interface RouteDestination {
  readonly host: string;
  readonly subset: string;
  /** 0 if the rule names none. */
  readonly port: number;
  readonly weight: number;
  /** Authority set by the destination's own headers. */
  readonly authority: string;
  /** What it does to the headers of requests that go its way. */
  readonly headers: Json;
}

export interface HttpMatch {
  readonly port: number;
  readonly gateways: readonly string[];
  readonly sourceLabels: Readonly<Record<string, string>>;
  readonly sourceNamespace: string;
  readonly uri: Json | undefined;
  readonly scheme: Json | undefined;
  readonly method: Json | undefined;
  readonly authority: Json | undefined;
  readonly headers: Json;
  readonly withoutHeaders: Json;
  readonly queryParams: Json;
  readonly ignoreUriCase: boolean;
  /** Which match of its rule it is, as written; undefined where the rule has none. */
  readonly at?: number;
}

export interface HttpRule {
  readonly ref: RuleRef;
  readonly name: string;
  readonly matches: readonly HttpMatch[];
  readonly route: readonly RouteDestination[];
  readonly redirect: Json | undefined;
  readonly directResponse: Json | undefined;
  readonly rewrite: Json | undefined;
  readonly fault: Json | undefined;
  readonly corsPolicy: Json | undefined;
  readonly headers: Json;
  /** Who gets copies of the requests. */
  readonly mirrors: readonly Mirror[];
}

export interface Mirror {
  readonly destination: RouteDestination;
  /** Share of the requests, above 0 and up to 100. */
  readonly percent: number;
}

export interface L4Match {
  readonly port: number;
  readonly gateways: readonly string[];
  readonly sourceLabels: Readonly<Record<string, string>>;
  readonly sourceNamespace: string;
  readonly destinationSubnets: readonly string[];
  /** Only in `tls` rules. */
  readonly sniHosts: readonly string[];
  /** As of an `HttpMatch`. */
  readonly at?: number;
}

export interface L4Rule {
  readonly ref: RuleRef;
  readonly matches: readonly L4Match[];
  readonly route: readonly RouteDestination[];
}

export interface VirtualService {
  readonly config: Config;
  readonly namespace: string;
  readonly name: string;
  readonly created: number;
  readonly semantics: RouteSemantics;
  readonly hosts: readonly string[];
  /** `mesh`, or `namespace/name`. */
  readonly gateways: readonly string[];
  readonly http: readonly HttpRule[];
  readonly tls: readonly L4Rule[];
  readonly tcp: readonly L4Rule[];
  readonly visibility: Visibility;
  /** Rules that name a delegate of which istiod takes nothing, or not all. */
  readonly unmerged?: readonly Unmerged[];
}

/** A rule whose delegate istiod leaves out (mergeVirtualServicesIfNeeded, pilot/pkg/model/virtualservice.go): requests that it is for have no route. */
export interface Unmerged {
  /** Of the root. */
  readonly rule: RuleRef;
  /** When the root hands requests over. */
  readonly matches: readonly HttpMatch[];
  readonly delegate: { readonly namespace: string; readonly name: string };
  /** `not within`: matches of one rule of the delegate are not narrower than those of the root. */
  readonly why: 'missing' | 'has hosts' | 'not exported' | 'not within';
  /** The rule of the delegate that is not within. */
  readonly leaf?: RuleRef;
}

export const MESH_GATEWAY = 'mesh';

/** A gateway's name in full: `name`, `./name`, `namespace/name`, or the old `name.namespace.svc...`. */
export function resolveGatewayName(name: string, namespace: string): string {
  if (name === MESH_GATEWAY) return name;
  const slash = name.indexOf('/');
  if (slash >= 0) return name.slice(0, slash) === '.' ? `${namespace}/${name.slice(slash + 1)}` : name;
  const parts = name.split('.');
  return parts.length === 1 ? `${namespace}/${name}` : `${parts[1] ?? ''}/${parts[0] ?? ''}`;
}

/** The authority that `headers.request.set` or `.add` gives the request; `set` wins. */
export function authorityOf(headers: unknown): string {
  if (headers === undefined) return '';
  const request = record(record(headers).request);
  let authority = '';
  for (const operation of [request.add, request.set]) {
    for (const [name, value] of Object.entries(strings(operation))) {
      if (/^(:authority|host)$/i.test(name)) authority = value;
    }
  }
  return authority;
}

function destinations(route: unknown, namespace: string, domain: string): readonly RouteDestination[] {
  return records(route).map((entry): RouteDestination => {
    const destination = record(entry.destination);
    return {
      host: resolveShortName(text(destination.host), namespace, domain),
      subset: text(destination.subset),
      port: number(record(destination.port).number),
      weight: number(entry.weight),
      authority: authorityOf(entry.headers),
      headers: record(entry.headers),
    };
  });
}

function httpMatch(match: Json, namespace: string, at: number): HttpMatch {
  return {
    at,
    port: number(match.port),
    gateways: texts(match.gateways).map((gateway) => resolveGatewayName(gateway, namespace)),
    sourceLabels: strings(match.sourceLabels),
    sourceNamespace: text(match.sourceNamespace),
    uri: optionalRecord(match.uri),
    scheme: optionalRecord(match.scheme),
    method: optionalRecord(match.method),
    authority: optionalRecord(match.authority),
    headers: record(match.headers),
    withoutHeaders: record(match.withoutHeaders),
    queryParams: record(match.queryParams),
    ignoreUriCase: match.ignoreUriCase === true,
  };
}

function l4Rule(rule: Json, ref: RuleRef, namespace: string, domain: string): L4Rule {
  return {
    ref,
    matches: records(rule.match).map((match, at) => ({
      at,
      port: number(match.port),
      gateways: texts(match.gateways).map((gateway) => resolveGatewayName(gateway, namespace)),
      sourceLabels: strings(match.sourceLabels),
      sourceNamespace: text(match.sourceNamespace),
      destinationSubnets: texts(match.destinationSubnets),
      sniHosts: texts(match.sniHosts),
    })),
    route: destinations(rule.route, namespace, domain),
  };
}

/** Copies of all requests, unless a percentage says otherwise. */
function mirrorsOf(rule: Json, namespace: string, domain: string): readonly Mirror[] {
  const share = (percentage: unknown): number => {
    const own = optionalRecord(percentage);
    return own === undefined ? 100 : number(own.value);
  };
  const single = optionalRecord(rule.mirror);
  const ofSingle =
    rule.mirrorPercentage ?? (rule.mirrorPercent === undefined ? undefined : { value: rule.mirrorPercent });
  const all = [
    ...(single === undefined ? [] : [{ destination: single, percent: share(ofSingle) }]),
    ...records(rule.mirrors).map((one) => ({ destination: record(one.destination), percent: share(one.percentage) })),
  ];
  return all.flatMap(({ destination, percent }) =>
    percent > 0 ? destinations([{ destination }], namespace, domain).map((one) => ({ destination: one, percent })) : [],
  );
}

export interface Parsed extends VirtualService {
  /** For each http rule, the delegate it names. */
  readonly delegates: readonly ({ readonly namespace: string; readonly name: string } | undefined)[];
}

export function parseVirtualService(object: Config, mesh: MeshConfig): Parsed {
  const { spec, namespace } = object;
  const ref = (rule: string): RuleRef => ({ kind: object.kind, namespace, name: object.name, rule });
  const gateways = texts(spec.gateways).map((gateway) => resolveGatewayName(gateway, namespace));
  const http = records(spec.http);
  return {
    config: object,
    namespace,
    name: object.name,
    created: object.created,
    semantics: 'istio',
    hosts: texts(spec.hosts).map((host) => resolveShortName(host, namespace, mesh.clusterDomain)),
    gateways: gateways.length === 0 ? [MESH_GATEWAY] : gateways,
    http: http.map((rule, index): HttpRule => ({
      ref: ref(`http[${index}]`),
      name: text(rule.name),
      matches: records(rule.match).map((match, at) => httpMatch(match, namespace, at)),
      route: destinations(rule.route, namespace, mesh.clusterDomain),
      redirect: optionalRecord(rule.redirect),
      directResponse: optionalRecord(rule.directResponse),
      rewrite: optionalRecord(rule.rewrite),
      fault: optionalRecord(rule.fault),
      corsPolicy: optionalRecord(rule.corsPolicy),
      headers: record(rule.headers),
      mirrors: mirrorsOf(rule, namespace, mesh.clusterDomain),
    })),
    tls: records(spec.tls).map((rule, index) => l4Rule(rule, ref(`tls[${index}]`), namespace, mesh.clusterDomain)),
    tcp: records(spec.tcp).map((rule, index) => l4Rule(rule, ref(`tcp[${index}]`), namespace, mesh.clusterDomain)),
    visibility: visibility(texts(spec.exportTo), mesh.defaultVirtualServiceExportTo, namespace),
    delegates: http.map((rule) => {
      const delegate = optionalRecord(rule.delegate);
      return delegate === undefined
        ? undefined
        : { namespace: text(delegate.namespace) || namespace, name: text(delegate.name) };
    }),
  };
}

/** VirtualServices by gateway and by who sees them. */
export class VirtualServiceIndex {
  private readonly byGateway = new Map<string, VisibilityIndex<VirtualService>>();
  private readonly byHost = new Map<string, VirtualService[]>();

  public constructor(public readonly all: readonly VirtualService[]) {
    for (const service of all) {
      for (const gateway of service.gateways) {
        const index = this.byGateway.get(gateway) ?? new VisibilityIndex<VirtualService>();
        this.byGateway.set(gateway, index);
        index.add(service, service.namespace, service.visibility);
      }
      for (const host of service.hosts) push(this.byHost, host, service);
    }
  }

  /** Those bound to a gateway that a proxy of the namespace sees, in order of precedence. */
  public forGateway(namespace: string, gateway: string): readonly VirtualService[] {
    const seen = this.byGateway.get(gateway)?.seenFrom(namespace) ?? [];
    if (
      !seen.some(
        (service) =>
          service.semantics === 'gateway-api' && service.namespace === namespace && service.visibility === 'public',
      )
    )
      return seen;
    const isOwn = (service: VirtualService): boolean =>
      service.semantics === 'gateway-api' && service.namespace === namespace;
    return [
      ...seen.filter((s) => s.visibility !== 'public'),
      ...seen.filter((s) => s.visibility === 'public' && isOwn(s)),
      ...seen.filter((s) => s.visibility === 'public' && !isOwn(s)),
    ];
  }

  /** Whether clients have routes of their own namespace before those of others. */
  public get prefersOwn(): boolean {
    return this.all.some(({ semantics, gateways }) => semantics === 'gateway-api' && gateways.includes(MESH_GATEWAY));
  }

  public seesOnlyPublic(namespace: string, gateway: string): boolean {
    return this.byGateway.get(gateway)?.seesOnlyPublic(namespace) ?? true;
  }

  /** Whether what a proxy makes of these depends on its namespace or labels, and not only on what it sees. */
  public static dependsOnSource(services: readonly VirtualService[]): boolean {
    const asksForSource = ({ matches }: HttpRule | L4Rule): boolean =>
      matches.some((match) => match.sourceNamespace !== '' || Object.keys(match.sourceLabels).length > 0);
    return services.some(
      ({ semantics, http, tls, tcp }) =>
        semantics === 'gateway-api' || http.some(asksForSource) || tls.some(asksForSource) || tcp.some(asksForSource),
    );
  }

  /** Those at a gateway that the namespace sees and not everyone. */
  public ownTo(namespace: string, gateway: string): readonly VirtualService[] {
    return this.byGateway.get(gateway)?.ownTo(namespace) ?? [];
  }

  public everyones(gateway: string): readonly VirtualService[] {
    return this.byGateway.get(gateway)?.everyones ?? [];
  }

  public forHost(host: string): readonly VirtualService[] {
    return this.byHost.get(host) ?? [];
  }
}

/** Hosts that a VirtualService may send to, from that namespace or from any, with the ports it names; port 0 stands for "any". */
export function destinationsOf(
  service: VirtualService,
  sourceNamespace?: string,
): ReadonlyMap<string, ReadonlySet<number>> {
  const result = new Map<string, Set<number>>();
  const add = (destination: RouteDestination): void => {
    const ports = result.get(destination.host);
    if (ports === undefined) result.set(destination.host, new Set([destination.port]));
    else ports.add(destination.port);
  };
  for (const rule of service.http) {
    let asks = false;
    let isMeant = false;
    for (const match of rule.matches) {
      if (match.sourceNamespace === '') continue;
      asks = true;
      isMeant ||= match.sourceNamespace === sourceNamespace;
    }
    if (!asks || isMeant || sourceNamespace === undefined) rule.route.forEach(add);
  }
  for (const rule of service.tcp) rule.route.forEach(add);
  for (const rule of service.tls) rule.route.forEach(add);
  return result;
}

/** The part of a match that is settled when configuration is made for a proxy. */
export function sourceMatches(
  match: {
    readonly gateways: readonly string[];
    readonly sourceLabels: Readonly<Record<string, string>>;
    readonly sourceNamespace: string;
  },
  proxy: { readonly labels: Readonly<Record<string, string>>; readonly namespace: string },
): boolean {
  return (
    labelsMatch(match.sourceLabels, proxy.labels) &&
    (match.sourceNamespace === '' || match.sourceNamespace === proxy.namespace)
  );
}
