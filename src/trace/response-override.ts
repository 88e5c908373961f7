/** What a BackendTrafficPolicy puts in the place of responses by their status, whether a server or a proxy made them. */
import type { EffectivePolicy } from '../model/envoy-gateway-policies';
import { number, optionalRecord, record, records } from '../model/fields';

/** A rule for a status: another in its place, or the answer of another route (an internal redirect of Envoy's). */
export type Override = { readonly is: 'status'; readonly status: number } | { readonly is: 'redirect' };

/** The first rule for a status; undefined where it stays as it is (customResponseConfig of internal/xds/translator/custom_response.go). */
export function overrideOf({ spec }: EffectivePolicy, status: number): Override | undefined {
  const rule = records(spec.responseOverride).find(({ match }) =>
    records(record(match).statusCodes).some((code) => {
      const range = optionalRecord(code.range);
      return range === undefined
        ? number(code.value) === status
        : number(range.start) <= status && status <= number(range.end);
    }),
  );
  if (rule === undefined) return undefined;
  if (optionalRecord(rule.redirect) !== undefined) return { is: 'redirect' };
  const given = record(rule.response).statusCode;
  return given === undefined || number(given) === status ? undefined : { is: 'status', status: number(given) };
}
