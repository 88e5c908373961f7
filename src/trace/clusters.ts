import { effectivePolicy, endpointTlsMode, subsetOf, type Policy } from '../model/destination-rules';
import type { Endpoint } from '../model/endpoints';
import { optionalRecord, record, records, text, texts } from '../model/fields';
import { resolveShortName } from '../model/hostnames';
import type { Manifest } from '../model/manifest';
import { ISTIO_SWITCHES } from '../model/release-behavior';
import type { Mesh } from '../model/mesh';
import { portsNaming } from '../model/sidecar-scope';
import type { Port, Service } from '../model/services';
import { serviceRef } from './refs';
import type { ProxyView } from './tcp-routes';
import type { NoCluster } from './reasons';
import type { Decision, ObjectRef } from './types';

export type ClusterType = 'EDS' | 'STRICT_DNS' | 'LOGICAL_DNS' | 'ORIGINAL_DST';

/** TLS that a cluster puts on its connections; null leaves them as they are. */
export interface UpstreamTls {
  readonly mode: 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL';
  /** Null: taken from the Host of each HTTP request. */
  readonly sni: string | null;
  /** Only where the endpoint takes Istio's mutual TLS. */
  readonly automatic: boolean;
  readonly credentialName: string;
  readonly subjectAltNames: readonly string[];
  readonly by: Decision | undefined;
}

/** A cluster as Envoy goes by it when it opens a connection, whoever made it. */
export interface Upstream {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** Whether the manifests can tell the endpoints. */
  readonly endpointsKnown: boolean;
  readonly tls: UpstreamTls | null;
}

export interface Cluster extends Upstream {
  readonly type: ClusterType;
  readonly service: Service;
  readonly port: Port;
  readonly subset: string;
  /** The namespace of a waypoint that does not see the service, though it is one of its own: it is told no endpoints of it. */
  readonly unseenIn?: string;
  /** How many endpoints the port has, whatever their labels. */
  readonly ofAllSubsets: number;
  readonly decidedBy: readonly Decision[];
  /** TLS asked for in vain: a credential named for all sidecars is ignored, and the connection stays plain. */
  readonly ignoredTls: Decision | undefined;
  readonly proxyProtocol: boolean;
  /** Whether automatic mutual TLS is used towards an endpoint. */
  readonly takesMutualTls: (endpoint: Endpoint) => boolean;
}

/** Why a cluster that a route names does not exist: Envoy's NC. */
export interface MissingCluster {
  readonly name: string;
  readonly cause: NoCluster;
  readonly by: Decision | undefined;
  /** Whether manifests that are not here could have made it. */
  readonly mayExist: boolean;
}

export function isMissing(cluster: Cluster | MissingCluster): cluster is MissingCluster {
  return 'cause' in cluster;
}

interface ClusterKey {
  readonly port: number;
  readonly subset: string;
  readonly host: string;
  readonly sniDnat: boolean;
}

export function parseClusterName(name: string): ClusterKey | undefined {
  const sniDnat = name.startsWith('outbound_.');
  const parts = name.split(sniDnat ? '_.' : '|');
  if (parts[0] !== 'outbound' || parts.length < 4) return undefined;
  return { port: Number(parts[1]), subset: parts[2] ?? '', host: parts.slice(3).join(sniDnat ? '_.' : '|'), sniDnat };
}

function clusterType(service: Service, isGateway: boolean): ClusterType {
  if (service.resolution === 'DNS') return 'STRICT_DNS';
  if (service.resolution === 'DNS_ROUND_ROBIN') return 'LOGICAL_DNS';
  return service.resolution === 'PASSTHROUGH' && !isGateway ? 'ORIGINAL_DST' : 'EDS';
}

function decision(service: Service, field: string): Decision {
  const { kind, namespace, name } = service.config;
  return { kind, namespace, name, field };
}

function sidecarRef({ namespace, name }: { readonly namespace: string; readonly name: string }): ObjectRef {
  return { kind: 'Sidecar', namespace, name };
}

/** Every DestinationRule by the whole name of its host, whoever sees it. */
function rulesByHost(mesh: Mesh): ReadonlyMap<string, readonly Manifest[]> {
  return mesh.remember(mesh, 'rules by host', () => {
    const rules = new Map<string, Manifest[]>();
    for (const manifest of mesh.of('networking.istio.io', 'DestinationRule')) {
      const { host } = record(record(manifest.body).spec);
      const name = resolveShortName(text(host), manifest.namespace, mesh.config.clusterDomain);
      const known = rules.get(name);
      if (known === undefined) rules.set(name, [manifest]);
      else known.push(manifest);
    }
    return rules;
  });
}

