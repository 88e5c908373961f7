import { formatField } from '../model/field-path';
import { contains, isAddress, isCidr, isLoopback } from '../model/addresses';
import type { Mesh } from '../model/mesh';
import type { Capture } from '../model/mesh-config';
import type { Workload } from '../model/workloads';
import type { Decision } from './types';

export interface Captured {
  readonly captured: boolean;
  readonly by: Decision | undefined;
  /** Whether the decision hangs on an address that nothing tells. */
  readonly isUnknown: boolean;
}

function items(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function hasPort(list: string, port: number): boolean {
  return items(list).some((item) => item === '*' || Number(item) === port);
}

/** `in`, `out`, or undefined for an address that nothing tells among ranges that do not cover everything. */
function inRanges(list: string, address: string | null): boolean | undefined {
  const ranges = items(list);
  if (ranges.length === 0) return false;
  if (ranges.includes('*') || ranges.includes('0.0.0.0/0')) return true;
  if (address === null || !isAddress(address)) return undefined;
  return ranges.some((range) => (isCidr(range) || isAddress(range)) && contains(range, address));
}

/** The interface by which a Pod is in the network of its cluster. */
const MAIN_INTERFACE = 'eth0';

const annotationOf = (workload: Workload | undefined, name: string): string | undefined =>
  workload?.annotations[`traffic.sidecar.istio.io/${name}`];

/**
 * Whether iptables hand a Pod's outbound connection to its sidecar, by the Pod's annotations, by who it runs as, or by the mesh's install
 * values. The first rule that is for a connection decides, in the order of Run of tools/istio-iptables/pkg/capture/run.go.
 */
export function outboundCapture(
  workload: Workload | undefined,
  mesh: Capture,
  address: string | null,
  port: number,
): Captured {
  const annotation = (name: string): string | undefined => annotationOf(workload, name);
  const by = (name: string): Decision | undefined =>
    workload !== undefined && annotation(name) !== undefined
      ? decisionOf(workload, `metadata.annotations.traffic.sidecar.istio.io/${name}`)
      : undefined;
  const passes = (name: string): Captured => ({ captured: false, by: by(name), isUnknown: false });
  if (isLoopback(address ?? '')) return { captured: false, by: undefined, isUnknown: false };
  if (items(annotation('excludeInterfaces') ?? '').includes(MAIN_INTERFACE)) return passes('excludeInterfaces');
  if (hasPort(annotation('excludeOutboundPorts') ?? mesh.excludePorts, port)) return passes('excludeOutboundPorts');
  if (workload?.runsAsProxy?.isAll === true)
    return { captured: false, by: decisionOf(workload, formatField(workload.runsAsProxy.field)), isUnknown: false };
  const excluded = inRanges(annotation('excludeOutboundIPRanges') ?? mesh.excludeRanges, address);
  if (excluded === true) return passes('excludeOutboundIPRanges');
  const byPort = hasPort(annotation('includeOutboundPorts') ?? mesh.includePorts, port);
  const included = byPort || inRanges(annotation('includeOutboundIPRanges') ?? mesh.includeRanges, address);
  if (included === false) return passes('includeOutboundIPRanges');
  if (excluded === undefined || included === undefined) return { captured: true, by: undefined, isUnknown: true };
  return { captured: true, by: by(byPort ? 'includeOutboundPorts' : 'includeOutboundIPRanges'), isUnknown: false };
}

/**
 * Whether a sidecar itself listens where a connection is dialled, so that nothing has to lead it there: at a listener of its Sidecar that is
 * bound (captureMode NONE, or any where the Pod's traffic is not led at all), and that some service is for.
 */
export function isListenedAt(
  mesh: Mesh,
  { namespace, labels }: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  { address, port }: { readonly address: string | null; readonly port: number },
  bindsAll: boolean,
): boolean {
  // Without a Sidecar there is none, and the scope of a whole namespace need not be made to know it.
  if (mesh.sidecarFor(namespace, labels) === undefined) return false;
  const { listeners } = mesh.scopeOf({ type: 'sidecar', namespace, labels, addresses: [] });
  return listeners.some(
    (listener) =>
      listener.port?.number === port &&
      listener.services.length > 0 &&
      (listener.captureMode === 'NONE' || (bindsAll && listener.captureMode !== 'IPTABLES')) &&
      (listener.bind || '127.0.0.1') === address,
  );
}

/** Ranges that Pods' annotations and the install values tell apart, each list by itself. */
export function capturedRanges(mesh: Mesh): readonly (readonly string[])[] {
  const installed = mesh.views.flatMap(({ config: { capture } }) => [capture.includeRanges, capture.excludeRanges]);
  const own = mesh.workloads.all.flatMap((workload) => ['includeOutboundIPRanges', 'excludeOutboundIPRanges'].map((name) => annotationOf(workload, name) ?? '')); // prettier-ignore
  return [...new Set([...installed, ...own])].map(items);
}

/**
 * Interfaces by which virtual machines are in the network of a Pod: what comes from there is led to the proxy as what the Pod sends is, by the
 * older annotation at sidecars alone (sidecar_redirect.go and iptables.go of Istio's cni).
 */
export function virtualInterfaces(
  workload: Workload | undefined,
  isAmbient: boolean,
): { readonly annotation: string; readonly interfaces: readonly string[] } | undefined {
  const newer = 'istio.io/reroute-virtual-interfaces';
  const older = 'traffic.sidecar.istio.io/kubevirtInterfaces';
  const annotation = isAmbient || workload?.annotations[newer] !== undefined ? newer : older;
  const interfaces = items(workload?.annotations[annotation] ?? '');
  return interfaces.length === 0 ? undefined : { annotation, interfaces };
}

function decisionOf({ kind, namespace, name }: Workload, field: string): Decision {
  return { kind, namespace, name, field };
}

/** Ports of the proxy's own, which the rules leave out beside those that are excluded. */
const OWN_PORTS = [15020, 15021, 15090];

/** Whether iptables hand an inbound connection on a port of the Pod to its sidecar: where ports are listed, what is excluded counts for nothing. */
export function inboundCapture(workload: Workload, mesh: Capture, port: number): boolean {
  if (items(annotationOf(workload, 'excludeInterfaces') ?? '').includes(MAIN_INTERFACE)) return false;
  const include = annotationOf(workload, 'includeInboundPorts') ?? mesh.includeInbound;
  if (include.trim() !== '*') return items(include).some((item) => Number(item) === port);
  const status = Number(workload.annotations['status.sidecar.istio.io/port'] ?? 0);
  const exclude = annotationOf(workload, 'excludeInboundPorts') ?? mesh.excludeInbound;
  return !hasPort(exclude, port) && port !== status && !OWN_PORTS.includes(port);
}
