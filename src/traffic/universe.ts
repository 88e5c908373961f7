/** Which texts each part of a request may have, and how a request is put together of them. */
import { record } from '../model/fields';
import type { Dimension } from '../trace/ask';
import { exact, regex, suffix, type Matcher } from '../trace/matcher';
import type { PathSettings } from '../trace/paths';
import type { TraceRequest } from '../trace/types';
import type { Part } from './address-parts';
import type { Universe } from './members';

/** Where requests go that are explored together: one scheme and port of one host, or of all hosts that fare alike by their names. */
export interface Target {
  readonly scheme: 'http' | 'https' | 'tls' | 'tcp';
  /** A name; `*.example.com` for every name below it that none of `except` is about; `*` for every such name at all. */
  readonly host: string;
  readonly port: number;
  /** The IP that is dialled, where it matters which one. */
  readonly address?: string;
  /** What the address stands for; without one, the parts that are explored each by itself. */
  readonly parts?: readonly Part[];
  /** SNI of the client's TLS, if it is not the name that is dialled: one of those that are told apart only where they are asked about. */
  readonly sni?: string;
  /** The whole name of a Service, of which `host` is a shorter one. */
  readonly shortFor?: string;
  /** What follows the name in the Host, if it is not what clients usually have there: a port or, where that is usual, nothing. */
  readonly end?: string;
  /** No object says that this is spoken there; somebody may try. */
  readonly isUndeclared?: true;
  /** Names and wildcards that are explored by themselves. */
  readonly except?: (name: string) => boolean;
}

/** How paths look that proxies take as they stand; `NONE` is for those that normalize nothing. */
export type PathForm = 'NONE' | 'BASE' | 'MERGED' | 'BASE, FOLDED' | 'MERGED, FOLDED';

export function pathForm(settings: readonly PathSettings[]): PathForm {
  if (!settings.some(({ normalizes, mergesSlashes }) => normalizes || mergesSlashes)) return 'NONE';
  const form = settings.some(({ mergesSlashes }) => mergesSlashes) ? 'MERGED' : 'BASE';
  return settings.some(({ normalizes, foldsParameters }) => normalizes && foldsParameters) ? `${form}, FOLDED` : form;
}

/** Escapes that no proxy takes off: of what no path has unescaped, of reserved characters but slashes, and of what is no ASCII. */
const ESCAPED = '%(?:2[0-9A-C]|3[A-F]|40|5[BDE]|60|7[BCD]|[89A-Fa-f][0-9A-Fa-f])';
const CHARACTER = "[!$&'()*+,\\-0-9:;=@A-Z\\[\\]_a-z~]";
const OTHER = `(?:${CHARACTER}|${ESCAPED})`;
/** Not empty, and neither `.` nor `..`, whatever comes next that is none of them. */
const segment = (next: string): string => `(?:${OTHER}|\\.${next}|\\.\\.${next}|\\.\\.\\.)(?:\\.|${OTHER})*`;
const SEGMENT = segment(OTHER);
/** Nor `.;` or `..;` with anything after it. */
const FOLDED = segment(`(?:${CHARACTER.replace(';', '')}|${ESCAPED})`);

const PATHS: Readonly<Record<PathForm, Matcher>> = {
  NONE: regex('/[!-"$->@-~]*'),
  BASE: regex(`(?:/(?:${SEGMENT})?)+`),
  MERGED: regex(`/|(?:/${SEGMENT})+/?`),
  'BASE, FOLDED': regex(`(?:/(?:${FOLDED})?)+`),
  'MERGED, FOLDED': regex(`/|(?:/${FOLDED})+/?`),
};

const PLAIN: Readonly<Record<string, readonly string[]>> = {
  path: ['/', '/any', '/x', '/x/y'],
  method: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'X'],
  query: ['', 'other=1'],
  header: ['any', 'x', ''],
  cookie: ['any', 'x', ''],
  parameter: ['any', 'x', ''],
};

const TEXTS: Readonly<Record<string, Matcher>> = {
  // A token (RFC 9110), in capitals as requests are asked for here.
  method: regex("[!#$%&'*+\\-.^_`|~0-9A-Z]+"),
  query: regex('(?:other=1)?'),
  // Spaces around a value do not belong to it.
  header: regex('(?:[!-~](?:[ -~]*[!-~])?)?'),
  cookie: regex('[!#-+\\--:<-\\[\\]-~]*'),
  // As it is written in a URL.
  parameter: regex('[!-"$%\'-~]*'),
};

const CLAIM_TEXTS = regex('[ -~]*');

const NAME = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*';
const SNI = regex(NAME);

/** Begins a name below a wildcard that nobody has. */
export const STAND_IN = 'any-name';
export const UNKNOWN_HOST = 'never-registered.example';

