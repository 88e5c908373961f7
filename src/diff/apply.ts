/**
 * What an object in a cluster becomes when a manifest is applied to it, as `kubectl apply` and server-side apply do: maps are merged; a field that the
 * manifest lacks is removed only where the cluster knows that it was applied before, and stays otherwise. Lists are replaced as a whole, with
 * whatever somebody wrote into their items by hand, but for those of Kubernetes' own kinds that are merged item by item.
 *
 * @see https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-apply-calculates-differences-and-merges-changes
 */
import { canonical } from '../model/canonical';
import { list, optionalRecord, record, records, text, type Json } from '../model/fields';
import { isBuiltIn, itemName, mergeKeyOf } from '../model/kustomize-patch';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What the API server fills in for Kubernetes' own kinds in lists that are replaced: for custom ones their schema says it. */
const FILLED_IN: Json = { protocol: 'TCP', scope: '*' };

export interface Applied {
  readonly group: string;
  /** The manifest, and the same with the defaults of its schema. */
  readonly said: Json;
  readonly filled: Json;
}

export function apply(now: Json, { group, said, filled }: Applied): Json {
  const { status: _earlier, ...before } = appliedBefore(now);
  return record(new Merge(group).values(now, said, filled, before, ''));
}

/** What was applied before, as a tree of fields: an empty map is a leaf. */
function appliedBefore(live: Json): Json {
  const metadata = record(live.metadata);
  const annotation = text(record(metadata.annotations)[LAST_APPLIED]);
  const trees = records(metadata.managedFields)
    .filter((owner) => text(owner.operation) === 'Apply' && text(owner.subresource) === '')
    .map((owner) => record(owned(record(owner.fieldsV1))));
  const last = annotation === '' ? undefined : parsed(annotation);
  return [...trees, ...(last === undefined ? [] : [last])].reduce<Json>((all, one) => record(united(all, one)), {});
}

function parsed(annotation: string): Json | undefined {
  try {
    return optionalRecord(JSON.parse(annotation));
  } catch {
    return undefined;
  }
}

/** The fields of `fieldsV1`: `f:NAME` of a map, `k:{...}` of a list that is merged item by item. */
function owned(fields: Json): unknown {
  const entries = Object.entries(fields);
  const items = entries.flatMap(([key, value]) => {
    const names = key.startsWith('k:') ? parsed(key.slice(2)) : undefined;
    return names === undefined ? [] : [{ ...record(owned(record(value))), ...names }];
  });
  if (items.length > 0) return items;
  return Object.fromEntries(
    entries.flatMap(([key, value]) => (key.startsWith('f:') ? [[key.slice(2), owned(record(value))]] : [])),
  );
}

function united(a: unknown, b: unknown): unknown {
  if (Array.isArray(a) && Array.isArray(b)) return [...list(a), ...list(b)];
  const [one, other] = [optionalRecord(a), optionalRecord(b)];
  if (one === undefined || other === undefined) return a ?? b;
  const all = new Map<string, unknown>(Object.entries(one));
  for (const [key, value] of Object.entries(other)) all.set(key, united(all.get(key), value));
  return Object.fromEntries(all);
}

class Merge {
  private readonly isBuiltIn: boolean;

  /** Lists of which it is known what an API server fills in. */
  private readonly isKnown: boolean;

  public constructor(group: string) {
    this.isBuiltIn = isBuiltIn(group);
    this.isKnown = !this.isBuiltIn || group === 'networking.k8s.io';
  }

  /** @param field the name of the field that holds them */
  public values(now: unknown, said: unknown, filled: unknown, before: unknown, field: string): unknown {
    const [current, wanted] = [optionalRecord(now), optionalRecord(said)];
    if (current !== undefined && wanted !== undefined)
      return this.maps(current, wanted, record(filled), optionalRecord(before) ?? {});
    if (!Array.isArray(now) || !Array.isArray(said)) return canonical(now) === canonical(said) ? now : (filled ?? said);
    const key = this.isBuiltIn ? mergeKeyOf(field, said) : undefined;
    if (key !== undefined) return this.items(records(now), records(said), records(before), key);
    return this.isSame(now, said, filled, before) ? now : (filled ?? said);
  }

  private maps(current: Json, wanted: Json, filled: Json, known: Json): Json {
    const result = new Map<string, unknown>();
    for (const [key, value] of Object.entries(current)) {
      if (Object.hasOwn(wanted, key)) continue;
      if (!Object.hasOwn(known, key)) result.set(key, value);
      else if (optionalRecord(value) !== undefined && Object.keys(record(known[key])).length > 0) {
        // A map that is left out loses what was applied of it, and keeps what others wrote.
        const rest = record(this.values(value, {}, {}, known[key], key));
        if (Object.keys(rest).length > 0) result.set(key, rest);
      }
    }
    for (const [key, value] of Object.entries(wanted)) {
      if (value === null) continue;
      const whole = filled[key] ?? value;
      result.set(key, Object.hasOwn(current, key) ? this.values(current[key], value, whole, known[key], key) : whole);
    }
    return Object.fromEntries(result);
  }

  private items(now: readonly Json[], said: readonly Json[], before: readonly Json[], key: string): readonly unknown[] {
    const find = (items: readonly Json[], wanted: Json): Json | undefined =>
      items.find((one) => itemName(one, key) === itemName(wanted, key));
    const merged = said.map((item) => {
      const known = find(now, item);
      return known === undefined ? item : this.maps(known, item, item, find(before, item) ?? {});
    });
    const others = now.filter((one) => find(said, one) === undefined && find(before, one) === undefined);
    const all = [...merged, ...others];
    return canonical(all) === canonical(now) ? now : all;
  }

  /** Whether a list in the cluster is the manifest's, with what the API server filled in. */
  private isSame(now: unknown, said: unknown, filled: unknown, before: unknown): boolean {
    if (this.isKnown) return canonical(bare(now)) === canonical(bare(filled ?? said));
    return covers(now, said, before);
  }
}

function bare(value: unknown): unknown {
  if (Array.isArray(value)) return list(value).map(bare);
  const fields = optionalRecord(value);
  if (fields === undefined) return value;
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([key, item]) => !Object.hasOwn(FILLED_IN, key) || FILLED_IN[key] !== item)
      .map(([key, item]) => [key, bare(item)]),
  );
}

/** Whether a value in the cluster is what a manifest says, with more that was not applied before. */
function covers(now: unknown, said: unknown, before: unknown): boolean {
  if (Array.isArray(now) && Array.isArray(said))
    return now.length === said.length && list(said).every((item, index) => covers(now[index], item, list(before)[index])); // prettier-ignore
  const [current, wanted] = [optionalRecord(now), optionalRecord(said)];
  if (current === undefined || wanted === undefined) return canonical(now) === canonical(said);
  const known = record(before);
  return (
    Object.entries(wanted).every(([key, value]) => Object.hasOwn(current, key) && covers(current[key], value, known[key])) && // prettier-ignore
    Object.keys(current).every((key) => Object.hasOwn(wanted, key) || !Object.hasOwn(known, key))
  );
}