/** Whether a rule lies where the proxy would look for it, so that it is exported to others only. */
function isNear({ namespace }: Manifest, service: Service, { mesh, proxy }: ProxyView): boolean {
  return [service.namespace, proxy.namespace, mesh.config.rootNamespace].includes(namespace);
}

function missingService(view: ProxyView, key: ClusterKey, name: string): MissingCluster {
  const declared = view.mesh.services.declaring(key.host);
  const elsewhere = declared.find(({ ports }) => ports.some(({ port }) => port === key.port)) ?? declared[0];
  const [, namespace = ''] = key.host.split('.');
  const inCluster = key.host.endsWith(`.svc.${view.mesh.config.clusterDomain}`);
  if (elsewhere?.resolution === 'ALIAS')
    return {
      name,
      cause: {
        is: 'external-name',
        service: serviceRef(elsewhere),
        externalName: elsewhere.externalName,
        ports: elsewhere.ports.map(({ port }) => port),
        isDeclared: view.mesh.services.declaring(elsewhere.externalName).length > 0,
      },
      by: undefined,
      mayExist: false,
    };
  if (elsewhere !== undefined) {
    const { sidecar } = view.scope;
    const isExported = view.mesh.services.isVisible(elsewhere, view.proxy.namespace);
    const named = sidecar === undefined ? [] : portsNaming(view.mesh, view.proxy.namespace, sidecar, elsewhere);
    if (sidecar !== undefined && isExported && named.length > 0)
      return missing(
        name,
        { is: 'port-not-imported', sidecar: sidecarRef(sidecar), host: key.host, port: key.port, imported: named },
        { ...sidecarRef(sidecar), field: 'spec.egress' },
      );
    if (sidecar !== undefined && isExported)
      return missing(
        name,
        { is: 'not-imported', sidecar: sidecarRef(sidecar), host: key.host, namespace: elsewhere.namespace },
        { ...sidecarRef(sidecar), field: 'spec.egress' },
      );
    return missing(
      name,
      {
        is: 'not-exported',
        entry: serviceRef(elsewhere),
        host: key.host,
        to: view.proxy.namespace,
        hasSidecar: sidecar !== undefined,
      },
      decision(elsewhere, 'spec.exportTo'),
    );
  }
  return {
    name,
    cause: { is: 'no-service', host: key.host, inCluster, namespace: view.proxy.namespace },
    by: undefined,
    mayExist: inCluster && view.mesh.isOpen(namespace),
  };
}

function missing(name: string, cause: NoCluster, by: Decision | undefined): MissingCluster {
  return { name, cause, by, mayExist: false };
}

/** Whether a policy itself, port-level settings aside, asks for the original destination. */
function isPassthroughPolicy(policy: Policy | undefined): boolean {
  return record(policy?.policy.loadBalancer).simple === 'PASSTHROUGH';
}

