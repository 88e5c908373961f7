/**
 * What a cluster would hold once manifests were applied to it: for drift between a live dump and what Git holds.
 *
 * Applied as `kubectl apply` and server-side apply do: maps are merged and lists replaced; a field that the manifest lacks is removed only where the cluster
 * knows that it was applied before (the last-applied annotation, or a field owner by Apply), and stays otherwise: the API server's defaults,
 * addresses that it allotted, status. Objects that only the cluster has stay as they are.
 *
 * @see https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes
 */
import { list, optionalRecord, record, records, text, type Json } from '../model/fields';
import { loadObjects } from '../model/load';
import type { Manifest } from '../model/manifest';
import { canonical } from '../model/canonical';
import { controllerOf } from '../model/controllers';
import { objectKey } from './objects';

export interface Overlay {
  readonly before: readonly Manifest[];
  readonly after: readonly Manifest[];
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** Metadata that a manifest says. The rest is the cluster's. */
const SAID = new Set(['name', 'namespace', 'labels', 'annotations', 'ownerReferences', 'finalizers']);

export function layOver(live: readonly Manifest[], applied: readonly Manifest[]): Overlay {
  const before = lastOfEach(live);
  const after = new Map(before);
  for (const [key, manifest] of lastOfEach(applied)) {
    const known = before.get(key);
    after.set(key, known === undefined ? manifest : merged(known, manifest));
  }
  return { before: [...before.values()], after: withoutReplaced([...after.values()], before) };
}

/** Without the Pods of a controller whose template changes: it makes them anew. */
function withoutReplaced(after: readonly Manifest[], before: ReadonlyMap<string, Manifest>): readonly Manifest[] {
  const restarted = new Set<string>();
  for (const manifest of after) {
    const was = before.get(objectKey(manifest));
    if (was === undefined || was === manifest || manifest.kind === 'Pod') continue;
    const [old, now] = [was, manifest].map(({ body }) => canonical(record(record(body).spec).template ?? null));
    if (old !== now) restarted.add(`${manifest.namespace}/${manifest.name}`);
  }
  if (restarted.size === 0) return after;
  return after.filter(({ kind, group, namespace, body }) => {
    const controller = kind === 'Pod' && group === '' ? controllerOf(record(body)) : undefined;
    return controller === undefined || !restarted.has(`${namespace}/${controller}`);
  });
}

/** Of two documents for one object the later is the one that is applied last. */
function lastOfEach(manifests: readonly Manifest[]): ReadonlyMap<string, Manifest> {
  return new Map(manifests.map((manifest) => [objectKey(manifest), manifest]));
}

function merged(live: Manifest, applied: Manifest): Manifest {
  const now = record(live.body);
  const { status: _status, metadata, ...said } = record(applied.body);
  const own = Object.fromEntries(Object.entries(record(metadata)).filter(([name]) => SAID.has(name)));
  const { status: _earlier, ...before } = earlier(now);
  // Versions of an API are one to the cluster, which converts between them.
  const body = merge(now, { ...said, apiVersion: now.apiVersion, metadata: own }, before) as Json;
  if (canonical(body) === canonical(now)) return live;
  const [made] = loadObjects([body]).manifests;
  return made === undefined ? applied : { ...made, index: live.index, source: applied.source, lineOf: applied.lineOf };
}

/** What was applied before, as a tree of fields: an empty map is a leaf. */
function earlier(live: Json): Json {
  const metadata = record(live.metadata);
  const annotation = text(record(metadata.annotations)[LAST_APPLIED]);
  const trees = records(metadata.managedFields)
    .filter((owner) => text(owner.operation) === 'Apply' && text(owner.subresource) === '')
    .map((owner) => owned(record(owner.fieldsV1)));
  const last = annotation === '' ? undefined : parsed(annotation);
  return [...trees, ...(last === undefined ? [] : [last])].reduce<Json>((all, one) => united(all, one), {});
}

function parsed(annotation: string): Json | undefined {
  try {
    return optionalRecord(JSON.parse(annotation));
  } catch {
    return undefined;
  }
}

/** The maps of `fieldsV1`; items of lists are left out, since a list is replaced as a whole. */
function owned(fields: Json): Json {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      key.startsWith('f:') ? [[key.slice(2), owned(record(value))]] : [],
    ),
  );
}

function united(a: Json, b: Json): Json {
  const all = new Map<string, unknown>(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const [one, other] = [optionalRecord(all.get(key)), optionalRecord(value)];
    all.set(key, one !== undefined && other !== undefined ? united(one, other) : (all.get(key) ?? value));
  }
  return Object.fromEntries(all);
}

function merge(now: unknown, said: unknown, before: unknown): unknown {
  const [current, wanted] = [optionalRecord(now), optionalRecord(said)];
  if (current === undefined || wanted === undefined) return covers(now, said) ? now : said;
  const known = optionalRecord(before) ?? {};
  const result = new Map<string, unknown>();
  for (const [key, value] of Object.entries(current)) {
    if (Object.hasOwn(wanted, key)) continue;
    if (!Object.hasOwn(known, key)) result.set(key, value);
    else if (optionalRecord(value) !== undefined && Object.keys(record(known[key])).length > 0) {
      // A map that is left out loses what was applied of it, and keeps what others wrote.
      const rest = merge(value, {}, known[key]) as Json;
      if (Object.keys(rest).length > 0) result.set(key, rest);
    }
  }
  for (const [key, value] of Object.entries(wanted)) {
    if (value === null) continue;
    result.set(key, Object.hasOwn(current, key) ? merge(current[key], value, known[key]) : value);
  }
  return Object.fromEntries(result);
}

/** Whether a list in the cluster is what the manifest says, with what the API server filled in. */
function covers(now: unknown, said: unknown): boolean {
  if (Array.isArray(now) && Array.isArray(said))
    return now.length === said.length && list(said).every((item, index) => covers(now[index], item));
  const [current, wanted] = [optionalRecord(now), optionalRecord(said)];
  if (current === undefined || wanted === undefined) return canonical(now) === canonical(said);
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(current, key) && covers(current[key], value));
}
