import { IConstruct } from 'constructs';
import type * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote } from '../core/problem';
import { supportProblems } from './controller-support';
import { IIngressClass } from './ingress-class';
import type { IngressListener } from './ingress-listener';

/**
 * Which certificates clients have to show at the HTTPS listeners of a gateway, as Gateway API says it.
 *
 * @see https://gateway-api.sigs.k8s.io/geps/gep-91/
 */
export interface FrontendClientCertificates {
  /** The name of the ConfigMap or Secret with the authorities that sign them, under the key `ca.crt`. */
  readonly caName: string;

  /**
   * Whether that is a Secret rather than a ConfigMap.
   *
   * @default false
   */
  readonly caIsSecret?: boolean;

  /**
   * Where it lies, if not in the namespace of the gateway; the ReferenceGrant that this takes is rendered too.
   *
   * @default the gateway's namespace
   */
  readonly caNamespace?: string;

  /**
   * Whether clients come in that show no certificate, or one that nobody known signed, so that the Service decides by what it is told of it (AllowInsecureFallback). Needs Istio 1.31 or
   * newer, or Envoy Gateway 1.8 or newer.
   *
   * @default false: they are refused
   */
  readonly allowInsecureFallback?: boolean;
}

/** @internal */
export interface FrontendCertificates {
  readonly usual?: FrontendClientCertificates;
  readonly byPort: { readonly [port: string]: FrontendClientCertificates };
}

/**
 * @param isNamed whether each CA is named with its namespace, even the Gateway's own: istiod looks for it beside the listener, which may be one of a set in another namespace
 * @internal
 */
export function frontendSpec(
  { usual, byPort }: FrontendCertificates,
  own: string,
  isNamed: boolean,
): gatewayApi.GatewaySpecTls | undefined {
  const ports = Object.keys(byPort).sort((a, b) => Number(a) - Number(b));
  if (!usual && !ports.length) return undefined;
  return {
    frontend: {
      default: usual ? { validation: validation(usual, own, isNamed) } : {},
      perPort: ports.length
        ? ports.map((port) => ({
            port: Number(port),
            tls: { validation: validation(byPort[port], own, isNamed) } as gatewayApi.GatewaySpecTlsFrontendPerPortTls,
          }))
        : undefined,
    },
  };
}

function validation(
  ca: FrontendClientCertificates,
  own: string,
  isNamed: boolean,
): gatewayApi.GatewaySpecTlsFrontendDefaultValidation {
  return {
    caCertificateRefs: [
      {
        group: '',
        kind: kindOf(ca),
        name: ca.caName,
        namespace: isNamed ? (ca.caNamespace ?? own) : ca.caNamespace === own ? undefined : ca.caNamespace,
      },
    ],
    mode: ca.allowInsecureFallback
      ? ('AllowInsecureFallback' as gatewayApi.GatewaySpecTlsFrontendDefaultValidationMode)
      : undefined,
  };
}

function kindOf(ca: FrontendClientCertificates): string {
  return ca.caIsSecret ? 'Secret' : 'ConfigMap';
}

/** @internal */
export function frontendReferences({
  usual,
  byPort,
}: FrontendCertificates): Array<{ kind: string; name: string; namespace?: string }> {
  return [...(usual ? [usual] : []), ...Object.values(byPort)].map((ca) => ({
    kind: kindOf(ca),
    name: ca.caName,
    namespace: ca.caNamespace,
  }));
}

/** @internal */
export function frontendProblems(
  scope: IConstruct,
  ingressClass: IIngressClass,
  { usual, byPort }: FrontendCertificates,
  listeners: readonly IngressListener[],
): Problem[] {
  const all = [...(usual ? [usual] : []), ...Object.values(byPort)];
  if (!all.length) return [];
  const open = 'clients come in without a certificate';
  const problems = [
    ...all.flatMap((ca) => [
      ...objectNameProblems('name of the CA', ca.caName),
      ...namespaceProblems('namespace of the CA', ca.caNamespace),
    ]),
    ...supportProblems(scope, ingressClass, 'frontendCertificates', 'clientCertificates at a gateway', open),
    ...(all.some((ca) => ca.caIsSecret)
      ? supportProblems(
          scope,
          ingressClass,
          'frontendSecrets',
          'a CA for clients in a Secret',
          'the listener is not there',
        )
      : []),
    ...(all.some((ca) => ca.allowInsecureFallback)
      ? supportProblems(scope, ingressClass, 'insecureFallback', 'allowInsecureFallback', 'it is not read: clients without a certificate are refused') // prettier-ignore
      : []),
  ];
  const https = listeners.filter(({ protocol }) => protocol === 'HTTPS').map(({ port }) => port);
  if (usual && listeners.length && !https.length)
    problems.push({
      what: 'clientCertificates where no listener is HTTPS',
      why: `plain HTTP has no certificates: ${open}`,
      fix: 'add IngressListener.https(...), or leave it out',
    });
  for (const port of Object.keys(byPort))
    if (!https.includes(Number(port)))
      problems.push({
        what: `clientCertificatesByPort for port ${quote(port)}, where no listener is HTTPS`,
        why: 'nobody would be asked for one',
        fix: https.length ? `use ${[...new Set(https)].join(' or ')}` : 'add IngressListener.https(...)',
      });
  return problems;
}
