import type { Mesh } from '../model/mesh';
import { portsOf, serversOf } from '../model/merged-gateway';
import type { Config } from '../model/objects';
import { labelsMatch, optionalRecord, records, strings, text } from '../model/fields';
import { GATEWAY_API, type ApiGateway } from '../model/gateway-api';
import { DATAPLANE_MODE, namespaceInjection, podInjection } from '../model/injection';
import { assumedWorkload, type Workload } from '../model/workloads';
import { assumption, type Note, remark } from './notes';
import { refOf } from './refs';
import { NoGateway, RequestError } from './request';
import type { ProxyKind, TraceRequest } from './types';
import type { Peer } from './walk';

/** Where a request starts. */
export interface Origin {
  readonly peer: Peer;
  readonly name: string | null;
  readonly kind: ProxyKind;
  readonly hasSidecar: boolean;
  /** Whether ztunnel carries its connections. */
  readonly isAmbient?: boolean;
  /** The gateway that a client from outside dials, and the port on its Pods. */
  readonly entry: { readonly workload: Workload; readonly port: number } | { readonly gateway: ApiGateway } | undefined;
  readonly notes: readonly Note[];
}

export function client(mesh: Mesh, request: TraceRequest, port: number): Origin {
  if (request.from === 'outside') return fromOutside(mesh, request, port);
  const { namespace, name } = parseClient(mesh, request.from);
  if (request.at !== undefined) throw new RequestError({ is: 'not-from-outside', from: request.from });
  return name === undefined ? fromNamespace(mesh, request, namespace) : fromWorkload(mesh, request, namespace, name);
}

/**
 * Namespace and workload of a client. A name that no API server takes is a slip, unless the manifests have it themselves, or it is a
 * variable that a tool fills in later (`${team}`).
 */
function parseClient(mesh: Mesh, from: string): ClientName {
  const first = splitAt(from, from.indexOf('/'));
  const isName = (text: string): boolean =>
    /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text) || /[${}<>%]/.test(text);
  if (isName(first.namespace) && (first.name === undefined || isName(first.name))) return first;
  // Names that only files can hold may have a slash in them.
  const known = splits(from).find(
    ({ namespace }) => namespace !== '' && mesh.manifests.some((one) => one.namespace === namespace),
  );
  if (known === undefined) throw new RequestError({ is: 'no-client', given: from });
  return known;
}

interface ClientName {
  readonly namespace: string;
  readonly name: string | undefined;
}

const splitAt = (from: string, slash: number): ClientName =>
  slash < 0 ? { namespace: from, name: undefined } : { namespace: from.slice(0, slash), name: from.slice(slash + 1) };

