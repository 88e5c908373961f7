/** What is done to the headers of a request or a response. */
export interface HeaderChanges {
  /**
   * Headers that get this value, whatever they had.
   *
   * @default none
   */
  readonly set?: { [name: string]: string };

  /**
   * Headers that get this value too.
   *
   * @default none
   */
  readonly add?: { [name: string]: string };

  /**
   * Headers that are taken away.
   *
   * @default none
   */
  readonly remove?: string[];
}

/** @internal */
export interface HeaderModifier {
  readonly set?: Array<{ name: string; value: string }>;
  readonly add?: Array<{ name: string; value: string }>;
  readonly remove?: string[];
}

/** @internal */
export function headerModifier(changes: HeaderChanges): HeaderModifier {
  const list = (map: { readonly [name: string]: string } | undefined) =>
    map &&
    Object.entries(map)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => ({ name, value }));
  return { set: list(changes.set), add: list(changes.add), remove: changes.remove && [...changes.remove] };
}
