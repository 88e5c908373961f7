/** What is known of a mesh beside its manifests: what another state of it shows, and Gateways that another repository has. */

export interface Beside {
  /** What another state shows, as `KIND/NAMESPACE/NAME`: what these manifests lack of it is not there, and not somewhere else. */
  readonly known?: readonly string[];
  /**
   * Gateways that are there though no manifest shows them, as `Gateway.GROUP/NAMESPACE/NAME`, and Services of Istio's gateways, as
   * `Service/NAMESPACE/NAME:PORT,...?LABEL=VALUE,...`.
   */
  readonly assumed?: readonly string[];
}

/** What no one assumes to be somewhere else. */
export interface Known {
  /** Namespaces whose workloads some state shows. */
  readonly workloads: ReadonlySet<string>;
  /** Services, as `namespace/name`. */
  readonly services: ReadonlySet<string>;
  /** Namespaces of which some state shows what accounts may do there. */
  readonly roles: ReadonlySet<string>;
  /** Services of gateways that are there though no manifest shows them. */
  readonly gateways: readonly string[];
}

export const NOTHING_KNOWN: Known = { workloads: new Set(), services: new Set(), roles: new Set(), gateways: [] };

const isService = (named: string): boolean => named.startsWith('Service/');
const isRole = (named: string): boolean => /^Role(Binding)?\//.test(named);

/** What is known beside, with the Gateways to be read as manifests. */
export function besideOf({ known = [], assumed = [] }: Beside): {
  readonly known: Known;
  readonly gateways: readonly string[];
} {
  return { known: knownFrom(known, assumed.filter(isService)), gateways: assumed.filter((one) => !isService(one)) };
}

function knownFrom(named: readonly string[], gateways: readonly string[]): Known {
  const services = named.filter(isService);
  const workloads = named.filter((one) => !isService(one) && !isRole(one) && !one.startsWith('Gateway.'));
  return {
    services: new Set(services.map((one) => one.slice('Service/'.length))),
    workloads: new Set(workloads.map((one) => one.split('/')[1] ?? '')),
    roles: new Set(named.filter(isRole).map((one) => one.split('/')[1] ?? '')),
    gateways,
  };
}
