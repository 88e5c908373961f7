import { ApiObject, ApiObjectMetadata, Chart, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { covers, nameOfHost } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems, shorten } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { Audience } from '../mesh/audience';
import { MeshObject } from '../mesh/mesh-object';
import { CertificateIssuer, ListenerCertificate } from './listener-certificate';
import { Publication, PublishedPath, SharedIngress } from './shared-ingress';
import { SharedDomain } from './shared-ingress-gateway';

/** What there is to say of Istio's own gateway that services are published on. */
export interface SharedClassicIngressProps {
  /**
   * The labels of the gateway's Pods.
   *
   * @default istio: ingressgateway
   */
  readonly selector?: { [key: string]: string };

  /**
   * The namespace of the gateway's Pods, where certificates have to lie.
   *
   * @default "istio-system"
   */
  readonly proxyNamespace?: string;

  /**
   * Who signs certificates of hosts that bring none of their own: cert-manager makes one for each host.
   *
   * @default none: the certificate of a host is the Secret named after it ("shop-example-com"), in `proxyNamespace`
   */
  readonly issuer?: CertificateIssuer;

  /**
   * Wildcards with one certificate for all their hosts.
   *
   * @default none
   */
  readonly domains?: SharedDomain[];

  /**
   * The namespace of the Gateway.
   *
   * @default the chart's namespace, else "default"
   */
  readonly namespace?: string;

  /**
   * The name of the Gateway.
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

/** A Gateway of Istio's own API that another repository owns. */
export interface SharedClassicIngressAttributes {
  /** Its name. */
  readonly name: string;

  /** Its namespace. */
  readonly namespace: string;

  /**
   * The namespace of the gateway's Pods.
   *
   * @default "istio-system"
   */
  readonly proxyNamespace?: string;
}

/**
 * One gateway in Istio's own API that services are published on. Renders one Gateway, whose servers are one a certificate and one for plain HTTP, and the Certificates that its issuer is
 * asked for. Only the namespaces that publish a host may route it.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/gateway/
 * @example
 * const edge = new SharedClassicIngress(this, 'Edge', { issuer: CertificateIssuer.cluster('letsencrypt') });
 * new PublishedService(this, 'Shop', {
 *   ingress: edge,
 *   hostname: 'shop.example.com',
 *   backend: IngressBackend.service('shop', 80),
 * });
 */
export class SharedClassicIngress extends SharedIngress {
  /**
   * A Gateway that another repository owns: what is published renders VirtualServices alone.
   *
   * @param scope the construct above
   * @param id the construct's id
   * @param attributes its name and namespace
   */
  public static fromAttributes(
    scope: Construct,
    id: string,
    attributes: SharedClassicIngressAttributes,
  ): SharedIngress {
    return new ForeignClassicIngress(scope, id, attributes);
  }

  public readonly name: string;
  public readonly namespace: string;

  /** The namespace of the gateway's Pods. */
  public readonly proxyNamespace: string;

  /** The rendered Gateway, to patch. */
  public readonly resource: ApiObject;