/** All ways to take it for a namespace and a workload; the shortest namespace first, as usual names are. */
function splits(from: string): readonly ClientName[] {
  return [...[...from.matchAll(/\//g)].map(({ index }) => splitAt(from, index)), splitAt(from, -1)];
}

function fromWorkload(mesh: Mesh, request: TraceRequest, namespace: string, name: string): Origin {
  const workload = mesh.workloads.find(namespace, name);
  if (workload !== undefined) {
    const peer: Peer = {
      namespace,
      serviceAccount: request.serviceAccount ?? workload.serviceAccount,
      labels: request.labels ?? workload.labels,
      address: workload.addresses[0] ?? null,
      workload,
      inMesh: workload.membership === 'sidecar',
    };
    const notes =
      workload.membershipAssumed && workload.membership === 'sidecar'
        ? [assumption({ kind: 'namespace-injects-sidecars', namespace })]
        : [];
    return {
      peer,
      name: workload.controller === name ? name : workload.name,
      kind: 'none',
      hasSidecar: workload.membership === 'sidecar',
      isAmbient: workload.membership === 'ztunnel',
      entry: undefined,
      notes,
    };
  }
  const shown = mesh.workloads.inNamespace(namespace).filter((candidate) => candidate.manifest !== undefined);
  const origin = fromNamespace(mesh, request, namespace, name);
  // Pods of one controller go by its name.
  const names = [...new Set(shown.map((candidate) => candidate.controller ?? candidate.name))];
  return {
    ...origin,
    notes: [
      assumption({
        kind: 'client-workload',
        namespace,
        name,
        known: names,
        labels: origin.peer.labels,
        serviceAccount: origin.peer.serviceAccount,
      }),
      ...origin.notes,
    ],
  };
}

function fromNamespace(mesh: Mesh, request: TraceRequest, namespace: string, name?: string): Origin {
  const info = mesh.namespaces.get(namespace);
  const injected = namespaceInjection(info);
  const labels = request.labels ?? (name === undefined ? {} : { app: name });
  const isInjected = podInjection({ labels, annotations: {} }, info);
  // A Pod may enrol itself; a sidecar that it gets comes first.
  const isEnrolled = isInjected !== true && labels[DATAPLANE_MODE] === 'ambient';
  const peer: Peer = {
    namespace,
    serviceAccount: request.serviceAccount ?? name ?? 'default',
    labels,
    address: null,
    workload: undefined,
    inMesh: injected !== false && !isEnrolled,
  };
  const hasSidecar = isInjected !== false && !isEnrolled;
  const notes = info === undefined && hasSidecar ? [assumption({ kind: 'namespace-injects-sidecars', namespace })] : [];
  const isAmbient = isEnrolled || (!hasSidecar && mesh.membershipIn(namespace) === 'ztunnel');
  return { peer, name: name ?? null, kind: 'none', hasSidecar, isAmbient, entry: undefined, notes };
}

/** A gateway by the name of its Gateway object, else of its workload or Service. */
function fromOutside(mesh: Mesh, request: TraceRequest, port: number): Origin {
  const [namespace = '', name = '', ...rest] = (request.at ?? '').split('/');
  if (namespace === '' || name === '' || rest.length > 0) throw new RequestError({ is: 'no-gateway-named' });
  const api = mesh.gatewayApi.find(namespace, name);
  const istio = mesh.gatewayNamed(namespace, name);
  if (api !== undefined && (istio === undefined || !isMeant(request, api, istio, port))) {
    const origin = atApiGateway(mesh, api, port);
    const isBoth = istio !== undefined && request.atGroup === undefined && portsOf(istio).includes(port);
    const both = remark({ kind: 'gateways-of-one-name', gateway: `${namespace}/${name}`, port });
    return isBoth ? { ...origin, notes: [...origin.notes, both] } : origin;
  }
  const gateway =
    istio ??
    mesh.ingresses.find(
      (one) =>
        (one.manifest.namespace === namespace && one.manifest.name === name) ||
        (one.namespace === namespace && one.name === name),
    ) ??
    withAssumedPods(mesh, namespace, name);
  const selector = optionalRecord(gateway?.spec.selector);
  const matching = mesh.workloads.gateways;
  const selected =
    selector === undefined
      ? []
      : matching.filter((workload) =>
          Object.entries(strings(selector)).every(([key, value]) => workload.labels[key] === value),
        );
  const workload =
    selected.find((candidate) => candidate.namespace === namespace) ??
    selected[0] ??
    matching.find((candidate) => candidate.namespace === namespace && candidate.name === name) ??
    behindService(mesh, namespace, name);
  const peer = OUTSIDE;
  if (workload !== undefined) {
    return { peer, name: null, kind: 'none', hasSidecar: false, ...atPort(mesh, workload, port) };
  }
  if (gateway === undefined) {
    const known = [...mesh.gateways, ...mesh.gatewayApi.gateways.map((candidate) => candidate.config)].map(
      (candidate) => `${candidate.namespace}/${candidate.name}`,
    );
    const left = mesh.leftOut.find((one) => one.kind === 'Gateway' && one.namespace === namespace && one.name === name);
    if (left !== undefined && left.field === undefined)
      throw new NoGateway({ is: 'gateway-left-out', gateway: refOf(left), by: left.by, why: left.why });
    throw new NoGateway({ is: 'no-such-gateway', gateway: `${namespace}/${name}`, known });
  }
  const assumed = assumedPods(mesh, gateway);
  const { labels } = assumed;
  const ports = serversOf(gateway).map((server) => server.port);
  const own = mesh.gateways.includes(gateway) ? `${gateway.namespace}/${gateway.name}` : `${namespace}/${name}`;
  const note = assumption({ kind: 'gateway-pods', gateway: own, namespace: assumed.namespace, labels, ports }); // prettier-ignore
  return { peer, name: null, kind: 'none', hasSidecar: false, entry: { workload: assumed, port }, notes: [note] };
}

/** The Pods of a Gateway of Istio that no manifest shows, as they are usually installed. */
function assumedPods({ config }: Mesh, gateway: Config): Workload {
  const labels = strings(optionalRecord(gateway.spec.selector));
  const name = labels.app ?? (labels.istio === undefined ? gateway.name : `istio-${labels.istio}`);
  return assumedWorkload({ namespace: config.rootNamespace, name, labels, membership: 'gateway' });
}

/** A Gateway whose Pods no manifest shows and are assumed to have that name. */
function withAssumedPods(mesh: Mesh, namespace: string, name: string): Config | undefined {
  if (mesh.services.ofCluster(namespace, name) !== undefined || mesh.workloads.called(namespace, name) !== undefined) return undefined; // prettier-ignore
  return [...mesh.gateways, ...mesh.ingresses].find((gateway) => {
    const pods = assumedPods(mesh, gateway);
    return pods.namespace === namespace && pods.name === name && !mesh.workloads.gateways.some((one) => labelsMatch(pods.labels, one.labels)); // prettier-ignore
  });
}

/**
 * Whether a request is for Istio's Gateway and not for the one of the Gateway API that has its name. Both work side by side: istiod makes Gateways of
 * its own of the latter, with `istio-autogenerated-k8s-gateway` in their names.
 */
function isMeant({ atGroup }: TraceRequest, api: ApiGateway, istio: Config, port: number): boolean {
  if (atGroup !== undefined) return atGroup === istio.manifest.group;
  return portsOf(istio).includes(port) && !api.listeners.some((listener) => listener.port === port);
}

function behindService(mesh: Mesh, namespace: string, name: string): Workload | undefined {
  const service = mesh.services.ofCluster(namespace, name);
  return service === undefined
    ? undefined
    : mesh.workloads.behind(service).find((workload) => workload.membership === 'gateway');
}

const OUTSIDE: Peer = {
  namespace: '',
  serviceAccount: '',
  labels: {},
  address: null,
  workload: undefined,
  inMesh: false,
};

/** A Gateway of the Gateway API: Istio's Pods for it, or Envoy Gateway's. */
function atApiGateway(mesh: Mesh, api: ApiGateway, port: number): Origin {
  const { namespace, name } = api.config;
  const origin = { peer: OUTSIDE, name: null, kind: 'none' as const, hasSidecar: false, notes: [] };
  if (api.controller === 'envoy-gateway') return { ...origin, entry: { gateway: api } };
  const workload =
    mesh.workloads.selected(namespace, { [`${GATEWAY_API}/gateway-name`]: name })[0] ?? behindAddress(mesh, api);
  if (api.controller === 'other')
    throw new RequestError({ is: 'foreign-controller', gateway: refOf(api.config), className: api.className });
  if (workload === undefined) throw new NoGateway({ is: 'gateway-without-pods', gateway: refOf(api.config) });
  return { ...origin, ...atPort(mesh, workload, port) };
}

/** Where a port of a gateway's Services leads; one that none of them has is dialled at the Pods, which is said. */
function atPort(mesh: Mesh, workload: Workload, port: number): Pick<Origin, 'entry' | 'notes'> {
  const { namespace, name, labels } = workload;
  const targets = mesh.serviceTargets({ type: 'gateway', namespace, labels, addresses: [] });
  const target = targets.find((candidate) => candidate.port === port);
  const ports = [...new Set(targets.map((candidate) => candidate.port))];
  const isLacking = target === undefined && ports.length > 0;
  return {
    entry: { workload, port: target?.targetPort ?? port },
    notes: isLacking ? [remark({ kind: 'no-service-port', namespace, workload: name, port, ports })] : [],
  };
}

/** The Pods behind the Service that a Gateway names as its address. */
function behindAddress(mesh: Mesh, api: ApiGateway): Workload | undefined {
  for (const address of records(api.config.spec.addresses)) {
    const [name = '', namespace = api.config.namespace] = text(address.value).split('.');
    const found = behindService(mesh, namespace, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
