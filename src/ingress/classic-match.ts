import type * as networking from '../../imports/networking.istio.io';
import { Problem, quote } from '../core/problem';

/** What a request has to carry, beyond its path. */
export interface ClassicMatchOptions {
  /**
   * Headers and their exact values.
   *
   * @default any
   */
  readonly headers?: { [name: string]: string };

  /**
   * The method, such as "GET".
   *
   * @default any
   */
  readonly method?: string;

  /**
   * The port that was asked for.
   *
   * @default any
   */
  readonly port?: number;
}

/**
 * Which requests a rule of a VirtualService is about. A rule with several is about requests that fit any of them.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest
 */
export class ClassicMatch {
  /**
   * Paths that begin so, letter by letter: "/api" takes in "/apis".
   *
   * @param path the beginning, with a leading slash
   * @param options what else the request has to carry
   */
  public static prefix(path: string, options?: ClassicMatchOptions): ClassicMatch {
    return new ClassicMatch({ prefix: path }, options ?? {});
  }

  /**
   * One path.
   *
   * @param path the whole path, with a leading slash
   * @param options what else the request has to carry
   */
  public static exact(path: string, options?: ClassicMatchOptions): ClassicMatch {
    return new ClassicMatch({ exact: path }, options ?? {});
  }

  /**
   * Paths that match a regular expression (RE2) as a whole.
   *
   * @param expression the expression
   * @param options what else the request has to carry
   */
  public static regex(expression: string, options?: ClassicMatchOptions): ClassicMatch {
    return new ClassicMatch({ regex: expression }, options ?? {});
  }

  /**
   * Any path.
   *
   * @param options what the request has to carry
   */
  public static anyPath(options: ClassicMatchOptions): ClassicMatch {
    return new ClassicMatch(undefined, options);
  }

  private constructor(
    private readonly uri: networking.VirtualServiceSpecHttpMatchUri | undefined,
    private readonly options: ClassicMatchOptions,
  ) {}

  /** @internal */
  public _spec(): networking.VirtualServiceSpecHttpMatch {
    const { headers, method, port } = this.options;
    return {
      uri: this.uri,
      headers: headers && Object.fromEntries(Object.entries(headers).map(([name, exact]) => [name, { exact }])),
      method: method === undefined ? undefined : { exact: method },
      port,
    };
  }

  /** @internal */
  public _problems(): Problem[] {
    const path = this.uri?.prefix ?? this.uri?.exact;
    if (path === undefined || path.startsWith('/')) return [];
    const fix = `did you mean ${quote(`/${path}`)}?`;
    return [{ what: `path ${quote(path)} has no leading slash`, why: 'no request has such a path', fix }];
  }
}
