/** Endpoints of a cluster: as istiod sends them, in the cluster itself or told apart from it, and by the manifests. */
import { endpointText } from '../../../src/model/endpoints';
import { number, record, records, text, type Json } from '../../../src/model/fields';
import { isAutomatic } from '../../../src/verify/config-dump';
import type { Cluster } from '../../../src/trace/clusters';

/** Each with whether it gets mutual TLS where the cluster leaves that to its endpoints. */
export function endpointsSent(cluster: Json | undefined, told: Json | undefined): readonly string[] {
  const assignment = record(cluster?.load_assignment ?? told);
  return sorted(
    records(assignment.endpoints)
      .flatMap((locality) => records(locality.lb_endpoints))
      .map((one) => {
        const address = record(record(one.endpoint).address);
        // `tlsMode`, renamed as fields of Envoy's are.
        const matched = record(record(record(one.metadata).filter_metadata)['envoy.transport_socket_match']);
        return inWords(
          addressOf(address),
          cluster !== undefined && isAutomatic(cluster) && matched.tls_mode === 'istio',
        );
      }),
  );
}

/** Undefined where no manifest can tell them. */
export function endpointsExpected(cluster: Cluster | undefined): readonly string[] | undefined {
  if (cluster === undefined || cluster.type === 'ORIGINAL_DST') return [];
  if (!cluster.endpointsKnown) return undefined;
  const asks = cluster.tls?.automatic === true;
  return sorted(cluster.endpoints.map((one) => inWords(endpointText(one), asks && cluster.takesMutualTls(one))));
}

/** Of an endpoint behind a tunnel what the tunnel is asked for. */
function addressOf(address: Json): string {
  const pipe = text(record(address.pipe).path);
  if (pipe !== '') return `unix://${pipe}`;
  const internal = record(address.envoy_internal_address);
  if (address.envoy_internal_address !== undefined) return text(internal.endpoint_id);
  const socket = record(address.socket_address);
  return `${text(socket.address)}:${number(socket.port_value)}`;
}

const inWords = (address: string, isMutual: boolean): string => (isMutual ? `${address} by mutual TLS` : address);

function sorted(endpoints: readonly string[]): readonly string[] {
  return [...new Set(endpoints)].sort();
}
