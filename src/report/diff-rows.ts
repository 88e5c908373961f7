/** Changes as rows for people: what is the same for several hosts is said once. */
import type { Change, Effect } from '../diff/types';
import { classWords } from './class-words';

export interface Reading {
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Which requests to there, of which the one that is told is an example; empty where it is all there is. */
  readonly of: string;
  readonly was: string;
  readonly is: string;
  readonly because: readonly string[];
}

export const READING_ORDER: readonly Effect[] = [
  'widened',
  'weakened',
  'narrowed',
  'rerouted',
  'unclear',
  'refused-otherwise',
];

export const TITLES: Readonly<Record<Effect, string>> = {
  widened: 'Newly allowed',
  weakened: 'Less protected',
  narrowed: 'No longer allowed',
  rerouted: 'Rerouted',
  unclear: 'Unknown',
  'refused-otherwise': 'Still denied, for another reason',
};

const MAX_NAMES = 8;

export function forReading(changes: readonly Change[]): readonly Reading[] {
  const rows = new Map<
    string,
    { from: readonly string[]; to: string[]; of: string; was: string; is: string; because: Map<string, string> }
  >();
  for (const change of changes) {
    // Of connections nothing is asked, and of what is refused as before one example is enough.
    const isPlain = change.effect === 'refused-otherwise' || /^(tcp|tls):/.test(change.request.request);
    const of = isPlain ? '' : classWords(change.region);
    const key = JSON.stringify([change.from, change.was.text, change.is.text, of]);
    const row = rows.get(key) ?? {
      from: change.from,
      to: [],
      of,
      was: change.was.text,
      is: change.is.text,
      because: new Map<string, string>(),
    };
    rows.set(key, row);
    row.to.push(change.to);
    for (const one of change.because) {
      const name = `${one.kind} ${one.namespace === '' ? '' : `${one.namespace}/`}${one.name}`;
      row.because.set(name, one.change === 'changed' ? name : `${name} (${one.change})`);
    }
  }
  return [...rows.values()].map((row) => ({
    ...row,
    from: some(row.from),
    to: some(row.to),
    because: some([...row.because.values()]),
  }));
}

function some(names: readonly string[]): readonly string[] {
  return names.length <= MAX_NAMES
    ? names
    : [...names.slice(0, MAX_NAMES - 1), `and ${names.length - MAX_NAMES + 1} more`];
}
