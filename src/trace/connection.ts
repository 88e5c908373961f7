/** One connection at one proxy: TLS taken off if the filter chain does so, then a route or a TCP proxy. */
import type { TcpTarget } from './envoy';
import { type AtListener, type Incoming, hopOf, brokenStatus, protocolOf, ruleDecision } from './hop';
import { pastFilters } from './filters';
import { handshake, strangers } from './handshake';
import { assumption } from './notes';
import type { Reason } from './reasons';
import { throughRoutes } from './routing';
import { refused, unknown, type Step } from './step';
import type { Decision } from './types';
import { type TlsLayer, type Walk, decisions, outermost, wire } from './walk';

/** Envoy's view of one connection: TLS taken off if the chain does so, then a route or a TCP proxy. */
export function through(walk: Walk, at: AtListener): Step {
  const { flight, proxy, plane, listener, chain } = at;
  const outer = outermost(flight.layers);
  const terminates = chain?.terminates ?? null;
  const receivedTls =
    terminates === null || outer === undefined
      ? wire(chain?.routeConfig != null ? 'HTTP' : protocolOf(flight), flight.namedPort, flight.layers)
      : {
          ...wire(chain?.routeConfig != null ? 'HTTP' : 'TCP', flight.namedPort, flight.layers),
          tls:
            outer.kind === 'APPLICATION'
              ? terminates.mode === 'MUTUAL'
                ? ('MUTUAL' as const)
                : ('SIMPLE' as const)
              : outer.kind,
        };
  const incoming: Incoming = {
    proxy,
    receives: at.receives ?? receivedTls,
    envoy: {
      listener: listener.name,
      filterChain: chain?.name ?? null,
      routeConfig: chain?.routeConfig ?? null,
      virtualHost: null,
      endpoints: [],
      tunnel: null,
    },
    decidedBy: chain?.decidedBy ?? [],
  };
  // A TCP proxy picks its cluster as soon as it has the connection, before any handshake: Envoy logs it whatever comes of that.
  const tcp = chain?.tcp ?? null;
  const first = tcp === null ? undefined : walk.choose(tcp.clusters);
  const picked = { route: tcp?.route ?? null, cluster: first?.name ?? first?.cluster ?? null };
  const refuse = (code: string, reason: Reason, by?: Decision): Step => {
    // What it cannot read it does not answer; a proxy before it may.
    const status = brokenStatus(flight);
    return refused(hopOf(incoming, picked), { code, status, proxy, by: by ?? chain?.decidedBy[0] ?? null, reason });
  };
  if (chain === null) {
    const { reason, by } = plane.noChain(listener, outer);
    return refuse('NR', reason, by ?? undefined);
  }
  const shaken = terminates === null ? 'done' : handshake(terminates.mode, outer);
  if (terminates !== null && shaken === 'plain-text') return refuse('UF', plane.noTls(chain, terminates.mode));
  const withheld = plane.keyWithheld(chain);
  if (withheld !== undefined) return refuse('UF', withheld.reason, withheld.by ?? undefined);
  if (terminates !== null && outer !== undefined && shaken === 'other-tls')
    return refuse('UF', { kind: 'tls-mode-mismatch', server: terminates.mode, sender: outer.kind });
  const stranger =
    terminates === null || plane.byEnvoyGateway ? undefined : strangers(walk.mesh, flight, { isGateway: true });
  if (stranger !== undefined) return refuse('UF', stranger);
  const { openBefore, demandedBy, unusable } = chain;
  if (openBefore !== undefined)
    return unknown(hopOf(incoming, { ...picked, decidedBy: decisions(openBefore.by) }), openBefore.why);
  if (shaken === 'no-certificate') {
    const asks = plane.byEnvoyGateway ? 'listener' : 'server';
    return refuse('UF', { kind: 'client-certificate-missing', asks, port: flight.port }, demandedBy);
  }
  if (shaken === 'certificate-assumed')
    walk.note(assumption({ kind: 'client-certificate', namespace: proxy.namespace, workload: proxy.workload }));
  if (unusable !== undefined) return refuse(unusable.code, unusable.reason, unusable.by);
  const inner = terminates === null ? flight.layers : flight.layers.slice(0, -1);
  if (chain.routeConfig !== null) {
    if (inner.length > 0 || flight.http === null) {
      const got = inner.length > 0 ? 'TLS' : 'other';
      return refuse('DPE', { kind: 'http-expected', got, byEnvoyGateway: plane.byEnvoyGateway });
    }
    const rules = at.routeConfig(chain.routeConfig);
    const read = plane.reads(incoming, flight.http);
    if (read.held !== undefined) return read.held;
    const http = read.http ?? flight.http;
    return throughRoutes(walk, { ...at, flight: { ...flight, http } }, incoming, rules, http);
  }
  const filtered = { walk, incoming, flight, sni: at.sni === undefined ? (outer?.sni ?? null) : at.sni, terminated: terminates !== null }; // prettier-ignore
  const past = pastFilters(filtered, at.filters, null, () => picked);
  // Authorization of TCP looks at the first bytes; a cluster without endpoints has closed the connection by then.
  if (past.held !== undefined && (picked.cluster === null || !plane.isDeadEnd(picked.cluster))) return past.held;
  return throughTcp(walk, at, incoming, chain.tcp, inner);
}

function throughTcp(
  walk: Walk,
  at: AtListener,
  incoming: Incoming,
  target: TcpTarget | null,
  inner: readonly TlsLayer[],
): Step {
  const chosen = target === null ? undefined : walk.choose(target.clusters);
  if (target === null || chosen === undefined) {
    return refused(hopOf(incoming), {
      code: 'NC',
      status: null,
      proxy: at.proxy,
      by: incoming.decidedBy[0] ?? null,
      reason: { kind: 'no-destination', readsHttp: false },
    });
  }
  const alternatives = at.plane.sharesOf(target, chosen);
  return at.plane.send(
    {
      incoming: {
        ...incoming,
        decidedBy: decisions(ruleDecision(target.route), ...incoming.decidedBy, ...target.decidedBy),
      },
      route: target.route,
      alternatives,
      ...(alternatives.length > 0 ? { weight: chosen.weight } : {}),
      inner,
      http: null,
      gatewayApi: false,
      tunnel: target.tunnel,
    },
    chosen,
    target,
  );
}
