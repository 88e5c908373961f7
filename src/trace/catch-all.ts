/** Clusters of a sidecar for hosts that nobody declares. */

/** To the address that the client dialled. */
export const PASSTHROUGH = 'PassthroughCluster';
/** HTTP to what the Host resolves to, where outboundTrafficPolicy has mode ALLOW_ANY_DYNAMIC_DNS. */
export const RESOLVED_BY_HOST = 'AllowAnyDynamicDNSCluster';

/** Whether a cluster leads to hosts that nobody declares. */
export function isCatchAll(cluster: string | null | undefined): boolean {
  return cluster === PASSTHROUGH || cluster === RESOLVED_BY_HOST;
}
