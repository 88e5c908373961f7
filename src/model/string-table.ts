/**
 * Words that come again and again, made once. A mesh's manifests say the same keys, kinds, names and namespaces a
 * hundred thousand times, and a part of a text that is taken as a new string each time must be hashed each time it is
 * used as a key.
 */

/** What a word stands for; undefined if that is not known. */
export type Interned = string | number | boolean | null | undefined;

const MOST_WORDS = 1 << 13;
/** A text of so many characters for each word that is kept. */
const CHARACTERS_A_WORD = 64;
/** Longer ones seldom come twice. */
const LONGEST = 80;

export class StringTable {
  private readonly mask: number;
  private readonly words: string[];
  private readonly meanings: Interned[];

  public constructor(
    textLength: number,
    private readonly meaningOf: (word: string) => Interned,
  ) {
    let size = 16;
    while (size < MOST_WORDS && size * CHARACTERS_A_WORD < textLength) size *= 2;
    this.mask = size - 1;
    this.words = new Array<string>(size).fill('');
    this.meanings = new Array<Interned>(size).fill(undefined);
  }

  /** What a part of a text stands for. The hash only says where to look: the word found there is compared. */
  public take(text: string, start: number, end: number, hash: number): Interned {
    const length = end - start;
    if (length > LONGEST) return this.meaningOf(text.slice(start, end));
    const slot = (hash ^ (hash >>> 13) ^ length) & this.mask;
    const known = this.words[slot] ?? '';
    if (known.length === length && text.startsWith(known, start)) return this.meanings[slot];
    const word = text.slice(start, end);
    const meaning = this.meaningOf(word);
    this.words[slot] = word;
    this.meanings[slot] = meaning;
    return meaning;
  }
}
