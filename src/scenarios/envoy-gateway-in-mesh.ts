import { Construct } from 'constructs';
import { EnvoyGatewayInMesh } from '../ingress/envoy-gateway-in-mesh';
import { TEG } from './envoy-gateway-names';
import { ScenarioChart } from './scenario';

/** Document 000: Envoy Gateway becomes a member of the mesh. */
export class EnvoyGatewayMember extends ScenarioChart {
  public constructor(scope: Construct) {
    super(scope, 'envoy-gateway-in-mesh', {
      title: 'Envoy Gateway as a member of the mesh',
      shows:
        "Envoy Gateway's control plane and proxies get sidecars. The sidecar leaves alone what clients send in (`includeInboundPorts: \"\"`), passes xDS through unread (`appProtocol: tls`), and makes mutual TLS of what the proxy sends to a Service's address (`routingType: Service`). Each setting's reason, and what breaks without it, is in docs/envoy-gateway-in-istio.md.",
      outcomes: [
        { request: 'a Gateway of class `teg`', seen: 'its Pod has Envoy and a sidecar, and becomes Ready' },
        {
          request: 'a Pod of Envoy Gateway is bound to a node',
          seen: "the API server reaches the controller's webhook on 9443, under STRICT too",
        },
      ],
      needs: [
        'Istio (`istio-minimal`), and Envoy Gateway 1.7 by its Helm chart with `install/envoy-gateway.values`',
        'server-side apply (`kubectl apply --server-side`), because the Service is a part of one: its other ports stay',
        'what ran before made anew (`control-plane-restart`)',
      ],
    });
    new EnvoyGatewayInMesh(this, 'EnvoyGateway', TEG);
  }
}
