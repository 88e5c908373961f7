/**
 * Clusters that Envoy Gateway makes of the backends of routes, as data: Services, imported ones, and Backends of its own kind. What a connection comes to
 * there is decided by `envoy-gateway-send.ts`.
 */
import type { Attachment } from '../model/attachments';
import { authorityOf } from '../model/backend-authority';
import { backendTlsPolicy } from '../model/backend-tls';
import type { Endpoint } from '../model/endpoints';
import { routingType } from '../model/envoy-gateway';
import { backendProblem } from '../model/envoy-gateway-backends';
import { routingTypeAt, type EffectivePolicy, type PolicyPlace } from '../model/envoy-gateway-policies';
import { extensionApi } from '../model/envoy-gateway-settings';
import { number, optionalRecord, record, records, text, type Json } from '../model/fields';
import { backendHost } from '../model/gateway-api-rules';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import type { Service } from '../model/services';
import type { RouteDestination } from '../model/virtual-services';
import type { Upstream, UpstreamTls } from './clusters';
import type { Proxies } from './envoy-gateway-stage';
import { assumption, gap, remark, type Gap, type Note } from './notes';
import type { Reason } from './reasons';
import { refOf } from './refs';
import type { Decision } from './types';

/** A backend of a rule, where the rule is attached. */
export interface Backend {
  readonly place: Attachment & PolicyPlace;
  readonly destination: RouteDestination;
}

export interface BackendCluster extends Upstream {
  readonly is: 'cluster';
  /** What it stands for; of one that resolves names each connection says that. */
  readonly host: string;
  readonly port: number;
  /** Whether it goes to what a connection names: the Host of a request, and of TLS that is left on the SNI where that is read. */
  readonly resolves: 'host' | 'host or SNI' | undefined;
  /** The Pods of a Service, to which its address leads if that is dialled; undefined for what is no Service of the cluster. */
  readonly pods: readonly Endpoint[] | undefined;
  /** Whether the address of a Service is dialled, and not those of its Pods. */
  readonly byService: boolean;
  /** What says that, besides the EnvoyProxy. */
  readonly routing: EffectivePolicy | undefined;
}

/** Why there is none that a connection could be sent to: none at all, or one without endpoints. */
export interface MissingBackend {
  readonly is: 'missing';
  readonly lacks: 'cluster' | 'endpoints';
  readonly reason: Reason;
  readonly by: Decision | undefined;
}

/** Nobody knows whether there is one. */
interface OpenBackend {
  readonly is: 'open';
  readonly why: Gap;
  /** The Service that it is, where it is one. */
  readonly service?: { readonly host: string; readonly port: number };
}

type Told = BackendCluster | MissingBackend | OpenBackend;

/** What there is of a backend, and what is to be said of it whenever something is sent there. */
export type BackendUpstream = Told & { readonly notes: readonly Note[] };

type Made = Omit<BackendCluster, 'is' | 'name' | 'routing'> | MissingBackend | OpenBackend;

function missing(reason: Reason, by?: Decision): MissingBackend {
  return { is: 'missing', lacks: 'cluster', reason, by };
}

function open(why: Gap): OpenBackend {
  return { is: 'open', why };
}

/** @param name that of the cluster, which may have other backends of the rule as well */
export function backendCluster({ mesh, proxy }: Proxies, { place, destination }: Backend, name = ''): BackendUpstream {
  const { host } = destination;
  const notes: Note[] = [];
  const routing = routingTypeAt(place, mesh);
  const made = /^Backend /.test(host)
    ? ofBackend(mesh, destination, resolvesSni(place, mesh), notes)
    : /^ServiceImport /.test(host)
      ? ofImport(mesh, destination, notes)
      : /^extension /.test(host)
        ? open(gap({ kind: 'backend-of-extension', backend: host.replace(/^extension /, '') }))
        : ofService(mesh, destination, (isHeadless) => routingType(proxy, isHeadless, routing) === 'Service', notes);
  return 'is' in made ? { ...made, notes } : { ...made, is: 'cluster', name, routing, notes };
}

