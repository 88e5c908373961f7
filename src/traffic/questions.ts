/** Questions that no manifest answers. */

/** Between the words of a question and what else tells it apart, which is too long for readers. */
export const APART = '\u0000';

/** A question as readers see it. */
export const questionOf = (name: string): string => name.split(APART)[0] ?? name;
