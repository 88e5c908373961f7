import type { Manifest } from '../../model/manifest';
import { nameOf } from '../edge';
import type { Rule } from '../rule';

export const rule: Rule = {
  id: 'EDGE005',
  name: 'duplicate-object',
  severity: 'error',
  title: 'One object is written twice, in two ways',
  why: 'The one that is applied last overwrites the other: what the first one said is gone, without a word.',
  fix: 'Give each of them a name of its own, or write one object with both contents.',
  see: 'https://kubernetes.io/docs/concepts/overview/working-with-objects/names/',
  reads: [],
  footguns: ['W07'],
  *check({ admitted }) {
    const first = new Map<string, Manifest>();
    for (const { manifest } of admitted) {
      if (manifest.name === '' || manifest.kind === 'HelmValues') continue;
      const key = `${manifest.group}/${manifest.kind}/${manifest.namespace}/${manifest.name}`;
      const known = first.get(key);
      if (!known) {
        first.set(key, manifest);
        continue;
      }
      if (JSON.stringify(known.body) === JSON.stringify(manifest.body)) continue;
      const isOneFile = known.source.file === manifest.source.file;
      const place =
        known.source.file === undefined
          ? ''
          : ` (the other is at ${isOneFile ? 'line' : known.source.file}${isOneFile ? ' ' : ':'}${known.source.line ?? 1})`;
      yield {
        manifest,
        field: ['metadata', 'name'],
        // A repository may hold one object for each of several clusters, in files of their own.
        severity: isOneFile ? 'error' : 'warning',
        what: `${nameOf(manifest)} is there twice with different contents${place}`,
      };
    }
  },
};
