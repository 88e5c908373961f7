/** What one istiod makes its own of the manifests: those that its selectors and its revision leave it, and its settings. */
import { canonical } from './canonical';
import type { Manifest } from './manifest';
import type { MeshConfig } from './mesh-config';
import { REVISION_LABEL } from './revisions';
import { selects } from './selectors';

export const ISTIO_GROUPS = new Set(['networking.istio.io', 'security.istio.io', 'telemetry.istio.io']);

/** What istiod does not look at: Services and its own kinds in namespaces that are shown and that its selectors leave out. */
export function undiscovered(
  manifests: readonly Manifest[],
  { discoverySelectors }: MeshConfig,
): (one: Manifest) => boolean {
  if (discoverySelectors.length === 0) return () => false;
  const hidden = new Set(
    manifests
      .filter(({ group, kind }) => group === '' && kind === 'Namespace')
      .filter(({ name, labels }) => {
        const all = { 'kubernetes.io/metadata.name': name, ...labels };
        return !discoverySelectors.some((selector) => selects(selector, all));
      })
      .map(({ name }) => name),
  );
  return ({ group, kind, namespace }) =>
    hidden.has(namespace) && (ISTIO_GROUPS.has(group) || (group === '' && kind === 'Service'));
}

/** Whether an object is labelled for another revision of istiod, which alone reads it (LabelsInRevision, pkg/config/model.go of Istio). */
export function isForAnother({ group, labels }: Manifest, revision: string): boolean {
  const label = labels[REVISION_LABEL];
  return (
    label !== undefined && label !== revision && (ISTIO_GROUPS.has(group) || group === 'gateway.networking.k8s.io')
  );
}

/** What of the settings decides about requests. */
export function settingsOf({
  outboundFrom: _from,
  releases: _releases,
  revisions: _revisions,
  ...settings
}: MeshConfig): string {
  return canonical(settings);
}
