import { NETWORKING, specOf } from '../istio';
import { isSubsetOf, toFqdn } from '../hosts';
import type { Rule } from '../rule';
import { policiesOf } from '../credentials';

export const rule: Rule = {
  id: 'EDGE319',
  name: 'san-mismatch',
  severity: 'warning',
  title: 'The names that a server certificate must have are not those of the host',
  why: 'The certificate is verified against subjectAltNames instead of the host: a server with a certificate for its own name is refused.',
  fix: 'Write the names that the server shows, or leave subjectAltNames out.',
  see: 'https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings',
  reads: ['DestinationRule'],
  footguns: ['T23'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      const host = toFqdn(spec.host ?? '', manifest.namespace);
      for (const { policy, field } of policiesOf(spec)) {
        const { mode, subjectAltNames = [], sni } = policy.tls ?? {};
        if ((mode !== 'SIMPLE' && mode !== 'MUTUAL') || subjectAltNames.length === 0) continue;
        const names = subjectAltNames.filter((name) => !name.startsWith('spiffe://'));
        if (
          names.length !== subjectAltNames.length ||
          names.some((name) =>
            [host, sni].some((own) => own !== undefined && (isSubsetOf(own, name) || isSubsetOf(name, own))),
          )
        )
          continue;
        yield {
          manifest,
          field: [...field, 'tls', 'subjectAltNames'],
          what: `subjectAltNames are ${names.join(', ')}, and the host is ${host}${sni && sni !== host ? ` (SNI ${sni})` : ''}`,
        };
      }
    }
  },
};
