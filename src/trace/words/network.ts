/** Reasons on the network: what is dialled, and whether packets pass. */
import { named, type WordsFor } from './words';

export const NETWORK_WORDS: WordsFor<
  | 'network-policy-denies'
  | 'auto-address-without-port'
  | 'service-without-port'
  | 'service-without-endpoints'
  | 'port-not-served'
  | 'mutual-tls-without-sidecar'
  | 'no-such-gateway'
> = {
  'network-policy-denies': ({ policies, direction, from, to, port }) => ({
    what: `NetworkPolicy ${policies.join(', ')} lets ${from} not connect to ${to} on port ${port}`,
    fix: `add a rule for port ${port} and that peer to spec.${direction.toLowerCase()}`,
  }),
  'auto-address-without-port': ({ host, entry, port }) => ({
    what: `the sidecar answers DNS queries for ${host} with an address of Istio's own, where nobody takes port ${port}: it is for the ports of ${named(entry)} alone`,
    fix: `add port ${port} to ${named(entry)}, with the protocol that is spoken on it`,
  }),
  'service-without-port': ({ service, port, ports }) => ({
    what: `${named(service)} has no port ${port} (it has ${ports.join(', ')}): nothing answers at its address there`,
    fix: `dial one of its ports, or add port ${port} to ${named(service)}`,
  }),
  'service-without-endpoints': ({ service, port }) => ({
    what: `${named(service)} has no endpoint on port ${port}: connections to its address are refused`,
    fix: `make the selector of ${named(service)} fit the labels of the Pods that serve it`,
  }),
  'port-not-served': ({ workload, port, service, targetPort }) => ({
    what: `port ${port} is dialled at the Pod ${workload} itself, where ${named(service)} says that port ${targetPort} is served: the connection is refused`,
    fix: `dial port ${targetPort}, give the Service a cluster IP, or make port and targetPort equal`,
  }),
  'mutual-tls-without-sidecar': ({ workload }) => ({
    what: `${workload} has no sidecar and gets Istio's mutual TLS`,
    fix: `inject a sidecar there, or take tls out of the DestinationRule: without it proxies use mutual TLS wherever there is a sidecar to take it`,
  }),
  'no-such-gateway': ({ gateway }) => ({ what: `there is no gateway ${gateway}`, fix: 'create it' }),
};
