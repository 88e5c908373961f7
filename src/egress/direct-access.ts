import { ApiObjectMetadataDefinition } from 'cdk8s';
import { isIpAddress } from '../core/hostname';

const ANNOTATION = 'traffic.sidecar.istio.io/';

/**
 * Which addresses a sidecar leaves alone: connections to them never reach it, and so have none of the mesh's features, rules or logs.
 *
 * As annotations of a workload (`applyTo`), or for the whole mesh as install input (`IstioInstall`).
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/#direct-access-to-external-services
 */
export class DirectAccess {
  /**
   * All addresses but these bypass the sidecar.
   *
   * @param ranges what the sidecar takes: the cluster's own ranges, as CIDR
   * @throws if one of them is no IP range
   */
  public static outside(...ranges: string[]): DirectAccess {
    return new DirectAccess('includeOutboundIPRanges', ranges);
  }

  /**
   * These addresses bypass the sidecar, and no others. On a pod, whatever the mesh says.
   *
   * @param ranges what the sidecar leaves alone, as CIDR
   * @throws if one of them is no IP range
   */
  public static to(...ranges: string[]): DirectAccess {
    return new DirectAccess('excludeOutboundIPRanges', ranges);
  }

  /** The ranges, joined by commas. */
  public readonly ranges: string;

  private constructor(
    private readonly key: string,
    ranges: readonly string[],
  ) {
    const bad = ranges.filter((range) => !isRange(range));
    if (bad.length || !ranges.length) {
      const what = ranges.length
        ? `${bad.map((range) => JSON.stringify(range)).join(', ')}: no IP range`
        : 'no IP range given';
      throw new Error(
        `DirectAccess: ${what}. The injector refuses a pod with such an annotation. Write ranges as "10.0.0.0/16".`,
      );
    }
    this.ranges = ranges.join(',');
  }

  /** The annotations for a pod, or a pod template. */
  public get annotations(): { [key: string]: string } {
    const own = { [`${ANNOTATION}${this.key}`]: this.ranges };
    // What is excluded is taken out of what is included, which the mesh may have narrowed: said in full, the pod's word is the whole.
    return this.key === 'excludeOutboundIPRanges' ? { [`${ANNOTATION}includeOutboundIPRanges`]: '*', ...own } : own;
  }

  /**
   * Annotates a pod, or a pod template.
   *
   * @param metadata the metadata of the pod, or of the template: on a Deployment itself it has no effect
   */
  public applyTo(metadata: ApiObjectMetadataDefinition): void {
    for (const [key, value] of Object.entries(this.annotations)) metadata.addAnnotation(key, value);
  }

  /**
   * The setting's key and value under `global.proxy` of the install input.
   *
   * @internal
   */
  public _installValues(): { [key: string]: string } {
    return { [this.key === 'includeOutboundIPRanges' ? 'includeIPRanges' : 'excludeIPRanges']: this.ranges };
  }
}

function isRange(range: string): boolean {
  const [ip, prefix, more] = range.split('/');
  return (
    range === '*' ||
    (isIpAddress(ip) &&
      /^\d{1,3}$/.test(prefix ?? '') &&
      Number(prefix) <= (ip.includes(':') ? 128 : 32) &&
      more === undefined)
  );
}
