/** TLS that a proxy ends: what comes of the handshake, wherever that is. */
import type { ServerTlsMode } from '../model/merged-gateway';
import type { Mesh } from '../model/mesh';
import type { Reason } from './reasons';
import { outermost, podOf, type Flight, type TlsLayer } from './walk';

/**
 * `done`; `plain-text` where no TLS comes; `other-tls` where it is the mesh's own and the proxy's is not, or the reverse; `no-certificate` where the sender
 * has none to show, and `certificate-assumed` where it is an application, of which no manifest tells.
 */
export type Handshake = 'done' | 'plain-text' | 'other-tls' | 'no-certificate' | 'certificate-assumed';

export function handshake(mode: ServerTlsMode, outer: TlsLayer | undefined): Handshake {
  if (outer === undefined) return 'plain-text';
  if ((mode === 'ISTIO_MUTUAL') !== (outer.kind === 'ISTIO_MUTUAL')) return 'other-tls';
  if (mode !== 'MUTUAL' || outer.certificate !== '') return 'done';
  return outer.kind === 'APPLICATION' ? 'certificate-assumed' : 'no-certificate';
}

/** The trust domains that the proxies of a mesh take for their own. */
export function trustedDomains({ config }: Mesh): readonly string[] {
  return [config.trustDomain, ...config.trustDomainAliases];
}

/**
 * Why two proxies do not take each other for members of one mesh: revisions of istiod may have different trust domains. The one that serves checks its
 * client unless istiod is told not to (TrustDomainsForValidation, networking/plugin/authn), or is a gateway (BuildListenerTLSContext, networking/core/listener.go);
 * the client looks for the identity that its own istiod expects of the Pods of a Service (SecureNamingSAN, serviceregistry/kube).
 *
 * @param mesh as the istiod of the one that serves knows it
 */
export function strangers(
  mesh: Mesh,
  flight: Flight,
  { isGateway }: { readonly isGateway: boolean },
): Reason | undefined {
  if (outermost(flight.layers)?.kind !== 'ISTIO_MUTUAL' || !flight.from.inMesh) return undefined;
  const clients = mesh.servedTo(podOf(flight.from));
  if (clients === mesh) return undefined;
  const [client, own] = [clients.config.trustDomain, mesh.config.trustDomain];
  const isTaken = isGateway || !mesh.config.validatesTrustDomain || trustedDomains(mesh).includes(client);
  if (isTaken && trustedDomains(clients).includes(own)) return undefined;
  return { kind: 'trust-domains-differ', client, server: own, refusedBy: isTaken ? 'client' : 'server' };
}
