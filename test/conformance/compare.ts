/** What `trace` says of what a test asks, against what the test expects. */
import { acceptedMesh } from '../../src/check/accepted';
import { record, text } from '../../src/model/fields';
import type { Mesh } from '../../src/model/mesh';
import { RequestError, trace, type Trace, type TraceRequest } from '../../src/trace';
import { readsOf, type UpstreamAsk, type UpstreamExpected } from './asks';
import type { UpstreamTest } from './source';
import { worldOf, type Implementation } from './worlds';

export interface Compared {
  readonly test: string;
  readonly line: number;
  readonly request: TraceRequest;
  readonly expected: UpstreamExpected;
  readonly told: Trace | undefined;
  /** One difference in a sentence; undefined where they agree. */
  readonly difference: string | undefined;
}

export interface Unread {
  readonly test: string;
  readonly line: number;
  readonly unread: string;
}

/** Stands for the address of a Gateway. */
const ADDRESS = '192.0.2.10';

export function compareTest(test: UpstreamTest, implementation: Implementation): readonly (Compared | Unread)[] {
  const reads = readsOf(test);
  if (reads.length === 0) return [];
  const mesh = acceptedMesh(worldOf(test, implementation).manifests, implementation.options);
  return reads.map((read) => {
    if ('unread' in read) return { test: test.name, line: read.line, unread: read.unread };
    const request = requestOf(mesh, read.ask);
    const told = ask(mesh, request);
    const difference = typeof told === 'string' ? told : differenceOf(read.expected, told, request);
    return { test: test.name, line: read.line, request, expected: read.expected, told: typeof told === 'string' ? undefined : told, difference }; // prettier-ignore
  });
}

function ask(mesh: Mesh, request: TraceRequest): Trace | string {
  try {
    return trace(mesh, request);
  } catch (error) {
    if (error instanceof RequestError) return error.message;
    throw error;
  }
}

function requestOf(mesh: Mesh, { entry, scheme, host, path, method, headers, sni }: UpstreamAsk): TraceRequest {
  const isHttp = scheme === 'http' || scheme === 'https';
  const more = { method, headers, ...(sni === undefined ? {} : { sni }) };
  if (!('gateway' in entry)) {
    const { namespace, name } = entry.from;
    return { from: `${namespace}/${name}`, request: `${scheme}://${host}${path}`, method, headers };
  }
  const { namespace, name } = entry.gateway;
  const usual = scheme === 'http' ? 80 : 443;
  const listeners = mesh.gatewayApi.gateways.find(({ config }) => config.namespace === namespace && config.name === name)?.listeners ?? []; // prettier-ignore
  const listener = listeners.find((one) => one.name === entry.listener) ?? listeners[0];
  const port = entry.port === 0 ? usual : (entry.port ?? listener?.port ?? usual);
  const dialled = host === '' || scheme === 'tcp' ? ADDRESS : host.replace(/:\d+$/, '');
  return {
    from: 'outside',
    at: `${namespace}/${name}`,
    request: `${scheme}://${dialled}:${port}${isHttp ? path : ''}`,
    ...(isHttp ? { ...more, headers: { ...headers, ...(/:\d+$/.test(host) ? { host } : {}) } } : sni === undefined ? {} : { sni }), // prettier-ignore
  };
}

export function differenceOf(wanted: UpstreamExpected, told: Trace, asked: TraceRequest): string | undefined {
  const { outcome } = told;
  if (outcome === 'unknown') return `unknown: ${told.notes.at(-1) ?? ''}`;
  const { statuses } = wanted;
  if (outcome === 'refused') {
    const status = told.refusal?.status ?? null;
    const agrees = statuses.length === 0 || (status !== null && statuses.includes(status));
    return agrees ? undefined : `wanted ${wordsOf(wanted)}, refused with ${status ?? 'nothing'}: ${told.refusal?.what ?? ''}`; // prettier-ignore
  }
  if (outcome === 'answered') {
    const status = told.answer?.status ?? 0;
    // A preflight is 200 or 204 by the tests.
    if (!statuses.includes(status)) return `wanted ${wordsOf(wanted)}, answered ${status}: ${told.answer?.what ?? ''}`;
    return wanted.redirect === undefined ? undefined : redirectDifference(record(wanted.redirect), told, asked);
  }
  if (!statuses.includes(200) && !(statuses.length > 0 && wanted.backend !== '')) return `wanted ${wordsOf(wanted)}, delivered to ${where(told)}${notesOf(told)}`; // prettier-ignore
  if (!reaches(wanted, told)) return `wanted ${wordsOf(wanted)}, delivered to ${where(told)}${notesOf(told)}`;
  return changeDifference(wanted, told) ?? mirrorDifference(wanted, told);
}

