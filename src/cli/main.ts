/**
 * The command line. Each command is a file of its own that exports `register(program)`, loads what it needs when it is
 * run (start-up is part of its time), and sets `process.exitCode` to one of the statuses of `exit.ts`.
 */
import { Command, CommanderError } from 'commander';
import { InputError } from '../model/files';
import { reasonOf } from '../output/reason';
import { register as registerAdopt } from './adopt';
import { register as registerCheck } from './check';
import { register as registerCompletion } from './completion';
import { register as registerDiagram } from './diagram';
import { register as registerDiff } from './diff';
import { addExamples } from './examples';
import { USAGE, UsageError } from './exit';
import { guardOutput } from './output';
import { register as registerDump } from './dump';
import { register as registerInit } from './init';
import { register as registerList } from './list';
import { register as registerProve } from './prove';
import { register as registerTrace } from './trace';
import { register as registerUpgrade } from './upgrade';
import { register as registerVerify } from './verify';
import { packageVersion } from './version';
import { register as registerWorlds } from './worlds';

export function createProgram(): Command {
  const program = new Command('mesh-edge')
    .description('Static analysis of what may cross the edge of an Istio mesh, in and out, from manifests alone.')
    .version(packageVersion())
    .showHelpAfterError('(mesh-edge COMMAND --help tells how it is used)')
    .configureHelp({ showGlobalOptions: false })
    .exitOverride();
  for (const register of [
    registerCheck,
    registerTrace,
    registerDiff,
    registerDiagram,
    registerAdopt,
    registerDump,
    registerWorlds,
    registerInit,
    registerUpgrade,
    registerVerify,
    registerProve,
    registerList,
    registerCompletion,
  ])
    register(program);
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    addExamples(command);
  }
  return program;
}

export async function main(argv: readonly string[]): Promise<void> {
  guardOutput(argv);
  // A reader that has seen enough (`| head`) closes the pipe; that is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    // A report that is cut off must not pass for one.
    process.stderr.write(`mesh-edge: standard output cannot be written: ${reasonOf(error)}\n`);
    process.exit(USAGE);
  });
  const program = createProgram();
  if (argv.length === 0) {
    process.stderr.write(program.helpInformation());
    process.exitCode = USAGE;
    return;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : USAGE;
    } else {
      const expected =
        error instanceof UsageError ||
        error instanceof InputError ||
        (error instanceof Error && error.name === 'UnknownRule');
      const text = expected
        ? error.message
        : `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
      process.stderr.write(`mesh-edge: ${text}\n`);
      process.exitCode = USAGE;
    }
  }
}

void main(process.argv.slice(2));
