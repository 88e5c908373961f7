/** Which objects differ between two sets of manifests, by what they say and not by how it is written. */
import { canonical } from '../model/canonical';
import { record, records, text, type Json } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { REMOTE_RELEASE } from '../model/recognize';
import type { ChangedObject } from './types';

export interface ObjectChange {
  readonly ref: ChangedObject;
  readonly was: Manifest | undefined;
  readonly is: Manifest | undefined;
}

/** Written by an API server or by tools, and read by nothing that decides about traffic. */
const BOOKKEEPING = new Set(['managedFields', 'resourceVersion', 'uid', 'generation', 'selfLink']);
const TOOL_ANNOTATIONS =
  /^(kubectl\.kubernetes\.io\/|argocd\.argoproj\.io\/|meta\.helm\.sh\/|deployment\.kubernetes\.io\/|endpoints\.kubernetes\.io\/)/;
/** What of a status decides about traffic, by kind. All else in it says how far a controller has got, and changes from read to read. */
const STATUS: Readonly<Record<string, readonly string[]>> = {
  Pod: ['phase', 'podIP', 'podIPs', 'conditions'],
  ServiceEntry: ['addresses'],
  Node: ['nodeInfo', 'addresses'],
};

export function objectChanges(was: readonly Manifest[], is: readonly Manifest[]): readonly ObjectChange[] {
  const before = byKey(was);
  const after = byKey(is);
  const changes: ObjectChange[] = [];
  for (const [key, manifest] of before) {
    const other = after.get(key);
    if (other === undefined) changes.push({ ref: refOf(manifest, 'removed'), was: manifest, is: undefined });
    else if (!same(manifest, other)) changes.push({ ref: refOf(other, 'changed'), was: manifest, is: other });
  }
  for (const [key, manifest] of after)
    if (!before.has(key)) changes.push({ ref: refOf(manifest, 'added'), was: undefined, is: manifest });
  return changes;
}

/** An object's name in both sets; the version of its API is left out, since istiod reads all of them alike. */
export function objectKey(manifest: Manifest): string {
  return `${manifest.group}/${manifest.kind}/${manifest.namespace}/${manifest.name}`;
}

/** Of two documents for one object the later is the one that is applied last. */
function byKey(manifests: readonly Manifest[]): ReadonlyMap<string, Manifest> {
  // The kustomization that fetches a release says so itself.
  const own = manifests.filter(({ kind }) => kind !== REMOTE_RELEASE);
  return new Map(own.map((manifest) => [objectKey(manifest), manifest]));
}

function refOf(manifest: Manifest, change: ChangedObject['change']): ChangedObject {
  return { kind: manifest.kind, namespace: manifest.namespace, name: manifest.name, change };
}

function same(a: Manifest, b: Manifest): boolean {
  if (a.body === b.body || JSON.stringify(a.body) === JSON.stringify(b.body)) return true;
  return canonical(meaning(a.body)) === canonical(meaning(b.body));
}

function meaning(body: unknown): Json {
  const { metadata, apiVersion: _version, status, ...rest } = record(body);
  const kept = Object.fromEntries(Object.entries(record(metadata)).filter(([name]) => !BOOKKEEPING.has(name)));
  const annotations = Object.fromEntries(
    Object.entries(record(kept.annotations)).filter(([name]) => !TOOL_ANNOTATIONS.test(name)),
  );
  return { ...rest, status: decisive(text(rest.kind), record(status)), metadata: { ...kept, annotations } };
}

function decisive(kind: string, status: Json): Json {
  const fields = (Object.hasOwn(STATUS, kind) ? STATUS[kind] : undefined) ?? [];
  return Object.fromEntries(
    Object.entries(status)
      .filter(([field]) => fields.includes(field))
      .map(([field, value]) => [field, field === 'conditions' ? records(value).map(({ type, status: is }) => [type, is]) : value]), // prettier-ignore
  );
}
