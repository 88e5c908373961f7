/** The one room in which reasons become words. */
import type { Note } from '../notes';
import type { Reason, ReasonKind } from '../reasons';
import type { Trace } from '../types';
import { FILTER_WORDS } from './filters';
import { LISTENER_WORDS } from './listeners';
import { NETWORK_WORDS } from './network';
import { worded, wordsOfNote } from './notes';
import { REPLY_WORDS } from './replies';
import { ROUTE_WORDS, UPSTREAM_TLS_WORDS } from './routes';
import type { Words, WordsFor } from './words';

export { spelled } from './problems';
export { NOTE_KINDS, wordsOfNote } from './notes';
export type { Words } from './words';

const WORDS: WordsFor<ReasonKind> = {
  ...NETWORK_WORDS,
  ...LISTENER_WORDS,
  ...FILTER_WORDS,
  ...ROUTE_WORDS,
  ...UPSTREAM_TLS_WORDS,
  ...REPLY_WORDS,
};

/** Every kind of reason that there is. */
export const REASON_KINDS: readonly ReasonKind[] = Object.keys(WORDS) as ReasonKind[];

export function wordsOf(reason: Reason): Words {
  return (WORDS[reason.kind] as (fields: Reason) => Words)(reason);
}

/** The notes of a trace with their words, each once. */
export function withNotes(notes: readonly Note[]): Pick<Trace, 'notes' | 'noted'> {
  if (notes.length === 0) return NO_NOTES;
  const byText = new Map<string, Note>();
  for (const note of notes) {
    const text = wordsOfNote(note);
    if (!byText.has(text)) byText.set(text, note);
  }
  return { notes: [...byText.keys()], noted: [...byText.values()].map(worded) };
}

const NO_NOTES = { notes: [], noted: [] };

/** Why the outcome of a trace is unknown. */
export function whyUnknown({ noted }: Pick<Trace, 'noted'>): string {
  const last = noted.filter(({ is }) => is === 'gap').at(-1);
  return last === undefined ? 'a part is missing' : wordsOfNote(last);
}
