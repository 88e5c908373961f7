/**
 * Which proxies istiod gives a Secret: those whose account may list the Secrets of its namespace, as far as manifests tell
 * (filterAuthorizedResources of pilot/pkg/xds/sds.go). Certificates of CAs alone, `...-cacert`, it gives to any proxy of the namespace.
 */
import { record, records, text, texts, type Json } from './fields';
import type { Manifest } from './manifest';
import type { Mesh } from './mesh';

export const RBAC = 'rbac.authorization.k8s.io';

/** Manifests by kind. */
export interface Objects {
  of(group: string, kind: string): readonly Manifest[];
}

export interface Access {
  /** `yes` also where a role that nobody shows may allow it; `untold` where no manifest shows what accounts of the namespace may do. */
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
export function listsSecrets(objects: Objects, namespace: string, account: string): Access {
  const bindings = [
    ...objects.of(RBAC, 'RoleBinding').filter((manifest) => manifest.namespace === namespace),
    ...objects.of(RBAC, 'ClusterRoleBinding'),
  ];
  let nearest: Manifest | undefined;
  let byGroup: Manifest | undefined;
  for (const manifest of bindings) {
    const body = record(manifest.body);
    const subjects = records(body.subjects);
    const own = subjects.some((subject) => isAccount(subject, manifest.namespace, namespace, account));
    const group = subjects.some((subject) => isGroup(subject, namespace));
    if (!own && !group) continue;
    const allows = roleAllows(objects, manifest, record(body.roleRef));
    if (allows && own) return { may: 'yes', binding: manifest };
    if (allows) byGroup ??= manifest;
    else if (own) nearest ??= manifest;
  }
  if (byGroup) return { may: 'by-group-only', binding: byGroup };
  if (nearest) return { may: 'no', binding: nearest };
  return { may: showsRoles(objects, namespace) ? 'no' : 'untold', binding: undefined };
}

/** The same of a mesh, found once for all requests. */
export function accessToSecrets(mesh: Pick<Mesh, 'of' | 'remember'>, namespace: string, account: string): Access {
  return mesh.remember(mesh, `access to secrets: ${namespace}/${account}`, () =>
    listsSecrets(mesh, namespace, account),
  );
}

/** What says what accounts may do in a namespace. */
export function rolesOf(objects: Objects): readonly Manifest[] {
  return ['Role', 'RoleBinding'].flatMap((kind) => objects.of(RBAC, kind));
}

export function showsRoles(objects: Objects, namespace: string): boolean {
  return rolesOf(objects).some((one) => one.namespace === namespace);
}

/** Whether a name stands for a Secret beside the proxy, and not for what other servers or files have. */
export function isSecret(credential: string): boolean {
  return credential !== '' && (!credential.includes('://') || credential.startsWith('kubernetes://'));
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

function roleAllows(objects: Objects, binding: Manifest, ref: Json): boolean {
  const name = text(ref.name);
  const kind = ref.kind === 'ClusterRole' ? 'ClusterRole' : 'Role';
  const shown = objects
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
