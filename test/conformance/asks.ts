/** What a test asks, and what it expects: read from the helpers that it calls. */
import { record, text, texts, type Json } from '../../src/model/fields';
import { isUnknown, type Call, type UpstreamTest } from './source';

export interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** Where a request enters: at a Gateway, by a port or by that of a listener; or from an application of the mesh. */
export type Entry =
  { readonly gateway: Named; readonly port?: number; readonly listener?: string } | { readonly from: Named };

export interface UpstreamAsk {
  readonly entry: Entry;
  readonly scheme: 'http' | 'https' | 'tls' | 'tcp';
  /** Empty: the address of the Gateway. */
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sni?: string;
}

export interface UpstreamExpected {
  /** What the answer's status is one of; empty: the connection fails. */
  readonly statuses: readonly number[];
  /** How the name of the answering Pod begins, and its namespace; empty where the test does not look. */
  readonly backend: string;
  readonly namespace: string;
  /** What of a redirect is looked at. */
  readonly redirect?: Json;
  /** What arrives, where it is not what was asked. */
  readonly arrives: { readonly host?: string; readonly path?: string };
  readonly mirrors: readonly Named[];
}

export type Read =
  | { readonly line: number; readonly ask: UpstreamAsk; readonly expected: UpstreamExpected }
  | { readonly line: number; readonly unread: string };

const NAMED = /^(?:\w+)\.(MakeRequestAndExpectEventuallyConsistentResponse|MakeRequestAndExpectFailure|MakeTLSRequestAndExpectEventuallyConsistentResponse|MakeTLSRequestAndExpectFailureResponse|MakeTLSConnectionAndExpectEventuallyConnectionRejection|MakeTCPRequestAndExpectEventuallyValidResponse)$/; // prettier-ignore

/** Other helpers that ask something, in ways that are not read. */
const ASKS_OTHERWISE =
  /^(?:udp|tcp|websocket)\.|CaptureRoundTrip$|\.SendRPC$|RequestBatch$|CaptureRequestResponseAndCompare$/;

/** What a test changes while it runs: what it asks then is not of its manifests. */
export const CHANGES = /(?:Client|client|c)\.(?:Patch|Update|Delete|Create)$|MustApply|Applier/;

export function readsOf(test: UpstreamTest): readonly Read[] {
  const found = new Map<string, Read>();
  const compares = test.calls.some(({ call }) => COMPARED.test(call));
  let changed = false;
  for (const given of test.calls) {
    changed ||= CHANGES.test(given.call);
    const call = COMPARED.test(given.call) ? sent(given) : given;
    const named = NAMED.exec(call.call)?.[1];
    const read = (): Read | undefined => {
      if (named === undefined && !ASKS_OTHERWISE.test(call.call)) return undefined;
      if (named === undefined) return compares && call.call.endsWith('CaptureRoundTrip') ? undefined : { line: call.line, unread: `by ${call.call}` }; // prettier-ignore
      return changed ? { line: call.line, unread: 'the test changes objects before' } : readOf(named, call);
    };
    const one = read();
    // What a test repeats is asked once.
    if (one !== undefined) found.set(JSON.stringify(one), one);
  }
  return [...found.values()];
}

/** Helpers that compare an answer to a request which another one made. */
const COMPARED = /\.CompareRoundTrip$|^GotExactExpectedResponse$/;

/** The same as a request that is made and compared at once. */
function sent(call: Call): Call {
  const [request, response] = call.call === 'GotExactExpectedResponse' ? call.args.slice(3, 5) : [call.args[1], call.args[4]]; // prettier-ignore
  const made = record(request);
  const [, asked, address, , scheme] = Array.isArray(made.args) && /\.MakeRequest$/.test(text(made.call)) ? (made.args as readonly unknown[]) : []; // prettier-ignore
  const whole = isUnknown(response) || isUnknown(asked) ? response : { ...record(response), Request: record(asked).Request }; // prettier-ignore
  return {
    ...call,
    call: `http.Make${scheme === 'https' ? 'TLS' : ''}RequestAndExpectEventuallyConsistentResponse`,
    args: [address, whole],
  };
}

