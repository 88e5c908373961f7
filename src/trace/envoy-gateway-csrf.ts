/** Requests that another site's page makes a browser send: the filter for CSRF (source/extensions/filters/http/csrf/csrf_filter.cc of Envoy). */
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { number, optionalRecord, record, texts } from '../model/fields';
import { decision, refOf, unknown } from './envoy-gateway-verdict';
import type { Held } from './filters';
import type { HttpRequest } from './http-routes';
import { anyOf, exact, prefix, PRESENT, suffix, type Matcher } from './matcher';

const CHANGING = anyOf(...['POST', 'PUT', 'DELETE', 'PATCH'].map((method) => exact(method)));

/** Undefined lets the request pass. */
export function csrfVerdict(policy: EffectivePolicy, http: HttpRequest): Held | undefined {
  if (!http.method.is(CHANGING)) return undefined;
  const { additionalOrigins, shadowFraction } = record(policy.spec.csrf);
  const shadow = optionalRecord(shadowFraction);
  const share = shadow === undefined ? 0 : number(shadow.numerator) / (number(shadow.denominator) || 100);
  if (share >= 1) return undefined;
  const origin = http.headers.get('origin');
  const referer = http.headers.get('referer');
  const isSaid = origin.is(PRESENT) || referer.is(PRESENT);
  // Host and port of the origin are compared with the Host: which of the two is which, only one request tells.
  if (isSaid && texts(additionalOrigins).some((one) => origin.is(originMatcher(one)))) return undefined;
  if (isSaid) return unknown(policy, 'csrf', 'origin');
  if (share > 0) return unknown(policy, 'csrf', 'recorded share');
  return {
    is: 'refused',
    code: 'csrf_origin_mismatch',
    status: 403,
    reason: { kind: 'origin-missing', policy: refOf(policy) },
    by: decision(policy, 'csrf'),
  };
}

/** A * stands for any text. The scheme counts for nothing. */
function originMatcher(origin: string): Matcher {
  if (origin === '*') return PRESENT;
  const host = origin.replace(/^[a-z]+:\/\//, '');
  if (host.startsWith('*')) return suffix(host.slice(1));
  return host.endsWith('*')
    ? anyOf(prefix(`https://${host.slice(0, -1)}`), prefix(`http://${host.slice(0, -1)}`))
    : anyOf(exact(`https://${host}`), exact(`http://${host}`));
}
