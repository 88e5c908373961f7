/** Why a listener of the Gateway API is not programmed, as data: words are made of it last. */
import type { Manifest } from './manifest';

type Named = Pick<Manifest, 'kind' | 'namespace' | 'name'>;

/** By the listener itself. */
type OfItself =
  | { readonly is: 'protocol-not-taken'; readonly protocol: string }
  | { readonly is: 'hostname-of-stream'; readonly protocol: string }
  /** `group` is empty for kinds of the Gateway API's own. */
  | { readonly is: 'kind-not-taken'; readonly group: string; readonly kind: string; readonly protocol: string; readonly takes: readonly string[] } // prettier-ignore
  | { readonly is: 'no-selector' }
  | { readonly is: 'selector-not-valid'; readonly operator: string; readonly key: string }
  | { readonly is: 'tls-not-taken'; readonly protocol: string }
  | { readonly is: 'no-tls'; readonly protocol: string }
  | { readonly is: 'tls-mode-of-https'; readonly mode: string }
  | { readonly is: 'certificates-with-passthrough' }
  | { readonly is: 'no-certificate' };

/** By what it names. */
type OfReferences =
  | { readonly is: 'more-than-two-certificates' }
  | { readonly is: 'certificate-of-no-secret'; readonly certificate: Named }
  | { readonly is: 'certificate-of-other-type'; readonly secret: string; readonly type: string; readonly takes: string }
  /** `owner`: whose kind and namespace a ReferenceGrant has to name. */
  | { readonly is: 'certificate-not-granted'; readonly certificate: Named; readonly owner: Omit<Named, 'name'> }
  | { readonly is: 'several-client-cas' }
  | { readonly is: 'client-ca-of-other-kind'; readonly authority: Named; readonly takes: 'istiod' | 'Envoy Gateway' }
  | { readonly is: 'client-ca-empty'; readonly authority: Named; readonly keys: readonly string[] }
  /** By the release: istiod keeps the Secret from the gateway, which then ends no TLS. */
  | { readonly is: 'client-ca-not-told'; readonly authority: Named; readonly since: string }
  | { readonly is: 'client-ca-not-granted'; readonly authority: Named; readonly owner: Omit<Named, 'name'> };

/** By others of its port; `neither`: the rival is not programmed as well. */
type OfConflict =
  | { readonly is: 'other-protocol-on-port'; readonly rival: string; readonly neither: boolean; readonly port: number; readonly protocol: string; readonly other: string } // prettier-ignore
  | { readonly is: 'same-hostname-on-port'; readonly rival: string; readonly neither: boolean; readonly port: number; readonly hostname: string } // prettier-ignore
  | { readonly is: 'port-taken'; readonly rival: string; readonly port: number; readonly protocol: string }
  /** A listener of another Gateway, which has the same proxies and comes before. */
  | { readonly is: 'same-at-shared-proxies'; readonly gateway: string; readonly listener: string; readonly port: number; readonly protocol: string; readonly hostname: string } // prettier-ignore
  /** `set`: that of the rival, which istiod keeps. */
  | { readonly is: 'lost-in-istio'; readonly rival: string; readonly set: string | null; readonly port: number; readonly hostname: string; readonly protocol: string; readonly other: string }; // prettier-ignore

/** By the release: `served` is the Gateway API that istiod's version of the kind needs, where it would read it. */
export interface UnreadKind {
  readonly is: 'kind-unread';
  readonly kind: 'TLSRoute' | 'TCPRoute';
  readonly since: string;
  readonly needs: { readonly istio: string; readonly gatewayApi: string; readonly wanted: string } | null;
}

export type ListenerProblem = OfItself | OfReferences | OfConflict | UnreadKind;

/** Which sort of problem it is: of a missing ReferenceGrant, in conflict with others, not read by this release, or a fault of its own. */
export function sortOf({ is }: ListenerProblem): 'grant' | 'conflict' | 'unread' | 'fault' {
  switch (is) {
    case 'certificate-not-granted':
    case 'client-ca-not-granted':
      return 'grant';
    case 'other-protocol-on-port':
    case 'same-hostname-on-port':
    case 'port-taken':
    case 'same-at-shared-proxies':
    case 'lost-in-istio':
      return 'conflict';
    case 'kind-unread':
      return 'unread';
    default:
      return 'fault';
  }
}
