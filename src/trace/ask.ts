/**
 * What a request has, opaque to whatever matches it. A proxy can ask whether a text fits a matcher, and nothing else: so a recorder
 * that is given to a trace knows all that the trace hangs on, and every request that gives the same answers fares the same.
 */
import type { Json } from '../model/fields';
import { evaluate, PRESENT, type Matcher } from './matcher';

export type DimensionKind =
  | 'host'
  | 'sni'
  | 'path'
  | 'query'
  | 'parameter'
  | 'method'
  | 'header'
  | 'cookie'
  | 'token'
  | 'claim'
  | 'address'
  /** The address that connections of somebody come from, by whose it is; what else no manifest tells, by the question. */
  | 'source'
  | 'open';

/** What a question is about: for parameters, headers and cookies the one of that name; for tokens and claims the place of the token. */
export interface Dimension {
  readonly kind: DimensionKind;
  readonly name: string;
  /** Of a claim: its names from the outermost to its own. */
  readonly claim?: readonly string[];
}

/** Tokens that a request is said to carry, by their places: the claims of each. */
export type SaidTokens = ReadonlyMap<string, Json>;

/** A token that a request is said to carry: one that its issuer signed, within its time. */
export interface SaidToken {
  readonly place: string;
  readonly claims: Json;
  readonly recorder: Recorder | undefined;
}

/** A place of a token in words, which is also its key: `header authorization Bearer`, `parameter access_token`, `cookie session`. */
export function tokenPlace(kind: 'header' | 'parameter' | 'cookie', name: string, prefix = ''): string {
  const own = kind === 'header' ? name.toLowerCase() : name;
  return `${kind} ${own}${prefix.trim() === '' ? '' : ` ${prefix.trim()}`}`;
}

export interface Ask {
  readonly dimension: Dimension;
  /** About what the client sent, whatever proxies before have made of it. */
  readonly matcher: Matcher;
  readonly answer: boolean;
  /** The answer for a request that has no such thing. */
  readonly whenAbsent: boolean;
}

/**
 * Answers to what no manifest tells, and what is nevertheless the same in two meshes: which labels a namespace has, where a client is. Whoever
 * supposes them learns whether anything hangs on them.
 */
export interface Supposed {
  /** @param about what else tells the question apart from others, which is too long for readers */
  readonly isSo: (question: string, about?: string) => boolean;
  /** Whether somebody's address, which nobody knows, is in a block and not in what is left out of it. */
  readonly isWithin: (whose: string, block: string, except: readonly string[]) => boolean;
}

export interface Recorder {
  /** A question and its answer. */
  readonly asked: (ask: Ask) => void;
  /** A text was read in a way that no question tells: what is said of the trace is said of this one text. */
  readonly opened: (dimension: Dimension, why: string) => void;
  /** The path was made anew, and how: `expression ...` where by a regular expression. */
  readonly rewrote?: (how: string) => void;
  /** Clusters that a proxy chose among by weight, or sends copies to, and endpoints of unlike kinds: those that were not followed. */
  readonly offered?: (clusters: readonly string[]) => void;
  /** Those that are followed where they are offered, in place of the cluster of the greatest weight and of the first endpoint. */
  readonly prefers?: ReadonlySet<string>;
  /** Whether Pods are taken to listen where their manifests leave that open. */
  readonly listens?: boolean;
  /** Without it, what no manifest tells is unknown. */
  readonly supposed?: Supposed;
}

interface Origin {
  readonly recorder: Recorder;
  readonly dimension: Dimension;
  /** How the text comes of the client's: without its first characters, and with others before the rest. */
  readonly drop: number;
  readonly put: string;
  /** What the client's text has behind it: the port of a Host beside the name that is its SNI. */
  readonly behind?: string;
  /** Why it does not: then a question about it tells nothing of the client's. */
  readonly lost?: string;
  /** Whether it is what a claim says: its text, or a list of texts in base64. */
  readonly claim?: 'text' | 'list';
}

/** Of a text that no question can be led back from. */
function lostTo({ recorder, dimension, drop, put }: Origin, lost: string): Origin {
  return { recorder, dimension, drop, put, lost };
}

/** A text of a request, or its absence. */
export class Asked {
  private constructor(
    private readonly value: string | undefined,
    private readonly origin: Origin | undefined,
  ) {}

  /** What a proxy wrote: the same for every request that comes so far. */
  public static fixed(value: string | undefined): Asked {
    return new Asked(value, undefined);
  }

