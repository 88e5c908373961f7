import { entriesByHost, haveCommonViewer, nameOf } from '../edge';
import { isHttp, isTls } from '../protocol';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE112',
  name: 'port-protocol-conflict',
  severity: 'error',
  title: 'One port of a host is declared with two protocols',
  why: 'A proxy that sees both declarations takes the one of its own namespace, else the older; requests that speak the other protocol are refused, or pass where nobody looks.',
  fix: 'Declare the port once, with the protocol that is spoken on it.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/',
  reads: ['ServiceEntry'],
  footguns: ['S06'],
  *check(context) {
    for (const [host, entries] of context.index(entriesByHost)) {
      for (const [index, entry] of entries.entries()) {
        for (const other of entries.slice(0, index)) {
          if (!haveCommonViewer(context, entry, other)) continue;
          for (const [at, port] of (entry.spec.ports ?? []).entries()) {
            const rival = (other.spec.ports ?? []).find(({ number }) => number === port.number);
            if (!rival || familyOf(rival.protocol) === familyOf(port.protocol)) continue;
            yield {
              manifest: entry.manifest,
              field: ['spec', 'ports', at, 'protocol'],
              what: `port ${port.number} of ${host} is ${port.protocol || 'TCP'} in ${nameOf(entry.manifest)} and ${rival.protocol || 'TCP'} in ${nameOf(other.manifest)}`,
            };
          }
        }
      }
    }
  },
};

function familyOf(protocol: string | undefined): string {
  return isHttp(protocol) ? 'http' : isTls(protocol) ? 'tls' : 'tcp';
}
