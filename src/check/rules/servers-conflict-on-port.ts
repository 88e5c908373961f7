import { push } from '../../model/objects';
import { type GatewayView, gatewaysByName, nameOf, selects } from '../edge';
import type { Server } from '../istio';
import { isTls } from '../protocol';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE307',
  name: 'servers-conflict-on-port',
  severity: 'error',
  title: 'Two servers of one gateway and port speak different protocols',
  why: 'A port has one listener. Istio keeps the protocol of the older Gateway, and leaves the other server out.',
  fix: 'Give plain text and TLS ports of their own.',
  see: 'https://istio.io/latest/docs/ops/common-problems/network-issues/#gateway-mismatch',
  reads: ['Gateway'],
  footguns: ['T08'],
  *check(context) {
    const byPort = new Map<string, { gateway: GatewayView; server: Server; at: number }[]>();
    for (const gateway of context.index(gatewaysByName).values()) {
      for (const [at, server] of (gateway.spec.servers ?? []).entries()) {
        push(byPort, `${server.port?.number ?? 0} ${server.bind ?? ''}`, { gateway, server, at });
      }
    }
    for (const servers of byPort.values()) {
      if (new Set(servers.map(({ server }) => familyOf(server))).size < 2) continue;
      for (const [index, { gateway, server, at }] of servers.entries()) {
        const other = servers
          .slice(0, index)
          .find((candidate) => familyOf(candidate.server) !== familyOf(server) && mayShare(candidate.gateway, gateway));
        if (!other) continue;
        yield {
          manifest: gateway.manifest,
          field: ['spec', 'servers', at, 'port'],
          what: `port ${server.port?.number} is ${server.port?.protocol} in ${nameOf(gateway.manifest)} and ${other.server.port?.protocol} in ${nameOf(other.gateway.manifest)}`,
        };
      }
    }
  },
};

/** HTTP, plain TCP, and TLS; HTTPS and TLS share a listener, told apart by SNI. */
function familyOf({ port }: Server): string {
  if (isTls(port?.protocol)) return 'tls';
  return /^(http|http2|grpc|grpc-web)$/i.test(port?.protocol ?? '') ? 'http' : 'tcp';
}

/** Whether one selector implies the other, so that the pods of one are pods of both. */
export function mayShare(a: GatewayView, b: GatewayView): boolean {
  const one = a.spec.selector ?? {};
  const other = b.spec.selector ?? {};
  return selects(one, other) || selects(other, one);
}
