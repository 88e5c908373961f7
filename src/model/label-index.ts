/** Labels and selectors looked up from either side, so that a namespace of thousands of workloads is not gone through for each Service. */
import { labelsMatch } from './fields';
import { push } from './objects';

type Labels = Readonly<Record<string, string>>;

const pairOf = (key: string, value: string): string => `${key}=${value}`;

/** Things with labels, by selectors. */
export class LabelIndex<T> {
  private byPair: Map<string, T[]> | undefined;

  public constructor(
    private readonly items: readonly T[],
    private readonly labelsOf: (item: T) => Labels,
  ) {}

  /** Those that have every label of a selector, in the order given; all of them for an empty one. */
  public selectedBy(selector: Labels): readonly T[] {
    const wanted = Object.entries(selector);
    if (wanted.length === 0) return this.items;
    let fewest: readonly T[] | undefined;
    for (const [key, value] of wanted) {
      const having = this.pairs.get(pairOf(key, value)) ?? [];
      if (fewest === undefined || having.length < fewest.length) fewest = having;
    }
    return (fewest ?? []).filter((item) => labelsMatch(selector, this.labelsOf(item)));
  }

  private get pairs(): ReadonlyMap<string, readonly T[]> {
    if (this.byPair !== undefined) return this.byPair;
    const made = new Map<string, T[]>();
    for (const item of this.items)
      for (const [key, value] of Object.entries(this.labelsOf(item))) push(made, pairOf(key, value), item);
    this.byPair = made;
    return made;
  }
}

/** Things with selectors, by labels. Those whose selector is empty select nothing here. */
export class SelectorIndex<T> {
  private byPair: Map<string, (readonly [number, T])[]> | undefined;

  public constructor(
    private readonly items: readonly T[],
    private readonly selectorOf: (item: T) => Labels,
  ) {}

  /** Those that select something with these labels, in the order given. */
  public selecting(labels: Labels): readonly T[] {
    const found: (readonly [number, T])[] = [];
    for (const [key, value] of Object.entries(labels))
      for (const entry of this.pairs.get(pairOf(key, value)) ?? [])
        if (labelsMatch(this.selectorOf(entry[1]), labels)) found.push(entry);
    return found.sort((a, b) => a[0] - b[0]).map(([, item]) => item);
  }

  /** Each under one label of its selector: whatever it selects has that one too. */
  private get pairs(): ReadonlyMap<string, readonly (readonly [number, T])[]> {
    if (this.byPair !== undefined) return this.byPair;
    const made = new Map<string, (readonly [number, T])[]>();
    this.items.forEach((item, index) => {
      const first = Object.entries(this.selectorOf(item))[0];
      if (first !== undefined) push(made, pairOf(first[0], first[1]), [index, item] as const);
    });
    this.byPair = made;
    return made;
  }
}
