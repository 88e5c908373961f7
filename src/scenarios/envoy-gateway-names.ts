import { EnvoyGatewayInMeshProps } from '../ingress/envoy-gateway-in-mesh';
import { IngressClass } from '../ingress/ingress-class';

/** Document 000's Envoy Gateway, as it is made. One proxy a Gateway, as in the document. */
export const TEG: EnvoyGatewayInMeshProps = {
  gatewayClassName: 'teg',
  envoyProxyName: 'data-plane-sidecars',
  proxies: { replicas: 1 },
};

/** Document 000's Envoy Gateway, as the scenarios that build upon it know it. */
export const teg = (): IngressClass => IngressClass.envoyGatewayInMesh('teg');
