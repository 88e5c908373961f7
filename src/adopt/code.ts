/** Values as TypeScript source, laid out as a formatter would. */
const WIDTH = 110;

/** An expression that is written as it is, inside a value that is printed. */
export class Expression {
  public constructor(public readonly source: string) {}
}

export function expression(source: string): Expression {
  return new Expression(source);
}

/** A call with values as arguments, laid out as they are. */
export class Call {
  public readonly args: readonly unknown[];

  /** Arguments that are not there are left out at the end. */
  public constructor(
    public readonly name: string,
    ...args: readonly unknown[]
  ) {
    const there = args.map((one, index) => (one === undefined ? 0 : index + 1));
    this.args = args.slice(0, Math.max(0, ...there));
  }
}

export function literal(value: unknown, indent = 0): string {
  const flat = inline(value);
  if (flat.length + indent <= WIDTH && !flat.includes('\n')) return flat;
  const pad = ' '.repeat(indent + 2);
  const end = ' '.repeat(indent);
  if (value instanceof Call) return `${value.name}(${value.args.map((one) => literal(one, indent)).join(', ')})`;
  if (Array.isArray(value)) return `[\n${value.map((item) => `${pad}${literal(item, indent + 2)},\n`).join('')}${end}]`;
  if (typeof value === 'object' && value !== null && !(value instanceof Expression))
    return `{\n${entriesOf(value)
      .map(([key, item]) => `${pad}${nameOf(key)}: ${literal(item, indent + 2)},\n`)
      .join('')}${end}}`;
  return flat;
}

function inline(value: unknown): string {
  if (value instanceof Expression) return value.source;
  if (value instanceof Call) return `${value.name}(${value.args.map(inline).join(', ')})`;
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = entriesOf(value);
    return entries.length === 0
      ? '{}'
      : `{ ${entries.map(([key, item]) => `${nameOf(key)}: ${inline(item)}`).join(', ')} }`;
  }
  return JSON.stringify(value) ?? 'undefined';
}

function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}

/** A computed name keeps `__proto__` a field like any other. */
function nameOf(key: string): string {
  if (key === '__proto__') return "['__proto__']";
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
}

export function quoted(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replace(/\\"/g, '"').replace(/'/g, "\\'");
  return `'${escaped.replace(/\u2028/g, '\\u2028').replace(/\u2029/g, '\\u2029')}'`;
}

/** Ids that no construct can have: a construct looks among its children for them, and finds what every object has. */
export const INHERITED_IDS: readonly string[] = Object.getOwnPropertyNames(Object.prototype);

/** Names that are free: each is given out once. */
export class Names {
  private readonly taken = new Set<string>();

  public constructor(reserved: Iterable<string> = []) {
    for (const name of reserved) this.taken.add(name);
  }

  /** @param other what to take where `wanted` is taken; with a number if that is too */
  public free(wanted: string, other = wanted): string {
    let name = this.taken.has(wanted) ? other : wanted;
    for (let count = 2; this.taken.has(name); count++) name = `${other}${count}`;
    this.taken.add(name);
    return name;
  }
}

/** `edition.cnn.com` as `editionCnnCom`. */
export function variableName(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const name = words
    .map((word, index) => (index === 0 ? word.charAt(0).toLowerCase() : word.charAt(0).toUpperCase()) + word.slice(1))
    .join('');
  return /^[a-z]/.test(name) && !RESERVED.has(name) ? name : `the${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** Words that no variable may be called in the strict code of a class, and names that the written constructor has already. */
const RESERVED = new Set(
  (
    'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with yield let static await async of package private protected public interface implements ' +
    'arguments eval undefined scope id carry'
  ).split(' '),
);
