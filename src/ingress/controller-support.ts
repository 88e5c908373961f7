import { IConstruct } from 'constructs';
import { Problem } from '../core/problem';
import { MeshTarget } from '../mesh/mesh-target';
import { IIngressClass, IngressController } from './ingress-class';

/** From which release on a controller does something; undefined where none does. A controller that is left out is not asked. */
interface Support {
  readonly istio?: string | null;
  readonly envoyGateway?: string | null;
}

/**
 * What the two controllers do of the Gateway API, where not each known release does. What the reading half knows as a switch is held to that
 * by a test (test/ingress/controller-support.test.ts).
 *
 * @internal
 */
export const SUPPORT = {
  /** pilot/pkg/config/kube/gateway/gateway_collection.go; internal/provider/kubernetes/controller.go */
  listenerSets: { istio: '1.30', envoyGateway: '1.8' },
  /** release-notes/v1.9.0.yaml: `Added support for ListenerSet as a targetRef kind` */
  policiesOfSets: { envoyGateway: '1.9' },
  /** listenerProtocolToIstio of pilot/pkg/config/kube/gateway/conversion.go: `UDPProtocolType is explicitly left to hit this path` */
  udp: { istio: null },
  /** resolveGatewayTLS of pilot/pkg/config/kube/gateway/conversion.go; ProcessGatewayTLS of internal/gatewayapi/listener.go */
  frontendCertificates: { envoyGateway: '1.8' },
  /** releasenotes/notes/gateway-insecure-fallback.yaml: before, AllowInsecureFallback is not read. */
  insecureFallback: { istio: '1.31' },
  /** releasenotes/notes/cacert-secret-sds-auth.yaml: before, proxies are refused a CA that is a Secret. */
  frontendSecrets: { istio: '1.31' },
  /** processRedirectFilter of internal/gatewayapi/filters.go */
  redirectsWithAnyCode: { envoyGateway: '1.8' },
  /** convertHTTPRoute of pilot/pkg/config/kube/gateway/conversion.go reads no sessionPersistence. */
  sessionPersistence: { istio: null },
} as const satisfies Record<string, Support>;

const TITLE = { istio: 'Istio', envoyGateway: 'Envoy Gateway' } as const;

/**
 * What is wrong with asking a controller for what its release does not do.
 *
 * @param what what was asked for, such as "a listener of UDP"
 * @param happens what the controller does instead
 * @internal
 */
export function supportProblems(
  scope: IConstruct,
  { controller }: IIngressClass,
  feature: keyof typeof SUPPORT,
  what: string,
  happens: string,
): Problem[] {
  if (controller === undefined) return [];
  const name = controller === IngressController.ISTIO ? 'istio' : 'envoyGateway';
  const since = (SUPPORT[feature] as Support)[name];
  if (since === undefined) return [];
  const release = MeshTarget.of(scope)[name];
  if (since !== null && !isOlder(release, since)) return [];
  if (since === null)
    return [
      {
        what: `${what}, which ${TITLE[name]} does not have`,
        why: happens,
        fix: 'leave it out, or use a gateway of another class',
      },
    ];
  return [
    {
      what: `${what}, which needs ${TITLE[name]} ${since}`,
      why: `the target is ${TITLE[name]} ${release}, where ${happens}`,
      fix: 'leave it out, or name a newer release in the MeshTarget, once the cluster runs it',
    },
  ];
}

function isOlder(release: string, than: string): boolean {
  const [a, b] = [release, than].map((text) => text.split('.').map(Number));
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
