import { Construct } from 'constructs';
import { PeerAuthentication } from '../mesh/peer-authentication';
import { PeerScope } from '../mesh/peer-scope';
import { ScenarioChart } from './scenario';

/** Document 000: the mesh refuses all but mutual TLS. */
export class StrictMutualTls extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'strict-mutual-tls', {
      title: 'Mutual TLS and nothing else',
      shows:
        "One PeerAuthentication in the root namespace makes every sidecar refuse plain text. Envoy Gateway's own exception from it, for its webhook, is in `envoy-gateway-in-mesh`.",
      outcomes: [
        { request: 'the request of `apps-gateway-http`', seen: '200, as before' },
        { request: 'plain text to httpbin from outside the mesh', seen: 'refused: the sidecar resets the connection' },
      ],
    });
    new PeerAuthentication(this, 'Strict', { appliesTo: PeerScope.mesh() });
  }
}
