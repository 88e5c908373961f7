import { isAddress } from '../model/addresses';
import { Asked, AskedHeaders, AskedPath, type Recorder } from './ask';
import type { HttpRequest } from './http-routes';
import type { RequestProblem } from './request-problems';
import type { TraceRequest } from './types';
import { requestProblemText } from './words/requests';

/** A request that cannot be understood: the message says what was given and what would be. */
export class RequestError extends Error {
  public override readonly name = 'RequestError';

  public constructor(public readonly problem: RequestProblem) {
    super(requestProblemText(problem));
  }
}

/** There is no such gateway, or nothing runs it. */
export class NoGateway extends RequestError {}

/** What a client does: whom it dials, what it speaks. */
export interface ParsedRequest {
  readonly scheme: 'http' | 'https' | 'tls' | 'tcp';
  /** Host of the URL, in lower case and without brackets. */
  readonly host: string;
  readonly port: number;
  /** IP that the client dials, if it says so itself. */
  readonly address: string | null;
  readonly sni: string | null;
  /** The same, for what asks about it; undefined where there is none. */
  readonly askedSni: Asked | undefined;
  /** What is said once TLS is off; null for `tls` and `tcp`. */
  readonly http: HttpRequest | null;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, tls: 443 };

export function parseRequest(request: TraceRequest, recorder?: Recorder): ParsedRequest {
  const given = request.request;
  // A name and password before the host are for the server.
  const found = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/?#@\s]*@)?(\[[0-9a-f:.]+\]|[^/?#:@\s]+)(?::(\d+))?([/?#].*)?$/i.exec(
    given,
  );
  const scheme = found?.[1]?.toLowerCase() ?? '';
  if (found === null || !['http', 'https', 'tls', 'tcp', 'grpc', 'grpcs'].includes(scheme))
    throw new RequestError({ is: 'no-request', given });
  const plain = scheme === 'grpc' ? 'http' : scheme === 'grpcs' ? 'https' : (scheme as ParsedRequest['scheme']);
  const host = (found[2] ?? '').toLowerCase().replace(/^\[|\]$/g, '');
  const port = found[3] === undefined ? DEFAULT_PORTS[plain] : Number(found[3]);
  if (port === undefined) throw new RequestError({ is: 'no-port', given });
  if (port < 1 || port > 65535) throw new RequestError({ is: 'no-such-port', given, port });
  if (request.address !== undefined && !isAddress(request.address))
    throw new RequestError({ is: 'no-address', given: request.address });
  const isLiteral = isAddress(host);
  const isHttp = plain === 'http' || plain === 'https';
  const headers = Object.fromEntries(
    Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const { host: hostHeader, ':authority': authority, ...others } = headers;
  const tokens = new Map(Object.entries(request.tokens ?? {}));
  const suffix = port === DEFAULT_PORTS[plain] ? '' : `:${port}`;
  // A name's trailing dot is for DNS; no client puts it in the SNI.
  const name = isLiteral ? null : host.replace(/\.$/, '');
  // What the Host has behind the name.
  const said = authority ?? hostHeader;
  const behind = said?.startsWith(host) === true ? said.slice(host.length) : suffix;
  const sni = plain === 'https' || plain === 'tls' ? (request.sni ?? name) : null;
  return {
    scheme: plain,
    host,
    port,
    address: request.address ?? (isLiteral ? host : null),
    sni,
    askedSni:
      sni === null
        ? undefined
        : request.sni === undefined
          ? Asked.sniOfHost(sni, plain === 'tls' ? `:${port}` : behind, recorder)
          : Asked.sent('sni', '', sni, recorder),
    http: isHttp
      ? {
          authority: Asked.sent(
            'host',
            '',
            authority ?? hostHeader ?? `${host.includes(':') ? `[${host}]` : host}${suffix}`,
            recorder,
          ),
          method: Asked.sent('method', '', (request.method ?? 'GET').toUpperCase(), recorder),
          path: AskedPath.of(found[4]?.replace(/#.*$/, '').replace(/^\?/, '/?') || '/', recorder, tokens),
          scheme: plain === 'https' ? 'https' : 'http',
          headers: AskedHeaders.of(others, recorder, tokens),
        }
      : null,
  };
}