function ofService(
  mesh: Mesh,
  { host, port: wanted }: RouteDestination,
  dialsService: (isHeadless: boolean) => boolean,
  notes: Note[],
): Made {
  const service = [...mesh.services.named(host).values()].find(({ registry }) => registry === 'Kubernetes');
  const port = service?.ports.find((one) => one.port === wanted);
  const [, namespace = ''] = host.split('.');
  if (service === undefined || port === undefined) {
    // A backend that may not be named has no host.
    if (host === '') return missing({ kind: 'backend-not-granted' });
    if (service === undefined && mesh.isOpen(namespace))
      return { ...open(gap({ kind: 'namespace-not-shown', namespace, object: `Service ${host}` })), service: { host, port: wanted } }; // prettier-ignore
    return missing({ kind: 'backend-service-missing', host, port: service === undefined ? null : wanted });
  }
  const byService = dialsService(service.resolution === 'PASSTHROUGH');
  // A name has neither an address nor endpoints.
  if (record(record(mesh.find('', 'Service', service.namespace, service.name)?.body).spec).type === 'ExternalName')
    return ofName(mesh, service.host, byService);
  const { endpoints, known } = mesh.endpoints.of(service, port, {});
  if (endpoints.length === 0 && known)
    return { is: 'missing', lacks: 'endpoints', reason: { kind: 'backend-without-pods', host }, by: undefined };
  const { namespace: owner, name } = service;
  const target = { group: '', kind: 'Service', namespace: owner, name, section: port.name };
  const tls = backendTlsPolicy(target, mesh.gatewayApi.input);
  const untrusted = tls && withoutAuthority(mesh, tls.manifest, notes);
  if (untrusted !== undefined) return untrusted;
  return {
    host: service.host,
    port: port.port,
    endpoints: byService ? [addressOf(service, port.port)] : endpoints,
    endpointsKnown: byService || known,
    tls: tlsBy(tls),
    resolves: undefined,
    pods: endpoints,
    byService,
  };
}

function addressOf({ address, namespace }: Service, port: number): Endpoint {
  return { address, port, labels: {}, mutualTls: false, workload: undefined, namespace };
}

/** TLS to a backend, as clusters of Istio's proxies have it; without a name of its own it says that of the Host. */
function upstreamTls(sni: string, { kind, namespace, name }: Manifest, field: string): UpstreamTls {
  return {
    mode: 'SIMPLE',
    sni: sni === '' ? null : sni,
    automatic: false,
    credentialName: '',
    subjectAltNames: [],
    by: { kind, namespace, name, field },
  };
}

function tlsBy(policy: ReturnType<typeof backendTlsPolicy>): UpstreamTls | null {
  return policy === undefined ? null : upstreamTls(policy.sni, policy.manifest, 'spec.validation.hostname');
}

/** Envoy Gateway dials no backend that it cannot verify as it is told to; an authority that no manifest shows is taken as there. */
function withoutAuthority(mesh: Mesh, manifest: Manifest, notes: Note[]): MissingBackend | undefined {
  const { fault, assumed } = authorityOf(manifest, mesh);
  const { kind, namespace, name } = manifest;
  if (fault !== undefined)
    return missing({ kind: 'backend-authority-not-usable', problem: fault }, { kind, namespace, name, field: `spec.${fault.field}` }); // prettier-ignore
  notes.push(...assumed.map((authority) => assumption({ kind: 'authority-exists', authority, by: refOf(manifest) })));
  return undefined;
}

function ofName(mesh: Mesh, host: string, byService: boolean): Made {
  const reason = { kind: 'backend-by-name', host } as const;
  if (mesh.config.envoyGateway.refusesExternalNames) return missing(reason);
  if (!byService) return { is: 'missing', lacks: 'endpoints', reason, by: undefined };
  return open(gap({ kind: 'no-address-of-name', host }));
}

/** What other clusters export, under a name of all clusters: which endpoints it has no manifest shows. */
function ofImport(mesh: Mesh, destination: RouteDestination, notes: Note[]): Made {
  const [namespace = '', name = ''] = destination.host.replace(/^ServiceImport /, '').split('/');
  const manifest = mesh.find('multicluster.x-k8s.io', 'ServiceImport', namespace, name);
  if (manifest === undefined)
    return open(gap({ kind: 'import-not-shown', object: { kind: 'ServiceImport', namespace, name } }));
  const host = `${name}.${namespace}.svc.clusterset.local`;
  const { port } = destination;
  const own = records(record(record(manifest.body).spec).ports).find((one) => one.port === port);
  if (own === undefined) return missing({ kind: 'backend-service-missing', host, port });
  const target = { group: 'multicluster.x-k8s.io', kind: 'ServiceImport', namespace, name, section: text(own.name) };
  const policy = backendTlsPolicy(target, mesh.gatewayApi.input);
  const untrusted = policy && withoutAuthority(mesh, policy.manifest, notes);
  if (untrusted !== undefined) return untrusted;
  return { ...NO_SERVICE, host, port, endpoints: [], endpointsKnown: false, tls: tlsBy(policy) };
}

