/** Requests aimed at what a rule is for: most of them, so that what happens behind the gateways is seen as well. */
import fc from 'fast-check';
import { maybe } from '../../trace/oracle/vocabulary';

/** The number of the rule that a request is aimed at; undefined leaves it as it was drawn. */
export const aim = maybe(fc.nat(999), 6, 1);

/** A request that fits a rule. */
export interface Target {
  readonly host: string;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A host that a hostname is for. */
const concrete = (hostname: string): string => hostname.replace('*', 'www');

/** What a regular expression of these meshes takes. */
const SAMPLES: Readonly<Record<string, string>> = { '/v[0-9]': '/v1', 'p.*': 'pay' };
const sample = (pattern: string): string => SAMPLES[pattern] ?? pattern;

interface RouteMatch {
  readonly path?: { readonly type: string; readonly value: string };
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
  readonly method?: string;
  readonly queryParams?: readonly { readonly name: string; readonly value: string }[];
}

interface RouteRule {
  readonly matches?: readonly RouteMatch[];
}

/** What each match of an HTTPRoute is for, under each of its hostnames; any host where it names none. */
export function routeTargets(
  hostnames: readonly string[] | undefined,
  rules: readonly RouteRule[],
  anyHost: string,
): readonly Target[] {
  return (hostnames ?? [anyHost]).flatMap((hostname) =>
    rules.flatMap(({ matches = [{}] }) =>
      matches.map(({ path, headers, method, queryParams = [] }): Target => {
        const query = queryParams.map(({ name, value }) => `${name}=${value}`).join('&');
        const plain = sample(path?.value ?? '/');
        return {
          host: concrete(hostname),
          path: query === '' ? plain : `${plain}?${query}`,
          ...(method === undefined ? {} : { method }),
          ...(headers === undefined
            ? {}
            : { headers: Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), sample(value)])) }),
        };
      }),
    ),
  );
}

/** What each rule of a VirtualService is for. */
export function ruleTargets(
  hosts: readonly string[],
  rules: readonly { readonly uri?: { readonly prefix?: string; readonly exact?: string } }[],
): readonly Target[] {
  return hosts.flatMap((host) =>
    rules.map(({ uri }) => ({ host: concrete(host), path: uri?.exact ?? uri?.prefix ?? '/' })),
  );
}
