/**
 * What scalars of YAML stand for, by who reads them. kubectl, Helm, Istio and Argo CD read with sigs.k8s.io/yaml (go.yaml.in/yaml v2): `yes`,
 * `on` and `y` are true. kustomize and Flux read with kyaml (go.yaml.in/yaml v3): these are text, and days become points in time. Both read
 * numbers as Go does: `0755` is octal, `1_000` a thousand (resolve.go: strconv.ParseInt with base 0, after underscores are taken out).
 */

/** Who reads a text: `kubectl` stands for all that use sigs.k8s.io/yaml, `kustomize` for all that build with it. */
export type YamlReader = 'kubectl' | 'kustomize';

export type Scalar = string | number | boolean | null;

/** A scalar without a meaning: the document is refused, for the reason. */
export class NoScalar extends Error {}

const INTEGER = /^([-+]?)(?:0[bB]([01]+)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const POINT_FIRST = /^\.[0-9]+([eE][-+]?[0-9]+)?$/;
const LARGEST = 2n ** 64n;
const LOWEST = -(2n ** 63n);
/** From here on an integer is no key, and no number with a point. */
const TOO_LARGE = 2 ** 63;

const spellings = (word: string): readonly string[] => [
  word,
  `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`,
  word.toUpperCase(),
];
const worded = <T extends Scalar>(words: readonly string[], value: T): readonly (readonly [string, T])[] =>
  words.flatMap(spellings).map((word) => [word, value] as const);

const WORDS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['', null],
  ['~', null],
  ...worded(['null'], null),
  ...worded(['true'], true),
  ...worded(['false'], false),
  ...worded(['.inf', '+.inf'], Infinity),
  ...worded(['-.inf'], -Infinity),
  // `.INF` but `.NaN`.
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, NaN] as const),
  ...['.Inf', '+.Inf'].map((word) => [word, Infinity] as const),
  ['-.Inf', -Infinity],
]);

/** What else is a boolean to sigs.k8s.io/yaml. */
const OLD_BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...worded(['y', 'yes', 'on'], true),
  ...worded(['n', 'no', 'off'], false),
]);

/** What a plain scalar without a tag stands for. `isInFlow`: within brackets or braces, which kustomize writes and reads once more. */
export function plainScalar(source: string, by: YamlReader, isInFlow = false): Scalar {
  if (by === 'kustomize' && isInFlow && (source === '' || source.includes(':'))) return source;
  const word = WORDS.get(source);
  if (word !== undefined) return word;
  if (by === 'kubectl') {
    const old = OLD_BOOLEANS.get(source);
    if (old !== undefined) return old;
  } else {
    const time = pointInTime(source);
    if (time !== undefined) return time;
  }
  return numberOf(source) ?? source;
}

function numberOf(source: string): number | undefined {
  if (source.startsWith('.')) return POINT_FIRST.test(source) ? finite(source) : undefined;
  if (!/^[-+0-9]/.test(source)) return undefined;
  const plain = source.replaceAll('_', '');
  return integer(plain) ?? (FLOAT.test(plain) ? finite(plain) : undefined);
}

function isInteger(source: string): boolean {
  return integer(source.replaceAll('_', '')) !== undefined;
}

function finite(source: string): number | undefined {
  return Number.isFinite(Number(source)) ? Number(source) : undefined;
}

function integer(source: string): number | undefined {
  const [whole, sign, binary, octal, hex, decimal] = INTEGER.exec(source) ?? [];
  if (whole === undefined) return undefined;
  const digits =
    binary !== undefined
      ? `0b${binary}`
      : octal !== undefined
        ? `0o${octal}`
        : hex !== undefined
          ? `0x${hex}`
          : (decimal ?? '');
  const value = digits.length > 16 ? fits(digits, sign) : Number(digits);
  return value === undefined ? undefined : sign === '-' && value !== 0 ? -value : value;
}

/** What no integer of Go holds is none: a number with a point, if it is decimal, else text. */
function fits(digits: string, sign: string | undefined): number | undefined {
  const value = BigInt(digits);
  const isHeld = sign === '-' ? -value >= LOWEST : value < LARGEST && (sign === '' || value < -LOWEST);
  return isHeld ? Number(value) : undefined;
}

