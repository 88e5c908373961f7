/** Makes worlds, asks of them, judges what comes, and shrinks what is wrong to the least that still is. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { argumentsOf, command } from './command';
import { type Fault, judge } from './judge';
import { type Outcome, Runner, runAlone } from './runner';
import { type World, lay, world } from './world';

/** All that makes a case again. */
export interface Case {
  readonly world: World;
  readonly words: readonly string[];
  /** Asked a second time: in the same process, or in one of its own. */
  readonly again: 'no' | 'same' | 'alone';
}

export interface Found extends Fault {
  readonly example: Case;
  readonly args: readonly string[];
}

export interface Options {
  readonly seed: number;
  readonly seconds: number;
  /** How many cases at most; each in this process alone. */
  readonly cases?: number;
  readonly found?: (one: Found) => void;
  /** Faults that are known by now. */
  readonly known?: Set<string>;
}

const single = (isQuick: boolean): fc.Arbitrary<Case> =>
  fc.record({
    world,
    words: command,
    // A process of its own takes ten times as long.
    again: fc.oneof(
      { weight: 36, arbitrary: fc.constant('no' as const) },
      { weight: 4, arbitrary: fc.constant('same' as const) },
      ...(isQuick ? [] : [{ weight: 1, arbitrary: fc.constant('alone' as const) }]),
    ),
  });

/** Longest that one fault is shrunk. */
const SHRINK_MS = 15_000;

export class Campaign {
  private readonly runner = new Runner();
  private readonly home = mkdtempSync(join(tmpdir(), 'mesh-edge-fuzz-'));
  runs = 0;
  slowest = { ms: 0, args: [] as readonly string[] };

  async run({ seed, seconds, cases, found = () => {}, known = new Set() }: Options): Promise<Found[]> {
    const all: Found[] = [];
    const end = Date.now() + seconds * 1000;
    for (let round = 0; Date.now() < end && (cases === undefined || this.runs < cases); round += 1) {
      const one = await this.untilFault(seed * 100_003 + round, end, known, cases);
      if (one === undefined) continue;
      known.add(one.kind);
      all.push(one);
      found(one);
    }
    return all;
  }

  /** The least case of the first fault of this round that nobody knows. */
  private async untilFault(
    seed: number,
    end: number,
    known: ReadonlySet<string>,
    cases?: number,
  ): Promise<Found | undefined> {
    let kind: string | undefined;
    let least: Found | undefined;
    let shrunkUntil = Infinity;
    const property = fc.asyncProperty(single(cases !== undefined), async (example) => {
      if (Date.now() > shrunkUntil) return;
      const { faults, args } = await this.once(example);
      const fault = faults.find((one) => (kind === undefined ? !known.has(one.kind) : one.kind === kind));
      if (fault === undefined) return;
      if (kind === undefined) shrunkUntil = Date.now() + SHRINK_MS;
      kind = fault.kind;
      least = { ...fault, example, args };
      throw new Error(fault.kind);
    });
    await fc.check(property, {
      seed,
      numRuns: cases ?? 200,
      interruptAfterTimeLimit: Math.max(1, end - Date.now()),
      markInterruptAsFailure: false,
    });
    return least;
  }

  /** One case: its world laid out anew, asked, judged. */
  async once({
    world: made,
    words,
    again,
  }: Case): Promise<{ readonly faults: Fault[]; readonly args: readonly string[] }> {
    const cwd = join(this.home, 'w');
    const prepare = (): void => {
      rmSync(cwd, { recursive: true, force: true });
      mkdirSync(cwd, { recursive: true });
      lay(cwd, made);
    };
    prepare();
    const args = argumentsOf(words, made);
    const input = join(cwd, 'requests');
    const job = { cwd, args, ...(args.includes('-') && existsSync(input) ? { input } : {}) };
    const outcome = await this.runner.run(job);
    this.runs += 1;
    if ('ms' in outcome && outcome.ms > this.slowest.ms) this.slowest = { ms: outcome.ms, args };
    const faults = judge(cwd, args, outcome);
    if (isUnchanged(made) && args[0] === 'diff') faults.push(...differences(args, outcome));
    if (again !== 'no' && !args.includes('-')) {
      prepare();
      faults.push(...unlike(args, outcome, again === 'same' ? await this.runner.run(job) : runAlone(job)));
    }
    return { faults, args };
  }

  async end(): Promise<void> {
    await this.runner.end();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Where both sides hold the very same files, nothing changes. */
const isUnchanged = ({ former, files }: World): boolean =>
  former === 'same' && files.every(({ content }) => !('link' in content) && !('pipe' in content));

function differences(args: readonly string[], outcome: Outcome): Fault[] {
  if ('died' in outcome || outcome.status === 2 || !args.includes('json')) return [];
  const { changes = [] } = JSON.parse(outcome.stdout) as { changes?: unknown[] };
  return changes.length === 0 ? [] : [{ kind: 'diff: changes between equal sides', what: JSON.stringify(changes[0]) }];
}

function unlike(args: readonly string[], one: Outcome, other: Outcome): Fault[] {
  if ('died' in one || 'died' in other) return [];
  const differs = (['status', 'stdout', 'stderr'] as const).find((part) => one[part] !== other[part]);
  if (differs === undefined) return [];
  return [{ kind: `${args[0]}: another ${differs} the second time`, what: `${String(one[differs]).slice(0, 300)}\n--- and then\n${String(other[differs]).slice(0, 300)}` }]; // prettier-ignore
}

/** Leaves a case as files: its world, its command, and the case itself, which `--replay` takes. */
export function keep(folder: string, { example, args, kind, what }: Found): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'case.json'), `${JSON.stringify(example, null, 1)}\n`);
  writeFileSync(
    join(folder, 'fault.txt'),
    `${kind}\n\nmesh-edge ${args.map((one) => JSON.stringify(one)).join(' ')}\n\n${what}\n`,
  );
  const home = join(folder, 'world');
  mkdirSync(home);
  lay(home, example.world);
}
