import type { Manifest } from '../../model/manifest';
import { bindingOf } from '../../model/waypoints';
import type { CheckContext } from '../context';
import { serviceEntries } from '../edge';
import { isPlainTcp } from '../protocol';
import { dnsCapture } from '../mesh-settings';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE110',
  name: 'tcp-without-address',
  severity: 'warning',
  title: 'A TCP port has no address to be told apart by',
  why: 'Plain TCP names no host, so without an address the sidecar takes every connection to that port, whoever it is for, and sends it to this host.',
  fix: 'Write addresses, or switch on DNS capture (ISTIO_META_DNS_CAPTURE) so that Istio gives the host an address of its own.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/',
  reads: ['ServiceEntry'],
  footguns: ['S04', 'N03'],
  *check(context) {
    if (context.index(dnsCapture)) return;
    for (const { manifest, spec } of context.index(serviceEntries)) {
      if ((spec.addresses ?? []).length > 0 || isForWaypoint(context, manifest)) continue;
      for (const [at, { number, protocol }] of (spec.ports ?? []).entries()) {
        if (!isPlainTcp(protocol)) continue;
        yield {
          manifest,
          field: ['spec', 'ports', at],
          what: `port ${number} is ${protocol || 'of no protocol, which is TCP'}, and ${(spec.hosts ?? []).join(', ')} has no addresses`,
        };
      }
    }
  },
};

/** In ambient mode Istio gives the host an address, which ztunnel knows it by; sidecars of its own namespace alone may see it. */
function isForWaypoint(context: CheckContext, manifest: Manifest): boolean {
  const bound = bindingOf(context.mesh, manifest);
  return (
    bound !== undefined &&
    bound.problem === undefined &&
    manifest.labels['networking.istio.io/enable-autoallocate-ip'] !== 'false'
  );
}
