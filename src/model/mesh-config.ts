import { goBoolean, optionalRecord, record, records, text, texts, type Json } from './fields';
import { capturesDnsInAmbient } from './ambient-capture';
import { type Installation, installationsOf, showsMeshConfig } from './installation';
import type { Manifest } from './manifest';
import type { MeshOptions } from './mesh-options';
import {
  apiKindsRead,
  type ApiKindsRead,
  envoyGatewayBehavior,
  type EnvoyGatewayBehavior,
  type IstioBehavior,
  istioBehavior,
} from './release-behavior';
import { type ReleasesInForce, compareVersions, releasesInForce } from './releases-in-force';
import { DEFAULT_REVISION, isOfAnother, revisionOf, revisionTags } from './revisions';

/** What Istio's proxies make of paths: as they are, in canonical form, with slashes merged, with escaped slashes too. */
export type PathNormalization = 'NONE' | 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES';

/** What becomes of requests to hosts that nobody declares: nothing, out to the address dialled, or (HTTP) to what the Host resolves to. */
export type OutboundMode = 'REGISTRY_ONLY' | 'ALLOW_ANY' | 'ALLOW_ANY_DYNAMIC_DNS';

/** An extension provider that requests may be authorized by. */
export interface Authorizer {
  readonly name: string;
  /** `[NAMESPACE/]HOST`, as istiod looks it up. */
  readonly service: string;
  readonly speaks: 'HTTP' | 'gRPC';
  /** All that is said of it. */
  readonly settings: Json;
}

/** The parts of Istio's mesh configuration that decide where a request goes. */
export interface MeshConfig {
  readonly outbound: OutboundMode;
  /** TLS that is originated to hosts that ALLOW_ANY_DYNAMIC_DNS resolves; undefined for none. */
  readonly outboundTls: Json | undefined;
  readonly rootNamespace: string;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  /** Whether sidecars take only peers of these trust domains. */
  readonly validatesTrustDomain: boolean;
  /** What names of Services end in, as istiod is told (`--domain`, which the chart has from `global.proxy.clusterDomain`). */
  readonly clusterDomain: string;
  readonly autoMtls: boolean;
  readonly defaultServiceExportTo: readonly string[];
  readonly defaultVirtualServiceExportTo: readonly string[];
  readonly defaultDestinationRuleExportTo: readonly string[];
  /** Which Ingress objects are Istio's, and the `istio` label of the Pods that serve them. */
  readonly ingressMode: 'OFF' | 'DEFAULT' | 'STRICT';
  readonly ingressClass: string;
  readonly ingressSelector: string;
  /** Selectors of the namespaces that istiod looks at; none for all of them. */
  readonly discoverySelectors: readonly Json[];
  /** Kinds of the Gateway API that istiod reads in some releases only, or only if it is told to. */
  readonly apiKindsRead: ApiKindsRead;
  readonly pathNormalization: PathNormalization;
  /** The providers that may authorize requests; undefined where no manifest shows the mesh's configuration. */
  readonly authorizers: readonly Authorizer[] | undefined;
  /** Whether of one workload several of them may be asked. */
  readonly severalAuthorizers: boolean;
  /** Whether Gateways of Istio in other namespaces stay out of Pods that istiod makes for the Gateway API. */
  readonly keepsGatewaysApart: boolean;
  /** Which of several namespaces a sidecar takes a host from that its own has not: that of a Kubernetes Service, else of the oldest entry; else the first by name. */
  readonly picksBestNamespace: boolean;
  /** Whether gateways hand requests to the waypoints of services that ask for it. */
  readonly ingressToWaypoints: boolean;
  /** Whether istiod reads TLS of the `ingress` listeners of Sidecars. */
  readonly sidecarIngressTls: boolean;
  /** Whether istiod allocates addresses for hosts of ServiceEntries that have none. */
  readonly allocatesAddresses: boolean;
  /** Whether waypoints take TLS for wildcards with DYNAMIC_DNS, to whatever host its SNI names. */
  readonly resolvesSniAtWaypoints: boolean;
  /** Whether ztunnels answer the DNS queries of Pods, unless annotations of Pods say otherwise. */
  readonly ztunnelAnswersDns: boolean;
  /** What proxies are told unless ProxyConfigs or their Pods say otherwise. */
  readonly proxyDefaults: Json;
  /** Which connections are led to sidecars, unless annotations of Pods say otherwise. */
  readonly capture: Capture;
  /** Where the outbound mode was read; null for a default or an option. */
  readonly outboundFrom: Manifest | null;
  /** What limits who knows ServiceEntries; null where nothing does. */
  readonly entryVisibility: Json | null;
  readonly revisions: Revisions;
  /** The older release whose defaults istiod is asked for; empty for those of its own. */
  readonly compatibilityVersion: string;
  readonly releases: ReleasesInForce;
  /** What the release of Istio does that others do otherwise. */
  readonly istio: IstioBehavior;
  /** What the release of Envoy Gateway does that others do otherwise. */
  readonly envoyGateway: EnvoyGatewayBehavior;
}

