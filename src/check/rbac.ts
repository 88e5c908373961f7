/** What accounts may do, as far as manifests tell. */
import { record, records, text, texts, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import type { CheckContext } from './context';

const RBAC = 'rbac.authorization.k8s.io';

export interface Access {
  /** `yes` also where a role that nobody shows may allow it. */
  readonly may: 'yes' | 'by-group-only' | 'no' | 'untold';
  /** What comes nearest to allowing it. */
  readonly binding: Manifest | undefined;
}

/** Cluster roles of Kubernetes itself that let read Secrets. */
const BUILT_IN = new Map([
  ['cluster-admin', true],
  ['admin', true],
  ['edit', true],
  ['view', false],
]);

/** Whether an account may list the Secrets of its namespace: by itself, as istiod asks for it, or only by a group that it is in. */
export function listsSecrets(context: CheckContext, namespace: string, account: string): Access {
  const bindings = [
    ...context.of(RBAC, 'RoleBinding').filter((manifest) => manifest.namespace === namespace),
    ...context.of(RBAC, 'ClusterRoleBinding'),
  ];
  const roles = [...context.of(RBAC, 'Role').filter((manifest) => manifest.namespace === namespace)];
  let nearest: Manifest | undefined;
  let byGroup: Manifest | undefined;
  for (const manifest of bindings) {
    const body = record(manifest.body);
    const subjects = records(body.subjects);
    const own = subjects.some((subject) => isAccount(subject, manifest.namespace, namespace, account));
    const group = subjects.some((subject) => isGroup(subject, namespace));
    if (!own && !group) continue;
    const allows = roleAllows(context, manifest, record(body.roleRef));
    if (allows && own) return { may: 'yes', binding: manifest };
    if (allows) byGroup ??= manifest;
    else if (own) nearest ??= manifest;
  }
  if (byGroup) return { may: 'by-group-only', binding: byGroup };
  if (nearest) return { may: 'no', binding: nearest };
  return { may: bindings.length + roles.length > 0 ? 'no' : 'untold', binding: undefined };
}

function isAccount(subject: Json, home: string, namespace: string, account: string): boolean {
  if (subject.kind === 'User') return subject.name === `system:serviceaccount:${namespace}:${account}`;
  const where = text(subject.namespace) || home;
  return subject.kind === 'ServiceAccount' && subject.name === account && where === namespace;
}

function isGroup(subject: Json, namespace: string): boolean {
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  return subject.kind === 'Group' && groups.includes(text(subject.name));
}

function roleAllows(context: CheckContext, binding: Manifest, ref: Json): boolean {
  const name = text(ref.name);
  const kind = ref.kind === 'ClusterRole' ? 'ClusterRole' : 'Role';
  const shown = context
    .of(RBAC, kind)
    .find((manifest) => manifest.name === name && (kind === 'ClusterRole' || manifest.namespace === binding.namespace));
  if (shown === undefined) return BUILT_IN.get(name) ?? true;
  const body = record(shown.body);
  return (
    body.aggregationRule !== undefined ||
    records(body.rules).some(
      (rule) =>
        ['', '*'].some((group) => texts(rule.apiGroups).includes(group)) &&
        ['secrets', '*'].some((resource) => texts(rule.resources).includes(resource)) &&
        ['list', '*'].some((verb) => texts(rule.verbs).includes(verb)) &&
        texts(rule.resourceNames).length === 0,
    )
  );
}
