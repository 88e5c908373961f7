/** What follows a name when kustomize changes it, and what replacements and vars copy (filters/nameref, filters/replacement). */
import { record, records, text, texts } from './fields';
import { matches } from './kustomize-apply';
import { type FieldSpec, NAME_REFERENCES, VARIABLES, atPath, isOfSpec } from './kustomize-fields';
import {
  NotBuilt,
  type Resource,
  effectiveNamespace,
  groupAndVersion,
  idOf,
  idText,
  isClusterScoped,
  metadataOf,
} from './kustomize-resource';
import { isRecord } from './recognize';

/** @param more fields that configurations name, by the kind whose name is there */
export function followNames(
  all: readonly Resource[],
  more: readonly (readonly [string, readonly FieldSpec[]])[] = [],
): void {
  const moved = all.filter((one) => one.previous.length > 0);
  if (moved.length === 0) return;
  for (const [kind, specs] of [...Object.entries(NAME_REFERENCES), ...more]) {
    const candidates = moved.filter((one) => one.original.kind === kind);
    if (candidates.length === 0) continue;
    for (const referrer of all)
      for (const spec of specs)
        if (isOfSpec(spec, idOf(referrer.body).kind))
          atPath(referrer.body, spec.path.split('/'), false, (parent, key) =>
            follow(parent, key, referrer, { all, ofKind: candidates }, spec.path),
          );
  }
}

function follow(
  parent: Record<string, unknown>,
  key: string,
  referrer: Resource,
  candidates: Candidates,
  path: string,
): void {
  const value = parent[key];
  if (Array.isArray(value)) {
    for (const item of value) if (isRecord(item)) followMapping(item, referrer, candidates);
  } else if (isRecord(value)) followMapping(value, referrer, candidates);
  else if (typeof value === 'string') {
    const fitting =
      path.endsWith('roleRef/name') && text(parent.kind) !== ''
        ? candidates.ofKind.filter((one) => one.original.kind === parent.kind)
        : candidates.ofKind;
    const found = referred(value, referrer, fitting, ({ body }) => text(metadataOf(body).name));
    if (found) parent[key] = text(metadataOf(found.body).name);
  }
}

/** A mapping with a name and a namespace: both are written. filters/nameref setMapping. */
function followMapping(mapping: Record<string, unknown>, referrer: Resource, candidates: Candidates): void {
  if (typeof mapping.name !== 'string') return;
  const { name, namespace } = mapping;
  const found = referred(name, referrer, inNamespace(namespace, referrer, candidates), ({ body }) =>
    JSON.stringify([metadataOf(body).name, metadataOf(body).namespace]),
  );
  if (!found) return;
  const now = metadataOf(found.body);
  mapping.name = text(now.name);
  if (text(now.namespace) !== '') mapping.namespace = now.namespace;
}

/**
 * filterMapCandidatesByNamespace: where anything at all that the referrer could mean was in that namespace at first, only what was
 * there at first is meant, be it of another kind.
 */
function inNamespace(namespace: unknown, referrer: Resource, { all, ofKind }: Candidates): readonly Resource[] {
  if (typeof namespace !== 'string') return ofKind;
  const could = new Set(all.filter((one) => canBeReferred(one, referrer)));
  const wasThere = [...could].some((one) => effectiveNamespace(one.original) === namespace);
  return ofKind.filter(
    (one) => could.has(one) && effectiveNamespace(wasThere ? one.original : idOf(one.body)) === namespace,
  );
}

/** resmap SubsetThatCouldBeReferencedByResource: a RoleBinding may name accounts of other namespaces. */
function canBeReferred(one: Resource, referrer: Resource): boolean {
  const own = idOf(referrer.body);
  const now = idOf(one.body);
  return (
    isClusterScoped(own) ||
    isClusterScoped(now) ||
    effectiveNamespace(own) === effectiveNamespace(now) ||
    (own.kind === 'RoleBinding' &&
      records(referrer.body.subjects).some(
        (subject) => subject.kind === 'ServiceAccount' && subject.namespace === now.namespace,
      ))
  );
}

interface Candidates {
  readonly all: readonly Resource[];
  /** Those of the kind that is looked for, whose name changed. */
  readonly ofKind: readonly Resource[];
}

