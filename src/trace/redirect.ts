/** Where a redirect leads, as Envoy writes it into `Location` (RouteEntryImplBase::newUri, source/common/router/config_impl.cc). */
import { number, optionalRecord, text, type Json } from '../model/fields';
import { PREFIX_MARK } from '../model/gateway-api-rules';
import { Asked } from './ask';
import { rewrittenPath, type HttpRequest, type Route } from './http-routes';

/** `listens` is the port of the listener, which some redirects keep. */
export function locationOf(redirect: Json, route: Route, http: HttpRequest, listens: number): string {
  const scheme = text(redirect.scheme) || http.scheme;
  const port = portOf(redirect, scheme, listens);
  const host = text(redirect.authority) || ownHost(http, scheme, port);
  return `${scheme}://${host}${port === 0 ? '' : `:${port}`}${pathOf(redirect, route, http)}`;
}

/** Usual ports are not written (ApplyRedirect, pilot/pkg/networking/core/route/route.go). 0 for none. */
function portOf(redirect: Json, scheme: string, listens: number): number {
  const wanted = redirect.derivePort === 'FROM_REQUEST_PORT' ? listens : number(redirect.port);
  return (wanted === 80 && scheme === 'http') || (wanted === 443 && scheme === 'https') ? 0 : wanted;
}

/** The Host that was asked for, without a port that the redirect replaces, or that was the usual one of the scheme that it leaves. */
function ownHost({ authority: { name: authority }, scheme: asked }: HttpRequest, scheme: string, port: number): string {
  const [, name = authority, own] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? [];
  if (own === undefined) return authority;
  const isUsual = (asked === 'https' && own === '443') || (asked === 'http' && own === '80');
  return port !== 0 || (scheme !== asked && isUsual) ? name : authority;
}

/** The query goes along, unless the new path has one of its own. */
function pathOf(redirect: Json, route: Route, { path }: HttpRequest): string {
  const uri = text(redirect.uri);
  if (uri.startsWith(PREFIX_MARK))
    return rewrittenPath(path, route, { uri: uri.slice(PREFIX_MARK.length) || '/' }).toString();
  const prefix = text(redirect.prefixRewrite);
  if (prefix !== '') return rewrittenPath(path, route, { uri: prefix }).toString();
  if (uri !== '') return uri.includes('?') ? uri : path.withPlain(Asked.fixed(uri), `redirect ${uri}`).toString();
  const pattern = optionalRecord(redirect.uriRegexRewrite);
  return (pattern === undefined ? path : rewrittenPath(path, route, { uriRegexRewrite: pattern })).toString();
}
