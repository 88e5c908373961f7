/** The API group of the Gateway API. */
export const GATEWAY_API = 'gateway.networking.k8s.io';