/** filters/nameref selectReferral. @throws NotBuilt where several objects could be meant, as kustomize refuses it. */
function referred(
  name: string,
  referrer: Resource,
  candidates: readonly Resource[],
  identity: (one: Resource) => string,
): Resource | undefined {
  const own = idOf(referrer.body);
  const fitting = candidates.filter((one) => {
    const now = idOf(one.body);
    return (
      one.previous.some((id) => id.name === name) &&
      canBeReferred(one, referrer) &&
      (isClusterScoped(own) ||
        isClusterScoped(now) ||
        now.kind === 'ServiceAccount' ||
        effectiveNamespace(own) === effectiveNamespace(now))
    );
  });
  if (fitting.length <= 1) return fitting[0];
  let alike = fitting.filter((one) => isPrefixedAlike(one, referrer, true));
  if (alike.length > 1) alike = alike.filter((one) => isPrefixedAlike(one, referrer, false));
  if (new Set(alike.map(identity)).size <= 1) return alike[0];
  throw new NotBuilt(`${idText(own)} names ${name}, which several objects were called`);
}

/** resource.PrefixesSuffixesEquals: one list ends as the other does. */
function isPrefixedAlike(one: Resource, other: Resource, allowNone: boolean): boolean {
  return (['prefixes', 'suffixes'] as const).every((key) => {
    const [a, b] = [one[key], other[key]];
    if (a.length === 0 || b.length === 0) return allowNone || a.length === b.length;
    const length = Math.min(a.length, b.length);
    return a.slice(-length).join('\n') === b.slice(-length).join('\n');
  });
}

/** One replacement. @throws NotBuilt if its source is not one object, or a target has no such field. */
export function replaceValues(
  all: readonly Resource[],
  replacement: Record<string, unknown>,
  file: string,
  isWhole: boolean,
): void {
  const source = record(replacement.source);
  const options = record(source.options);
  let value: unknown = replacement.sourceValue;
  if (value === undefined) {
    const found = all.filter((one) => isSelected(one, source));
    if (found.length !== 1) {
      if (!isWhole && found.length === 0) return;
      throw new NotBuilt(`a replacement of ${file} has ${found.length === 0 ? 'no source' : 'several sources'}`);
    }
    value = splitPath(text(source.fieldPath) || 'metadata.name').reduce<unknown>(
      (at, key) => step(at, key)[0]?.value,
      found[0]?.body,
    );
    if (value === undefined || value === null)
      throw new NotBuilt(`the source of a replacement of ${file} has no field ${text(source.fieldPath)}`);
    if (text(options.delimiter) !== '')
      value = String(value).split(text(options.delimiter))[Number(options.index ?? 0)];
    if (value === undefined)
      throw new NotBuilt(`the source of a replacement of ${file} has no part ${String(options.index)}`);
  }
  for (const target of records(replacement.targets)) {
    const chosen = record(target.select);
    const rejected = records(target.reject);
    const paths = texts(target.fieldPaths);
    for (const one of all) {
      if (!isSelected(one, chosen) || rejected.some((reject) => isSelected(one, reject))) continue;
      for (const path of paths.length > 0 ? paths : ['metadata.name'])
        write(one, path, value, record(target.options), file);
    }
  }
}

function write(one: Resource, path: string, value: unknown, options: Record<string, unknown>, file: string): void {
  const keys = splitPath(path);
  const last = keys.at(-1) ?? '';
  let places: unknown[] = [one.body];
  for (const key of keys.slice(0, -1)) {
    places = places.flatMap((place) => {
      const next = step(place, key);
      if (next.length > 0 || options.create !== true || !isRecord(place)) return next.map((found) => found.value);
      const made = {};
      place[key] = made;
      return [made];
    });
  }
  let written = 0;
  for (const place of places) {
    const found = step(place, last);
    if (found.length === 0 && options.create === true && isRecord(place)) {
      place[last] = structuredClone(value);
      written += 1;
    }
    for (const { parent, key, value: old } of found) {
      const fresh = text(options.delimiter) === '' ? value : spliced(String(old), String(value), options);
      (parent as Record<string | number, unknown>)[key] =
        isRecord(fresh) || Array.isArray(fresh) ? structuredClone(fresh) : asTyped(old, fresh);
      written += 1;
    }
  }
  if (written === 0)
    throw new NotBuilt(`a replacement of ${file} finds no field ${path} in ${one.original.kind} ${one.original.name}`);
}

/** A scalar is written where one was, and read as what that was (applyReplacement: "leave any type intact"). */
function asTyped(old: unknown, fresh: unknown): unknown {
  if (typeof old === 'string') return String(fresh);
  if (typeof old === 'number' && typeof fresh === 'string' && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(fresh))
    return Number(fresh);
  if (typeof old === 'boolean' && (fresh === 'true' || fresh === 'false')) return fresh === 'true';
  return fresh;
}

