import type { Rule } from '../rule';
import { kindsOf, versionsOf } from '../schema/store';
import { nearest, quote } from '../schema/structural';

export const rule: Rule = {
  id: 'EDGE004',
  name: 'unknown-kind',
  severity: 'error',
  title: 'The API group has no such kind, or not in this version',
  why: 'An API server without this kind and version refuses the object: "no matches for kind".',
  fix: 'Write a kind and version that the CRDs of the cluster serve.',
  see: 'https://istio.io/latest/docs/reference/config/',
  reads: [],
  footguns: ['G14'],
  *check({ manifests }) {
    for (const manifest of manifests) {
      const { group, version, kind } = manifest;
      const versions = versionsOf(group, kind);
      if (versions) {
        if (versions.includes(version)) continue;
        yield {
          manifest,
          field: ['apiVersion'],
          // Versions come and go with the release of the CRDs; those of Istio have been the same for years.
          severity: group.endsWith('istio.io') ? 'error' : 'warning',
          what: `${kind} is not served as ${quote(manifest.apiVersion)}`,
          fix: `Write apiVersion: ${group ? `${group}/` : ''}${versions.includes('v1') ? 'v1' : versions[0]}.`,
        };
        continue;
      }
      const kinds = kindsOf(group);
      if (!kinds) continue;
      const meant = nearest(kind, kinds);
      // Projects keep documents of other kinds under their API group, which are never sent to a cluster.
      if (!meant && !group.endsWith('istio.io')) continue;
      yield {
        manifest,
        field: ['kind'],
        severity: meant ? 'error' : 'warning',
        what: `${group} has no kind ${quote(kind)}`,
        fix: meant ? `Did you mean ${meant}?` : `Its kinds are ${kinds.join(', ')}.`,
      };
    }
  },
};