const wordsOf = ({ statuses, namespace, backend }: UpstreamExpected): string =>
  `${statuses.length === 0 ? 'no answer' : statuses.join(' or ')}${backend === '' && namespace === '' ? '' : ` of ${namespace}/${backend}`}`; // prettier-ignore

const notesOf = ({ notes }: Trace): string => (notes.length === 0 ? '' : ` [${notes.join('; ')}]`);

const where = ({ destination, hops }: Trace): string =>
  `${destination?.host ?? ''}:${destination?.port ?? ''} (${hops.map(({ cluster }) => cluster ?? '').join(' > ')})`;

/** All that may answer: where a request goes, and where else its weights may lead it. */
function reaches({ backend, namespace }: UpstreamExpected, { destination, hops, notes }: Trace): boolean {
  const last = [...hops].reverse().find(({ sends }) => sends !== null);
  const ways = [destination?.host ?? '', ...hops.flatMap(({ alternatives, cluster, envoy }) => [cluster ?? '', ...envoy.endpoints, ...alternatives.map((one) => one.cluster)]), JSON.stringify(last?.decidedBy ?? []), ...notes]; // prettier-ignore
  return (backend === '' || ways.some((way) => way.includes(backend))) && (namespace === '' || ways.some((way) => way.includes(namespace))); // prettier-ignore
}

function redirectDifference(wanted: ReturnType<typeof record>, told: Trace, asked: TraceRequest): string | undefined {
  const location = told.answer?.location ?? '';
  const found = /^(\w+):\/\/([^/:]+)(?::(\d+))?(\/[^?]*)?/.exec(location);
  if (found === null) return `redirects to ${location || 'nobody knows where'}`;
  const [, scheme = '', host = '', port = '', path = ''] = found;
  const request = /^(\w+):\/\/[^/]*(\/[^?]*)?/.exec(asked.request);
  const usual = scheme === 'https' ? '443' : '80';
  const wishes: readonly (readonly [string, string, string])[] = [
    ['scheme', text(wanted.Scheme) || (request?.[1] ?? ''), scheme],
    ['host', text(wanted.Host) || host, host],
    ['path', text(wanted.Path) || (request?.[2] ?? ''), path],
    ['port', text(wanted.Port) || usual, port || (text(wanted.Port) === '' ? usual : '')],
  ];
  const wrong = wishes.filter(([, wish, found]) => wish !== found).map(([what, wish, found]) => `${what} ${wish}, not ${found}`); // prettier-ignore
  return wrong.length === 0 ? undefined : `wanted a redirect with ${wrong.join(', ')} (${location})`;
}

function changeDifference({ arrives }: UpstreamExpected, { hops }: Trace): string | undefined {
  const asks = hops.find((hop) => hop.asks !== undefined)?.asks;
  if (asks === undefined) return undefined;
  const [path] = asks.path.split('?');
  if (arrives.path !== undefined && arrives.path.split('?')[0] !== path) return `wanted path ${arrives.path}, asks for ${asks.path}`; // prettier-ignore
  return arrives.host !== undefined && arrives.host !== asks.authority ? `wanted host ${arrives.host}, asks for ${asks.authority}` : undefined; // prettier-ignore
}

function mirrorDifference({ mirrors }: UpstreamExpected, { hops }: Trace): string | undefined {
  const copies = hops.flatMap((hop) => hop.copies ?? []).length;
  return copies === mirrors.length ? undefined : `wanted ${mirrors.length} copies, makes ${copies}`;
}
