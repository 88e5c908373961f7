/** Reasons at a listener: whether it takes a connection, and the TLS in which it comes. */
import type { ObjectRef } from '../refs';
import { listenerProblemWords } from './listener-problems';
import { envoyRefusalWords, notAcceptedWords, serverProblemText } from './problems';
import { named, portText, type WordsFor } from './words';

type Kinds =
  | 'port-of-the-proxy'
  | 'no-server-on-port'
  | 'server-without-route'
  | 'server-left-out'
  | 'listener-not-programmed'
  | 'gateway-not-accepted'
  | 'chains-match-alike'
  | 'listener-refused-by-envoy'
  | 'no-listener-on-port'
  | 'no-listener-for-connection'
  | 'listener-takes-udp'
  | 'no-filter-chain'
  | 'tls-expected'
  | 'tls-mode-mismatch'
  | 'trust-domains-differ'
  | 'key-withheld'
  | 'client-certificate-missing'
  | 'http-expected'
  | 'mutual-tls-expected'
  | 'ingress-tls-expected'
  | 'own-certificate'
  | 'mutual-tls-disabled'
  | 'declared-otherwise'
  | 'port-not-declared'
  | 'wildcard-tls-at-waypoint'
  | 'internal-wildcard-at-waypoint'
  | 'other-address-at-waypoint'
  | 'waypoint-port-declared-otherwise';

const ADD_SERVER = 'add a server for the port to a Gateway that selects these Pods';
const ADD_LISTENER = 'add a listener for the port, protocol and hostname';

function received(isTls: boolean, sni: string | null): string {
  return isTls ? `SNI "${sni ?? ''}"` : 'plain text';
}

const tlsOf = (byProxy: boolean, policy: ObjectRef | undefined): string =>
  policy !== undefined
    ? `TLS that ${named(policy)} originates`
    : byProxy
      ? 'TLS that its DestinationRule originates'
      : "the client's own TLS";

/** How the sender's proxy comes to use mutual TLS by itself. */
const offBy = (policy: ObjectRef | undefined): string =>
  policy === undefined
    ? 'take tls out of the DestinationRule of the sender, so that its proxy uses mutual TLS by itself'
    : `take ${named(policy)} off, so that the sender's proxy uses mutual TLS by itself`;

function whyWithheld(binding: ObjectRef | null, byGroup: boolean): string {
  if (binding === null) return 'no binding names it';
  return byGroup
    ? `only a group of it may, by ${named(binding)}, and istiod asks for the account alone`
    : `${named(binding)} gives it something else`;
}