function spliced(old: string, value: string, { delimiter, index = 0 }: Record<string, unknown>): string {
  const parts = old.split(text(delimiter));
  const at = Number(index);
  if (at < 0) parts.unshift(value);
  else if (at >= parts.length) parts.push(value);
  else parts[at] = value;
  return parts.join(text(delimiter));
}

interface Place {
  readonly parent: unknown;
  readonly key: string | number;
  readonly value: unknown;
}

/** A field, an index, `*`, or `[name=web]` of a list. */
function step(value: unknown, key: string): readonly Place[] {
  if (Array.isArray(value)) {
    const [, field, wanted] = /^\[([^=]+)=(.*)\]$/.exec(key) ?? [];
    return value.flatMap((item: unknown, index): readonly Place[] => {
      const isMeant =
        key === '*' || (field === undefined ? String(index) === key : isRecord(item) && String(item[field]) === wanted);
      return isMeant ? [{ parent: value, key: index, value: item }] : [];
    });
  }
  return isRecord(value) && value[key] !== undefined ? [{ parent: value, key, value: value[key] }] : [];
}

/** Points within brackets belong to the key: `metadata.annotations.[example.org/a]`, `spec.hosts.0`. */
function splitPath(path: string): readonly string[] {
  return (path.match(/\[[^\]]*\]|(?:\\.|[^.[])+/g) ?? []).map((key) =>
    /^\[[^=]*\]$/.test(key) ? key.slice(1, -1) : key.replace(/\\\./g, '.'),
  );
}

function isSelected(one: Resource, selector: Record<string, unknown>): boolean {
  const { labels, annotations } = metadataOf(one.body);
  const { kind, name, namespace, group, version } = selector;
  const byApi = text(selector.apiVersion) === '' ? undefined : groupAndVersion(text(selector.apiVersion));
  const ids = [...one.previous, idOf(one.body)];
  return (
    matches(labels, text(selector.labelSelector)) &&
    matches(annotations, text(selector.annotationSelector)) &&
    ids.some(
      (id) =>
        (kind === undefined || kind === id.kind) &&
        (name === undefined || name === id.name) &&
        (namespace === undefined || namespace === effectiveNamespace(id)) &&
        (group === undefined || group === id.group) &&
        (version === undefined || version === id.version) &&
        (byApi === undefined || (byApi[0] === id.group && byApi[1] === id.version)),
    )
  );
}

/**
 * `$(NAME)` of vars, which stand for a field of one object, in the fields that may hold them (filters/refvar).
 *
 * @param more fields that configurations name
 * @throws NotBuilt if the object of a var is not there
 */
export function resolveVars(all: readonly Resource[], more: readonly FieldSpec[], isWhole: boolean): void {
  const vars = new Map<string, unknown>();
  for (const one of all) {
    for (const wish of one.vars) {
      const name = text(wish.name);
      if (vars.has(name)) continue;
      const ref = record(wish.objref);
      const [found] = all.filter((candidate) => isSelected(candidate, ref));
      const path = text(record(wish.fieldref).fieldpath) || text(record(wish.fieldref).fieldPath) || 'metadata.name';
      if (found === undefined && isWhole) throw new NotBuilt(`the object of the var ${name} is not there`);
      if (found)
        vars.set(
          name,
          splitPath(path).reduce<unknown>((at, key) => step(at, key)[0]?.value, found.body),
        );
    }
  }
  if (vars.size === 0) return;
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const [, whole = ''] = /^\$\(([\w.-]+)\)$/.exec(value) ?? [];
      if (vars.get(whole) !== undefined) return vars.get(whole);
      return value.replace(/\$(?:\$|\(([\w.-]+)\))/g, (found, name: string | undefined) =>
        name === undefined ? '$' : vars.get(name) === undefined ? found : String(vars.get(name)),
      );
    }
    if (Array.isArray(value)) return value.map(resolve);
    return isRecord(value)
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]))
      : value;
  };
  for (const one of all)
    for (const spec of [...VARIABLES, ...more])
      if (isOfSpec(spec, idOf(one.body).kind))
        atPath(one.body, spec.path.split('/'), false, (parent, key) => {
          if (parent[key] !== undefined) parent[key] = resolve(parent[key]);
        });
}