/** TLS of a cluster: what the DestinationRule says, else Istio's own towards workloads of the mesh. */
function upstreamTls(
  view: ProxyView,
  service: Service,
  port: Port,
  subset: string,
  isSidecar: boolean,
  endpoints: readonly Endpoint[],
): {
  readonly tls: UpstreamTls | null;
  readonly decidedBy: readonly Decision[];
  readonly ignored: Decision | undefined;
  readonly passthrough: boolean;
} {
  const rule = view.scope.destinationRule(service.host, view.proxy.labels);
  const policy = effectivePolicy(rule, subset, port.port);
  // A subset's cluster begins as the rule's own has become, whatever balancing it asks for (buildSubsetCluster of cluster_builder.go).
  const passthrough = [policy, effectivePolicy(rule, '', port.port)].some(({ simpleLoadBalancer }) => simpleLoadBalancer === 'PASSTHROUGH'); // prettier-ignore
  const asksPassthrough = isPassthroughPolicy(subset === '' ? rule?.policy : subsetOf(rule, subset)?.policy);
  const defaultSni = `outbound_.${port.port}_.${subset}_.${service.host}`;
  if (policy.tls !== undefined) {
    const { settings, config } = policy.tls;
    const isPolicy = config.kind === 'BackendTLSPolicy';
    const field = isPolicy ? 'spec.validation' : policy.tls.field;
    const by: Decision = { kind: config.kind, namespace: config.namespace, name: config.name, field };
    const mode = text(settings.mode) || 'DISABLE';
    const credentialName = text(settings.credentialName);
    const sni = text(settings.sni);
    if (mode === 'DISABLE')
      return { tls: null, decidedBy: [{ ...by, field: `${field}.mode` }], ignored: undefined, passthrough };
    const privileged = credentialName !== '' && !credentialName.startsWith('configmap://');
    const isHeld = isPolicy && view.mesh.config.istio.closesWithoutAuthority;
    if (privileged && isSidecar && !isHeld && rule?.selector === undefined && mode !== 'ISTIO_MUTUAL') {
      const ignored = { ...by, field: `${field}.${isPolicy ? 'caCertificateRefs[0]' : 'credentialName'}` };
      return { tls: null, decidedBy: [ignored], ignored, passthrough };
    }
    const isMutualWithoutKeys =
      mode === 'MUTUAL' &&
      credentialName === '' &&
      (text(settings.clientCertificate) === '' || text(settings.privateKey) === '');
    if (isMutualWithoutKeys)
      return { tls: null, decidedBy: [by], ignored: { ...by, field: `${field}.clientCertificate` }, passthrough };
    if (mode !== 'SIMPLE' && mode !== 'MUTUAL' && mode !== 'ISTIO_MUTUAL')
      return { tls: null, decidedBy: [by], ignored: undefined, passthrough };
    return {
      tls: {
        mode,
        sni: sni !== '' ? sni : mode === 'ISTIO_MUTUAL' ? defaultSni : null,
        automatic: false,
        credentialName,
        subjectAltNames: texts(settings.subjectAltNames),
        by,
      },
      decidedBy: [isPolicy ? by : { ...by, field: `${field}.mode` }],
      ignored: undefined,
      passthrough,
    };
  }
  const mayBeMutual = !service.meshExternal && view.mesh.config.autoMtls;
  const allTakeIt = endpoints.length > 0 && endpoints.every((endpoint) => endpoint.mutualTls);
  const inferred =
    (service.resolution === 'PASSTHROUGH' || asksPassthrough) && !allTakeIt
      ? 'DISABLE'
      : view.mesh.peerAuthentications.forClients(service.namespace);
  if (!mayBeMutual || inferred === 'DISABLE') return { tls: null, decidedBy: [], ignored: undefined, passthrough };
  return {
    tls: {
      mode: 'ISTIO_MUTUAL',
      sni: defaultSni,
      automatic: !(passthrough || (service.resolution === 'PASSTHROUGH' && isSidecar)),
      credentialName: '',
      subjectAltNames: [],
      by: undefined,
    },
    decidedBy: [],
    ignored: undefined,
    passthrough,
  };
}

