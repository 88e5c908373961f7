import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { check } from '../../src/check/check';
import { rules } from '../../src/check/rules';
import { loadObjects, loadText } from '../../src/model/load';

const VALID = join(__dirname, '../valid');
const texts = readdirSync(VALID).flatMap((rule) =>
  readdirSync(join(VALID, rule)).map((file) => readFileSync(join(VALID, rule, file), 'utf8')),
);

/** Values that a field may get by mistake: of another type, empty, odd. */
const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    '*',
    '~',
    '.',
    '*/*',
    0,
    -1,
    65536,
    1e21,
    true,
    [],
    {},
    [null],
    [[]],
    { a: null },
    'mesh',
    '10.0.0.0/8',
    '::1',
    '__proto__',
  ),
  fc.string({ maxLength: 8 }),
  fc.integer(),
);

/** Puts a strange value at one place of an object, or takes the place away. */
function mutate(node: unknown, path: readonly number[], value: unknown): unknown {
  if (typeof node !== 'object' || node === null) return value ?? null;
  const keys = Object.keys(node);
  const [step, ...rest] = path;
  if (keys.length === 0 || step === undefined) return value ?? null;
  const key = keys[step % keys.length] ?? '';
  const copy: Record<string, unknown> | unknown[] = Array.isArray(node) ? [...node] : { ...node };
  const target = copy as Record<string, unknown>;
  if (rest.length === 0 && value === undefined && Array.isArray(copy)) copy.splice(Number(key), 1);
  else if (rest.length === 0 && value === undefined) delete target[key];
  else target[key] = mutate(target[key], rest, value);
  return copy;
}

const crashes = (result: ReturnType<typeof check>): string[] =>
  result.findings.filter(({ what }) => what.includes('failed on these manifests')).map(({ what }) => what);

describe('any rule, on manifests that somebody has spoilt', () => {
  it('says what it can, and never fails', () => {
    const cases = texts.map((text) => loadText(text).manifests.map(({ body }) => body as unknown));
    const spoilt = fc.tuple(
      fc.constantFrom(...cases),
      fc.array(
        fc.tuple(
          fc.nat(),
          fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }),
          fc.oneof(strange, fc.constant(undefined)),
        ),
        { minLength: 1, maxLength: 4 },
      ),
    );
    fc.assert(
      fc.property(spoilt, ([objects, changes]) => {
        const changed = [...objects];
        for (const [which, path, value] of changes) {
          const at = which % changed.length;
          changed[at] = mutate(changed[at], path, value);
        }
        expect(crashes(check(loadObjects(changed)))).toEqual([]);
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 400) },
    );
  });

  it('includes every rule that there is', () => {
    expect(rules.length).toBeGreaterThan(80);
  });
});

describe('any text', () => {
  it('is read without failing, cut and spliced as it may be', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.nat(),
        fc.nat(40),
        fc.string({ maxLength: 6 }),
        (text, at, length, put) => {
          const start = at % text.length;
          const { manifests, problems } = loadText(text.slice(0, start) + put + text.slice(start + length));
          expect(crashes(check({ manifests, problems }))).toEqual([]);
        },
      ),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
    );
  });
});
