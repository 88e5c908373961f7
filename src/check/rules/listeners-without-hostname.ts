import { GATEWAY_API, gatewaySpec } from '../gateway-api';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE815',
  name: 'listeners-without-hostname',
  severity: 'error',
  title: 'HTTPS and TLS listeners of one port cannot be told apart',
  why: 'Both are chosen by SNI. With the same hostname, or none, Envoy refuses the whole update, and no later change takes effect.',
  fix: 'Give each listener of the port a hostname of its own.',
  see: 'https://gateway-api.sigs.k8s.io/reference/spec/#listener',
  reads: ['Gateway'],
  footguns: ['Y09', 'Y08', 'G08'],
  *check(context) {
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
