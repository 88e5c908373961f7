/** Where a path breaks, by the reason that its trace gives. */
import type { Reason, ReasonKind, Refusal } from '../../trace';
import type { Followed } from './followed';

/** What the rules on paths are named after. */
export type Break =
  | 'loop'
  | 'no-destination'
  | 'no-subset'
  | 'no-endpoint'
  | 'sni-not-served'
  | 'tls-mode'
  | 'double-tls'
  | 'plaintext-to-tls'
  | 'no-listener'
  | 'no-route'
  | 'not-declared'
  | 'policy'
  | 'authorization'
  | 'other';

type Of<K extends ReasonKind> = Extract<Reason, { kind: K }>;

/** Undefined where nothing is broken: what the route is there for. */
type Judge<K extends ReasonKind> = (reason: Of<K>, refusal: Refusal, trace: Followed) => Break | undefined;

const GATEWAYS = new Set(['egress-gateway', 'ingress-gateway', 'envoy-gateway', 'waypoint']);

const isAtGateway = ({ proxy }: Refusal): boolean => GATEWAYS.has(proxy.kind);

const unlessHeld = (_reason: Reason, { by }: Refusal, { hops }: Followed): Break | undefined => {
  // Names below `invalid` are reserved for what never exists: who leads there means nowhere.
  if (hops.at(-1)?.cluster?.endsWith('.invalid') === true) return undefined;
  // Nor is it a fault that a host of no endpoints holds those whom no rule leads: the rules for the others are what it is for.
  return by !== null && /VirtualService|Route/.test(by.kind) ? undefined : 'no-endpoint';
};

const byPort = (_reason: Reason, refusal: Refusal): Break => (isAtGateway(refusal) ? 'no-listener' : 'other');
const byRoute = (_reason: Reason, refusal: Refusal): Break => (isAtGateway(refusal) ? 'no-route' : 'other');

const BREAKS: { readonly [K in ReasonKind]: Break | undefined | Judge<K> } = {
  'network-policy-denies': 'policy',
  'auto-address-without-port': byPort,
  'service-without-port': byPort,
  'service-without-endpoints': byPort,
  'port-not-served': byPort,
  'mutual-tls-without-sidecar': 'tls-mode',
  'no-such-gateway': 'other',

  'port-of-the-proxy': undefined,
  'no-server-on-port': byPort,
  'server-without-route': byPort,
  'server-left-out': byPort,
  'listener-not-programmed': (reason, refusal) =>
    refusal.proxy.kind === 'envoy-gateway' ? 'no-route' : byPort(reason, refusal),
  'gateway-not-accepted': 'no-route',
  'chains-match-alike': byPort,
  // Another rule tells it of the port, once.
  'listener-refused-by-envoy': undefined,
  'no-listener-on-port': 'no-route',
  'no-listener-for-connection': 'no-route',
  'listener-takes-udp': 'no-route',
  'no-filter-chain': ({ isTls }) => (isTls ? 'sni-not-served' : 'tls-mode'),
  'tls-expected': 'tls-mode',
  'tls-mode-mismatch': 'tls-mode',
  'trust-domains-differ': 'tls-mode',
  // Another rule tells it of the credential.
  'key-withheld': undefined,
  'client-certificate-missing': byPort,
  'http-expected': 'tls-mode',
  // ztunnel makes an authorization of it.
  'mutual-tls-expected': ({ atZtunnel }) => (atZtunnel ? 'authorization' : 'tls-mode'),
  'ingress-tls-expected': 'tls-mode',
  'own-certificate': 'tls-mode',
  'mutual-tls-disabled': 'tls-mode',
  'declared-otherwise': 'tls-mode',
  'port-not-declared': (reason, refusal, trace) =>
    refusal.proxy.kind === 'waypoint' ? 'no-route' : unlessHeld(reason, refusal, trace),
  'wildcard-tls-at-waypoint': 'no-route',
  'internal-wildcard-at-waypoint': 'no-route',
  'other-address-at-waypoint': 'no-route',
  'waypoint-port-declared-otherwise': 'tls-mode',

  'path-refused': 'other',
  'path-redirected': undefined,
  'connect-not-taken': byRoute,
  'token-refused': 'other',
  'token-required': 'other',
  'origin-missing': 'other',
  'token-missing': undefined,
  'credentials-missing': undefined,
  'sign-in': undefined,
  'sign-out': undefined,
  'sign-in-refused': undefined,
  'denied-by-rule': 'authorization',
  'allowed-by-no-rule': 'authorization',
  'no-authorizer': 'authorization',
  'refused-by-authorizer': 'authorization',
  'denied-by-security-policy': 'authorization',
  'underscore-in-header': 'other',
  'client-address-missing': 'other',
  'policy-not-usable': ({ problem }) => (problem === 'missing' ? 'no-destination' : undefined),
  'rate-limit-not-configured': undefined,
  'rate-limit-of-none': undefined,
  'loopback-asked-for': undefined,
  'circuit-always-open': undefined,

  loop: 'loop',
  'host-blocked': (_reason, _refusal, { hops }) => (hops.length > 1 ? 'no-destination' : 'not-declared'),
  'no-virtual-host': byRoute,
  'no-rule-on-port': byRoute,
  'no-rule-matches': byRoute,
  // Of a port without a listener, and of a listener without a route.
  'no-rule-for-server': ({ server }, refusal) => (server === null ? byRoute : byPort)(refusal.reason, refusal),
  'delegate-left-out': byRoute,
  'foreign-host': byRoute,
  'no-hostname': 'no-route',
  'no-l4-route': 'no-route',
  'no-destination': 'no-destination',
  'no-cluster': ({ cause }) =>
    cause.is === 'no-subset' || (cause.is === 'no-dns-endpoint' && cause.subset !== '')
      ? 'no-subset'
      : 'no-destination',
  'no-endpoints': unlessHeld,
  'no-endpoint-on-port': unlessHeld,
  'resolved-by-waypoints-only': unlessHeld,
  'name-not-resolved': unlessHeld,
  'backend-not-granted': undefined,
  'backend-service-missing': 'no-destination',
  'backend-without-pods': unlessHeld,
  'backends-not-enabled': 'no-destination',
  'backend-missing': 'no-destination',
  'backend-tls-unverified': 'no-destination',
  'backend-authority-not-usable': undefined,
  'backend-unix-socket': 'no-destination',
  'backend-without-endpoint': 'no-destination',
  'backend-not-accepted': 'no-destination',
  'backend-by-name': 'no-destination',
  'filter-not-usable': 'no-route',

  'tls-inside-tls': 'double-tls',
  'tls-to-http-port': 'plaintext-to-tls',
  'originated-to-http-port': 'tls-mode',
  'mesh-tls-outside': 'tls-mode',
  'http-to-tls-port': 'plaintext-to-tls',

  fault: undefined,
  preflight: undefined,
  redirect: undefined,
  'redirect-to-https': undefined,
  'direct-response': undefined,
  'health-check': undefined,
};

export function breakOf(trace: Followed): Break | undefined {
  const { refusal } = trace;
  if (refusal === null) return undefined;
  const judge = BREAKS[refusal.reason.kind];
  return typeof judge === 'function' ? (judge as Judge<ReasonKind>)(refusal.reason, refusal, trace) : judge;
}
