/**
 * Lists that are tried in order, of which the first that fits takes a request: which of them no request ever gets to. What fits is asked of
 * the same code that routes requests, so that what a match means is known in one place; whether a request can give some answers is decided
 * exactly (`members.ts`).
 *
 * A taker is a conjunction of conditions. To find a request for one, its conditions are taken together, and a request that fulfils them is
 * looked at: if an earlier taker has it, one condition of that one has to fail; each is tried in turn. When no turn is left, the earlier
 * takers that were met have everything between them.
 */
import { Asked, AskedHeaders, AskedPath, type Ask, type Dimension, type Recorder } from '../trace/ask';
import { Claims } from '../trace/claims';
import type { HttpRequest } from '../trace/http-routes';
import { exact, regex, type Matcher } from '../trace/matcher';
import type { Condition } from './explore';
import { aboutOne, Cover, Earlier, literalKey } from './cover';
import { claimed, universe, written, type PathForm, type Values } from './universe';

/** Something that takes requests that fulfil all of some conditions. */
export interface Taker {
  /** Has to ask about the request alone, one condition after the other, and to stop at the first that fails. */
  readonly takes: (request: HttpRequest) => boolean;
  /** Whether it may be read otherwise than it is here: it is then neither dead nor does it take anything from others. */
  readonly isUnclear?: boolean;
}

/** Which requests there are at all. */
export interface Space {
  readonly paths: PathForm;
  readonly scheme: 'http' | 'https';
  /** What the Host header may be. */
  readonly authority: Matcher;
}

export type Fate =
  | { readonly is: 'reached'; readonly witness: HttpRequest }
  /** No request fulfils its conditions: those of one part of the request that exclude each other, or nothing where none was asked. */
  | { readonly is: 'never'; readonly because: readonly Condition[] }
  /** Earlier ones have every request that it is for. */
  | { readonly is: 'taken'; readonly by: readonly number[] }
  | { readonly is: 'unclear' };

/** More conditions than anybody writes. */
const MOST_CONDITIONS = 300;

/** What becomes of each. */
export function fates(takers: readonly Taker[], space: Space): readonly Fate[] {
  const search = new FirstMatch(takers, space);
  const earlier = new Earlier();
  return takers.map((_taker, index) => {
    const fate = search.fate(index, earlier);
    search.put(index, earlier);
    return fate;
  });
}

type Conditions = readonly Condition[] | Extract<Fate, { readonly is: 'never' | 'unclear' }>;

/** Takers of which each may be looked at beside any others: what they ask for is found out once. */
export class FirstMatch {
  private readonly conditions: (Conditions | undefined)[] = [];
  private readonly cover: Cover<Condition>;

  public constructor(
    private readonly takers: readonly Taker[],
    private readonly space: Space,
  ) {
    this.cover = new Cover(
      (index) => this.conditionsOf(index) as readonly Condition[],
      (dimension) => universeIn(dimension as Dimension, space),
    );
  }

  /** Puts one among those that are tried before others. */
  public put(index: number, earlier: Earlier): void {
    const own = this.conditionsOf(index);
    if (!('is' in own)) earlier.add(index, own);
  }

  public fate(index: number, earlier: Earlier): Fate {
    const own = this.conditionsOf(index);
    if ('is' in own) return own;
    const found = this.cover.beside(own, earlier);
    if (found.is === 'reached') return { is: 'reached', witness: requestOf(found.values as Values, this.space) };
    return found.is === 'taken' ? { is: 'taken', by: this.cover.fewest(own, found.by) } : found;
  }

  /** The conditions of a taker, found by asking it about requests until one fulfils them all. */
  private conditionsOf(index: number): Conditions {
    return (this.conditions[index] ??= this.asked(this.takers[index] as Taker));
  }

  private asked({ takes, isUnclear }: Taker): Conditions {
    if (isUnclear === true) return { is: 'unclear' };
    const region: Condition[] = [];
    const known = new Set<string>();
    for (let turn = 0; turn < MOST_CONDITIONS; turn += 1) {
      const values = this.cover.valuesOf(region);
      if (values === undefined) return { is: 'unclear' };
      const asks: Ask[] = [];
      let isOpened = false;
      const recorder: Recorder = { asked: (ask) => asks.push(ask), opened: () => (isOpened = true) };
      const took = takes(requestOf(values as Values, this.space, recorder));
      if (isOpened || asks.some(isBeyond)) return { is: 'unclear' };
      let last: Condition | undefined;
      for (const { dimension, matcher, answer, whenAbsent } of asks) {
        const condition: Condition = { dimension, matcher, holds: answer, whenAbsent };
        const key = literalKey(condition);
        last = known.has(key) ? undefined : condition;
        if (last === undefined) continue;
        known.add(key);
        region.push(condition);
      }
      if (took) return this.clash(region) ? { is: 'unclear' } : region;
      // What failed asks nothing of the request, or what it has promised already.
      if (last === undefined) return { is: 'never', because: [] };
      const wanted: Condition = { ...last, holds: !last.holds };
      region[region.length - 1] = wanted;
      const found = this.cover.memberOf(region, wanted.dimension);
      if (found.is === 'undecided') return { is: 'unclear' };
      if (found.is === 'none') return { is: 'never', because: aboutOne(region, wanted.dimension) };
    }
    return { is: 'unclear' };
  }

  /** Two ways of asking about one thing, which are not independent. */
  private clash(region: readonly Condition[]): boolean {
    const has = (kind: Dimension['kind'], name?: string): boolean =>
      region.some(({ dimension }) => dimension.kind === kind && (name === undefined || dimension.name === name));
    return (has('query') && has('parameter')) || (has('cookie') && has('header', 'cookie'));
  }
}

/** What a request has that nothing was asked about: for all that was asked, any would do. */
const PLAIN = { host: 'never-registered.example', path: '/', method: 'GET' };
const TARGET = { scheme: 'http', host: '*', port: 80 } as const;
const METHODS = regex("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

function universeIn(dimension: Dimension, { paths, authority }: Space): ReturnType<typeof universe> {
  if (dimension.kind === 'host') return { all: [authority], none: [], mayBeAbsent: false, plain: [PLAIN.host] };
  const found = universe(dimension, TARGET, paths);
  // Whatever HTTP calls a method: requests need not be plain here, as long as there are any.
  return dimension.kind === 'method' ? { ...found, all: [METHODS], none: [exact('CONNECT')] } : found;
}

function requestOf(values: Values, space: Space, recorder?: Recorder): HttpRequest {
  const { headers, search } = written(values);
  const claims: Record<string, unknown> = {};
  const plain = (kind: keyof typeof PLAIN): string => values.get(kind)?.text ?? PLAIN[kind];
  for (const { dimension, text } of values.values())
    if (text !== undefined && dimension.kind === 'claim') claimed(claims, dimension.claim ?? [], JSON.parse(text));
  return {
    authority: Asked.sent('host', '', plain('host'), recorder),
    method: Asked.sent('method', '', plain('method'), recorder),
    path: AskedPath.of(`${plain('path')}${search}`, recorder),
    scheme: space.scheme,
    headers: AskedHeaders.of(headers, recorder),
    // Whether a proxy knows the claims of a token is for other rules: here a request may have any.
    claims: Claims.said({ place: 'header authorization Bearer', claims, recorder }),
  };
}

/** Texts that are no printable ASCII, of which requests are not explored. */
function isBeyond({ matcher }: Ask): boolean {
  return /[^\x20-\x7e]|\\\\[pPx]/.test(JSON.stringify(matcher));
}
