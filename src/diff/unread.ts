/** What of either side was not read: where it differs, what that does is not known; what is the same on both sides is noted. */
import { basename } from 'node:path';
import type { LeftOut, LoadProblem, Source } from '../model/manifest';
import type { Undecided } from './types';

export interface Unread {
  readonly problems: readonly LoadProblem[];
  readonly leftOut?: readonly LeftOut[];
}

interface Part {
  readonly place: string;
  readonly why: string;
  /** The same for what is alike on both sides. */
  readonly key: string;
}

function place({ file = '', line }: Source): string {
  return line === undefined ? file : `${file}:${line}`;
}

/** Where a document stands does not matter as long as it is the same one; of what has no content, its place does. */
function part(source: Source, why: string, digest: string | undefined): Part {
  const own = digest === undefined ? [basename(source.file ?? ''), source.line] : [digest];
  return { place: place(source), why, key: JSON.stringify([why, ...own]) };
}

function problemsOf({ problems }: Unread): readonly Part[] {
  return problems.map(({ source, what, digest }) => part(source, what, digest));
}

/** Documents that tools fill in before anything is applied. Files that are passed over as a whole are none of the set. */
function templatesOf({ leftOut = [] }: Unread): readonly Part[] {
  return leftOut.flatMap(({ why, digest, ...source }) => (digest === undefined ? [] : [part(source, why, digest)]));
}

export function unreadOf(
  was: Unread,
  is: Unread,
): { readonly doubts: readonly Undecided[]; readonly notes: readonly string[] } {
  const problems = [...problemsOf(was), ...problemsOf(is)];
  const templates = [...templatesOf(was), ...templatesOf(is)];
  const keys = (side: Unread): ReadonlySet<string> =>
    new Set([...problemsOf(side), ...templatesOf(side)].map(({ key }) => key));
  const [inOld, inNew] = [keys(was), keys(is)];
  const isOnBoth = ({ key }: Part): boolean => inOld.has(key) && inNew.has(key);
  return {
    doubts: [...problems, ...templates]
      .filter((one) => !isOnBoth(one))
      .map(({ place, why }) => ({ from: ['everybody'], to: 'every host', what: place, why })),
    notes: problems.filter(isOnBoth).map(({ place, why }) => `${place}: ${why}; it is left out`),
  };
}
