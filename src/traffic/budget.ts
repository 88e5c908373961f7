/**
 * How much work an answer may take. Work is counted and never timed, so that the same manifests get the same answer on every machine; what is
 * left when it is used up is undecided, and named.
 */

/** Work for one command: some 500,000 requests that are followed, which takes minutes. */
export const MOST_WORK = 1_000_000_000;

/** What following one request counts, beside one for each character that is tried in an automaton. */
const FOLLOWED = 2000;

export class Budget {
  private used = 0;

  /** @param limit ten million are about a second of a processor */
  public constructor(private readonly limit: number) {}

  public get isSpent(): boolean {
    return this.used >= this.limit;
  }

  public follow(): void {
    this.used += FOLLOWED;
  }

  public spend(steps: number): void {
    this.used += steps;
  }

  /** Why what is left is undecided. */
  public get why(): string {
    return `to follow every request takes more work than one answer may (${this.limit / FOLLOWED} requests): ask for less at once`;
  }
}
