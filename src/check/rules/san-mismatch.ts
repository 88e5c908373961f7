import { NETWORKING, specOf } from '../istio';
import { fullHost } from '../edge';
import { isSubsetOf } from '../../model/hostnames';
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
      const host = fullHost(context, spec.host ?? '', manifest.namespace);
      for (const { policy, field } of policiesOf(spec)) {
        const { mode, subjectAltNames = [], sni } = policy.tls ?? {};
        if ((mode !== 'SIMPLE' && mode !== 'MUTUAL') || subjectAltNames.length === 0) continue;
        const names = subjectAltNames.filter((name) => !name.startsWith('spiffe://'));
        const isAmong = (own: string): boolean => names.some((name) => isSubsetOf(own, name) || isSubsetOf(name, own));
        if (names.length !== subjectAltNames.length) continue;
        if (isAmong(host)) {
          if (sni !== undefined && sni !== '' && !isAmong(sni))
            yield {
              manifest,
              field: [...field, 'tls', 'sni'],
              what: `the SNI is ${sni}, and subjectAltNames are ${names.join(', ')}`,
              why: 'A server shows the certificate for the name that it is asked for by SNI, and that is verified against subjectAltNames, which have another.',
              fix: 'Ask for a name that is among subjectAltNames, or write all that the server shows.',
            };
          continue;
        }
        if (sni !== undefined && isAmong(sni)) continue;
        yield {
          manifest,
          field: [...field, 'tls', 'subjectAltNames'],
          what: `subjectAltNames are ${names.join(', ')}, and the host is ${host}${sni && sni !== host ? ` (SNI ${sni})` : ''}`,
        };
      }
    }
  },
};
