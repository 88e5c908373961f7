/**
 * Makes `src/check/schemas/` anew: the structural schemas and CEL rules of the pinned CRDs, and of the core kinds that a
 * mesh's manifests use, one JSON file a kind, without prose. The same pins give the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from '@bufbuild/cel';
import { parseAllDocuments } from 'yaml';

const OUT = resolve(__dirname, '..', 'src', 'check', 'schemas');

const CRDS: readonly { module: string; path: string }[] = [
  { module: 'istio.io/api@v1.29.1', path: 'kubernetes/customresourcedefinitions.gen.yaml' },
  // The experimental channel is a superset of the standard one.
  { module: 'sigs.k8s.io/gateway-api@v1.4.0', path: 'config/crd/experimental' },
  { module: 'github.com/envoyproxy/gateway@v1.7.0', path: 'charts/gateway-crds-helm/templates/generated' },
];

const CORE = { module: 'k8s.io/kubernetes@v1.34.2', path: 'api/openapi-spec/swagger.json' };
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

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Schema = { [key: string]: Json };
interface Crd {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { name: string; served: boolean; schema: { openAPIV3Schema: Schema } }[];
  };
}

function moduleDir(name: string): string {
  const output = execFileSync('go', ['mod', 'download', '-json', name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return (JSON.parse(output) as { Dir: string }).Dir;
}

function readCrds(module: string, path: string): Crd[] {
  const full = join(moduleDir(module), path);
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

/** Drops what only people read, and the status, which no manifest writes. */
function strip(node: Json, inProperties = false): Json {
  if (Array.isArray(node)) return node.map((item) => strip(item));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => inProperties || !isProse(key, value))
      .map(([key, value]) => [key, strip(value, !inProperties && key === 'properties')]),
  );
}

function isProse(key: string, value: Json): boolean {
  if (key === 'description' || key === 'externalDocs') return true;
  return (
    key.startsWith('x-kubernetes-') &&
    typeof value !== 'boolean' &&
    !['x-kubernetes-validations', 'x-kubernetes-list-map-keys', 'x-kubernetes-list-type'].includes(key)
  );
}

function writeKind(group: string, kind: string, scope: string, versions: Readonly<Record<string, Schema>>): void {
  const schemas: string[] = [];
  const byVersion: Record<string, number> = {};
  for (const [version, schema] of Object.entries(versions)) {
    const stripped = strip(schema) as { properties?: Schema } & Schema;
    if (stripped.properties?.status) stripped.properties.status = { 'x-kubernetes-preserve-unknown-fields': true };
    const text = JSON.stringify(stripped);
    if (!schemas.includes(text)) schemas.push(text);
    byVersion[version] = schemas.indexOf(text);
  }
  mkdirSync(join(OUT, group || 'core'), { recursive: true });
  const head = JSON.stringify({ group, kind, scope, versions: byVersion }).slice(0, -1);
  writeFileSync(join(OUT, group || 'core', `${kind}.json`), `${head},"schemas":[\n${schemas.join(',\n')}\n]}\n`);
}

function importCrds(): void {
  for (const { module, path } of CRDS) {
    for (const { spec } of readCrds(module, path)) {
      const served = spec.versions.filter((version) => version.served);
      const versions = Object.fromEntries(served.map(({ name, schema }) => [name, schema.openAPIV3Schema]));
      writeKind(spec.group, spec.names.kind, spec.scope, versions);
    }
  }
}

interface Definition extends Schema {
  properties: { [key: string]: Schema };
}

