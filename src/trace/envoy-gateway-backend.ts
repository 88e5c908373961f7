/** Where Envoy Gateway sends what a route chose: a Service, or a Backend of its own kind. */
import { authorityOf } from '../model/backend-authority';
import { shownName } from '../model/workloads';
import { backendTls, routingType } from '../model/envoy-gateway';
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { extensionApi } from '../model/envoy-gateway-settings';
import { optionalRecord, record, records, number, text, type Json } from '../model/fields';
import type { Attachment } from '../model/attachments';
import { backendHost } from '../model/gateway-api-rules';
import { isAddress } from '../model/addresses';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import type { RouteDestination } from '../model/virtual-services';
import { outboundCapture } from './capture';
import { hostWithoutPort } from './envoy';
import { listenerDecision, type Stage } from './envoy-gateway-stage';
import { brokenStatus, hopOf, hopTo, ruleDecision, type Onward } from './hop';
import { assumption, gap, remark, type Gap } from './notes';
import type { Reason } from './reasons';
import { refOf } from './refs';
import { layersTo, opened } from './upstream';
import type { UpstreamTls } from './clusters';
import { refused, step, unknown, type Step, type Target } from './step';
import type { Decision, RouteRef } from './types';
import { decisions, outermost, wire } from './walk';

/** What a route of a listener sends to a backend. */
export interface ToBackend {
  readonly stage: Stage;
  readonly onward: Onward;
  readonly ref: RouteRef;
  readonly attachment: Attachment;
  readonly destination: RouteDestination;
  /** Name of the cluster. */
  readonly cluster: string;
  /** What says how Services are dialled, before the EnvoyProxy does. */
  readonly routing?: EffectivePolicy | undefined;
}

/** Where it goes. */
interface Upstream {
  readonly host: string;
  readonly port: number;
  /** What the proxy dials. */
  readonly address: string | null;
  readonly dialled: number;
  readonly endpoints: readonly string[];
  /** Whether the proxy dials the address of a Service, and not of its Pods. */
  readonly byService: boolean;
  readonly tls: { readonly sni: string; readonly manifest: Manifest; readonly field: string } | undefined;
  /** Past a sidecar of the proxy's own. */
  readonly direct: {
    readonly address: string | null;
    readonly port: number;
    readonly target: Target | undefined;
  };
}

export function toBackend(going: ToBackend): Step {
  const { host } = going.destination;
  const upstream = /^Backend /.test(host) ? ofBackend(going) : /^ServiceImport /.test(host) ? ofImport(going) : ofService(going); // prettier-ignore
  return 'then' in upstream ? upstream : forward(going, upstream);
}

/** A backend that Envoy Gateway has no cluster for. */
function none(going: ToBackend, reason: Reason, by?: Decision): Step {
  return refuse(going, going.onward.http === null ? 'NC' : 'direct_response', 500, reason, by);
}

/** @param status what a client of HTTP sees */
function refuse(going: ToBackend, code: string, status: number, reason: Reason, by?: Decision): Step {
  const { onward, ref, stage } = going;
  const { incoming, http } = onward;
  const decidedBy = decisions(by, ...incoming.decidedBy);
  return refused(hopOf(incoming, { route: ref, decidedBy }), {
    code,
    status: http === null ? brokenStatus(stage.flight) : status,
    proxy: incoming.proxy,
    by: by ?? ruleDecision(ref) ?? null,
    reason,
  });
}

function undecided({ onward: { incoming }, ref }: ToBackend, why: Gap): Step {
  return unknown(hopOf(incoming, { route: ref }), why);
}

