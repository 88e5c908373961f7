import { IConstruct } from 'constructs';
import type * as gatewayApi from '../../imports/gateway.networking.k8s.io';
import { hostProblems } from '../core/hostname';
import { isDnsLabel, portProblems } from '../core/names';
import { Problem, quote } from '../core/problem';
import type { NamedNamespace } from '../mesh/namespace-names';
import { supportProblems } from './controller-support';
import { IIngressClass } from './ingress-class';
import { ListenerCertificate } from './listener-certificate';

/** What may be said of a listener beyond its protocol. */
export interface IngressListenerOptions {
  /**
   * Its name, unique in the gateway.
   *
   * @default the protocol, such as "https"; for TCP and for a port that is not the usual one, with the port's number
   */
  readonly name?: string;

  /**
   * The port that clients dial.
   *
   * @default 80 for HTTP, else 443
   */
  readonly port?: number;

  /**
   * The host that it is for: a name, or a wildcard such as `*.example.com`.
   *
   * @default any
   */
  readonly hostname?: string;

  /**
   * Namespaces whose routes may attach to it, beyond those of routes that are attached in this app.
   *
   * @default none: the gateway's own namespace only
   */
  readonly routesFrom?: string[];

  /**
   * Whether routes of every namespace may attach to it: whoever may write a route anywhere in the cluster decides then what is served here.
   *
   * @default false
   */
  readonly routesFromAnywhere?: boolean;

  /**
   * Labels of namespaces whose routes may attach to it, and no others: not the gateway's own without them. Excludes `routesFrom`. Routes that are
   * attached in this app have to be in a namespace with these labels.
   *
   * @default none
   */
  readonly routesFromLabeled?: { [label: string]: string };
}

/**
 * What a gateway listens for. Each protocol carries just what it can use: no certificate on plain HTTP, no hostname on TCP, no HTTPS that is passed
 * through unread.
 *
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#listener
 */
export class IngressListener {
  /**
   * Plain HTTP.
   *
   * @param options name, port and hostname
   */
  public static http(options?: IngressListenerOptions): IngressListener {
    return new IngressListener('HTTP', options ?? {}, 80);
  }

  /**
   * HTTPS, whose TLS ends here.
   *
   * @param certificate what clients are shown
   * @param options name, port and hostname
   */
  public static https(certificate: ListenerCertificate, options?: IngressListenerOptions): IngressListener {
    return new IngressListener('HTTPS', options ?? {}, 443, 'Terminate', [certificate]);
  }

  /**
   * TLS that is passed on unread, by SNI, to whom `TlsIngressRoute` says.
   *
   * @param options name, port and hostname
   */
  public static tlsPassthrough(options?: IngressListenerOptions): IngressListener {
    return new IngressListener('TLS', options ?? {}, 443, 'Passthrough');
  }

  /**
   * TLS that ends here, with anything but HTTP inside, for `TcpIngressRoute`.
   *
   * @param certificate what clients are shown
   * @param options name, port and hostname
   */
  public static tls(certificate: ListenerCertificate, options?: IngressListenerOptions): IngressListener {
    return new IngressListener('TLS', options ?? {}, 443, 'Terminate', [certificate]);
  }

  /**
   * Any other protocol.
   *
   * @param port the port that clients dial
   * @param name its name; left out, "tcp-" and the port
   */
  public static tcp(port: number, name?: string): IngressListener {
    return new IngressListener('TCP', { port, name: name ?? `tcp-${port}` }, port);
  }

  /**
   * Datagrams, for `UdpIngressRoute`. Istio's gateways do not have it.
   *
   * @param port the port that clients send to
   * @param name its name; left out, "udp-" and the port
   */
  public static udp(port: number, name?: string): IngressListener {
    return new IngressListener('UDP', { port, name: name ?? `udp-${port}` }, port);
  }

  /** Gateway API's word for the protocol. */
  public readonly protocol: string;

  /** Its name. */
  public readonly name: string;

  /** The port that clients dial. */
  public readonly port: number;

  /** The host that it is for, if it is for one. */
  public readonly hostname?: string;

  private constructor(
    protocol: string,
    private readonly options: IngressListenerOptions,
    usualPort: number,
    private readonly mode?: string,
    private readonly certificates: readonly ListenerCertificate[] = [],
  ) {
    this.protocol = protocol;
    this.port = options.port ?? usualPort;
    const stem = protocol.toLowerCase();
    this.name = options.name ?? (this.port === usualPort ? stem : `${stem}-${this.port}`);
    this.hostname = options.hostname;
  }

