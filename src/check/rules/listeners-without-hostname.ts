import type { CheckContext } from '../context';
import { nameOf } from '../edge';
import { type EnvoyGatewayView, envoyGateways } from '../envoy-gateway';
import { GATEWAY_API, gatewaySpec } from '../gateway-api';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE815',
  name: 'listeners-without-hostname',
  severity: 'error',
  title: 'HTTPS and TLS listeners of one port cannot be told apart',
  why: 'Both are chosen by SNI. With the same hostname, or none, Envoy Gateway calls the two in conflict, and serves neither.',
  fix: 'Give each listener of the port a hostname of its own.',
  see: 'https://gateway-api.sigs.k8s.io/reference/spec/#listener',
  reads: ['Gateway'],
  footguns: ['Y09', 'Y08', 'G08'],
  *check(context) {
    yield* overlapsOfMerged(context);
    for (const manifest of context.of(GATEWAY_API, 'Gateway')) {
      const listeners = gatewaySpec(manifest).listeners ?? [];
      for (const [at, { port, protocol, hostname = '', name }] of listeners.entries()) {
        const other = listeners
          .slice(0, at)
          .find(
            (candidate) =>
              candidate.port === port &&
              (candidate.hostname ?? '') === hostname &&
              candidate.protocol !== protocol &&
              [candidate.protocol, protocol].every((one) => one === 'HTTPS' || one === 'TLS'),
          );
        if (other)
          yield {
            manifest,
            field: ['spec', 'listeners', at],
            what: `listeners ${other.name} (${other.protocol}) and ${name} (${protocol}) share port ${port} and ${hostname ? `the hostname ${hostname}` : 'have no hostname'}`,
          };
      }
    }
  },
};

/** Gateways of a class that are merged into one set of proxies must differ in port, protocol or hostname. */
function* overlapsOfMerged(context: CheckContext): Generator<Hit> {
  const taken = new Map<string, EnvoyGatewayView>();
  for (const view of context.index(envoyGateways)) {
    const { gateway, proxy } = view;
    if (proxy.spec.mergeGateways !== true) continue;
    for (const { index, name, port, protocol, hostname } of gateway.listeners) {
      const family = protocol === 'HTTPS' || protocol === 'TLS' ? 'TLS' : protocol;
      const key = `${gateway.className} ${port} ${family} ${hostname}`;
      const other = taken.get(key);
      if (other === undefined) taken.set(key, view);
      else if (other !== view)
        yield {
          manifest: gateway.config.manifest,
          field: ['spec', 'listeners', index],
          what: `listener ${name} of ${nameOf(gateway.config.manifest)} and one of ${nameOf(other.gateway.config.manifest)} share port ${port} and ${hostname === '*' ? 'have no hostname' : `the hostname ${hostname}`}, and their class merges Gateways`,
          why: 'Envoy Gateway runs merged Gateways in one set of proxies, and refuses the listener of the newer one.',
        };
    }
  }
}
