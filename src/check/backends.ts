/** A Service that a route of the Gateway API leads to and that no manifest shows. */
import type { CheckContext } from './context';
import type { Hit } from './rule';
import { nearestName } from '../model/near-names';

/**
 * What is known to be wrong with it: a namespace that shows a name like it, or that shows others and that nothing else fills. Undefined where
 * it may well be there.
 */
export function missingBackend(
  { mesh }: CheckContext,
  namespace: string,
  name: string,
): Pick<Hit, 'what' | 'fix' | 'severity'> | undefined {
  // Shown, or made by istiod of a Gateway, or brought by an installation.
  if (mesh.services.ofCluster(namespace, name) !== undefined) return undefined;
  const siblings = mesh.services.inNamespace(namespace).filter(({ registry }) => registry === 'Kubernetes');
  const shown = siblings.filter(({ assumed }) => !assumed).map((one) => one.name);
  // The Service that istiod makes for a Gateway has its class in its name.
  const isGateway = mesh.gatewayApi.find(namespace, name) !== undefined;
  const near =
    nearestName(name, shown) ??
    (isGateway ? siblings.find((candidate) => candidate.name.startsWith(`${name}-`))?.name : undefined);
  const what = `there is no Service ${namespace}/${name}`;
  if (near) return { what, fix: `Did you mean ${near}?` };
  if (shown.length === 0 || mesh.isOpen(namespace)) return undefined;
  return {
    severity: 'warning',
    what: `${what}; namespace ${namespace} has ${shown.slice(0, 6).join(', ')}`,
    fix: `Write the name of a Service of namespace ${namespace}. If another repository owns it, declare it in mesh-edge.yaml: externals: [Service ${namespace}/${name}].`,
  };
}