  private readonly published: Publication[] = [];

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: SharedClassicIngressProps = {},
  ) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.proxyNamespace = props.proxyNamespace ?? 'istio-system';
    this.resource = new MeshObject<networking.GatewayProps>(this, 'Resource', {
      ...networking.Gateway.GVK,
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: networking.Gateway.manifest,
      spec: () => ({ spec: { selector: props.selector ?? { istio: 'ingressgateway' }, servers: this.servers() } }),
    });
    refuseAtSynth(this, () => this.problems());
  }

  /** @internal */
  public override get _targetsByGateway(): boolean {
    return false;
  }

  /** @internal */
  public override _publish(scope: Construct, publication: Publication): ApiObject[] {
    this.published.push(publication);
    if (!publication.plainHttp) this.certify(publication);
    return [virtualService(scope, publication, `${this.namespace}/${this.name}`, this.proxyNamespace)];
  }

  private certificateOf({ certificate, hostname }: Publication): ListenerCertificate {
    const { domains = [], issuer } = this.props;
    const domain = domains.find((one) => covers(one.hostname, hostname));
    if (certificate ?? domain) return (certificate ?? domain?.certificate) as ListenerCertificate;
    const name = shorten(nameOfHost(hostname));
    return issuer ? ListenerCertificate.certManager(name, issuer) : ListenerCertificate.secret(name);
  }

  private certify(publication: Publication): void {
    const certificate = this.certificateOf(publication);
    const { secretName, issuer } = certificate;
    if (!issuer || this.node.tryFindChild(`Certificate-${secretName}`)) return;
    const domain = this.props.domains?.find(({ certificate: one }) => one === certificate);
    new ApiObject(this, `Certificate-${secretName}`, {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: secretName, namespace: this.proxyNamespace },
      spec: {
        secretName,
        dnsNames: certificate._dnsNames(domain?.hostname ?? publication.hostname),
        issuerRef: { group: 'cert-manager.io', kind: issuer.kind, name: issuer.name },
      },
    });
  }

  /** One server a certificate: browsers reuse a connection for all hosts of one, and a server's hosts share their routes. */
  private servers(): networking.GatewaySpecServers[] {
    const secure = new Map<string, Set<string>>();
    const plain = new Set<string>();
    const redirected = new Set<string>();
    for (const one of this.published) {
      const host = `${one.namespace}/${one.hostname}`;
      if (one.plainHttp) plain.add(host);
      else {
        const { secretName } = this.certificateOf(one);
        secure.set(secretName, (secure.get(secretName) ?? new Set()).add(host));
      }
      if (one.redirectHttp) redirected.add(host);
    }
    const httpPort = (name: string) => ({ number: 80, name, protocol: 'HTTP' });
    return [
      ...[...secure]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([secret, hosts]) => ({
          port: { number: 443, name: shorten(`https-${secret}`), protocol: 'HTTPS' },
          tls: { mode: networking.GatewaySpecServersTlsMode.SIMPLE, credentialName: secret },
          hosts: [...hosts].sort(),
        })),
      ...(redirected.size
        ? [{ port: httpPort('http-redirect'), tls: { httpsRedirect: true }, hosts: [...redirected].sort() }]
        : []),
      ...(plain.size ? [{ port: httpPort('http'), hosts: [...plain].sort() }] : []),
    ];
  }

  private problems(): Problem[] {
    const foreign = this.published
      .filter(({ plainHttp }) => !plainHttp)
      .map((one) => this.certificateOf(one))
      .filter(({ namespace }) => namespace !== undefined && namespace !== this.proxyNamespace);
    const problems: Problem[] = [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', this.namespace),
      ...foreign.map(({ secretName, namespace }) => ({
        what: `certificate ${quote(secretName)} lies in namespace ${quote(namespace)}, the gateway's Pods in ${quote(this.proxyNamespace)}`,
        why: 'a proxy gets Secrets of its own namespace only: TLS would not be served',
        fix: `put the Secret into ${quote(this.proxyNamespace)}`,
      })),
      ...this.hostsOfTwoNamespaces(),
    ];
    if (!this.published.length)
      problems.push({
        what: 'publishes nothing',
        why: 'Istio refuses a Gateway without servers',
        fix: 'add a PublishedService, or leave it out',
      });
    return problems;
  }

  private hostsOfTwoNamespaces(): Problem[] {
    const plain = new Map(this.published.map((one) => [`${one.hostname} ${one.plainHttp}`, one.hostname]));
    const hosts = [...plain.values()];
    return [...new Set(hosts.filter((host, i) => hosts.indexOf(host) !== i))].map((host) => ({
      what: `host ${quote(host)} is published by plain HTTP and by HTTPS`,
      why: 'port 80 either redirects a host or serves it',
      fix: 'publish all of a host in one way',
    }));
  }
}

class ForeignClassicIngress extends SharedIngress {
  public readonly name: string;
  public readonly namespace: string;

  public constructor(
    scope: Construct,
    id: string,
    private readonly attributes: SharedClassicIngressAttributes,
  ) {
    super(scope, id);
    this.name = attributes.name;
    this.namespace = attributes.namespace;
  }

  public override get _targetsByGateway(): boolean {
    return false;
  }

  public override _publish(scope: Construct, publication: Publication): ApiObject[] {
    refuseAtSynth(scope, () =>
      publication.certificate
        ? [
            {
              what: `a certificate for ${quote(publication.hostname)} at ${this.node.path}, which another repository owns`,
              why: 'servers and their certificates are said where the Gateway is',
              fix: 'leave it out here, and have the owner add the host to a server',
            },
          ]
        : [],
    );
    const { proxyNamespace = 'istio-system' } = this.attributes;
    return [virtualService(scope, publication, `${this.namespace}/${this.name}`, proxyNamespace)];
  }
}

function virtualService(
  scope: Construct,
  { name, namespace, hostname, paths, timeout, labels, annotations }: Publication,
  gateway: string,
  proxyNamespace: string,
): ApiObject {
  return new MeshObject<networking.VirtualServiceProps>(scope, 'Route', {
    ...networking.VirtualService.GVK,
    metadata: objectMetadata({ name, namespace }, { labels: labels && { ...labels }, annotations: { ...annotations } }),
    manifest: networking.VirtualService.manifest,
    spec: () => ({
      spec: {
        hosts: [hostname],
        gateways: [gateway],
        exportTo: Audience.ownNamespace()._exportTo(namespace, proxyNamespace),
        http: paths.flatMap((path) => routesOf(path, namespace, path.timeout ?? timeout)),
      },
    }),
  });
}

/** A prefix as Gateway API understands it, by whole segments: "/api" and "/api/x", not "/apix". */
function routesOf(
  { name, prefix, backend, rewritePrefix }: PublishedPath,
  namespace: string,
  timeout: Duration | undefined,
): networking.VirtualServiceSpecHttp[] {
  const destination = { host: backend._host(namespace, 'cluster.local'), port: { number: backend.port } };
  const rest = { name, timeout: timeout && `${timeout.toMilliseconds()}ms`, route: [{ destination }] };
  const [stem, to] = [prefix, rewritePrefix ?? prefix].map((path) => path.replace(/\/$/, ''));
  const inside = { uri: { prefix: `${stem}/` } };
  const rewrite = (uri: string) => (rewritePrefix === undefined ? undefined : { uri });
  if (stem === '') return [{ match: [inside], rewrite: rewrite(`${to}/`), ...rest }];
  const itself = { uri: { exact: stem } };
  if (rewritePrefix === undefined) return [{ match: [itself, inside], ...rest }];
  return [
    { match: [itself], rewrite: rewrite(to || '/'), ...rest },
    { match: [inside], rewrite: rewrite(`${to}/`), ...rest },
  ];
}
