/** Random meshes of routes, policies and entries, changes of one field of them, and requests dense enough to tell such meshes apart. */
import { buildMesh, type Mesh } from '../../src/model/mesh';
import { load } from '../../src/model/load';
import type { Manifest } from '../../src/model/manifest';
import type { TraceRequest } from '../../src/trace/types';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Random = () => number;

/** The same numbers for the same seed (mulberry32). */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = <T>(next: Random, of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
const maybe = (next: Random, share: number): boolean => next() < share;

type Body = Record<string, any>;

const PATHS = ['/', '/a', '/a/', '/a/b', '/ab', '/admin', '/api', '/api/v1'];
const EXPRESSIONS = ['/v[0-9]+/.*', '/(a|b)/?.*', '/api/.*', '/.*/b', '(?i)/ADMIN.*', '/a[^/]*'];
const METHODS = ['GET', 'POST', 'DELETE'];
const VALUES = ['a', 'ab', 'b'];
const HEADERS = ['x-t', 'x-u'];
const HOSTS = ['api.example.com', 'legacy.example.com'];

function text(next: Random, values: readonly string[], expressions: readonly string[]): Body {
  const kind = pick(next, ['exact', 'prefix', 'prefix', 'regex']);
  return { [kind]: pick(next, kind === 'regex' ? expressions : values) };
}

function match(next: Random): Body {
  return {
    ...(maybe(next, 0.8) ? { uri: text(next, PATHS, EXPRESSIONS) } : {}),
    ...(maybe(next, 0.1) ? { ignoreUriCase: true } : {}),
    ...(maybe(next, 0.3) ? { method: { exact: pick(next, METHODS) } } : {}),
    ...(maybe(next, 0.3) ? { headers: { [pick(next, HEADERS)]: header(next) } } : {}),
    ...(maybe(next, 0.15) ? { withoutHeaders: { [pick(next, HEADERS)]: header(next) } } : {}),
    ...(maybe(next, 0.15) ? { queryParams: { q: text(next, VALUES, ['a.?', '[ab]+']) } } : {}),
  };
}

const header = (next: Random): Body => (maybe(next, 0.2) ? {} : text(next, VALUES, ['a.?', '[ab]+']));

function destination(next: Random): Body[] {
  return [{ destination: { host: pick(next, HOSTS), port: { number: 80 } } }];
}

function rule(next: Random): Body {
  const action = next();
  return {
    match: maybe(next, 0.2) ? [match(next), match(next)] : [match(next)],
    ...(action < 0.15
      ? { directResponse: { status: pick(next, [403, 404]) } }
      : action < 0.25
        ? { redirect: { uri: pick(next, PATHS) }, route: undefined }
        : { route: destination(next) }),
    ...(action >= 0.25 && maybe(next, 0.2) ? { rewrite: { uri: pick(next, ['/', '/new', '/a']) } } : {}),
  };
}

function virtualService(next: Random): Body {
  const http = [rule(next), rule(next), rule(next), ...(maybe(next, 0.7) ? [{ route: destination(next) }] : [])];
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'site', namespace: 'shop' },
    spec: { hosts: ['site.example.com'], http },
  };
}

const PATTERNS = ['/a', '/a*', '/admin*', '*/b', '/api/*', '*', '/{*}/b', '/api/{**}'];

function operation(next: Random): Body {
  const paths = { [pick(next, ['paths', 'paths', 'notPaths'])]: [pick(next, PATTERNS)] };
  const methods = { [pick(next, ['methods', 'methods', 'notMethods'])]: [pick(next, METHODS)] };
  const share = next();
  return share < 0.5 ? paths : share < 0.7 ? methods : { ...paths, ...methods };
}

function policyRule(next: Random): Body {
  return {
    ...(maybe(next, 0.8) ? { to: [{ operation: operation(next) }] } : {}),
    ...(maybe(next, 0.4)
      ? {
          when: [
            {
              key: `request.headers[${pick(next, HEADERS)}]`,
              [pick(next, ['values', 'values', 'notValues'])]: [pick(next, ['a', 'a*', '*b', '*'])],
            },
          ],
        }
      : {}),
  };
}

function policy(next: Random, name: string): Body {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: 'shop' },
    spec: {
      selector: { matchLabels: { app: 'server' } },
      action: pick(next, ['ALLOW', 'DENY']),
      rules: [policyRule(next), ...(maybe(next, 0.4) ? [policyRule(next)] : [])],
    },
  };
}

