import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';
import { FilterReference } from './http-rule';

/** An answer that the proxy gives by itself. */
export interface DirectResponse {
  /**
   * Its status.
   *
   * @default 200
   */
  readonly statusCode?: number;

  /**
   * Its text.
   *
   * @default none
   */
  readonly body?: string;

  /**
   * What kind of text it is.
   *
   * @default none is said
   */
  readonly contentType?: string;
}

/** How the part of a path that an expression fits is replaced. */
export interface PathReplacement {
  /** The expression (RE2), such as "^/service/([^/]+)(/.*)$". */
  readonly pattern: string;

  /** What takes the place of what it fits, with groups as \1, \2 and so on: "\2/instance/\1". */
  readonly substitution: string;
}

/** A credential that the proxy adds to requests. */
export interface InjectedCredential {
  /** The name of the Secret, in the filter's namespace, that has it under the key `credential`. */
  readonly secretName: string;

  /**
   * The header that it is put into.
   *
   * @default Authorization
   */
  readonly header?: string;

  /**
   * Whether it takes the place of one that the client sent.
   *
   * @default false: the client's stays
   */
  readonly overwrite?: boolean;
}

/** A cookie that requests have to carry. */
export interface CookieMatch {
  /** Its name. */
  readonly name: string;

  /** Its value, or an expression (RE2) for all of it. */
  readonly value: string;

  /**
   * Whether the value is an expression.
   *
   * @default false
   */
  readonly isExpression?: boolean;
}

/** What there is to say of a filter. */
export interface HttpRouteFilterProps {
  /**
   * An answer that the proxy gives by itself. The rule then needs no backend.
   *
   * @default the backend's answer
   */
  readonly directResponse?: DirectResponse;

  /**
   * How paths are rewritten by an expression.
   *
   * @default they stay
   */
  readonly replacePath?: PathReplacement;

  /**
   * The header whose value becomes the Host. Behind a gateway that sends through a sidecar, give the rule `keepHost` too: a rule writes the Host once.
   *
   * @default the Host stays
   */
  readonly hostFromHeader?: string;

  /**
   * A credential that is added to requests.
   *
   * @default none
   */
  readonly credential?: InjectedCredential;

  /**
   * Cookies of which requests have to carry all, besides fitting a match of the rule. Needs Envoy Gateway 1.7 or newer.
   *
   * @default none
   */
  readonly cookies?: CookieMatch[];

  /**
   * Its namespace: that of the routes that refer to it.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of the HTTPRouteFilter.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * What Envoy Gateway does to requests beyond the filters of Gateway API: answers of its own, paths by expressions, credentials, cookies. Renders one HTTPRouteFilter, which rules of
 * HTTPRoutes in its namespace refer to.
 *
 * @see https://gateway.envoyproxy.io/docs/api/extension_types/#httproutefilter
 * @example
 * const gone = new HttpRouteFilter(this, 'Gone', { directResponse: { statusCode: 410, body: 'moved to shop.example.com' } });
 * new HttpIngressRoute(this, 'Old', {
 *   gateway,
 *   hostnames: ['old.example.com'],
 *   rules: [{ extensions: [gone.reference] }],
 * });
 */
export class HttpRouteFilter extends Construct {
  /** Its name. */
  public readonly name: string;

  /** Its namespace. */
  public readonly namespace: string;

  /** The rendered HTTPRouteFilter, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: HttpRouteFilterProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.resource = new MeshObject<envoyGateway.HttpRouteFilterSpec>(this, 'Resource', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'HTTPRouteFilter',
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: (spec) => envoyGatewayBindings().HttpRouteFilter.manifest({ spec }),
      spec: () => filterSpec(props),
    });
    refuseAtSynth(this, () => this.problems(props));
  }

  /** How a rule refers to it: `extensions: [filter.reference]`. */
  public get reference(): FilterReference {
    return { group: 'gateway.envoyproxy.io', kind: 'HTTPRouteFilter', name: this.name };
  }

  private problems(props: HttpRouteFilterProps): Problem[] {
    const { directResponse, replacePath, hostFromHeader, credential, cookies = [] } = props;
    const problems = [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...(credential ? objectNameProblems('secretName of the credential', credential.secretName) : []),
    ];
    if (!directResponse && !replacePath && hostFromHeader === undefined && !credential && !cookies.length)
      problems.push({
        what: 'a filter that does nothing',
        why: 'requests would pass as they are',
        fix: 'give `directResponse`, `replacePath`, `hostFromHeader`, `credential` or `cookies`',
      });
    const status = directResponse?.statusCode;
    if (status !== undefined && (!Number.isInteger(status) || status < 200 || status > 599))
      problems.push({
        what: `a direct response with status ${status}`,
        why: 'Envoy refuses it, and with it all updates of the proxy',
        fix: 'use 200 to 599',
      });
    if (replacePath?.pattern === '')
      problems.push({ what: 'replacePath with an empty pattern', why: 'the API server refuses it', fix: 'write one' });
    if (replacePath && /\$\d/.test(replacePath.substitution))
      problems.push({
        what: `replacePath with the substitution ${quote(replacePath.substitution)}`,
        why: 'groups are written \\1 there: "$1" would be sent as it is',
        fix: `did you mean ${quote(replacePath.substitution.replace(/\$(\d)/g, '\\$1'))}?`,
      });
    return problems;
  }
}

function filterSpec(props: HttpRouteFilterProps): envoyGateway.HttpRouteFilterSpec {
  const { directResponse, replacePath, hostFromHeader, credential, cookies } = props;
  const rewrites = replacePath !== undefined || hostFromHeader !== undefined;
  return {
    urlRewrite: rewrites
      ? {
          hostname:
            hostFromHeader === undefined
              ? undefined
              : { type: 'Header' as envoyGateway.HttpRouteFilterSpecUrlRewriteHostnameType, header: hostFromHeader },
          path: replacePath && {
            type: 'ReplaceRegexMatch' as envoyGateway.HttpRouteFilterSpecUrlRewritePathType,
            replaceRegexMatch: { ...replacePath },
          },
        }
      : undefined,
    directResponse: directResponse && {
      statusCode: directResponse.statusCode,
      contentType: directResponse.contentType,
      body: directResponse.body === undefined ? undefined : { type: 'Inline', inline: directResponse.body },
    },
    credentialInjection: credential && {
      header: credential.header,
      overwrite: credential.overwrite,
      credential: { valueRef: { name: credential.secretName } },
    },
    matches: cookies?.length ? [{ cookies: cookies.map(cookieSpec) }] : undefined,
  };
}

function cookieSpec({ name, value, isExpression }: CookieMatch): envoyGateway.HttpRouteFilterSpecMatchesCookies {
  const Type = { true: 'RegularExpression', false: 'Exact' } as const;
  return {
    name,
    value,
    type: Type[`${isExpression ?? false}`] as envoyGateway.HttpRouteFilterSpecMatchesCookiesType,
  };
}
