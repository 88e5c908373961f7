/**
 * The schemas that objects are judged by: those of CRDs among the manifests, else of the releases in force. Each kind is read from its
 * JSON file when it is first met, and what other releases have otherwise only when one of them is asked for.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { record, records, text } from '../../model/fields';
import type { Manifest } from '../../model/manifest';
import { type Component, componentOf, newerRelease, releaseNames, serverOf } from '../../model/releases';
import { type Difference, type Json, applyDifference } from './difference';
import { withoutStatus } from './crd-schema';
import type { Schema } from './structural';

/** Beside the sources (`src/check/schemas`) and beside the bundles (`lib/schemas`) alike. */
const FOLDER = join(__dirname, '..', 'schemas');
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** A release of each component. */
export type ReleaseNames = Readonly<Record<Component, string>>;

interface KindFile {
  readonly scope: 'Namespaced' | 'Cluster';
  readonly versions: Readonly<Record<string, number>>;
  readonly schemas: readonly Schema[];
}

/** For a release that is not as the newer one: which of the newer one's versions each is kept as a difference from. */
interface OlderFile {
  readonly releases: Readonly<Record<string, Readonly<Record<string, readonly [string, number]>>>>;
  readonly differences: readonly Difference[];
}

interface VersionEntry {
  /** Releases that serve the version; all of them if left out. */
  readonly in?: readonly string[];
  readonly deprecated?: readonly string[];
}

type GroupVersionKind = Pick<Manifest, 'group' | 'version' | 'kind'>;

// What is read is kept for the process: it is the same for everybody.
const files = new Map<string, unknown>();
const prepared = new Map<string, Schema | undefined>();
const typedSchemas = new WeakMap<Schema, Schema>();

/** Versions of a kind, each with the releases that serve it; undefined if no release has the kind. */
function entriesOf(group: string, kind: string): Readonly<Record<string, VersionEntry>> | undefined {
  const index = readJson<Record<string, Record<string, VersionEntry>>>('index.json');
  const key = `${group}/${kind}`;
  return Object.hasOwn(index, key) ? index[key] : undefined;
}

/** Releases that serve a version of a kind, newest first; none if no release does. */
export function releasesServing({ group, version, kind }: GroupVersionKind): readonly string[] {
  const entry = entriesOf(group, kind)?.[version];
  return entry === undefined ? [] : (entry.in ?? releaseNames(serverOf(group)));
}

/** Releases in which a version is served with a warning that it is deprecated. */
export function releasesDeprecating({ group, version, kind }: GroupVersionKind): readonly string[] {
  return entriesOf(group, kind)?.[version]?.deprecated ?? [];
}

/** Versions of a kind that one release serves; none if it does not have the kind. */
export function versionsIn(release: string, group: string, kind: string): readonly string[] {
  return Object.entries(entriesOf(group, kind) ?? {})
    .filter(([, entry]) => entry.in === undefined || entry.in.includes(release))
    .map(([version]) => version);
}

/** The schema of a version of a kind in one release; undefined if the release does not serve it. */
export function schemaIn(release: string, { group, version, kind }: GroupVersionKind): Schema | undefined {
  const component = serverOf(group);
  const key = `${release} ${group}/${version}/${kind}`;
  if (prepared.has(key)) return prepared.get(key);
  const schema = versionsIn(release, group, kind).includes(version) ? rawSchema(component, release, group, kind, version) : undefined; // prettier-ignore
  const judged = schema === undefined ? undefined : typed(schema);
  prepared.set(key, judged);
  return judged;
}

function rawSchema(component: Component, release: string, group: string, kind: string, version: string): Schema {
  const folder = group || 'core';
  if (release === releaseNames(component)[0]) {
    const file = readJson<KindFile>(join(folder, `${kind}.json`));
    return file.schemas[file.versions[version] ?? 0] ?? {};
  }
  const newer = newerRelease(component, release) ?? '';
  const older = readJson<OlderFile>(join(folder, `${kind}.older.json`), { releases: {}, differences: [] });
  const own = older.releases[release];
  if (own === undefined) return rawSchema(component, newer, group, kind, version);
  const [of, at] = own[version] ?? [version, 0];
  const base = versionsIn(newer, group, kind).includes(of) ? rawSchema(component, newer, group, kind, of) : undefined;
  return applyDifference(base as Json | undefined, older.differences[at] ?? 0) as Schema;
}

