/** Which istiod has the say: of several revisions each has settings of its own, and serves the Pods that its webhook injects. */
import { record, strings } from '../model/fields';
import { type Installation, installationOf, installationsOf } from '../model/installation';
import type { Manifest } from '../model/manifest';
import type { Mesh } from '../model/mesh';
import { DEFAULT_REVISION, REVISION_LABEL, type ServedPod, revisionOf } from '../model/revisions';
import type { CheckContext } from './context';

/** The installations of those istiods that serve the Pods of a namespace with these labels; all of them where nobody can tell. */
export function installationsServing(
  { mesh, manifests }: CheckContext,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): readonly Installation[] {
  const all = installationsOf(manifests);
  const isAll = Object.keys(labels).length === 0;
  if (mesh.config.revisions.names.length < 2 || (isAll && namespace === mesh.config.rootNamespace)) return all;
  const revisions = new Set(podsOf(mesh, namespace, labels).map((pod) => mesh.revisionServing(pod)));
  return revisions.has(undefined) ? all : all.filter(({ manifest }) => revisions.has(revisionOf(manifest)));
}

/** Pods with these labels, or one that is like them where none is shown. */
function podsOf(mesh: Mesh, namespace: string, labels: Readonly<Record<string, string>>): readonly ServedPod[] {
  const isAll = Object.keys(labels).length === 0;
  const pods = isAll ? mesh.workloads.inNamespace(namespace) : mesh.workloads.selected(namespace, labels);
  return pods.length > 0 ? pods : [{ namespace, labels }];
}

/**
 * The mesh as those istiods know it that serve the Pods of a namespace with these labels; for what is in the root namespace and for all of
 * it, as each of them does.
 */
export function meshesServing(
  { mesh }: CheckContext,
  namespace: string,
  labels: Readonly<Record<string, string>> = {},
): readonly Mesh[] {
  if (mesh.views.length === 1) return [mesh];
  if (Object.keys(labels).length === 0 && namespace === mesh.config.rootNamespace) return mesh.views;
  return [...new Set(podsOf(mesh, namespace, labels).map((pod) => mesh.servedTo(pod)))];
}

/** Those that read an object and make something of it for Pods that they serve: of an installation, the one that it is of. */
export function readersOf(context: CheckContext, manifest: Manifest): readonly Mesh[] {
  const { mesh } = context;
  const own = installationOf(manifest) === undefined ? manifest.labels[REVISION_LABEL] : revisionOf(manifest);
  if (own !== undefined && own !== DEFAULT_REVISION)
    return [mesh.servedTo({ namespace: '', labels: { [REVISION_LABEL]: own }, isRunning: true })];
  if (manifest.kind === 'Namespace') return meshesServing(context, manifest.name);
  const spec = record(record(manifest.body).spec);
  const { labels, matchLabels } = record(spec.workloadSelector ?? spec.selector);
  return meshesServing(context, manifest.namespace, strings(labels ?? matchLabels));
}

/** Whether one of them lets nobody call hosts that nothing declares. */
export function isHeldBack(
  context: CheckContext,
  namespace: string,
  labels?: Readonly<Record<string, string>>,
): boolean {
  return meshesServing(context, namespace, labels).some(({ config }) => config.outbound === 'REGISTRY_ONLY');
}
