/** Conditions of an AuthorizationPolicy that istiod tells ztunnel of (l4WhenAttributes, ambient/authorization.go); of sources it leaves remoteIpBlocks out. */
export const ZTUNNEL_CONDITIONS: ReadonlySet<string> = new Set([
  'source.ip',
  'source.namespace',
  'source.principal',
  'destination.ip',
  'destination.port',
]);
