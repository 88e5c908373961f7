/** `mesh-edge adopt PATH... -o DIR`: hand-written manifests as TypeScript that synthesizes the same traffic. */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Adopted } from '../adopt/adopt';
import { CARRY_FILE, RAW_FILE, type ProjectFile } from '../adopt/project';
import { printable } from '../model/printable';
import { replaceFiles } from '../output/files';
import { OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readManifests, sayUnread } from './input';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';

interface AdoptFlags extends MeshFlags, InputFlags {
  readonly output: string;
  readonly force?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command('adopt')
    .description('convert existing manifests to constructs: TypeScript that synthesizes the same traffic')
    .argument('<PATH...>', 'YAML or JSON files, folders (searched recursively), or - for standard input')
    .requiredOption('-o, --output <folder>', 'where the TypeScript goes')
    .option('--force', 'replace files that are there, and say which');
  addMeshOptions(addInputOptions(command)).action(run);
}

async function run(paths: string[], flags: AdoptFlags): Promise<void> {
  const { adopt, TwiceError } = await import('../adopt/adopt.js');
  const { loadConstructs } = await import('./constructs.js');
  const loaded = await readManifests(paths, flags);
  const options = await meshOptionsOf(flags);
  const adopted = (() => {
    try {
      return adopt(loaded.manifests.slice(0, loaded.own), options, loadConstructs());
    } catch (error) {
      if (error instanceof TwiceError) throw new UsageError(error.message);
      throw error;
    }
  })();
  const lines = write(adopted.files, flags);
  const say = (line: string): void => void process.stderr.write(`mesh-edge: ${printable(line)}\n`);
  await sayUnread(loaded, 'it is left out');
  for (const note of adopted.notes) say(note);
  process.stdout.write([...lines, ...summary(adopted, flags)].map((line) => `${line}\n`).join(''));
  process.exitCode = OK;
}

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

function summary({ lifted, raw, left, undecided }: Adopted, { output }: AdoptFlags): readonly string[] {
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
    `Next: cd ${printable(output)} && npm install && npm run synth`,
  ];
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
