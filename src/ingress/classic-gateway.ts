import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as networking from '../../imports/networking.istio.io';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems, portProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { TlsCredential } from '../mesh/tls-credential';
import { TlsVersion } from '../mesh/tls-version';

/** What may be said of a server beyond its hosts. */
export interface ClassicServerOptions {
  /**
   * The port that the proxy listens on.
   *
   * @default 80 for HTTP, else 443
   */
  readonly port?: number;

  /**
   * The name of the port, unique in the gateway.
   *
   * @default the protocol in lower case, such as "https"
   */
  readonly name?: string;
}

/** What may be said of a server that ends TLS. */
export interface ClassicTlsServerOptions extends ClassicServerOptions {
  /**
   * Whether clients have to show a certificate, which the CA of the same Secret is asked for.
   *
   * @default false
   */
  readonly clientCertificates?: boolean;

  /**
   * The oldest version of TLS that clients may speak.
   *
   * @default Istio's own: 1.2
   */
  readonly minTlsVersion?: TlsVersion;
}

/**
 * What a gateway of Istio's own API listens for. Each protocol carries just what it can use.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/gateway/#Server
 */
export class ClassicServer {
  /**
   * Plain HTTP.
   *
   * @param hosts the hosts that it is for, or "*" for all
   * @param options port and name
   */
  public static http(hosts: string[], options?: ClassicServerOptions): ClassicServer {
    return new ClassicServer('HTTP', hosts, 80, options);
  }

  /**
   * Plain HTTP that sends clients to HTTPS.
   *
   * @param hosts the hosts that it is for, or "*" for all
   * @param options port and name
   */
  public static redirectToHttps(hosts: string[], options?: ClassicServerOptions): ClassicServer {
    return new ClassicServer('HTTP', hosts, 80, options, { httpsRedirect: true });
  }

  /**
   * HTTPS, whose TLS ends here.
   *
   * @param hosts the hosts that it is for, or "*" for all
   * @param credential the certificate, a Secret in the namespace of the proxy
   * @param options port, name and what clients have to show
   */
  public static https(hosts: string[], credential: TlsCredential, options?: ClassicTlsServerOptions): ClassicServer {
    const modes = networking.GatewaySpecServersTlsMode;
    const versions = networking.GatewaySpecServersTlsMinProtocolVersion;
    const { minTlsVersion } = options ?? {};
    return new ClassicServer('HTTPS', hosts, 443, options, {
      mode: options?.clientCertificates ? modes.MUTUAL : modes.SIMPLE,
      credentialName: credential.name,
      minProtocolVersion:
        minTlsVersion &&
        (minTlsVersion === TlsVersion.V1_2 ? versions.TLSV1_UNDERSCORE_2 : versions.TLSV1_UNDERSCORE_3),
    });
  }

  /**
   * TLS that is passed on unread, by SNI.
   *
   * @param hosts the hosts that it is for, or "*" for all
   * @param options port and name
   */
  public static tlsPassthrough(hosts: string[], options?: ClassicServerOptions): ClassicServer {
    return new ClassicServer('TLS', hosts, 443, options, { mode: networking.GatewaySpecServersTlsMode.PASSTHROUGH });
  }

  /**
   * Any other protocol.
   *
   * @param port the port that the proxy listens on
   * @param name the name of the port; left out, "tcp"
   */
  public static tcp(port: number, name?: string): ClassicServer {
    return new ClassicServer('TCP', ['*'], port, { name });
  }

  /** The port that the proxy listens on. */
  public readonly port: number;

  /** The name of the port. */
  public readonly name: string;

  private constructor(
    /** Istio's word for the protocol. */
    public readonly protocol: string,
    /** The hosts that it is for. */
    public readonly hosts: string[],
    usualPort: number,
    options: ClassicServerOptions | undefined,
    private readonly tls?: networking.GatewaySpecServersTls,
  ) {
    this.port = options?.port ?? usualPort;
    this.name = options?.name ?? protocol.toLowerCase();
  }

  /** @internal */
  public _spec(): networking.GatewaySpecServers {
    const { port: number, name, protocol } = this;
    return { port: { number, name, protocol }, hosts: [...this.hosts], tls: this.tls };
  }

  /** @internal */
  public _problems(): Problem[] {
    const problems = portProblems(`port of server ${quote(this.name)}`, this.port);
    if (!this.hosts.length)
      problems.push({
        what: `server ${quote(this.name)} is for no host`,
        why: 'istiod refuses it',
        fix: 'name a host, or "*" for all',
      });
    return problems;
  }
}

/** A gateway of Istio's own API, as routes need to know it. */
export interface IClassicGateway extends IConstruct {
  /** Its name. */
  readonly name: string;

  /** Its namespace. */
  readonly namespace: string;
}

/** What there is to say of a gateway of Istio's own API. */
export interface ClassicGatewayProps {
  /** What it listens for. */
  readonly servers: ClassicServer[];

  /**
   * Labels of the Pods that run the gateway.
   *
   * @default istio: ingressgateway
   */
  readonly selector?: { [key: string]: string };

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

/** Names a gateway of Istio's own API that is made elsewhere. */
export interface ClassicGatewayAttributes {
  /** Its name. */
  readonly name: string;

  /** Its namespace. */
  readonly namespace: string;
}

/**
 * A gateway of Istio's own API that several routes share. Renders one Gateway (networking.istio.io). `ClassicIngress` makes a gateway and its routes in one; new
 * gateways are better made with `IngressGateway`, by Gateway API.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/gateway/
 * @example
 * const gateway = new ClassicGateway(this, 'Shop', { servers: [ClassicServer.http(['shop.example.com'])] });
 * new ClassicRoute(this, 'Web', {
 *   gateways: [gateway],
 *   hosts: ['shop.example.com'],
 *   rules: [{ destinations: [ClassicDestination.host('web', { port: 80 })] }],
 * });
 */
export class ClassicGateway extends Construct implements IClassicGateway {
  /**
   * A gateway that is made elsewhere. Renders nothing.
   *
   * @param scope the construct above
   * @param id the construct's id
   * @param attributes its name and namespace
   */
  public static fromAttributes(scope: Construct, id: string, attributes: ClassicGatewayAttributes): IClassicGateway {
    return new ForeignClassicGateway(scope, id, attributes);
  }

  public readonly name: string;
  public readonly namespace: string;

  /** The rendered Gateway, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: ClassicGatewayProps) {
    super(scope, id);
    const { servers, selector = { istio: 'ingressgateway' } } = props;
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.resource = new MeshObject<networking.GatewayProps>(this, 'Resource', {
      ...networking.Gateway.GVK,
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: networking.Gateway.manifest,
      spec: () => ({ spec: { selector: { ...selector }, servers: servers.map((server) => server._spec()) } }),
    });
    const names = servers.map(({ name }) => name);
    const twice = names.filter((name, at) => names.indexOf(name) !== at);
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', props.namespace),
      ...servers.flatMap((server) => server._problems()),
      ...twice.map((name) => ({
        what: `two servers are named ${quote(name)}`,
        why: 'names of ports are unique in a gateway: istiod refuses it',
        fix: 'give each a `name`',
      })),
      ...(servers.length
        ? []
        : [{ what: 'has no server', why: 'nothing would be listened for', fix: 'give `servers`' }]),
    ]);
  }
}

class ForeignClassicGateway extends Construct implements IClassicGateway {
  public readonly name: string;
  public readonly namespace: string;

  public constructor(scope: Construct, id: string, attributes: ClassicGatewayAttributes) {
    super(scope, id);
    this.name = attributes.name;
    this.namespace = attributes.namespace;
  }
}
