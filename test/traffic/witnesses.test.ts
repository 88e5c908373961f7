import { CHANGES_OF, witnessed, type Witnessed } from './witnesses';

/** Of each form; `npm run accuracy:witnesses` follows many more. */
const SEEDS = [1, 2];

const told = (found: readonly Witnessed[]): unknown =>
  found.flatMap(({ command, disagreements }) => disagreements.map((one) => ({ command, ...one })));

describe.each(Object.keys(CHANGES_OF))('a witness of list, prove or diff (%s)', (form) => {
  it('does what was said of it where trace follows it as it is', () => {
    const found = SEEDS.flatMap((seed) => witnessed(form, seed) ?? []);
    expect(told(found)).toEqual([]);
    for (const command of ['list', 'prove', 'diff'])
      expect({ command, any: found.some((one) => one.command === command && one.witnesses > 0) }).toEqual({ command, any: true }); // prettier-ignore
  });
});