const ROUTE_MATCHES = ['Exact', 'PathPrefix', 'PathPrefix'] as const;

function routeRule(next: Random): Body {
  return {
    matches: [
      {
        path: {
          type: pick(next, ROUTE_MATCHES),
          value: pick(
            next,
            PATHS.filter((path) => !/.\/$/.test(path)),
          ),
        },
        ...(maybe(next, 0.2) ? { method: pick(next, METHODS) } : {}),
        ...(maybe(next, 0.3) ? { headers: [{ name: pick(next, HEADERS), value: pick(next, VALUES) }] } : {}),
        ...(maybe(next, 0.1) ? { queryParams: [{ name: 'q', value: pick(next, VALUES) }] } : {}),
      },
    ],
    backendRefs: [{ name: pick(next, ['server', 'other']), port: 80 }],
  };
}

function httpRoute(next: Random): Body {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      parentRefs: [{ name: 'edge' }],
      hostnames: [pick(next, ['web.example.org', '*.example.org'])],
      rules: [routeRule(next), routeRule(next), routeRule(next)],
    },
  };
}

function serviceEntry(name: string, host: string): Body {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace: 'shop' },
    spec: {
      hosts: [host],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    },
  };
}

const service = (name: string, clusterIP: string): Body => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { clusterIP, selector: { app: name }, ports: [{ name: 'http', port: 80 }] },
});

const deployment = (name: string): Body => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'shop' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image: name }] } },
  },
});

/** Objects of one mesh: routes to outside, routes and policies inside, a gateway. */
export function world(next: Random): Body[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } } },
    serviceEntry('api', HOSTS[0]!),
    serviceEntry('legacy', HOSTS[1]!),
    serviceEntry('site', 'site.example.com'),
    service('server', '10.0.0.1'),
    service('other', '10.0.0.2'),
    deployment('server'),
    deployment('other'),
    virtualService(next),
    policy(next, 'first'),
    ...(maybe(next, 0.5) ? [policy(next, 'second')] : []),
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'edge', namespace: 'shop' },
      spec: {
        gatewayClassName: pick(next, ['istio', 'eg']),
        listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }],
      },
    },
    httpRoute(next),
  ];
}

/** One field of one object changed. */
export function changed(next: Random, given: readonly Body[]): { readonly how: string; readonly objects: Body[] } {
  const objects = structuredClone(given) as Body[];
  const of = (kind: string): Body =>
    pick(
      next,
      objects.filter((one) => one.kind === kind),
    );
  const kind = pick(next, [
    'VirtualService',
    'VirtualService',
    'AuthorizationPolicy',
    'AuthorizationPolicy',
    'HTTPRoute',
    'ServiceEntry',
  ]);
  const object = of(kind);
  if (kind === 'VirtualService') {
    const { http } = object.spec;
    const at = Math.floor(next() * 3);
    const [first] = http[at].match;
    const how = pick(next, [
      'match',
      'swap',
      'destination',
      'path kind',
      'method',
      'header',
      'without',
      'query',
      'rewrite',
      'answer',
    ]);
    if (how === 'match') http[at].match = [match(next)];
    else if (how === 'swap') [http[at], http[(at + 1) % 3]] = [http[(at + 1) % 3], http[at]];
    else if (how === 'destination' && http[at].route) http[at].route = destination(next);
    else if (how === 'path kind' && first.uri) {
      const value = first.uri.prefix ?? first.uri.exact ?? '/a';
      first.uri = first.uri.prefix === undefined ? { prefix: value } : { exact: value };
    } else if (how === 'method') first.method = first.method ? undefined : { exact: pick(next, METHODS) };
    else if (how === 'header') first.headers = first.headers ? undefined : { 'x-t': header(next) };
    else if (how === 'without') first.withoutHeaders = first.withoutHeaders ? undefined : { 'x-u': header(next) };
    else if (how === 'query') first.queryParams = first.queryParams ? undefined : { q: text(next, VALUES, ['a.?']) };
    else if (how === 'rewrite' && http[at].route) http[at].rewrite = http[at].rewrite ? undefined : { uri: '/new' };
    else if (how === 'answer') http[at] = { match: http[at].match, directResponse: { status: 418 } };
    return { how: `VirtualService ${how}`, objects };
  }
  if (kind === 'AuthorizationPolicy') {
    const how = pick(next, ['rule', 'action', 'operation', 'when', 'more']);
    const [first] = object.spec.rules;
    if (how === 'rule') object.spec.rules[0] = policyRule(next);
    else if (how === 'action') object.spec.action = object.spec.action === 'ALLOW' ? 'DENY' : 'ALLOW';
    else if (how === 'operation') first.to = [{ operation: operation(next) }];
    else if (how === 'when') first.when = first.when ? undefined : policyRule(next).when;
    else object.spec.rules.push(policyRule(next));
    return { how: `AuthorizationPolicy ${how}`, objects };
  }
  if (kind === 'HTTPRoute') {
    const how = pick(next, ['rule', 'path kind', 'swap', 'hostname']);
    const { rules } = object.spec;
    const at = Math.floor(next() * 3);
    const { path } = rules[at].matches[0];
    if (how === 'rule') rules[at] = routeRule(next);
    else if (how === 'path kind') path.type = path.type === 'Exact' ? 'PathPrefix' : 'Exact';
    else if (how === 'swap') [rules[at], rules[(at + 1) % 3]] = [rules[(at + 1) % 3], rules[at]];
    else object.spec.hostnames = [pick(next, ['web.example.org', '*.example.org'])];
    return { how: `HTTPRoute ${how}`, objects };
  }
  const how = pick(next, ['host', 'port', 'protocol']);
  if (how === 'host') object.spec.hosts = [`${object.metadata.name}2.example.com`];
  else if (how === 'port') object.spec.ports[0].number = 8080;
  else object.spec.ports[0].protocol = pick(next, ['TCP', 'HTTP', 'HTTP2']);
  return { how: `ServiceEntry ${how}`, objects };
}

