// Cut what nobody has declared
//
// For a namespace; for the whole mesh give `outboundTrafficPolicy` to IstioInstall. It is a fence, not a wall: a process that gets around its
// sidecar gets out, which a lockdown holds (recipe 12).
//
//     shop/web https://www.wikipedia.org/ delivered
//     shop/web https://example.net/ refused
import type { Chart } from 'cdk8s';
import { ExternalPort, ExternalService, OutboundMode, OutboundTrafficPolicy } from 'cdk8s-mesh-edge';

export function recipe(chart: Chart): void {
  new OutboundTrafficPolicy(chart, 'RegistryOnly', { namespace: 'shop', mode: OutboundMode.REGISTRY_ONLY });
  new ExternalService(chart, 'Wikipedia', {
    hosts: ['www.wikipedia.org'],
    ports: [ExternalPort.https()],
    namespace: 'shop',
  });
}