/** The revisions of istiod that manifests show. */
export interface Revisions {
  /** Those whose settings are shown. */
  readonly names: readonly string[];
  /** Which revision each tag stands for. */
  readonly tags: ReadonlyMap<string, string>;
}

export interface Capture {
  /** `*` or CIDRs, comma separated, as in the annotation. */
  readonly includeRanges: string;
  readonly excludeRanges: string;
  readonly includePorts: string;
  readonly excludePorts: string;
  /** `*` or ports, comma separated. */
  readonly includeInbound: string;
  readonly excludeInbound: string;
}

function ingressSelector(given: string, service: string): string {
  return given || (service === '' || service === 'istio-ingressgateway' ? 'ingressgateway' : service);
}

/** A switch in the environment of istiod. What a compatibilityVersion says is a default, which values outweigh. */
function isSet(found: readonly Installation[], name: string, otherwise: boolean): boolean {
  const given = found.map((item) => item.env[name]).find((value) => value !== undefined);
  const said = goBoolean(given);
  if (said !== undefined) return said;
  const since = CHANGED_DEFAULTS.get(name);
  const asked = compatibilityOf(found);
  return since !== undefined && asked !== '' && compareVersions(asked, since) < 0 ? false : otherwise;
}

function compatibilityOf(found: readonly Installation[]): string {
  return found.map(({ compatibilityVersion }) => compatibilityVersion).find((one) => one !== '') ?? '';
}

/** Switches that a release has turned on, and that its chart turns off for whoever asks for an older one (manifests/helm-profiles/compatibility-version-*.yaml). */
const CHANGED_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE', '1.30'],
  ['PILOT_ENABLE_STRICT_GATEWAY_MERGING', '1.31'],
]);

function authorizers(found: readonly Installation[]): readonly Authorizer[] | undefined {
  const shown = found.filter(showsMeshConfig);
  if (shown.length === 0) return undefined;
  // One mesh may be said twice, by values and an IstioOperator; a name is there twice only if one of them has it so.
  const lists = shown.map(({ meshConfig }) => records(meshConfig.extensionProviders));
  return lists
    .flatMap((list, at) => {
      const before = new Set(lists.slice(0, at).flatMap((other) => other.map(({ name }) => text(name))));
      return list.filter(({ name }) => !before.has(text(name)));
    })
    .filter((provider) => provider.envoyExtAuthzHttp !== undefined || provider.envoyExtAuthzGrpc !== undefined)
    .map(({ name, envoyExtAuthzHttp, envoyExtAuthzGrpc }) => ({
      name: text(name),
      service: text(record(envoyExtAuthzHttp ?? envoyExtAuthzGrpc).service),
      speaks: envoyExtAuthzHttp === undefined ? 'gRPC' : 'HTTP',
      settings: record(envoyExtAuthzHttp ?? envoyExtAuthzGrpc),
    }));
}

function pathNormalization(given: string): PathNormalization {
  return given === 'NONE' || given === 'MERGE_SLASHES' || given === 'DECODE_AND_MERGE_SLASHES' ? given : 'BASE';
}

