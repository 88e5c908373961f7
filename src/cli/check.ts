/** `mesh-edge check PATH...`: what is wrong with manifests, before they are applied. */
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type CheckResult, type Severity, SEVERITIES } from '../check/finding';
import { textAt } from '../model/files';
import { printable } from '../model/printable';
import { isColored } from './color';
import { configuration } from './configuration';
import { FOUND, OK, UsageError } from './exit';
import { type InputFlags, addInputOptions, readWorlds } from './input';
import { writeOne } from './written';
import { addMeshOptions, type MeshFlags, meshOptionsOf } from './mesh-options';

const FORMATS = ['text', 'json', 'sarif', 'github', 'markdown'] as const;

interface CheckFlags extends MeshFlags, InputFlags {
  readonly format: (typeof FORMATS)[number];
  readonly failOn: Severity;
  readonly explain?: string;
  readonly rules?: boolean;
  readonly baseline?: string;
  readonly writeBaseline?: boolean;
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
    .option('--rules', 'print all rules, one a line, and exit')
    .option('--baseline <file>', 'accept the findings that the file holds, and tell only others')
    .option('--write-baseline', 'write the findings of today into the file of --baseline');
  addMeshOptions(addInputOptions(command)).action(run);
}

async function run(paths: string[], flags: CheckFlags): Promise<void> {
  if (flags.rules === true) {
    const { listRules } = await import('../report/explain.js');
    process.stdout.write(listRules());
    return;
  }
  if (flags.explain !== undefined) {
    const { explain } = await import('../report/explain.js');
    process.stdout.write(explain(flags.explain));
    return;
  }
  if (paths.length === 0) throw new UsageError('name at least one file, folder, or - for standard input');
  const { checkWorlds } = await import('../check/worlds.js');
  const settings = await configuration(flags.config);
  const worlds = await readWorlds(paths, flags);
  const count = worlds.reduce((sum, { loaded }) => sum + loaded.manifests.length, 0);
  const isLong = count > 5_000 && process.stderr.isTTY === true;
  if (isLong) process.stderr.write(`checking ${count} objects ...`);
  const all = checkWorlds(worlds, {
    ...(await meshOptionsOf(flags)),
    suppress: settings.suppress,
    ...(settings.severity === undefined ? {} : { severity: settings.severity }),
  });
  if (isLong) process.stderr.write('\r\x1b[K');
  const baseline = flags.baseline ?? settings.baseline;
  if (flags.writeBaseline === true) return writeBaseline(all, baseline);
  const result = baseline === undefined ? all : await withoutBaseline(all, baseline);
  const { format } = await import('../report/index.js');
  const options = { color: isColored(), width: Math.min(process.stdout.columns ?? 100, 120) };
  write(format(result, flags.format, options));
  const failing = SEVERITIES.slice(0, SEVERITIES.indexOf(flags.failOn) + 1);
  process.exitCode = result.findings.some(({ severity }) => failing.includes(severity)) ? FOUND : OK;
}

async function writeBaseline(result: CheckResult, file: string | undefined): Promise<void> {
  if (file === undefined) throw new UsageError('--write-baseline needs the name of the file: --baseline FILE');
  const { writeBaseline: textOf } = await import('../check/baseline.js');
  writeOne(file, textOf(result));
  process.stdout.write(
    `wrote ${printable(file)}: ${result.findings.length} ${result.findings.length === 1 ? 'finding is' : 'findings are'} accepted\n`,
  );
  process.exitCode = OK;
}

async function withoutBaseline(result: CheckResult, file: string): Promise<CheckResult> {
  if (!existsSync(file))
    throw new UsageError(
      `there is no baseline ${file}; write it: mesh-edge check ... --baseline ${file} --write-baseline`,
    );
  const { withoutBaseline: compare } = await import('../check/baseline.js');
  try {
    const { result: rest, gone } = compare(result, textAt(file), file);
    if (gone > 0)
      process.stderr.write(
        `mesh-edge: ${gone} ${gone === 1 ? 'finding' : 'findings'} of ${printable(file)} ${gone === 1 ? 'is' : 'are'} there no more: write it again\n`,
      );
    return rest;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
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