const NO_SERVICE = { resolves: undefined, pods: undefined, byService: false } as const;

/** A Backend of Envoy Gateway's own: names or addresses outside, or whatever a connection names. */
function ofBackend(mesh: Mesh, { host: written, port }: RouteDestination, resolvesSni: boolean, notes: Note[]): Made {
  const [namespace = '', name = ''] = written.replace(/^Backend /, '').split('/');
  const backend = `${namespace}/${name}`;
  const isOn = mesh.remember(mesh, 'enableBackend', () => extensionApi(mesh, 'enableBackend'));
  if (isOn === false) return missing({ kind: 'backends-not-enabled', backend });
  const manifest = mesh.find('gateway.envoyproxy.io', 'Backend', namespace, name);
  if (manifest === undefined && mesh.isOpen(namespace))
    return open(gap({ kind: 'namespace-not-shown', namespace, object: backendHost(namespace, name) }));
  if (manifest === undefined) return missing({ kind: 'backend-missing', backend });
  if (isOn === undefined) notes.push(assumption({ kind: 'backends-enabled' }));
  const spec = record(record(manifest.body).spec);
  const settings = optionalRecord(spec.tls);
  const target = {
    group: 'gateway.envoyproxy.io',
    kind: 'Backend',
    namespace,
    name,
    section: port === 0 ? '' : String(port),
  };
  const policy = backendTlsPolicy(target, mesh.gatewayApi.input);
  const isVerified =
    records(settings?.caCertificateRefs).length > 0 ||
    text(settings?.wellKnownCACertificates) !== '' ||
    policy !== undefined;
  if (settings !== undefined && settings.insecureSkipVerify !== true && !isVerified)
    return missing({ kind: 'backend-tls-unverified', backend });
  const verifying = [settings === undefined || settings.insecureSkipVerify === true ? undefined : manifest, policy?.manifest]; // prettier-ignore
  for (const one of verifying) {
    const untrusted = one && withoutAuthority(mesh, one, notes);
    if (untrusted !== undefined) return untrusted;
  }
  const endpoints = records(spec.endpoints);
  if (endpoints.some((one) => one.unix !== undefined)) return missing({ kind: 'backend-unix-socket', backend });
  const problem = backendProblem(spec, namespace);
  if (problem !== undefined) return missing({ kind: 'backend-not-accepted', backend, problem });
  const tls = tlsBy(policy) ?? (settings && upstreamTls(ownSni(settings, endpoints[0]), manifest, 'spec.tls'));
  const outside = { ...NO_SERVICE, endpointsKnown: true, tls: tls ?? null };
  if (spec.type === 'DynamicResolver')
    return { ...outside, host: backend, port: 0, endpoints: [], resolves: resolvesSni ? 'host or SNI' : 'host' };
  const found = endpoints.map((one) => endpointOutside(record(one.fqdn ?? one.ip), namespace));
  const [first] = found;
  if (first === undefined || first.address === '')
    return missing({ kind: 'backend-without-endpoint', backend, resolves: false });
  if (found.length > 1)
    notes.push(remark({ kind: 'backend-of-several-endpoints', backend: backendHost(namespace, name), endpoints: found.length })); // prettier-ignore
  return { ...outside, host: first.address, port: first.port, endpoints: found };
}

/** The name that a Backend says of itself: one for all of it, or that of each endpoint. */
function ownSni({ sni, autoSNIFromEndpointHostname }: Json, endpoint: Json = {}): string {
  if (autoSNIFromEndpointHostname !== true) return text(sni);
  return text(endpoint.hostname) || text(record(endpoint.fqdn).hostname);
}

function endpointOutside({ hostname, address, port }: Json, namespace: string): Endpoint {
  const dialled = text(hostname) || text(address);
  return { address: dialled, port: number(port), labels: {}, mutualTls: false, workload: undefined, namespace };
}

/** Whether a DynamicResolver behind a route of TLS goes by the SNI. */
export function resolvesSni({ listener, route }: Pick<Attachment, 'listener' | 'route'>, mesh: Mesh): boolean {
  const alone = records(record(records(route.config.spec.rules)[0]).backendRefs).length === 1;
  return mesh.config.envoyGateway.resolvesBySni && listener.tls?.mode === 'Passthrough' && alone;
}
