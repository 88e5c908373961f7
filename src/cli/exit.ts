/** Exit statuses of every command, and the error that a command throws when it was used wrongly. */
export const OK = 0;
/** Findings at or above `--fail-on`, a refused request, or changes in a diff with `--exit-code`. */
export const FOUND = 1;
/** Used wrongly, or no input that could be read: the reason is on standard error, and nothing on standard output. */
export const USAGE = 2;

export class UsageError extends Error {}
