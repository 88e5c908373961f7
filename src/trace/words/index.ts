/** The one room in which reasons become words. */
import type { Reason, ReasonKind } from '../reasons';
import { FILTER_WORDS } from './filters';
import { LISTENER_WORDS } from './listeners';
import { NETWORK_WORDS } from './network';
import { REPLY_WORDS } from './replies';
import { ROUTE_WORDS, UPSTREAM_TLS_WORDS } from './routes';
import type { Words, WordsFor } from './words';

export { noClusterWords } from './clusters';
export { askingText } from './filters';
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
