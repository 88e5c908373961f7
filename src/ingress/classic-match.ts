import type * as networking from '../../imports/networking.istio.io';
import { Problem, quote } from '../core/problem';
import { IClassicGateway } from './classic-gateway';

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

  /**
   * The gateways that took the request, among those of the route.
   *
   * @default any of the route
   */
  readonly gateways?: IClassicGateway[];

  /**
   * Whether requests of clients in the mesh are meant too, beside those of `gateways`; alone, only they are. The route has to be for the mesh.
   *
   * @default only where neither is named, and the route is for the mesh
   */
  readonly forMesh?: boolean;

  /**
   * Parameters of the query and their exact values.
   *
   * @default any
   */
  readonly query?: { [name: string]: string };

  /**
   * Whether upper and lower case of the path are alike, for `prefix` and `exact`.
   *
   * @default false
   */
  readonly ignorePathCase?: boolean;
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
  public _spec(namespace: string): networking.VirtualServiceSpecHttpMatch {
    const { headers, method, port, query, ignorePathCase } = this.options;
    const exactly = (values: { [name: string]: string } | undefined) =>
      values && Object.fromEntries(Object.entries(values).map(([name, exact]) => [name, { exact }]));
    return {
      uri: this.uri,
      headers: exactly(headers),
      queryParams: exactly(query),
      ignoreUriCase: ignorePathCase,
      gateways: gatewayNames(this.options, namespace),
      method: method === undefined ? undefined : { exact: method },
      port,
    };
  }

  /** @internal */
  public _problems(route: TakenFrom): Problem[] {
    const path = this.uri?.prefix ?? this.uri?.exact;
    const problems = this.unreached(route);
    if (this.options.ignorePathCase && path === undefined)
      problems.push({
        what: 'ignorePathCase of a match without a prefix or an exact path',
        why: 'Istio ignores it there',
        fix: 'leave it out, or begin the expression with "(?i)"',
      });
    if (path === undefined || path.startsWith('/')) return problems;
    const fix = `did you mean ${quote(`/${path}`)}?`;
    return [{ what: `path ${quote(path)} has no leading slash`, why: 'no request has such a path', fix }, ...problems];
  }

  /** Where the route takes no request from. */
  private unreached({ gateways = [], forMesh = !gateways.length }: TakenFrom): Problem[] {
    const why = 'no request of the route comes from there, and the match would never fit';
    const taken = new Set(gateways.map(({ namespace, name }) => `${namespace}/${name}`));
    const problems: Problem[] = (this.options.gateways ?? [])
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .filter((name) => !taken.has(name))
      .map((name) => ({ what: `a match for Gateway ${name}`, why, fix: 'name it in `gateways` of the route too' }));
    if (this.options.forMesh && !forMesh)
      problems.push({
        what: 'a match for clients in the mesh',
        why,
        fix: 'set `forMesh: true` on the route too, or leave it out',
      });
    return problems;
  }
}

/**
 * Whose requests are taken.
 *
 * @internal
 */
export interface TakenFrom {
  readonly gateways?: IClassicGateway[];
  readonly forMesh?: boolean;
}

/**
 * The gateways as Istio names them.
 *
 * @internal
 */
export function gatewayNames({ gateways = [], forMesh }: TakenFrom, namespace: string): string[] | undefined {
  const names = gateways.map((one) => (one.namespace === namespace ? one.name : `${one.namespace}/${one.name}`));
  if (forMesh) return ['mesh', ...names];
  return names.length ? names : undefined;
}
