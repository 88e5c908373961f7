import { type ClientTls, NETWORKING, specOf } from '../istio';
import type { Rule } from '../rule';
import { policiesOf } from '../credentials';

export const rule: Rule = {
  id: 'EDGE311',
  name: 'tls-not-verified',
  severity: 'warning',
  title: 'TLS is originated without looking at the server certificate',
  why: 'Anybody on the way can answer in the name of the server, and read what was meant to be encrypted.',
  fix: 'Remove insecureSkipVerify; for a CA of your own write caCertificates or credentialName.',
  see: 'https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings',
  reads: ['DestinationRule'],
  footguns: ['T12'],
  *check(context) {
    for (const manifest of context.of(NETWORKING, 'DestinationRule')) {
      const spec = specOf('DestinationRule', manifest);
      for (const { policy, field } of policiesOf(spec)) {
        if (policy.tls?.insecureSkipVerify === true)
          yield {
            manifest,
            field: [...field, 'tls', 'insecureSkipVerify'],
            what: `insecureSkipVerify is true for ${spec.host}`,
          };
        else if (namesNoAuthority(policy.tls))
          yield {
            manifest,
            field: [...field, 'tls', 'mode'],
            severity: 'info',
            what: `TLS to ${spec.host} is ${policy.tls?.mode}, and nothing says whose certificate is believed`,
            why: 'Since Istio 1.21 that is any authority that the system of the proxy believes, and before it was anybody. A server with a certificate of your own is refused.',
            fix: 'Write caCertificates: system to say so, or name your own authority in caCertificates or credentialName.',
          };
      }
    }
  },
};

/** A credential has its authority beside its key. */
function namesNoAuthority(tls: ClientTls | undefined): boolean {
  return (
    (tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL') &&
    !tls.caCertificates &&
    !tls.credentialName &&
    tls.insecureSkipVerify === undefined
  );
}