function readOf(named: string, call: Call): Read {
  const { line, args } = call;
  const isMesh = !/^(?:http|httputils|h|tls|tcp|grpc|h_utils)\./.test(call.call);
  const entry = isMesh ? applicationOf(call.on) : gatewayOf(args.map(addressOf).find((one) => one !== undefined));
  if (entry === undefined) return { line, unread: 'where it enters is not known' };
  if (named === 'MakeTLSConnectionAndExpectEventuallyConnectionRejection') {
    const sni = args[3];
    if (typeof sni !== 'string') return { line, unread: 'the SNI is not known' };
    return { line, ask: { ...PLAIN, entry, scheme: 'tls', host: sni, sni }, expected: CLOSED };
  }
  if (named === 'MakeTCPRequestAndExpectEventuallyValidResponse') {
    const [, , , , sni, isTls, response] = args;
    if (typeof sni !== 'string' || typeof isTls !== 'boolean') return { line, unread: 'the SNI is not known' };
    const { Backend: backend, Namespace: namespace } = record(response);
    return {
      line,
      ask: { ...PLAIN, entry, scheme: isTls ? 'tls' : 'tcp', host: sni, ...(isTls ? { sni } : {}) },
      expected: { ...CLOSED, statuses: [200], backend: text(backend), namespace: text(namespace) },
    };
  }
  const response = record(isMesh ? args[1] : args.at(-1));
  if (isUnknown(response) || response.type === undefined) return { line, unread: 'what is asked is not known' };
  if (call.call.startsWith('grpc.')) return { line, ...grpcOf(entry, response) };
  return httpOf(line, named, entry, response, typeof args[7] === 'string' ? args[7] : undefined, isMesh);
}

const PLAIN = { path: '/', method: 'GET', headers: {} };
const CLOSED: UpstreamExpected = { statuses: [], backend: '', namespace: '', arrives: {}, mirrors: [] };

