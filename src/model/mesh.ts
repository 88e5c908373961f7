import { assumedGateway } from './assumed-gateways';
import { PeerAuthentications } from './authentication';
import { backendTlsRules } from './backend-tls';
import { type Beside, besideOf, NOTHING_KNOWN, type Known } from './beside';
import { DestinationRuleIndex } from './destination-rules';
import { Endpoints } from './endpoints';
import { labelsMatch, number, optionalRecord, record, records, strings, text } from './fields';
import { GatewayApi } from './gateway-api';
import { istioFromGatewayApi } from './gateway-api-istio';
import { fromKubernetesIngress } from './kubernetes-ingress';
import { DATAPLANE_MODE, namespaceInjection } from './injection';
import { type InstalledGateway, installedGateways } from './installed-gateways';
import type { LeftOut } from './left-out';
import type { Manifest } from './manifest';
import {
  apartFromMade,
  gatewaysFor,
  mergeGateways,
  type GatewayForProxy,
  type MergedGateway,
  type ServiceTarget,
} from './merged-gateway';
import { isFilledElsewhere } from './open-namespaces';
import { isForAnother, ISTIO_GROUPS, settingsOf, undiscovered } from './istiod-view';
import { ownLayer, publicLayer } from './own-layer';
import { readMeshConfig, type MeshConfig } from './mesh-config';
import type { MeshOptions } from './mesh-options';
import { compareAge, compareText, config, firstOfEach, push, type Config } from './objects';
import { rolesOf, showsRoles } from './secret-access';
import { fromKubernetes, fromServiceEntry, ServiceRegistry } from './services';
import {
  gatewayScope,
  hasCommonScope,
  sidecarBase,
  sidecarScope,
  type ProxyScope,
  type ScopeBase,
  type Registry,
} from './sidecar-scope';
import { askedRevision, type ServedPod } from './revisions';
import { mergeDelegates } from './delegates';
import { unseenWorkloads } from './unseen-workloads';
import { parseVirtualService, VirtualServiceIndex } from './virtual-services';
import {
  isShown,
  readWorkload,
  withoutMiddlemen,
  Workloads,
  type Membership,
  type NamespaceInfo,
  type Workload,
} from './workloads';

/** A proxy whose configuration can be asked for: where it stands and whose labels it has. */
export interface Proxy {
  readonly type: 'sidecar' | 'gateway';
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly string[];
}

/** A part of a sidecar's scope. */
export interface Layer {
  readonly scope: ProxyScope;
  /** Whether it is what the namespace has to itself. */
  readonly isOwn: boolean;
  /** The part that was left out, which shares listeners with it. */
  readonly other: ProxyScope | undefined;
}

const NO_MANIFESTS: readonly Manifest[] = [];

/**
 * A mesh as its manifests describe it: everything that istiod would know, indexed the way it looks things up. It holds no
 * state of a request; what it computes for a namespace or a gateway is kept for the next one.
 */
export class Mesh implements Registry {
  public readonly config: MeshConfig;
  public readonly namespaces: ReadonlyMap<string, NamespaceInfo>;
  public readonly workloads: Workloads;
  public readonly endpoints: Endpoints;
  public readonly services: ServiceRegistry;
  public readonly virtualServices: VirtualServiceIndex;
  public readonly destinationRules: DestinationRuleIndex;
  public readonly peerAuthentications: PeerAuthentications;
  public readonly gateways: readonly Config[];
  /** Those that istiod makes of Ingress objects; the manifest of each is the Ingress. */
  public readonly ingresses: readonly Config[];
  public readonly gatewayApi: GatewayApi;
  /** Gateways of which no manifest shows the Service or the Pods, by `namespace/name`. */
  public readonly installedGateways: ReadonlyMap<string, InstalledGateway>;

  /** By group, then kind. */
  private readonly objects = new Map<string, Map<string, Manifest[]>>();
  private readonly byName = new Map<readonly Manifest[], ReadonlyMap<string, Manifest>>();
  private readonly sidecars = new Map<string, Config[]>();
  private readonly rootSidecar: Config | undefined;
  private readonly gatewaysForProxies: readonly GatewayForProxy[];
  private readonly scopes = new Map<string, ProxyScope>();
  private readonly merged = new Map<string, MergedGateway>();
  private readonly memo = new WeakMap<object, Map<string, unknown>>();
  /** Of the mesh as one revision knows it, the mesh. */
  private whole: Mesh | undefined;