function ofService(going: ToBackend): Upstream | Step {
  const { destination } = going;
  const { mesh } = going.stage;
  const service = [...mesh.services.named(destination.host).values()].find(
    (candidate) => candidate.registry === 'Kubernetes',
  );
  const port = service?.ports.find((candidate) => candidate.port === destination.port);
  const [, namespace = ''] = destination.host.split('.');
  if (service === undefined || port === undefined) {
    // A backend that may not be named has no host.
    if (destination.host === '') return none(going, { kind: 'backend-not-granted' });
    if (service === undefined && mesh.isOpen(namespace)) {
      return undecided(going, gap({ kind: 'namespace-not-shown', namespace, object: `Service ${destination.host}` }));
    }
    const missing = service === undefined ? null : destination.port;
    return none(going, { kind: 'backend-service-missing', host: destination.host, port: missing });
  }
  const byService = routingType(going.stage.proxy, service.resolution === 'PASSTHROUGH', going.routing) === 'Service';
  // A name has neither an address nor endpoints.
  if (record(record(mesh.find('', 'Service', service.namespace, service.name)?.body).spec).type === 'ExternalName')
    return ofName(going, service.host, byService);
  const { endpoints, known } = mesh.endpoints.of(service, port, {});
  const endpoint = endpoints[0];
  if (endpoint === undefined && known)
    return refuse(going, 'UH', 503, { kind: 'backend-without-pods', host: destination.host });
  const tls = backendTls({ namespace: service.namespace, name: service.name }, port.name, mesh);
  const untrusted = tls && withoutAuthority(going, tls.manifest);
  if (untrusted !== undefined) return untrusted;
  return {
    host: service.host,
    port: port.port,
    address: byService ? service.address : (endpoint?.address ?? null),
    dialled: byService ? port.port : (endpoint?.port ?? port.port),
    endpoints: byService
      ? [`${service.address}:${port.port}`]
      : endpoints.map((item) => `${item.address}:${item.port}`),
    byService,
    tls: tls === undefined ? undefined : { ...tls, field: 'spec.validation.hostname' },
    direct: {
      address: endpoint?.address ?? null,
      port: endpoint?.port ?? port.port,
      target: { workload: endpoint?.workload, original: false, among: endpoints },
    },
  };
}

/** Envoy Gateway dials no backend that it cannot verify as it is told to; an authority that no manifest shows is taken as there. */
function withoutAuthority(going: ToBackend, manifest: Manifest): Step | undefined {
  const { stage } = going;
  const { fault, assumed } = authorityOf(manifest, stage.mesh);
  const { kind, namespace, name } = manifest;
  if (fault !== undefined)
    return none(going, { kind: 'backend-authority-not-usable', detail: fault.what, cure: fault.fix }, { kind, namespace, name, field: `spec.${fault.field}` }); // prettier-ignore
  for (const one of assumed)
    stage.walk.note(assumption({ kind: 'authority-exists', authority: one, by: refOf(manifest) }));
  return undefined;
}

function ofName(going: ToBackend, host: string, byService: boolean): Step {
  const { mesh } = going.stage;
  if (mesh.config.envoyGateway.refusesExternalNames) return none(going, { kind: 'backend-by-name', host });
  if (!byService) return refuse(going, 'UH', 503, { kind: 'backend-by-name', host });
  return undecided(going, gap({ kind: 'no-address-of-name', host }));
}

/** What other clusters export, under a name of all clusters: which endpoints it has no manifest shows. */
function ofImport(going: ToBackend): Upstream | Step {
  const { stage, destination } = going;
  const [namespace = '', name = ''] = destination.host.replace(/^ServiceImport /, '').split('/');
  const manifest = stage.mesh.find('multicluster.x-k8s.io', 'ServiceImport', namespace, name);
  if (manifest === undefined)
    return undecided(going, gap({ kind: 'import-not-shown', object: { kind: 'ServiceImport', namespace, name } })); // prettier-ignore
  const host = `${name}.${namespace}.svc.clusterset.local`;
  const { ports } = record(record(manifest.body).spec);
  const { port } = destination;
  if (records(ports).every((one) => one.port !== port)) return none(going, { kind: 'backend-service-missing', host, port }); // prettier-ignore
  return {
    host,
    port,
    address: null,
    dialled: port,
    endpoints: [],
    byService: false,
    tls: undefined,
    direct: { address: null, port, target: undefined },
  };
}