/** A cluster by its name, as the proxy has it; or why it has none of that name. `resolvesNames`: whether it resolves names of wildcards whatever it is. */
export function findCluster(
  view: ProxyView,
  isGateway: boolean,
  name: string,
  resolvesNames = false,
): Cluster | MissingCluster {
  const key = parseClusterName(name);
  if (key === undefined) return missing(name, { is: 'no-such-name', cluster: name }, undefined);
  const service = view.scope.service(key.host);
  if (service === undefined || service.resolution === 'ALIAS') return missingService(view, key, name);
  const { resolvesWildcardsInSidecars } = view.mesh.config.istio;
  // A cluster of a dynamic forward proxy has no subsets, and what resolves names for it is in sidecars and waypoints alone.
  const resolves = resolvesNames || (!isGateway && resolvesWildcardsInSidecars && key.subset === '');
  if (service.resolution === 'DYNAMIC_DNS' && !resolves) {
    const since = ISTIO_SWITCHES.resolvesWildcardsInSidecars.since;
    return missing(
      name,
      { is: 'wildcard-by-name', entry: serviceRef(service), inSidecars: resolvesWildcardsInSidecars, since, atGateway: isGateway }, // prettier-ignore
      decision(service, 'spec.resolution'),
    );
  }
  const port = service.ports.find((candidate) => candidate.port === key.port);
  if (port === undefined || port.protocol === 'UDP') {
    const ports = service.ports.map((candidate) => candidate.port);
    const { sidecar } = view.scope;
    // An egress listener for one port imports that port of its services, and no other.
    const whole = view.mesh.services.declaring(service.host).find((one) => one.config === service.config);
    if (sidecar !== undefined && whole?.ports.some((candidate) => candidate.port === key.port))
      return missing(
        name,
        { is: 'port-not-imported', sidecar: sidecarRef(sidecar), host: key.host, port: key.port, imported: ports },
        { ...sidecarRef(sidecar), field: 'spec.egress' },
      );
    return missing(
      name,
      { is: 'no-port', entry: serviceRef(service), host: key.host, port: key.port, ports },
      decision(service, 'spec.ports'),
    );
  }
  const rule = view.scope.destinationRule(service.host, view.proxy.labels);
  const subset = key.subset === '' ? undefined : subsetOf(rule, key.subset);
  if (key.subset !== '' && subset === undefined) {
    const elsewhere = rulesByHost(view.mesh)
      .get(service.host)
      ?.find(({ body }) => records(record(record(body).spec).subsets).some((one) => text(one.name) === key.subset));
    return missing(
      name,
      {
        is: 'no-subset',
        host: key.host,
        subset: key.subset,
        rules: rule === undefined ? null : rule.from.map(({ namespace, name: own }) => ({ namespace, name: own })),
        subsets: rule?.subsets.map((one) => one.name) ?? [],
        elsewhere:
          elsewhere === undefined
            ? null
            : { service: service.namespace, proxy: view.proxy.namespace, root: view.mesh.config.rootNamespace, rule: { namespace: elsewhere.namespace, name: elsewhere.name } }, // prettier-ignore
      },
      elsewhere === undefined
        ? undefined
        : { kind: elsewhere.kind, namespace: elsewhere.namespace, name: elsewhere.name, field: isNear(elsewhere, service, view) ? 'spec.exportTo' : 'metadata.namespace' }, // prettier-ignore
    );
  }
  const labels = subset?.labels ?? {};
  const all = view.mesh.endpoints.of(service, port, {}).endpoints;
  const { tls, decidedBy, ignored, passthrough } = upstreamTls(view, service, port, key.subset, !isGateway, all);
  const unchanged = clusterType(service, isGateway);
  const type = passthrough ? 'ORIGINAL_DST' : unchanged;
  const isDns = unchanged === 'STRICT_DNS' || unchanged === 'LOGICAL_DNS';
  const found =
    type === 'EDS' ? view.mesh.endpoints.told(service, port, labels) : view.mesh.endpoints.of(service, port, labels);
  const { networks } = view.mesh.endpoints;
  const mode = endpointTlsMode(rule, key.subset, port.port);
  const isMutual = ({ namespace, labels: own, port: target, mutualTls }: Endpoint): boolean =>
    mode === undefined
      ? mutualTls && view.mesh.peerAuthentications.forWorkload(namespace, own, target).mode !== 'DISABLE'
      : mode === 'ISTIO_MUTUAL';
  // Gateways of networks tell connections apart by the SNI of mutual TLS: what takes none is left out.
  const endpoints = found.endpoints.filter(
    (one) => networks.elsewhere(one.network ?? '', view.proxy.labels) === undefined || isMutual(one),
  );
  const staysDns = isDns && !passthrough && effectivePolicy(rule, '', port.port).simpleLoadBalancer !== 'PASSTHROUGH';
  if ((isDns && all.length === 0) || (staysDns && endpoints.length === 0)) {
    return missing(
      name,
      { is: 'no-dns-endpoint', host: key.host, subset: key.subset },
      decision(service, 'spec.endpoints'),
    );
  }
  const subsetDecision: readonly Decision[] =
    subset === undefined
      ? []
      : [
          {
            kind: subset.config.kind,
            namespace: subset.config.namespace,
            name: subset.config.name,
            field: subset.field,
          },
        ];
  return {
    name,
    type,
    service,
    port,
    subset: key.subset,
    endpoints,
    endpointsKnown: found.known,
    ofAllSubsets: all.length,
    tls: key.sniDnat ? null : tls,
    decidedBy: [...subsetDecision, ...decidedBy],
    ignoredTls: ignored,
    takesMutualTls: isMutual,
    proxyProtocol: optionalRecord(rule?.policy?.policy.proxyProtocol) !== undefined,
  };
}
