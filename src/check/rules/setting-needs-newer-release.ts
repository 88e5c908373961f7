import { settingsUnreadBy } from '../../model/release-settings';
import type { Rule } from '../rule';
import { releaseTitle } from '../schema/other-releases';

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
  *check({ manifests, releases }) {
    const { release } = releases.istio;
    for (const manifest of manifests)
      for (const { name, since, before, field } of settingsUnreadBy(manifest, release))
        yield {
          manifest,
          field,
          what: `${name} needs ${releaseTitle('istio', since)}`,
          why: `${releaseTitle('istio', release)} ${before}.`,
          fix: `Upgrade to ${releaseTitle('istio', since)} or newer first, or take the setting away.`,
        };
  },
};
