import { COMPONENTS, COMPONENT_NAMES } from '../../model/releases';
import { compareVersions } from '../../model/releases-in-force';
import type { Rule } from '../rule';
import { releaseTitle } from '../schema/other-releases';

export const rule: Rule = {
  id: 'EDGE030',
  name: 'release-not-modelled',
  severity: 'warning',
  title: 'The release that was asked for, or that the manifests show, is none of those that are known',
  why: 'What is judged by the nearest release may be judged wrongly: fields and their meaning differ from release to release.',
  fix: 'Name a release that is known, or use a version of mesh-edge that knows this one.',
  see: 'https://github.com/cdk8s-mesh-edge/cdk8s-mesh-edge/blob/main/docs/releases.md',
  reads: [],
  footguns: [],
  *check({ releases }) {
    for (const component of COMPONENT_NAMES) {
      const { stated, release, isModelled, shownBy } = releases[component];
      if (isModelled) continue;
      const { title, releases: known } = COMPONENTS[component];
      const names = known.map(({ name }) => name);
      const isNewer = compareVersions(stated, names[0] ?? '') > 0;
      yield {
        ...(shownBy === null ? {} : { manifest: shownBy }),
        field: [],
        what: `${title} ${stated.replace(/^v/, '')} is ${isNewer ? 'newer' : 'older'} than the releases that are known here (${names.at(-1)} to ${names[0]}): everything is judged by ${releaseTitle(component, release)}`,
      };
    }
  },
};
