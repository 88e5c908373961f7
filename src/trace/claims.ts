/**
 * What a verified token says. Claims are asked for as all else of a request is: of a token that stands in the request there is nothing
 * to record, of one that a request is said to carry (`tokens` of a line of `trace --requests`) every question is about one claim.
 */
import type { Json } from '../model/fields';
import { Asked, type Recorder, type SaidToken } from './ask';
import { PRESENT, type Matcher } from './matcher';
import { member, normalized } from './token-verification';

export class Claims {
  private constructor(
    private readonly of: Json,
    /** Claims that are lists even where their token has one text. */
    private readonly lists: ReadonlySet<string>,
    private readonly said: { readonly place: string; readonly recorder: Recorder | undefined } | undefined,
  ) {}

  /** Of a token that stands in the request. */
  public static read(claims: Json, spaceDelimited: readonly string[] = []): Claims {
    return new Claims(normalized(claims, spaceDelimited), new Set(spaceDelimited), undefined);
  }

  /** Of a token that the request is said to carry. */
  public static said({ place, claims, recorder }: SaidToken): Claims {
    return new Claims(claims, new Set(), { place, recorder });
  }

  /** As the proxy keeps them: claims that list words with spaces between them are lists. */
  public normalized(spaceDelimited: readonly string[]): Claims {
    return new Claims(normalized(this.of, spaceDelimited), new Set(spaceDelimited), this.said);
  }

  /** Whether the claim has a text that fits, its own or one of its list. */
  public has(path: readonly string[], matcher: Matcher): boolean {
    return this.claim(path).is({ is: 'some', of: matcher });
  }

  public isList(path: readonly string[]): boolean {
    const asked = this.claim(path);
    return path.length === 1 && this.lists.has(path[0] ?? '') ? asked.is(PRESENT) : asked.is({ is: 'list' });
  }

  /** A claim as it is written into a header; undefined where there is none. */
  public written(path: readonly string[]): Asked | undefined {
    const value = this.valueOf(path);
    const asked = this.claim(path);
    if (!asked.is(PRESENT) || value === null) return undefined;
    return asked.inHeader(value, 'a header made of a claim');
  }

  /** The whole payload as it is written into a header. */
  public payload(payload: string): Asked {
    if (this.said === undefined) return Asked.fixed(payload);
    const { place, recorder } = this.said;
    const why = 'a header made of a token';
    return Asked.sent('token', place, base64(this.of), recorder).changed((text) => text, why);
  }

  private claim(path: readonly string[]): Asked {
    const value = this.valueOf(path);
    const text = value === undefined ? undefined : JSON.stringify(value);
    return this.said === undefined ? Asked.fixed(text) : Asked.claim(this.said.place, path, text, this.said.recorder);
  }

  private valueOf(path: readonly string[]): unknown {
    return path.reduce<unknown>(member, this.of);
  }
}

/** Lists and maps are written in base64. */
function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}
