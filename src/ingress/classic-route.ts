import { ApiObject, ApiObjectMetadata, Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { HeaderChanges } from '../core/header-changes';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { istioDuration } from '../mesh/istio-duration';
import { FaultInjection, treatment, treatmentProblems } from '../egress/upstream-requests';
import { EgressRetries, retriesOf } from '../egress/upstream-settings';
import { Audience } from '../mesh/audience';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { IClassicGateway } from './classic-gateway';
import { ClassicCors, classicCors, classicCorsProblems } from './classic-cors';
import { ClassicMatch, gatewayNames } from './classic-match';

/** What may be said of a destination beyond its host. */
export interface ClassicDestinationOptions {
  /**
   * The Service's port.
   *
   * @default its only one
   */
  readonly port?: number;

  /**
   * Which of its versions: a subset of a DestinationRule, as `ServiceVersions` has them.
   *
   * @default all
   */
  readonly version?: string;

  /**
   * Its share in per cent, beside the others of the rule.
   *
   * @default all, where it is the only one
   */
  readonly weight?: number;
}

/** Where a VirtualService sends requests or connections. */
export class ClassicDestination {
  /**
   * A host of the mesh: a Service by its name in the namespace of the route, by its full name, or the host of an external service.
   *
   * @param host the host
   * @param options its port, version and share
   */
  public static host(host: string, options?: ClassicDestinationOptions): ClassicDestination {
    return new ClassicDestination(host, options ?? {});
  }

  private constructor(
    private readonly name: string,
    private readonly options: ClassicDestinationOptions,
  ) {}

  /** @internal */
  public _spec(): networking.VirtualServiceSpecHttpRoute {
    const { port, version: subset, weight } = this.options;
    return {
      destination: { host: this.name, subset, port: port === undefined ? undefined : { number: port } },
      weight,
    };
  }
}

/** Where clients are sent instead. */
export interface ClassicRedirect {
  /**
   * The path.
   *
   * @default the request's own
   */
  readonly path?: string;

  /**
   * The host.
   *
   * @default the request's own
   */
  readonly host?: string;

  /**
   * "http" or "https".
   *
   * @default the request's own
   */
  readonly scheme?: string;

  /**
   * The status.
   *
   * @default 301
   */
  readonly statusCode?: number;
}

/** What is done with the HTTP requests that fit. */
export interface ClassicRule {
  /**
   * Which requests it is about: those that fit any of these. The first rule that fits wins.
   *
   * @default all
   */
  readonly matches?: ClassicMatch[];

  /**
   * Where they go.
   *
   * @default nowhere, which a rule with a `redirect` needs
   */
  readonly destinations?: ClassicDestination[];

  /**
   * Where clients are sent instead. Excludes destinations.
   *
   * @default not
   */
  readonly redirect?: ClassicRedirect;

  /**
   * What takes the place of the path, or of the prefix that was matched.
   *
   * @default the path stays
   */
  readonly rewritePath?: string;

  /**
   * What takes the place of the Host header.
   *
   * @default the host stays
   */
  readonly rewriteHost?: string;

  /**
   * How long a request may take.
   *
   * @default no limit
   */
  readonly timeout?: Duration;

  /**
   * How often requests are tried again. Without `on` it is for what Istio's own list has (`connect-failure`, `refused-stream`, `unavailable`, `cancelled`, `retriable-status-codes`).
   *
   * @default Istio's own: twice, for that list
   */
  readonly retries?: EgressRetries;

  /**
   * Delays and errors on purpose.
   *
   * @default none
   */
  readonly fault?: FaultInjection;

  /**
   * What is done to the headers of requests.
   *
   * @default nothing
   */
  readonly requestHeaders?: HeaderChanges;

  /**
   * What is done to the headers of responses.
   *
   * @default nothing
   */
  readonly responseHeaders?: HeaderChanges;

  /**
   * Which pages of other origins may call. Preflights are answered before `requestHeaders` and destinations; an AuthorizationPolicy at the gateway is asked first.
   *
   * @default none: browsers let no page of another origin read the answers, unless the destinations say so
   * @example
   * new ClassicRoute(this, 'Api', {
   *   hosts: ['api.example.com'],
   *   gateways: [ClassicGateway.fromAttributes(this, 'Public', { name: 'public', namespace: 'edge' })],
   *   rules: [
   *     {
   *       cors: { allowOrigins: [CorsOrigin.exact('https://shop.example.com')], allowMethods: ['GET', 'PUT'], allowCredentials: true },
   *       destinations: [ClassicDestination.host('api', { port: 8080 })],
   *     },
   *   ],
   * });
   */
  readonly cors?: ClassicCors;

  /**
   * Its name, which traces and access logs show.
   *
   * @default none
   */
  readonly name?: string;
}

/** What is done with TLS that passes unread. */
export interface ClassicTlsRule {
  /** The names that clients ask for, which have to be among the route's hosts. */
  readonly sniHosts: string[];

  /** Where the connections go. */
  readonly destinations: ClassicDestination[];

  /**
   * The port that was dialled.
   *
   * @default any
   */
  readonly port?: number;
}

/** What is done with connections of other protocols. */
export interface ClassicTcpRule {
  /** Where they go. */
  readonly destinations: ClassicDestination[];

  /**
   * The port that was dialled.
   *
   * @default any
   */
  readonly port?: number;
}

/** What there is to say of a route of Istio's own API. */
export interface ClassicRouteProps {
  /** The hosts that it is for: names of Services, of external services, or those that a gateway listens for. */
  readonly hosts: string[];

  /**
   * The gateways that take its requests.
   *
   * @default the proxies of clients in the mesh
   */
  readonly gateways?: IClassicGateway[];

  /**
   * Whether it is for clients in the mesh too, beside those of gateways.
   *
   * @default only where no gateway is named
   */
  readonly forMesh?: boolean;

  /**
   * What is done with HTTP.
   *
   * @default none
   */
  readonly rules?: ClassicRule[];

  /**
   * What is done with TLS that passes unread.
   *
   * @default none
   */
  readonly tlsRules?: ClassicTlsRule[];

  /**
   * What is done with other connections.
   *
   * @default none
   */
  readonly tcpRules?: ClassicTcpRule[];

  /**
   * Whose proxies see it.
   *
   * @default Istio's own: those of every namespace, unless the mesh says otherwise (`defaultVirtualServiceExportTo`)
   */
  readonly audience?: Audience;

  /**
   * Its namespace.
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
   * Labels and annotations of the VirtualService.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Routes of Istio's own API, at gateways and for clients in the mesh. Renders one VirtualService. What leaves the mesh is better said with `EgressGateway` and
 * `EgressTrafficPolicy`, and what comes in with `HttpIngressRoute`: these derive what has to agree with the route.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/virtual-service/
 * @example
 * new ClassicRoute(this, 'Reviews', {
 *   hosts: ['reviews'],
 *   rules: [
 *     {
 *       matches: [ClassicMatch.anyPath({ headers: { 'end-user': 'jason' } })],
 *       destinations: [ClassicDestination.host('reviews', { version: 'v2' })],
 *     },
 *     { destinations: [ClassicDestination.host('reviews', { version: 'v1' })], timeout: Duration.seconds(2) },
 *   ],
 * });
 */
export class ClassicRoute extends Construct {
  /** Its name. */
  public readonly name: string;

  /** Its namespace. */
  public readonly namespace: string;

  /** The rendered VirtualService, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: ClassicRouteProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.resource = new MeshObject<networking.VirtualServiceProps>(this, 'Resource', {
      ...networking.VirtualService.GVK,
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: networking.VirtualService.manifest,
      spec: () => ({ spec: this.spec(props) }),
    });
    refuseAtSynth(this, () => this.problems(props));
    namesNamespaces(this, () => props.audience?._named() ?? []);
  }

  private spec(props: ClassicRouteProps): networking.VirtualServiceSpec {
    const { rules = [], tlsRules = [], tcpRules = [] } = props;
    return {
      hosts: [...props.hosts],
      gateways: props.gateways?.length ? gatewayNames(props, this.namespace) : undefined,
      http: rules.length ? rules.map((rule) => httpRule(rule, this.namespace)) : undefined,
      tls: tlsRules.length
        ? tlsRules.map(({ sniHosts, port, destinations }) => ({
            match: [{ port, sniHosts: [...sniHosts] }],
            route: destinations.map((one) => one._spec()),
          }))
        : undefined,
      tcp: tcpRules.length
        ? tcpRules.map(({ port, destinations }) => ({
            match: port === undefined ? undefined : [{ port }],
            route: destinations.map((one) => one._spec()),
          }))
        : undefined,
      exportTo: props.audience?._exportTo(this.namespace),
    };
  }

  private problems(props: ClassicRouteProps): Problem[] {
    const { hosts, rules = [], tlsRules = [], tcpRules = [], gateways = [] } = props;
    const nowhere = (what: string): Problem => ({
      what: `${what} sends nowhere`,
      why: 'istiod refuses the whole VirtualService',
      fix: 'give it `destinations`',
    });
    const problems = [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', props.namespace),
      ...(props.audience?._problems() ?? []),
      ...rules.flatMap((rule) => ruleProblems(rule, props, nowhere)),
      ...[...tlsRules, ...tcpRules].filter((rule) => !rule.destinations.length).map(() => nowhere('a rule')),
    ];
    if (!hosts.length)
      problems.push({ what: 'is for no host', why: 'istiod refuses it', fix: 'give `hosts` at least one' });
    if (!rules.length && !tlsRules.length && !tcpRules.length)
      problems.push({ what: 'has no rule', why: 'istiod refuses it', fix: 'give `rules`, `tlsRules` or `tcpRules`' });
    if (hosts.includes('*') && !gateways.length)
      problems.push({
        what: 'is for every host, for clients in the mesh',
        why: 'istiod refuses "*" without a gateway: it would take all their requests',
        fix: 'name the hosts, or the `gateways` that it is for',
      });
    return problems;
  }
}

function httpRule(rule: ClassicRule, namespace: string): networking.VirtualServiceSpecHttp {
  const { redirect, rewritePath: uri, rewriteHost: authority, retries } = rule;
  return {
    name: rule.name,
    match: rule.matches?.length ? rule.matches.map((match) => match._spec(namespace)) : undefined,
    redirect: redirect && {
      uri: redirect.path,
      authority: redirect.host,
      scheme: redirect.scheme,
      redirectCode: redirect.statusCode,
    },
    rewrite: uri === undefined && authority === undefined ? undefined : { uri, authority },
    route: rule.destinations?.length ? rule.destinations.map((one) => one._spec()) : undefined,
    timeout: istioDuration(rule.timeout),
    retries: retries && retriesOf(retries),
    corsPolicy: rule.cors && classicCors(rule.cors),
    ...treatment(rule),
  };
}

function ruleProblems(rule: ClassicRule, route: ClassicRouteProps, nowhere: (what: string) => Problem): Problem[] {
  const { matches = [], destinations = [], redirect } = rule;
  const problems = [
    ...matches.flatMap((match) => match._problems(route)),
    ...(rule.cors ? classicCorsProblems(rule.cors) : []),
    ...treatmentProblems(rule),
  ];
  const what = rule.name === undefined ? 'a rule' : `rule ${quote(rule.name)}`;
  if (!destinations.length && !redirect) problems.push(nowhere(what));
  if (rule.cors && redirect)
    problems.push({
      what: `${what} has both \`redirect\` and \`cors\``,
      why: 'proxies answer preflights only where requests are sent on',
      fix: 'leave `cors` to the rule with destinations',
    });
  if (destinations.length && redirect)
    problems.push({
      what: `${what} has both \`redirect\` and \`destinations\``,
      why: 'istiod refuses the whole VirtualService',
      fix: 'keep one, or make it two rules',
    });
  return problems;
}
