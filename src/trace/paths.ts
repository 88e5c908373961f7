/** What a proxy makes of the path of a request before it looks at any route or policy. */
import type { MeshConfig, PathNormalization } from '../model/mesh-config';
import type { HttpRequest } from './http-routes';
import { exact } from './matcher';

/** How a proxy's HTTP connection manager treats paths. */
export interface PathSettings {
  readonly normalizes: boolean;
  readonly mergesSlashes: boolean;
  readonly escapedSlashes: 'KEEP' | 'UNESCAPE' | 'REDIRECT' | 'REJECT';
  /** Whether `.;v=1` and `..;v=1` are dot segments as `.` and `..` are, with what follows the semicolon. */
  readonly foldsParameters: boolean;
}

export type TreatedPath =
  | { readonly is: 'taken'; readonly path: string }
  | { readonly is: 'redirected'; readonly path: string }
  | ({ readonly is: 'refused' } & RefusedPath);

/** A path that is answered 400. */
export interface RefusedPath {
  readonly path: string;
  readonly has: 'escaped slash' | 'escaped NUL';
}

const ISTIO: Readonly<Record<PathNormalization, Omit<PathSettings, 'foldsParameters'>>> = {
  NONE: { normalizes: false, mergesSlashes: false, escapedSlashes: 'KEEP' },
  BASE: { normalizes: true, mergesSlashes: false, escapedSlashes: 'KEEP' },
  MERGE_SLASHES: { normalizes: true, mergesSlashes: true, escapedSlashes: 'KEEP' },
  DECODE_AND_MERGE_SLASHES: { normalizes: true, mergesSlashes: true, escapedSlashes: 'UNESCAPE' },
};

/** How the proxies of a mesh treat paths. */
export function istioPaths({ pathNormalization, istio }: Reading): PathSettings {
  return { ...ISTIO[pathNormalization], foldsParameters: istio.foldsParameters };
}

/** What of a mesh's configuration says how its proxies read paths. */
type Reading = Pick<MeshConfig, 'pathNormalization' | 'istio'>;

/** The path as a proxy of Istio sees it; the query is left alone. */
export function asIstioReads(http: HttpRequest, config: Reading): HttpRequest | { readonly refused: RefusedPath } {
  const treated = asRead(http, istioPaths(config));
  if (treated.is === 'taken') return treated.http;
  const { path, has } = treated.is === 'refused' ? treated : { path: `${http.path}`, has: 'escaped slash' as const };
  return { refused: { path, has } };
}

/**
 * A request with its path as a proxy reads it. Requests are explored with paths that stand as they are in that form;
 * what becomes of others is that of the path they are turned into.
 */
export function asRead(
  http: HttpRequest,
  settings: PathSettings,
): Exclude<TreatedPath, { is: 'taken' }> | { readonly is: 'taken'; readonly http: HttpRequest } {
  const given = http.path.toString();
  const treated = treatPath({ path: given, method: http.method.is(exact('CONNECT')) ? 'CONNECT' : 'GET' }, settings);
  if (treated.is !== 'taken') return treated;
  if (treated.path === given) return { is: 'taken', http };
  const [plain = ''] = treated.path.split('?', 1);
  const path = http.path.withPlain(
    http.path.plain.changed(() => plain, 'the path is not in canonical form'),
    'canonical form',
  );
  return { is: 'taken', http: { ...http, path } };
}

/** In Envoy's order: slashes unescaped, the path made canonical, slashes merged. */
export function treatPath(
  { path: given, method }: { readonly path: string; readonly method: string },
  settings: PathSettings,
): TreatedPath {
  if (method === 'CONNECT' || !given.startsWith('/')) return { is: 'taken', path: given };
  const mark = given.indexOf('?');
  let path = mark < 0 ? given : given.slice(0, mark);
  const query = mark < 0 ? '' : given.slice(mark);
  const unescaped = path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
  const hasEscaped = settings.escapedSlashes !== 'KEEP' && unescaped !== path;
  if (hasEscaped && settings.escapedSlashes === 'REJECT') return { is: 'refused', path, has: 'escaped slash' };
  if (hasEscaped) path = unescaped;
  if (settings.normalizes) {
    const canonical = canonicalPath(path, settings.foldsParameters);
    if (canonical === undefined) return { is: 'refused', path, has: 'escaped NUL' };
    path = canonical;
  }
  if (settings.mergesSlashes && path.includes('//')) {
    const segments = path.split('/').filter((segment) => segment !== '');
    path = `/${segments.join('/')}${path.endsWith('/') ? '/' : ''}`;
  }
  const isRedirect = hasEscaped && settings.escapedSlashes === 'REDIRECT';
  return { is: isRedirect ? 'redirected' : 'taken', path: path + query };
}

const TO_ESCAPE = new Set('"<>^`{|} ');

/**
 * A path in canonical form: escapes of letters, digits and `-._~` are taken off, dot segments resolved, backslashes turned round and
 * characters escaped that no path has. Undefined for one with an escaped NUL, which is refused.
 */
export function canonicalPath(path: string, foldsParameters: boolean): string | undefined {
  // As it is written, before escapes are taken off and backslashes are turned round.
  const plain = foldsParameters ? path.replace(/(?<=^|\/)(\.\.?);[^/]*/g, '$1') : path;
  const unescaped = unescapeUnreserved(plain.replace(/\\/g, '/'));
  return unescaped === undefined ? undefined : withoutDots(unescaped);
}

function unescapeUnreserved(path: string): string | undefined {
  let made = '';
  // Where the last % stands that begins no escape: what is unescaped after it may not complete one.
  let loose = -1;
  for (let at = 0; at < path.length; at += 1) {
    const char = path.charAt(at);
    if (char !== '%') {
      made += TO_ESCAPE.has(char) ? percent(char) : char;
      continue;
    }
    const digits = path.slice(at + 1, at + 3);
    if (!/^[0-9a-f]{2}$/i.test(digits)) {
      loose = made.length;
      made += '%';
      continue;
    }
    if (digits === '00') return undefined;
    at += 2;
    const meant = String.fromCharCode(Number.parseInt(digits, 16));
    if (!/[A-Za-z0-9._~-]/.test(meant)) {
      made += `%${digits}`;
      continue;
    }
    made += meant;
    if (loose < 0) continue;
    const next = made.length - loose === 2 ? path.charAt(at + 1) : '';
    if (/^%[0-9a-f]{2}$/i.test(made.slice(loose) + next)) made = `${made.slice(0, loose)}%25${made.slice(loose + 1)}`;
  }
  return made;
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** An empty segment is a segment: `..` takes it away like any other. */
function withoutDots(path: string): string {
  const segments = path.split('/').slice(1);
  const made: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..') made.pop();
    if (segment !== '.' && segment !== '..') made.push(segment);
    else if (isLast) made.push('');
  }
  return `/${made.join('/')}`;
}
