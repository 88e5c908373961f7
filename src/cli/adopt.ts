/** `mesh-edge adopt PATH... -o DIR`: hand-written manifests as TypeScript that synthesizes the same traffic. */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Adopted } from '../adopt/adopt';
import { CARRY_FILE, RAW_FILE, type ProjectFile } from '../adopt/project';
import type { Split } from '../adopt/parts';
import { printable } from '../model/printable';
import { replaceFiles } from '../output/files';
import { OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readManifests, sayUnread } from './input';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';

interface AdoptFlags extends MeshFlags, InputFlags {
  readonly output: string;
  readonly force?: boolean;
  readonly by?: Split;
  readonly environments?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command('adopt')
    .description('convert existing manifests to constructs: TypeScript that synthesizes the same traffic')
    .argument('<PATH...>', 'YAML or JSON files, folders (searched recursively), or - for standard input')
    .requiredOption('-o, --output <folder>', 'where the TypeScript goes')
    .option('--force', 'replace files that are there, and say which')
    .addOption(
      new Option('--by <what>', 'a chart for each namespace, or for each folder of the manifests').choices([
        'namespace',
        'folder',
      ]),
    )
    .option('--environments', 'each PATH is an environment: code for each, in one project');
  addMeshOptions(addInputOptions(command)).action(run);
}

async function run(paths: string[], flags: AdoptFlags): Promise<void> {
  if (flags.environments !== true) {
    const adopted = await adoptPaths(paths, flags);
    const lines = write(adopted.files, flags);
    say(adopted.notes);
    print([...lines, ...summary(adopted), next(flags)]);
    return;
  }
  const { environmentFiles, environmentNames } = await import('../adopt/environments.js');
  const names = paths.length < 2 || paths.includes('-') ? undefined : environmentNames(paths);
  if (names === undefined)
    throw new UsageError(
      '--environments takes a folder or file of each environment, of different names: mesh-edge adopt overlays/dev overlays/prod --environments -o edge/',
    );
  const environments: { readonly name: string; readonly adopted: Adopted }[] = [];
  for (const [index, path] of paths.entries())
    environments.push({ name: names[index] ?? '', adopted: await adoptPaths([path], flags) });
  const files = environmentFiles(environments.map(({ name, adopted }) => ({ name, files: adopted.files })));
  const lines = write(files, flags);
  for (const { name, adopted } of environments) say(adopted.notes.map((note) => `${name}: ${note}`));
  const summaries = environments.flatMap(({ name, adopted }) => summary(adopted).map((line) => `${name}: ${line}`));
  print([...lines, ...summaries, next(flags)]);
}

/** The code of some paths, as one mesh. */
async function adoptPaths(paths: readonly string[], flags: AdoptFlags): Promise<Adopted> {
  const { adopt, TwiceError } = await import('../adopt/adopt.js');
  const { commentsOf } = await import('../adopt/comments.js');
  const { loadConstructs } = await import('./constructs.js');
  const loaded = await readManifests(paths, flags);
  const options = await meshOptionsOf(flags);
  await sayUnread(loaded, 'it is left out');
  const manifests = loaded.manifests.slice(0, loaded.own);
  const layout = { split: flags.by, comments: commentsOf(manifests), isEnvironment: flags.environments };
  try {
    return adopt(manifests, options, loadConstructs(), layout);
  } catch (error) {
    if (error instanceof TwiceError) throw new UsageError(error.message);
    throw error;
  }
}

function say(notes: readonly string[]): void {
  for (const note of notes) process.stderr.write(`mesh-edge: ${printable(note)}\n`);
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  process.exitCode = OK;
}

const next = ({ output }: AdoptFlags): string => `Next: cd ${printable(output)} && npm install && npm run synth`;

/** Writes the files, all or, where one may not be written, none; says of each what became of it. */
function write(files: readonly ProjectFile[], { output, force = false }: AdoptFlags): readonly string[] {
  const targets = files.map((one) => ({
    ...one,
    file: join(output, one.path),
    isThere: lstatSync(join(output, one.path), { throwIfNoEntry: false }) !== undefined,
  }));
  const written = targets.filter(({ isThere, isKept = false }) => !(isThere && isKept));
  const former = [RAW_FILE, CARRY_FILE]
    .filter((name) => !files.some(({ path }) => path === name))
    .map((name) => ({ name, file: join(output, name) }))
    .filter(({ file }) => existsSync(file));
  const inTheWay = [
    ...written.filter(({ isThere }) => isThere).map(({ file }) => file),
    ...former.map(({ file }) => file),
  ];
  if (inTheWay.length > 0 && !force)
    throw new UsageError(
      `${inTheWay.join(', ')} ${inTheWay.length === 1 ? 'is' : 'are'} there already, and nothing was written: name another folder, or say --force`,
    );
  try {
    replaceFiles(output, new Map(written.map(({ path, text }) => [path, text])), former.map(({ name }) => name)); // prettier-ignore
  } catch (error) {
    throw new UsageError(
      `${output} cannot be written, and is as it was: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return [
    ...targets.map(
      ({ file, isThere, isKept = false }) => `${isThere ? (isKept ? 'kept' : 'replaced') : 'wrote'} ${printable(file)}`,
    ),
    ...former.map(({ file }) => `removed ${printable(file)}: nothing needs it any more`),
  ];
}

const MOST_NAMED = 8;

function summary({ lifted, raw, left, undecided }: Adopted): readonly string[] {
  const names = left.map(({ kind, namespace, name }) => `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`);
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  const stay = names.length === 1 ? '1 object stays' : `${names.length} objects stay`;
  return [
    `${count(lifted, 'object')} converted to constructs, ${raw} kept as raw manifests.`,
    ...(left.length > 0 ? [`${stay} in YAML: ${printable(names.slice(0, MOST_NAMED).join(', '))}${more}`] : []),
    undecided.length === 0
      ? 'The constructs were run: what they render changes no traffic.'
      : 'The constructs were run: what they render changes no traffic that could be decided. Undecided:',
    ...undecided.map((line) => `  ${printable(line)}`),
  ];
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
