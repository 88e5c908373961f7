/** Reasons of routes: which there are, where they lead, and the TLS that goes there. */
import { noClusterWords, noEndpointsWords, unknownHostWords, unroutedWords } from './clusters';
import { unmergedWords } from './delegates';
import { unattachedRouteText } from './listener-problems';
import type { UnattachedRoute } from '../reasons';
import { authorityWords, backendProblemWords } from './problems';
import { ruleProblemWords } from './rule-problems';
import { named, portText, type WordsFor } from './words';

type RouteKinds =
  | 'loop'
  | 'host-blocked'
  | 'no-virtual-host'
  | 'no-rule-on-port'
  | 'no-rule-matches'
  | 'no-rule-for-server'
  | 'delegate-left-out'
  | 'foreign-host'
  | 'no-hostname'
  | 'no-l4-route'
  | 'no-destination'
  | 'no-cluster'
  | 'no-endpoints'
  | 'no-endpoint-on-port'
  | 'resolved-by-waypoints-only'
  | 'name-not-resolved'
  | 'backend-not-granted'
  | 'backend-service-missing'
  | 'backend-without-pods'
  | 'backends-not-enabled'
  | 'backend-missing'
  | 'backend-tls-unverified'
  | 'backend-authority-not-usable'
  | 'backend-unix-socket'
  | 'backend-without-endpoint'
  | 'backend-not-accepted'
  | 'backend-by-name'
  | 'filter-not-usable';

type TlsKinds =
  'tls-inside-tls' | 'tls-to-http-port' | 'originated-to-http-port' | 'mesh-tls-outside' | 'http-to-tls-port';

/** In brackets behind a refusal, if there are any. */
function alsoText(unattached: readonly UnattachedRoute[]): string {
  return unattached.length === 0 ? '' : ` (${unattached.map(unattachedRouteText).join('; ')})`;
}