  public constructor(
    public readonly manifests: readonly Manifest[],
    private readonly options: MeshOptions = {},
    public readonly leftOut: readonly LeftOut[] = [],
    private readonly known: Known = NOTHING_KNOWN,
    private readonly revision?: string,
  ) {
    this.config = readMeshConfig(manifests, options, revision);
    const isHidden = undiscovered(manifests, this.config);
    for (const manifest of manifests) {
      if (isHidden(manifest) || (revision !== undefined && isForAnother(manifest, revision))) continue;
      let kinds = this.objects.get(manifest.group);
      if (kinds === undefined) this.objects.set(manifest.group, (kinds = new Map()));
      push(kinds, manifest.kind, manifest);
    }
    this.namespaces = new Map(
      this.of('', 'Namespace').map((manifest) => [manifest.name, { labels: manifest.labels, manifest }]),
    );

    const workloads = withoutMiddlemen(
      manifests
        .map((manifest) => readWorkload(manifest, this.namespaces))
        .filter((workload): workload is Workload => workload !== undefined),
    );
    const services = [
      ...this.of('', 'Service').map((manifest) => fromKubernetes(manifest, this.config)),
      ...this.of('networking.istio.io', 'ServiceEntry').flatMap((manifest) =>
        fromServiceEntry(manifest, this.config, (name) => this.namespaces.get(name)?.labels ?? {}),
      ),
    ];
    this.gateways = this.of('networking.istio.io', 'Gateway').map(config).sort(compareAge);
    const parsed = this.of('networking.istio.io', 'VirtualService').map((manifest) =>
      parseVirtualService(config(manifest), this.config),
    );
    const routes = mergeDelegates(parsed);
    const shown = { manifests, services, workloads, gateways: this.gateways, routes };
    const installed = installedGateways(shown, this.config, known.gateways).filter(
      ({ service, installedBy }) =>
        installedBy !== undefined || !known.services.has(`${service.namespace}/${service.name}`),
    );
    this.gatewayApi = new GatewayApi({
      of: (group, kind) => this.of(group, kind),
      find: (group, kind, namespace, name) => this.find(group, kind, namespace, name),
      namespaces: this.namespaces,
      kindsRead: this.config.apiKindsRead,
      isFilledElsewhere: (namespace) => isFilledElsewhere(this, namespace),
      releases: this.config.releases,
      istio: this.config.istio,
      envoyGateway: this.config.envoyGateway,
    });
    const fromApi = istioFromGatewayApi(this.gatewayApi, this.config, {
      services,
      workloads,
      namespaces: this.namespaces.keys(),
    });
    const fromIngress = fromKubernetesIngress(
      { of: (group, kind) => this.of(group, kind), find: (...key) => this.find(...key) },
      this.config,
    );
    this.ingresses = fromIngress.gateways;
    const allServices = [...services, ...installed.map((gateway) => gateway.service), ...fromApi.services];
    const allWorkloads = [...workloads, ...installed.map((gateway) => gateway.workload), ...fromApi.workloads];
    const unseen = unseenWorkloads(this, allServices, allWorkloads, known.workloads);
    this.workloads = new Workloads([...allWorkloads, ...unseen], known.workloads);
    this.services = new ServiceRegistry(allServices);
    this.endpoints = new Endpoints(manifests, this.workloads, this.services.all);
    this.virtualServices = new VirtualServiceIndex(
      fromApi.routes.length + fromIngress.routes.length === 0
        ? routes
        : [...routes, ...fromApi.routes, ...fromIngress.routes].sort(compareAge),
    );
    this.destinationRules = new DestinationRuleIndex(
      [
        ...this.of('networking.istio.io', 'DestinationRule').map(config),
        ...backendTlsRules(this.gatewayApi.input, this.config.clusterDomain),
      ],
      this.config,
    );
    this.peerAuthentications = new PeerAuthentications(
      this.of('security.istio.io', 'PeerAuthentication').map(config),
      this.config.rootNamespace,
    );
    this.gatewaysForProxies = [
      ...[...this.gateways, ...fromIngress.gateways].map((gateway): GatewayForProxy => ({
        gateway,
        services: undefined,
      })),
      ...fromApi.gateways,
    ].sort((a, b) => compareAge(a.gateway, b.gateway));
    this.installedGateways = new Map(
      installed.map((gateway) => [`${gateway.workload.namespace}/${gateway.workload.name}`, gateway]),
    );

    const sidecars = this.of('networking.istio.io', 'Sidecar').map(config).sort(compareAge);
    const bySelector = [
      ...sidecars.filter(selectsWorkloads),
      ...sidecars.filter((sidecar) => !selectsWorkloads(sidecar)),
    ];
    for (const sidecar of bySelector) push(this.sidecars, sidecar.namespace, sidecar);
    this.rootSidecar = bySelector.find(
      (sidecar) => sidecar.namespace === this.config.rootNamespace && !selectsWorkloads(sidecar),
    );
  }