/** A Backend: names or addresses outside, or whatever the Host names. */
function ofBackend(going: ToBackend): Upstream | Step {
  const {
    stage,
    destination,
    onward: { http },
  } = going;
  const { mesh, walk } = stage;
  const [namespace = '', name = ''] = destination.host.replace(/^Backend /, '').split('/');
  const backend = `${namespace}/${name}`;
  const isOn = mesh.remember(mesh, 'enableBackend', () => extensionApi(mesh, 'enableBackend'));
  if (isOn === false) return none(going, { kind: 'backends-not-enabled', backend });
  const manifest = mesh.find('gateway.envoyproxy.io', 'Backend', namespace, name);
  if (manifest === undefined && mesh.isOpen(namespace)) {
    return undecided(going, gap({ kind: 'namespace-not-shown', namespace, object: backendHost(namespace, name) })); // prettier-ignore
  }
  if (manifest === undefined) return none(going, { kind: 'backend-missing', backend });
  if (isOn === undefined) walk.note(assumption({ kind: 'backends-enabled' }));
  const spec = record(record(manifest.body).spec);
  const settings = optionalRecord(spec.tls);
  const policy = backendTls({ kind: 'Backend', namespace, name }, '', mesh);
  const isVerified =
    records(settings?.caCertificateRefs).length > 0 ||
    text(settings?.wellKnownCACertificates) !== '' ||
    policy !== undefined;
  if (settings !== undefined && settings.insecureSkipVerify !== true && !isVerified)
    return none(going, { kind: 'backend-tls-unverified', backend });
  const verifying = [settings === undefined || settings.insecureSkipVerify === true ? undefined : manifest, policy?.manifest]; // prettier-ignore
  for (const one of verifying) {
    const untrusted = one && withoutAuthority(going, one);
    if (untrusted !== undefined) return untrusted;
  }
  const endpoints = records(spec.endpoints);
  if (endpoints.some((one) => one.unix !== undefined)) return none(going, { kind: 'backend-unix-socket', backend });
  const problem = backendProblem(spec) ?? certificateProblem(settings, namespace);
  if (problem !== undefined) return none(going, { kind: 'backend-not-accepted', backend, ...problem });
  const isDynamic = spec.type === 'DynamicResolver';
  const sni = resolvesSni(going.attachment, mesh) ? outermost(stage.flight.layers)?.sni : undefined;
  const asked = http === null ? (sni ?? '') : hostWithoutPort(http.authority.name);
  const tls =
    policy !== undefined
      ? { ...policy, field: 'spec.validation.hostname' }
      : settings === undefined
        ? undefined
        : { sni: text(settings.sni) || asked, manifest, field: 'spec.tls' };
  const [first] = endpoints.map((one) => record(one.fqdn ?? one.ip));
  const usual = tls === undefined && http !== null ? 80 : 443;
  const host = isDynamic ? asked : text(first?.hostname) || text(first?.address);
  const port = isDynamic ? Number(/:(\d+)$/.exec(http?.authority.name ?? '')?.[1] ?? usual) : number(first?.port);
  if (host === '') return none(going, { kind: 'backend-without-endpoint', backend, resolves: isDynamic });
  if (endpoints.length > 1)
    walk.note(remark({ kind: 'backend-of-several-endpoints', backend: backendHost(namespace, name), endpoints: endpoints.length })); // prettier-ignore
  const address = /^[\d.]+$|:/.test(host) ? host : null;
  return {
    host,
    port,
    address,
    dialled: port,
    endpoints: [`${host}:${port}`],
    byService: false,
    tls,
    direct: { address, port, target: undefined },
  };
}

/** Whether a DynamicResolver behind a route of TLS goes by the SNI. */
export function resolvesSni({ listener, route }: Pick<Attachment, 'listener' | 'route'>, mesh: Mesh): boolean {
  const alone = records(record(records(route.config.spec.rules)[0]).backendRefs).length === 1;
  return mesh.config.envoyGateway.resolvesBySni && listener.tls?.mode === 'Passthrough' && alone;
}

interface BackendProblem {
  readonly detail: string;
  readonly cure: string;
}

/** What Envoy Gateway does not accept of a Backend's endpoints. */
export function backendProblem(spec: Json): BackendProblem | undefined {
  return mixedAddresses(spec) ?? addressProblem(spec);
}

/** Names and addresses in one Backend (mixed address types, processBackendDestinationSetting of internal/gatewayapi/route.go). */
function mixedAddresses({ endpoints }: Json): BackendProblem | undefined {
  const all = records(endpoints);
  const named = all.filter(({ fqdn }) => fqdn !== undefined).length;
  return named === 0 || named === all.length
    ? undefined
    : { detail: 'it has names and addresses', cure: 'give the names a Backend of their own' };
}

