/**
 * Kubernetes' structural schemas, walked rather than compiled: one pass tells what is wrong, applies defaults, drops
 * what has the wrong type, and collects the CEL rules to run. (Compiling the schemas of an edge with a general validator
 * takes longer than judging a thousand objects with them.)
 */
import type { FieldPath } from '../../model/manifest';
import { plainScalar } from '../../model/yaml-scalars';

export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  readonly $ref?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
}

export interface CelRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly fieldPath?: string;
}

export interface Violation {
  readonly field: FieldPath;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  /** An unknown field is dropped by the API server unless its client asks it to refuse; everything else is refused. */
  readonly isUnknownField?: true;
  /** The field that is required and not there: `field` is that of the object around it. */
  readonly missing?: string;
  /** A CEL rule does not hold, which an API server asks only where the schema has nothing against the object. */
  readonly isRule?: true;
}

/** A value that has CEL rules of its own, with its defaults. */
export interface Ruled {
  readonly schema: Schema;
  readonly value: unknown;
  readonly field: FieldPath;
}

export interface Conformed {
  readonly violations: readonly Violation[];
  /** The value with defaults, and without what has no place or the wrong type. The same object if nothing had to change. */
  readonly value: unknown;
  /** None if something is wrong that an API server clears up before it runs any rule. */
  readonly ruled: readonly Ruled[];
  /** Whether something is wrong that keeps an API server from running any rule. */
  readonly isBlocked: boolean;
}

export type Resolve = (ref: string) => Schema;

type MoreOfViolation = Pick<Violation, 'isUnknownField' | 'missing'>;

const DROP = Symbol('dropped');

/** @param written how a number or boolean is written, where that is not as it reads */
export function conform(
  schema: Schema,
  value: unknown,
  resolve: Resolve,
  written?: (field: FieldPath) => string | undefined,
): Conformed {
  const walk = new Walk(resolve, written);
  const result = walk.visit(schema, value);
  return {
    violations: walk.violations,
    value: result === DROP ? {} : result,
    ruled: walk.isBlocked ? [] : walk.ruled.slice(),
    isBlocked: walk.isBlocked,
  };
}

class Walk {
  readonly violations: Violation[] = [];
  readonly ruled: Ruled[] = [];
  /** What is missing, unknown, too long, too many, of the wrong type or none of an enumeration keeps an API server from rules. */
  isBlocked = false;

  constructor(
    private readonly resolve: Resolve,
    private readonly written?: (field: FieldPath) => string | undefined,
    /** A branch of allOf, anyOf, oneOf or not: it only adds conditions, and does not list the fields there are. */
    private readonly isBranch = false,
    /** Where the walk is: copied only for what is told of a place. */
    private readonly path: (string | number)[] = [],
  ) {}

  private get field(): FieldPath {
    return this.path.slice();
  }

  private visitWithin(step: string | number, schema: Schema, value: unknown): unknown {
    this.path.push(step);
    const visited = this.visit(schema, value);
    this.path.pop();
    return visited;
  }

  visit(given: Schema, value: unknown): unknown {
    const schema = given.$ref === undefined ? given : this.resolve(given.$ref);
    if (value === null && schema.nullable) return value;
    if (!this.hasType(schema, value)) return DROP;
    this.checkScalar(schema, value);
    let result = value;
    if (Array.isArray(value)) result = this.visitList(schema, value);
    else if (isObject(value)) result = this.visitObject(schema, value);
    this.checkJunctions(schema, result);
    if (schema['x-kubernetes-validations']) this.ruled.push({ schema, value: result, field: this.field });
    return result;
  }

  private hasType(schema: Schema, value: unknown): boolean {
    const expected = typeName(schema);
    if (expected === undefined || matchesType(expected, value)) return true;
    const text = this.textOf(value);
    this.block(this.field, `${text ?? quote(value)} is ${article(describe(value))}, where ${article(expected)} belongs`, `The schema of this kind has ${article(expected)} here, and an API server refuses anything else.`, hintForType(expected, value, text)); // prettier-ignore
    return false;
  }

  /** A number or boolean as it is written: `no` is false to kubectl, and `1.10` is 1.1. */
  private textOf(value: unknown): string | undefined {
    if (typeof value !== 'number' && typeof value !== 'boolean') return undefined;
    const written = this.written?.(this.field);
    // What builds from files may have put another value in the place.
    return written !== undefined && plainScalar(written, 'kubectl') === value ? written : undefined;
  }

  private visitList(schema: Schema, value: readonly unknown[]): unknown {
    const { items } = schema;
    if (!items) return value;
    let changed = false;
    const result: unknown[] = [];
    value.forEach((item, index) => {
      const visited = this.visitWithin(index, items, item);
      changed ||= visited !== item;
      if (visited !== DROP) result.push(visited);
    });
    this.checkListKeys(schema, result);
    return changed ? result : value;
  }

