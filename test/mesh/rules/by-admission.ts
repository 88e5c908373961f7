/** Rules that say in advance what the API server or istiod's webhook would. */
import { type Confirmations } from './confirmation';

const says = (text: string) => ({ by: 'admission', says: text }) as const;

export const BY_ADMISSION: Confirmations = {
  'authorization-policy-refused/provider-without-custom': says('`provider` must not be with non CUSTOM action'),
  'cel-rule-violation/redirect-with-backend': says('RequestRedirect filter must not be used together with backendRefs'),
  'destination-rule-refused/mutual-without-certificate': says('client certificate required for mutual tls'),
  'gateway-refused/mutual-with-credential': says('ISTIO_MUTUAL TLS cannot have associated credentialName'),
  'gateway-refused/tls-on-plain-text': says('server cannot have TLS settings for plain text HTTP ports'),
  'peer-authentication-refused/port-without-selector': says('portLevelMtls requires selector'),
  'request-authentication-refused/keys-by-ftp': says('url must have scheme http:// or https://'),
  'schema-violation/field-misspelt': says('.spec.resolutions: field not declared in schema'),
  'schema-violation/number-as-text': says('expected numeric (int or float), got string'),
  'service-entry-refused/two-hosts-on-tcp': says('multiple hosts provided with non-HTTP, non-TLS ports'),
  'service-entry-refused/wildcard-with-dns': says('hosts must be FQDN or contain only prefix wildcards'),
  'sidecar-refused/host-without-namespace': says('host must be of form namespace/dnsName'),
  'telemetry-refused/target-in-other-namespace': says('targetRef must be to one of'),
  'unknown-kind/kind-misspelt': says('no matches for kind "ServiceEntri"'),
  'virtual-service-refused/sni-not-among-hosts': says('is not a compatible subset of any of the virtual service hosts'),
};
