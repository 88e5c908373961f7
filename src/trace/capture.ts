import { contains, isAddress, isCidr } from '../model/addresses';
import type { OutboundCapture } from '../model/mesh-config';
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

/** Whether iptables hand a Pod's outbound connection to its sidecar, by the Pod's annotations or the mesh's install values. */
export function outboundCapture(
  workload: Workload | undefined,
  mesh: OutboundCapture,
  address: string | null,
  port: number,
): Captured {
  const annotation = (name: string): string | undefined => workload?.annotations[`traffic.sidecar.istio.io/${name}`];
  const by = (name: string): Decision | undefined =>
    workload !== undefined && annotation(name) !== undefined
      ? {
          kind: workload.kind,
          namespace: workload.namespace,
          name: workload.name,
          field: `metadata.annotations.traffic.sidecar.istio.io/${name}`,
        }
      : undefined;
  const excludePorts = annotation('excludeOutboundPorts') ?? mesh.excludePorts;
  if (hasPort(excludePorts, port)) return { captured: false, by: by('excludeOutboundPorts'), isUnknown: false };
  const includePorts = annotation('includeOutboundPorts') ?? mesh.includePorts;
  if (hasPort(includePorts, port)) return { captured: true, by: by('includeOutboundPorts'), isUnknown: false };
  const excluded = inRanges(annotation('excludeOutboundIPRanges') ?? mesh.excludeRanges, address);
  if (excluded === true) return { captured: false, by: by('excludeOutboundIPRanges'), isUnknown: false };
  const included = inRanges(annotation('includeOutboundIPRanges') ?? mesh.includeRanges, address);
  if (excluded === undefined || included === undefined) {
    return {
      captured: true,
      by: undefined,
      isUnknown: true,
    };
  }
  return { captured: included, by: by('includeOutboundIPRanges'), isUnknown: false };
}

/** Whether iptables hand an inbound connection on a port of the Pod to its sidecar. */
export function inboundCapture(workload: Workload, port: number): boolean {
  const include = workload.annotations['traffic.sidecar.istio.io/includeInboundPorts'];
  const exclude = workload.annotations['traffic.sidecar.istio.io/excludeInboundPorts'] ?? '';
  if (hasPort(exclude, port) || [15020, 15021, 15090].includes(port)) return false;
  return include === undefined || hasPort(include, port);
}