export const ROUTE_WORDS: WordsFor<RouteKinds> = {
  loop: ({ path, bySidecar }) => ({
    what: `the request comes back to ${path.at(-1) ?? '?'}: ${path.join(' -> ')}`,
    fix: `give the rule that ${bySidecar ? 'sidecars' : 'the gateway'} uses a destination beyond the gateway, with match.gateways naming the one it is for`,
  }),
  'host-blocked': ({ to, readsHttp, cause }) => {
    const { why, fix } = unknownHostWords(cause);
    return { what: `the proxy ${readsHttp ? 'blocks' : 'cuts the connection to'} ${to}: ${why}`, fix };
  },
  'no-virtual-host': ({ routes, host, namespace, bound }) => ({
    what: `route configuration ${routes} has no virtual host for ${host}`,
    fix:
      bound.length === 0
        ? `bind a VirtualService with host ${host} to the gateway`
        : `check that a VirtualService for ${host} names this Gateway, is visible to namespace ${namespace}, has a rule for it, and that the server admits the host: ${bound
            .map(({ route, gateways }) => `${route} (gateways ${gateways.join(', ')})`)
            .join('; ')}`,
  }),
  'no-rule-on-port': ({ port }) => ({
    what: `no rule of any VirtualService is for this gateway on port ${port}`,
    fix: "bind a VirtualService to the Gateway whose hosts the server admits, with a rule for the Gateway and the server's port",
  }),
  'no-rule-matches': ({ of, method, path }) => ({
    what: `no ${of} matches ${method} ${path}`,
    fix: 'add a rule for it, or one without a match at the end',
  }),
  'no-rule-for-server': ({ server, cause }) => {
    const { why, fix } = unroutedWords(cause);
    const what =
      server === null
        ? why
        : `Gateway ${server.gateway} has a server for ${portText(server)}, but no rule, so istiod makes no listener: ${why}`;
    return { what, fix };
  },
  'delegate-left-out': ({ rule, delegate, why, leaf }) =>
    unmergedWords({ rule, delegate, why, ...(leaf === null ? {} : { leaf }) }),
  'foreign-host': ({ authority, host }) => ({
    what: `Host ${authority} is not of ${host}`,
    fix: `ask for a name within ${host}`,
  }),
  'no-hostname': ({ gateway, host, unattached, closer }) => ({
    what:
      closer === null
        ? `no route of ${named(gateway)} has hostname ${host}${alsoText(unattached)}`
        : `requests for ${host} belong to listener ${closer.listener} of ${named(gateway)}, whose hostname ${closer.hostname} is closer, and ${named(closer.route)}, which has it, is attached to listener ${closer.at}${alsoText(unattached)}`,
    fix:
      closer !== null
        ? `attach ${named(closer.route)} to listener ${closer.listener} too (its parentRefs, and the allowedRoutes of the listener)`
        : `${unattached.length === 0 ? '' : 'mend what keeps the route from attaching, or '}add ${host} to the hostnames of a route that is attached`,
  }),
  'no-l4-route': ({ sni, port, unattached }) => ({
    what: `no TLSRoute or TCPRoute is attached for ${sni ?? `port ${port}`}${alsoText(unattached)}`,
    fix:
      unattached.length === 0
        ? "attach a route of the listener's protocol"
        : "mend what keeps the route from attaching, or attach another of the listener's protocol",
  }),
  'no-destination': ({ readsHttp }) => ({
    what: readsHttp ? 'the route has no destination with a weight' : 'the rule has no destination',
    fix: 'give it a destination',
  }),
  'no-cluster': ({ cluster, cause }) => {
    const { why, fix } = noClusterWords(cause);
    return { what: `the proxy has no cluster ${cluster}: ${why}`, fix };
  },
  'no-endpoints': ({ cluster, cause }) => {
    const { why, fix } = noEndpointsWords(cause);
    return { what: `cluster ${cluster} has no endpoint: ${why}`, fix };
  },
  'no-endpoint-on-port': ({ service, port }) => ({
    what: `${named(service)} has no endpoint on port ${port}`,
    fix: 'give it endpoints',
  }),
  'resolved-by-waypoints-only': ({ service }) => ({
    what: `${named(service)} is resolved by waypoints only (DYNAMIC_DNS), and is bound to none`,
    fix: 'label it istio.io/use-waypoint',
  }),
  'name-not-resolved': ({ cluster, readsHttp }) => ({
    what: `cluster ${cluster} is a dynamic forward proxy, and no filter before it resolves the name that was asked for`,
    fix: `insert Envoy's ${readsHttp ? 'filters.http.dynamic_forward_proxy before the router' : 'filters.network.sni_dynamic_forward_proxy before tcp_proxy'} by an EnvoyFilter`,
  }),
  'backend-not-granted': () => ({
    what: 'the backend may not be referred to, or is none',
    fix: 'add a ReferenceGrant in its namespace, or correct the backendRef',
  }),
  'backend-service-missing': ({ host, port }) => ({
    what: `there is no ${port === null ? 'Service' : `port ${port} of Service`} ${host}`,
    fix: 'correct the backendRef, or create the Service',
  }),
  'backend-without-pods': ({ host }) => ({
    what: `nothing that runs is selected by Service ${host}`,
    fix: 'correct the selector or the labels of the Pods',
  }),
  'backends-not-enabled': ({ backend }) => ({
    what: `Envoy Gateway is not told to take Backends, such as ${backend}`,
    fix: 'set extensionApis.enableBackend in its configuration',
  }),
  'backend-missing': ({ backend }) => ({
    what: `there is no Backend ${backend}`,
    fix: 'correct the backendRef, or create the Backend',
  }),
  'backend-tls-unverified': ({ backend }) => ({
    what: `Backend ${backend} has TLS with nothing to verify its server by`,
    fix: 'set tls.wellKnownCACertificates or tls.caCertificateRefs',
  }),
  'backend-authority-not-usable': ({ problem }) => authorityWords(problem),
  'backend-unix-socket': ({ backend }) => ({
    what: `Backend ${backend} has a Unix socket, which no route may name`,
    fix: 'use an address',
  }),
  'backend-without-endpoint': ({ backend, resolves }) =>
    resolves
      ? {
          what: `Backend ${backend} resolves the host that a request names (DynamicResolver), and this connection names none that Envoy Gateway reads`,
          fix: 'name a Backend with endpoints; of TLS that passes through Envoy Gateway 1.9 and newer resolve the SNI',
        }
      : { what: `Backend ${backend} has no endpoint`, fix: 'give it one' },
  'backend-not-accepted': ({ backend, problem }) => {
    const { what, fix } = backendProblemWords(problem);
    return { what: `Envoy Gateway does not accept Backend ${backend}: ${what}`, fix };
  },
  'backend-by-name': ({ host }) => ({
    what: `Service ${host} is of type ExternalName, which Envoy Gateway has no endpoints of`,
    fix: 'name a Backend with the host as an endpoint (fqdn) in place of the Service',
  }),
  'filter-not-usable': ({ problem }) => {
    const { what, fix } = ruleProblemWords(problem);
    return { what: `Envoy Gateway answers 500 for the rule: ${what}`, fix };
  },
};

export const UPSTREAM_TLS_WORDS: WordsFor<TlsKinds> = {
  'tls-inside-tls': ({ host, rule }) => ({
    what: `the application speaks TLS already, and ${rule === null ? 'the proxy' : named(rule)} adds TLS around it: ${host} gets TLS inside TLS`,
    fix: `originate TLS on a subset or port that only plain HTTP is routed to`,
  }),
  'tls-to-http-port': ({ host }) => ({
    what: `the application's TLS goes to port 80 of ${host}, where servers speak plain HTTP`,
    fix: `route it to port 443`,
  }),
  'originated-to-http-port': ({ host }) => ({
    what: `TLS is originated to port 80 of ${host}, where servers speak plain HTTP: the handshake fails`,
    fix: `give the port targetPort 443, or route to port 443 and originate TLS there`,
  }),
  'mesh-tls-outside': ({ host }) => ({
    what: `${host} is outside the mesh and gets Istio's mutual TLS, whose certificates it neither has nor trusts: the handshake fails`,
    fix: `write tls.mode SIMPLE (or MUTUAL with a credential) for ${host}, or DISABLE to leave its traffic as it is`,
  }),
  'http-to-tls-port': ({ host, port, declared }) => ({
    what: `plain HTTP goes to port ${port} of ${host}, which is declared ${declared}: the server answers 400 or closes the connection`,
    fix: `originate TLS: a DestinationRule for ${host} with tls.mode SIMPLE on port ${port}`,
  }),
};
