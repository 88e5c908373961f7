/**
 * The address of a client as Envoy Gateway's proxies know it where a ClientTrafficPolicy has them look into headers (originalIPDetectionExtensions of
 * internal/xds/translator/listener.go; xff.cc and custom_header.cc of Envoy). Where the headers tell of none, it is that of the connection.
 */
import { isAddress } from '../model/addresses';
import { number, optionalRecord, text, texts, type Json } from '../model/fields';
import type { AskedHeaders } from './ask';
import { PRESENT } from './matcher';

/** What a listener looks into: kept as it came, since only authorization by address asks. */
export interface ClientDetection {
  readonly settings: Json;
  readonly headers: AskedHeaders;
}

const WHY = 'the address of the client, which a header tells';

/** Undefined for that of the connection, null where nobody knows which counts. */
export function clientAddress({ settings, headers }: ClientDetection): string | null | undefined {
  const custom = optionalRecord(settings.customHeader);
  if (custom !== undefined) return addressIn(headers.get(text(custom.name)).read(WHY));
  const forwarded = optionalRecord(settings.xForwardedFor);
  if (forwarded === undefined) return undefined;
  const header = headers.get('x-forwarded-for');
  if (!header.is(PRESENT)) return undefined;
  // Whether the connection comes from one of them no manifest shows.
  if (texts(forwarded.trustedCIDRs).length > 0) return null;
  const hops = (header.read(WHY) ?? '').split(',');
  return addressIn(hops.at(-Math.max(number(forwarded.numTrustedHops), 1)));
}

function addressIn(told: string | undefined): string | undefined {
  const address = told?.trim() ?? '';
  return isAddress(address) ? address : undefined;
}