  private visitObject(schema: Schema, value: Record<string, unknown>): unknown {
    const properties = schema.properties ?? {};
    const closed =
      !this.isBranch &&
      schema.properties !== undefined &&
      !schema.additionalProperties &&
      !schema['x-kubernetes-preserve-unknown-fields'];
    let result = value;
    const set = (key: string, visited: unknown): void => {
      if (result === value) result = { ...value };
      if (visited === DROP) delete result[key];
      else result[key] = visited;
    };
    for (const key of Object.keys(value)) {
      const child = Object.hasOwn(properties, key) ? properties[key] : schema.additionalProperties;
      if (isObject(child)) {
        // An API server prunes a null that the schema does not allow, as if the field were not there.
        if (value[key] === null && !child.nullable) {
          set(key, DROP);
          continue;
        }
        const visited = this.visitWithin(key, child, value[key]);
        if (visited !== value[key]) set(key, visited);
      } else if (closed) {
        const known = Object.keys(properties);
        this.block([...this.path, key], `there is no field ${quote(key)} here`, 'An API server refuses (or silently drops) a field that the schema of the kind does not have.', fixUnknown(key, known), { isUnknownField: true }); // prettier-ignore
        set(key, DROP);
      } else if (value[key] === null) {
        set(key, DROP);
      }
    }
    for (const [key, child] of defaultsOf(properties))
      if (!Object.hasOwn(result, key)) set(key, this.visitWithin(key, child, child.default));
    for (const key of schema.required ?? []) {
      if (!Object.hasOwn(result, key) && !(Object.hasOwn(value, key) && value[key] !== null)) {
        this.block(this.field, `${quote(key)} is missing${inside(this.path)}`, 'The schema of this kind requires the field.', `Write ${key}.`, { missing: key }); // prettier-ignore
      }
    }
    if (schema.minProperties !== undefined || schema.maxProperties !== undefined)
      this.checkSize(schema, Object.keys(result).length, 'minProperties', 'maxProperties', 'entries');
    return result;
  }

  private checkScalar(schema: Schema, value: unknown): void {
    if (schema.enum && !schema.enum.includes(value)) {
      this.block(this.field, `${quote(value)} is none of ${schema.enum.map(quote).join(', ')}`, 'The schema of this kind lists the values that it knows, and an API server refuses others.', fixEnum(value, schema.enum)); // prettier-ignore
    }
    if (typeof value === 'string') {
      if (schema.pattern !== undefined && !matchesPattern(schema.pattern, value)) {
        this.add(this.field, `${quote(value)} does not have the form ${schema.pattern}`, 'The schema of this kind asks for this form, and an API server refuses others.', 'Write a value of this form.'); // prettier-ignore
      }
      if (schema.minLength !== undefined || schema.maxLength !== undefined) {
        this.checkSize(schema, [...value].length, 'minLength', 'maxLength', 'characters');
      }
    } else if (typeof value === 'number') {
      const { minimum, maximum } = schema;
      const low = minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum);
      const high = maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum);
      if (low || high) {
        this.add(this.field, `${value} is ${low ? `less than ${minimum}` : `more than ${maximum}`}`, 'The schema of this kind sets this limit, and an API server refuses what is beyond.', `Write a number ${low ? `of at least ${minimum}` : `of at most ${maximum}`}.`); // prettier-ignore
      }
    } else if (Array.isArray(value)) {
      this.checkSize(schema, value.length, 'minItems', 'maxItems', 'entries');
    }
  }

  private checkSize(
    schema: Schema,
    size: number,
    min: 'minItems' | 'minLength' | 'minProperties',
    max: 'maxItems' | 'maxLength' | 'maxProperties',
    unit: string,
  ): void {
    const least = schema[min];
    const most = schema[max];
    const low = least !== undefined && size < least;
    if (!low && !(most !== undefined && size > most)) return;
    const limit = low ? `at least ${least}` : `at most ${most}`;
    this.isBlocked ||= !low;
    this.add(this.field, `there are ${size} ${unit}, where ${limit} belong`, 'The schema of this kind sets this limit, and an API server refuses what is beyond.', `Write ${limit} ${unit}.`); // prettier-ignore
  }

  private checkListKeys(schema: Schema, value: readonly unknown[]): void {
    const keys = schema['x-kubernetes-list-map-keys'];
    if (!keys && schema['x-kubernetes-list-type'] !== 'set') return;
    const seen = new Set<string>();
    value.forEach((item, index) => {
      const id = JSON.stringify(keys && isObject(item) ? keys.map((key) => item[key]) : item);
      if (seen.has(id)) {
        const shown = keys && isObject(item) ? keys.map((key) => `${key} ${quote(item[key])}`).join(', ') : quote(item);
        this.add([...this.path, index], `${shown} is there twice`, 'No two entries of this list may be the same, and an API server refuses them.', 'Remove one of them.'); // prettier-ignore
      }
      seen.add(id);
    });
  }

  private checkJunctions(schema: Schema, value: unknown): void {
    if (!schema.allOf && !schema.anyOf && !schema.oneOf && !schema.not) return;
    const follow = (branch: Schema): Walk => {
      const walk = new Walk(this.resolve, this.written, true, this.path);
      walk.visit(branch, value);
      return walk;
    };
    const fits = (branch: Schema): boolean => follow(branch).violations.length === 0;
    for (const walk of (schema.allOf ?? []).map(follow)) {
      this.violations.push(...walk.violations);
      this.isBlocked ||= walk.isBlocked;
    }
    const fail = (which: string, branches: readonly Schema[]): void => {
      this.isBlocked ||= !branches.some(fits) && branches.some((branch) => follow(branch).isBlocked);
      this.add(this.field, `${which} ${branches.map(summarize).filter(Boolean).join(', or ')}`.trim(), 'The schema of this kind allows only certain combinations of fields here.', 'Keep one of the combinations that are allowed.'); // prettier-ignore
    };
    if (schema.anyOf && !schema.anyOf.some(fits)) fail('none of the combinations fits:', schema.anyOf);
    if (schema.oneOf) {
      const fitting = schema.oneOf.filter(fits);
      if (fitting.length !== 1) fail(fitting.length === 0 ? 'none of the combinations fits:' : 'fields exclude one another:', fitting.length === 0 ? schema.oneOf : fitting); // prettier-ignore
    }
    if (schema.not && fits(schema.not)) fail('this combination is not allowed:', [schema.not]);
  }

  private block(field: FieldPath, what: string, why: string, fix: string, more: MoreOfViolation = {}): void {
    this.isBlocked = true;
    this.add(field, what, why, fix, more);
  }

  private add(field: FieldPath, what: string, why: string, fix: string, more: MoreOfViolation = {}): void {
    this.violations.push({ field, what, why, fix, ...more });
  }
}

