/** The files of the app: what constructs say, what is kept as it is, and the program that synthesizes both. */
import { stringify } from 'yaml';
import { record } from '../model/fields';
import type { Manifest } from '../model/manifest';
import { printable } from '../model/printable';
import { literal, Names, variableName } from './code';
import type { Comments } from './comments';
import { cdk8sNames, statementsOf, type Lifted } from './lifted';
import { packageFiles, type ProjectFile } from './package-files';
import type { Part } from './parts';
import { asWritten } from './written';

export type { ProjectFile } from './package-files';

/** What is said beside the objects. */
export interface Remarks {
  /** Why objects stay as they are. */
  readonly reasons: ReadonlyMap<Manifest, string>;
  /** What people wrote beside them. */
  readonly comments: Comments;
}

/** The program of a project. */
export const MAIN_FILE = 'main.ts';

/** What a program of several environments calls for each. */
export const ENVIRONMENT_FILE = 'app.ts';

/** @param isEnvironment whether it is one of several, in a folder of its own, and not the whole project */
export function projectFiles(parts: readonly Part[], remarks: Remarks, isEnvironment = false): readonly ProjectFile[] {
  const files: ProjectFile[] = [
    isEnvironment
      ? { path: ENVIRONMENT_FILE, text: environmentFile(parts) }
      : { path: MAIN_FILE, text: mainFile(parts) },
  ];
  for (const part of parts) files.push({ path: `${part.name}.ts`, text: chartFile(part, parts, remarks.comments) });
  if (parts.some(({ lifted }) => carries(lifted))) files.push({ path: CARRY_FILE, text: CARRY });
  const raw = parts.filter((part) => part.raw.length > 0);
  if (raw.length > 0) files.push({ path: RAW_FILE, text: rawFile(raw, remarks) });
  return isEnvironment ? files : [...files, ...packageFiles()];
}

const carries = (lifted: readonly Lifted[]): boolean => lifted.some(({ carried }) => carried.length > 0);

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

function mainFile(parts: readonly Part[]): string {
  return [...chartImports(parts), '', 'const app = new EdgeApp();', ...charts(parts), 'app.synth();', ''].join('\n');
}

function environmentFile(parts: readonly Part[]): string {
  const statements = ['const app = new EdgeApp({ manifests });', ...charts(parts), 'app.synth();'];
  return [
    ...chartImports(parts),
    '',
    '/** Writes the manifests of this environment into a folder. */',
    'export function synth(manifests: string): void {',
    ...statements.map((line) => `  ${line}`),
    '}',
    '',
  ].join('\n');
}

const chartImports = (parts: readonly Part[]): readonly string[] => [
  "import { EdgeApp } from 'cdk8s-mesh-edge';",
  ...parts.map(({ name, className }) => `import { ${className} } from './${name}';`),
];

/** The statements that make the charts, each with those that it takes from. */
function charts(parts: readonly Part[]): readonly string[] {
  const names = new Names(['app', 'manifests']);
  const own = ({ name }: Part): string => names.free(variableName(name), `${variableName(name)}Chart`);
  const variables = new Map(parts.map((part) => [part.name, own(part)]));
  const isTaken = (name: string): boolean => parts.some(({ takes }) => takes.some(({ from }) => from === name));
  return parts.map(({ name, className, takes }) => {
    const args = ['app', literal(name), ...sourcesOf(takes).map((from) => variables.get(from) ?? from)];
    return `${isTaken(name) ? `const ${variables.get(name) ?? name} = ` : ''}new ${className}(${args.join(', ')});`;
  });
}

/** The charts that something is taken from. */
const sourcesOf = (takes: Part['takes']): readonly string[] => [...new Set(takes.map(({ from }) => from))];

/** What every chart has of its own (`Chart` of cdk8s). */
export const INHERITED = new Set([
  'node',
  'namespace',
  'labels',
  'generateObjectName',
  'addDependency',
  'apiObjects',
  'with',
]);

/** The property under which a chart gives a construct to others. */
const propertyOf = ({ provides = '' }: Lifted): string => (INHERITED.has(provides) ? `${provides}Construct` : provides);

