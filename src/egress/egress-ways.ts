import { TlsCredential } from '../mesh/tls-credential';
import { ServerTrust } from './server-trust';
import type { TransparentProxy } from './transparent-proxy';

/** How a proxy makes the TLS to an external service. */
export interface TlsOriginationOptions {
  /**
   * The name sent as SNI.
   *
   * @default the host; for a wildcard, what the application asked for
   */
  readonly sni?: string;

  /**
   * The names that the server's certificate may carry. An empty list has a certificate of any name accepted.
   *
   * @default what the ExternalService says, else the SNI; for a wildcard, what the application asked for; with a client certificate any
   * name, since the credential's own CA vouches for the server
   */
  readonly subjectAltNames?: string[];

  /**
   * Whom the proxy trusts.
   *
   * @default the CAs of its operating system
   */
  readonly trust?: ServerTrust;

  /**
   * A subset of the host's DestinationRule that carries the TLS, so that the host's other traffic keeps its own settings.
   *
   * @default no subset where nothing else uses the port through this proxy; "originate-tls" where something does
   */
  readonly subset?: string;

  /**
   * The name of the DestinationRule.
   *
   * @default "originate-tls-for-" and the host, or "originate-mtls-for-" and the host
   */
  readonly destinationRule?: string;
}

/** What a proxy does with plain HTTP on its way out. */
export class HttpEgress {
  /** It is passed on as it is. */
  public static asIs(): HttpEgress {
    return new HttpEgress('AS_IS');
  }

  /**
   * The proxy makes TLS of it, so that applications speak plain HTTP and the site sees HTTPS.
   *
   * @param options how
   */
  public static originateTls(options?: TlsOriginationOptions): HttpEgress {
    return new HttpEgress('SIMPLE', options);
  }

  /**
   * The proxy makes TLS of it and shows a client certificate.
   *
   * @param credential the Secret with the certificate, its key, and the CA of the server
   * @param options how
   */
  public static originateMutualTls(credential: TlsCredential, options?: TlsOriginationOptions): HttpEgress {
    return new HttpEgress('MUTUAL', options, credential);
  }

  /** It does not take this way: it leaves from the sidecar, if at all. */
  public static direct(): HttpEgress {
    return new HttpEgress('DIRECT');
  }

  private constructor(
    /** What happens: AS_IS, SIMPLE, MUTUAL or DIRECT. */
    public readonly mode: string,
    /** How TLS is made, where it is. */
    public readonly tls?: TlsOriginationOptions,
    /** The client certificate, for mutual TLS. */
    public readonly credential?: TlsCredential,
  ) {}

  /** @internal */
  public get _originates(): boolean {
    return this.mode === 'SIMPLE' || this.mode === 'MUTUAL';
  }
}

/** What a sidecar or gateway does with TLS that the application makes. */
export class TlsEgress {
  /** It passes through unopened, routed by its SNI. The application's TLS reaches the site. */
  public static passthrough(): TlsEgress {
    return new TlsEgress('PASSTHROUGH');
  }

  /**
   * It is taken through a proxy outside the mesh by CONNECT, unopened. The application's TLS reaches the site.
   *
   * @param proxy the proxy
   */
  public static tunnel(proxy: TransparentProxy): TlsEgress {
    return new TlsEgress('TUNNEL', proxy);
  }

  /** It does not take this way: it leaves from the sidecar. */
  public static direct(): TlsEgress {
    return new TlsEgress('DIRECT');
  }

  private constructor(
    /** What happens: PASSTHROUGH, TUNNEL or DIRECT. */
    public readonly mode: string,
    /** The proxy, for tunnels. */
    public readonly proxy?: TransparentProxy,
  ) {}
}

/** What a sidecar or gateway does with other TCP connections. */
export class TcpEgress {
  /** They are passed on as they are. */
  public static asIs(): TcpEgress {
    return new TcpEgress('AS_IS');
  }

  /**
   * They are taken through a proxy outside the mesh by CONNECT. Many proxies allow that for port 443 only.
   *
   * @param proxy the proxy
   */
  public static tunnel(proxy: TransparentProxy): TcpEgress {
    return new TcpEgress('TUNNEL', proxy);
  }

  /** They do not take this way: they leave from the sidecar. */
  public static direct(): TcpEgress {
    return new TcpEgress('DIRECT');
  }

  private constructor(
    /** What happens: AS_IS, TUNNEL or DIRECT. */
    public readonly mode: string,
    /** The proxy, for tunnels. */
    public readonly proxy?: TransparentProxy,
  ) {}
}