/** Core kinds refer to shared definitions (a Pod's template is in seven kinds), which go into one file beside them. */
function importCore(): void {
  const { definitions } = JSON.parse(readFileSync(join(moduleDir(CORE.module), CORE.path), 'utf8')) as {
    definitions: { [name: string]: Definition };
  };
  const shared = new Set<string>();
  const clean = (node: Json): Json => {
    if (Array.isArray(node)) return node.map(clean);
    if (node === null || typeof node !== 'object') return node;
    if (typeof node.$ref === 'string') {
      const name = node.$ref.replace('#/definitions/', '');
      if (name.endsWith('.IntOrString') || name.endsWith('.Quantity')) return { 'x-kubernetes-int-or-string': true };
      if (name.endsWith('Time') || name.endsWith('.FieldsV1')) return { 'x-kubernetes-preserve-unknown-fields': true };
      shared.add(name);
      return { $ref: name };
    }
    // What the document calls required has a zero value in Go, which an API server takes as well; and list types
    // there are for server-side apply only.
    const isSchema = node.type === 'object' && Array.isArray(node.required);
    return Object.fromEntries(
      Object.entries(node)
        .filter(([key]) => !(isSchema && key === 'required') && !key.startsWith('x-kubernetes-list-'))
        .map(([key, value]) => [key, clean(value)]),
    );
  };
  for (const [group, kinds] of Object.entries(CORE_KINDS)) {
    for (const kind of kinds) {
      const versions: Record<string, Schema> = {};
      for (const [name, definition] of Object.entries(definitions)) {
        const gvk = definition['x-kubernetes-group-version-kind'] as
          { group: string; version: string; kind: string }[] | undefined;
        if (gvk?.length !== 1 || gvk[0].group !== group || gvk[0].kind !== kind) continue;
        if (name.includes('apiextensions')) continue;
        versions[gvk[0].version] = clean(strip(definition)) as Schema;
      }
      const clusterScoped = ['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'IngressClass'].includes(kind);
      writeKind(group, kind, clusterScoped ? 'Cluster' : 'Namespaced', versions);
    }
  }
  const done: Record<string, Json> = {};
  for (const name of shared) done[name] = clean(strip(definitions[name])); // grows while it is walked
  const sorted = Object.fromEntries(Object.entries(done).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(join(OUT, 'definitions.json'), `${JSON.stringify(sorted)}\n`);
}

/** Which kinds and versions there are, so that one that is not there is told from one that is none of our business. */
function writeIndex(): void {
  const index: Record<string, string[]> = {};
  for (const group of readdirSync(OUT)
    .filter((name) => statSync(join(OUT, name)).isDirectory())
    .sort()) {
    for (const file of readdirSync(join(OUT, group)).sort()) {
      const { kind, versions } = JSON.parse(readFileSync(join(OUT, group, file), 'utf8')) as {
        kind: string;
        versions: object;
      };
      index[`${group === 'core' ? '' : group}/${kind}`] = Object.keys(versions);
    }
  }
  writeFileSync(join(OUT, 'index.json'), `${JSON.stringify(index, null, 1)}\n`);
}

/** CEL rules as the trees that they parse to: to parse them takes longer than all else that `check` does with a small mesh. */
function writeExpressions(): void {
  const trees: Record<string, unknown> = {};
  const collect = (node: Json): void => {
    if (node === null || typeof node !== 'object') return;
    if (Array.isArray(node)) return node.forEach(collect);
    for (const rule of [node.rule, node.messageExpression])
      if (typeof rule === 'string') trees[rule] ??= parse(rule).expr;
    Object.values(node).forEach(collect);
  };
  for (const file of readdirSync(OUT, { recursive: true, encoding: 'utf8' }).sort())
    if (file.endsWith('.json')) collect(JSON.parse(readFileSync(join(OUT, file), 'utf8')) as Json);
  const lines = Object.entries(trees).map(([rule, tree]) => `${JSON.stringify(rule)}:${JSON.stringify(tree, inJson)}`);
  writeFileSync(join(OUT, 'expressions.json'), `{\n${lines.join(',\n')}\n}\n`);
}

/** Without the marks of a message and the numbers of nodes; integers are numbers here, and bigints again in `cel.ts`. */
function inJson(key: string, value: unknown): unknown {
  if (key === '$typeName' || key === 'id') return undefined;
  if (typeof value !== 'bigint') return value;
  if (!Number.isSafeInteger(Number(value))) throw new Error(`${value} does not go into JSON`);
  return Number(value);
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
importCrds();
importCore();
writeIndex();
writeExpressions();
process.stderr.write(`wrote ${OUT}\n`);
