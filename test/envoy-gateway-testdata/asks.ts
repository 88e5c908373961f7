/** The requests that the listeners and routes of a world suggest: each match of each rule at each listener of a Gateway, and some that none takes. */
import { record, records, strings, text, texts, type Json } from '../../src/model/fields';
import type { ApiGateway, ApiListener } from '../../src/model/gateway-api';
import type { Mesh } from '../../src/model/mesh';
import type { Ask } from './ir';

const NOWHERE = 'nowhere.example.net';

const concrete = (host: string): string => (host === '*' ? NOWHERE : host.replace(/^\*/, 'one'));

interface Wish {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

const PLAIN: Wish = { path: '/', method: 'GET', headers: {} };

const PREFLIGHT: Wish = {
  path: '/',
  method: 'OPTIONS',
  headers: { origin: 'https://www.example.com', 'access-control-request-method': 'GET' },
};

const exact = (entries: readonly Json[]): readonly (readonly [string, string])[] =>
  entries.map(({ name, value }) => [text(name), text(value)] as const);

/** A request that meets a match, as far as texts do; of an expression the text itself is tried. */
function wish(kind: string, match: Json, cookies: readonly Json[]): Wish {
  const headers = Object.fromEntries(exact(records(match.headers)).map(([name, value]) => [name.toLowerCase(), value]));
  const jar = exact(cookies).map(([name, value]) => `${name}=${value}`);
  const all = jar.length === 0 ? headers : { ...headers, cookie: jar.join('; ') };
  if (kind === 'GRPCRoute') {
    const { service, method } = record(match.method);
    return { path: `/${text(service) || 'any.Service'}/${text(method) || 'Any'}`, method: 'POST', headers: all };
  }
  const { type, value } = record(match.path);
  const path = text(value).replace(/^(?!\/)/, '/');
  const query = exact(records(match.queryParams)).map((pair) => pair.join('='));
  const below = type === 'Exact' || type === 'RegularExpression' ? path : `${path.replace(/\/$/, '')}/below`;
  return {
    path: `${below}${query.length === 0 ? '' : `?${query.join('&')}`}`,
    method: text(match.method) || 'GET',
    headers: all,
  };
}

function wishesOf(mesh: Mesh, kind: string, spec: Json, namespace: string): readonly Wish[] {
  return records(spec.rules).flatMap((rule) => {
    const cookies = records(rule.filters).flatMap((filter) => {
      const found = mesh.find('gateway.envoyproxy.io', 'HTTPRouteFilter', namespace, text(record(filter.extensionRef).name)); // prettier-ignore
      return records(records(record(record(found?.body).spec).matches)[0]?.cookies);
    });
    const matches = records(rule.matches);
    return (matches.length === 0 ? [{}] : matches).map((match) => wish(kind, match, cookies));
  });
}

const MANY = 80;

/** Distinct asks at one Gateway. */
export function asksAt(mesh: Mesh, { config, listeners }: ApiGateway): readonly Ask[] {
  const found = new Map<string, Ask>();
  const add = (ask: Ask): void => {
    if (found.size < MANY) found.set(JSON.stringify(ask), ask);
  };
  for (const listener of listeners) for (const ask of asksOf(mesh, listener)) add(ask);
  const closed = Math.max(0, ...listeners.map(({ port }) => port)) + 1;
  add({ scheme: 'http', port: closed, host: `${config.name}.example.com`, ...PLAIN });
  return [...found.values()];
}

function asksOf(mesh: Mesh, { protocol, port, hostname }: ApiListener): readonly Ask[] {
  const kinds = protocol === 'HTTP' || protocol === 'HTTPS' ? ['HTTPRoute', 'GRPCRoute'] : ['TLSRoute', 'TCPRoute'];
  const routes = kinds.flatMap((kind) => mesh.of('gateway.networking.k8s.io', kind));
  const own = [concrete(hostname), NOWHERE];
  const asks: Ask[] = [];
  if (protocol === 'TCP') return [{ scheme: 'tcp', port, host: '198.51.100.1', ...PLAIN }];
  if (protocol !== 'HTTP' && protocol !== 'HTTPS' && protocol !== 'TLS') return [];
  const scheme = protocol === 'HTTP' ? 'http' : protocol === 'HTTPS' ? 'https' : 'tls';
  for (const { kind, body, namespace } of routes) {
    const spec = record(record(body).spec);
    const hosts = new Set([...texts(spec.hostnames).map(concrete), ...own]);
    const wishes = scheme === 'tls' ? [PLAIN] : wishesOf(mesh, kind, spec, namespace);
    for (const host of hosts) for (const one of wishes) asks.push({ scheme, port, host, ...one });
    for (const host of [...hosts].slice(0, 1)) {
      if (scheme !== 'tls') asks.push({ scheme, port, host, ...PLAIN, path: '/nothing/here' });
      if (scheme !== 'tls') asks.push({ scheme, port, host, ...PREFLIGHT, path: wishes[0]?.path ?? '/' });
    }
  }
  for (const host of own) asks.push({ scheme, port, host, ...PLAIN });
  return asks;
}

/** The request as `trace` is asked it. */
export function urlOf({ scheme, host, port, path }: Ask): string {
  return scheme === 'http' || scheme === 'https' ? `${scheme}://${host}:${port}${path}` : `${scheme}://${host}:${port}`;
}

export function headersOf({ headers }: Ask): Readonly<Record<string, string>> {
  return strings(headers);
}
