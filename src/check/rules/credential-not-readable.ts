import { namedCredentials } from '../credentials';
import { nameOf } from '../edge';
import { listsSecrets } from '../rbac';
import type { Rule } from '../rule';
import type { PodTemplate } from '../workloads';

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
    for (const { manifest, field, name, pods } of namedCredentials(context)) {
      if (name.includes('://')) continue;
      for (const pod of pods.filter(isIstios)) {
        const account = pod.spec.serviceAccountName ?? 'default';
        const { may, binding } = listsSecrets(context, pod.namespace, account);
        if (may === 'yes' || may === 'untold') continue;
        const because =
          may === 'by-group-only'
            ? `only by a group, in ${nameOf(binding!)}`
            : binding
              ? `and what ${nameOf(binding)} gives it is something else`
              : 'and no binding among the manifests names it';
        yield {
          manifest,
          field,
          what: `${nameOf(pod.manifest)} is to read Secret ${JSON.stringify(name)}; its ServiceAccount ${pod.namespace}/${account} may not list secrets: ${because}`,
          severity: binding ? 'warning' : 'info',
        };
      }
    }
  },
};

/** Gateways of the Gateway API get credentials by another right: that of the Gateway's namespace, and ReferenceGrants. */
function isIstios({ labels }: PodTemplate): boolean {
  return labels['gateway.networking.k8s.io/gateway-name'] === undefined;
}
