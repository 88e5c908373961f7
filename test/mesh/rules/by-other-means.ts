/** Rules that another test of the real mesh confirms, and those that nothing real can be asked about. */
import { type Confirmations } from './confirmation';

const removed = (test: string) => ({ by: 'test', file: 'ingress-removed.test.ts', test }) as const;
const reason = (text: string) => ({ by: 'reason', reason: text }) as const;

const NOT_ASKED = reason('not asked of the real thing yet');

export const BY_OTHER_MEANS: Confirmations = {
  'envoy-gateway-in-mesh/captures-inbound': removed(
    'without includeInboundPorts "", the sidecar takes what clients send, and resets it',
  ),
  'envoy-gateway-in-mesh/dials-pods': removed(
    "without routingType Service, the proxy dials a Pod's address, which the sidecar does not know: 503",
  ),
  'host-kept-through-sidecar/no-rewrite': removed('without the host written anew, the sidecar knows no such host: 502'),
  'xds-port-protocol/grpc': removed(
    'without appProtocol tls on 18000, a new proxy gets no configuration and is never ready',
  ),
  'request-refused': reason('it says what trace says, which is compared with istiod above'),
  'single-gateway-replica/one': reason('that one pod is one is not to be refuted; faults.test.ts shows the outage'),
  'suppression-without-reason': reason('suppressions are our own'),
  'unreadable-document/tab-in-yaml': reason('what is no YAML never reaches an API server'),
  'unused-suppression': reason('suppressions are our own'),
  'oidc-provider-out-of-reach/entry-of-another-namespace': {
    by: 'test',
    file: 'ingress.test.ts',
    test: 'can fetch no token once the provider is not registered',
  },
  'backend-tls-in-mesh': NOT_ASKED,
  'host-kept-through-sidecar/another-public-name': NOT_ASKED,
  'oidc-cookies-shared': NOT_ASKED,
  'oidc-path-outside-route': NOT_ASKED,
  'proxy-declared-http/named-by-a-variable': reason(
    'squid.yaml shows what a proxy declared HTTP answers, however it is known for one',
  ),
  'rate-limit-service-missing': NOT_ASKED,
  'registry-only-in-ambient/no-policy': {
    by: 'test',
    file: 'ambient-egress.test.ts',
    test: 'tells ztunnels the same with REGISTRY_ONLY as with ALLOW_ANY, which only sidecars tell apart',
  },
  'routing-type-ignored': reason(
    "read in Envoy Gateway 1.7's source: a headless Service is routed to by its endpoints, and the policy's field is marked as not implemented",
  ),
};
