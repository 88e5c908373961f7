import type { InboundTls } from '../model/authentication';
import { number, record, records } from '../model/fields';
import type { Mesh, Proxy } from '../model/mesh';
import { isHttp, parseProtocol, type Protocol } from '../model/protocols';
import type { Connection } from './envoy';

export type InboundChain =
  | {
      readonly is: 'accepted';
      readonly http: boolean;
      readonly terminates: boolean;
      readonly cluster: string;
      readonly tls: InboundTls;
    }
  | {
      readonly is: 'refused';
      /** `NR`: no filter chain takes it; `UF`: a handshake fails; `DPE`: what is spoken is no HTTP. */
      readonly code: 'NR' | 'UF' | 'DPE';
      /** The cluster that a TCP proxy had picked by then, and Envoy logs. */
      readonly cluster: string | null;
      readonly what: string;
      readonly fix: string;
      readonly tls: InboundTls;
    };

/**
 * Protocol of a workload's port: that of the Sidecar's ingress listener if its Sidecar has any, else that of the oldest Service that maps
 * a port to it; undefined if there is none. TLS of an ingress listener is nothing to istiod unless it is told to (ENABLE_TLS_ON_SIDECAR_INGRESS).
 */
function portProtocol(mesh: Mesh, proxy: Proxy, port: number): Protocol | undefined {
  const ingress = records(mesh.sidecarFor(proxy.namespace, proxy.labels)?.spec.ingress).map((one) => record(one.port));
  if (ingress.length > 0) {
    const own = ingress.find((one) => number(one.number) === port);
    return own === undefined ? undefined : parseProtocol(own.protocol);
  }
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
  const protocol = declared ?? 'AUTO';
  const cluster = declared === undefined ? 'InboundPassthroughCluster' : `inbound|${port}||`;
  const http = isHttp(protocol);
  const sniffed = protocol === 'AUTO' && connection.application !== 'tcp';
  const accepted = (readsHttp: boolean, terminates: boolean): InboundChain => ({
    is: 'accepted',
    http: readsHttp,
    terminates,
    cluster,
    tls,
  });
  const refused = (code: 'NR' | 'UF' | 'DPE', what: string, fix: string): InboundChain => {
    const isPicked = code === 'UF' && !http;
    return { is: 'refused', code, cluster: isPicked ? cluster : null, what, fix, tls };
  };

  if (connection.tls === 'istio') {
    if (tls.mode === 'DISABLE')
      return refused(
        'UF',
        `port ${port} has mutual TLS disabled and gets Istio's mutual TLS`,
        'take the exception back, or set tls.mode DISABLE in the DestinationRule of the clients',
      );
    return accepted(http || sniffed, true);
  }
  if (tls.mode === 'STRICT') {
    const what = connection.tls === 'none' ? 'plain text' : "the client's own TLS";
    return refused(
      connection.tls === 'none' ? 'NR' : 'UF',
      `port ${port} takes Istio's mutual TLS only (STRICT) and gets ${what}`,
      'send through a sidecar or gateway of the mesh, or make an exception for the port',
    );
  }
  if (connection.tls === 'tls') {
    if (http)
      return refused(
        tls.mode === 'DISABLE' ? 'DPE' : 'NR',
        `port ${port} is declared ${protocol} and gets the client's own TLS`,
        'name the port https- or tls-, or send plain HTTP',
      );
    return accepted(false, false);
  }
  if (http && connection.application === 'tcp')
    return refused(
      'DPE',
      `port ${port} is declared ${protocol} and gets something that is not HTTP`,
      'name the port tcp-',
    );
  return accepted(http || sniffed, false);
}
