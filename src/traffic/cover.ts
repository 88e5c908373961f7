/**
 * Conjunctions of conditions, of which some leave nothing of another. To find what is left of one, its conditions are taken together, and
 * what fulfils them is looked at: if another takes that, one of its conditions has to fail; each is tried in turn. When no turn is left,
 * the others that were met have everything between them.
 */
import { push } from '../model/objects';
import { evaluate } from '../trace/matcher';
import { member, type Literal, type Member, type Universe } from './members';
import { keyOf, type About } from './universe';

/** A condition on one part of what is asked about. */
export interface Clause extends Literal {
  readonly dimension: About;
}

/** What each part has; undefined for what may be left out, and is. */
export type Parts = ReadonlyMap<string, { readonly dimension: About; readonly text: string | undefined }>;

export type Left =
  | { readonly is: 'reached'; readonly values: Parts }
  | { readonly is: 'taken'; readonly by: readonly number[] }
  | { readonly is: 'unclear' };

/** Turns that are tried for one; then it is not known. */
const MOST_TURNS = 3000;
const PATH: About = { kind: 'path', name: '' };

/** Takers in their order, those of one exact path by that path: of thousands, few may have a request. */
export class Earlier {
  private readonly byPath = new Map<string, number[]>();
  private readonly others: number[] = [];

  public static of(some: readonly number[]): Earlier {
    const made = new Earlier();
    made.others.push(...some);
    return made;
  }

  public add(index: number, conditions: readonly Clause[]): void {
    for (const { dimension, matcher, holds } of conditions)
      if (holds && dimension.kind === 'path' && matcher.is === 'exact' && matcher.folds !== true)
        return push(this.byPath, matcher.value, index);
    this.others.push(index);
  }

  /** The first that has a request of a path. */
  public find(path: string, has: (index: number) => boolean): number | undefined {
    const own = this.byPath.get(path)?.find(has);
    const other = this.others.find((one) => (own === undefined || one < own) && has(one));
    return other ?? own;
  }
}

export class Cover<C extends Clause> {
  private readonly members = new Map<string, Member>();

  /** @param conditionsOf of each that may take something */
  public constructor(
    private readonly conditionsOf: (index: number) => readonly C[],
    private readonly universe: (dimension: About) => Universe,
  ) {}

  /** Whether anything fulfils some conditions, and none of the others takes it. */
  public beside(own: readonly C[], earlier: Earlier): Left {
    const met = new Set<number>();
    let isUnclear = false;
    let turns = 0;
    const turned = (region: readonly C[]): Parts | undefined => {
      turns += 1;
      if (turns > MOST_TURNS) {
        isUnclear = true;
        return undefined;
      }
      const values = this.valuesOf(region);
      if (values === undefined) {
        isUnclear = true;
        return undefined;
      }
      const textOf = (dimension: About): string | undefined => this.textOf(values, dimension);
      const taker = earlier.find(textOf(PATH) ?? '', (one) => isFulfilled(this.conditionsOf(one), textOf));
      if (taker === undefined) return values;
      met.add(taker);
      let within = region;
      for (const one of this.conditionsOf(taker)) {
        const other: C = { ...one, holds: !one.holds };
        const found = this.memberOf([...within, other], one.dimension);
        if (found.is === 'undecided') isUnclear = true;
        if (found.is === 'member') {
          const witness = turned([...within, other]);
          if (witness !== undefined) return witness;
          within = [...within, one];
        }
      }
      return undefined;
    };
    const witness = turned(own);
    if (witness !== undefined) return { is: 'reached', values: witness };
    return isUnclear ? { is: 'unclear' } : { is: 'taken', by: [...met].sort((a, b) => a - b) };
  }

  /** Of those that have everything between them as few as will do, if one alone does not. */
  public fewest(own: readonly C[], by: readonly number[]): readonly number[] {
    const suffices = (some: readonly number[]): boolean => this.beside(own, Earlier.of(some)).is === 'taken';
    const alone = by.find((one) => suffices([one]));
    if (alone !== undefined) return [alone];
    return by.reduce<readonly number[]>((kept, one) => {
      const others = kept.filter((other) => other !== one);
      return by.length <= 12 && suffices(others) ? others : kept;
    }, by);
  }

  public valuesOf(region: readonly C[]): Parts | undefined {
    const values = new Map<string, { readonly dimension: About; readonly text: string | undefined }>();
    for (const { dimension } of region) {
      const key = keyOf(dimension);
      if (values.has(key)) continue;
      const found = this.memberOf(region, dimension);
      if (found.is !== 'member') return undefined;
      values.set(key, { dimension, text: found.text });
    }
    return values;
  }

  public memberOf(region: readonly C[], dimension: About): Member {
    const own = aboutOne(region, dimension);
    const key = `${keyOf(dimension)} ${own.map((one) => `${one.holds} ${literalKey(one)}`).join(' ')}`;
    let found = this.members.get(key);
    if (found === undefined) {
      found = member(own, this.universe(dimension));
      this.members.set(key, found);
    }
    return found;
  }

  /** What a request has that some values do not speak of: what it would have without any condition. */
  private textOf(values: Parts, dimension: About): string | undefined {
    const given = values.get(keyOf(dimension));
    if (given !== undefined) return given.text;
    const plain = this.memberOf([], dimension);
    return plain.is === 'member' ? plain.text : undefined;
  }
}

function isFulfilled(conditions: readonly Clause[], textOf: (dimension: About) => string | undefined): boolean {
  return conditions.every(({ dimension, matcher, holds, whenAbsent }) => {
    const text = textOf(dimension);
    return (text === undefined ? whenAbsent : evaluate(matcher, text)) === holds;
  });
}

export function aboutOne<C extends Clause>(region: readonly C[], dimension: About): readonly C[] {
  const key = keyOf(dimension);
  return region.filter((one) => keyOf(one.dimension) === key);
}

export function literalKey({ dimension, matcher, whenAbsent }: Clause): string {
  return `${keyOf(dimension)} ${whenAbsent} ${JSON.stringify(matcher)}`;
}
