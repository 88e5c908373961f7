/**
 * Whom a proxy trusts when it makes the TLS to an external service.
 *
 * Nothing said means the operating system's CAs since Istio 1.21, and no verification at all before. Here it is always said.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
 */
export class ServerTrust {
  /** The CAs that the proxy's operating system trusts: the public web. */
  public static systemCas(): ServerTrust {
    return new ServerTrust();
  }

  /**
   * The CA in a Secret's `ca.crt` (or `cacert`), beside the proxy that makes the TLS. No client certificate is taken from it.
   *
   * @param secretName a Secret in the proxy's own namespace
   */
  public static secret(secretName: string): ServerTrust {
    return new ServerTrust(secretName);
  }

  /**
   * A CA bundle that is mounted into the proxy.
   *
   * @param path the file, as the proxy sees it
   */
  public static file(path: string): ServerTrust {
    return new ServerTrust(undefined, path);
  }

  private constructor(
    /** The Secret with the CA, if it is in one. */
    public readonly secretName?: string,
    /** The file with the CA, if it is in one. */
    public readonly path?: string,
  ) {}
}