function exportTo(value: unknown): readonly string[] {
  const names = texts(value);
  return names.length > 0 ? names : ['*'];
}

/** What is read of a default that does not count as a whole: its own namespace before all, and names of others not at all. */
function oneOf(names: readonly string[]): readonly string[] {
  return [names.includes('.') ? '.' : names.includes('*') ? '*' : '~'];
}

/** Whether an object with settings comes with an istiod, rather than with a gateway or an injector alone. */
function isOfIstiod({ manifest, meshConfig }: Installation): boolean {
  const { kind, name, body } = manifest;
  const spec = record(record(body).spec);
  if (kind === 'ConfigMap') return !name.startsWith('istio-sidecar-injector');
  if (kind === 'Istio') return true;
  if (Object.keys(meshConfig).length > 0) return true;
  return kind === 'IstioOperator' && !['empty', 'remote'].includes(text(spec.profile));
}

/** What is said for the revision, or where none is asked for, for the one that serves by default; all of it where no two are told apart. */
function ofRevision(
  found: readonly Installation[],
  { names, tags }: Revisions,
  revision: string | undefined,
): readonly Installation[] {
  const asked = revision ?? tags.get(DEFAULT_REVISION) ?? DEFAULT_REVISION;
  if (names.length > 1 && names.includes(asked)) return found.filter(({ manifest }) => revisionOf(manifest) === asked);
  return inOrder(found);
}

/** The ConfigMaps of other revisions than the default one stand behind what is said for all. */
function inOrder(found: readonly Installation[]): readonly Installation[] {
  const isOther = ({ manifest: { kind, name } }: Installation): boolean =>
    kind === 'ConfigMap' && !/^istio(-sidecar-injector)?$/.test(name);
  const others = found.filter(isOther).sort((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1));
  return [...found.filter((one) => !isOther(one)), ...others];
}

function outboundMode(mode: string, istio: IstioBehavior): OutboundMode {
  if (mode !== 'ALLOW_ANY_DYNAMIC_DNS') return mode === 'REGISTRY_ONLY' ? 'REGISTRY_ONLY' : 'ALLOW_ANY';
  if (istio.resolvesUnknownHosts) return mode;
  // A release that has the word and asks for ALLOW_ANY alone lets nothing out; one that does not know it takes the defaults of the whole.
  return istio.knowsDynamicOutbound ? 'REGISTRY_ONLY' : 'ALLOW_ANY';
}

