import { ApiObject, ApiObjectMetadata } from 'cdk8s';
import { Construct } from 'constructs';
import { covers, nameOfHost } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { shorten } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { HttpIngressRoute } from './http-ingress-route';
import { HttpMatch } from './http-match';
import { HttpRule } from './http-rule';
import { IIngressClass } from './ingress-class';
import { IIngressGateway, IngressGateway } from './ingress-gateway';
import { IngressListener } from './ingress-listener';
import { CertificateIssuer, ListenerCertificate } from './listener-certificate';
import { Publication, SharedIngress } from './shared-ingress';

/** Hosts that one certificate stands for. */
export interface SharedDomain {
  /** A wildcard, such as "*.example.com". */
  readonly hostname: string;

  /** Its certificate. */
  readonly certificate: ListenerCertificate;
}

/** What there is to say of a gateway that services are published on. */
export interface SharedIngressGatewayProps {
  /** Who runs its proxies: an `EnvoyGatewayInMesh`, or `IngressClass.istio()`. */
  readonly ingressClass: IIngressClass;

  /**
   * Who signs certificates of hosts that bring none of their own: cert-manager makes one for each host.
   *
   * @default none: the certificate of a host is the Secret named after it ("shop-example-com"), in the gateway's namespace
   */
  readonly issuer?: CertificateIssuer;

  /**
   * Wildcards with one certificate for all their hosts. Such hosts share a listener, because browsers share connections among them.
   *
   * @default none
   */
  readonly domains?: SharedDomain[];

  /**
   * Where DNS names of published hosts lead (external-dns: `target` at the gateway).
   *
   * @default the address of the gateway's Service
   */
  readonly dnsTarget?: string;

  /**
   * Annotations of the Service and Pods that the class makes, such as those by which a cloud gives an inside address.
   *
   * @default none
   */
  readonly infrastructureAnnotations?: { [key: string]: string };

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
   * Labels and annotations of the Gateway.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/** A gateway of Gateway API that another repository owns. */
export interface SharedIngressGatewayAttributes {
  /** Its name. */
  readonly name: string;

  /** Its namespace. */
  readonly namespace: string;

  /** Who runs its proxies. */
  readonly ingressClass: IIngressClass;

  /**
   * Its listener of HTTPS that takes the hosts.
   *
   * @default "https"
   */
  readonly httpsListener?: string;

  /**
   * Its listener of plain HTTP, for redirects.
   *
   * @default "http"
   */
  readonly httpListener?: string;
}

/** The name of the listener on which plain HTTP is redirected. */
const HTTP = 'http';

/**
 * One gateway of Gateway API that services are published on: Istio's or Envoy Gateway's. Renders one Gateway, with a listener for each published host or domain and one for
 * plain HTTP, and the Certificates that its issuer is asked for.
 *
 * @see https://gateway-api.sigs.k8s.io/api-types/gateway/
 * @example
 * const edge = new SharedIngressGateway(this, 'Edge', {
 *   ingressClass: IngressClass.istio(),
 *   issuer: CertificateIssuer.cluster('letsencrypt'),
 * });
 * new PublishedService(this, 'Shop', {
 *   ingress: edge,
 *   hostname: 'shop.example.com',
 *   backend: IngressBackend.service('shop', 80),
 * });
 */
export class SharedIngressGateway extends SharedIngress {
  /**
   * A gateway that another repository owns: what is published renders routes alone, and its listeners and certificates are its owner's.
   *
   * @param scope the construct above
   * @param id the construct's id
   * @param attributes its name, namespace, class and listeners
   */
  public static fromAttributes(
    scope: Construct,
    id: string,
    attributes: SharedIngressGatewayAttributes,
  ): SharedIngress {
    return new ForeignIngressGateway(scope, id, attributes);
  }

  public readonly name: string;
  public readonly namespace: string;

  /** The gateway, for policies and further routes. */
  public readonly gateway: IngressGateway;

  private readonly issuer?: CertificateIssuer;
  private readonly domains: readonly SharedDomain[];
  private readonly byHost = new Map<string, { readonly listener: IngressListener; readonly secret: string }>();
  private readonly clashes: Problem[] = [];

  public constructor(scope: Construct, id: string, props: SharedIngressGatewayProps) {
    super(scope, id);
    this.issuer = props.issuer;
    this.domains = props.domains ?? [];
    const { dnsTarget, metadata } = props;
    const annotations: { [key: string]: string } = { ...metadata?.annotations };
    if (dnsTarget !== undefined) annotations['external-dns.alpha.kubernetes.io/target'] = dnsTarget;
    this.gateway = new IngressGateway(this, 'Gateway', {
      ingressClass: props.ingressClass,
      listeners: [],
      namespace: props.namespace,
      name: props.name ?? nameOfId(id),
      infrastructureAnnotations: props.infrastructureAnnotations,
      metadata: { ...metadata, annotations: Object.keys(annotations).length ? annotations : undefined },
    });
    this.name = this.gateway.name;
    this.namespace = this.gateway.namespace;
    refuseAtSynth(this, () => this.problems());
  }

  /** @internal */
  public override get _targetsByGateway(): boolean {
    return true;
  }

