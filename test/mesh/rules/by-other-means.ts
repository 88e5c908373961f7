/** Rules that another test of the real mesh confirms, and those that nothing real can be asked about. */
import { type Confirmations } from './confirmation';

const removed = (test: string) => ({ by: 'test', file: 'ingress-removed.test.ts', test }) as const;
const reason = (text: string) => ({ by: 'reason', reason: text }) as const;

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
};
