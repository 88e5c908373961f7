import { entriesByHost, fullHost } from '../edge';
import { NETWORKING, specOf } from '../istio';
import type { Rule } from '../rule';
import { policiesOf } from '../credentials';

export const rule: Rule = {
  id: 'EDGE320',
  name: 'certificate-name-not-asked',
  severity: 'info',
  title: 'TLS is originated to whoever shows a certificate of any name',
  why: 'Where sni is written, istiod has the name in the certificate verified against subjectAltNames alone: without them a certificate that any public authority made, for any name, is accepted.',
  fix: 'Write subjectAltNames with the name of the host, in the DestinationRule or the ServiceEntry; or leave sni out for HTTP, and both follow the Host header.',
  see: 'https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings',
  reads: ['DestinationRule'],
  footguns: ['T23'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      const host = fullHost(context, spec.host ?? '', manifest.namespace);
      const entries = context.index(entriesByHost).get(host) ?? [];
      if (entries.some((entry) => (entry.spec.subjectAltNames ?? []).length > 0)) continue;
      for (const { policy, field } of policiesOf(spec)) {
        const {
          mode,
          sni,
          subjectAltNames = [],
          insecureSkipVerify,
          caCertificates,
          credentialName,
        } = policy.tls ?? {};
        const isPublic = (caCertificates ?? 'system') === 'system' && !credentialName && insecureSkipVerify !== true;
        if (mode !== 'SIMPLE' || !isPublic || !sni || subjectAltNames.length > 0) continue;
        yield {
          manifest,
          field: [...field, 'tls', 'sni'],
          what: `the SNI of ${host} is ${JSON.stringify(sni)}, and there are no subjectAltNames`,
        };
      }
    }
  },
};
