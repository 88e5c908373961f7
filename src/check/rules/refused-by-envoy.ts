import { containerPort } from '../../model/envoy-gateway';
import { refusedByEnvoy } from '../../model/envoy-gateway-chains';
import { envoyRefusalWords } from '../../trace/words/problems';
import { asSentence } from '../../trace/words/words';
import { envoyGateways } from '../envoy-gateway';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE852',
  name: 'refused-by-envoy',
  severity: 'error',
  title: 'Envoy refuses what Envoy Gateway makes of the listeners of a port',
  why: 'Listeners of one port become one listener of Envoy, whose filter chains and hosts must differ. Envoy Gateway does not look whether they do: Envoy takes neither this nor any later change of that port, and keeps what it had; new proxies have nothing there.',
  fix: 'Attach a route to each listener for TLS, and give each hostname of a port to one listener.',
  see: 'https://gateway-api.sigs.k8s.io/reference/spec/#listener',
  reads: ['Gateway'],
  footguns: ['Y09'],
  *check(context) {
    for (const { gateway } of context.index(envoyGateways)) {
      // Ports that come to one port of the proxies are refused as one.
      const ports = new Map(
        gateway.listeners.map(({ port }) => [containerPort(gateway, port, context.mesh.gatewayApi.input), port]),
      );
      for (const port of ports.values()) {
        const refused = refusedByEnvoy(context.mesh.gatewayApi, gateway, port);
        const last = refused?.at.at(-1);
        // Proxies that several Gateways share are told of once.
        if (refused === undefined || last?.gateway !== gateway) continue;
        const { what, fix } = envoyRefusalWords(refused.problem);
        yield {
          manifest: last.listener.set ?? gateway.config.manifest,
          field: ['spec', 'listeners', last.listener.index],
          what,
          fix: asSentence(fix),
        };
      }
    }
  },
};
