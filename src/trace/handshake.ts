/** TLS that a proxy ends: what comes of the handshake, wherever that is. */
import type { ServerTlsMode } from '../model/merged-gateway';
import type { TlsLayer } from './walk';

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
