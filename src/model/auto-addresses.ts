/** Addresses that Istio gives hosts of ServiceEntries which have none, for proxies that answer the DNS queries of their workloads. */
import { ANY_ADDRESS, contains, isAddress } from './addresses';
import { record, records, text } from './fields';
import { isWildcard } from './hostnames';
import type { Service } from './services';

export const AUTO_ALLOCATE = 'networking.istio.io/enable-autoallocate-ip';

/** Whether an entry's labels ask for no address of Istio's. */
export function refusesAddress(labels: Readonly<Record<string, string>>): boolean {
  return labels[AUTO_ALLOCATE]?.toLowerCase() === 'false';
}

const STAND_IN = 'auto-ip-of:';
/** What Istio allocates from. */
const RANGES = ['240.240.0.0/16', '2001:2::/48'];

/**
 * The address of a host that has none of its own: what the entry's status says, else a stand-in. Each ServiceEntry gets one for each of its hosts
 * (pilot/pkg/controllers/ipallocate), also where another declares the same host; istiod without that controller gives one by host and namespace.
 */
export function autoAddress(service: Service, isByHost = false): string | undefined {
  const { registry, resolution, address, labels, host, namespace } = service;
  if (registry !== 'External' || resolution === 'PASSTHROUGH' || address !== ANY_ADDRESS) return undefined;
  if (refusesAddress(labels)) return undefined;
  if (isWildcard(host) && resolution !== 'DYNAMIC_DNS') return undefined;
  const given = records(record(record(service.config.manifest.body).status).addresses)
    .filter((entry) => text(entry.host) === host)
    .map((entry) => text(entry.value));
  return (
    given.find((value) => !value.includes(':')) ??
    given[0] ??
    `${STAND_IN}${host}.${isByHost ? '' : `${service.config.name}.`}${namespace}`
  );
}

/** Whether nobody answers at an address, since only proxies know what it means. */
export function isAutoAddress(address: string): boolean {
  return address.startsWith(STAND_IN) || (isAddress(address) && RANGES.some((range) => contains(range, address)));
}
