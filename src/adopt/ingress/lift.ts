/** Objects of Gateway API and Envoy Gateway, each as one construct. What a construct needs comes before it. */
import type { Manifest } from '../../model/manifest';
import type { Lifted } from '../lifted';
import { type Draft, exactly, Kept, type Places } from './draft';
import { classDraft, gatewayDraft, Known, listenerSetDraft } from './gateways';
import { classicGatewayDraft, classicRouteDraft, serviceEntryDraft, versionsDraft } from './istio';
import { backendDraft, backendTrafficDraft, clientTrafficDraft, filterDraft, securityDraft } from './policies';
import { accessDraft, peerDraft, sidecarDraft, telemetryDraft, tokensDraft } from './security';
import { extensionDraft, proxyDraft } from './proxies';
import { backendTlsDraft, grantDraft, grpcRouteDraft, httpRouteDraft, streamRouteDraft } from './routes';

type Drafter = (manifest: Manifest, known: Known) => Draft | Kept;

interface Kind {
  readonly draft: Drafter;
  /** What an id or a variable is told apart by where the object's name is taken. */
  readonly stem: string;
}

const GATEWAY_API = 'gateway.networking.k8s.io';
const ISTIO = 'networking.istio.io';
const SECURITY = 'security.istio.io';
const ENVOY_GATEWAY = 'gateway.envoyproxy.io';

/** In the order in which they are written. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [`${ENVOY_GATEWAY}/EnvoyProxy`, { draft: proxyDraft, stem: 'proxies' }],
  [`${GATEWAY_API}/GatewayClass`, { draft: classDraft, stem: 'class' }],
  [`${GATEWAY_API}/Gateway`, { draft: gatewayDraft, stem: 'gateway' }],
  [`${GATEWAY_API}/ListenerSet`, { draft: listenerSetDraft, stem: 'listeners' }],
  [`${GATEWAY_API}/ReferenceGrant`, { draft: grantDraft, stem: 'grant' }],
  [`${ISTIO}/Gateway`, { draft: classicGatewayDraft, stem: 'gateway' }],
  [`${ISTIO}/ServiceEntry`, { draft: serviceEntryDraft, stem: 'service' }],
  [`${ISTIO}/DestinationRule`, { draft: versionsDraft, stem: 'versions' }],
  [`${ISTIO}/VirtualService`, { draft: classicRouteDraft, stem: 'route' }],
  [`${ENVOY_GATEWAY}/Backend`, { draft: backendDraft, stem: 'backend' }],
  [`${ENVOY_GATEWAY}/HTTPRouteFilter`, { draft: filterDraft, stem: 'filter' }],
  [`${GATEWAY_API}/HTTPRoute`, { draft: httpRouteDraft, stem: 'route' }],
  [`${GATEWAY_API}/GRPCRoute`, { draft: grpcRouteDraft, stem: 'grpc-route' }],
  [`${GATEWAY_API}/TLSRoute`, { draft: streamRouteDraft, stem: 'tls-route' }],
  [`${GATEWAY_API}/TCPRoute`, { draft: streamRouteDraft, stem: 'tcp-route' }],
  [`${GATEWAY_API}/UDPRoute`, { draft: streamRouteDraft, stem: 'udp-route' }],
  [`${GATEWAY_API}/BackendTLSPolicy`, { draft: backendTlsDraft, stem: 'backend-tls' }],
  [`${ENVOY_GATEWAY}/ClientTrafficPolicy`, { draft: clientTrafficDraft, stem: 'clients' }],
  [`${ENVOY_GATEWAY}/BackendTrafficPolicy`, { draft: backendTrafficDraft, stem: 'backends' }],
  [`${ENVOY_GATEWAY}/SecurityPolicy`, { draft: securityDraft, stem: 'security' }],
  [`${ENVOY_GATEWAY}/EnvoyExtensionPolicy`, { draft: extensionDraft, stem: 'extensions' }],
  [`${ISTIO}/Sidecar`, { draft: sidecarDraft, stem: 'scope' }],
  ['telemetry.istio.io/Telemetry', { draft: telemetryDraft, stem: 'logs' }],
  [`${SECURITY}/PeerAuthentication`, { draft: peerDraft, stem: 'peers' }],
  [`${SECURITY}/RequestAuthentication`, { draft: tokensDraft, stem: 'tokens' }],
  [`${SECURITY}/AuthorizationPolicy`, { draft: accessDraft, stem: 'access' }],
]);

/**
 * @param taken what other constructs say
 * @param reasons why objects stay as they are: those that have one are passed over, and others are added
 */
export function liftIngress(
  manifests: readonly Manifest[],
  taken: ReadonlySet<Manifest>,
  reasons: Map<Manifest, string>,
  places: Places,
): readonly Lifted[] {
  const known = new Known(manifests, places);
  const lifted: Lifted[] = [];
  for (const [key, { draft, stem }] of KINDS)
    for (const manifest of manifests) {
      if (
        `${manifest.group}/${manifest.kind}` !== key ||
        reasons.has(manifest) ||
        taken.has(manifest) ||
        manifest.name === ''
      )
        continue;
      const made = draft(manifest, known);
      if (made instanceof Kept) {
        reasons.set(manifest, made.why);
        continue;
      }
      const one = exactly(manifest, made, places, stem);
      lifted.push(...known.foreign.splice(0), one);
      if (one.provides !== undefined) known.add(manifest, one.provides);
    }
  return lifted;
}
