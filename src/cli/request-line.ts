/** One line of `trace --requests`: a request as JSON, as `list`, `prove` and `diff` write theirs. */
import type { TraceRequest } from '../trace/types';
import { UsageError } from './exit';

export function parseLine(line: string, number: number): TraceRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UsageError(`request ${number} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`request ${number} is not an object with "from" and "request"`);
  // A field that is null says nothing, as one that is not there.
  const given = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  const { from, request } = Object.fromEntries(given) as Partial<TraceRequest>;
  if (typeof from !== 'string' || typeof request !== 'string') {
    throw new UsageError(`request ${number} needs "from" and "request", both strings`);
  }
  const known = given.filter(([name]) => TEXTS.has(name) || MAPS.has(name) || LISTS.has(name));
  return Object.fromEntries(
    known.map(([name, field]) => [name, fieldOf(name, field, number)]),
  ) as unknown as TraceRequest;
}

const TEXTS = new Set(['from', 'request', 'address', 'sni', 'method', 'serviceAccount', 'at']);
/** Of objects, as `KIND/NAMESPACE/NAME`. */
const LISTS = new Set(['known', 'assumed']);
const MAPS = new Set(['headers', 'labels', 'tokens']);

function fieldOf(name: string, value: unknown, number: number): unknown {
  const wrong = (wanted: string): UsageError =>
    new UsageError(`request ${number}: "${name}" is ${JSON.stringify(value)}, not ${wanted}`);
  if (TEXTS.has(name)) {
    if (typeof value !== 'string') throw wrong('a string');
    return value;
  }
  if (LISTS.has(name)) {
    const isObject = (one: unknown): boolean => typeof one === 'string' && /^[^/]+\/[^/]+\/[^/?]+(\?.*)?$/.test(one);
    if (!Array.isArray(value) || !value.every(isObject)) throw wrong('a list of objects as KIND/NAMESPACE/NAME');
    return value;
  }
  const isPlain = (one: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof one);
  if (name === 'tokens') {
    const isRecord = (one: unknown): boolean => typeof one === 'object' && one !== null && !Array.isArray(one);
    if (!isRecord(value) || !Object.values(value as object).every(isRecord)) throw wrong('an object of objects');
    return value;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.values(value).every(isPlain))
    throw wrong('an object of strings');
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
}
