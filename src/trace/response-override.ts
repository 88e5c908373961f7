/** What a BackendTrafficPolicy puts in the place of responses by their status, whether a server or a proxy made them. */
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { number, optionalRecord, record, records, type Json } from '../model/fields';

/** A rule for a response: another status in its place, or the answer of another route (an internal redirect of Envoy's). */
export type Override =
  | { readonly is: 'status'; readonly status: number }
  | { readonly is: 'redirect' }
  /** Whether a rule is for it hangs on headers of the response. */
  | { readonly is: 'open' };

export interface Response {
  readonly status: number;
  /** Whether the proxy of the policy made it, and did not have it from a server. */
  readonly isLocal: boolean;
}

/** The first rule for a response; undefined where it stays as it is (customResponseConfig of internal/xds/translator/custom_response.go). */
export function overrideOf({ spec }: EffectivePolicy, response: Response): Override | undefined {
  const rule = records(spec.responseOverride).find((one) => isFor(one, response));
  if (rule === undefined) return undefined;
  if (records(record(rule.match).responseHeaders).length > 0) return { is: 'open' };
  if (optionalRecord(rule.redirect) !== undefined) return { is: 'redirect' };
  const given = record(rule.response).statusCode;
  return given === undefined || number(given) === response.status ? undefined : { is: 'status', status: number(given) };
}

/** Whether a rule is for a response, its headers aside. */
function isFor({ match, source }: Json, { status, isLocal }: Response): boolean {
  if (source === (isLocal ? 'Backend' : 'Local')) return false;
  const codes = record(match).statusCodes;
  return (
    codes === undefined ||
    records(codes).some((code) => {
      const range = optionalRecord(code.range);
      return range === undefined
        ? number(code.value) === status
        : number(range.start) <= status && status <= number(range.end);
    })
  );
}