  /** The mesh of the same manifests, where more is known than they show. */
  public beside({ known = [], assumed = [] }: Beside): Mesh {
    if (known.length + assumed.length === 0) return this;
    return this.remember(this, `beside ${JSON.stringify([known, assumed])}`, () => {
      const beside = besideOf({ known, assumed });
      const gateways = beside.gateways.map((one, index) => assumedGateway(one, this.manifests.length + index));
      return new Mesh([...this.manifests, ...gateways], this.options, this.leftOut, beside.known, this.revision);
    });
  }

  /** What is taken to be somewhere else here, and another state of the mesh shows: it came or went with what sets the two apart. */
  public lacking(other: Mesh): readonly string[] {
    const shown = new Set(this.workloads.all.filter(isShown).map(({ namespace }) => namespace));
    const workloads = new Map(
      other.workloads.all
        .filter(isShown)
        .filter(({ namespace }) => !shown.has(namespace) && this.services.inNamespace(namespace).length > 0)
        .map(({ kind, namespace, name }) => [namespace, `${kind}/${namespace}/${name}`]),
    );
    const services = this.services.all
      .filter(({ assumed, namespace, name }) => assumed && other.find('', 'Service', namespace, name) !== undefined)
      .map(({ namespace, name }) => `Service/${namespace}/${name}`);
    const roles = rolesOf(other)
      .filter(({ namespace }) => !showsRoles(this, namespace))
      .map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`);
    return [...new Set([...workloads.values(), ...services, ...roles])].sort(compareText);
  }

  /** Manifests of a kind; the group is empty for the core group. */
  public of(group: string, kind: string): readonly Manifest[] {
    return this.objects.get(group)?.get(kind) ?? NO_MANIFESTS;
  }

  public find(group: string, kind: string, namespace: string, name: string): Manifest | undefined {
    const all = this.of(group, kind);
    let named = this.byName.get(all);
    if (named === undefined) {
      named = new Map(all.map((manifest) => [`${manifest.namespace}/${manifest.name}`, manifest]));
      this.byName.set(all, named);
    }
    return named.get(`${namespace}/${name}`);
  }

  /** Istio's Gateway of a name. */
  public gatewayNamed(namespace: string, name: string): Config | undefined {
    return this.remember(this, 'gateways by name', () =>
      firstOfEach(this.gateways, (gateway) => `${gateway.namespace}/${gateway.name}`),
    ).get(`${namespace}/${name}`);
  }

  /** Whether manifests, or another state of the mesh, show what accounts may do in a namespace. */
  public showsRolesIn(namespace: string): boolean {
    return this.known.roles.has(namespace) || showsRoles(this, namespace);
  }

  /** Whether any manifest speaks of a namespace. */
  public shows(namespace: string): boolean {
    return (
      this.namespaces.has(namespace) ||
      this.services.inNamespace(namespace).length > 0 ||
      this.workloads.inNamespace(namespace).length > 0
    );
  }

  /**
   * Whether a namespace may hold more than the manifests show: none of them shows it, or what fills it is rendered later.
   */
  public isOpen(namespace: string): boolean {
    return !this.shows(namespace) || isFilledElsewhere(this, namespace);
  }

  /** Whether there is anything of Istio's or of the Gateway API's at all. */
  public get isMesh(): boolean {
    return this.manifests.some(
      (manifest) =>
        ISTIO_GROUPS.has(manifest.group) ||
        manifest.group === 'gateway.networking.k8s.io' ||
        manifest.kind === 'IstioOperator',
    );
  }

  /** What a Pod without labels of its own becomes in a namespace; assumed to be in the mesh if no manifest shows the namespace. */
  public membershipIn(namespace: string): Membership {
    const info = this.namespaces.get(namespace);
    if (namespaceInjection(info) === true) return 'sidecar';
    if (info?.labels[DATAPLANE_MODE] === 'ambient') return 'ztunnel';
    return info === undefined ? 'sidecar' : 'none';
  }

  /**
   * The mesh as the istiod knows it that serves a Pod's proxy: of several revisions each has settings of its own, and reads no object that is
   * labelled for another.
   */
  public servedTo(pod: ServedPod): Mesh {
    if (this.config.revisions.names.length === 0 || !this.hasSeveralViews) return this;
    const revision = this.revisionServing(pod);
    return revision === undefined ? (this.whole ?? this) : this.seenBy(revision);
  }

  /** The revision whose webhook a Pod is sent to, by its own name; undefined where no settings of it are shown. */
  public revisionServing(pod: ServedPod): string | undefined {
    const { names, tags } = this.config.revisions;
    const asked = askedRevision(pod, this.namespaces.get(pod.namespace)?.labels ?? {});
    const revision = names.includes(asked) ? asked : (tags.get(asked) ?? asked);
    return names.includes(revision) ? revision : undefined;
  }

  /** The mesh as each revision of istiod knows it, where they know different ones. */
  public get views(): readonly Mesh[] {
    if (!this.hasSeveralViews) return [this];
    return [...new Set([this as Mesh, ...this.config.revisions.names.map((name) => this.seenBy(name))])];
  }

  /** The settings of each revision, where several are shown. */
  public ofRevisions(): readonly (readonly [string, MeshConfig])[] {
    const { names } = this.config.revisions;
    return names.length < 2 ? [] : names.map((name) => [name, this.seenBy(name).config]);
  }

  private seenBy(revision: string): Mesh {
    const whole = this.whole ?? this;
    return whole.remember(whole, `revision ${revision}`, () => {
      const own = readMeshConfig(this.manifests, this.options, revision);
      const isAlike = settingsOf(own) === settingsOf(whole.config) && !whole.manifests.some((one) => isForAnother(one, revision)); // prettier-ignore
      if (isAlike) return whole;
      const view = new Mesh(this.manifests, this.options, this.leftOut, this.known, revision);
      view.whole = whole;
      return view;
    });
  }

  private get hasSeveralViews(): boolean {
    const whole = this.whole ?? this;
    return whole.remember(whole, 'several views', () => {
      const { names } = whole.config.revisions;
      const [only = ''] = names;
      return names.length > 1 || (names.length === 1 && whole.manifests.some((one) => isForAnother(one, only)));
    });
  }

  /** The Sidecar that scopes a workload: of its namespace one that selects it, then the general one, then the mesh's. */
  public sidecarFor(namespace: string, labels: Readonly<Record<string, string>>): Config | undefined {
    const own = this.sidecars.get(namespace);
    const found = own?.find(
      (sidecar) =>
        !selectsWorkloads(sidecar) || labelsMatch(strings(record(sidecar.spec.workloadSelector).labels), labels),
    );
    return found ?? this.rootSidecar;
  }

  public scopeOf(proxy: Proxy): ProxyScope {
    if (proxy.type === 'gateway')
      return this.cachedScope(`gateway ${proxy.namespace}`, () => gatewayScope(this, proxy.namespace));
    const sidecar = this.sidecarFor(proxy.namespace, proxy.labels);
    const key =
      sidecar === undefined
        ? `namespace ${proxy.namespace}`
        : `sidecar ${proxy.namespace} ${sidecar.namespace}/${sidecar.name}`;
    return this.cachedScope(key, () => {
      // A Sidecar without egress listeners imports what there is without one.
      const importsAll = sidecar === undefined || records(sidecar.spec.egress).length === 0;
      const base =
        importsAll && hasCommonScope(this, proxy.namespace)
          ? this.remember(this, 'common scope', () => sidecarBase(this, '', undefined))
          : sidecarBase(this, proxy.namespace, sidecar);
      return sidecarScope(this, proxy.namespace, sidecar, this.config.outbound, base);
    });
  }

  /**
   * The scope of a sidecar as far as requests for some names at a port can tell: what its namespace has to itself, or what everyone sees,
   * where the two do not touch.
   */
  public layerOf(proxy: Proxy, names: readonly string[], port: number): Layer | undefined {
    const { namespace } = proxy;
    const sidecar = this.sidecarFor(namespace, proxy.labels);
    if (sidecar !== undefined && records(sidecar.spec.egress).length > 0) return undefined;
    const own = this.remember(this, `own layer ${namespace}`, () =>
      ownLayer(
        this,
        namespace,
        this.remember(this, 'public layer', () => publicLayer(this)),
      ),
    );
    if (own === undefined) return undefined;
    const scope = (name: string, base: () => ScopeBase): ProxyScope =>
      this.cachedScope(
        `${name} ${namespace} ${sidecar === undefined ? '' : `${sidecar.namespace}/${sidecar.name}`}`,
        () => sidecarScope(this, namespace, sidecar, this.config.outbound, base()),
      );
    const common = scope('public', () => this.remember(this, 'common scope', () => sidecarBase(this, '', undefined)));
    if (own.ports.size === 0) return { scope: common, isOwn: false, other: undefined };
    const mine = scope('own', () => own.base);
    const isOwn = names.map((name) => own.ports.has(name));
    if (!isOwn.includes(true) && own.alone.has(port)) return undefined;
    if (!isOwn.includes(true)) return { scope: common, isOwn: false, other: mine };
    const isWhole = new Set(names).size === 1 && own.ports.get(names[0] ?? '')?.has(port) === true;
    return isWhole ? { scope: mine, isOwn: true, other: common } : undefined;
  }

  private cachedScope(key: string, make: () => ProxyScope): ProxyScope {
    const existing = this.scopes.get(key);
    if (existing !== undefined) return existing;
    const made = make();
    this.scopes.set(key, made);
    return made;
  }

  /** The Gateways of a gateway's Pods, merged. */
  public mergedGateway(proxy: Proxy): MergedGateway {
    const key = `${proxy.namespace} ${JSON.stringify(Object.entries(proxy.labels).sort())} ${proxy.addresses.join()}`;
    const existing = this.merged.get(key);
    if (existing !== undefined) return existing;
    const selected = gatewaysFor(this.gatewaysForProxies, proxy.labels, this.serviceTargets(proxy));
    const made = mergeGateways(this.config.keepsGatewaysApart ? apartFromMade(selected) : selected);
    this.merged.set(key, made);
    return made;
  }

  /** Ports of the Services that select a proxy's Pod, and of the ServiceEntries that select it or have it as an endpoint. */
  public serviceTargets(proxy: Proxy): readonly ServiceTarget[] {
    const services = this.services.selecting(proxy.namespace, proxy.labels);
    const ofEntries = proxy.addresses.flatMap((address) => this.entriesByEndpoint.get(address) ?? []);
    const ofServices = services.flatMap((service) =>
      service.ports.map((port): ServiceTarget => {
        const named =
          typeof port.target === 'string'
            ? this.workloads.selected(proxy.namespace, service.selector)[0]?.namedPorts.get(port.target)
            : undefined;
        return {
          serviceHost: service.host,
          namespace: service.namespace,
          port: port.port,
          targetPort: typeof port.target === 'string' ? (named ?? port.port) : port.target,
          portTranslation: service.labels['experimental.istio.io/disable-gateway-port-translation'] === undefined,
        };
      }),
    );
    return [...ofServices, ...ofEntries];
  }

  /** Ports that ServiceEntries say their endpoints have, by address. */
  private get entriesByEndpoint(): ReadonlyMap<string, readonly ServiceTarget[]> {
    return this.remember(this, 'entries by endpoint', () => {
      const byAddress = new Map<string, ServiceTarget[]>();
      for (const service of this.services.all) {
        if (service.registry !== 'External') continue;
        for (const endpoint of records(service.config.spec.endpoints)) {
          for (const port of service.ports)
            push(byAddress, text(endpoint.address), {
              serviceHost: service.host,
              namespace: service.namespace,
              port: port.port,
              targetPort: number(record(endpoint.ports)[port.name]) || Number(port.target) || port.port,
              portTranslation: service.labels['experimental.istio.io/disable-gateway-port-translation'] === undefined,
            });
        }
      }
      return byAddress;
    });
  }

  /** The mesh as it would be with more objects. */
  public with(manifests: readonly Manifest[]): Mesh {
    return new Mesh([...this.manifests, ...manifests], this.options, this.leftOut, this.known, this.revision);
  }

  /** Keeps what was computed for a key of this mesh, such as a proxy's scope, under a name. */
  public remember<T>(owner: object, name: string, make: () => T): T {
    let values = this.memo.get(owner);
    if (values === undefined) {
      values = new Map();
      this.memo.set(owner, values);
    }
    if (!values.has(name)) values.set(name, make());
    return values.get(name) as T;
  }
}

function selectsWorkloads(sidecar: Config): boolean {
  return optionalRecord(sidecar.spec.workloadSelector) !== undefined;
}

/** Reads manifests as a mesh; what they leave out comes from the options. */
export function buildMesh(manifests: readonly Manifest[], options: MeshOptions = {}): Mesh {
  return new Mesh(manifests, options);
}
