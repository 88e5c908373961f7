import { type GatewayView, gatewaysByName, nameOf, push } from '../edge';
import type { Rule } from '../rule';
import { mayShare } from './servers-conflict-on-port';

export const rule: Rule = {
  id: 'EDGE901',
  name: 'credential-on-several-gateways',
  severity: 'warning',
  title: 'One certificate is on several Gateways of the same pods',
  why: 'A browser keeps one HTTP/2 connection for all hosts of a certificate, and the gateway answers 404 for those that another Gateway has.',
  fix: 'Put all hosts of the certificate into one Gateway.',
  see: 'https://istio.io/latest/docs/reference/config/analysis/ist0138/',
  reads: ['Gateway'],
  footguns: ['I02'],
  *check(context) {
    const users = new Map<string, { gateway: GatewayView; at: number }[]>();
    for (const gateway of context.index(gatewaysByName).values()) {
      for (const [at, { tls }] of (gateway.spec.servers ?? []).entries())
        if (tls?.credentialName && tls.mode !== 'PASSTHROUGH') push(users, tls.credentialName, { gateway, at });
    }
    for (const [name, list] of users) {
      for (const [index, { gateway, at }] of list.entries()) {
        const other = list
          .slice(0, index)
          .find((candidate) => candidate.gateway !== gateway && mayShare(candidate.gateway, gateway));
        if (other)
          yield {
            manifest: gateway.manifest,
            field: ['spec', 'servers', at, 'tls', 'credentialName'],
            what: `${nameOf(gateway.manifest)} and ${nameOf(other.gateway.manifest)} both show the certificate ${name}`,
          };
      }
    }
  },
};
