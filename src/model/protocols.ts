/** Protocols of ports as Istio reads them, from `protocol` of its own objects and from names of Service ports. */

import { entry } from './fields';
export type Protocol =
  | 'HTTP'
  | 'HTTP_PROXY'
  | 'HTTP2'
  | 'GRPC'
  | 'GRPC-Web'
  | 'HTTPS'
  | 'TLS'
  | 'TCP'
  | 'UDP'
  | 'Mongo'
  | 'Redis'
  | 'MySQL'
  /** Not declared: the proxy looks at the first bytes. */
  | 'AUTO';

const BY_NAME: Readonly<Record<string, Protocol>> = {
  tcp: 'TCP',
  udp: 'UDP',
  grpc: 'GRPC',
  'grpc-web': 'GRPC-Web',
  http: 'HTTP',
  http_proxy: 'HTTP_PROXY',
  http2: 'HTTP2',
  https: 'HTTPS',
  tls: 'TLS',
  mongo: 'Mongo',
  redis: 'Redis',
  mysql: 'MySQL',
};

/** Server-first protocols live on these ports: an unnamed port among them is TCP, never sniffed. */
const WELL_KNOWN_TCP = new Set([25, 53, 3306, 27017]);

export function parseProtocol(name: unknown): Protocol {
  return (typeof name === 'string' ? entry(BY_NAME, name.toLowerCase()) : undefined) ?? 'AUTO';
}

export function servicePortProtocol(port: {
  port?: unknown;
  name?: unknown;
  protocol?: unknown;
  appProtocol?: unknown;
}): Protocol {
  if (port.protocol === 'UDP') return 'UDP';
  let name = typeof port.name === 'string' ? port.name : '';
  if (typeof port.appProtocol === 'string') {
    name = port.appProtocol;
    if (name === 'kubernetes.io/h2c') return 'HTTP2';
    if (name === 'kubernetes.io/ws') return 'HTTP';
    if (name === 'kubernetes.io/wss') return 'HTTPS';
  }
  if (name.toLowerCase().startsWith('grpc-web')) return 'GRPC-Web';
  const dash = name.indexOf('-');
  const protocol = parseProtocol(dash >= 0 ? name.slice(0, dash) : name);
  return protocol === 'AUTO' && WELL_KNOWN_TCP.has(Number(port.port)) ? 'TCP' : protocol;
}

export function isHttp(protocol: Protocol): boolean {
  return (
    protocol === 'HTTP' ||
    protocol === 'HTTP2' ||
    protocol === 'HTTP_PROXY' ||
    protocol === 'GRPC' ||
    protocol === 'GRPC-Web'
  );
}

/** HTTP, or possibly HTTP once the proxy has looked. */
export function isHttpOrAuto(protocol: Protocol): boolean {
  return isHttp(protocol) || protocol === 'AUTO';
}

export function isTls(protocol: Protocol): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS';
}

export function isTcp(protocol: Protocol): boolean {
  return isTls(protocol) || protocol === 'TCP' || protocol === 'Mongo' || protocol === 'Redis' || protocol === 'MySQL';
}
