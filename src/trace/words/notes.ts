/** Notes as sentences: assumptions, what is missing where a request cannot be followed, and remarks. */
import { howFollowed, textOfLeftOut } from '../../model/left-out';
import { USE_WAYPOINT_CANARY } from '../../model/waypoints';
import type { Note, NoteKind, Notes, OpenCondition } from '../notes';
import type { ObjectRef, Outcome } from '../types';
import { noClusterWords } from './clusters';
import { askingText } from './filters';
import { notWrittenText, policyRefusalText } from './policies';
import { requestProblemText } from './requests';
import { waypointProblemWords } from './waypoints';
import { firstOf, named } from './words';

interface Place {
  readonly namespace: string;
  readonly workload: string | null;
}

function placeText({ namespace, workload }: Place): string {
  return `${namespace}/${workload ?? '?'}`;
}

function labelText(labels: Readonly<Record<string, string>>, separator = ','): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(separator);
}

function outcomeText({ outcome, code }: { readonly outcome: Outcome; readonly code: string | null }): string {
  return code === null ? outcome : `${outcome} (${code})`;
}

const ON: Readonly<Record<OpenCondition, string>> = {
  'external authorization': 'what the authorizer answers',
  credentials: 'credentials, which are not looked at',
  origin: 'whether the origin that the browser names is the Host asked for',
  'recorded share': 'chance: a share of the requests is only recorded',
  'limit of none': 'whether a limit of 0 requests is for it',
  CEL: 'an expression in CEL, which is not evaluated here',
  'path with query': 'an expression for the path with its query',
  'client address': "the client's address",
  'client location': "where the client's address lies",
};