export function universe({ kind, claim = [] }: Dimension, target: Target, form: PathForm): Universe {
  if (kind === 'host') return hosts(target);
  if (kind === 'sni') return { all: [SNI], none: [], mayBeAbsent: false, plain: [target.sni ?? UNKNOWN_HOST] };
  if (kind === 'token') return { all: [exact('token')], none: [], mayBeAbsent: true, plain: ['token'] };
  if (kind === 'claim') {
    // The names that every token's own are, of which there is one of each (RFC 7519).
    const isSingle = claim.length === 1 && ['iss', 'sub'].includes(claim[0] ?? '');
    return { all: [CLAIM_TEXTS], none: [], mayBeAbsent: true, plain: ['any', 'x'], claim: isSingle ? 'text' : 'any' };
  }
  const all = kind === 'path' ? [PATHS[form]] : [TEXTS[kind] as Matcher];
  return {
    all,
    // Routes take no CONNECT: whatever they say, it is answered 404.
    none: kind === 'method' ? [exact('CONNECT')] : [],
    mayBeAbsent: kind === 'header' || kind === 'cookie' || kind === 'parameter',
    plain: PLAIN[kind] ?? [],
  };
}

/** What follows the name in the Host. */
export function tail(target: Pick<Target, 'scheme' | 'port' | 'end'>): string {
  return target.end ?? usualTail(target);
}

function usualTail({ scheme, port }: Pick<Target, 'scheme' | 'port'>): string {
  return (scheme === 'http' && port === 80) || (scheme === 'https' && port === 443) ? '' : `:${port}`;
}

function hosts(target: Target): Universe {
  const { host, except } = target;
  const end = tail(target);
  const isTaken = (authority: string): boolean => {
    const name = authority.slice(0, authority.length - end.length);
    return except?.(name) ?? false;
  };
  if (!host.startsWith('*')) {
    const authority = `${host.includes(':') ? `[${host}]` : host}${end}`;
    return { all: [exact(authority)], none: [], mayBeAbsent: false, plain: [authority] };
  }
  const below = host.slice(1);
  const names = regex(`${NAME}${end}`);
  const plain = below === '' ? [UNKNOWN_HOST, 'any.example'] : [`${STAND_IN}${below}`, `x${below}`, `any.x${below}`];
  return {
    all: [names, suffix(`${below}${end}`)],
    none: [],
    mayBeAbsent: false,
    plain: plain.map((name) => `${name}${end}`),
    isTaken,
  };
}

/** What a request has of each dimension, by its key; what is not there has its plainest value. */
export type Values = ReadonlyMap<string, { readonly dimension: Dimension; readonly text: string | undefined }>;

/** What a condition is about: a part of a request, or of who sends it. */
export interface About {
  readonly kind: string;
  readonly name: string;
  readonly claim?: readonly string[];
}

export function keyOf({ kind, name, claim }: About): string {
  if (kind === 'token') return `token in ${name}`;
  if (kind === 'source') return `address of ${name}`;
  if (kind === 'open') return name;
  if (claim !== undefined) return `claim ${claim.join('.')} in ${name}`;
  return name === '' ? kind : `${kind} ${name}`;
}

/** A request that has these values, as `trace` takes it. */
export function requestOf(client: Omit<TraceRequest, 'request'>, target: Target, values: Values): TraceRequest {
  const of = (kind: string): string | undefined => values.get(kind)?.text;
  const end = tail(target);
  const authority = of('host') ?? hosts(target).plain.find((name) => !(hosts(target).isTaken?.(name) ?? false)) ?? '';
  const name = authority.endsWith(end) ? authority.slice(0, authority.length - end.length) : authority;
  const isHttp = target.scheme === 'http' || target.scheme === 'https';
  const port = isHttp ? usualTail(target) : `:${target.port}`;
  const { headers: own, search } = written(values);
  const headers = target.end === undefined || !isHttp ? own : { host: authority, ...own };
  const tokens: Record<string, Record<string, unknown>> = {};
  for (const { dimension, text } of values.values()) {
    if (text === undefined) continue;
    if (dimension.kind === 'token') tokens[dimension.name] ??= {};
    if (dimension.kind === 'claim') claimed((tokens[dimension.name] ??= {}), dimension.claim ?? [], JSON.parse(text));
  }
  const method = of('method') ?? 'GET';
  return {
    ...client,
    request: `${target.scheme}://${name}${port}${isHttp ? `${of('path') ?? '/'}${search}` : ''}`,
    ...(target.address === undefined ? {} : { address: target.address }),
    ...(target.sni === undefined ? {} : { sni: of('sni') ?? target.sni }),
    ...(method === 'GET' ? {} : { method }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(Object.keys(tokens).length === 0 ? {} : { tokens }),
  };
}

/** Headers, with the cookies among them, and the query with its question mark. */
export function written(values: Values): {
  readonly headers: Readonly<Record<string, string>>;
  readonly search: string;
} {
  const headers: [string, string][] = [];
  const cookies: string[] = [];
  const query: string[] = [];
  for (const { dimension, text } of values.values()) {
    if (text === undefined) continue;
    if (dimension.kind === 'header') headers.push([dimension.name, text]);
    if (dimension.kind === 'cookie') cookies.push(`${dimension.name}=${text}`);
    if (dimension.kind === 'parameter') query.push(`${dimension.name}=${text}`);
    if (dimension.kind === 'query' && text !== '') query.push(text);
  }
  if (cookies.length > 0) headers.push(['cookie', cookies.join('; ')]);
  return { headers: Object.fromEntries(headers), search: query.length === 0 ? '' : `?${query.join('&')}` };
}

/** A claim among those of a token. */
export function claimed(of: Record<string, unknown>, [name = '', ...within]: readonly string[], value: unknown): void {
  if (within.length === 0) of[name] = value;
  else claimed((of[name] = { ...record(of[name]) }), within, value);
}