/** @param revision whose settings are asked for, one of those whose are shown. Default: those of the revision that serves by default. */
export function readMeshConfig(manifests: readonly Manifest[], options: MeshOptions, revision?: string): MeshConfig {
  const all = installationsOf(manifests);
  const revisions: Revisions = {
    names: [...new Set(all.filter(isOfIstiod).map(({ manifest }) => revisionOf(manifest)))].sort(),
    tags: revisionTags(manifests),
  };
  const found = ofRevision(all, revisions, revision);
  const first = (path: (config: Json) => unknown): unknown =>
    found.map((item) => path(item.meshConfig)).find((value) => value !== undefined);
  const releases = releasesInForce(
    revision === undefined ? manifests : manifests.filter((one) => !isOfAnother(one, revision, revisions.tags)),
    options,
  );
  const istio = istioBehavior(releases.istio);
  const defaultExport = (value: unknown): readonly string[] =>
    istio.readsAllOfExportDefaults ? exportTo(value) : oneOf(exportTo(value));
  const proxy = found.map((item) => record(item.global.proxy));
  const proxyText = (name: string, otherwise = ''): string =>
    proxy
      .map((values) => values[name])
      .filter((value) => value !== undefined && value !== null)
      .map(String)[0] ?? otherwise;

  const modeFrom = found.find((item) => text(record(item.meshConfig.outboundTrafficPolicy).mode) !== '');
  const outbound = modeFrom === undefined ? '' : text(record(modeFrom.meshConfig.outboundTrafficPolicy).mode);
  const mode = text(first((config) => config.ingressControllerMode));
  const mtls = first((config) => config.enableAutoMtls);
  return {
    outbound: options.outbound ?? outboundMode(outbound, istio),
    outboundTls: optionalRecord(record(modeFrom?.meshConfig.outboundTrafficPolicy).tls),
    revisions,
    compatibilityVersion: compatibilityOf(found),
    entryVisibility: istio.limitsEntries
      ? (optionalRecord(first((config) => config.serviceEntryVisibility)) ?? null)
      : null,
    rootNamespace:
      options.rootNamespace ??
      (text(first((config) => config.rootNamespace)) ||
        found.map((item) => text(item.global.istioNamespace)).find((name) => name !== '') ||
        'istio-system'),
    trustDomain: options.trustDomain ?? (text(first((config) => config.trustDomain)) || 'cluster.local'),
    trustDomainAliases: texts(first((config) => config.trustDomainAliases)),
    validatesTrustDomain: !isSet(found, 'PILOT_SKIP_VALIDATE_TRUST_DOMAIN', false),
    clusterDomain: proxyText('clusterDomain') || 'cluster.local',
    autoMtls: mtls !== false,
    defaultServiceExportTo: defaultExport(first((config) => config.defaultServiceExportTo)),
    defaultVirtualServiceExportTo: defaultExport(first((config) => config.defaultVirtualServiceExportTo)),
    defaultDestinationRuleExportTo: oneOf(exportTo(first((config) => config.defaultDestinationRuleExportTo))),
    ingressMode: mode === 'OFF' || mode === 'DEFAULT' ? mode : 'STRICT',
    ingressClass: text(first((config) => config.ingressClass)) || 'istio',
    ingressSelector: ingressSelector(text(first((config) => config.ingressSelector)), text(first((config) => config.ingressService))), // prettier-ignore
    discoverySelectors: records(first((config) => config.discoverySelectors)),
    apiKindsRead: apiKindsRead(releases, isSet(found, 'PILOT_ENABLE_ALPHA_GATEWAY_API', false), isSet(found, 'ENABLE_GATEWAY_API_INFERENCE_EXTENSION', found.length === 0)), // prettier-ignore
    authorizers: authorizers(found),
    severalAuthorizers: istio.asksSeveralProviders && isSet(found, 'PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS', false), // prettier-ignore
    keepsGatewaysApart: istio.keepsGatewaysApart && isSet(found, 'PILOT_ENABLE_STRICT_GATEWAY_MERGING', true),
    picksBestNamespace: istio.picksBestNamespace && isSet(found, 'PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE', true),
    ingressToWaypoints: isSet(found, 'ENABLE_INGRESS_WAYPOINT_ROUTING', true),
    sidecarIngressTls: isSet(found, 'ENABLE_TLS_ON_SIDECAR_INGRESS', false),
    allocatesAddresses: isSet(found, 'PILOT_ENABLE_IP_AUTOALLOCATE', true),
    resolvesSniAtWaypoints: isSet(found, 'ENABLE_WILDCARD_HOST_SERVICE_ENTRIES_FOR_TLS', false),
    ztunnelAnswersDns: capturesDnsInAmbient(manifests),
    proxyDefaults: record(first((config) => config.defaultConfig)),
    pathNormalization: pathNormalization(text(record(first((config) => config.pathNormalization)).normalization)),
    capture: {
      // Empty is none, and not the default.
      includeRanges: proxyText('includeIPRanges', '*'),
      excludeRanges: proxyText('excludeIPRanges'),
      includePorts: proxyText('includeOutboundPorts'),
      excludePorts: proxyText('excludeOutboundPorts'),
      includeInbound: proxyText('includeInboundPorts', '*'),
      excludeInbound: proxyText('excludeInboundPorts'),
    },
    releases,
    istio,
    envoyGateway: envoyGatewayBehavior(releases.envoyGateway),
    outboundFrom: options.outbound === undefined ? (modeFrom?.manifest ?? null) : null,
  };
}
