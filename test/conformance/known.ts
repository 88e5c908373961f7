/** Why `trace` says otherwise than a test expects; what is not explained here is a fault. */
import type { Compared } from './compare';

const REASONS: readonly (readonly [tests: RegExp, why: string])[] = [
  [/DetectMisdirectedRequests$/, "neither product's source answers 421, and Istio's run leaves the test out"],
  [/^MeshHTTPRoute307Redirect$/, 'the test names the manifests of another one, which 1.6 mends'],
  [
    /^BackendTLSPolicy(?:SANValidation|InvalidCACertificateRef)?$/,
    'the certificates of servers are not looked at, and a ConfigMap that no manifest shows is taken as there, with a note',
  ],
  [/ClientCertificateValidation/, 'a trace is of a client that has the certificate that is asked for'],
  [/^HTTPRouteTimeout/, 'how long a backend takes is not known'],
  [/^(?:Retry|BackendTLS|UseClientProtocol|DynamicResolverBackend)$/, 'what the backend answers, and which protocol it speaks, is not known'], // prettier-ignore
  [/^HTTPRouteMixedBackends$/, 'a Backend with a share of the requests is told by its own name, and not by that of the Pod behind it'], // prettier-ignore
  [/^FailedSecurityPolicyDirectResponse$/, 'a Secret that no manifest shows is taken as there, with a note'],
  [/^(?:EnvoyShutdown|TCPRouteBackend)$/, 'the test makes objects as it runs'],
];

export function reasonOf({ test, expected, told }: Compared): string | undefined {
  const isLimited = told?.noted.some(({ kind }) => kind === 'rate-limited') === true;
  if (isLimited && expected.statuses.includes(429)) return 'a limit is told of in a note: how many requests came before is not asked'; // prettier-ignore
  return REASONS.find(([tests]) => tests.test(test))?.[1];
}

/** Why `check` says nothing of an object that a controller finds something amiss with. */
const SILENT: readonly (readonly [tests: RegExp, why: string])[] = [
  [/NotSupported$/, 'the test is for implementations that lack what both products have'],
  [
    /^(?:GatewayInvalidTLSConfiguration|GatewayWithAttachedRoutes|GatewayFrontendInvalidDefault\w+)$/,
    'what is in a Secret is not looked at, and one that no manifest shows is taken as there, with a note',
  ],
  [
    /^(?:GatewayInvalidRouteKind|ListenerSetAllowedRoutesSupportedKinds|TLSRouteListenerPassthroughSupportedKinds)$/,
    'istiod says so, and opens the listener all the same',
  ],
  [/^GatewayListenerUnsupportedProtocol$/, "the test is left out of Istio's run"],
  [
    /^GatewayInvalidTLSBackendConfiguration$/,
    'the certificate that a Gateway shows to backends (spec.tls.backend) is not read',
  ],
  [/^GatewayStaticAddresses$/, 'which addresses there are to give is not known'],
  [/^(?:WasmOCIImageCodeSource|BackendTLSPolicyInvalidCACertificateRef|FailedSecurityPolicyDirectResponse)$/, 'what no manifest shows is taken as there, with a note'], // prettier-ignore
];

export function silenceOf(test: string): string | undefined {
  return SILENT.find(([tests]) => tests.test(test))?.[1];
}