function definitionsOf(release: string): Readonly<Record<string, Schema>> {
  const newest = readJson<Record<string, Schema>>('definitions.json');
  if (release === releaseNames('kubernetes')[0]) return newest;
  const key = `definitions ${release}`;
  if (!files.has(key)) {
    const differences = readJson<Record<string, Difference>>('definitions.older.json');
    const newer = definitionsOf(newerRelease('kubernetes', release) ?? '') as unknown as Json;
    files.set(key, applyDifference(newer, differences[release] ?? 0));
  }
  return files.get(key) as Record<string, Schema>;
}

/** The tree that a CEL rule of the schemas parses to; undefined for one that none of them has. */
export function expressionOf(rule: string): unknown {
  return (
    readJson<Record<string, unknown>>('expressions.json')[rule] ??
    readJson<Record<string, unknown>>('expressions.older.json')[rule]
  );
}

/** The schemas that one set of manifests is judged by. */
export class Schemas {
  private readonly crds = new Map<string, Readonly<Record<string, Schema>>>();
  /** Versions that are served, by kind: asked for with each object. */
  private readonly served = new Map<string, readonly string[] | undefined>();

  /** @param crds CRDs among the manifests, which are believed before those that this package knows */
  constructor(
    readonly releases: ReleaseNames,
    crds: readonly Manifest[] = [],
  ) {
    for (const { body } of crds) {
      const spec = record(record(body).spec);
      const key = `${text(spec.group)}/${text(record(spec.names).kind)}`;
      // Only of kinds that are known here: what else there is, is none of our business.
      if (entriesOf(text(spec.group), text(record(spec.names).kind)) === undefined) continue;
      const served = records(spec.versions).filter(({ served }) => served === true);
      const schemas = served.map(
        (version) => [text(version.name), record(record(version.schema).openAPIV3Schema)] as const,
      );
      if (schemas.length === 0 || schemas.some(([, schema]) => Object.keys(schema).length === 0)) continue;
      this.crds.set(
        key,
        Object.fromEntries(schemas.map(([name, schema]) => [name, withoutStatus(schema as Json) as Schema])),
      );
    }
  }

  /** The release that a kind is judged by; null if a CRD among the manifests is believed. */
  releaseFor(group: string, kind: string): string | null {
    return this.crds.has(`${group}/${kind}`) ? null : this.releases[serverOf(group)];
  }

  /** Versions of a kind that are served; undefined if no schema of any release knows the kind. */
  versionsOf(group: string, kind: string): readonly string[] | undefined {
    const key = `${group}/${kind}`;
    if (!this.served.has(key)) this.served.set(key, this.readVersions(group, kind));
    return this.served.get(key);
  }

  private readVersions(group: string, kind: string): readonly string[] | undefined {
    const crd = this.crds.get(`${group}/${kind}`);
    if (crd) return Object.keys(crd);
    if (entriesOf(group, kind) === undefined) return undefined;
    return versionsIn(this.releases[serverOf(group)], group, kind);
  }

  /** Kinds of a group, if all of them are known (the groups of Istio, Gateway API and Envoy Gateway). */
  kindsOf(group: string): readonly string[] | undefined {
    if (componentOf(group) === undefined) return undefined;
    const index = readJson<Record<string, unknown>>('index.json');
    return Object.keys(index)
      .filter((key) => key.startsWith(`${group}/`))
      .map((key) => key.slice(group.length + 1))
      .filter((kind) => (this.versionsOf(group, kind) ?? []).length > 0);
  }

  schemaOf(id: GroupVersionKind): Schema | undefined {
    const crd = this.crds.get(`${id.group}/${id.kind}`);
    const schema = crd ? crd[id.version] : schemaIn(this.releases[serverOf(id.group)], id);
    return schema === undefined ? undefined : typed(schema);
  }

  /** For the schemas of core kinds, which refer to shared definitions. */
  readonly resolve = (ref: string): Schema => definitionsOf(this.releases.kubernetes)[ref] ?? {};

  /** The same with another release of one component, and without what CRDs among the manifests say. */
  with(component: Component, release: string): Schemas {
    return new Schemas({ ...this.releases, [component]: release });
  }
}

/** The metadata of a custom resource is typed by the API server, whatever its CRD says. */
function typed(schema: Schema): Schema {
  let known = typedSchemas.get(schema);
  if (!known) {
    known = { ...schema, properties: { ...schema.properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { $ref: OBJECT_META } } }; // prettier-ignore
    typedSchemas.set(schema, known);
  }
  return known;
}

function readJson<T>(name: string, otherwise?: T): T {
  if (!files.has(name)) {
    const path = join(FOLDER, name);
    const isMissing = otherwise !== undefined && !existsSync(path);
    files.set(name, isMissing ? otherwise : JSON.parse(readFileSync(path, 'utf8')));
  }
  return files.get(name) as T;
}
