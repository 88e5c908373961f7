/** How far a Role or a binding reaches: proxies whose account may list Secrets on one side alone get keys there alone. */
import type { Mesh } from '../model/mesh';
import { accessToSecrets } from '../model/secret-access';
import { EVERYTHING, NOTHING, type Reach } from './reach-shape';
import type { Links } from './links';

export function ofRoles([was, is]: readonly [Links, Links]): Reach {
  const [before, after] = [accessIn(was.mesh), accessIn(is.mesh)];
  const isAlike = [...before].every(([account, access]) => (after.get(account) ?? access) === access);
  return isAlike ? NOTHING : EVERYTHING;
}

/** What accounts of workloads may do, by namespace and account. */
function accessIn(mesh: Mesh): ReadonlyMap<string, string> {
  return mesh.remember(mesh, 'diff: access to secrets', () => {
    const found = new Map<string, string>();
    for (const { namespace, serviceAccount } of mesh.workloads.all) {
      const account = `${namespace}/${serviceAccount}`;
      if (found.has(account)) continue;
      const { may, binding } = accessToSecrets(mesh, namespace, serviceAccount);
      found.set(
        account,
        may === 'yes' || binding !== undefined || mesh.showsRolesIn(namespace) ? String(may === 'yes') : 'untold',
      );
    }
    return found;
  });
}
