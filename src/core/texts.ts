import { type Problem, quote } from './problem';

/** What of a list is text: the rest is found at synth, beside everything else that is wrong. */
export const textsOf = (values: readonly unknown[] | undefined): string[] =>
  (values ?? []).filter((value) => typeof value === 'string');

/** Entries of a list that are no text, as where a variable of the environment is not set. */
export function noTexts(field: string, values: readonly unknown[] | undefined): Problem[] {
  return (values ?? []).flatMap((value, index) =>
    typeof value === 'string'
      ? []
      : [
          {
            what: `${field}[${index}] is ${value === undefined ? 'undefined' : quote(value)}, and no text`,
            why: 'the API server would refuse the object, or it would be rendered without it',
            fix: 'give it a value; one from the environment is undefined where the variable is not set',
          },
        ],
  );
}
