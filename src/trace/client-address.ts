/**
 * The address of a client as an Envoy knows it that looks for it in headers. Where these tell of none, it is that of the connection. Istio's sidecars and
 * waypoints believe the last address in X-Forwarded-For, its gateways as many as there are trusted proxies before them (useRemoteAddress and
 * xffNumTrustedHops in pilot/pkg/networking/core), Envoy Gateway's what a ClientTrafficPolicy says (originalIPDetectionExtensions of
 * internal/xds/translator/listener.go); xff.cc and custom_header.cc of Envoy.
 */
import { isAddress } from '../model/addresses';
import type { AskedHeaders } from './ask';
import { PRESENT } from './matcher';

/** Where an address is looked for; it is read only where authorization asks for it. */
export interface ClientDetection {
  /**
   * A header that has it alone, or how many proxies have written into X-Forwarded-For; `unknown` where that hangs on whether they are believed, which no
   * manifest shows.
   */
  readonly by: { readonly header: string } | { readonly proxies: number | 'unknown' };
  readonly headers: AskedHeaders;
}

const WHY = 'the address of the client, which a header tells';

/** Undefined for that of the connection, null where nobody knows which counts. */
export function clientAddress({ by, headers }: ClientDetection): string | null | undefined {
  if ('header' in by) return addressIn(headers.get(by.header).read(WHY));
  const header = headers.get('x-forwarded-for');
  if (by.proxies === 0 || !header.is(PRESENT)) return undefined;
  return by.proxies === 'unknown' ? null : addressIn((header.read(WHY) ?? '').split(',').at(-by.proxies));
}

function addressIn(told: string | undefined): string | undefined {
  const address = told?.trim() ?? '';
  return isAddress(address) ? address : undefined;
}
