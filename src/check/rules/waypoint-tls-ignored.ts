import { NETWORKING, specOf } from '../istio';
import { fullHost } from '../edge';
import type { Rule } from '../rule';
import { isAllAmbient, ledEntries } from '../waypoints';
import { policiesOf } from '../credentials';

export const rule: Rule = {
  id: 'EDGE712',
  name: 'waypoint-tls-ignored',
  severity: 'error',
  title: 'TLS for a host behind a waypoint is asked for in a rule that the waypoint does not read',
  why: 'A waypoint takes the DestinationRule of its own namespace, else of the entry’s, else of the root namespace, if it is exported to it. Mutual TLS of the mesh it makes towards no host outside. The request leaves in plain text.',
  fix: 'Put the DestinationRule beside the waypoint or beside the entry, exported to the waypoint’s namespace, with tls.mode SIMPLE or MUTUAL.',
  see: 'https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings',
  reads: ['DestinationRule', 'ServiceEntry'],
  footguns: ['A09'],
  *check(context) {
    const led = context.index(ledEntries);
    if (led.length === 0) return;
    const { mesh } = context;
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      const asked = [...policiesOf(spec)].find(({ policy }) =>
        /^(SIMPLE|MUTUAL|ISTIO_MUTUAL)$/.test(policy.tls?.mode ?? ''),
      );
      if (asked === undefined) continue;
      const host = fullHost(context, spec.host ?? '', manifest.namespace);
      for (const { binding, services } of led) {
        if (!services.some((service) => service.host === host)) continue;
        const waypoint = `${binding.namespace}/${binding.name}`;
        const field = [...asked.field, 'tls', 'mode'];
        if (asked.policy.tls?.mode === 'ISTIO_MUTUAL') {
          if (services.some(({ meshExternal }) => meshExternal))
            yield { manifest, field, what: `waypoint ${waypoint} makes no mutual TLS of the mesh towards ${host}` };
          continue;
        }
        const self = { type: 'gateway' as const, namespace: binding.namespace, labels: {}, addresses: [] };
        const read = mesh.scopeOf(self).destinationRule(host, {});
        if (
          read?.from.some(({ namespace, name }) => namespace === manifest.namespace && name === manifest.name) === true
        )
          continue;
        // It may be there for clients with sidecars.
        if (!isAllAmbient(context)) continue;
        yield { manifest, field, what: `${host} is led through waypoint ${waypoint}, which does not read this rule` };
      }
    }
  },
};
