/** What the platform's parser of JSON does not tell: a key that is given twice, of which it takes the last, and where one value ends and the next begins. */

const BACKSLASH = 92;

export interface KeyTwice {
  readonly key: string;
  /** One-based line of the second. */
  readonly line: number;
}

/** @param text JSON that the platform's parser takes */
export function keyGivenTwice(text: string): KeyTwice | undefined {
  const open: (Set<string> | undefined)[] = [];
  let keys: Set<string> | undefined;
  let isKey = false;
  const SIGNS = /["{}[\],]/g;
  for (let found = SIGNS.exec(text); found !== null; found = SIGNS.exec(text)) {
    switch (found[0]) {
      case '"': {
        const end = endOfString(text, found.index);
        SIGNS.lastIndex = end + 1;
        if (!isKey || keys === undefined) break;
        const key = JSON.parse(text.slice(found.index, end + 1)) as string;
        if (keys.has(key)) return { key, line: text.slice(0, found.index).split('\n').length };
        keys.add(key);
        isKey = false;
        break;
      }
      case '{':
        open.push(keys);
        keys = new Set();
        isKey = true;
        break;
      case '[':
        open.push(keys);
        keys = undefined;
        isKey = false;
        break;
      case ',':
        isKey = keys !== undefined;
        break;
      default:
        keys = open.pop();
        isKey = false;
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at;
    while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 0) return at;
  }
  return -1;
}

/**
 * The texts of the values of a JSON stream, each with the space before it; together they are the whole text. What is no JSON comes out in
 * pieces that are none either.
 */
export function jsonValues(text: string): string[] {
  const values: string[] = [];
  let start = 0;
  let depth = 0;
  const SIGNS = /["{}[\]]/g;
  for (let found = SIGNS.exec(text); found !== null; found = SIGNS.exec(text)) {
    const sign = found[0];
    if (sign === '"') {
      const end = endOfString(text, found.index);
      if (end < 0) break;
      SIGNS.lastIndex = end + 1;
    } else if (sign === '{' || sign === '[') depth += 1;
    else if ((depth -= 1) === 0) {
      values.push(text.slice(start, SIGNS.lastIndex));
      start = SIGNS.lastIndex;
    } else if (depth < 0) break;
  }
  const rest = text.slice(start);
  if (values.length === 0 || /\S/.test(rest)) values.push(rest);
  return values;
}
