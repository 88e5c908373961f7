import * as networking from '../../imports/networking.istio.io';
import { Audience } from '../mesh/audience';
import { portNames } from './external-port';
import { Grant } from './policy-grant';

const EXTERNAL = networking.ServiceEntrySpecLocation.MESH_UNDERSCORE_EXTERNAL;
const STATIC = networking.ServiceEntrySpecResolution.STATIC;

/** What clients see of a host that they know by address: an entry that leads nowhere, so that the way to the gateway is the only one. */
export function clientEntrySpec(
  host: string,
  grants: readonly Grant[],
  configNamespace: string,
): networking.ServiceEntrySpec {
  const { addresses } = grants[0].service;
  const ports = [...new Map(grants.map(({ port }) => [port.number, port])).values()].sort(
    (a, b) => a.number - b.number,
  );
  return {
    hosts: [host],
    addresses: addresses.length ? [...addresses] : undefined,
    ports: ports.map((port, i) => ({ number: port.number, name: portNames(ports)[i], protocol: port.protocol })),
    location: EXTERNAL,
    resolution: STATIC,
    exportTo: Audience._exportOnlyTo(configNamespace, ...grants.map(({ from }) => from.namespace)),
  };
}

/** The entry of no host that exists on which a namespace's VirtualServices hang. No endpoint at all: whoever asks for it gets nowhere. */
export function carrierSpec(hosts: string[], ports: readonly Grant[], exportTo: string[]): networking.ServiceEntrySpec {
  return {
    hosts,
    ports: ports.map(({ port }) => ({
      number: port.number,
      name: `${port.protocol.toLowerCase()}-${port.number}`,
      protocol: port.protocol,
    })),
    location: EXTERNAL,
    resolution: STATIC,
    exportTo,
  };
}
