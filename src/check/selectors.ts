/** Selectors of objects that choose workloads, and whether they choose any that manifests show. */
import type { Manifest } from '../model/manifest';
import type { CheckContext } from './context';
import { selects } from './edge';
import { nearest } from './schema/structural';
import { podTemplates, podsWith } from './workloads';

export interface Missed {
  readonly what: string;
  /** A label of pods that is there and differs by a letter or two. */
  readonly near: string | undefined;
}

/** Pods that charts run, and no repository of manifests shows: istiod, and Envoy Gateway's controller. */
const CONTROL_PLANES: readonly Readonly<Record<string, string>>[] = [
  { app: 'istiod', istio: 'pilot' },
  { 'control-plane': 'envoy-gateway', 'app.kubernetes.io/name': 'gateway-helm' },
];

/** Nothing if the labels choose pods, or if manifests show none that they could. */
export function missed(
  context: CheckContext,
  manifest: Manifest,
  labels: Readonly<Record<string, string>> | undefined,
): Missed | undefined {
  if (!labels || Object.keys(labels).length === 0) return undefined;
  const isEverywhere = manifest.namespace === context.mesh.config.rootNamespace;
  const isThere = ({ namespace }: { readonly namespace: string }): boolean =>
    isEverywhere || namespace === manifest.namespace;
  const { workloads } = context.mesh;
  if (
    CONTROL_PLANES.some((pod) => selects(labels, pod)) ||
    podsWith(context, labels).some(isThere) ||
    (isEverywhere
      ? workloads.all.some((workload) => selects(labels, workload.labels))
      : workloads.selected(manifest.namespace, labels).length > 0)
  )
    return undefined;
  const shown = context.index(podTemplates).filter(isThere);
  if (shown.length === 0) return undefined;
  const values = shown.flatMap((pod) => Object.keys(labels).flatMap((key) => pod.labels[key] ?? []));
  const near = Object.values(labels)
    .map((value) => nearest(value, values))
    .find((value) => value !== undefined);
  const wanted = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return {
    near,
    what: `no pods have the labels ${wanted.join(', ')}${near ? `; there is ${near}` : ' among those that manifests show'}`,
  };
}
