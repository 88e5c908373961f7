import type * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { Problem, quote } from '../core/problem';

/** What a request has to carry, beyond its path. */
export interface HttpMatchOptions {
  /**
   * Headers and their exact values.
   *
   * @default any
   */
  readonly headers?: { [name: string]: string };

  /**
   * Headers and regular expressions (RE2) that their values match as a whole.
   *
   * @default any
   */
  readonly headersMatching?: { [name: string]: string };

  /**
   * Parameters of the query and their exact values.
   *
   * @default any
   */
  readonly queryParameters?: { [name: string]: string };

  /**
   * The method, such as "GET".
   *
   * @default any
   */
  readonly method?: string;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

/**
 * Which requests a rule is about. A rule with several is about requests that fit any of them.
 *
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#httproutematch
 */
export class HttpMatch {
  /**
   * Paths that begin with these whole elements: "/httpbin" takes in "/httpbin" and "/httpbin/get", and not "/httpbins". A slash at
   * the end means nothing.
   *
   * @param path the beginning, with a leading slash
   * @param options what else the request has to carry
   */
  public static prefix(path: string, options?: HttpMatchOptions): HttpMatch {
    return new HttpMatch('PathPrefix', path, options ?? {});
  }

  /**
   * One path.
   *
   * @param path the whole path, with a leading slash
   * @param options what else the request has to carry
   */
  public static exact(path: string, options?: HttpMatchOptions): HttpMatch {
    return new HttpMatch('Exact', path, options ?? {});
  }

  /**
   * Paths that match a regular expression as a whole. How exactly is up to the class (Envoy: RE2).
   *
   * @param expression the expression
   * @param options what else the request has to carry
   */
  public static regex(expression: string, options?: HttpMatchOptions): HttpMatch {
    return new HttpMatch('RegularExpression', expression, options ?? {});
  }

  private constructor(
    /** PathPrefix, Exact or RegularExpression. */
    public readonly type: string,
    /** The path, or the expression. */
    public readonly path: string,
    private readonly options: HttpMatchOptions,
  ) {}

  /**
   * Whether a request for `path` could fit, as far as its path goes.
   *
   * @internal
   */
  public _takesPath(path: string): boolean {
    if (this.type === 'Exact') return path === this.path;
    if (this.type === 'PathPrefix') return `${path}/`.startsWith(`${this.path.replace(/\/+$/, '')}/`);
    return true;
  }

  /** @internal */
  public _spec(): gatewayApi.HttpRouteSpecRulesMatches {
    const { headers = {}, headersMatching = {}, queryParameters = {}, method } = this.options;
    const header = (name: string, value: string, regular: boolean): gatewayApi.HttpRouteSpecRulesMatchesHeaders => ({
      name,
      value,
      type: regular ? ('RegularExpression' as gatewayApi.HttpRouteSpecRulesMatchesHeadersType) : undefined,
    });
    const all = [
      ...sorted(headers).map(([name, value]) => header(name, value, false)),
      ...sorted(headersMatching).map(([name, value]) => header(name, value, true)),
    ];
    const parameters = sorted(queryParameters).map(([name, value]) => ({ name, value }));
    return {
      path: { type: this.type as gatewayApi.HttpRouteSpecRulesMatchesPathType, value: this.path },
      headers: all.length ? all : undefined,
      queryParams: parameters.length ? parameters : undefined,
      method: method as gatewayApi.HttpRouteSpecRulesMatchesMethod | undefined,
    };
  }

  /** @internal */
  public _problems(): Problem[] {
    const problems: Problem[] = [];
    if (this.type !== 'RegularExpression') {
      if (!this.path.startsWith('/')) {
        const fix = `did you mean ${quote(`/${this.path}`)}?`;
        problems.push({ what: `path ${quote(this.path)} has no leading slash`, why: 'the API server refuses it', fix });
      }
      const bad = ['//', '/./', '/../', '%2f', '%2F', '#'].find((part) => this.path.includes(part));
      if (bad) {
        const fix = 'write the path as it is after decoding and cleaning';
        problems.push({ what: `path ${quote(this.path)} has ${quote(bad)}`, why: 'the API server refuses it', fix });
      }
    }
    const { method, headers = {}, headersMatching = {} } = this.options;
    if (method !== undefined && !METHODS.includes(method)) {
      const guess = METHODS.find((known) => known === method.toUpperCase());
      problems.push({
        what: `method ${quote(method)}`,
        why: 'the API server refuses it',
        fix: guess ? `did you mean ${quote(guess)}?` : `use one of ${METHODS.join(', ')}`,
      });
    }
    const lower = [...Object.keys(headers), ...Object.keys(headersMatching)].map((name) => name.toLowerCase());
    const twice = lower.find((name, i) => lower.indexOf(name) !== i);
    if (twice !== undefined) {
      const why = 'names of headers have no case, and only the first is looked at';
      problems.push({ what: `header ${quote(twice)} is matched twice`, why, fix: 'match it once' });
    }
    return problems;
  }
}

function sorted(map: { readonly [key: string]: string }): Array<[string, string]> {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
}
