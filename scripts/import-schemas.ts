/**
 * Makes `src/check/schemas/` anew: the structural schemas and CEL rules of every modelled release's CRDs, and of the core kinds that a
 * mesh's manifests use, without prose. A kind has two files: its schemas in the newest release, and what the others have otherwise,
 * which is read only when one of them is asked for. The same releases give the same bytes.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from '@bufbuild/cel';
import { parseAllDocuments } from 'yaml';
import { type Difference, type Json, differenceOf } from '../src/check/schema/difference';
import { withoutStatus } from '../src/check/schema/crd-schema';
import { COMPONENTS, type Component, EXPERIMENTAL, newerRelease, releaseNames } from '../src/model/releases';
import { moduleFiles } from './go-modules';

const OUT = resolve(__dirname, '..', 'src', 'check', 'schemas');

/** Where in its module a release has its CRDs. */
const CRD_PATHS: Readonly<Record<Exclude<Component, 'kubernetes'>, (release: string) => string>> = {
  istio: () => 'kubernetes/customresourcedefinitions.gen.yaml',
  gatewayApi: (release) => `config/crd/${release.endsWith(EXPERIMENTAL) ? 'experimental' : 'standard'}`,
  envoyGateway: () => 'charts/gateway-crds-helm/templates/generated',
};

const CORE_PATH = 'api/openapi-spec/swagger.json';
const CORE_KINDS: Readonly<Record<string, readonly string[]>> = {
  '': ['Service', 'Pod', 'Namespace', 'ServiceAccount', 'ConfigMap', 'Secret', 'Endpoints', 'ReplicationController'],
  apps: ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'],
  batch: ['Job', 'CronJob'],
  autoscaling: ['HorizontalPodAutoscaler'],
  policy: ['PodDisruptionBudget'],
  'networking.k8s.io': ['NetworkPolicy', 'Ingress', 'IngressClass'],
  'discovery.k8s.io': ['EndpointSlice'],
  'rbac.authorization.k8s.io': ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'],
};

type Schema = { [key: string]: Json };
interface Crd {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      name: string;
      served: boolean;
      deprecated?: boolean;
      schema: { openAPIV3Schema: Schema };
    }[];
  };
}

/** A kind in all the releases that have it. */
interface Kind {
  readonly component: Component;
  readonly group: string;
  readonly kind: string;
  readonly scope: string;
  readonly releases: Map<string, Readonly<Record<string, Schema>>>;
  /** Releases in which a version is served with a warning that it is deprecated. */
  readonly deprecated: Map<string, string[]>;
}

const kinds = new Map<string, Kind>();
const definitions = new Map<string, { readonly [name: string]: Json }>();

function add(
  component: Component,
  release: string,
  group: string,
  kind: string,
  scope: string,
  versions: Readonly<Record<string, Schema>>,
): Kind {
  const key = `${group}/${kind}`;
  let known = kinds.get(key);
  if (!known) {
    known = { component, group, kind, scope, releases: new Map(), deprecated: new Map() };
    kinds.set(key, known);
  }
  known.releases.set(release, versions);
  return known;
}

function fileOf(component: Component, release: string, path: string): string {
  const { module, releases } = COMPONENTS[component];
  const version = releases.find(({ name }) => name === release.replace(EXPERIMENTAL, ''))?.schemas ?? '';
  return moduleFiles(module, version, path);
}

function readCrds(full: string): Crd[] {
  const files = statSync(full).isDirectory()
    ? readdirSync(full)
        .sort()
        .map((name) => join(full, name))
    : [full];
  return files.flatMap((file) => {
    // Envoy Gateway wraps its CRDs in lines of a chart's template.
    const text = readFileSync(file, 'utf8').replace(/^\{\{.*\}\}\s*$/gm, '');
    return parseAllDocuments(text)
      .map((document) => document.toJS() as Crd | null)
      .filter((crd): crd is Crd => crd?.kind === 'CustomResourceDefinition');
  });
}

function importCrds(component: Exclude<Component, 'kubernetes'>, release: string): void {
  for (const { spec } of readCrds(fileOf(component, release, CRD_PATHS[component](release)))) {
    const served = spec.versions.filter((version) => version.served);
    const schemas = served.map(({ name, schema }) => [name, withoutStatus(schema.openAPIV3Schema) as Schema] as const);
    const known = add(component, release, spec.group, spec.names.kind, spec.scope, Object.fromEntries(schemas));
    for (const { name, deprecated } of served)
      if (deprecated) known.deprecated.set(name, [...(known.deprecated.get(name) ?? []), release]);
  }
}

