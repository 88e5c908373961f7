import type { InboundTls } from '../model/authentication';
import { number, optionalRecord, record, records, text } from '../model/fields';
import type { Mesh, Proxy } from '../model/mesh';
import { isHttp, parseProtocol, type Protocol } from '../model/protocols';
import { proxySettings } from '../model/proxy-config';
import type { Workload } from '../model/workloads';
import { inboundCapture } from './capture';
import type { Connection } from './envoy';
import type { Reason } from './reasons';

export type InboundChain =
  | {
      readonly is: 'accepted';
      readonly http: boolean;
      readonly terminates: boolean;
      readonly cluster: string;
      /** The port at which the application is reached, where the Sidecar names another. */
      readonly servedAt: number;
      /** Whether the client has to show a certificate that is not of the mesh. */
      readonly demandsCertificate: boolean;
      readonly tls: InboundTls;
    }
  | {
      readonly is: 'refused';
      /** `NR`: no filter chain takes it; `UF`: a handshake fails; `DPE`: what is spoken is no HTTP. */
      readonly code: 'NR' | 'UF' | 'DPE';
      /** The cluster that a TCP proxy had picked by then, and Envoy logs. */
      readonly cluster: string | null;
      readonly reason: Reason;
      readonly tls: InboundTls;
    };

interface IngressListener {
  readonly protocol: Protocol;
  /** Port of the endpoint to which it leads. */
  readonly servedAt: number;
  /** Whether it binds to the port itself, where iptables redirect around it. */
  readonly binds: boolean;
  /** TLS of its own; undefined for none that istiod reads. */
  readonly tls: string | undefined;
}

/** The `ingress` listener that a Sidecar has for a port; null where it has listeners, and none for the port; undefined if it has none. */
export function ingressListener(mesh: Mesh, proxy: Proxy, port: number): IngressListener | null | undefined {
  const listeners = records(mesh.sidecarFor(proxy.namespace, proxy.labels)?.spec.ingress);
  if (listeners.length === 0) return undefined;
  const own = listeners.find((one) => number(record(one.port).number) === port);
  if (own === undefined) return null;
  const protocol = parseProtocol(record(own.port).protocol);
  const tls = mesh.config.sidecarIngressTls ? optionalRecord(own.tls) : undefined;
  return {
    // TLS that ends here leaves what is inside.
    protocol: tls === undefined ? protocol : protocol === 'HTTPS' ? 'HTTP' : protocol === 'TLS' ? 'TCP' : protocol,
    servedAt: Number(/:(\d+)$/.exec(text(own.defaultEndpoint))?.[1] ?? port),
    binds: own.captureMode === 'NONE',
    tls: tls === undefined ? undefined : text(tls.mode) || 'PASSTHROUGH',
  };
}

/** Whether a sidecar takes connections to a port: those that iptables redirect, or without them those of its own listeners. */
export function entersSidecar(mesh: Mesh, workload: Workload, port: number): boolean {
  if (proxySettings(mesh, workload).interception !== 'NONE') return inboundCapture(workload, mesh.config.capture, port);
  const { namespace, labels, addresses } = workload;
  return (ingressListener(mesh, { type: 'sidecar', namespace, labels, addresses }, port) ?? null) !== null;
}

/**
 * Protocol of a workload's port: that of the Sidecar's ingress listener if its Sidecar has any, else that of the oldest Service that maps
 * a port to it; undefined if there is none.
 */
function portProtocol(mesh: Mesh, proxy: Proxy, port: number): Protocol | undefined {
  const own = ingressListener(mesh, proxy, port);
  if (own !== undefined) return own?.protocol;
  const target = mesh.serviceTargets(proxy).find((candidate) => candidate.targetPort === port);
  if (target === undefined) return undefined;
  const service = mesh.services.named(target.serviceHost).get(target.namespace);
  return service?.ports.find((candidate) => candidate.port === target.port)?.protocol;
}

/**
 * What the inbound listener of a sidecar does with a connection, by the mode of PeerAuthentication and the protocol of the
 * port: which of the chains that istiod makes for the two takes it, and whether that takes Istio's mutual TLS off.
 */
export function inboundChain(mesh: Mesh, proxy: Proxy, port: number, connection: Connection): InboundChain {
  const tls = mesh.peerAuthentications.forWorkload(proxy.namespace, proxy.labels, port);
  const declared = portProtocol(mesh, proxy, port);
  const listener = ingressListener(mesh, proxy, port);
  const protocol = declared ?? 'AUTO';
  const cluster = declared === undefined ? 'InboundPassthroughCluster' : `inbound|${port}||`;
  const http = isHttp(protocol);
  const sniffed = protocol === 'AUTO' && connection.application !== 'tcp';
  const accepted = (readsHttp: boolean, terminates: boolean): InboundChain => ({
    is: 'accepted',
    http: readsHttp,
    terminates,
    cluster,
    servedAt: listener?.servedAt ?? port,
    demandsCertificate: false,
    tls,
  });
  const refused = (code: 'NR' | 'UF' | 'DPE', reason: Reason): InboundChain => {
    const isPicked = code === 'UF' && !http;
    return { is: 'refused', code, cluster: isPicked ? cluster : null, reason, tls };
  };

  // TLS of the listener's own stands where mutual TLS is off.
  if (listener?.tls !== undefined && tls.mode === 'DISABLE') {
    if (connection.tls === 'none') return refused('NR', { kind: 'ingress-tls-expected', port });
    if (connection.tls === 'istio') return refused('UF', { kind: 'own-certificate', port });
    const chain = accepted(http || sniffed, true);
    return { ...chain, demandsCertificate: listener.tls === 'MUTUAL' } as InboundChain;
  }
  if (connection.tls === 'istio') {
    if (tls.mode === 'DISABLE') return refused('UF', { kind: 'mutual-tls-disabled', port });
    return accepted(http || sniffed, true);
  }
  if (tls.mode === 'STRICT') {
    const got = connection.tls === 'none' ? 'plain-text' : 'tls';
    return refused(got === 'tls' ? 'UF' : 'NR', { kind: 'mutual-tls-expected', port, got, atZtunnel: false });
  }
  if (connection.tls === 'tls') {
    if (http)
      return refused(tls.mode === 'DISABLE' ? 'DPE' : 'NR', { kind: 'declared-otherwise', port, declared: protocol, got: 'tls' }); // prettier-ignore
    return accepted(false, false);
  }
  if (http && connection.application === 'tcp')
    return refused('DPE', { kind: 'declared-otherwise', port, declared: protocol, got: 'other' });
  return accepted(http || sniffed, false);
}