function headersOf(given: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(record(given)).filter(([name]) => name !== 'type');
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** A field that is empty where it is not written, and undefined where nobody knows it. */
function field(of: Json, name: string): string | undefined {
  return isUnknown(of[name]) ? undefined : text(of[name]);
}

function httpOf(
  line: number,
  named: string,
  entry: Entry,
  response: Json,
  serverName: string | undefined,
  isMesh: boolean,
): Read {
  // prettier-ignore
  const request = record(response.Request);
  const [host, path, method] = [field(request, 'Host'), field(request, 'Path'), field(request, 'Method')];
  if (host === undefined || path === undefined || method === undefined)
    return { line, unread: 'a part of the request is not known' };
  if (Object.entries(record(request.Headers)).some(([, value]) => isUnknown(value)))
    return { line, unread: 'a header is not known' };
  const isTls = named.includes('TLS');
  const { StatusCode: one, StatusCodes: many } = record(response.Response);
  const statuses = [...(typeof one === 'number' && one !== 0 ? [one] : []), ...(Array.isArray(many) ? many.map(Number) : [])]; // prettier-ignore
  if (Number.isNaN(statuses[0] ?? 0)) return { line, unread: 'the status is not known' };
  const fails = named.includes('Failure');
  const arriving = record(response.ExpectedRequest);
  const wanted = { ...record(arriving.Request), ...arriving };
  const isGrpc = request.Protocol === 'grpc';
  const sent = Object.fromEntries(Object.entries(headersOf(request.Headers)).filter(([name]) => name !== 'host'));
  return {
    line,
    ask: {
      entry,
      scheme: isTls || text(request.Protocol).toLowerCase() === 'https' ? 'https' : 'http',
      host: host || (isMesh ? 'echo' : ''),
      path: path || '/',
      method: isGrpc ? 'POST' : method || 'GET',
      headers: sent,
      ...(serverName === undefined || serverName === '' ? {} : { sni: serverName }),
    },
    expected: {
      statuses: fails ? [] : statuses.length === 0 || isGrpc ? [200] : statuses,
      backend: isUnknown(response.Backend) ? '' : text(response.Backend),
      namespace: isUnknown(response.Namespace) ? '' : text(response.Namespace),
      ...(response.RedirectRequest === undefined ? {} : { redirect: record(response.RedirectRequest) }),
      arrives: {
        ...(typeof wanted.Host === 'string' && wanted.Host !== '' ? { host: wanted.Host } : {}),
        ...(typeof wanted.Path === 'string' && wanted.Path !== '' ? { path: wanted.Path } : {}),
      },
      mirrors: (Array.isArray(response.MirroredTo) ? response.MirroredTo : []).map((each) => {
        const ref = record(record(each).BackendRef);
        return { namespace: text(ref.Namespace), name: text(ref.Name) };
      }),
    },
  };
}

const SERVICE = 'gateway_api_conformance.echo_basic.grpcecho.GrpcEcho';

function grpcOf(entry: Entry, response: Json): { readonly ask: UpstreamAsk; readonly expected: UpstreamExpected } {
  const method = ['EchoRequest', 'EchoTwoRequest', 'EchoThreeRequest'].find((name) => response[name] !== undefined);
  const metadata = record(response.RequestMetadata);
  const code = text(record(record(response.Response).Code).unknown);
  return {
    ask: {
      entry,
      scheme: 'http',
      host: text(metadata.Authority),
      path: `/${SERVICE}/${(method ?? 'EchoRequest').replace(/Request$/, '')}`,
      method: 'POST',
      headers: { 'content-type': 'application/grpc', ...headersOf(metadata.Metadata) },
    },
    // Envoy answers 404 and the like as UNIMPLEMENTED, and what it cannot deliver as UNAVAILABLE.
    expected: {
      ...CLOSED,
      statuses: code.endsWith('Unimplemented') ? [404] : code.endsWith('Unavailable') ? [500, 503] : [200],
      backend: text(response.Backend),
      namespace: text(response.Namespace),
    },
  };
}

/** The value that is the address of a Gateway, or undefined where this is none. */
function addressOf(value: unknown): Json | undefined {
  const { call } = record(value);
  return typeof call === 'string' && /MustBeAccepted$|WaitForGatewayAddress$|JoinHostPort$|Sprintf$|AndRoutes/i.test(call) ? record(value) : undefined; // prettier-ignore
}

function gatewayOf(address: Json | undefined): Entry | undefined {
  if (address === undefined) return undefined;
  const args = Array.isArray(address.args) ? (address.args as readonly unknown[]) : [];
  const call = text(address.call);
  if (call === 'net.JoinHostPort' || call === 'fmt.Sprintf') {
    const port = Number(args.map((one) => /(\d+)$/.exec(String(one))?.[1]).find((one) => one !== undefined));
    const inner = args.map(innerAddress).find((one) => one !== undefined);
    return inner === undefined || Number.isNaN(port) || !('gateway' in inner) ? undefined : { gateway: inner.gateway, port }; // prettier-ignore
  }
  const ref = args.map(record).find((one) => /NewGatewayRef$/.test(text(one.call)) || one.NamespacedName !== undefined || one.type === 'types.NamespacedName'); // prettier-ignore
  const [gateway, ...listeners] = Array.isArray(ref?.args) ? (ref.args as readonly unknown[]) : [ref?.NamespacedName ?? ref]; // prettier-ignore
  const { Name: name, Namespace: namespace } = record(gateway);
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined;
  // Without a port of its own the scheme's is dialled.
  if (/GatewayAndRoutesMustBeAccepted$/.test(call) && args[6] === false) return { gateway: { namespace, name }, port: 0 }; // prettier-ignore
  return { gateway: { namespace, name }, ...(texts(listeners)[0] === undefined ? {} : { listener: texts(listeners)[0] }) }; // prettier-ignore
}

/** The Gateway of an address that another helper has taken apart. */
function innerAddress(value: unknown): Entry | undefined {
  const { call, args } = record(value);
  if (call === undefined) return undefined;
  if (/SplitHostPort$/.test(text(call))) return gatewayOf(addressOf((args as readonly unknown[])[0]));
  return gatewayOf(addressOf(value));
}

function applicationOf(on: unknown): Entry | undefined {
  const { call, args } = record(on);
  if (!/ConnectToApp/.test(text(call))) return undefined;
  const [, , labels, namespace] = args as readonly unknown[];
  const version = /version=(\w+)/.exec(text(labels))?.[1];
  return { from: { namespace: text(namespace) || 'gateway-conformance-mesh', name: `echo-${version ?? 'v1'}` } };
}
