/** The sidecar of who serves: Istio's inbound listener. */
import type { Proxy } from '../model/mesh';
import { proxySettings } from '../model/proxy-config';
import { type Workload, shownName } from '../model/workloads';
import { delivered } from './arrive';
import { type Incoming, hopOf, brokenStatus, protocolOf } from './hop';
import { BEFORE_SIDECARS, noConnect, pastFilters, pathRead, workloadFilters } from './filters';
import { handshake, strangers } from './handshake';
import { inboundChain, ingressListener } from './inbound';
import { exact } from './matcher';
import { assumption, gap } from './notes';
import type { Reason } from './reasons';
import { refused, step, unknown, type Behind, type Step } from './step';
import type { Decision, ProxyRef, Refused } from './types';
import { type Flight, type Walk, connectionOf, decisions, outermost, wire, noMatch } from './walk';

/** Where a sidecar sends from what it takes for its Pod (pilot/pkg/networking/core/listener_inbound.go, InboundPassthroughBindIpv4). */
const SIDECAR_ADDRESS = '127.0.0.6';

/** With who has made the connection what it is: a proxy of the mesh, by its DestinationRule or for want of one, or the client itself. */
function asSent(reason: Reason, { sentBy, layers }: Flight): Reason {
  if (reason.kind !== 'mutual-tls-expected' && reason.kind !== 'declared-otherwise') return reason;
  const outer = outermost(layers);
  if (sentBy === null || outer?.kind === 'APPLICATION') return reason;
  return { ...reason, byProxy: true, ...(outer?.policy === undefined ? {} : { policy: outer.policy }) };
}

/** A connection at the sidecar of the workload that serves it; `unserved` where the workload does not. */
export function throughServer(
  walk: Walk,
  flight: Flight,
  workload: Workload,
  unserved?: Pick<Refused, 'reason' | 'by'>,
  behind?: Behind,
): Step {
  const { mesh } = walk;
  const proxy: ProxyRef = { kind: 'sidecar', namespace: workload.namespace, workload: shownName(workload) };
  const self: Proxy = {
    type: 'sidecar',
    namespace: workload.namespace,
    labels: workload.labels,
    addresses: workload.addresses,
  };
  if (ingressListener(mesh, self, flight.port)?.binds === true && proxySettings(mesh, workload).interception !== 'NONE')
    return unknown(
      undefined,
      gap({ kind: 'ingress-listener-and-redirection', namespace: workload.namespace, workload: workload.name, port: flight.port }), // prettier-ignore
    );
  const chain = inboundChain(mesh, self, flight.port, connectionOf(flight));
  const by: Decision | undefined =
    chain.tls.config === undefined
      ? undefined
      : {
          kind: chain.tls.config.kind,
          namespace: chain.tls.config.namespace,
          name: chain.tls.config.name,
          field: chain.tls.field,
        };
  const inner = chain.is === 'accepted' && chain.terminates ? flight.layers.slice(0, -1) : flight.layers;
  // On a port that no Service declares, only plain text is looked into.
  const looks = unserved === undefined || flight.layers.length === 0;
  const readsHttp = looks && chain.is === 'accepted' && chain.http && flight.http !== null && inner.length === 0;
  const incoming: Incoming = {
    proxy,
    receives: wire(
      readsHttp ? 'HTTP' : chain.is === 'accepted' && chain.terminates ? 'TCP' : protocolOf(flight),
      flight.port,
      flight.layers,
    ),
    envoy: { ...noMatch(), listener: 'virtualInbound' },
    decidedBy: decisions(by),
  };
  if (chain.is === 'refused') {
    return refused(hopOf(incoming, { cluster: chain.cluster }), {
      code: chain.code,
      status: brokenStatus(flight, incoming.receives),
      proxy,
      by: by ?? null,
      reason: asSent(chain.reason, flight),
    });
  }
  const logged = { route: null, cluster: chain.cluster };
  const shown = outermost(flight.layers);
  const shaken = chain.demandsCertificate ? handshake('MUTUAL', shown) : 'done';
  if (shaken === 'no-certificate')
    return refused(hopOf(incoming, logged), {
      code: 'UF',
      status: brokenStatus(flight),
      proxy,
      by: by ?? null,
      reason: { kind: 'client-certificate-missing', asks: 'sidecar-ingress', port: flight.port },
    });
  const stranger = chain.terminates ? strangers(mesh, flight, { isGateway: false }) : undefined;
  if (stranger !== undefined)
    return refused(hopOf(incoming, logged), {
      code: 'UF',
      status: brokenStatus(flight),
      proxy,
      by: null,
      reason: stranger,
    });
  if (shaken === 'certificate-assumed')
    walk.note(assumption({ kind: 'client-certificate', namespace: proxy.namespace, workload: proxy.workload }));
  const closed = unserved && { code: 'UF', status: brokenStatus(flight, incoming.receives), proxy, ...unserved };
  // Authorization of TCP looks at the first bytes; where nobody listens, the connection is closed by then.
  if (closed !== undefined && !readsHttp) return refused(hopOf(incoming, logged), closed);
  const at = { walk, incoming, flight, sni: shown?.sni ?? null, terminated: chain.terminates };
  const read = pathRead(mesh, incoming, readsHttp ? flight.http : null);
  if (read.held !== undefined) return read.held;
  const past = pastFilters(at, workloadFilters(mesh, workload, BEFORE_SIDECARS), read.http, () => logged);
  if (past.held !== undefined) return past.held;
  if (closed !== undefined) return refused(hopOf(incoming, logged), closed);
  if (readsHttp && flight.http?.method.is(exact('CONNECT')) === true) {
    const status = flight.tunnelled === undefined ? 404 : brokenStatus(flight);
    return refused(hopOf(incoming), noConnect(proxy, flight.http.authority.name, status));
  }
  const outer = outermost(inner);
  const hop = hopOf(incoming, {
    cluster: chain.cluster,
    sends: wire(readsHttp ? 'HTTP' : inner.length > 0 ? 'TLS' : 'TCP', chain.servedAt, inner),
  });
  if (behind === undefined) return step(hop, delivered(flight, outer));
  // The proxy behind the sidecar is dialled from an address of the sidecar's own.
  const from = { ...flight.from, address: SIDECAR_ADDRESS };
  const passed = { ...flight, from, layers: inner, http: past.http ?? flight.http, port: behind.port };
  return step(hop, { at: 'envoy-gateway', flight: passed, proxies: behind.proxies });
}
