/**
 * The authority that a backend is verified by, where the reference to it cannot be used: Envoy Gateway answers 500 in the backend's place, and a gateway of
 * Istio's fails to connect.
 */
import { record, records, text } from './fields';
import type { Manifest } from './manifest';
import type { Mesh } from './mesh';
import type { EnvoyGatewayBehavior } from './release-behavior';

type Reader = 'Envoy Gateway' | 'istiod';

/** `field` is below `spec`, and `of` what is verified so. */
export type AuthorityFault = { readonly field: string; readonly of: ObjectRef } & (
  | { readonly is: 'no-authority'; readonly object: string; readonly keys: readonly string[] }
  | { readonly is: 'kind-not-read'; readonly kind: string; readonly reader: Reader }
);

type ObjectRef = Pick<Manifest, 'kind' | 'namespace' | 'name'>;

export interface Authority {
  readonly fault: AuthorityFault | undefined;
  /** ConfigMaps and Secrets that no manifest shows. */
  readonly assumed: readonly string[];
}

const KINDS = ['ConfigMap', 'Secret', 'ClusterTrustBundle'];

/**
 * What a BackendTLSPolicy, or the TLS of a Backend, refers to (getCaCertsFromCARefs of internal/gatewayapi/backendtlspolicy.go): key ca.crt, of
 * later releases tls.crt too, else the only one that there is. One reference that cannot be used is enough.
 */
export function authorityOf({ kind, namespace, name, body }: Manifest, mesh: Mesh): Authority {
  const spec = record(record(body).spec);
  const [path, owner] =
    kind === 'BackendTLSPolicy' ? ['validation', record(spec.validation)] : ['tls', record(spec.tls)];
  const refs = records(owner.caCertificateRefs);
  if (refs.length === 0 || owner.wellKnownCACertificates === 'System') return { fault: undefined, assumed: [] };
  const of = { kind, namespace, name };
  const assumed: string[] = [];
  for (const [index, ref] of refs.entries()) {
    const field = `${path}.caCertificateRefs[${index}]`;
    const [target, named] = [text(ref.kind), text(ref.name)];
    const whole = `${target} ${text(ref.namespace) || namespace}/${named}`;
    if (target !== 'ConfigMap' && target !== 'Secret') continue;
    const found = mesh.find('', target, text(ref.namespace) || namespace, named);
    const keys = keysOf(found);
    const isRead = authorityKeys(false, mesh.config.envoyGateway);
    if (found === undefined) assumed.push(whole);
    else if (keys !== undefined && !isRead.some((key) => keys.includes(key)) && keys.length !== 1)
      return { fault: { is: 'no-authority', field, of, object: whole, keys }, assumed };
  }
  if (refs.every(({ kind: other }) => !KINDS.includes(text(other))))
    return {
      fault: {
        is: 'kind-not-read',
        field: `${path}.caCertificateRefs[0]`,
        of,
        kind: text(refs[0]?.kind),
        reader: 'Envoy Gateway',
      },
      assumed,
    };
  return { fault: undefined, assumed };
}

/** Undefined where no manifest shows it, or where it leaves out what is in it, as of a Secret it should. */
export function keysOf(found: Manifest | undefined): readonly string[] | undefined {
  if (found === undefined) return undefined;
  const { data, stringData } = record(found.body);
  if (found.kind !== 'Secret') return Object.keys(record(data));
  const all = Object.keys({ ...record(data), ...record(stringData) });
  return all.length === 0 ? undefined : all;
}

/** Keys by which istiod knows an authority (ExtractRoot of pilot/pkg/credentials/kube/secrets.go). */
const ISTIOD_READS = ['cacert', 'ca.crt'];

/** The keys that a controller looks for. */
export function authorityKeys(
  isIstio: boolean,
  { readsAuthoritiesOfServers }: Pick<EnvoyGatewayBehavior, 'readsAuthoritiesOfServers'>,
): readonly string[] {
  if (isIstio) return ISTIOD_READS;
  return readsAuthoritiesOfServers ? ['ca.crt', 'tls.crt'] : ['ca.crt'];
}

/** The name that istiod gives a credential for no one: no proxy is ever sent it. */
const NO_CREDENTIAL = 'invalid://';

/**
 * What istiod makes of a BackendTLSPolicy (getBackendTLSCredentialName of pilot/pkg/config/kube/gateway/backend_policies.go): it reads the first
 * reference alone, and ConfigMaps alone.
 */
export function istiodAuthorityOf(
  { kind, namespace, name, body }: Manifest,
  find: Mesh['find'],
): Authority & { readonly credentialName: string } {
  const validation = record(record(record(body).spec).validation);
  const [ref] = records(validation.caCertificateRefs);
  if (ref === undefined || text(validation.wellKnownCACertificates) !== '')
    return { credentialName: '', fault: undefined, assumed: [] };
  const place = { field: 'validation.caCertificateRefs[0]', of: { kind, namespace, name } };
  const [target, named] = [text(ref.kind), text(ref.name)];
  if (text(ref.group) !== '' || target !== 'ConfigMap')
    return { credentialName: NO_CREDENTIAL, fault: { ...place, is: 'kind-not-read', kind: target, reader: 'istiod' }, assumed: [] }; // prettier-ignore
  const whole = `ConfigMap ${namespace}/${named}`;
  const credentialName = `configmap://${namespace}/${named}`;
  const found = find('', 'ConfigMap', namespace, named);
  if (found === undefined) return { credentialName, fault: undefined, assumed: [whole] };
  const data = record(record(found.body).data);
  if (ISTIOD_READS.some((key) => text(data[key]) !== '')) return { credentialName, fault: undefined, assumed: [] };
  const fault = { ...place, is: 'no-authority', object: whole, keys: Object.keys(data) } as const;
  return { credentialName: NO_CREDENTIAL, fault, assumed: [] };
}
