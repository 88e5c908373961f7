import { entriesByHost } from '../edge';
import type { Rule } from '../rule';
import { isHeldBack } from '../served';
import { serviceSpec } from '../workloads';

export const rule: Rule = {
  id: 'EDGE906',
  name: 'external-name-not-declared',
  severity: 'warning',
  title: 'An ExternalName Service is for a host that nothing declares',
  why: 'istiod takes an ExternalName Service for another name of a host that it knows, and its ports for nothing. Of a host that no ServiceEntry declares the sidecar knows neither name: requests go past it as something unknown, or are refused where only registered hosts are allowed.',
  fix: 'Declare the host with a ServiceEntry, with its ports.',
  see: 'https://istio.io/latest/docs/ops/configuration/traffic-management/traffic-routing/',
  reads: ['Service'],
  findsAbsence: true,
  footguns: ['M04'],
  *check(context) {
    for (const manifest of context.of('', 'Service')) {
      const { type, externalName = '' } = serviceSpec(manifest);
      const host = externalName.replace(/\.$/, '').toLowerCase();
      if (type !== 'ExternalName' || host === '' || isInCluster(host)) continue;
      // Only an entry for the very name: one with a wildcard is no help.
      if (context.index(entriesByHost).has(host)) continue;
      yield {
        manifest,
        field: ['spec', 'externalName'],
        // Under ALLOW_ANY it works, as it would without the Service.
        severity: isHeldBack(context, manifest.namespace) ? 'warning' : 'info',
        what: `${manifest.namespace}/${manifest.name} is another name of ${host}, which no ServiceEntry declares`,
      };
    }
  },
};

/** A Service of this cluster may be somebody else's to show. */
const isInCluster = (host: string): boolean => /\.svc(\.|$)/.test(host);
