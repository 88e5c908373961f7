/**
 * Names that a slip of the keyboard may have turned into others. A word for a word: `gone.example.com` is another name than `api.example.com`,
 * and so are names that differ by number or version (`reviews-v1`, `reviews-v2`), however alike they look.
 */

const WORDS = /[./]/;

/** The known name that was likeliest meant; undefined where none is near enough to be sure that one was. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const distance = slips(name, candidate);
    if (distance !== undefined && distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** How many slips lie between two names; undefined if they are names of two things. */
function slips(name: string, other: string): number | undefined {
  const [folded, known] = [fold(name), fold(other)];
  if (folded === known) return 0;
  if (folded.replace(/\d/g, '') === known.replace(/\d/g, '') && /\d/.test(folded) && /\d/.test(known)) return undefined;
  const [words, others] = [name.toLowerCase().split(WORDS), other.toLowerCase().split(WORDS)];
  // A separator that was left out, or stands where none belongs.
  if (words.length !== others.length)
    return name.length < 8 ? undefined : within(distance(name.toLowerCase(), other.toLowerCase()), 1);
  let sum = 0;
  for (const [index, word] of words.entries()) {
    const found = slipsBetween(word, others[index] ?? word);
    if (found === undefined) return undefined;
    sum += found;
  }
  return sum;
}

/** The shorter a word, the less of it can be a slip. */
function slipsBetween(text: string, other: string): number | undefined {
  if (fold(text) === fold(other)) return 0;
  const found = distance(text, other);
  if (found === 1 && [...text].sort().join('') === [...other].sort().join('')) return 1;
  const shorter = Math.min(text.length, other.length);
  return within(found, shorter < 3 ? 0 : shorter < 8 ? 1 : 2);
}

const within = (found: number | undefined, most: number): number | undefined =>
  found !== undefined && found <= most ? found : undefined;

const fold = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');

/** Letters that were added, left out or mistaken, and neighbours that changed places. */
function distance(a: string, b: string): number | undefined {
  if (Math.abs(a.length - b.length) > 2 || a.length > 253) return undefined;
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity; // prettier-ignore
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1), swapped);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
