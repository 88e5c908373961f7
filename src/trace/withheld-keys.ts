/** Keys in Secrets that istiod does not give a proxy, since its account may not list the Secrets of its namespace. */
import { GATEWAY_API } from '../model/gateway-api';
import { accessToSecrets, isSecret } from '../model/secret-access';
import { isShown, type Workload } from '../model/workloads';
import { assumption } from './notes';
import type { Reasons } from './reasons';
import { refOf } from './refs';
import type { Walk } from './walk';

/** A proxy by its account; `workload` where anything is known of what runs it. */
export interface Holder {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly workload: Workload | undefined;
}

/**
 * Why a proxy has no key and certificate of a Secret that is named to it; undefined where it has them. Charts and istioctl bind a Role for
 * their gateways; where no manifest shows what accounts may do, this one is taken to be allowed.
 */
export function withheldKey(
  walk: Walk,
  { namespace, serviceAccount, workload }: Holder,
  secret: string,
): Reasons['key-withheld'] | undefined {
  const { mesh } = walk;
  if (!isSecret(secret) || (workload !== undefined && isInstalled(workload))) return undefined;
  const account = `${namespace}/${serviceAccount}`;
  const { may, binding } = accessToSecrets(mesh, namespace, serviceAccount);
  if (may === 'yes') return undefined;
  const isTold = binding !== undefined || (mesh.showsRolesIn(namespace) && !mesh.isOpen(namespace));
  if (isTold && workload !== undefined)
    return {
      secret,
      account,
      binding: binding === undefined ? null : refOf(binding),
      byGroup: may === 'by-group-only',
    };
  walk.note(assumption({ kind: 'account-lists-secrets', account, secret }));
  return undefined;
}

/** A gateway of a chart or of istioctl, whose Pods no manifest shows. One of the Gateway API has an account that nobody binds a Role to. */
function isInstalled(workload: Workload): boolean {
  return workload.membership === 'gateway' && !isShown(workload) && workload.manifest?.group !== GATEWAY_API;
}
