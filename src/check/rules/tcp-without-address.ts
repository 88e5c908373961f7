import { refusesAddress } from '../../model/auto-addresses';
import type { Manifest } from '../../model/manifest';
import { bindingOf } from '../../model/waypoints';
import type { CheckContext } from '../context';
import { serviceEntries } from '../edge';
import { isPlainTcp } from '../protocol';
import { collisions } from './tcp-ports-collide';
import { getsAddresses, withoutDnsCapture } from '../mesh-settings';
import type { Hit, Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE110',
  name: 'tcp-without-address',
  severity: 'warning',
  title: 'A TCP port has no address to be told apart by',
  why: 'Plain TCP names no host, so without an address the sidecar takes every connection to that port, whoever it is for, and sends it to this host: all but those that another object claims by address or SNI, and HTTP where another object declares HTTP on the port. Then HTTP goes by the hosts of that alone, HTTP for this host too, which ends like a request for any unknown host.',
  fix: 'Write addresses, or switch on DNS capture (ISTIO_META_DNS_CAPTURE) so that Istio gives the host an address of its own.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/',
  reads: ['ServiceEntry'],
  footguns: ['S04', 'N03'],
  *check(context) {
    const clashing = new Set(
      context
        .index(collisions)
        .flatMap((one) => [one, one.other])
        .map(({ entry, at }) => entry.spec.ports?.[at]),
    );
    for (const entry of context.index(serviceEntries)) {
      const { manifest, spec } = entry;
      if ((spec.addresses ?? []).length > 0 || isForWaypoint(context, manifest)) continue;
      const isNone = (spec.resolution ?? 'NONE') === 'NONE';
      const [client] = getsAddresses(context, entry) ? withoutDnsCapture(context, [entry]) : ['all'];
      if (client === undefined) continue;
      const hosts = (spec.hosts ?? []).join(', ');
      for (const [at, port] of (spec.ports ?? []).entries()) {
        const { number, protocol } = port;
        if (!isPlainTcp(protocol)) continue;
        // That two of them have nothing to be told apart by is told as what it is.
        if (!isNone && clashing.has(port)) continue;
        const what = `port ${number} is ${protocol || 'of no protocol, which is TCP'}, and ${hosts} has no addresses`;
        yield {
          manifest,
          field: ['spec', 'ports', at],
          ...(isNone ? { what: `${what}: whatever is dialled on port ${number} gets out`, ...OPEN } : { what }),
        };
      }
    }
  },
};

/** With resolution NONE the host counts for nothing: a connection goes on to the address that the client dialled. */
const OPEN: Pick<Hit, 'why' | 'fix'> = {
  why: 'Plain TCP names no host, and with resolution NONE the sidecar sends a connection on to whatever address the client dialled: without addresses the entry lets every host out on this port, REGISTRY_ONLY or not.',
  fix: 'Write the addresses that are meant; or declare the port TLS, where the SNI tells hosts apart; or resolution DNS or STATIC with an address of its own for the host.',
};

/** In ambient mode Istio gives the host an address, which ztunnel knows it by; sidecars of its own namespace alone may see it. */
function isForWaypoint(context: CheckContext, manifest: Manifest): boolean {
  const bound = bindingOf(context.mesh, manifest);
  return bound !== undefined && bound.problem === undefined && !refusesAddress(manifest.labels);
}
