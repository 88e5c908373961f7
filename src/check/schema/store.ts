/** The schemas of the pinned CRDs and of core kinds, each read from its JSON file when its kind is first met. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../../model/manifest';
import type { Schema } from './structural';

/** Beside the sources (`src/check/schemas`) and beside the bundles (`lib/schemas`) alike. */
const FOLDER = join(__dirname, '..', 'schemas');
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

interface KindFile {
  readonly scope: 'Namespaced' | 'Cluster';
  readonly versions: Readonly<Record<string, number>>;
  readonly schemas: readonly Schema[];
}

export interface KindSchema {
  readonly scope: 'Namespaced' | 'Cluster';
  readonly schema: Schema;
}

let index: Readonly<Record<string, readonly string[]>> | undefined;
let groups: ReadonlySet<string> | undefined;
let definitions: Readonly<Record<string, Schema>> | undefined;
let expressions: Readonly<Record<string, unknown>> | undefined;
const kinds = new Map<string, KindFile>();
const prepared = new Map<string, KindSchema>();

/** Versions of a kind that are served; undefined if no schema knows the kind. */
export function versionsOf(group: string, kind: string): readonly string[] | undefined {
  index ??= readJson<Record<string, readonly string[]>>('index.json');
  return Object.hasOwn(index, `${group}/${kind}`) ? index[`${group}/${kind}`] : undefined;
}

/** Kinds of a group, if all of them are known (the groups of Istio, Gateway API and Envoy Gateway). */
export function kindsOf(group: string): readonly string[] | undefined {
  index ??= readJson<Record<string, readonly string[]>>('index.json');
  groups ??= new Set(Object.keys(index).map((key) => key.slice(0, key.indexOf('/'))));
  const complete = groups.has(group) && /istio\.io$|^gateway\.(networking\.k8s|envoyproxy)\.io$/.test(group);
  return complete ? Object.keys(index).filter((key) => key.startsWith(`${group}/`)).map((key) => key.slice(group.length + 1)) : undefined; // prettier-ignore
}

export function schemaOf({
  group,
  version,
  kind,
}: Pick<Manifest, 'group' | 'version' | 'kind'>): KindSchema | undefined {
  const key = `${group}/${version}/${kind}`;
  const known = prepared.get(key);
  if (known) return known;
  if (!versionsOf(group, kind)?.includes(version)) return undefined;
  let file = kinds.get(`${group}/${kind}`);
  if (!file) {
    file = readJson<KindFile>(join(group || 'core', `${kind}.json`));
    kinds.set(`${group}/${kind}`, file);
  }
  const schema = file.schemas[file.versions[version] ?? 0] ?? {};
  // The metadata of a custom resource is typed by the API server, whatever its CRD says.
  const typed: KindSchema = { scope: file.scope, schema: { ...schema, properties: { ...schema.properties, apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { $ref: OBJECT_META } } } }; // prettier-ignore
  prepared.set(key, typed);
  return typed;
}

export function resolveDefinition(ref: string): Schema {
  definitions ??= readJson<Record<string, Schema>>('definitions.json');
  return definitions[ref] ?? {};
}

/** The tree that a CEL rule of the schemas parses to. */
export function expressionOf(rule: string): unknown {
  expressions ??= readJson<Record<string, unknown>>('expressions.json');
  return expressions[rule];
}

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as T;
}
