/** Whether Pods get a sidecar: which of them istiod's webhook is asked about, and what the injector answers (injectRequired of pkg/kube/inject). */

type Labels = Readonly<Record<string, string>>;

/** Of a namespace or a Pod: `ambient` has ztunnel take its connections, `none` keeps it out. */
export const DATAPLANE_MODE = 'istio.io/dataplane-mode';

/** Whether the injector of a namespace acts on its Pods by its labels; undefined if no manifest shows the namespace. */
export function namespaceInjection(info: { readonly labels: Labels } | undefined): boolean | undefined {
  if (info === undefined) return undefined;
  const { labels } = info;
  if (labels['istio-injection'] !== undefined) return labels['istio-injection'] === 'enabled';
  return labels['istio.io/rev'] !== undefined;
}

/**
 * Whether a Pod gets a sidecar; undefined where only its namespace could tell, which no manifest shows. The label outweighs the annotation,
 * and only `true` and `false` count. The annotation asks for nothing where the namespace does not: the webhook never sees such a Pod.
 */
export function podInjection(
  { labels, annotations }: { readonly labels: Labels; readonly annotations: Labels },
  info: { readonly labels: Labels } | undefined,
): boolean | undefined {
  const label = labels['sidecar.istio.io/inject'];
  if ((label ?? annotations['sidecar.istio.io/inject']) === 'false') return false;
  const asks = label === 'true' || labels['istio.io/rev'] !== undefined;
  if (info === undefined) return asks ? true : undefined;
  return namespaceInjection(info) === true || (asks && info.labels['istio-injection'] === undefined);
}