interface Definition extends Schema {
  properties: { [key: string]: Schema };
}

/** Core kinds refer to shared definitions (a Pod's template is in seven kinds), which go into one file beside them. */
function importCore(release: string): void {
  const { definitions: all } = JSON.parse(readFileSync(fileOf('kubernetes', release, CORE_PATH), 'utf8')) as {
    definitions: { [name: string]: Definition };
  };
  const shared = new Set<string>();
  const clean = (node: Json): Json => {
    if (Array.isArray(node)) return node.map(clean);
    if (node === null || typeof node !== 'object') return node;
    const map = node as Schema;
    if (typeof map.$ref === 'string') {
      const name = map.$ref.replace('#/definitions/', '');
      if (name.endsWith('.IntOrString') || name.endsWith('.Quantity')) return { 'x-kubernetes-int-or-string': true };
      if (name.endsWith('Time') || name.endsWith('.FieldsV1')) return { 'x-kubernetes-preserve-unknown-fields': true };
      shared.add(name);
      return { $ref: name };
    }
    // What the document calls required has a zero value in Go, which an API server takes as well; and list types
    // there are for server-side apply only.
    const isSchema = map.type === 'object' && Array.isArray(map.required);
    return Object.fromEntries(
      Object.entries(map)
        .filter(([key]) => !(isSchema && key === 'required') && !key.startsWith('x-kubernetes-list-'))
        .map(([key, value]) => [key, clean(value)]),
    );
  };
  for (const [group, names] of Object.entries(CORE_KINDS)) {
    for (const kind of names) {
      const versions: Record<string, Schema> = {};
      for (const [name, definition] of Object.entries(all)) {
        const gvk = definition['x-kubernetes-group-version-kind'] as
          { group: string; version: string; kind: string }[] | undefined;
        if (gvk?.length !== 1 || gvk[0].group !== group || gvk[0].kind !== kind) continue;
        if (name.includes('apiextensions')) continue;
        versions[gvk[0].version] = clean(withoutStatus(definition)) as Schema;
      }
      const clusterScoped = ['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'IngressClass'].includes(kind);
      add('kubernetes', release, group, kind, clusterScoped ? 'Cluster' : 'Namespaced', versions);
    }
  }
  const done: Record<string, Json> = {};
  for (const name of shared) done[name] = clean(withoutStatus(all[name], false)); // grows while it is walked
  definitions.set(release, Object.fromEntries(Object.entries(done).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** The schemas of the newest release, each once; versions say which is theirs. */
function writeNewest({ component, group, kind, scope, releases }: Kind): void {
  const schemas: string[] = [];
  const versions: Record<string, number> = {};
  for (const [version, schema] of Object.entries(releases.get(releaseNames(component)[0] ?? '') ?? {})) {
    const text = JSON.stringify(schema);
    if (!schemas.includes(text)) schemas.push(text);
    versions[version] = schemas.indexOf(text);
  }
  const head = JSON.stringify({ group, kind, scope, versions }).slice(0, -1);
  write(join(group || 'core', `${kind}.json`), `${head},"schemas":[\n${schemas.join(',\n')}\n]}\n`);
}

/** For each other release that is not as the newer one: of each version, which of the newer one's it is closest to, and the difference. */
function writeOlder({ component, group, kind, releases }: Kind): void {
  const differences: string[] = [];
  const byRelease: Record<string, Record<string, readonly [string, number]>> = {};
  for (const release of releaseNames(component).slice(1)) {
    const newer = releases.get(newerRelease(component, release) ?? '') ?? {};
    const own = releases.get(release) ?? {};
    const isSame = JSON.stringify(sorted(newer)) === JSON.stringify(sorted(own));
    if (isSame) continue;
    byRelease[release] = {};
    for (const [version, schema] of Object.entries(own)) {
      const [of, difference] = closest(newer, version, schema);
      const text = JSON.stringify(difference);
      if (!differences.includes(text)) differences.push(text);
      byRelease[release][version] = [of, differences.indexOf(text)];
    }
  }
  if (Object.keys(byRelease).length === 0) return;
  const head = JSON.stringify({ releases: byRelease }).slice(0, -1);
  write(join(group || 'core', `${kind}.older.json`), `${head},"differences":[\n${differences.join(',\n')}\n]}\n`);
}

function closest(newer: Readonly<Record<string, Schema>>, version: string, schema: Schema): [string, Difference] {
  const names = Object.keys(newer);
  if (names.length === 0) return [version, { '=': schema }];
  const own = newer[version] ?? newer[names[0] ?? ''];
  const first = names.find((name) => JSON.stringify(newer[name]) === JSON.stringify(own)) ?? version;
  return [first, differenceOf(newer[first], schema)];
}

function sorted(versions: Readonly<Record<string, Schema>>): [string, Schema][] {
  return Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1));
}

function writeDefinitions(): void {
  const [newest = '', ...others] = releaseNames('kubernetes');
  write('definitions.json', `${JSON.stringify(definitions.get(newest))}\n`);
  const older = others.map((release) => [release, differenceOf(definitions.get(newerRelease('kubernetes', release) ?? ''), definitions.get(release) ?? {})]); // prettier-ignore
  write('definitions.older.json', `${JSON.stringify(Object.fromEntries(older))}\n`);
}

/** Which kinds and versions there are, in which releases: what is not there is told from what is none of our business. */
function writeIndex(): void {
  const index: Record<string, Record<string, { in?: string[]; deprecated?: string[] }>> = {};
  for (const key of [...kinds.keys()].sort()) {
    const { component, releases, deprecated } = kinds.get(key) as Kind;
    const versions = [...new Set([...releases.values()].flatMap((schemas) => Object.keys(schemas)))];
    index[key] = {};
    for (const version of versions) {
      const serving = releaseNames(component).filter((release) => releases.get(release)?.[version] !== undefined);
      const warning = deprecated.get(version);
      index[key][version] = {
        ...(serving.length === releaseNames(component).length ? {} : { in: serving }),
        ...(warning === undefined ? {} : { deprecated: warning }),
      };
    }
  }
  const lines = Object.entries(index).map(([key, versions]) => `${JSON.stringify(key)}:${JSON.stringify(versions)}`);
  write('index.json', `{\n${lines.join(',\n')}\n}\n`);
}

/** CEL rules as the trees that they parse to: to parse them takes longer than all else that `check` does with a small mesh. */
function writeExpressions(): void {
  const seen = new Set<string>();
  const treesOf = (files: readonly string[]): string => {
    const trees: Record<string, unknown> = {};
    const collect = (node: Json): void => {
      if (node === null || typeof node !== 'object') return;
      if (Array.isArray(node)) return node.forEach(collect);
      const { rule, messageExpression } = node as Schema;
      for (const text of [rule, messageExpression]) {
        if (typeof text !== 'string' || seen.has(text)) continue;
        seen.add(text);
        trees[text] = parse(text).expr;
      }
      Object.values(node as Schema).forEach(collect);
    };
    for (const file of files) collect(JSON.parse(readFileSync(join(OUT, file), 'utf8')) as Json);
    const lines = Object.entries(trees).map(
      ([rule, tree]) => `${JSON.stringify(rule)}:${JSON.stringify(tree, inJson)}`,
    );
    return `{\n${lines.join(',\n')}\n}\n`;
  };
  const files = readdirSync(OUT, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort();
  write('expressions.json', treesOf(files.filter((name) => !name.endsWith('.older.json'))));
  write('expressions.older.json', treesOf(files.filter((name) => name.endsWith('.older.json'))));
}

/** Without the marks of a message and the numbers of nodes; integers are numbers here, and bigints again in `cel.ts`. */
function inJson(key: string, value: unknown): unknown {
  if (key === '$typeName' || key === 'id') return undefined;
  if (typeof value !== 'bigint') return value;
  if (!Number.isSafeInteger(Number(value))) throw new Error(`${value} does not go into JSON`);
  return Number(value);
}

function write(name: string, text: string): void {
  const path = join(OUT, name);
  mkdirSync(resolve(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

rmSync(OUT, { recursive: true, force: true });
for (const component of ['istio', 'gatewayApi', 'envoyGateway'] as const)
  for (const release of releaseNames(component)) importCrds(component, release);
for (const release of releaseNames('kubernetes')) importCore(release);
for (const kind of kinds.values()) {
  writeNewest(kind);
  writeOlder(kind);
}
writeDefinitions();
writeIndex();
writeExpressions();
process.stderr.write(`wrote ${OUT}\n`);
