/**
 * Standard output and standard error of every command go through one place, which lets nothing pass that a terminal or a runner would
 * obey: whatever a command writes of names, files, git and headers, it cannot be forgotten.
 */
import { safeOutput } from '../model/printable';
import { isColored } from './color';

type Write = (text: string) => string;

/** @param argv what was asked: `--format github` is the one format that consists of workflow commands. */
export function guardOutput(argv: readonly string[]): void {
  const commands = argv.some(
    (one, at) => one === '--format=github' || (one === '--format' && argv[at + 1] === 'github'),
  );
  const colors = isColored();
  guard(process.stdout, (text) => safeOutput(text, { colors, commands }));
  guard(process.stderr, (text) => safeOutput(text));
}

function guard(stream: NodeJS.WriteStream, safe: Write): void {
  const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
  stream.write = (chunk: unknown, ...rest: unknown[]): boolean =>
    write(typeof chunk === 'string' && !isProgress(chunk) ? safe(chunk) : chunk, ...rest);
}

/** Our own bars, which go back to the start of their line: signs of ours, and no name of anybody. */
function isProgress(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return process.stderr.isTTY === true && /^\r(?:[A-Za-z ]+\[[= ]*\] \d+\/\d+| *\r|\x1b\[K)$/.test(text);
}
