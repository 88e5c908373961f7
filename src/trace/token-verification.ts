/** JSON Web Tokens as Envoy's jwt_authn filter takes them: read, dated, addressed, and signed by keys that a manifest shows. */
import { constants, createHmac, createPublicKey, timingSafeEqual, verify, type JsonWebKey } from 'node:crypto';
import { number, optionalRecord, record, records, text, texts, type Json } from '../model/fields';
import type { TokenProblem } from './reasons';

export interface Token {
  readonly header: Json;
  readonly claims: Json;
  /** What is signed. */
  readonly signed: string;
  readonly signature: Buffer;
  /** The payload as it stands in the token. */
  readonly payload: string;
}

/** What the issuer of tokens is trusted for. */
export interface Trust {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** A key set in JSON; undefined where no manifest shows it. */
  readonly keys: string | undefined;
}

export type Verification =
  | { readonly is: 'valid' }
  /** `issuer`: it is for another rule to say. */
  | { readonly is: 'issuer' }
  | { readonly is: 'invalid'; readonly status: 401 | 403; readonly problem: TokenProblem }
  | { readonly is: 'unknown' };

/** Envoy's own allowance for clocks that differ, in seconds. */
const CLOCK_SKEW = 60;

/** Algorithms that Envoy's jwt library knows (source/common/jwt/jwt.cc, isImplemented). */
const ALGORITHM = /^((ES|HS|RS|PS)(256|384|512)|EdDSA)$/;

/** A number of seconds as jwt.cc takes one: no text, and none below zero. */
function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < 2 ** 64;
}

/** What jwt.cc (parseFromString) finds amiss in the types of a token's fields; undefined if it takes them. */
function typeProblem(header: Json, claims: Json): string | undefined {
  const { alg, kid } = header;
  if (typeof alg !== 'string') return 'its header has no algorithm (alg) as a string';
  if (!ALGORITHM.test(alg)) return `its algorithm "${alg}" is none that Envoy knows`;
  if (kid !== undefined && typeof kid !== 'string') return 'the key id (kid) in its header is no string';
  const noText = ['iss', 'sub', 'jti'].find((name) => claims[name] !== undefined && typeof claims[name] !== 'string');
  if (noText !== undefined) return `its claim ${noText} is no string`;
  const noCount = ['iat', 'nbf', 'exp'].find((name) => claims[name] !== undefined && !isCount(claims[name]));
  if (noCount !== undefined) return `its claim ${noCount} is no number of seconds from zero on`;
  const { aud } = claims;
  const isAudience = aud === undefined || typeof aud === 'string' || (Array.isArray(aud) && aud.every((one) => typeof one === 'string')); // prettier-ignore
  return isAudience ? undefined : 'its claim aud is neither a string nor a list of strings';
}

/** The token, or why it is none that Envoy reads. */
export function readToken(token: string): Token | string {
  const [head, payload, signature, ...more] = token.split('.');
  if (head === undefined || payload === undefined || signature === undefined || more.length > 0)
    return 'it has not three parts';
  const json = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
  try {
    const [header, claims] = [optionalRecord(json(head)), optionalRecord(json(payload))];
    if (header === undefined || claims === undefined) return 'its header or its payload is no JSON object';
    const problem = typeProblem(header, claims);
    if (problem !== undefined) return problem;
    return { header, claims, signed: `${head}.${payload}`, signature: Buffer.from(signature, 'base64url'), payload };
  } catch {
    return 'its header or its payload is no JSON';
  }
}

/** Envoy compares audiences without their scheme and a slash at the end. */
export function plainAudience(audience: string): string {
  return audience.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

/** In Envoy's order, so that the first thing wrong is the one that it says. `now` is in seconds. */
export function verifyToken(token: Token, trust: Trust, now: number): Verification {
  const { claims } = token;
  const refused = (status: 401 | 403, problem: TokenProblem): Verification => ({ is: 'invalid', status, problem });
  if (trust.issuer !== '' && text(claims.iss) !== trust.issuer) return { is: 'issuer' };
  // Whole seconds, of which a zero is no date, as for Envoy (verifyTimeConstraint of jwt.cc).
  const from = Math.trunc(number(claims.nbf));
  const until = Math.trunc(number(claims.exp));
  if (from > now + CLOCK_SKEW) return refused(401, { is: 'not-valid-yet' });
  if (until !== 0 && until + CLOCK_SKEW < now) return refused(401, { is: 'expired' });
  const audiences = (typeof claims.aud === 'string' ? [claims.aud] : texts(claims.aud)).map(plainAudience);
  const wanted = trust.audiences.map(plainAudience);
  if (wanted.length > 0 && !wanted.some((audience) => audiences.includes(audience)))
    return refused(403, { is: 'audience', audiences, wanted });
  const keys = keysOf(trust.keys);
  if (keys === undefined) return { is: 'unknown' };
  const [kid, alg] = [text(token.header.kid), text(token.header.alg)];
  const candidates = keys.filter(
    (key) => (kid === '' || text(key.kid) === '' || key.kid === kid) && (text(key.alg) === '' || text(key.alg) === alg),
  );
  if (candidates.length === 0) return refused(401, { is: 'no-key', algorithm: alg, keyId: kid });
  return candidates.some((key) => isSignedBy(key, alg, token))
    ? { is: 'valid' }
    : refused(401, { is: 'not-signed-by-issuer' });
}

/** Whether its keys are known, and there is none. */
export function trustsNobody({ keys }: Trust): boolean {
  return keys !== undefined && keysOf(keys)?.length === 0;
}

function keysOf(keySet: string | undefined): readonly Json[] | undefined {
  if (keySet === undefined) return undefined;
  try {
    return records(record(JSON.parse(keySet)).keys);
  } catch {
    return undefined;
  }
}

function isSignedBy(key: Json, alg: string, { signed, signature }: Token): boolean {
  const [, family = '', bits = ''] = /^(HS|RS|PS|ES)(256|384|512)$/.exec(alg) ?? [];
  try {
    if (family === 'HS') {
      const own = createHmac(`sha${bits}`, Buffer.from(text(key.k), 'base64url'))
        .update(signed)
        .digest();
      return own.length === signature.length && timingSafeEqual(own, signature);
    }
    const publicKey = createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
    const data = Buffer.from(signed);
    if (alg === 'EdDSA') return verify(null, data, publicKey, signature);
    if (family === 'ES') return verify(`sha${bits}`, data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
    const padding = family === 'PS' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
    return family !== '' && verify(`sha${bits}`, data, { key: publicKey, padding }, signature);
  } catch {
    // A key that is none for the algorithm.
    return false;
  }
}

/** Claims as Envoy keeps them for authorization and routes: those that list words with spaces between them become lists, if there is a word. */
export function normalized(claims: Json, spaceDelimited: readonly string[]): Json {
  const names = new Set(spaceDelimited);
  const listed = (value: string): readonly string[] | string => {
    const words = value.split(' ').filter((word) => word !== '');
    return words.length === 0 ? value : words;
  };
  return Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [
      name,
      names.has(name) && typeof value === 'string' ? listed(value) : value,
    ]),
  );
}

/** A member of a claim by its name, which may be any word. */
export function member(value: unknown, name: string): unknown {
  const of = record(value);
  return Object.hasOwn(of, name) ? of[name] : undefined;
}
