import { IConstruct } from 'constructs';
import { Problem, quote } from '../core/problem';

/** What renders a Sidecar. */
export interface SidecarOwner extends IConstruct {
  readonly namespace: string;
  readonly workloads: { [key: string]: string };
}

/** Istio leaves it open which of two Sidecars wins that select the same workload with the same precision. */
export function competingSidecars(sidecars: readonly SidecarOwner[]): Array<{ at: IConstruct; problem: Problem }> {
  const found: Array<{ at: IConstruct; problem: Problem }> = [];
  const seen = new Map<string, SidecarOwner>();
  for (const sidecar of sidecars) {
    const labels = Object.entries(sidecar.workloads)
      .sort()
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    const key = `${sidecar.namespace}/${labels}`;
    const other = seen.get(key);
    const whom =
      labels === ''
        ? `all workloads of ${quote(sidecar.namespace)}`
        : `workloads ${labels} of ${quote(sidecar.namespace)}`;
    if (other)
      found.push({
        at: sidecar,
        problem: {
          what: `${whom} have a Sidecar by both ${other.node.path} and ${sidecar.node.path}`,
          why: 'Istio uses one of them, and does not say which',
          fix: 'keep one',
        },
      });
    else seen.set(key, sidecar);
  }
  return found;
}
