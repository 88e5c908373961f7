/** Whether standard output is coloured: `NO_COLOR` and `FORCE_COLOR` as others have them, so that `FORCE_COLOR=0` means none. */
export function isColored(): boolean {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return process.stdout.isTTY === true;
}
