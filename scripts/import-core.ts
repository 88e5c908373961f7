/**
 * The second half of `npm run import`: bindings of Kubernetes' own kinds that the constructs render, from the OpenAPI document of the pinned
 * release, by the generator that `cdk8s import k8s` uses. Only these kinds and what they refer to; prose is stripped.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { type Json, moduleDir } from './crd-sources';

/** The release of the lab's kube-apiserver. */
const KUBERNETES = { module: 'k8s.io/kubernetes', version: 'v1.34.2' };

const KINDS = [
  'io.k8s.api.apps.v1.Deployment',
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler',
  'io.k8s.api.core.v1.ConfigMap',
  'io.k8s.api.core.v1.Namespace',
  'io.k8s.api.core.v1.Service',
  'io.k8s.api.core.v1.ServiceAccount',
  'io.k8s.api.networking.v1.NetworkPolicy',
  'io.k8s.api.policy.v1.PodDisruptionBudget',
  'io.k8s.api.rbac.v1.Role',
  'io.k8s.api.rbac.v1.RoleBinding',
];

/** Types whose values are a text or a number, which OpenAPI's second version cannot say. */
const EITHER: Readonly<Record<string, Json>> = {
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { oneOf: [{ type: 'string' }, { type: 'integer' }] },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { oneOf: [{ type: 'string' }, { type: 'number' }] },
};

interface Definition {
  properties?: { [name: string]: Json };
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
}
interface Generator {
  addDefinition(name: string, schema: Json): void;
  render(): string;
}

const cli = createRequire(require.resolve('cdk8s-cli/package.json'));
const root = dirname(cli.resolve('cdk8s-cli/package.json'));
const { TypeGenerator } = cli('json2jsii') as { TypeGenerator: new (options: unknown) => Generator };
const codegen = cli(join(root, 'lib/import/codegen')) as {
  emitHeader(code: unknown, custom: boolean): void;
  generateConstruct(types: Generator, kind: unknown): void;
  getTypeName(custom: boolean, kind: string, version: string): string;
  getPropsTypeName(kind: unknown): string;
};
const { parseApiTypeName } = cli(join(root, 'lib/import/k8s-util')) as {
  parseApiTypeName(name: string): { basename: string; version?: { raw: string } };
};

function withoutProse(node: Json, isMap = false): Json {
  if (Array.isArray(node)) return node.map((item) => withoutProse(item));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, value]) => isMap || key !== 'description' || typeof value !== 'string')
      .map(([key, value]) => [key, withoutProse(value, !isMap && key === 'properties')]),
  );
}

/** Those definitions that the kinds refer to, however far away. */
function reachable(all: Readonly<Record<string, Json>>): Record<string, Json> {
  const found: Record<string, Json> = {};
  const visit = (name: string): void => {
    if (name in found) return;
    const schema = EITHER[name] ?? all[name];
    if (schema === undefined) throw new Error(`${KUBERNETES.module}@${KUBERNETES.version} defines no ${name}`);
    found[name] = withoutProse(schema);
    for (const [, next = ''] of JSON.stringify(schema).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)) visit(next);
  };
  KINDS.forEach(visit);
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function main(): Promise<void> {
  process.stderr.write(`reading ${KUBERNETES.module}@${KUBERNETES.version}\n`);
  const swagger = JSON.parse(readFileSync(join(moduleDir(KUBERNETES), 'api/openapi-spec/swagger.json'), 'utf8')) as {
    definitions: Record<string, Json>;
  };
  const definitions = reachable(swagger.definitions);
  const types = new TypeGenerator({
    definitions,
    renderTypeName: (name: string) => {
      const { basename, version } = parseApiTypeName(name);
      return version === undefined ? basename : codegen.getTypeName(false, basename, version.raw);
    },
  });
  const kinds = KINDS.map((fqn) => {
    const schema = definitions[fqn] as Definition;
    const gvk = schema['x-kubernetes-group-version-kind']?.[0];
    if (gvk === undefined) throw new Error(`${fqn} is no kind of an API`);
    return { custom: false, fqn, ...gvk, schema, prefix: 'Kube' };
  });
  for (const kind of kinds) types.addDefinition(kind.fqn, { $ref: `#/definitions/${codegen.getPropsTypeName(kind)}` });
  for (const kind of kinds) codegen.generateConstruct(types, kind);
  const lines: string[] = [];
  codegen.emitHeader({ line: (text = '') => lines.push(text) }, false);
  writeFileSync(resolve(__dirname, '../imports/k8s.ts'), `${lines.join('\n')}\n${types.render()}`);
  process.stderr.write('wrote imports/k8s.ts\n');
}

void main();
