import { type Access, isSecret, listsSecrets } from '../../model/secret-access';
import { namedCredentials } from '../credentials';
import { nameOf } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE321',
  name: 'credential-not-readable',
  severity: 'warning',
  title: 'The account of a proxy may not read its credential',
  why: 'istiod gives a proxy a Secret only if the account of its pod may list the Secrets of its namespace, and asks for the account alone, without its groups. A listener with such a credential opens late, and TLS on it is cut; a call with one fails.',
  fix: 'Bind a Role that allows get, watch and list of secrets to the ServiceAccount of the pod, by name, in its namespace.',
  see: 'https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/',
  reads: ['Gateway', 'DestinationRule'],
  footguns: ['T09'],
  *check(context) {
    for (const { manifest, field, name, pods, isAuthority, readers } of namedCredentials(context)) {
      if (!isSecret(name) || isAuthority) continue;
      for (const pod of pods) {
        const account = pod.spec.serviceAccountName ?? 'default';
        const { may, binding } = listsSecrets(context, pod.namespace, account);
        // Whoever installs a gateway binds a Role for it; nobody does for workloads.
        if (may === 'yes' || (may === 'untold' && readers === 'gateway')) continue;
        const isTold = binding !== undefined || (may === 'no' && !context.mesh.isOpen(pod.namespace));
        yield {
          manifest,
          field,
          what: `${nameOf(pod.manifest)} is to read Secret ${JSON.stringify(name)}; its ServiceAccount ${pod.namespace}/${account} may not list secrets: ${because({ may, binding })}`,
          severity: isTold ? 'warning' : 'info',
        };
      }
    }
  },
};

function because({ may, binding }: Access): string {
  if (binding === undefined) return 'no binding among the manifests names it';
  return may === 'by-group-only'
    ? `only by a group, in ${nameOf(binding)}`
    : `what ${nameOf(binding)} gives it is something else`;
}
