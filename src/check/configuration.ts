/** `mesh-edge.yaml`: what a repository has decided about findings. */
import { load } from 'js-yaml';
import { isRecord } from '../model/recognize';
import type { Suppression } from './suppress';

export interface Configuration {
  readonly suppress: readonly Suppression[];
}

/** @throws Error that says which entry is wrong, and how to write it. */
export function readConfiguration(text: string, file: string): Configuration {
  const isEmpty = text.split('\n').every((line) => line.trim() === '' || line.trim().startsWith('#'));
  const parsed: unknown = isEmpty ? null : load(text);
  if (parsed === null || parsed === undefined) return { suppress: [] };
  const problem = (what: string): Error => new Error(`${file}: ${what}`);
  if (!isRecord(parsed)) throw problem('it must be a mapping, such as suppress: [...]');
  const unknown = Object.keys(parsed).filter((key) => key !== 'suppress');
  if (unknown.length > 0) throw problem(`there is no setting ${JSON.stringify(unknown[0])}; the only one is suppress`);
  const entries = parsed.suppress ?? [];
  if (!Array.isArray(entries)) throw problem('suppress must be a list');
  return {
    suppress: entries.map((entry: unknown, at): Suppression => {
      if (!isRecord(entry) || typeof entry.rule !== 'string')
        throw problem(`suppress[${at}] names no rule; write rule: EDGE201 and reason: ...`);
      const wrong = Object.entries(entry).find(
        ([key, value]) => !['rule', 'reason', 'object', 'file'].includes(key) || typeof value !== 'string',
      );
      if (wrong)
        throw problem(
          `suppress[${at}].${wrong[0]} is not a text that is known here; write rule, reason, object and file`,
        );
      const { rule, reason = '', object, file: place } = entry as Record<string, string>;
      return {
        rule: rule ?? '',
        reason,
        by: file,
        ...(object === undefined ? {} : { object }),
        ...(place === undefined ? {} : { file: place }),
      };
    }),
  };
}
