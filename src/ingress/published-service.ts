import { ApiObject, ApiObjectMetadata, Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { hostProblems } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { HttpIngressRoute } from './http-ingress-route';
import { IngressBackend } from './ingress-backend';
import { ListenerCertificate } from './listener-certificate';
import { DnsRecord, PublishedPath, SharedIngress } from './shared-ingress';

/** What there is to say of a Service that is published. */
export interface PublishedServiceProps {
  /** The gateway that it is published on. */
  readonly ingress: SharedIngress;

  /** The host that clients ask for. */
  readonly hostname: string;

  /**
   * The Service that all paths go to.
   *
   * @default those of `paths`
   */
  readonly backend?: IngressBackend;

  /**
   * Paths that go elsewhere, or that are all there is where there is no `backend`. Prefixes are compared by whole segments ("/api" takes "/api/x" and not "/apix"), whoever runs the
   * gateway, and a longer one wins over a shorter one.
   *
   * @default none
   */
  readonly paths?: PublishedPath[];

  /**
   * The certificate.
   *
   * @default the gateway's: that of the host's domain, else one that its issuer signs, else the Secret named after the host
   */
  readonly certificate?: ListenerCertificate;

  /**
   * Whether plain HTTP is answered with a redirect (301) to HTTPS.
   *
   * @default true; false with `plainHttp`
   */
  readonly redirectHttp?: boolean;

  /**
   * Whether it is published by plain HTTP, with no certificate: for inside only.
   *
   * @default false
   */
  readonly plainHttp?: boolean;

  /**
   * How long a request may take.
   *
   * @default the gateway's own: 15 seconds for Envoy Gateway, no limit for Istio
   */
  readonly timeout?: Duration;

  /**
   * What DNS is told, by annotations that external-dns reads.
   *
   * @default the host's name alone
   */
  readonly dns?: DnsRecord;

  /**
   * The namespace of its routes: that of the Service, so that no grant is needed.
   *
   * @default the namespace of `backend`, else the chart's, else "default"
   */
  readonly namespace?: string;

  /**
   * The name of its routes.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * Labels and annotations of its routes.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * Publishes a Service at a host name: a listener with its certificate at the gateway, a redirect from plain HTTP, the route, the grants that this takes, and the annotation by which external-dns
 * makes the name known. Several are published on one gateway, from any chart.
 *
 * @example
 * new PublishedService(this, 'Shop', {
 *   ingress: edge,
 *   hostname: 'shop.example.com',
 *   backend: IngressBackend.service('shop', 80),
 *   paths: [{ prefix: '/api/', backend: IngressBackend.service('orders', 8080) }],
 * });
 */
export class PublishedService extends Construct {
  /** The host that clients ask for. */
  public readonly hostname: string;

  /** The rendered routes, to patch: an HTTPRoute and that of the redirect, or a VirtualService. */
  public readonly routes: ApiObject[];

  /** The route, for policies that are about it (`PolicyTarget.published`). None where Istio's own API is rendered. */
  public readonly route?: HttpIngressRoute;

  public constructor(scope: Construct, id: string, props: PublishedServiceProps) {
    super(scope, id);
    this.hostname = props.hostname;
    const plainHttp = props.plainHttp ?? false;
    const { metadata, dns, backend, ingress } = props;
    this.routes = ingress._publish(this, {
      name: props.name ?? nameOfId(id),
      namespace: props.namespace ?? backend?.namespace ?? Chart.of(this).namespace ?? 'default',
      hostname: props.hostname,
      paths: inOrder([...(props.paths ?? []), ...(backend ? [{ prefix: '/', backend }] : [])]),
      certificate: props.certificate,
      redirectHttp: props.redirectHttp ?? !plainHttp,
      plainHttp,
      timeout: props.timeout,
      labels: metadata?.labels,
      annotations: {
        ...metadata?.annotations,
        'external-dns.alpha.kubernetes.io/hostname': props.hostname,
        ...(dns?.ttl && { 'external-dns.alpha.kubernetes.io/ttl': String(dns.ttl.toSeconds()) }),
        ...(dns?.target !== undefined && { 'external-dns.alpha.kubernetes.io/target': dns.target }),
      },
    });
    const route = this.node.tryFindChild('Route');
    this.route = route instanceof HttpIngressRoute ? route : undefined;
    refuseAtSynth(this, () => this.problems(props));
  }

  private problems(props: PublishedServiceProps): Problem[] {
    const { backend, paths = [], plainHttp, ingress } = props;
    const problems = [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...hostProblems(props.hostname),
      ...(backend?._problems() ?? []),
      ...paths.flatMap((path) => path.backend._problems()),
    ];
    if (!backend && !paths.length)
      problems.push({
        what: `${quote(props.hostname)} is published with nothing behind it`,
        why: 'clients would get 404',
        fix: 'give `backend`, or `paths`',
      });
    const prefixes = [...paths.map(({ prefix }) => prefix), ...(backend ? ['/'] : [])];
    for (const prefix of new Set(prefixes.filter((one, i) => prefixes.indexOf(one) !== i)))
      problems.push({
        what: `prefix ${quote(prefix)} is there twice`,
        why: 'one of the two would get nothing',
        fix: prefix === '/' ? 'leave out `backend`, or the path' : 'keep one',
      });
    if (plainHttp && (props.certificate || props.redirectHttp))
      problems.push({
        what: '`plainHttp` with a certificate or a redirect',
        why: 'there is no HTTPS of the host',
        fix: 'leave out `plainHttp`, or the other',
      });
    if (props.dns?.target !== undefined && ingress._targetsByGateway)
      problems.push({
        what: `dns.target ${quote(props.dns.target)} at a route of Gateway API`,
        why: 'external-dns reads the target at the gateway, and passes over the one of a route',
        fix: 'give the SharedIngressGateway `dnsTarget`',
      });
    return problems;
  }
}

/** Istio's own API takes the first prefix that fits, Gateway API the longest: the longest first is both. */
function inOrder(paths: readonly PublishedPath[]): PublishedPath[] {
  return [...paths].sort((a, b) => b.prefix.length - a.prefix.length);
}
