/** A key that an object of a JSON text gives twice: the platform's parser takes the last without a word. */

const QUOTE = 34;
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
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    let before = at;
    while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 0 && text.charCodeAt(at) === QUOTE) return at;
  }
}