export function manifestsOf(objects: readonly Body[]): readonly Manifest[] {
  const folder = mkdtempSync(join(tmpdir(), 'world-'));
  try {
    const file = join(folder, 'world.json');
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    return load([file]).manifests;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function meshOf(objects: readonly Body[]): Mesh {
  return buildMesh(manifestsOf(objects), {});
}

/** Who sends to whom in these meshes. */
export const SENDERS = [
  { client: { from: 'shop/other' }, scheme: 'http', host: 'site.example.com', port: 80 },
  { client: { from: 'shop/other' }, scheme: 'http', host: 'server.shop.svc.cluster.local', port: 80 },
  { client: { from: 'outside', at: 'shop/edge' }, scheme: 'http', host: 'web.example.org', port: 80 },
  { client: { from: 'outside', at: 'shop/edge' }, scheme: 'http', host: '*.example.org', port: 80 },
] as const;

const DENSE_PATHS = [
  ...PATHS, '/b', '/a/x', '/a/x/b', '/abc', '/adminx', '/ADMIN', '/admin/x', '/api/', '/api/v1/b', '/api/x', '/apix', '/v1/b', '/v12/', '/v1', '/x/b', '/x/y/b', '/A', '/new', '/a/b/c',
]; // prettier-ignore
const DENSE_VALUES = [undefined, 'a', 'ab', 'b', 'ac', 'abb', 'zb', 'z'];

/** A request of every kind that conditions of these meshes could tell apart: some at random, since all would be too many. */
export function dense(
  next: Random,
  host: string,
  client: Omit<TraceRequest, 'request'>,
  count: number,
): TraceRequest[] {
  const name = host.startsWith('*') ? `${pick(next, ['any', 'other'])}${host.slice(1)}` : host;
  return Array.from({ length: count }, (_one, index): TraceRequest => {
    const path = DENSE_PATHS[index % DENSE_PATHS.length] as string;
    const q = maybe(next, 0.4) ? pick(next, DENSE_VALUES) : undefined;
    const headers = Object.fromEntries(
      HEADERS.flatMap((one) => {
        const value = maybe(next, 0.5) ? pick(next, DENSE_VALUES) : undefined;
        return value === undefined ? [] : [[one, value]];
      }),
    );
    return {
      ...client,
      request: `http://${name}${path}${q === undefined ? '' : `?q=${q}`}`,
      method: pick(next, [...METHODS, 'PUT']),
      headers,
    };
  });
}
