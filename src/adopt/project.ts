/** The files of the app: what constructs say, what is kept as it is, and the program that synthesizes both. */
import { stringify } from 'yaml';
import { record } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { printable } from '../model/printable';
import { literal, Names } from './code';
import { cdk8sNames, statementsOf, type Lifted } from './lifted';
import { packageFiles, type ProjectFile } from './package-files';
import { asWritten } from './written';

export type { ProjectFile } from './package-files';

export function projectFiles(
  lifted: readonly Lifted[],
  raw: readonly Manifest[],
  values: readonly Manifest[],
  reasons: ReadonlyMap<Manifest, string>,
): readonly ProjectFile[] {
  const files: ProjectFile[] = [
    { path: 'main.ts', text: mainFile() },
    { path: 'edge.ts', text: edgeFile(lifted, raw.length > 0, values) },
  ];
  if (lifted.some(({ carried }) => carried.length > 0)) files.push({ path: CARRY_FILE, text: CARRY });
  if (raw.length > 0) files.push({ path: RAW_FILE, text: rawFile(raw, reasons) });
  return [...files, ...packageFiles()];
}

/** Where fields are added that no construct says; not there if there are none. */
export const CARRY_FILE = 'carry.ts';

const CARRY = `import { ApiObject, type JsonPatch } from 'cdk8s';
import type { Construct } from 'constructs';

/** Adds to an object that a construct renders what no construct says. */
export function carry(scope: Construct, kind: string, namespace: string, name: string, patches: JsonPatch[]): void {
  const objects = scope.node.findAll().filter((one) => ApiObject.isApiObject(one));
  const found = objects.find((one) => one.kind === kind && one.name === name && (one.metadata.namespace ?? '') === namespace);
  if (found === undefined) throw new Error(\`no construct renders \${kind} \${namespace}/\${name} any more: its line with carry can go\`);
  found.addJsonPatch(...patches);
}
`;

/** Where objects are that stay as they were written; not there if none do. */
export const RAW_FILE = 'raw.ts';

function mainFile(): string {
  return [
    "import { EdgeApp } from 'cdk8s-mesh-edge';",
    "import { Edge } from './edge';",
    '',
    'const app = new EdgeApp();',
    "new Edge(app, 'edge');",
    'app.synth();',
    '',
  ].join('\n');
}

function edgeFile(lifted: readonly Lifted[], hasRaw: boolean, values: readonly Manifest[]): string {
  const imports = [
    ...new Set([...lifted.flatMap((one) => [...one.imports]), ...(values.length > 0 ? ['OutputFile'] : [])]),
  ].sort();
  const used = new Set(lifted.flatMap((one) => [...(one.uses ?? [])]));
  const body = lifted.map((one) => statementsOf(one, one.provides !== undefined && used.has(one.provides)));
  if (hasRaw) body.push('    addRaw(this);');
  values.forEach((one, index) => {
    const { kind: _kind, ...content } = record(one.body);
    const path = `install/values${index === 0 ? '' : index + 1}.yaml`;
    body.push(
      `    new OutputFile(this, ${literal(`Values${index + 1}`)}, ${literal({ path, content: stringify(content) }, 4)});`,
    );
  });
  const named = imports.filter((name) => body.some((code) => new RegExp(`\\b${name}\\b`).test(code)));
  return [
    `import { ${[...new Set(['Chart', ...lifted.flatMap((one) => [...cdk8sNames(one)])])].sort().join(', ')} } from 'cdk8s';`,
    ...(named.length === 0 ? [] : [importLine(named)]),
    "import type { Construct } from 'constructs';",
    ...(lifted.some(({ carried }) => carried.length > 0) ? ["import { carry } from './carry';"] : []),
    ...(hasRaw ? ["import { addRaw } from './raw';"] : []),
    '',
    '/** What may cross the edge of the mesh. */',
    'export class Edge extends Chart {',
    '  public constructor(scope: Construct, id: string) {',
    '    super(scope, id);',
    body.join('\n\n'),
    '  }',
    '}',
    '',
  ].join('\n');
}

function importLine(names: readonly string[]): string {
  const flat = `import { ${names.join(', ')} } from 'cdk8s-mesh-edge';`;
  return flat.length <= 110
    ? flat
    : `import {\n${names.map((name) => `  ${name},\n`).join('')}} from 'cdk8s-mesh-edge';`;
}

function rawFile(raw: readonly Manifest[], reasons: ReadonlyMap<Manifest, string>): string {
  const ids = new Names();
  const objects = raw.map((manifest) => {
    const { metadata: kept, ...body } = asWritten(manifest);
    const id = ids.free(
      `${manifest.kind}-${manifest.namespace === '' ? '' : `${manifest.namespace}-`}${manifest.name}`,
    );
    const why = reasons.get(manifest);
    const comment = why === undefined ? '' : `  // ${printable(why)}\n`;
    return `${comment}  new ApiObject(scope, ${literal(id)}, ${literal({ apiVersion: body.apiVersion, kind: body.kind, metadata: kept, ...body }, 2)});`;
  });
  return [
    "import { ApiObject } from 'cdk8s';",
    "import type { Construct } from 'constructs';",
    '',
    '/** Objects that are kept as they were written. */',
    'export function addRaw(scope: Construct): void {',
    objects.join('\n\n'),
    '}',
    '',
  ].join('\n');
}
