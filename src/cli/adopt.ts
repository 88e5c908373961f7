/** `mesh-edge adopt PATH... -o DIR`: hand-written manifests as TypeScript that synthesizes the same traffic. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { printable } from '../model/printable';
import { OK, UsageError } from './exit';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';

interface AdoptFlags extends MeshFlags {
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
  addMeshOptions(command).action(run);
}

async function run(paths: string[], flags: AdoptFlags): Promise<void> {
  const { load } = await import('../model/load.js');
  const { adopt } = await import('../adopt/adopt.js');
  const { manifests, problems } = load(paths);
  const { files, lifted, raw, notes } = adopt(manifests, await meshOptionsOf(flags));
  const targets = files.map(({ path, text }) => ({ file: join(flags.output, path), text }));
  const there = targets.filter(({ file }) => existsSync(file)).map(({ file }) => file);
  if (there.length > 0 && flags.force !== true)
    throw new UsageError(
      `${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already, and nothing was written: name another folder, or say --force`,
    );
  try {
    for (const { file, text } of targets) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  } catch (error) {
    throw new UsageError(
      `${flags.output} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const say = (line: string): void => void process.stderr.write(`mesh-edge: ${printable(line)}\n`);
  for (const { source, what } of problems)
    say(`${source.file ?? 'input'}:${source.line ?? 1}: ${what}; it is left out`);
  for (const note of notes) say(note);
  for (const { file } of targets)
    process.stdout.write(`${there.includes(file) ? 'replaced' : 'wrote'} ${printable(file)}\n`);
  process.stdout.write(
    `${lifted} objects converted to constructs, ${raw} kept as raw manifests.\n` +
      'The code has not been run: synthesize it, then compare what it writes with what you gave (mesh-edge diff BEFORE AFTER).\n',
  );
  process.exitCode = OK;
}