  /** What the client sent. */
  public static sent(kind: DimensionKind, name: string, value: string | undefined, recorder?: Recorder): Asked {
    const origin = recorder === undefined ? undefined : { recorder, dimension: { kind, name }, drop: 0, put: '' };
    return new Asked(value, origin);
  }

  /** The SNI of a client that says the name of its Host there, which may have a port behind it. */
  public static sniOfHost(name: string, port: string, recorder?: Recorder): Asked {
    const dimension: Dimension = { kind: 'host', name: '' };
    return new Asked(
      name,
      recorder === undefined ? undefined : { recorder, dimension, drop: 0, put: '', behind: port },
    );
  }

  /** A claim of a token that the client is said to send, as JSON. */
  public static claim(place: string, claim: readonly string[], json: string | undefined, recorder?: Recorder): Asked {
    const dimension: Dimension = { kind: 'claim', name: place, claim };
    return new Asked(json, recorder === undefined ? undefined : { recorder, dimension, drop: 0, put: '' });
  }

  /** A claim that is there as it is written into a header: its text, or a list of texts in base64. */
  public inHeader(value: unknown, why: string): Asked {
    const { origin } = this;
    if (typeof value !== 'object' || value === null)
      return new Asked(String(value), origin && { ...origin, claim: 'text' });
    const text = Buffer.from(JSON.stringify(value)).toString('base64');
    return new Asked(text, origin && { ...origin, lost: why, ...(Array.isArray(value) ? { claim: 'list' } : {}) });
  }

  /** Whether it fits; `whenAbsent` if the request has none. */
  public is(matcher: Matcher, whenAbsent = false): boolean {
    const answer = this.value === undefined ? whenAbsent : evaluate(matcher, this.value);
    if (this.origin !== undefined) {
      const { recorder, dimension, drop, put, behind = '', lost, claim } = this.origin;
      if (claim !== undefined) {
        if (matcher.is === 'present') return true;
        recorder.asked({ dimension, matcher: { is: 'list' }, answer: claim === 'list', whenAbsent: false });
        const known = claim === 'list' ? ofList(matcher) : undefined;
        if (known !== undefined) return known;
      }
      if (lost !== undefined) recorder.opened(dimension, lost);
      else {
        const own = behind === '' ? matcher : withBehind(matcher, behind);
        const whole: Matcher = claim === undefined ? own : { is: 'some', of: own };
        const about: Matcher = drop === 0 && put === '' ? whole : { is: 'rewritten', drop, put, of: whole };
        recorder.asked({ dimension, matcher: about, answer, whenAbsent });
      }
    }
    return answer;
  }

  /** The text without its first characters, and with others in their place. */
  public rewritten(drop: number, put: string): Asked {
    if (this.value === undefined) return this;
    const value = put + this.value.slice(drop);
    if (this.origin === undefined) return new Asked(value, undefined);
    const own = this.origin;
    if (own.claim !== undefined) return new Asked(value, lostTo(own, 'a claim that is written anew'));
    const kept = own.put.slice(drop);
    const further = Math.max(0, drop - own.put.length);
    return new Asked(value, { ...own, drop: own.drop + further, put: put + kept });
  }

  /** The text as a proxy changes it in a way that no question about it can be led back. */
  public changed(change: (value: string) => string, why: string): Asked {
    if (this.value === undefined) return this;
    const value = change(this.value);
    if (this.origin === undefined) return new Asked(value, undefined);
    return new Asked(value, lostTo(this.origin, why));
  }

  /** What somebody may have put in the place of the text, or where there was none: no question about it can be led back. */
  public overwritten(why: string): Asked {
    return this.origin === undefined ? this : new Asked(this.value, lostTo(this.origin, why));
  }

  /** The text itself, for what cannot be asked: the trace is then about this very text. */
  public read(why: string): string | undefined {
    this.origin?.recorder.opened(this.origin.dimension, why);
    return this.value;
  }

  /**
   * A name that is looked up as it stands, among all names or by its suffixes. Requests are explored one name at a time, or for all
   * names below a wildcard that no object has, and so such a look-up sets none of them apart.
   */
  public get name(): string {
    return this.value ?? '';
  }

  /** For words, and for what is sent on. Nothing is decided by it. */
  public toString(): string {
    return this.value ?? '';
  }
}

/** How a list of texts begins in base64, one without any too. */
const LISTS = ['Wy', 'W10='];

