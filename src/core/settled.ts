import { Lazy } from 'cdk8s';

/**
 * A value with what cdk8s has `Lazy` in it produced. Typed bindings look into values before cdk8s resolves them, so it has to be done for them; what holds nothing lazy is
 * given back as it is.
 *
 * @internal
 */
export function settled<T>(value: T): T {
  return settle(value) as T;
}

function settle(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Lazy) return settle((value as unknown as { produce(): unknown }).produce());
  if (Array.isArray(value)) {
    const items: unknown[] = value;
    const now = items.map(settle);
    return now.some((item, i) => item !== items[i]) ? now : value;
  }
  // What has a class is not ours to copy.
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, field] of Object.entries(value)) {
    const now = settle(field);
    if (now !== field) (copy ??= { ...value })[key] = now;
  }
  return copy ?? value;
}
