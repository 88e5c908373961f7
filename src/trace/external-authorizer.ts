/**
 * Authorizers beside the proxy: what they answer no manifest tells. Who is asked the same of the same request answers alike, and so a question names
 * all that it hangs on; who lets a request pass may have written headers into it.
 */
import { canonical } from '../model/canonical';
import type { Supposed } from './ask';
import type { HttpRequest } from './http-routes';

export interface ExternalAuthorizer {
  /** As readers know it. */
  readonly called: string;
  /** All that is said of it, and of the connection that it is asked about. */
  readonly about: unknown;
  /** Names of headers that it may write, which may begin or end with `*`. */
  readonly writes: readonly string[];
}

/** What becomes of a request that it is supposed to let pass; undefined where it is supposed to refuse it. */
export function passedBy(
  { called, about, writes }: ExternalAuthorizer,
  http: HttpRequest | null,
  supposed: Supposed,
): { readonly http: HttpRequest | null } | undefined {
  const asked = http === null ? null : [http.authority.toString(), http.headers.written];
  if (!supposed.isSo(`${called} lets it pass`, canonical([about, asked]))) return undefined;
  if (http === null || writes.length === 0) return { http };
  const patterns = writes.map((one) => one.toLowerCase());
  return { http: { ...http, headers: http.headers.mayBeWritten((name) => patterns.some((one) => fits(one, name)), `a header that ${called} may write`) } }; // prettier-ignore
}

function fits(pattern: string, name: string): boolean {
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return pattern === name;
}