const withDefaults = new WeakMap<object, readonly (readonly [string, Schema])[]>();

/** Of some properties those that have a default: asked for with each object, and few. */
function defaultsOf(properties: Readonly<Record<string, Schema>>): readonly (readonly [string, Schema])[] {
  const known = withDefaults.get(properties);
  if (known !== undefined) return known;
  const found = Object.entries(properties).filter(([, child]) => child.default !== undefined);
  withDefaults.set(properties, found);
  return found;
}

function typeName(schema: Schema): string | undefined {
  return schema['x-kubernetes-int-or-string'] ? 'integer or string' : schema.type;
}

function matchesType(expected: string, value: unknown): boolean {
  switch (expected) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer or string':
      return typeof value === 'string' || typeof value === 'number';
    default:
      return true;
  }
}

const patterns = new Map<string, RegExp | null>();

function matchesPattern(pattern: string, value: string): boolean {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    try {
      compiled = new RegExp(pattern);
    } catch {
      compiled = null; // written for RE2, and not the same here
    }
    patterns.set(pattern, compiled);
  }
  return compiled === null || compiled.test(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'mapping' : typeof value;
}

function article(type: string): string {
  const words: Record<string, string> = { array: 'a list', object: 'a mapping', integer: 'an integer', null: 'null', 'integer or string': 'an integer or a string' }; // prettier-ignore
  return words[type] ?? `a ${type}`;
}

export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function hintForType(expected: string, value: unknown, written = String(value)): string {
  if (expected === 'string' && typeof value !== 'object') return `Put it in quotes: "${written}".`;
  if ((expected === 'integer' || expected === 'number') && typeof value === 'string')
    return 'Write the number without quotes.';
  if (expected === 'array') return 'Write a list, with an entry a line that begins with "- ".';
  return `Write ${article(expected)}.`;
}

function fixUnknown(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near) return `Did you mean ${quote(near)}?`;
  return known.length > 0 && known.length <= 12
    ? `Remove it. The fields here are ${[...known].sort().join(', ')}.`
    : 'Remove it, or move it to where it belongs.';
}

function fixEnum(value: unknown, allowed: readonly unknown[]): string {
  const near =
    typeof value === 'string'
      ? nearest(
          value,
          allowed.filter((entry): entry is string => typeof entry === 'string'),
        )
      : undefined;
  return near ? `Did you mean ${quote(near)}?` : 'Write one of these values.';
}

/** The known word that a slip of the keyboard may have turned into this one. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const fold = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = fold(candidate) === fold(word) ? 0 : editDistance(word, candidate, least);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 100) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return row[b.length] ?? limit;
}

/** A branch of oneOf or anyOf, in words: the fields that it asks for. */
function summarize(branch: Schema): string {
  if (branch.required && !branch.properties) return branch.required.join(' and ');
  if (branch.not) return `not ${(branch.not.anyOf ?? [branch.not]).map(summarize).filter(Boolean).join(' or ')}`;
  if (branch.anyOf) return branch.anyOf.map(summarize).filter(Boolean).join(' or ');
  const fields = Object.entries(branch.properties ?? {}).map(([key, { enum: values }]) =>
    values ? `${key} ${values.map(quote).join(' or ')}` : key,
  );
  return [...new Set([...(branch.required ?? []), ...fields])].join(' and ');
}

function inside(field: FieldPath): string {
  const names = field.filter((step) => typeof step === 'string');
  return names.length === 0
    ? ''
    : typeof field.at(-1) === 'number'
      ? ` in an entry of ${names.at(-1)}`
      : ` in ${names.at(-1)}`;
}