/** What a matcher says of every list of texts in base64, where it is the same. */
function ofList(matcher: Matcher): boolean | undefined {
  if (matcher.is === 'present') return true;
  if (matcher.is === 'any of') {
    const answers = matcher.of.map(ofList);
    return answers.includes(true) ? true : answers.includes(undefined) ? undefined : false;
  }
  if (matcher.is !== 'exact' && matcher.is !== 'prefix') return undefined;
  const plain = (text: string): string => (matcher.folds === true ? text.toLowerCase() : text);
  const own = plain(matcher.value);
  const mayFit = LISTS.map(plain).some(
    (one) => own.startsWith(one) || (matcher.is === 'prefix' && one.startsWith(own)),
  );
  return mayFit ? (own === '' && matcher.is === 'prefix' ? true : undefined) : false;
}

/** What a matcher says of a text before something that it knows nothing of. */
function withBehind(matcher: Matcher, behind: string): Matcher {
  if (matcher.is === 'any of') return { ...matcher, of: matcher.of.map((one) => withBehind(one, behind)) };
  return matcher.is === 'exact' || matcher.is === 'suffix'
    ? { ...matcher, value: `${matcher.value}${behind}` }
    : matcher;
}

/** The headers of a request, names in lower case. */
export class AskedHeaders {
  private constructor(
    private readonly sent: ReadonlyMap<string, string>,
    private readonly made: ReadonlyMap<string, Asked>,
    private readonly recorder: Recorder | undefined,
    private readonly tokens: SaidTokens,
    /** Whether a header was taken out whatever its name is. */
    private readonly isGone: (name: string) => boolean = () => false,
    /** Why headers of some names may have been written by somebody whom no manifest shows. */
    private readonly whyWritten: (name: string) => string | undefined = () => undefined,
  ) {}

  public static of(
    headers: Readonly<Record<string, string>>,
    recorder?: Recorder,
    tokens: SaidTokens = new Map(),
  ): AskedHeaders {
    const sent = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    return new AskedHeaders(sent, new Map(), recorder, tokens);
  }

  /** What proxies on the way made of a header; undefined where it is as the client sent it. */
  private own(name: string): Asked | undefined {
    return this.made.get(name) ?? (this.isGone(name) ? ABSENT : undefined);
  }

  public get(name: string): Asked {
    const lower = name.toLowerCase();
    const why = this.whyWritten(lower);
    const found = this.found(lower);
    return why === undefined ? found : found.overwritten(why);
  }

  private found(lower: string): Asked {
    const own = this.own(lower);
    if (own !== undefined) return own;
    const place = [...this.tokens.keys()].find(
      (one) => one === `header ${lower}` || one.startsWith(`header ${lower} `),
    );
    if (place === undefined) return Asked.sent('header', lower, this.sent.get(lower), this.recorder);
    // The text of such a token nobody knows, but for what stands before it.
    const text = [...place.split(' ').slice(2), 'token'].join(' ');
    return Asked.sent('header', lower, text, this.recorder).changed((own) => own, 'the text of a token');
  }

  /** The token that the request is said to carry in a header. */
  public token(name: string, prefix: string): SaidToken | undefined {
    if (this.own(name.toLowerCase()) !== undefined) return undefined;
    return saidAt(tokenPlace('header', name, prefix), this.tokens, this.recorder);
  }

  /** The same, in a cookie. */
  public cookieToken(name: string): SaidToken | undefined {
    if (this.own('cookie') !== undefined) return undefined;
    return saidAt(tokenPlace('cookie', name), this.tokens, this.recorder);
  }

  public cookie(name: string): Asked {
    const written = this.own('cookie');
    const cookies = written === undefined ? (this.sent.get('cookie') ?? '') : written.toString();
    const found = cookies.split(/; */).find((pair) => pair.slice(0, pair.indexOf('=')) === name);
    const value = found === undefined ? undefined : found.slice(name.length + 1);
    return written === undefined ? Asked.sent('cookie', name, value, this.recorder) : Asked.fixed(value);
  }

  /** What proxies on the way wrote, in words. */
  public get written(): readonly string[] {
    return [...this.made].map(([name, text]) => `${name}: ${text.toString()}`).sort();
  }

  /** Names of the headers that are there. */
  public get names(): readonly string[] {
    return [...new Set([...this.sent.keys(), ...this.made.keys()])].filter((name) => this.own(name) !== ABSENT);
  }

