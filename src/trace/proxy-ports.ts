/**
 * Ports that every Envoy of Istio's listens on by itself, in plain HTTP and on all addresses, whatever it is told (envoy_bootstrap.json of Istio): one says
 * whether the proxy is ready, the other gives its metrics. No rule of a Pod leads these connections elsewhere.
 */
import { hopOf } from './hop';
import { prefix } from './matcher';
import { replied, type Step } from './step';
import type { ProxyRef } from './types';
import { type Flight, noMatch, wire } from './walk';

/** The one path that is served at each, with what is below it. */
const SERVED: ReadonlyMap<number, string> = new Map([
  [15021, '/healthz/ready'],
  [15090, '/stats/prometheus'],
]);

/** What a proxy replies at such a port; undefined at others, and to what is no plain HTTP. */
export function atProxyPort({ port, namedPort, http, layers }: Flight, proxy: ProxyRef): Step | undefined {
  const path = SERVED.get(port);
  if (path === undefined || http === null || layers.length > 0) return undefined;
  const isServed = http.path.wholeIs(prefix(path));
  const hop = hopOf({ proxy, receives: wire('HTTP', namedPort, layers), envoy: noMatch(), decidedBy: [] });
  return replied(hop, {
    code: isServed ? 'direct_response' : 'NR',
    status: isServed ? 200 : 404,
    proxy,
    by: null,
    reason: { kind: 'port-of-the-proxy', port, path, isServed },
  });
}
