import { formatField } from '../../model/field-path';
import type { Manifest } from '../../model/manifest';
import type { Rule } from '../rule';
import { unknownValues } from '../unknown-values';

export const rule: Rule = {
  id: 'EDGE008',
  name: 'unrendered-values',
  severity: 'info',
  title: 'A file holds values that something else writes before it is applied',
  why: 'A placeholder is not the value that the cluster gets, so nothing that hangs on it is judged.',
  fix: 'Check what is applied: render first, and give the result to mesh-edge check - (for example flux build, kubectl kustomize, helm template, envsubst).',
  see: 'https://fluxcd.io/flux/components/kustomize/kustomizations/#post-build-variable-substitution',
  reads: [],
  footguns: [],
  *check(context) {
    const unknown = context.index(unknownValues);
    if (unknown.size === 0) return;
    const byFile = new Map<string, Manifest[]>();
    for (const manifest of context.loaded.manifests) {
      // What a Secret or a foreign object leaves open takes nothing from the judgement.
      if (
        !unknown.has(manifest.index) ||
        manifest.kind === 'Secret' ||
        !context.schemas.versionsOf(manifest.group, manifest.kind)
      )
        continue;
      const file = manifest.source.file ?? manifest.source.construct ?? '';
      const known = byFile.get(file);
      if (known) known.push(manifest);
      else byFile.set(file, [manifest]);
    }
    for (const [first, ...others] of byFile.values()) {
      if (first === undefined) continue;
      const field = unknown.get(first.index)?.[0] ?? [];
      const more = others.length > 0 ? `, and ${others.length} more of its objects hold some too` : '';
      yield { manifest: first, field, what: `${formatField(field)} is a placeholder, not a value yet${more}` };
    }
  },
};