/** validateHostname and validateIP of internal/gatewayapi/backend.go: one bad endpoint is enough. */
function addressProblem({ endpoints }: Json): BackendProblem | undefined {
  for (const endpoint of records(endpoints)) {
    const names = [text(endpoint.hostname), text(record(endpoint.fqdn).hostname)].filter((name) => name !== '');
    const cure = 'write a name with a dot, or the address under ip';
    const single = names.find((name) => !name.includes('.'));
    if (single !== undefined) return { detail: `${single} is a name without a dot`, cure };
    const numeric = names.find((name) => isAddress(name));
    if (numeric !== undefined) return { detail: `${numeric} is an address, and no name`, cure };
    const address = text(record(endpoint.ip).address);
    if (address !== '' && (/^127\./.test(address) || /^(0*:)+0*1$/.test(address)))
      return { detail: `${address} is the proxy itself`, cure: 'write an address that leads out of the proxy' };
  }
  return undefined;
}

function certificateProblem(settings: Json | undefined, own: string): BackendProblem | undefined {
  const { namespace, name } = record(settings?.clientCertificateRef);
  return text(namespace) === '' || namespace === own
    ? undefined
    : { detail: `its client certificate ${text(namespace)}/${text(name)} is in another namespace`, cure: `keep the Secret in namespace ${own}` }; // prettier-ignore
}

function dialledBy({ proxy }: Stage, routing: EffectivePolicy | undefined): Decision | undefined {
  const manifest = routing?.manifest ?? proxy.manifest;
  return manifest && { kind: manifest.kind, namespace: manifest.namespace, name: manifest.name, field: 'spec.routingType' }; // prettier-ignore
}

/** TLS to a backend, as clusters of Istio's proxies have it. */
function upstreamTls(tls: Upstream['tls']): UpstreamTls | null {
  if (tls === undefined) return null;
  const { kind, namespace, name } = tls.manifest;
  return {
    mode: 'SIMPLE',
    sni: tls.sni,
    automatic: false,
    credentialName: '',
    subjectAltNames: [],
    by: { kind, namespace, name, field: tls.field },
  };
}

function forward(going: ToBackend, upstream: Upstream): Step {
  const { stage, attachment, ref, routing } = going;
  const { incoming, http, inner } = going.onward;
  const { mesh, workload, flight } = stage;
  const { tls } = upstream;
  const layers = layersTo(upstreamTls(tls), inner, http, false);
  const hop = hopTo({ ...going.onward, route: ref }, flight, going.cluster, {
    sends: wire(http === null ? (layers.length > 0 ? 'TLS' : 'TCP') : 'HTTP', upstream.port, layers),
    decidedBy: decisions(...incoming.decidedBy, listenerDecision(attachment), dialledBy(stage, routing), upstreamTls(tls)?.by), // prettier-ignore
    envoy: { ...incoming.envoy, endpoints: upstream.endpoints },
  });
  const { host, address, dialled: port, port: namedPort } = upstream;
  const { namespace, serviceAccount, labels } = workload;
  const from = { namespace, serviceAccount, labels, address: null, workload, inMesh: workload.membership === 'sidecar' }; // prettier-ignore
  const onward = opened(flight, going.onward, { from, host, address, port, namedPort, layers });
  const direct = (): Step => {
    const { address, port, target } = upstream.direct;
    const alone = { ...onward, from: { ...onward.from, inMesh: false }, address, port };
    return step(hop, { at: 'network', flight: alone, target, isHttp: http !== null });
  };
  if (workload.membership === 'ztunnel')
    return step(hop, { at: 'outbound-ztunnel', flight: onward, name: shownName(workload), dialsPod: !upstream.byService && onward.address !== null }); // prettier-ignore
  if (workload.membership !== 'sidecar') return direct();
  const capture = outboundCapture(workload, mesh.servedTo(workload).config.capture, onward.address, onward.port);
  if (!capture.captured) return direct();
  const proxy = { kind: 'sidecar' as const, namespace: workload.namespace, workload: shownName(workload) };
  return step(hop, { at: 'outbound-sidecar', flight: onward, workload, proxy });
}
