import { MESH, virtualServices } from '../edge';
import { NETWORKING, SECURITY, specOf } from '../istio';
import type { Rule } from '../rule';
import { isAllAmbient, ledEntries, targetsOf, unledEntries } from '../waypoints';
import { policiesOf } from '../credentials';

export const rule: Rule = {
  id: 'EDGE707',
  name: 'entry-past-waypoint',
  severity: 'error',
  title: 'What a waypoint should do for a host is asked of an entry that is bound to none',
  why: 'ztunnel dials the host itself: no policy is applied, no TLS is originated, no route is followed.',
  fix: 'Label the ServiceEntry istio.io/use-waypoint (and istio.io/use-waypoint-namespace), or its namespace.',
  see: 'https://istio.io/latest/docs/ambient/usage/waypoint/#configure-a-pod-to-use-a-specific-waypoint',
  reads: ['ServiceEntry', 'AuthorizationPolicy', 'DestinationRule', 'VirtualService'],
  footguns: ['A01', 'A09'],
  *check(context) {
    const unled = context.index(unledEntries);
    if (unled.length === 0) return;
    for (const policy of context.of(SECURITY, 'AuthorizationPolicy')) {
      for (const [at, { kind, name }] of (targetsOf(policy).targetRefs ?? []).entries()) {
        if (kind !== 'ServiceEntry') continue;
        const entry = unled.find((one) => one.namespace === policy.namespace && one.name === name);
        if (entry === undefined) continue;
        yield {
          manifest: policy,
          field: ['spec', 'targetRefs', at, 'name'],
          what: `ServiceEntry ${entry.namespace}/${entry.name}, which it targets, is bound to no waypoint`,
        };
      }
    }
    if (!isAllAmbient(context)) return;
    for (const entry of unled) {
      const hosts = specOf('ServiceEntry', entry).hosts ?? [];
      const rules = context
        .of(NETWORKING, 'DestinationRule')
        .filter((one) => hosts.includes(specOf('DestinationRule', one).host ?? ''));
      const made = rules.find((one) =>
        [...policiesOf(specOf('DestinationRule', one))].some(({ policy }) =>
          /^(SIMPLE|MUTUAL)$/.test(policy.tls?.mode ?? ''),
        ),
      );
      const routed = context
        .index(virtualServices)
        .find(
          ({ spec }) =>
            (spec.gateways ?? [MESH]).includes(MESH) && (spec.hosts ?? []).some((host) => hosts.includes(host)),
        );
      const asked = made ?? routed?.manifest;
      if (asked !== undefined)
        yield {
          manifest: entry,
          field: ['metadata', 'labels'],
          what: `${asked.kind} ${asked.namespace}/${asked.name} is for ${hosts.join(', ')}, and nothing that runs here reads it: no sidecar, and no waypoint that the entry is bound to`,
        };
      else if (context.index(ledEntries).length > 0)
        yield {
          manifest: entry,
          field: ['metadata', 'labels'],
          severity: 'warning',
          what: `${hosts.join(', ')} is led through no waypoint, and ${context
            .index(ledEntries)
            .map(({ manifest }) => `${manifest.namespace}/${manifest.name}`)
            .slice(0, 3)
            .join(', ')} is`,
        };
    }
  },
};