const WORDS: { readonly [K in NoteKind]: (note: Notes[K]) => string } = {
  'namespace-injects-sidecars': ({ namespace }) =>
    `no manifest shows namespace ${namespace}; assumed that it injects sidecars`,
  'client-workload': ({ namespace, name, known, labels, serviceAccount }) =>
    `no manifest has a workload ${namespace}/${name}${known.length === 0 ? '' : ` (there are ${firstOf(known)})`}; followed one with labels ${labelText(labels) || '(none)'} and service account ${serviceAccount}`,
  'gateway-pods': ({ gateway, namespace, labels, ports }) =>
    `no manifest shows the Pods that Gateway ${gateway} selects (${labelText(labels) || '(none)'}); assumed in namespace ${namespace}, with the ports that its servers name (${ports.join(', ')})`,
  'installed-gateway': ({ service, labels }) =>
    `no manifest has ${named(service)}; assumed to be an Istio gateway as usually installed (80 to 8080, 443 to 8443, labels ${labelText(labels, ', ')})`,
  'client-certificate': (place) => `assumed that the client shows a certificate that ${placeText(place)} trusts`,
  'network-policies-let-client-in': (place) =>
    `assumed that NetworkPolicies let the client, or the load balancer before ${placeText(place)}, pass: they go by its IP, which no manifest shows`,
  'client-has-address': ({ host, policies }) =>
    `assumed that the client has an address for ${host}: NetworkPolicy ${policies.join(', ')} lets it not ask DNS for one`,
  'proxy-has-address': ({ proxy, host, policies }) =>
    `assumed that ${placeText(proxy)} has an address for ${host}, which it asks DNS for by itself: NetworkPolicy ${policies.join(', ')} lets it not`,
  'address-of-entry': ({ host, address }) =>
    address.includes('/')
      ? `assumed that ${host} resolves to an address in ${address}, which its ServiceEntry claims (say --address if it does not)`
      : `assumed that ${host} resolves to ${address}, an address of its ServiceEntry (say --address if it does not)`,
  'endpoints-exist': ({ service }) =>
    `no manifest shows the endpoints of ${named(service)}; assumed that there are some`,
  'proxies-without-sidecar': ({ namespace }) =>
    `no manifest shows namespace ${namespace}; assumed that Envoy Gateway's proxies there have no sidecar`,
  'backends-enabled': () =>
    'no manifest shows how Envoy Gateway is installed; assumed that it takes Backends (enableBackend)',
  'account-lists-secrets': ({ account, secret }) =>
    `no manifest shows whether ServiceAccount ${account} may list the Secrets of its namespace; assumed that it may (without that istiod does not give the proxy Secret ${secret}, and TLS with it fails)`,
  'authority-exists': ({ authority, by }) =>
    `no manifest shows ${authority}, by which ${named(by)} verifies the server; assumed to be there (without it nothing reaches the server)`,

  'own-loopback': ({ address, port }) =>
    `${address} is the Pod itself: nothing leads what is dialled there to the sidecar, and no Sidecar has it listen there on port ${port}`,
  'request-not-followed': ({ problem }) => requestProblemText(problem),
  'network-policy-by-node': ({ policies, peer }) =>
    `whether NetworkPolicy ${policies.join(', ')} lets this pass hangs on nodes: ${placeText(peer)} has the network of its own (hostNetwork), and a node reaches its own Pods whatever policies say`,
  'network-policy-by-namespace': ({ policies, namespace }) =>
    `whether NetworkPolicy ${policies.join(', ')} lets this pass hangs on the labels of namespace ${namespace}, which no manifest shows`,
  'network-policy-by-address': ({ policies }) =>
    `whether NetworkPolicy ${policies.join(', ')} lets this pass hangs on an IP that no manifest shows: say it with --address`,
  'capture-by-address': () =>
    'whether the sidecar captures this connection hangs on the address that the client dials: say it with --address',
  'port-not-listed': ({ port, ...place }) =>
    `no container of ${placeText(place)} lists port ${port}, and no Service leads to it: whether anything listens there cannot be told`,
  'proxy-protocol-at-gateway': (place) =>
    `the gateway ${placeText(place)} closes connections that do not begin with a header of the PROXY protocol (gatewayTopology.proxyProtocol of its proxyConfig): whether its sender sends one, no manifest shows`,
  'tls-to-unknown-hosts': () =>
    'the sidecar originates TLS to hosts that nobody declares (outboundTrafficPolicy.tls of the mesh configuration): what becomes of it is not followed',
  'x-backend': ({ backend }) =>
    `the route leads to ${backend}, which istiod reads since PILOT_ENABLE_ALPHA_GATEWAY_API tells it to: what it makes of it is not followed`,
  'backend-of-extension': ({ backend }) =>
    `the route leads to ${backend}, which an extension of the control plane reads: what it makes of it is not followed`,
  'waypoint-canary': ({ service, waypoint, canary, weight }) =>
    weight === 100
      ? `connections to ${named(service)} go through waypoint ${canary} (${USE_WAYPOINT_CANARY}), which is not followed`
      : `${weight} % of the connections to ${named(service)} go through waypoint ${canary}, the others through ${waypoint} (${USE_WAYPOINT_CANARY}): which one a connection takes cannot be told`,
  'proxy-protocol-at-listener': ({ policy, field }) =>
    `the listener closes connections that do not begin with a header of the PROXY protocol (${field} of ${named(policy)}): whether the load balancer before it sends one, no manifest shows`,
  'ingress-listener-and-redirection': ({ port, ...place }) =>
    `the Sidecar of ${placeText(place)} binds its ingress listener to port ${port} (captureMode NONE), and iptables redirect that port: which of the two takes a connection cannot be told`,
  'condition-for-proxy-only': ({ byEnvoyGateway }) =>
    byEnvoyGateway
      ? 'a condition of a route can be evaluated only by the proxy'
      : 'a condition of a route is a token claim or a regular expression that only the proxy can evaluate',
  'token-signature': ({ policy }) =>
    `whether ${named(policy)} takes the token hangs on its signature, and no manifest shows the keys of its issuer`,
  'left-to-authorizer': ({ policy, asking }) =>
    `${named(policy)} leaves ${askingText(asking)} to an external authorizer`,
  'authorization-open': ({ policy, asking }) =>
    `whether ${named(policy)} lets ${askingText(asking)} pass hangs on an IP or a token that no manifest shows`,
  'security-policy-open': ({ policy, field, on }) =>
    `whether ${named(policy)} lets the request pass hangs on ${ON[on]} (${field})`,
  'configuration-not-written': (left) => `${notWrittenText(left)}; what requests do hangs on what that is`,
  'patch-policy': ({ policy }) =>
    `${named(policy)} changes the configuration of these proxies (spec.jsonPatches), which only Envoy can tell`,
  'response-headers': ({ policy, status }) =>
    `whether ${named(policy)} puts another response in the place of ${status} hangs on its headers (spec.responseOverride), which only the proxy sees`,
  'response-redirected': ({ policy, status }) =>
    `in the place of ${status} ${named(policy)} has another route answer (spec.responseOverride), by an internal redirect of Envoy that is not followed`,
  'own-code': ({ policy, field }) =>
    `${named(policy)} hands the request to code of its own (spec.${field}), which may answer or change it`,
  'namespace-not-shown': ({ namespace, object }) =>
    `no manifest shows namespace ${namespace}: whether ${object} exists cannot be told`,
  'cluster-namespace-not-shown': ({ cluster, cause }) =>
    `${noClusterWords(cause).why} among the manifests given, and none of them shows its namespace: whether ${cluster} exists cannot be told`,
  'service-not-shown': ({ host, by }) =>
    `no manifest shows the Service ${host}, to which ${named(by)} leads: what happens there cannot be told`,
  'other-network': ({ network, service }) =>
    `${named(service)} is on network ${network}, to which gateways of that network lead: several networks are not followed`,
  'import-not-shown': ({ object }) =>
    `no manifest shows ${named(object)}, which a controller makes of what other clusters export`,
  'filter-not-shown': () => 'a filter of the rule names an HTTPRouteFilter that no manifest shows',
  'no-address-of-name': ({ host }) =>
    `Envoy Gateway is told to dial addresses of Services, and ${host}, which is of type ExternalName, has none`,
  'resolved-for-oldest': ({ entry, other, host, port }) =>
    `${named(entry)} resolves ${host} by name only if it is older than ${named(other)}, which has port ${port} too: the listener of the port resolves names for the one that it was made for`,
  'answers-differ': ({ host, answers }) =>
    `the sidecar answers DNS queries for ${host} with ${answers.length} addresses in random order, one of each object that declares it, and connections fare by the one that the client takes (${answers.map((one) => `that of ${named(one.entry)}: ${outcomeText(one)}`).join('; ')}): declare the host in one ServiceEntry, with all its ports`,
  extension: ({ extension, field, proxy, without }) =>
    `${named(extension)}${field === null ? '' : ` ${field}`} changes what ${proxy.kind} ${placeText(proxy)} does here, which only Envoy can tell; without it the request is ${outcomeText(without)}`,

  'left-out': ({ object, field, by, detail }) => textOfLeftOut({ ...object, field, by, why: detail }),
  'followed-though-refused': ({ object, detail }) => `${named(object)} ${howFollowed(detail)}`,
  'gateway-of-operator': ({ gateway, operator }) => `gateway ${gateway} is as ${named(operator)} installs it`,
  'gateways-of-one-name': ({ gateway, port }) =>
    `Istio and the Gateway API each have a Gateway ${gateway} for port ${port}; followed at the one of the Gateway API`,
  'no-service-port': ({ port, ports, ...place }) =>
    `no Service of gateway ${placeText(place)} has port ${port} (${ports.length === 1 ? 'there is' : 'there are'} ${ports.join(', ')}): only who dials its Pods comes to it, and so it is followed`,
  'not-led-to-sidecar': () =>
    'nothing leads the client to its sidecar (interceptionMode NONE): it dials its destination itself',
  'endpoints-apart': ({ passes, others, ...place }) =>
    passes
      ? `NetworkPolicies let this pass to ${placeText(place)}, which is followed, and not to ${firstOf(others)}, which ${others.length === 1 ? 'is an endpoint' : 'are endpoints'} as well: a share of the connections fails`
      : `NetworkPolicies let this pass to ${firstOf(others)}, and not to ${placeText(place)}, which is an endpoint as well and is followed: a share of the connections fails`,
  'endpoints-differ': ({ passes, others }) =>
    passes
      ? `it would be refused at ${firstOf(others)}, which ${others.length === 1 ? 'is an endpoint' : 'are endpoints'} as well and ${others.length === 1 ? 'is' : 'are'} not followed: a share of the requests fails`
      : `it would get through at ${firstOf(others)}, which ${others.length === 1 ? 'is an endpoint' : 'are endpoints'} as well and ${others.length === 1 ? 'is' : 'are'} not followed: a share of the requests does`,
  'method-of-http2': ({ method, proxy }) =>
    `${proxy.kind} ${placeText(proxy)} answers 400 to method ${method} of HTTP/1.1, which Envoy does not know; followed as a request of HTTP/2`,
  'virtual-machines': ({ interfaces, annotation, ...place }) =>
    `what virtual machines behind ${interfaces.join(', ')} of ${placeText(place)} send (${annotation}) is not followed; followed what its containers send`,
  'containers-past-sidecar': ({ containers, ...place }) =>
    `${containers.length === 1 ? 'container' : 'containers'} ${containers.join(', ')} of ${placeText(place)} ${containers.length === 1 ? 'runs' : 'run'} as the user or group of the proxy: what ${containers.length === 1 ? 'it sends' : 'they send'} goes past the sidecar; followed what the others send`,
  copied: ({ cluster, percent }) =>
    `${percent === 100 ? '' : `${percent} % of the `}requests are copied to ${cluster}, whose answers nobody waits for`,
  'listener-refused': ({ listener, chains, ...place }) =>
    `Envoy of ${placeText(place)} refuses listener ${listener}: several filter chains match ${chains}; followed as if it had none`,
  'waypoint-ignored': ({ by, waypoint, problem }) => {
    const { what, fix } = waypointProblemWords(problem);
    return `${by.kind} ${by.name} asks for waypoint ${waypoint}, and istiod ignores it: ${what} (${fix})`;
  },
  'dns-not-captured': ({ entry }) =>
    `ztunnel answers no DNS queries of the client (dnsCapture of istio-cni, ambient.istio.io/dns-capture): ${named(entry)} has no address by which it would know the host, and what is dialled goes past it`,
  'not-known-by-name': ({ entry, hasRange }) =>
    `ztunnel does not know ${named(entry)} by name: ${hasRange ? 'a range is among its addresses' : 'Istio gives it no address'}`,
  'tls-ignored': ({ rule, field }) =>
    rule.kind === 'BackendTLSPolicy'
      ? `${named(rule)} ${field} names an authority that istiod cannot read: a sidecar originates no TLS then`
      : `${named(rule)} ${field} is ignored: a sidecar takes credentials only from a DestinationRule with a workloadSelector, so no TLS is originated`,
  'several-endpoints': ({ cluster, addresses }) =>
    `cluster ${cluster} has ${addresses.length} endpoints (${addresses.join(', ')}); followed the first`,
  'backend-of-several-endpoints': ({ backend, endpoints }) =>
    `requests are spread over the ${endpoints} endpoints of ${backend}; followed to the first`,
  tunnelled: ({ to, through }) => `the connection is tunnelled by HTTP CONNECT to ${to} through ${through}`,
  'original-destination': ({ entry, host, dialled }) =>
    `${named(entry)} (host ${host}) sends connections on to the address that the client dialled: this one ends at ${dialled}`,
  'aborts-share': ({ rule, percent }) => `${named(rule)} ${rule.rule} aborts ${percent} % of these requests`,
  weighted: ({ weight, total, others }) =>
    `${weight} parts of ${total} go this way; the others to ${others.join(', ')}`,
  'backends-weighted': ({ shares }) =>
    `requests are spread by weight: ${shares.map(({ host, percent }) => `${percent} % ${host === null ? 'are answered 500, as the backend is none or may not be referred to' : `to ${host}`}`).join(', ')}`,
  'status-replaced': ({ policy, from, to }) =>
    `the proxy answers ${from}, and ${named(policy)} puts ${to} in its place (spec.responseOverride)`,
  'rate-limited': ({ policy, isUncertain }) =>
    `${named(policy)} limits the rate: over it the answer is 429${isUncertain ? ", and always 500 if Envoy Gateway's own configuration, which no manifest shows, has no rateLimit" : ''}`,
  'policy-not-for-route': ({ policy, route, problem }) =>
    `Envoy Gateway refuses ${named(policy)} for ${named(route)}: ${policyRefusalText(problem)}`,
  'other-end': ({ host, end, by, cluster, port, isTcp }) =>
    `this connection is for ${host}, and ends at ${end}: ${byText(by, cluster)} takes what comes on port ${port}${isTcp ? ', where nothing names a host' : ', whatever host it is for'}`,
};

function byText(by: ObjectRef | null, cluster: string | null): string {
  return by === null ? `cluster ${cluster ?? ''}` : named(by);
}

/** Every kind of note that there is. */
export const NOTE_KINDS: readonly NoteKind[] = Object.keys(WORDS) as NoteKind[];

export function wordsOfNote(note: Note): string {
  return (WORDS[note.kind] as (fields: Note) => string)(note);
}

/** A note with the words that are fields of it, for who reads no problems. */
export function worded(note: Note): Note {
  if (note.kind === 'request-not-followed') return { ...note, detail: requestProblemText(note.problem) };
  if (note.kind === 'policy-not-for-route') return { ...note, detail: policyRefusalText(note.problem) };
  if (note.kind !== 'waypoint-ignored') return note;
  const { what, fix } = waypointProblemWords(note.problem);
  return { ...note, detail: what, cure: fix };
}
