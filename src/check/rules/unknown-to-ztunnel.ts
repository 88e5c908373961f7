import { AUTO_ALLOCATE, refusesAddress } from '../../model/auto-addresses';
import { isCidr, isRange } from '../../model/addresses';
import { isWildcard } from '../../model/hostnames';
import { specOf } from '../istio';
import type { Rule } from '../rule';
import { ledEntries } from '../waypoints';

export const rule: Rule = {
  id: 'EDGE708',
  name: 'unknown-to-ztunnel',
  severity: 'error',
  title: 'An entry is bound to a waypoint, and ztunnel has no address to know it by',
  why: 'ztunnel knows services by their addresses, before Istio 1.30 by single ones. What it does not know it dials itself, past the waypoint and all of its policies.',
  fix: 'Use resolution DNS or STATIC, without ranges, and leave istio.io/enable-autoallocate-ip as it is, so that Istio gives the host an address; or write single addresses.',
  see: 'https://istio.io/latest/docs/ambient/architecture/data-plane/',
  reads: ['ServiceEntry'],
  footguns: ['A03', 'A10'],
  *check(context) {
    for (const { manifest, binding } of context.index(ledEntries)) {
      const { hosts = [], addresses = [], resolution = 'NONE', ports = [] } = specOf('ServiceEntry', manifest);
      const { tellsZtunnelOfRanges } = context.mesh.config.istio;
      const range = tellsZtunnelOfRanges ? -1 : addresses.findIndex((address) => isCidr(address) && isRange(address));
      const host = hosts.join(', ');
      if (range >= 0)
        yield {
          manifest,
          field: ['spec', 'addresses', range],
          what: `${addresses[range]} is a range, and istiod before 1.30 then tells ztunnel nothing of ${host}`,
        };
      if (addresses.length > 0) continue;
      if (resolution === 'NONE')
        yield {
          manifest,
          field: ['spec', 'resolution'],
          what: `${host} has resolution NONE and no addresses, so Istio gives it none`,
        };
      else if (refusesAddress(manifest.labels))
        yield {
          manifest,
          field: ['metadata', 'labels', AUTO_ALLOCATE],
          what: `${host} has no addresses, and Istio is told to give it none`,
        };
      else if (resolution !== 'DYNAMIC_DNS' && hosts.some(isWildcard))
        yield {
          manifest,
          field: ['spec', 'hosts', hosts.findIndex(isWildcard)],
          what: `Istio gives wildcard ${hosts.find(isWildcard)} no address with resolution ${resolution}`,
          fix: 'Use resolution DYNAMIC_DNS for a wildcard.',
        };
      else if (!context.mesh.config.ztunnelAnswersDns)
        yield {
          manifest,
          field: ['spec', 'hosts'],
          what: `${host} has no addresses but what Istio gives it, which nobody is told of: ztunnel answers no DNS queries (dnsCapture of istio-cni is false)`,
          fix: 'Set ambient.dnsCapture of istio-cni to true, or write the addresses that DNS answers with.',
        };
      if (resolution !== 'DYNAMIC_DNS' || binding.gateway?.controller === 'other') continue;
      const unread = context.mesh.config.resolvesSniAtWaypoints ? /^HTTPS$/i : /^(TLS|HTTPS)$/i;
      for (const [at, { number, protocol }] of ports.entries()) {
        if (!unread.test(protocol ?? '')) continue;
        yield {
          manifest,
          field: ['spec', 'ports', at],
          what: `port ${number} is ${protocol}, which istiod leaves out of waypoints for wildcards with DYNAMIC_DNS${/^TLS$/i.test(protocol ?? '') ? ', unless its environment has ENABLE_WILDCARD_HOST_SERVICE_ENTRIES_FOR_TLS=true' : ''}`,
          why: 'ztunnel leads connections for the host to the waypoint, which closes those to a port that istiod has left out of it.',
          fix: 'Name the single hosts, with resolution DNS. With that variable and protocol TLS the waypoint dials whatever host a client names as SNI. ztunnel lets what it does not know pass: only a NetworkPolicy keeps workloads from the other names of the domain.',
        };
      }
    }
  },
};
