/** Endpoints that a ServiceEntry spells out, or its host itself, where these are a Service of the cluster: what is sent there stays inside. */
import { isAddress } from '../model/addresses';
import type { Endpoint } from '../model/endpoints';
import { record, records, text } from '../model/fields';
import type { Mesh } from '../model/mesh';
import type { Service } from '../model/services';
import type { Cluster } from './clusters';
import { dial, serviceAt } from './names';

export interface InCluster {
  readonly service: Service;
  /** IP, or what stands for one, that the proxy dials. */
  readonly address: string | null;
}

/** The Service behind an endpoint; `missing` if its name is one of the cluster's and no manifest shows it. */
export function inCluster(
  mesh: Mesh,
  cluster: Cluster,
  endpoint: Endpoint | undefined,
  namespace: string,
): InCluster | { readonly missing: string; readonly mayExist: boolean } | undefined {
  if (endpoint === undefined || endpoint.workload !== undefined || cluster.service.registry !== 'External')
    return undefined;
  const { address } = endpoint;
  if (isAddress(address)) {
    const service = serviceAt(mesh, address);
    return service === undefined ? undefined : { service, address };
  }
  const found = dial(mesh, address, null, namespace);
  if (found.service !== undefined) return { service: found.service, address: found.address };
  if (!address.endsWith(`.svc.${mesh.config.clusterDomain}`)) return undefined;
  const owner = address.split('.').at(-4) ?? '';
  return { missing: address, mayExist: !mesh.shows(owner) };
}

/** Whether an entry says where its host is, rather than leaving that to DNS or to the client. */
export function spellsEndpoints({ service }: Cluster): boolean {
  return (
    service.registry === 'External' &&
    records(service.config.spec.endpoints).some((one) => text(record(one).address) !== service.host)
  );
}