  /** @internal */
  public override _publish(scope: Construct, publication: Publication): ApiObject[] {
    if (publication.plainHttp || publication.redirectHttp) this.listenForHttp();
    const listener = publication.plainHttp ? HTTP : this.listenFor(publication);
    return routes(scope, this.gateway, publication, listener, HTTP);
  }

  private listenForHttp(): void {
    if (!this.gateway.listeners.some(({ name }) => name === HTTP)) this.gateway._addListener(IngressListener.http());
  }

  /** The listener of a host: that of its domain, else its own. */
  private listenFor({ hostname, certificate }: Publication): string {
    const domain = certificate ? undefined : this.domains.find((one) => covers(one.hostname, hostname));
    const host = domain?.hostname ?? hostname;
    const shown = domain?.certificate ?? certificate ?? this.usual(hostname);
    const secret = `${shown.namespace ?? this.namespace}/${shown.secretName}`;
    const known = this.byHost.get(host);
    if (known) {
      if (known.secret !== secret) this.clashes.push(twoCertificates(host, known.secret, secret));
      return known.listener.name;
    }
    const other = [...this.byHost].find(([, one]) => one.secret === secret)?.[0];
    if (other !== undefined) this.clashes.push(oneCertificate(secret, other, host));
    const listener = IngressListener.https(shown, { name: shorten(nameOfHost(host)), hostname: host });
    this.byHost.set(host, { listener, secret });
    this.gateway._addListener(listener);
    return listener.name;
  }

  private usual(hostname: string): ListenerCertificate {
    const name = shorten(nameOfHost(hostname));
    return this.issuer ? ListenerCertificate.certManager(name, this.issuer) : ListenerCertificate.secret(name);
  }

  private problems(): Problem[] {
    const exact = this.domains.filter(({ hostname }) => !hostname.startsWith('*.'));
    return [
      ...this.clashes,
      ...exact.map(({ hostname }) => ({
        what: `domain ${quote(hostname)} is no wildcard`,
        why: 'a domain stands for several hosts that share a certificate',
        fix: `such as "*.${hostname}"; a single host brings its \`certificate\` with PublishedService`,
      })),
    ];
  }
}

function twoCertificates(host: string, first: string, second: string): Problem {
  return {
    what: `host ${quote(host)} is published with the certificates ${quote(first)} and ${quote(second)}`,
    why: 'a listener of a host shows one',
    fix: 'give both the same, or leave it to the gateway',
  };
}

function oneCertificate(secret: string, first: string, second: string): Problem {
  return {
    what: `certificate ${quote(secret)} is shown for both ${quote(first)} and ${quote(second)}`,
    why: 'browsers reuse a connection for all hosts of a certificate, and get 404 for those of another listener',
    fix: 'give the gateway the wildcard: `domains: [{ hostname: "*.example.com", certificate }]`',
  };
}

class ForeignIngressGateway extends SharedIngress {
  public readonly name: string;
  public readonly namespace: string;
  private readonly gateway: IIngressGateway;

  public constructor(
    scope: Construct,
    id: string,
    private readonly attributes: SharedIngressGatewayAttributes,
  ) {
    super(scope, id);
    this.name = attributes.name;
    this.namespace = attributes.namespace;
    this.gateway = IngressGateway.fromAttributes(this, 'Gateway', attributes);
  }

  public override get _targetsByGateway(): boolean {
    return true;
  }

  public override _publish(scope: Construct, publication: Publication): ApiObject[] {
    const { httpsListener = 'https', httpListener = 'http' } = this.attributes;
    refuseAtSynth(scope, () =>
      publication.certificate
        ? [
            {
              what: `a certificate for ${quote(publication.hostname)} at ${this.node.path}, which another repository owns`,
              why: 'listeners and their certificates are said where the gateway is',
              fix: 'leave it out here, and have the owner add the host to a listener',
            },
          ]
        : [],
    );
    return routes(scope, this.gateway, publication, publication.plainHttp ? httpListener : httpsListener, httpListener);
  }
}

function routes(
  scope: Construct,
  gateway: IIngressGateway,
  publication: Publication,
  listener: string,
  httpListener: string,
): ApiObject[] {
  const { name, namespace, hostname, paths, timeout, annotations } = publication;
  const labels = publication.labels && { ...publication.labels };
  const route = new HttpIngressRoute(scope, 'Route', {
    gateway,
    listeners: [listener],
    hostnames: [hostname],
    rules: paths.map(({ prefix, backend, rewritePrefix, ...path }): HttpRule => ({
      name: path.name,
      matches: [HttpMatch.prefix(prefix)],
      backends: [backend],
      rewrite: rewritePrefix === undefined ? undefined : { prefix: rewritePrefix },
      timeout: path.timeout ?? timeout,
    })),
    namespace,
    name,
    metadata: { labels, annotations: { ...annotations } },
  });
  if (!publication.redirectHttp) return [route.resource];
  const redirect = new HttpIngressRoute(scope, 'Redirect', {
    gateway,
    listeners: [httpListener],
    hostnames: [hostname],
    rules: [{ redirect: { scheme: 'https', statusCode: 301 } }],
    namespace,
    name: shorten(`${name}-to-https`),
    metadata: { labels },
  });
  return [route.resource, redirect.resource];
}