  /** Whether it takes HTTPRoutes and GRPCRoutes. */
  public get isHttp(): boolean {
    return this.protocol === 'HTTP' || this.protocol === 'HTTPS';
  }

  /** @internal */
  public get _isPassthrough(): boolean {
    return this.mode === 'Passthrough';
  }

  /** @internal */
  public get _certificates(): readonly ListenerCertificate[] {
    return this.certificates;
  }

  /**
   * @param routesFrom namespaces of attached routes
   * @internal
   */
  public _spec(gatewayNamespace: string, routesFrom: Iterable<string>): gatewayApi.GatewaySpecListeners {
    const others = new Set([...routesFrom, ...(this.options.routesFrom ?? [])]);
    others.delete(gatewayNamespace);
    return {
      name: this.name,
      protocol: this.protocol,
      port: this.port,
      hostname: this.hostname,
      tls: this.mode === undefined ? undefined : this.tls(gatewayNamespace),
      allowedRoutes: this.allowed(gatewayNamespace, others),
    };
  }

  private allowed(
    gatewayNamespace: string,
    others: ReadonlySet<string>,
  ): gatewayApi.GatewaySpecListenersAllowedRoutes | undefined {
    const { routesFromAnywhere, routesFromLabeled } = this.options;
    if (routesFromAnywhere)
      return { namespaces: { from: 'All' as gatewayApi.GatewaySpecListenersAllowedRoutesNamespacesFrom } };
    if (routesFromLabeled) return selected({ matchLabels: { ...routesFromLabeled } });
    return others.size ? admitted([gatewayNamespace, ...others]) : undefined;
  }

  private tls(gatewayNamespace: string): gatewayApi.GatewaySpecListenersTls {
    return {
      mode: this.mode as gatewayApi.GatewaySpecListenersTlsMode,
      certificateRefs: this.certificates.length
        ? this.certificates.map(({ secretName, namespace }) => ({
            name: secretName,
            namespace: namespace === gatewayNamespace ? undefined : namespace,
          }))
        : undefined,
    };
  }

  /** @internal */
  public _named(): NamedNamespace[] {
    return (this.options.routesFrom ?? []).map((name) => ({
      where: `\`routesFrom\` of listener ${quote(this.name)}`,
      name,
    }));
  }

  /** @internal */
  public _problems(scope: IConstruct, ingressClass: IIngressClass): Problem[] {
    const problems = portProblems(`port of listener ${quote(this.name)}`, this.port);
    if (this.protocol === 'UDP')
      problems.push(
        ...supportProblems(
          scope,
          ingressClass,
          'udp',
          `listener ${quote(this.name)} is of UDP`,
          'nothing would listen',
        ),
      );
    if (!isDnsLabel(this.name)) {
      problems.push({
        what: `listener name ${quote(this.name)} is not a DNS label`,
        why: 'the API server refuses it',
        fix: 'use a-z, 0-9 and inner hyphens, 63 characters at most',
      });
    }
    if (this.hostname !== undefined) problems.push(...hostProblems(this.hostname));
    const { routesFrom, routesFromAnywhere, routesFromLabeled } = this.options;
    if ([routesFrom?.length, routesFromAnywhere, routesFromLabeled].filter(Boolean).length > 1) {
      problems.push({
        what: `listener ${quote(this.name)} says twice where routes may come from`,
        why: 'a listener takes them from everywhere, by labels, or by names',
        fix: 'keep one of `routesFrom`, `routesFromAnywhere` and `routesFromLabeled`',
      });
    }
    return [...problems, ...this.certificates.flatMap((one) => one._problems(this.name, this.hostname))];
  }
}

function admitted(namespaces: readonly string[]): gatewayApi.GatewaySpecListenersAllowedRoutes {
  const values = [...namespaces].sort();
  return selected({ matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] });
}

function selected(
  selector: gatewayApi.GatewaySpecListenersAllowedRoutesNamespacesSelector,
): gatewayApi.GatewaySpecListenersAllowedRoutes {
  return {
    namespaces: { from: 'Selector' as gatewayApi.GatewaySpecListenersAllowedRoutesNamespacesFrom, selector },
  };
}
