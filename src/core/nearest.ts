/**
 * The known word that a slip of the keyboard may have turned into this one: the fewest letters apart, two at most (or `fewest`), or a third of the word.
 * The reading half has one of its own (`src/check/schema/structural.ts`), since the halves share no code.
 *
 * @internal
 */
export function nearest(word: string, known: readonly string[], fewest = 2): string | undefined {
  const most = Math.max(fewest, Math.floor(word.length / 3));
  const near = known.map((candidate) => ({ candidate, letters: lettersApart(word, candidate) }));
  const [best] = near.filter(({ letters }) => letters <= most).sort((a, b) => a.letters - b.letters);
  return best?.candidate;
}

function lettersApart(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}