  public with(name: string, value: string | Asked): AskedHeaders {
    const asked = typeof value === 'string' ? Asked.fixed(value) : value;
    return new AskedHeaders(
      this.sent,
      new Map([...this.made, [name.toLowerCase(), asked]]),
      this.recorder,
      this.tokens,
      this.isGone,
      this.whyWritten,
    );
  }

  public without(name: string): AskedHeaders {
    return this.with(name, ABSENT);
  }

  /** Without all headers whose names, in lower case, are such. */
  public withoutThose(isSuch: (name: string) => boolean): AskedHeaders {
    const written = new Map([...this.made].filter(([name]) => !isSuch(name)));
    const isGone = (name: string): boolean => isSuch(name) || this.isGone(name);
    return new AskedHeaders(this.sent, written, this.recorder, this.tokens, isGone, this.whyWritten);
  }

  /** As they are once somebody whom no manifest shows may have written such headers. */
  public mayBeWritten(isSuch: (name: string) => boolean, why: string): AskedHeaders {
    const whyWritten = (name: string): string | undefined => (isSuch(name) ? why : this.whyWritten(name));
    return new AskedHeaders(this.sent, this.made, this.recorder, this.tokens, this.isGone, whyWritten);
  }
}

/** Whether a token is said to be at a place is a question as any other. */
function saidAt(place: string, tokens: SaidTokens, recorder: Recorder | undefined): SaidToken | undefined {
  const claims = tokens.get(place);
  const isThere = Asked.sent('token', place, claims === undefined ? undefined : 'token', recorder).is(PRESENT);
  return isThere && claims !== undefined ? { place, claims, recorder } : undefined;
}

const ABSENT = Asked.fixed(undefined);

const nameOf = (pair: string): string => pair.split('=', 1)[0] ?? '';

/** The path of a request and its query. */
export class AskedPath {
  private constructor(
    /** Without the query. */
    public readonly plain: Asked,
    private readonly sent: string,
    private readonly dropped: ReadonlySet<string>,
    private readonly recorder: Recorder | undefined,
    private readonly tokens: SaidTokens,
  ) {}

  public static of(path: string, recorder?: Recorder, tokens: SaidTokens = new Map()): AskedPath {
    const mark = path.indexOf('?');
    const plain = mark < 0 ? path : path.slice(0, mark);
    const query = mark < 0 ? '' : path.slice(mark + 1);
    return new AskedPath(Asked.sent('path', '', plain, recorder), query, new Set(), recorder, tokens);
  }

  /** The first value of a parameter of the query, as it stands: Envoy takes no escapes off where it chooses a route. */
  public parameter(name: string): Asked {
    if (this.dropped.has(name)) return ABSENT;
    const pair = this.sent.split('&').find((one) => nameOf(one) === name);
    return Asked.sent('parameter', name, pair?.slice(name.length + 1), this.recorder);
  }

  /** The token that the request is said to carry in a parameter. */
  public token(name: string): SaidToken | undefined {
    return this.dropped.has(name) ? undefined : saidAt(tokenPlace('parameter', name), this.tokens, this.recorder);
  }

  /** Whether path and query together, as `:path` has them, fit. */
  public wholeIs(matcher: Matcher): boolean {
    const isPlain = 'value' in matcher && !matcher.value.includes('?');
    if (isPlain && matcher.is === 'prefix') return this.plain.is(matcher);
    if (isPlain && matcher.is === 'exact')
      return (
        this.plain.is(matcher) && Asked.sent('query', '', this.query, this.recorder).is({ is: 'exact', value: '' })
      );
    const whole = Asked.sent('query', '', this.toString(), this.recorder);
    return whole.changed((text) => text, 'a condition on path and query together').is(matcher);
  }

  /** `how` says by what it was made anew. */
  public withPlain(plain: Asked, how: string): AskedPath {
    this.recorder?.rewrote?.(how);
    return new AskedPath(plain, this.sent, this.dropped, this.recorder, this.tokens);
  }

  public withoutParameter(name: string): AskedPath {
    return new AskedPath(this.plain, this.sent, new Set([...this.dropped, name]), this.recorder, this.tokens);
  }

  private get query(): string {
    if (this.dropped.size === 0) return this.sent;
    return this.sent
      .split('&')
      .filter((pair) => !this.dropped.has(nameOf(pair)))
      .join('&');
  }

  /** For words, and for what is sent on. Nothing is decided by it. */
  public toString(): string {
    return `${this.plain.toString()}${this.query === '' ? '' : `?${this.query}`}`;
  }
}
