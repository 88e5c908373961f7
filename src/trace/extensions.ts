/**
 * What may change a request's way and cannot be read from manifests: EnvoyFilters, and code of WasmPlugins and TrafficExtensions. A trace is followed as if they were
 * not there, and says so; if one of them touches a hop, its outcome is `unknown`.
 */
import { number, optionalRecord, record, records, text, type Json } from '../model/fields';
import type { Mesh } from '../model/mesh';
import { config } from '../model/objects';
import type { Recorder } from './ask';
import { decidesOf } from './connection-manager-patches';
import { type ExtendedProxy, isFor, namesCluster } from './extension-scope';
import { forwardProxyPart } from './forward-proxy';
import { gap } from './notes';
import { letsPass } from './passing-patches';
import { type ObjectRef, refOf } from './refs';
import { extensionsThatTouch, trafficExtensions } from './traffic-extensions';
import type { Hop, Trace, TraceRequest } from './types';
import { withNotes } from './words';

type Context = 'SIDECAR_OUTBOUND' | 'SIDECAR_INBOUND' | 'GATEWAY';

interface Place extends ExtendedProxy {
  readonly hop: Hop;
  readonly context: Context;
  readonly readsHttp: boolean;
  /** Whether a patch that is merged into the connection manager may decide about the request. */
  readonly isDecidedBy: (patch: Json) => boolean;
}

const ISTIO_PROXIES = new Set(['sidecar', 'egress-gateway', 'ingress-gateway', 'waypoint']);

function placesOf(mesh: Mesh, request: TraceRequest, trace: Trace, recorder?: Recorder): readonly Place[] {
  const isDecidedBy = (patch: Json): boolean => decidesOf(patch, request, trace, recorder);
  return trace.hops.flatMap((hop, index): readonly Place[] => {
    if (!ISTIO_PROXIES.has(hop.proxy.kind)) return [];
    const { namespace, workload } = hop.proxy;
    const known = workload === null ? undefined : mesh.workloads.find(namespace, workload);
    const isClient = index === 0 && hop.proxy.kind === 'sidecar';
    const labels = (isClient ? request.labels : undefined) ?? known?.labels ?? {};
    const context =
      hop.proxy.kind !== 'sidecar'
        ? ('GATEWAY' as const)
        : hop.envoy.listener === 'virtualInbound'
          ? ('SIDECAR_INBOUND' as const)
          : ('SIDECAR_OUTBOUND' as const);
    return [{ namespace, workload, hop, context, labels, readsHttp: hop.receives.protocol === 'HTTP', isDecidedBy }];
  });
}

/** Fields of a cluster that change where a connection goes, or what is spoken on it. */
const DECISIVE = [
  'transport_socket',
  'transport_socket_matches',
  'load_assignment',
  'type',
  'cluster_type',
  'eds_cluster_config',
];

function touchesCluster(patch: Json, match: Json, hop: Hop): boolean {
  if (!namesCluster(match, hop.cluster)) return false;
  const operation = text(patch.operation);
  if (operation === 'ADD') return text(record(patch.value).name) === hop.cluster;
  return operation === 'REMOVE' || DECISIVE.some((field) => record(patch.value)[field] !== undefined);
}

function touchesListener(match: Json, hop: Hop): boolean {
  const wanted = record(match.listener);
  const port = Number(/_(\d+)$/.exec(hop.envoy.listener ?? '')?.[1] ?? hop.receives.port);
  if (number(wanted.portNumber) > 0 && number(wanted.portNumber) !== port) return false;
  if (text(wanted.name) !== '' && wanted.name !== hop.envoy.listener) return false;
  const sni = text(record(wanted.filterChain).sni);
  return sni === '' || sni === hop.receives.sni;
}

function touchesRoutes(match: Json, hop: Hop): boolean {
  const wanted = record(match.routeConfiguration);
  const virtualHost = record(wanted.vhost);
  const ports = [hop.receives.port, Number(/(\d+)$/.exec(hop.envoy.routeConfig ?? '')?.[1] ?? 0)];
  if (number(wanted.portNumber) > 0 && !ports.includes(number(wanted.portNumber))) return false;
  if (text(wanted.name) !== '' && wanted.name !== hop.envoy.routeConfig) return false;
  return text(virtualHost.name) === '' || virtualHost.name === hop.envoy.virtualHost;
}

/** Whether one patch of an EnvoyFilter is about what a hop does. */
function touches(entry: Json, place: Place): boolean {
  const { hop, context, readsHttp } = place;
  const match = record(entry.match);
  const patch = record(entry.patch);
  const wanted = text(match.context) || 'ANY';
  if (wanted !== 'ANY' && wanted !== context) return false;
  if (forwardProxyPart(entry) !== undefined || letsPass(entry, hop)) return false;
  const isMerge = text(patch.operation) === 'MERGE';
  switch (text(entry.applyTo)) {
    case 'CLUSTER':
      return hop.cluster !== null && touchesCluster(patch, match, hop);
    case 'HTTP_FILTER':
      return readsHttp && touchesListener(match, hop);
    case 'NETWORK_FILTER':
      // A merge is into Istio's own connection manager.
      return touchesListener(match, hop) && !(isMerge && readsHttp && !place.isDecidedBy(patch));
    case 'LISTENER':
    case 'FILTER_CHAIN':
      return (
        !(isMerge && optionalRecord(record(patch.value).filter_chain_match) === undefined) &&
        touchesListener(match, hop)
      );
    case 'ROUTE_CONFIGURATION':
    case 'VIRTUAL_HOST':
    case 'HTTP_ROUTE':
      return readsHttp && touchesRoutes(match, hop);
    default:
      return false;
  }
}

interface Extension {
  readonly extension: ObjectRef;
  readonly field: string | null;
}

function extensionsOf(mesh: Mesh, place: Place): readonly Extension[] {
  const filters = mesh
    .of('networking.istio.io', 'EnvoyFilter')
    .map(config)
    .filter((filter) => isFor(mesh, filter, optionalRecord(record(filter.spec.workloadSelector).labels), place))
    .flatMap((filter) => {
      const index = records(filter.spec.configPatches).findIndex((entry) => touches(entry, place));
      return index < 0 ? [] : [{ extension: refOf(filter), field: `spec.configPatches[${index}]` }];
    });
  const plugins = extensionsThatTouch(mesh, place, place.hop).map((one) => ({ extension: refOf(one), field: null }));
  return [...filters, ...plugins];
}

/** The trace, or one of unknown outcome if an extension touches one of its hops. */
export function withExtensions(mesh: Mesh, request: TraceRequest, trace: Trace, recorder?: Recorder): Trace {
  if (mesh.of('networking.istio.io', 'EnvoyFilter').length + trafficExtensions(mesh).length === 0) return trace;
  const notes = placesOf(mesh, request, trace, recorder).flatMap((place) =>
    extensionsOf(mesh, place).map((one) =>
      gap({
        kind: 'extension',
        ...one,
        proxy: place.hop.proxy,
        without: { outcome: trace.outcome, code: trace.refusal?.code ?? null },
      }),
    ),
  );
  if (notes.length === 0) return trace;
  return {
    ...trace,
    outcome: 'unknown',
    destination: null,
    refusal: null,
    ...withNotes([...trace.noted, ...notes]),
  };
}
