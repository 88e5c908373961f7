import type { Manifest } from './manifest';
import { record, text, type Json } from './fields';

/** An object of configuration as the other files of this folder need it: its spec, its age, its manifest. */
export interface Config {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Milliseconds; 0 for an object that was never in a cluster. */
  readonly created: number;
  readonly spec: Json;
  readonly manifest: Manifest;
}

export function config(manifest: Manifest): Config {
  const body = record(manifest.body);
  const written = text(record(body.metadata).creationTimestamp);
  const stamp = written === '' ? NaN : Date.parse(written);
  return {
    kind: manifest.kind,
    namespace: manifest.namespace,
    name: manifest.name,
    created: Number.isNaN(stamp) ? 0 : stamp,
    spec: record(body.spec),
    manifest,
  };
}

interface Aged {
  readonly created: number;
  readonly name: string;
  readonly namespace: string;
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Istio's order of precedence: the oldest first, then by name, then by namespace. */
export function compareAge(a: Aged, b: Aged): number {
  return a.created - b.created || compareText(a.name, b.name) || compareText(a.namespace, b.namespace);
}

export type Visibility = 'private' | 'public' | 'none' | readonly string[];

/**
 * Who sees an object by its `exportTo`: `*` makes it public whatever else is there, `~` hides it, otherwise a list of namespaces
 * where `.` is its own.
 */
export function visibility(exportTo: readonly string[], defaults: readonly string[], namespace: string): Visibility {
  const said = exportTo.length === 0 ? defaults : exportTo;
  if (said.includes('*')) return 'public';
  if (said.includes('~')) return 'none';
  if (exportTo.length === 0 && said.every((entry) => entry === '.')) return 'private';
  return [...new Set(said.map((entry) => (entry === '.' ? namespace : entry)))];
}

/** Items by who sees them, each list in the order in which items were added. */
export class VisibilityIndex<T> {
  private readonly own = new Map<string, T[]>();
  private readonly exported = new Map<string, T[]>();
  private readonly everyone: T[] = [];

  public add(item: T, namespace: string, seenBy: Visibility): void {
    if (seenBy === 'none') return;
    if (seenBy === 'public') this.everyone.push(item);
    else if (seenBy === 'private') push(this.own, namespace, item);
    else for (const viewer of seenBy) push(viewer === namespace ? this.own : this.exported, viewer, item);
  }

  /** Whether a namespace sees what everyone sees, and nothing more. */
  public seesOnlyPublic(namespace: string): boolean {
    return !this.own.has(namespace) && !this.exported.has(namespace);
  }

  /** Private ones of the namespace, then those exported to it by name. */
  public ownTo(namespace: string): readonly T[] {
    return [...(this.own.get(namespace) ?? []), ...(this.exported.get(namespace) ?? [])];
  }

  public get everyones(): readonly T[] {
    return this.everyone;
  }

  /** Private ones of the namespace, then those exported to it by name, then public ones. */
  public seenFrom(namespace: string): readonly T[] {
    const own = this.own.get(namespace);
    const exported = this.exported.get(namespace);
    if (own === undefined && exported === undefined) return this.everyone;
    return [...(own ?? []), ...(exported ?? []), ...this.everyone];
  }
}

export function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const items = map.get(key);
  if (items === undefined) map.set(key, [value]);
  else items.push(value);
}

/** Items by a key, the first of each. */
export function firstOfEach<K, V>(items: readonly V[], keyOf: (item: V) => K): ReadonlyMap<K, V> {
  const found = new Map<K, V>();
  for (const item of items) {
    const key = keyOf(item);
    if (!found.has(key)) found.set(key, item);
  }
  return found;
}
