/** Differences from Istio's own simulation tests that are known, and why they stay. */
import type { Answer } from './compare';

export const KNOWN: readonly { readonly cases: RegExp; readonly difference?: RegExp; readonly why: string }[] = [
  {
    cases: /./,
    difference: /has mutual TLS disabled and gets Istio's mutual TLS$/,
    why: "a port whose mutual TLS is off hands Istio's mutual TLS on to the application unread: Envoy accepts what the application cannot understand, and `trace` calls it refused",
  },
  {
    cases: /^TestInboundSidecarTLSModes\//,
    why: "mutual TLS at a Sidecar's `ingress` listener with certificates of its own: the simulation holds Istio's for it, and `trace` assumes that clients have such a one",
  },
  {
    cases: /^TestGatewayServices\/|^TestTargetPort\/multiple_target_port/,
    why: 'Gateways that name their Service by an annotation which only istiod sets',
  },
  { cases: /^TestLoop/, why: "calls to Envoy's own ports 15001 and 15006" },
  {
    cases: /^TestGatewayConflicts\/duplicate_tls_gateway/,
    why: 'two filter chains for one SNI: Envoy takes no such listener, and the simulation complains only when asked',
  },
  {
    cases: /^TestServiceEntryDuplicatedHostname\//,
    why: 'an address that istiod allocates by itself, for proxies that capture DNS',
  },
  {
    cases: /^TestServiceEntry\/overlapping_CIDR_with_SNI/,
    why: 'an IPv6 range in a proxy that has addresses of both families',
  },
];

export function reasonOf({ test, difference }: Answer): string | undefined {
  return KNOWN.find((known) => known.cases.test(test) && (known.difference?.test(difference ?? '') ?? true))?.why;
}
