/** Findings that were there when check was switched on: they are accepted as they are, and only what is new is told. */
import { isRecord } from '../model/recognize';
import type { CheckResult, Finding, Suppressed } from './finding';

/** A finding as the file keeps it: what stays the same when lines move. */
interface Entry {
  readonly id: string;
  /** `Kind namespace/name`; of a finding without an object, its file. */
  readonly of: string;
  readonly field: string;
  readonly count: number;
}

const keyOf = ({ id, of, field }: Omit<Entry, 'count'>): string => JSON.stringify([id, of, field]);

function entryOf({ id, object, field, where }: Finding): Omit<Entry, 'count'> {
  const place = 'file' in where ? where.file : 'construct' in where ? where.construct : '';
  const of = object ? `${object.kind} ${object.namespace === '' ? '' : `${object.namespace}/`}${object.name}` : place;
  return { id, of, field };
}

export function writeBaseline({ findings }: CheckResult): string {
  const counts = new Map<string, Entry>();
  for (const finding of findings) {
    const entry = entryOf(finding);
    const key = keyOf(entry);
    counts.set(key, { ...entry, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  // One a line, so that a change of it is a change of a line.
  return `{ "version": 1, "findings": [\n${sorted.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n')}\n] }\n`;
}

export interface Compared {
  readonly result: CheckResult;
  /** Findings of the baseline that are there no more. */
  readonly gone: number;
}

/** @throws Error if the text is no baseline. */
export function withoutBaseline(result: CheckResult, text: string, file: string): Compared {
  const left = new Map(readBaseline(text, file).map((entry) => [keyOf(entry), entry.count]));
  const accepted: Suppressed[] = [];
  const findings = result.findings.filter((finding) => {
    const key = keyOf(entryOf(finding));
    const count = left.get(key) ?? 0;
    // A rule that fails is a fault of this tool, which no baseline accepts.
    if (count === 0 || finding.what.startsWith('the rule ')) return true;
    left.set(key, count - 1);
    const { id, name, object, where } = finding;
    accepted.push({ id, name, object, where, by: file, reason: 'there when the baseline was written' });
    return false;
  });
  const count = (severity: Finding['severity']): number => findings.filter((one) => one.severity === severity).length;
  const suppressed = [...(result.suppressed ?? []), ...accepted];
  return {
    gone: [...left.values()].reduce((sum, one) => sum + one, 0),
    result: {
      ...result,
      findings,
      summary: {
        ...result.summary,
        errors: count('error'),
        warnings: count('warning'),
        infos: count('info'),
        ...(suppressed.length === 0 ? {} : { suppressed: suppressed.length }),
      },
      ...(suppressed.length === 0 ? {} : { suppressed }),
    },
  };
}

function readBaseline(text: string, file: string): readonly Entry[] {
  const problem = new Error(
    `${file} is no baseline; write it again: mesh-edge check ... --baseline ${file} --write-baseline`,
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw problem;
  }
  if (!isRecord(value) || value.version !== 1 || !Array.isArray(value.findings)) throw problem;
  return value.findings.map((one: unknown): Entry => {
    if (!isRecord(one)) throw problem;
    const { id, of, field, count } = one;
    if (typeof id !== 'string' || typeof of !== 'string' || typeof field !== 'string' || typeof count !== 'number')
      throw problem;
    return { id, of, field, count };
  });
}
