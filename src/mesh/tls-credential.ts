import { namespaceProblems, objectNameProblems } from '../core/names';
import { Problem } from '../core/problem';

/**
 * A Secret that holds a client certificate (`tls.crt`, `tls.key`) and, for mutual TLS, the CA that the server is checked
 * against (`ca.crt`). Only ever referred to: no key goes into a manifest.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway-tls-origination/
 */
export class TlsCredential {
  /**
   * A Secret that was made elsewhere.
   *
   * @param name its name
   * @param namespace where it lies; left out, it is taken to lie where the proxy that uses it runs, which is the only place that works
   */
  public static fromSecretName(name: string, namespace?: string): TlsCredential {
    return new TlsCredential(name, namespace);
  }

  private constructor(
    /** The Secret's name. */
    public readonly name: string,
    /** Where it lies, if that was said. */
    public readonly namespace?: string,
  ) {}

  /** @internal */
  public _problemsIn(proxyNamespace: string): Problem[] {
    const problems = [
      ...objectNameProblems('credential', this.name),
      ...namespaceProblems('namespace of the credential', this.namespace),
    ];
    if (this.namespace !== undefined && this.namespace !== proxyNamespace) {
      problems.push({
        what: `credential ${JSON.stringify(this.name)} lies in namespace ${JSON.stringify(this.namespace)}, the proxy that uses it runs in ${JSON.stringify(proxyNamespace)}`,
        why: 'a proxy gets Secrets of its own namespace only: the route would answer 503 for want of its certificate',
        fix: `put the Secret into ${JSON.stringify(proxyNamespace)}`,
      });
    }
    return problems;
  }
}
