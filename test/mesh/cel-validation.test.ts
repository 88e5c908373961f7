import { celCases } from '../cel-validation/cases';
import { answer } from '../cel-validation/compare';

describe("Envoy Gateway's own CEL tests", () => {
  it('are answered as an API server answers them, each in its words', async () => {
    const all = (await celCases((line) => process.stderr.write(`${line}\n`))).map(answer);
    expect(all.filter(({ difference }) => difference !== undefined)).toEqual([]);
    expect(all.filter(({ isToBeRefused }) => isToBeRefused).length).toBeGreaterThan(150);
    expect(all.filter(({ isToBeRefused }) => !isToBeRefused).length).toBeGreaterThan(100);
  }, 1_800_000);
});