function chartFile(part: Part, parts: readonly Part[], comments: Comments): string {
  const { lifted, values, gives, takes, className } = part;
  const hasRaw = part.raw.length > 0;
  const given = gives.map((one) => ({ one, type: /^(?:new )?(\w+)/.exec(one.code)?.[1] ?? '' }));
  const imports = [
    ...new Set([...lifted.flatMap((one) => [...one.imports]), ...(values.length > 0 ? ['OutputFile'] : [])]),
  ].sort();
  const used = new Set([...lifted.flatMap((one) => [...(one.uses ?? [])]), ...gives.map(({ provides }) => provides)]);
  const body = lifted.map((one) => `${remarksOn(one.replaces, comments, '    ')}${statementsOf(one, one.provides !== undefined && used.has(one.provides))}`); // prettier-ignore
  if (hasRaw) body.push(`    ${rawFunction(part)}(this);`);
  values.forEach((one, index) => {
    const { kind: _kind, ...content } = record(one.body);
    const path = `install/values${index === 0 ? '' : index + 1}.yaml`;
    body.push(
      `${remarksOn([one], comments, '    ')}    new OutputFile(this, ${literal(`Values${index + 1}`)}, ${literal({ path, content: stringify(content) }, 4)});`,
    );
  });
  if (given.length > 0) body.push(given.map(({ one }) => `    this.${propertyOf(one)} = ${one.provides};`).join('\n'));
  const named = imports.filter((name) => body.some((code) => new RegExp(`\\b${name}\\b`).test(code)));
  const theirs = sourcesOf(takes).map((from) => {
    const source = parts.find(({ name }) => name === from);
    const own = takes.filter((one) => one.from === from).map((one) => one.lifted);
    const names = own.map((one) => (propertyOf(one) === one.provides ? one.provides : `${propertyOf(one)}: ${one.provides}`)); // prettier-ignore
    return { from, type: source?.className ?? '', names };
  });
  const parameters = ['scope: Construct', 'id: string', ...theirs.map(({ type, names }) => `{ ${names.join(', ')} }: ${type}`)]; // prettier-ignore
  return [
    `import { ${[...new Set(['Chart', ...lifted.flatMap((one) => [...cdk8sNames(one)])])].sort().join(', ')} } from 'cdk8s';`,
    ...(named.length === 0 ? [] : [importLine(named)]),
    "import type { Construct } from 'constructs';",
    ...(carries(lifted) ? ["import { carry } from './carry';"] : []),
    ...(hasRaw ? [`import { ${rawFunction(part)} } from './raw';`] : []),
    ...theirs.map(({ from, type }) => `import type { ${type} } from './${from}';`),
    '',
    `/** What may cross the edge of the mesh${parts.length === 1 ? '' : `: ${part.name}`}. */`,
    `export class ${className} extends Chart {`,
    ...given.map(({ one, type }) => `  public readonly ${propertyOf(one)}: ${type};`),
    ...(given.length > 0 ? [''] : []),
    `  public constructor(${parameters.join(', ')}) {`,
    '    super(scope, id);',
    body.join('\n\n'),
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Comments of objects, each a line; of several objects, with the name of the one that they were written at. */
function remarksOn(manifests: readonly Manifest[], comments: Comments, indent: string): string {
  return manifests
    .flatMap((one) => {
      const own = comments.get(one) ?? [];
      const name = `${one.kind} ${one.namespace === '' ? one.name : `${one.namespace}/${one.name}`}:`;
      return manifests.length > 1 && own.length > 0 ? [name, ...own] : own;
    })
    .map((line) => `${indent}//${line === '' ? '' : ` ${printable(line)}`}\n`)
    .join('');
}

const rawFunction = ({ className }: Part): string => (className === 'Edge' ? 'addRaw' : `addRawOf${className}`);

function importLine(names: readonly string[]): string {
  const flat = `import { ${names.join(', ')} } from 'cdk8s-mesh-edge';`;
  return flat.length <= 110
    ? flat
    : `import {\n${names.map((name) => `  ${name},\n`).join('')}} from 'cdk8s-mesh-edge';`;
}

function rawFile(parts: readonly Part[], remarks: Remarks): string {
  return [
    "import { ApiObject } from 'cdk8s';",
    "import type { Construct } from 'constructs';",
    '',
    parts.map((part) => rawObjects(part, remarks)).join('\n\n'),
    '',
  ].join('\n');
}

function rawObjects(part: Part, { reasons, comments }: Remarks): string {
  const ids = new Names();
  const objects = part.raw.map((manifest) => {
    const { metadata: kept, ...body } = asWritten(manifest);
    const id = ids.free(
      `${manifest.kind}-${manifest.namespace === '' ? '' : `${manifest.namespace}-`}${manifest.name}`,
    );
    const why = reasons.get(manifest);
    const comment = why === undefined ? '' : `  // ${printable(why)}\n`;
    return `${remarksOn([manifest], comments, '  ')}${comment}  new ApiObject(scope, ${literal(id)}, ${literal({ apiVersion: body.apiVersion, kind: body.kind, metadata: kept, ...body }, 2)});`;
  });
  return [
    '/** Objects that are kept as they were written. */',
    `export function ${rawFunction(part)}(scope: Construct): void {`,
    objects.join('\n\n'),
    '}',
  ].join('\n');
}
