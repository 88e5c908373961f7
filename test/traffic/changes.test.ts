import { judge } from './changes';

/** `npm run accuracy:changes` holds many more. */
const CHANGES = 200;

describe('a change of one field', () => {
  const judged = Array.from({ length: CHANGES }, (_one, index) => judge(index + 1, 40));

  it('is told where it alters what some request does', () => {
    expect(
      judged.filter(({ missed }) => missed !== undefined).map(({ seed, how, missed }) => ({ seed, how, missed })),
    ).toEqual([]);
  });

  it('is told with a request that does otherwise than before', () => {
    expect(
      judged.filter((one) => one.false !== undefined).map((one) => ({ seed: one.seed, how: one.how, told: one.false })),
    ).toEqual([]);
  });

  it('is decided for every request, in these meshes', () => {
    expect(
      judged
        .filter(({ told }) => !told.complete)
        .map(({ seed, how, told }) => ({ seed, how, undecided: told.undecided, notes: told.notes })),
    ).toEqual([]);
    expect(judged.filter(({ alters }) => alters).length).toBeGreaterThan(CHANGES / 4);
    expect(judged.filter(({ alters }) => !alters).length).toBeGreaterThan(CHANGES / 10);
  });
});
