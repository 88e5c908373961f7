import { Duration } from 'cdk8s';
import { HeaderChanges } from '../core/header-changes';
import { HttpMatch } from './http-match';
import { IngressBackend } from './ingress-backend';
import { SessionPersistence } from './session-persistence';

/** How a request changes before it is sent on. */
export interface UrlRewrite {
  /**
   * What takes the place of the matched prefix, with a leading slash. Needs a rule with exactly one prefix match. A match that ends in a
   * slash, such as "/httpbin/", also takes in "/httpbin", which then goes on without the rewrite.
   *
   * @default the path stays
   */
  readonly prefix?: string;

  /**
   * What takes the place of the whole path.
   *
   * @default the path stays
   */
  readonly path?: string;

  /**
   * What takes the place of the Host header.
   *
   * @default the name of the Service where the gateway sends through a sidecar, which finds the Service by it; the host that the client asked for
   * goes along in x-forwarded-host. Elsewhere the host stays.
   */
  readonly hostname?: string;
}

/** Where clients are sent instead. */
export interface HttpRedirect {
  /**
   * "http" or "https".
   *
   * @default the request's own
   */
  readonly scheme?: string;

  /**
   * The host.
   *
   * @default the request's own
   */
  readonly hostname?: string;

  /**
   * The port.
   *
   * @default the usual one of the scheme
   */
  readonly port?: number;

  /**
   * What takes the place of the matched prefix. Needs a rule with exactly one prefix match.
   *
   * @default the path stays
   */
  readonly prefix?: string;

  /**
   * What takes the place of the whole path.
   *
   * @default the path stays
   */
  readonly path?: string;

  /**
   * 301 (for good) or 302 (for now); by Gateway API 1.5 and Envoy Gateway 1.8 also 303, 307 and 308. Clients repeat a POST as it is after 307 and 308, and as
   * a GET after the others.
   *
   * @default 302
   */
  readonly statusCode?: number;
}

/**
 * How often and when a request is tried again. Attempts that fail for want of a connection are always counted among them.
 *
 * @see https://gateway-api.sigs.k8s.io/geps/gep-1731/
 */
export interface HttpRetry {
  /**
   * How often at most, after the first time.
   *
   * @default 1 by Gateway API 1.7; of an older one 2, for Istio and Envoy Gateway
   */
  readonly attempts?: number;

  /**
   * Statuses of a backend that are tried again, 400 to 599.
   *
   * @default none: failures of connections alone for Istio; Envoy Gateway's own beside those
   */
  readonly statusCodes?: number[];

  /**
   * How long is waited before, at the least.
   *
   * @default the class's own: 25 milliseconds, longer with each attempt
   */
  readonly backoff?: Duration;
}

/**
 * Which pages of other origins may call. Gateways answer the question that browsers ask first (preflight) by themselves.
 *
 * @see https://gateway-api.sigs.k8s.io/geps/gep-1767/
 */
export interface HttpCors {
  /** The origins, such as "https://shop.example.com", "https://*.example.com", or "*" for any. */
  readonly allowOrigins: string[];

  /**
   * The methods, or "*" for any.
   *
   * @default GET, HEAD and POST
   */
  readonly allowMethods?: string[];

  /**
   * The headers that a page may send, or "*" for any.
   *
   * @default those that browsers need no leave for
   */
  readonly allowHeaders?: string[];

  /**
   * The headers of answers that a page may read.
   *
   * @default those that browsers need no leave for
   */
  readonly exposeHeaders?: string[];

  /**
   * Whether cookies and passwords go along.
   *
   * @default false
   */
  readonly allowCredentials?: boolean;

  /**
   * How long a browser may remember the answer.
   *
   * @default 5 seconds
   */
  readonly maxAge?: Duration;
}

/** A filter that is an object of its own, such as Envoy Gateway's HTTPRouteFilter. */
export interface FilterReference {
  /** Its API group. */
  readonly group: string;

  /** Its kind. */
  readonly kind: string;

  /** Its name, in the route's namespace. */
  readonly name: string;
}

/** What is done with the requests that fit. */
export interface HttpRule {
  /**
   * Which requests it is about: those that fit any of these.
   *
   * @default all
   */
  readonly matches?: HttpMatch[];

  /**
   * Where they go. Several share the requests by weight.
   *
   * @default nowhere, which a rule with a `redirect` needs
   */
  readonly backends?: IngressBackend[];

  /**
   * How they change before they are sent on.
   *
   * @default only as the class of the gateway needs it; see `UrlRewrite.hostname`
   */
  readonly rewrite?: UrlRewrite;

  /**
   * Whether the Host header stays as the client sent it though the gateway sends through a sidecar. The sidecar then knows the Service by
   * nothing: it sends plain text (ALLOW_ANY), or answers 502 (REGISTRY_ONLY).
   *
   * @default false
   */
  readonly keepHost?: boolean;

  /**
   * Where clients are sent instead. Excludes backends and a rewrite.
   *
   * @default not
   */
  readonly redirect?: HttpRedirect;

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
   * Who gets a copy of each request, and whose answers no one sees.
   *
   * @default no one
   */
  readonly mirrorTo?: IngressBackend[];

  /**
   * Filters that are objects of their own.
   *
   * @default none
   */
  readonly extensions?: FilterReference[];

  /**
   * Which pages of other origins may call. Needs Gateway API 1.5 or newer, or the experimental channel of an older one.
   *
   * @default browsers let none
   */
  readonly cors?: HttpCors;

  /**
   * What is tried again. Needs Gateway API 1.7 or newer, or the experimental channel of an older one.
   *
   * @default the class's own: Istio tries twice where no connection came about
   */
  readonly retry?: HttpRetry;

  /**
   * Which Pod a client comes back to. For gateways that know the Pods of a Service: not those that send through a sidecar, and not Istio's. Needs the experimental channel of Gateway API.
   *
   * @default any
   */
  readonly sessionPersistence?: SessionPersistence;

  /**
   * How long the whole may take, retries included.
   *
   * @default the class's own
   */
  readonly timeout?: Duration;

  /**
   * How long one attempt of a backend may take.
   *
   * @default the class's own
   */
  readonly backendTimeout?: Duration;

  /**
   * Its name, for policies that are about it alone.
   *
   * @default none
   */
  readonly name?: string;
}
