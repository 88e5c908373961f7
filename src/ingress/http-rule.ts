import { Duration } from 'cdk8s';
import { HeaderChanges } from '../core/header-changes';
import { HttpMatch } from './http-match';
import { IngressBackend } from './ingress-backend';

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
   * 301 (for good) or 302 (for now).
   *
   * @default 302
   */
  readonly statusCode?: number;
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