const DAY = /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$/;
const TIME =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})([Tt ])([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]{1,9})[0-9]*)?(Z|[-+][0-9]{2}:[0-9]{2})?$/;

/** A point in time as kyaml writes it anew (go.yaml.in/yaml v3, parseTimestamp; Go's RFC3339Nano). */
function pointInTime(source: string): string | undefined {
  const [day, ...date] = DAY.exec(source) ?? [];
  if (day !== undefined) return dateOf(date) === undefined ? undefined : `${dateOf(date)}T00:00:00Z`;
  const [whole, year, month, dayOfMonth, between, hour = '', minute = '', second = '', part = '', zone] =
    TIME.exec(source) ?? [];
  if (whole === undefined || (between === ' ') !== (zone === undefined)) return undefined;
  const at = dateOf([year, month, dayOfMonth]);
  if (at === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const fraction = part.replace(/0+$/, '');
  const clock = [hour, minute, second].map((one) => one.padStart(2, '0')).join(':');
  const offset = zone === undefined || /^[-+]00:00$/.test(zone) ? 'Z' : zone;
  return `${at}T${clock}${fraction === '' ? '' : `.${fraction}`}${offset}`;
}

function dateOf([year = '', month = '', day = '']: readonly (string | undefined)[]): string | undefined {
  const text = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) ? text : undefined;
}

/** What a scalar of an explicit tag stands for. Tags that neither knows mean nothing: what they stand before is text. */
export function taggedScalar(
  source: string,
  tag: string,
  by: YamlReader,
  { isPlain, isInFlow }: { readonly isPlain: boolean; readonly isInFlow: boolean },
): Scalar {
  const value = plainScalar(source, by);
  switch (tag) {
    case 'int':
      if (typeof value === 'number' && numberOf(source) === integer(source.replaceAll('_', ''))) return value;
      break;
    case 'float':
      // Integers beyond those of 64 bits with a sign are none to Go.
      if (typeof value === 'number' && !(isInteger(source) && value >= TOO_LARGE)) return value;
      break;
    case 'bool':
      if (typeof value === 'boolean') return value;
      break;
    case 'null':
      if (value === null) return value;
      break;
    case 'timestamp': {
      const time = pointInTime(source);
      if (time !== undefined) return by === 'kubectl' ? source : time;
      break;
    }
    case 'binary':
      return decoded(source);
    case '!':
      return by === 'kubectl' || !isPlain ? source : plainScalar(source, by, isInFlow && source !== '');
    default:
      return source;
  }
  throw new NoScalar(`what is tagged !!${tag} is none`);
}

function decoded(source: string): string {
  const text = source.replace(/[\r\n]/g, '');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new NoScalar('what is tagged !!binary is no base64');
  return Buffer.from(text, 'base64').toString('utf8');
}

/** A key is text. Numbers and booleans are written out by the one, and refused by the other. */
export function keyOf(value: unknown, source: string, by: YamlReader): string {
  if (typeof value === 'string' && (by === 'kubectl' || value === source)) return value;
  if (by === 'kustomize') throw new NoScalar('a key is no string, which kustomize refuses');
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberAsKey(value, isInteger(source));
  throw new NoScalar(`a key is ${value === null ? 'null' : 'no scalar'}, which kubectl refuses`);
}

/** Powers of ten between which a number is written without an exponent: 'g' of Go's strconv. */
const WITHOUT_EXPONENT = { from: -4, to: 6 };

/** Others than integers in the fewest digits that tell one float of 32 bits from the next (sigs.k8s.io/yaml, convertToJSONableObject). */
function numberAsKey(value: number, isInteger: boolean): string {
  if (isInteger && value >= TOO_LARGE) throw new NoScalar('a key is a number that kubectl refuses');
  if (isInteger) return String(BigInt(value));
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  const float = Math.fround(value);
  let digits = value.toExponential();
  for (let precision = 0; precision < 10; precision += 1) {
    digits = value.toExponential(precision);
    if (Math.fround(Number(digits)) === float) break;
  }
  const [mantissa = '', exponent = '0'] = digits.split('e');
  const power = Number(exponent);
  if (power >= WITHOUT_EXPONENT.from && power < WITHOUT_EXPONENT.to) return String(Number(digits));
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
