import { nearest } from './nearest';
import { Problem, quote } from './problem';

/**
 * Fields of a rule that nobody reads and that are spelled almost like one that is read. Whoever runs TypeScript without checking its types would
 * allow more than is written.
 *
 * @param known every field that is read; as `Record<keyof T, true>` the compiler keeps it whole
 * @internal
 */
export function slips(given: object, known: Readonly<Record<string, true>>): Problem[] {
  return Object.keys(given)
    .filter((field) => !Object.hasOwn(known, field))
    .flatMap((field) => {
      // One letter of a short word: a field of the user's own is no slip.
      const meant = nearest(field, Object.keys(known), 1);
      return meant === undefined
        ? []
        : [
            {
              what: `\`${field}\` is no field of a rule`,
              why: 'nobody reads it, so the rule would be about more than it says',
              fix: `did you mean ${quote(meant)}? (tsc --noEmit finds such slips too)`,
            },
          ];
    });
}
