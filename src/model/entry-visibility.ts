/**
 * How widely a mesh lets ServiceEntries be known (meshConfig.serviceEntryVisibility, pilot/pkg/model/serviceentry_visibility.go): by the namespace
 * that they are in. It only ever narrows what `exportTo` says.
 */
import { record, records, text, type Json } from './fields';
import type { Visibility } from './objects';
import { selects } from './selectors';

/** What an entry is limited to: its own namespace, or nobody. */
export type EntryLimit = 'NAMESPACE' | 'NONE' | undefined;

export interface EntryVisibility {
  /** Whether sidecars and gateways hold to it; ztunnel and waypoints always do. */
  readonly isForSidecars: boolean;
  /** The limit of entries in a namespace, which is known by its labels. */
  readonly of: (namespace: string, labels: Readonly<Record<string, string>>) => EntryLimit;
}

export function entryVisibility(setting: Json): EntryVisibility {
  const policies = records(setting.policies);
  return {
    isForSidecars: setting.applyToSidecars === true,
    of: (namespace, labels) => {
      const all = { 'kubernetes.io/metadata.name': namespace, ...labels };
      const first = policies.find(({ matchingRules }) =>
        records(matchingRules).every(
          ({ namespaceSelector }) => namespaceSelector !== undefined && selects(record(namespaceSelector), all),
        ),
      );
      return limit(first === undefined ? setting.defaultVisibility : first.visibility);
    },
  };
}

function limit(written: unknown): EntryLimit {
  const word = text(written);
  return word === 'NAMESPACE' || word === 'NONE' ? word : undefined;
}

/** Who sees an entry that is limited so (serviceExportTo of push_context.go). */
export function limited(seenBy: Visibility, namespace: string, to: EntryLimit): Visibility {
  if (to === undefined || seenBy === 'none') return seenBy;
  if (to === 'NONE') return 'none';
  return seenBy === 'public' || seenBy === 'private' || seenBy.includes(namespace) ? 'private' : 'none';
}
