/** `mesh-edge check PATH...`: what is wrong with manifests, before they are applied. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type Severity, SEVERITIES } from '../check/finding';
import type { World } from '../model/worlds';
import { configuration, layoutOf } from './configuration';
import { FOUND, OK, UsageError } from './exit';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';

const FORMATS = ['text', 'json', 'sarif', 'github', 'markdown'] as const;

interface CheckFlags extends MeshFlags {
  readonly format: (typeof FORMATS)[number];
  readonly failOn: Severity;
  readonly explain?: string;
  readonly world?: string;
  readonly helm?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command('check')
    .description('static analysis of Istio ingress and egress configuration')
    .argument('[PATH...]', 'YAML or JSON files, folders (searched recursively), or - for standard input')
    .addOption(new Option('--format <format>', 'how findings are written').choices(FORMATS).default('text'))
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 if there are findings at least this serious')
        .choices(SEVERITIES)
        .default('error'),
    )
    .option('--explain <rule>', 'print the page of a rule, by its id or name, and exit')
    .option('--world <folder>', 'judge one build root of those that mesh-edge worlds shows')
    .option('--helm', 'render the charts of the repository with your own helm template');
  addMeshOptions(command).action(run);
}

async function run(paths: string[], flags: CheckFlags): Promise<void> {
  if (flags.explain !== undefined) {
    const { explain } = await import('../report/explain.js');
    process.stdout.write(explain(flags.explain));
    return;
  }
  if (paths.length === 0) throw new UsageError('name at least one file, folder, or - for standard input');
  const { findWorlds } = await import('../model/worlds.js');
  const { checkWorlds } = await import('../check/worlds.js');
  const worlds = chosen(findWorlds(paths, undefined, undefined, await layoutOf(flags)), flags.world);
  const count = worlds.reduce((sum, { loaded }) => sum + loaded.manifests.length, 0);
  const isLong = count > 5_000 && process.stderr.isTTY === true;
  if (isLong) process.stderr.write(`checking ${count} objects ...`);
  const result = checkWorlds(worlds, {
    ...(await meshOptionsOf(flags)),
    suppress: (await configuration(flags.config)).suppress,
  });
  if (isLong) process.stderr.write('\r\x1b[K');
  const { format } = await import('../report/index.js');
  const options = { color: useColor(), width: Math.min(process.stdout.columns ?? 100, 120) };
  write(format(result, flags.format, options));
  const failing = SEVERITIES.slice(0, SEVERITIES.indexOf(flags.failOn) + 1);
  process.exitCode = result.findings.some(({ severity }) => failing.includes(severity)) ? FOUND : OK;
}

function chosen(worlds: readonly World[], name: string | undefined): readonly World[] {
  if (name === undefined) return worlds;
  const found = worlds.filter((world) => resolve(world.name) === resolve(name));
  if (found.length > 0) return found;
  throw new UsageError(`there is no world ${name}; there are ${worlds.map((world) => world.name).join(', ')}`);
}

/** Writes parts in blocks of some length: neither each by itself nor all of them at once. */
function write(parts: Iterable<string>): void {
  let block = '';
  for (const part of parts) {
    block += part;
    if (block.length < 100_000) continue;
    process.stdout.write(block);
    block = '';
  }
  process.stdout.write(block);
}

function useColor(): boolean {
  if (process.env.NO_COLOR) return false;
  return Boolean(process.env.FORCE_COLOR) || process.stdout.isTTY === true;
}
