/** `mesh-edge prove RULES PATH...`: whether rules hold for every request. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { ProveFormat } from '../report/prove';
import { isColored } from './color';
import { FOUND, OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readManifests, sayUnread } from './input';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';
import { progressBar } from './progress';

const FORMATS: readonly ProveFormat[] = ['text', 'json', 'github', 'markdown', 'sarif'];

interface ProveFlags extends MeshFlags, InputFlags {
  readonly format: ProveFormat;
}

export function register(program: Command): void {
  const command = program
    .command('prove')
    .description('say whether rules about who may reach what hold for every request, or show one that breaks them')
    .argument('<RULES>', 'a YAML file of rules')
    .argument('<PATH...>', 'files and folders of manifests, or - for standard input')
    .addOption(new Option('--format <format>', 'how verdicts are written').choices(FORMATS).default('text'));
  addMeshOptions(addInputOptions(command)).action(run);
}

async function run(file: string, paths: readonly string[], flags: ProveFlags): Promise<void> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { readRules } = await import('../prove/rules.js');
  const { rules, problems } = readRules(text);
  refuse(file, problems);
  const { acceptedMesh } = await import('../check/accepted.js');
  const { prove, unknownNames } = await import('../prove/prove.js');
  const { formatProofs } = await import('../report/prove.js');
  const loaded = await readManifests(paths, flags);
  const mesh = acceptedMesh(loaded.manifests, await meshOptionsOf(flags));
  refuse(file, unknownNames(mesh, rules));
  const bar = progressBar('proving');
  const proofs = prove(mesh, rules, { onProgress: bar.update });
  bar.end();
  await sayUnread(loaded, 'what is said holds without it');
  const color = isColored();
  process.stdout.write(formatProofs(proofs, flags.format, { file, color, leftOut: mesh.leftOut }));
  process.exitCode = proofs.every(({ passes }) => passes) && loaded.problems.length === 0 ? OK : FOUND;
}

function refuse(
  file: string,
  problems: readonly { readonly line: number; readonly key: string; readonly what: string }[],
): void {
  if (problems.length === 0) return;
  throw new UsageError(
    problems
      .map(({ line, key, what }) => `${file}:${line}: ${key === '' ? '' : `${key}: `}${what}`)
      .join('\nmesh-edge: '),
  );
}
