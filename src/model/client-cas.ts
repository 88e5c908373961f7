/** The authorities that clients of a listener are judged by, where its controller cannot read one: the listener is not programmed then. */
import { authorityKeys, keysOf } from './backend-authority';
import type { CaReference } from './frontend-tls';
import type { GatewayApiInput } from './gateway-api';
import type { ListenerProblem } from './listener-problems';

const KINDS = { istiod: ['ConfigMap', 'Secret'], envoyGateway: ['ConfigMap', 'Secret', 'ClusterTrustBundle'] } as const;

/**
 * What istiod finds no authority in (buildCaCertificateReference of pilot/pkg/config/kube/gateway/conversion.go), or Envoy Gateway
 * (getCaCertsFromCARefs of internal/gatewayapi/backendtlspolicy.go, which passes over kinds that it does not know beside one that it knows).
 */
export function unreadCa(
  references: readonly CaReference[],
  isIstio: boolean,
  { find, envoyGateway }: Pick<GatewayApiInput, 'find' | 'envoyGateway'>,
): ListenerProblem | undefined {
  const kinds: readonly string[] = isIstio ? KINDS.istiod : KINDS.envoyGateway;
  const foreign = references.filter(({ group, kind }) => !kinds.includes(kind) || (isIstio && group !== ''));
  const [first] = foreign;
  if (first !== undefined && (isIstio || foreign.length === references.length))
    return { is: 'client-ca-of-other-kind', authority: named(first), takes: isIstio ? 'istiod' : 'Envoy Gateway' };
  for (const reference of references) {
    if (reference.kind !== 'ConfigMap' && reference.kind !== 'Secret') continue;
    const keys = keysOf(find('', reference.kind, reference.namespace, reference.name));
    const wanted = authorityKeys(isIstio, envoyGateway);
    if (keys === undefined || wanted.some((key) => keys.includes(key)) || (!isIstio && keys.length === 1)) continue;
    return { is: 'client-ca-empty', authority: named(reference), keys };
  }
  return undefined;
}

function named({ kind, namespace, name }: CaReference): Pick<CaReference, 'kind' | 'namespace' | 'name'> {
  return { kind, namespace, name };
}
