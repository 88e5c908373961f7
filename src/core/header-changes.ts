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
