import { CHANGES_OF, witnessed, type Witnessed } from './witnesses';

/** Seeds of each form that are tried for a change which alters traffic; `npm run accuracy:witnesses` follows many more. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

/** What is shown of changes until one of them alters traffic. */
function shown(form: string): readonly Witnessed[] {
  const found: Witnessed[] = [];
  for (const seed of SEEDS) {
    found.push(...(witnessed(form, seed) ?? []));
    if (found.some(({ command, witnesses }) => command === 'diff' && witnesses > 0)) break;
  }
  return found;
}

it.each(Object.keys(CHANGES_OF))(
  'a witness of list, prove or diff does what is said of it where trace follows it as it is (%s)',
  (form) => {
    const found = shown(form);
    const wrong = found.flatMap(({ command, disagreements }) => disagreements.map((one) => ({ command, ...one })));
    expect(wrong).toEqual([]);
    const commands = found.filter(({ witnesses }) => witnesses > 0).map(({ command }) => command);
    expect(new Set(commands)).toEqual(new Set(['list', 'prove', 'diff']));
  },
);
