import { simulatedCases } from '../simulations/cases';
import { answers } from '../simulations/compare';
import { reasonOf } from '../simulations/known';

describe("Istio's own simulation tests", () => {
  it('are answered alike, but for the differences that docs/accuracy/simulation.md explains', async () => {
    const all = (await simulatedCases((line) => process.stderr.write(`${line}\n`))).flatMap(answers);
    const different = all.filter(({ difference }) => difference !== undefined);
    expect(different.filter((answer) => reasonOf(answer) === undefined)).toEqual([]);
    expect(all.length).toBeGreaterThan(400);
    expect(different.length / all.length).toBeLessThan(0.12);
  }, 1_800_000);
});
