/** Changes of one place of an object. As data, so that a case can be shrunk and written down. */
import fc from 'fast-check';
import { name, value } from './hostile';

export interface Mutation {
  /** Which object of the file. */
  readonly object: number;
  /** Steps to the place: each by the number of a field or an item. */
  readonly path: readonly number[];
  readonly change: 'put' | 'append' | 'delete' | 'repeat' | 'wrap' | 'rename';
  readonly by: unknown;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  object: fc.nat(12),
  path: fc.array(fc.nat(12), { minLength: 1, maxLength: 8 }),
  change: fc.oneof(
    { weight: 6, arbitrary: fc.constant('put' as const) },
    { weight: 2, arbitrary: fc.constant('append' as const) },
    fc.constantFrom('delete' as const, 'repeat' as const, 'wrap' as const, 'rename' as const),
  ),
  by: fc.oneof({ weight: 3, arbitrary: value }, name),
});

export function mutated(objects: readonly unknown[], mutations: readonly Mutation[]): unknown[] {
  const copy = structuredClone(objects) as unknown[];
  for (const one of mutations) {
    if (copy.length === 0) break;
    const at = one.object % copy.length;
    // What is put there may be changed by the next one.
    copy[at] = changed(copy[at], one.path, { ...one, by: structuredClone(one.by) }) ?? null;
  }
  return copy;
}

function changed(node: unknown, [step, ...rest]: readonly number[], by: Mutation): unknown {
  if (typeof node !== 'object' || node === null || step === undefined) return put(node, by);
  const keys = Object.keys(node);
  if (keys.length === 0) return put(node, by);
  const key = keys[step % keys.length] ?? '';
  if (Array.isArray(node)) {
    const at = Number(key);
    if (rest.length > 0) node[at] = changed(node[at], rest, by);
    else if (by.change === 'delete') node.splice(at, 1);
    else if (by.change === 'repeat') node.splice(at, 0, structuredClone(node[at]));
    else node[at] = put(node[at], by);
    return node;
  }
  const fields = node as Record<string, unknown>;
  if (rest.length > 0) set(fields, key, changed(fields[key], rest, by));
  else if (by.change === 'delete') delete fields[key];
  else if (by.change === 'rename') {
    const kept = fields[key];
    delete fields[key];
    set(fields, typeof by.by === 'string' ? by.by : JSON.stringify(by.by), kept);
  } else set(fields, key, put(fields[key], by));
  return fields;
}

/** As a parser does it: `__proto__` is a field like others. */
function set(fields: Record<string, unknown>, key: string, one: unknown): void {
  Object.defineProperty(fields, key, { value: one, enumerable: true, configurable: true, writable: true });
}

function put(before: unknown, { change, by }: Mutation): unknown {
  switch (change) {
    case 'append':
      return typeof before === 'string' ? `${before}${typeof by === 'string' ? by : ''}` : by;
    case 'repeat':
      return [before, before];
    case 'wrap':
      return Array.isArray(before) ? { a: before } : [before];
    default:
      return by;
  }
}
