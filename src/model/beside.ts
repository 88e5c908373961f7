/** What is known of a mesh beside its manifests: what another state of it shows, and Gateways that another repository has. */

export interface Beside {
  /** What another state shows, as `KIND/NAMESPACE/NAME`: what these manifests lack of it is not there, and not somewhere else. */
  readonly known?: readonly string[];
  /** Gateways that are there though no manifest shows them, as `Gateway.GROUP/NAMESPACE/NAME`. */
  readonly assumed?: readonly string[];
}

/** What no one assumes to be somewhere else. */
export interface Known {
  /** Namespaces whose workloads some state shows. */
  readonly workloads: ReadonlySet<string>;
  /** Services, as `namespace/name`. */
  readonly services: ReadonlySet<string>;
}

export const NOTHING_KNOWN: Known = { workloads: new Set(), services: new Set() };

const isOf = (kind: string, named: string): boolean => named.startsWith(`${kind}/`);

export function knownFrom(named: readonly string[]): Known {
  const services = named.filter((one) => isOf('Service', one));
  const workloads = named.filter((one) => !isOf('Service', one) && !one.startsWith('Gateway.'));
  return {
    services: new Set(services.map((one) => one.slice('Service/'.length))),
    workloads: new Set(workloads.map((one) => one.split('/')[1] ?? '')),
  };
}
