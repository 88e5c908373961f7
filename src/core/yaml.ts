import { DEFAULT_SCALAR_STYLE_RULES, DumpOptions, SCALAR_STYLE, ScalarStyleRule, dump } from 'js-yaml';
import { mayHoldHalves, wellFormed } from './well-formed';

/** Also what Go alone takes for a number: other radices in capitals or signed, a dot or two alone. */
const NUMBER_LIKE = /^[-+]?(?:0[xXoObB][0-9A-Fa-f_]*|[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9_]*)?)$|^\.{2,3}$/;

/** Readers of YAML 1.1 differ on whether a lone dot, as in `exportTo`, or digits with underscores are numbers. Quoted, they agree. */
const quoteNumberLike: ScalarStyleRule = (layout) => {
  if (
    layout.style === SCALAR_STYLE.PLAIN &&
    layout.node.tag === 'tag:yaml.org,2002:str' &&
    NUMBER_LIKE.test(layout.node.value)
  ) {
    layout.style = SCALAR_STYLE.SINGLE_QUOTED;
  }
};

const OPTIONS: DumpOptions = {
  noRefs: true,
  lineWidth: -1,
  scalarStyleRules: [quoteNumberLike, ...Object.values(DEFAULT_SCALAR_STYLE_RULES)],
};

/**
 * One YAML document, as the library writes it: the definition of what `toYaml` writes faster.
 *
 * @internal
 */
export function toYamlByLibrary(value: unknown): string {
  return dump(value, OPTIONS);
}

/** Words that are no strings to one reader or another, in any case. The rest of what begins with a letter and holds only these characters is. */
const PLAIN = /^[A-Za-z][A-Za-z0-9/_-]*(\.[A-Za-z0-9/_-]+)*$/;
const WORDS = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null']);

/** Longest plain string that is not looked at more closely by the library. */
const isPlain = (text: string): boolean =>
  PLAIN.test(text) && !(text.length <= 5 && WORDS.has(text.toLowerCase())) && !/^[eE][0-9_-]*$/.test(text);

/**
 * One YAML document, the same bytes for the same value, read alike by readers of YAML 1.1 (Kubernetes) and 1.2.
 *
 * The library takes half of a synth's time to find out that nearly every string of a manifest needs no quotes. So the lines are
 * put together here, and the library is asked about every scalar that is not plainly plain. A property test holds the two
 * together, byte for byte.
 *
 * @internal
 */
export function toYaml(value: unknown): string {
  const text = written(value);
  return mayHoldHalves(text) ? written(wellFormed(value)) : text;
}

function written(value: unknown): string {
  if (!isFilled(value)) return toYamlByLibrary(value);
  const lines: string[] = [];
  if (!writeCollection(value, '', lines)) return toYamlByLibrary(value);
  lines.push('');
  return lines.join('\n');
}

/** Writes a mapping or sequence, its lines indented; false if it holds what only the library should write. */
function writeCollection(value: object, indent: string, lines: string[], lead = indent): boolean {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      const start = i === 0 ? lead : indent;
      if (isFilled(item)) {
        if (!writeCollection(item, `${indent}  `, lines, `${start}- `)) return false;
      } else {
        const text = scalar(item);
        if (text === undefined) return false;
        lines.push(`${start}- ${text}`);
      }
    }
    return true;
  }
  let start = lead;
  for (const key of Object.keys(value)) {
    const field = (value as Record<string, unknown>)[key];
    const name = isPlain(key) ? key : scalar(key);
    if (name === undefined || key.length > 120) return false;
    if (isFilled(field)) {
      lines.push(`${start}${name}:`);
      if (!writeCollection(field, `${indent}  `, lines)) return false;
    } else {
      const text = scalar(field);
      if (text === undefined) return false;
      lines.push(`${start}${name}: ${text}`);
    }
    start = indent;
  }
  return true;
}

function isFilled(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0)
  );
}

/** A scalar, or an empty collection, as it stands on its line; undefined if it takes several lines, or is no JSON. */
function scalar(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (isPlain(value)) return value;
    if (value !== '' && NUMBER_LIKE.test(value)) return `'${value}'`;
    if (value.includes('\n')) return undefined;
    return toYamlByLibrary(value).slice(0, -1);
  }
  if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[]' : '{}';
  return undefined;
}
