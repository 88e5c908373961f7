import { record } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { isWrittenAlike } from '../../model/unread';
import { nameOf } from '../edge';
import type { Severity } from '../finding';
import type { Hit, Rule } from '../rule';

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
    const acrossFiles: { readonly known: Manifest; readonly manifest: Manifest }[] = [];
    for (const { manifest } of admitted) {
      if (manifest.name === '' || manifest.kind === 'HelmValues') continue;
      const key = `${manifest.group}/${manifest.kind}/${manifest.namespace}/${manifest.name}`;
      const known = first.get(key);
      if (!known) {
        first.set(key, manifest);
        continue;
      }
      if (isWrittenAlike(known.body, manifest.body)) continue;
      // A component that several kustomizations take up has the marks of each.
      if (isOneDocument(known, manifest)) {
        if (!isWrittenAlike(unmarked(known), unmarked(manifest))) acrossFiles.push({ known, manifest });
      } else if (known.source.file === manifest.source.file) yield twice(manifest, known, 'error');
      else acrossFiles.push({ known, manifest });
    }
    // A repository may hold one object for each of several clusters, in files of their own.
    if (acrossFiles.length <= FEW)
      for (const { known, manifest } of acrossFiles) yield twice(manifest, known, 'warning');
    else yield alternatives(acrossFiles.map(({ known, manifest }) => [known, manifest] as const));
  },
};

const isOneDocument = ({ source: a }: Manifest, { source: b }: Manifest): boolean =>
  a.file !== undefined && a.file === b.file && a.line === b.line;

function unmarked({ body }: Manifest): unknown {
  const whole = record(body);
  const { labels: _labels, annotations: _annotations, ...metadata } = record(whole.metadata);
  return { ...whole, metadata };
}

/** More than these are environments or alternatives side by side, and not a slip each. */
const FEW = 5;

function twice(manifest: Manifest, known: Manifest, severity: Severity): Hit {
  const isOneFile = known.source.file === manifest.source.file;
  const place =
    known.source.file === undefined
      ? ''
      : ` (the other is at ${isOneFile ? 'line' : known.source.file}${isOneFile ? ' ' : ':'}${known.source.line ?? 1})`;
  return {
    manifest,
    field: ['metadata', 'name'],
    severity,
    what: `${nameOf(manifest)} is there twice with different contents${place}`,
  };
}

/** One finding for all of them, those of the mesh named first. */
function alternatives(pairs: readonly (readonly [Manifest, Manifest])[]): Hit {
  const isOfMesh = ({ group }: Manifest): boolean => /istio\.io$|^gateway\./.test(group);
  const sorted = [...pairs.filter(([one]) => isOfMesh(one)), ...pairs.filter(([one]) => !isOfMesh(one))];
  const named = sorted
    .slice(0, FEW)
    .map(([known, manifest]) => `${nameOf(manifest)} (${known.source.file ?? ''} and ${manifest.source.file ?? ''})`);
  return {
    source: sorted[0]?.[1].source ?? {},
    field: [],
    severity: 'warning',
    what: `${pairs.length} objects are there twice with different contents, in files of their own: ${named.join(', ')} and ${pairs.length - named.length} more`,
    why: 'Environments and alternatives side by side are not one mesh. Applied together, the one that is applied last overwrites the other.',
    fix: 'Say in mesh-edge.yaml which folders are applied by themselves (roots), and which are no part of any mesh (ignore).',
  };
}
