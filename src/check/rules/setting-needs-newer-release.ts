import type { Manifest } from '../../model/manifest';
import { compareVersions } from '../../model/releases-in-force';
import { settingsUnreadBy } from '../../model/release-settings';
import type { CheckContext } from '../context';
import type { Rule } from '../rule';
import { releaseTitle } from '../schema/other-releases';
import { readersOf } from '../served';

export const rule: Rule = {
  id: 'EDGE032',
  name: 'setting-needs-newer-release',
  severity: 'warning',
  title: 'A setting of the mesh, label or annotation is for a newer release of Istio',
  why: 'No CRD has these settings, and nothing refuses them: a release that does not know one goes on as if it were not written.',
  fix: 'Upgrade Istio first, or take the setting away.',
  see: 'https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/',
  reads: [],
  footguns: [],
  *check(context) {
    for (const manifest of context.manifests) {
      const release = releaseReading(context, manifest);
      for (const { name, since, before, field } of settingsUnreadBy(manifest, release))
        yield {
          manifest,
          field,
          what: `${name} needs ${releaseTitle('istio', since)}`,
          why: `${releaseTitle('istio', release)} ${before}.`,
          fix: `Upgrade to ${releaseTitle('istio', since)} or newer first, or take the setting away.`,
        };
    }
  },
};

/** Of several revisions, each reads its own installation, and what is said for Pods that it serves; the oldest of these counts. */
function releaseReading(context: CheckContext, manifest: Manifest): string {
  const { releases, crds } = context;
  if (releases.istio.release === crds.istio.release) return releases.istio.release;
  const found = readersOf(context, manifest).map(({ config }) => config.releases.istio.release);
  return [...found].sort(compareVersions)[0] ?? releases.istio.release;
}
