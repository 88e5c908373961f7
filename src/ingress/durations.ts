import { Duration } from 'cdk8s';

/**
 * A duration as Gateway API writes it: whole hours, minutes, seconds and milliseconds, such as "1m30s".
 *
 * @internal
 */
export function gatewayDuration(duration: Duration | undefined): string | undefined {
  if (duration === undefined) return undefined;
  let rest = duration.toMilliseconds();
  if (rest === 0) return '0s';
  const units: ReadonlyArray<readonly [string, number]> = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ];
  let text = '';
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) text += `${count}${unit}`;
  }
  return text;
}
