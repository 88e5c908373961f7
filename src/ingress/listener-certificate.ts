import { objectNameProblems, namespaceProblems } from '../core/names';
import { Problem, quote } from '../core/problem';

/** Who signs certificates for cert-manager. */
export class CertificateIssuer {
  /**
   * A ClusterIssuer.
   *
   * @param name its name
   */
  public static cluster(name: string): CertificateIssuer {
    return new CertificateIssuer('ClusterIssuer', name);
  }

  /**
   * An Issuer in the namespace of the gateway.
   *
   * @param name its name
   */
  public static namespaced(name: string): CertificateIssuer {
    return new CertificateIssuer('Issuer', name);
  }

  private constructor(
    /** ClusterIssuer or Issuer. */
    public readonly kind: string,
    /** Its name. */
    public readonly name: string,
  ) {}
}

/** What may be said of a Secret beyond its name and namespace. */
export interface ListenerSecretOptions {
  /**
   * Whether whoever owns the other namespace gives the leave (ReferenceGrant), so that none is rendered here.
   *
   * @default false
   */
  readonly grantedElsewhere?: boolean;
}

/**
 * The certificate that a listener shows to clients: always a Secret of type `kubernetes.io/tls`, made by someone else. No key goes
 * into a manifest.
 *
 * @see https://gateway-api.sigs.k8s.io/guides/tls/
 */
export class ListenerCertificate {
  /**
   * A Secret that was made elsewhere.
   *
   * @param name its name
   * @param namespace where it lies, if not in the namespace of the gateway; the ReferenceGrant that this takes is rendered too
   * @param options who gives the leave
   */
  public static secret(name: string, namespace?: string, options?: ListenerSecretOptions): ListenerCertificate {
    return new ListenerCertificate(name, namespace, undefined, [], false, options?.grantedElsewhere);
  }

  /**
   * A Secret that cert-manager fills, by a Certificate that is rendered too.
   *
   * @param secretName the name of the Secret, and of the Certificate
   * @param issuer who signs
   * @param dnsNames the names in the certificate; left out, the hostname of the listener
   */
  public static certManager(secretName: string, issuer: CertificateIssuer, dnsNames?: string[]): ListenerCertificate {
    return new ListenerCertificate(secretName, undefined, issuer, dnsNames ?? [], false);
  }

  /**
   * A Secret that cert-manager fills because an annotation of the Gateway asks for it. The listener needs a hostname, and all listeners of
   * the gateway the same issuer.
   *
   * @param secretName the name of the Secret
   * @param issuer who signs
   */
  public static certManagerAnnotation(secretName: string, issuer: CertificateIssuer): ListenerCertificate {
    return new ListenerCertificate(secretName, undefined, issuer, [], true);
  }

  private constructor(
    /** The name of the Secret. */
    public readonly secretName: string,
    /** The namespace of the Secret, if another than that of the gateway was said. */
    public readonly namespace?: string,
    /** Who signs it, if cert-manager fills it. */
    public readonly issuer?: CertificateIssuer,
    private readonly names: readonly string[] = [],
    private readonly byAnnotation = false,
    private readonly grantedElsewhere = false,
  ) {}

  /** @internal */
  public get _isGrantedElsewhere(): boolean {
    return this.grantedElsewhere;
  }

  /** @internal */
  public get _isAnnotated(): boolean {
    return this.byAnnotation;
  }

  /** @internal */
  public _dnsNames(hostname: string | undefined): string[] {
    return this.names.length ? [...this.names] : hostname === undefined ? [] : [hostname];
  }

  /** @internal */
  public _problems(listener: string, hostname: string | undefined): Problem[] {
    const problems = [
      ...objectNameProblems('certificate', this.secretName),
      ...namespaceProblems('namespace of the certificate', this.namespace),
    ];
    if (this.issuer && !this._dnsNames(hostname).length) {
      problems.push({
        what: `listener ${quote(listener)} has no hostname to put into certificate ${quote(this.secretName)}`,
        why: 'cert-manager would make no certificate without a name',
        fix: 'give the listener a `hostname`, or the certificate `dnsNames`',
      });
    }
    return problems;
  }
}
