/** Tunnels of ambient mode: HTTP CONNECT in the mesh's mutual TLS, on a port of their own. */
import { ANY_ADDRESS, isRange } from '../model/addresses';
import { refusesAddress } from '../model/auto-addresses';
import { isWildcard } from '../model/hostnames';
import type { Mesh } from '../model/mesh';
import type { Service } from '../model/services';
import type { Workload } from '../model/workloads';
import { networkVerdict } from './network-policy';
import { refused, unknown, type Step } from './step';
import type { Flight, Peer, TlsLayer, Walk } from './walk';

export const MUTUAL: TlsLayer = { kind: 'ISTIO_MUTUAL', sni: null, certificate: 'istio' };
export const HBONE_PORT = 15008;

/** Whom the other end of a tunnel sees: ztunnel shows the identity of the Pod whose connection it carries. */
export function shownInTunnel({ config: { trustDomain } }: Mesh, { namespace, serviceAccount }: Peer): string {
  return `${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** Whether a service has an address that ztunnel knows it by: its own, or one that Istio gives a ServiceEntry's host. */
export function hasAddress(service: Service): boolean {
  if (service.address !== ANY_ADDRESS) return true;
  if (service.registry === 'Kubernetes' || service.resolution === 'PASSTHROUGH') return false;
  if (refusesAddress(service.labels)) return false;
  return !isWildcard(service.host) || service.resolution === 'DYNAMIC_DNS';
}

/** Whether the mesh lets clients of a namespace know a service, as ztunnel holds to it. */
export function isOpenTo({ limit, namespace: own }: Service, namespace: string): boolean {
  return limit === undefined || (limit === 'NAMESPACE' && own === namespace);
}

/** Whether istiod tells ztunnels of a service at all: before 1.30 a ServiceEntry with a range among its addresses is left out. */
export function isTold({ config: { istio } }: Mesh, service: Service): boolean {
  if (service.registry === 'Kubernetes') return service.resolution !== 'ALIAS';
  if (istio.tellsZtunnelOfRanges) return true;
  const addresses = service.config.spec.addresses;
  return !(Array.isArray(addresses) ? addresses : []).some((address) => isRange(String(address)));
}

/** A NetworkPolicy sees Pods: of what is on its way to a proxy of the mesh it sees the tunnel's port. */
export function cut({ mesh, supposed }: Walk, flight: Flight, workload: Workload | undefined): Step | undefined {
  const verdict = networkVerdict(
    mesh,
    { ...flight, port: HBONE_PORT, address: workload?.addresses[0] ?? null },
    workload,
    null,
    supposed,
  );
  if (verdict.is === 'allowed' || workload === undefined) return undefined;
  if (verdict.is === 'unknown') return unknown(undefined, verdict.why);
  const proxy = flight.sentBy ?? { kind: 'none' as const, namespace: flight.from.namespace, workload: null };
  return refused(undefined, { code: 'UF', status: null, proxy, by: verdict.by, reason: verdict.reason });
}
