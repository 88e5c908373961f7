/** An object as somebody wrote it: without what an API server and tools add. */
import { record, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';

/** Annotations that tools and controllers write for themselves. */
export const OWN_NOTES = new Set(['kubectl.kubernetes.io/last-applied-configuration']);

/** Fields of metadata that an API server writes. */
const SERVERS = new Set(['managedFields', 'resourceVersion', 'uid', 'generation', 'creationTimestamp', 'selfLink']);

export function asWritten({ body }: Manifest): Json {
  const { metadata, status: _status, ...rest } = record(body);
  const kept = Object.entries(record(metadata)).filter(([field]) => !SERVERS.has(field));
  return { ...rest, metadata: Object.fromEntries(kept) };
}
