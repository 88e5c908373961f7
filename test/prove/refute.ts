/** Tries to break a rule by random requests: what is proved, nothing of these may break. Rules are read here by themselves, as YAML. */
import { parse } from 'yaml';
import type { Mesh } from '../../src/model/mesh';
import { RequestError, trace } from '../../src/trace/index';
import type { Trace, TraceRequest } from '../../src/trace/types';
import { random } from '../traffic/worlds';
import type { Client, World } from './meshes';

type Body = any;

const PATHS = [
  '/',
  '/admin',
  '/admin/x',
  '/adminx',
  '/public',
  '/public/x',
  '/a',
  '/a/b',
  '/aa',
  '/only',
  '/v1/',
  '/v1/admin',
  '/old',
  '/x?q=1',
  '/%61dmin',
  '/ADMIN',
];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'];
const HEADERS: readonly Record<string, string>[] = [
  {},
  {},
  { 'x-team': 'blue' },
  { 'x-team': 'red' },
  { authorization: 'Bearer x' },
  { origin: 'https://a.example', 'access-control-request-method': 'GET' },
];
const TOKENS: readonly TraceRequest['tokens'][] = [
  undefined,
  undefined,
  { 'header authorization Bearer': { iss: 'https://issuer.example', sub: 'a' } },
  { 'header authorization Bearer': { iss: 'https://other.example', sub: 'a' } },
];

const listOf = (value: unknown): Body[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];

function isOne(who: Body, client: Client): boolean {
  const isOutside = client.at !== undefined;
  if (who === 'outside') return isOutside;
  if (isOutside) return false;
  if (who === '*') return true;
  if (typeof who === 'object') {
    if (who.only !== undefined || who.except !== undefined)
      return (
        (who.only === undefined || listOf(who.only).some((one) => isOne(one, client))) &&
        !listOf(who.except).some((one) => isOne(one, client))
      );
    if (who.serviceAccount !== undefined)
      return who.serviceAccount === `${client.namespace}/${client.serviceAccount ?? client.account ?? 'default'}`;
    if (who.labels !== undefined) {
      const labels: Record<string, string> = {
        ...(client.workload === undefined ? {} : { app: client.workload, team: client.namespace }),
        ...client.labels,
      };
      return (
        (who.namespace === undefined || who.namespace === client.namespace) &&
        Object.entries(who.labels).every(([key, value]) => labels[key] === value)
      );
    }
    return who.namespace === client.namespace && (who.workload === undefined || who.workload === client.workload);
  }
  const [namespace, name] = String(who).split('/');
  return namespace === client.namespace && (name === undefined || name === client.workload);
}

const covers = (pattern: string, host: string): boolean =>
  pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === host;

/** Whether a rule is broken by a request, by what the manifests and the trace say. */
export function breaks(rule: Body, client: Client, request: TraceRequest, told: Trace): boolean {
  const body = rule.forbid ?? rule.require;
  if (
    told.outcome !== 'delivered' ||
    !isOne(body.from ?? '*', client) ||
    listOf(body.except).some((one) => isOne(one, client))
  )
    return false;
  const to = body.to === 'outside' ? { outside: true } : body.to === '*' ? {} : body.to;
  const url = new URL(request.request.replace(/^(tcp|tls):/, 'http:'));
  const scheme = request.request.slice(0, request.request.indexOf(':'));
  const port = Number(url.port || (scheme === 'https' ? 443 : 80));
  const hosts = [
    ...listOf(to.hosts),
    ...listOf(to.services).map((one: string) => `${one.split('/')[1]}.${one.split('/')[0]}.svc.cluster.local`),
  ];
  const ends = [url.hostname, told.destination?.host ?? ''];
  if (hosts.length > 0 && !hosts.some((one) => ends.some((host) => covers(one, host)))) return false;
  if (listOf(to.except).some((one) => covers(one, told.destination?.host ?? ''))) return false;
  if (to.ports !== undefined && !listOf(to.ports).map(Number).includes(port)) return false;
  if (to.protocols !== undefined && !listOf(to.protocols).includes(scheme)) return false;
  const isHttp = scheme === 'http' || scheme === 'https';
  if (to.methods !== undefined && isHttp && !listOf(to.methods).includes(request.method ?? 'GET')) return false;
  const path = request.request.slice(request.request.indexOf('/', 8)).split('?')[0] ?? '/';
  const fits = (one: string): boolean => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : path === one);
  if (to.paths !== undefined && isHttp && !listOf(to.paths).some(fits)) return false;
  if (to.outside === true && /\.svc\.cluster\.local$/.test(told.destination?.host ?? '')) return false;
  if (to.cidrs !== undefined) return false; // addresses are tried by themselves
  if (rule.forbid !== undefined) return true;
  const { through, tls, authenticated, identity } = body;
  if (
    through !== undefined &&
    !told.hops.some(({ proxy, decidedBy }) =>
      [
        `${proxy.namespace}/${proxy.workload ?? ''}`,
        ...decidedBy.map((one) => `${one.namespace}/${one.name}`),
      ].includes(through),
    )
  )
    return true;
  const isOut = !/\.svc\.cluster\.local$/.test(told.destination?.host ?? '');
  if ((tls === 'encrypted' || tls === 'verified') && isOut && told.destination?.tls === 'NONE') return true;
  const identities = told.hops.flatMap((hop) => hop.identity ?? []);
  if (identity !== undefined && identities.length === 0) return true;
  const own = client.at === undefined ? told.hops[0]?.identity : undefined;
  return authenticated === true && own === undefined && request.tokens === undefined;
}

/** A random request that breaks a rule, if one does. */
export function refutation(
  world: World,
  mesh: Mesh,
  text: string,
  count: number,
  seed: number,
): TraceRequest | undefined {
  const next = random(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T;
  const rule = parse(text).rules[0];
  for (let at = 0; at < count; at += 1) {
    const { namespace: _, workload, account: __, ...client } = pick(world.clients);
    const scheme = pick(['http', 'http', 'http', 'https', 'tcp', 'tls']);
    const isHttp = scheme.startsWith('http');
    const tokens = isHttp ? pick(TOKENS) : undefined;
    const own = { namespace: _, account: __, ...client, ...(workload === undefined ? {} : { workload }) };
    const request: TraceRequest = {
      ...client,
      request: `${scheme}://${pick(world.hosts)}:${pick(world.ports)}${isHttp ? pick(PATHS) : ''}`,
      ...(isHttp ? { method: pick(METHODS), headers: pick(HEADERS) } : {}),
      ...(tokens === undefined ? {} : { tokens }),
    };
    let told: Trace;
    try {
      told = trace(mesh, request);
    } catch (error) {
      if (error instanceof RequestError) continue;
      throw error;
    }
    if (breaks(rule, own as Client, request, told)) return request;
  }
  return undefined;
}
