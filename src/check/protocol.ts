/** Istio's protocol names, as it reads them from ports: case does not matter. */

const HTTP = new Set(['http', 'http2', 'http_proxy', 'grpc', 'grpc-web']);
const TLS = new Set(['https', 'tls']);
const TCP = new Set(['tcp', 'mongo', 'redis', 'mysql', 'https', 'tls']);

export function isKnownProtocol(protocol: string): boolean {
  const name = protocol.toLowerCase();
  return HTTP.has(name) || TCP.has(name) || name === 'udp';
}

export function isHttp(protocol: string | undefined): boolean {
  return HTTP.has((protocol ?? '').toLowerCase());
}

export function isTls(protocol: string | undefined): boolean {
  return TLS.has((protocol ?? '').toLowerCase());
}

/** Neither HTTP nor TLS: nothing in it names the host that it is for. An unset protocol is TCP here. */
export function isPlainTcp(protocol: string | undefined): boolean {
  const name = (protocol ?? '').toLowerCase();
  return name === '' || (TCP.has(name) && !TLS.has(name));
}
