/** The fields of Gateway API and Envoy Gateway that rules read. Defaults are in: the schema has put them there. */
import type { Manifest } from '../model/manifest';

export const GATEWAY_API = 'gateway.networking.k8s.io';
export const ENVOY_GATEWAY = 'gateway.envoyproxy.io';

export interface Listener {
  readonly name?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly tls?: { readonly mode?: string; readonly certificateRefs?: readonly Reference[] };
  readonly allowedRoutes?: {
    readonly namespaces?: {
      readonly from?: string;
      readonly selector?: {
        readonly matchLabels?: Readonly<Record<string, string>>;
        readonly matchExpressions?: readonly object[];
      };
    };
    readonly kinds?: readonly { readonly group?: string; readonly kind?: string }[];
  };
}

export interface Reference {
  readonly group?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly sectionName?: string;
  readonly weight?: number;
}

export interface KubernetesGatewaySpec {
  readonly gatewayClassName?: string;
  readonly listeners?: readonly Listener[];
  readonly infrastructure?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly parametersRef?: Reference;
  };
}

export interface RouteFilter {
  readonly type?: string;
  readonly urlRewrite?: { readonly hostname?: string };
  readonly requestMirror?: { readonly backendRef?: Reference };
}

export interface RouteSpec {
  readonly parentRefs?: readonly Reference[];
  readonly hostnames?: readonly string[];
  readonly rules?: readonly {
    readonly name?: string;
    readonly backendRefs?: readonly (Reference & { readonly filters?: readonly RouteFilter[] })[];
    readonly filters?: readonly RouteFilter[];
    readonly matches?: readonly { readonly path?: { readonly type?: string; readonly value?: string } }[];
  }[];
}

export function gatewaySpec(manifest: Manifest): KubernetesGatewaySpec {
  return (manifest.body as { spec?: KubernetesGatewaySpec }).spec ?? {};
}

export function routeSpec(manifest: Manifest): RouteSpec {
  return (manifest.body as { spec?: RouteSpec }).spec ?? {};
}

export const ROUTE_KINDS = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'] as const;