export const LISTENER_WORDS: WordsFor<Kinds> = {
  'port-of-the-proxy': ({ port, path, isServed }) => ({
    what: isServed
      ? `port ${port} is the proxy's own, which serves ${path} there`
      : `port ${port} is the proxy's own, which serves nothing there but ${path}`,
    fix: `ask for ${path}, or send to a port of the application`,
  }),
  'no-server-on-port': (ports) => ({
    what: `the gateway has no server on ${portText(ports)}: the connection is refused`,
    fix: ADD_SERVER,
  }),
  'server-without-route': ({ gateway, section, ...ports }) => ({
    what: `Gateway ${gateway} has a server for ${portText(ports)}, but no VirtualService gives it a ${section} route, so istiod makes no listener`,
    fix: 'bind a VirtualService whose route kind fits the server: http for HTTP and HTTPS, tls for PASSTHROUGH, tcp for TCP and terminated TLS',
  }),
  'server-left-out': ({ gateway, problem, ...ports }) => ({
    what: `istiod leaves out the server of Gateway ${gateway} for ${portText(ports)}: ${serverProblemText(problem)}`,
    fix: ADD_SERVER,
  }),
  'listener-not-programmed': ({ gateway, listener, problem }) => {
    const { what, fix } = listenerProblemWords(problem);
    return { what: `listener ${listener} of ${named(gateway)} is not programmed: ${what}`, fix };
  },
  'gateway-not-accepted': ({ gateway, problem }) => {
    const { what, fix } = notAcceptedWords(problem);
    return { what: `Envoy Gateway does not accept ${named(gateway)}: ${what}`, fix };
  },
  'chains-match-alike': ({ listener, matched, servers }) => ({
    what: `Envoy refuses listener ${listener}: several of its filter chains match ${matched}${servers.length > 1 ? `, those of ${servers.join(' and ')}` : ''}`,
    fix: 'give each of these servers a port of its own, or hosts by which TLS tells them apart; or make one server of them',
  }),
  'listener-refused-by-envoy': ({ problem }) => envoyRefusalWords(problem),
  'no-listener-on-port': ({ port }) => ({ what: `the Gateway has no listener on port ${port}`, fix: ADD_LISTENER }),
  'no-listener-for-connection': ({ port, isTls, sni }) => ({
    what: `no listener on port ${port} takes ${received(isTls, sni)}`,
    fix: ADD_LISTENER,
  }),
  'listener-takes-udp': ({ listener, port }) => ({
    what: `listener ${listener} on port ${port} takes UDP only`,
    fix: ADD_LISTENER,
  }),
  'no-filter-chain': ({ listener, isTls, sni, served, atGateway }) => ({
    what: `no filter chain of listener ${listener} takes ${received(isTls, sni)} (filter_chain_not_found)`,
    fix: !atGateway
      ? 'declare the port with the protocol that the client speaks'
      : !isTls
        ? `send TLS: a DestinationRule for the gateway's Service with tls.mode ISTIO_MUTUAL (or what the server takes), and one of its hosts (${served.join(', ') || 'none'}) as sni`
        : `make the SNI that is sent ("${sni ?? 'none'}") one of the Gateway server's hosts (${served.join(', ') || 'none'}): set tls.sni in the sender's DestinationRule`,
  }),
  'tls-expected': ({ listener, mode }) =>
    listener === null
      ? {
          what: `the server expects TLS (${mode ?? ''}) and gets plain text`,
          fix: `originate TLS on the way here, or make the server's protocol HTTP`,
        }
      : { what: `listener ${listener} expects TLS and gets plain text`, fix: 'send it over TLS' },
  'trust-domains-differ': ({ client, server, refusedBy }) => ({
    what: `the ${refusedBy} takes no identity of trust domain ${refusedBy === 'server' ? client : server}: the revisions of istiod that serve the two have trust domains ${client} and ${server}, and the handshake fails`,
    fix: `list ${refusedBy === 'server' ? client : server} under meshConfig.trustDomainAliases of the ${refusedBy}'s revision, and the other one the other way round`,
  }),
  'tls-mode-mismatch': ({ server, sender }) => ({
    what: `the server's TLS mode is ${server} and the sender's is ${sender}: the handshake fails`,
    fix:
      server === 'ISTIO_MUTUAL'
        ? 'set tls.mode ISTIO_MUTUAL in the DestinationRule towards the gateway'
        : `set the server's tls.mode to ISTIO_MUTUAL, or the DestinationRule's to ${server === 'MUTUAL' ? 'MUTUAL' : 'SIMPLE'}`,
  }),
  'key-withheld': ({ secret, account, binding, byGroup }) => ({
    what: `istiod does not give the proxy Secret ${secret}: its ServiceAccount ${account} may not list the Secrets of its namespace (${whyWithheld(binding, byGroup)})`,
    fix: `bind a Role that allows get, watch and list of secrets to ServiceAccount ${account}, by name, in its namespace`,
  }),
  'client-certificate-missing': ({ asks, port }) =>
    asks === 'listener'
      ? {
          what: 'the listener demands a client certificate and the sender has none',
          fix: 'send one, or set tls.clientValidation.optional in the ClientTrafficPolicy',
        }
      : asks === 'server'
        ? {
            what: 'the server demands a client certificate and the sender has none',
            fix: 'use tls.mode MUTUAL with a credential in the DestinationRule',
          }
        : {
            what: `port ${port} demands a client certificate (tls of the Sidecar's ingress) and the sender has none`,
            fix: 'use tls.mode MUTUAL with a credential in the DestinationRule of the clients',
          },
  'http-expected': ({ got, byEnvoyGateway }) =>
    byEnvoyGateway
      ? got === 'TLS'
        ? {
            what: 'the listener expects HTTP and gets TLS',
            fix: 'send plain HTTP to the port, or add a listener of protocol HTTPS whose hostname takes the SNI',
          }
        : { what: 'the listener expects HTTP', fix: 'speak HTTP, or use a TCP listener' }
      : {
          what: `the listener expects HTTP and gets ${got === 'TLS' ? 'TLS' : 'something that is not HTTP'}`,
          fix:
            got === 'TLS'
              ? 'send plain HTTP to the port (tls.mode DISABLE in the DestinationRule of the sender), or give its server a protocol and a tls mode that take the TLS off'
              : 'declare the port with the protocol that is spoken on it',
        },
  'mutual-tls-expected': ({ port, got, atZtunnel, byProxy = false, policy }) => ({
    what: `port ${port} takes Istio's mutual TLS only (STRICT) and gets ${got === 'tls' ? tlsOf(byProxy, policy) : 'plain text'}`,
    fix: byProxy
      ? `${offBy(policy)}${policy === undefined ? ', or write tls.mode ISTIO_MUTUAL there' : ''}`
      : `send ${atZtunnel ? 'from a workload' : 'through a sidecar or gateway'} of the mesh; an exception for the port (portLevelMtls) would let in whoever reaches it, without an identity`,
  }),
  'ingress-tls-expected': ({ port }) => ({
    what: `port ${port} takes TLS only (tls of the Sidecar's ingress) and gets plain text`,
    fix: 'send TLS',
  }),
  'own-certificate': ({ port }) => ({
    what: `port ${port} has a certificate of its own (tls of the Sidecar's ingress) and gets Istio's mutual TLS`,
    fix: 'originate TLS by a DestinationRule of the clients, or take tls off the listener',
  }),
  'mutual-tls-disabled': ({ port }) => ({
    what: `port ${port} has mutual TLS disabled and gets Istio's mutual TLS`,
    fix: 'take the exception back, or set tls.mode DISABLE in the DestinationRule of the clients',
  }),
  'declared-otherwise': ({ port, declared, got, byProxy = false, policy }) => ({
    what: `port ${port} is declared ${declared} and gets ${got === 'tls' ? tlsOf(byProxy, policy) : 'something that is not HTTP'}`,
    fix:
      got !== 'tls'
        ? 'name the port tcp-'
        : byProxy
          ? `${offBy(policy)}, or name the port https- or tls-`
          : 'name the port https- or tls-, or send plain HTTP',
  }),
  'port-not-declared': ({ service, port, ports }) => ({
    what: `${named(service)} has no port ${port}, only ${ports.join(', ')}`,
    fix: `declare port ${port} there`,
  }),
  'wildcard-tls-at-waypoint': () => ({
    what: 'istiod leaves TLS ports of wildcards with DYNAMIC_DNS out of waypoints, unless its environment has ENABLE_WILDCARD_HOST_SERVICE_ENTRIES_FOR_TLS=true',
    fix: 'name the single hosts, with resolution DNS; with the variable, clients reach whatever host they name as SNI',
  }),
  'internal-wildcard-at-waypoint': ({ service }) => ({
    what: `istiod leaves ${named(service)} out of waypoints, since it is a wildcard of the mesh itself with DYNAMIC_DNS`,
    fix: 'write location: MESH_EXTERNAL',
  }),
  'other-address-at-waypoint': ({ service, address, first }) => ({
    what: `a waypoint takes connections to the first address of ${named(service)} alone, ${first}, and not to ${address}`,
    fix: 'give each address an entry of its own',
  }),
  'waypoint-port-declared-otherwise': ({ service, port, declared, got }) => ({
    what: `port ${port} of ${named(service)} is ${declared}, and ${got} comes there`,
    fix: got === 'TLS' ? 'send plain HTTP there, or declare the port TLS' : 'declare the port TCP',
  }),
};
