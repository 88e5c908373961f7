import { Duration } from 'cdk8s';

/** A duration as Istio writes it: whole seconds, else milliseconds. */
export function istioDuration(duration: Duration | undefined): string | undefined {
  if (!duration) return undefined;
  const ms = duration.toMilliseconds();
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
