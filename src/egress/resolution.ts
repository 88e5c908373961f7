import * as networking from '../../imports/networking.istio.io';
import { hostProblems, isIpAddress } from '../core/hostname';
import { portProblems } from '../core/names';
import { Problem, quote } from '../core/problem';

/** One address behind an external service. */
export interface ExternalEndpoint {
  /** An IP address (static), or a DNS name (DNS). */
  readonly address: string;

  /**
   * Ports that differ at this endpoint, by the port's name in the service.
   *
   * @default the service's own ports
   */
  readonly ports?: { [portName: string]: number };

  /**
   * Where the endpoint is: region, zone and sub-zone joined by slashes, for locality-aware balancing.
   *
   * @default unknown
   */
  readonly locality?: string;

  /**
   * The share of traffic that it gets, relative to the other endpoints.
   *
   * @default equal shares
   */
  readonly weight?: number;

  /**
   * Labels that subsets may select.
   *
   * @default none
   */
  readonly labels?: { [key: string]: string };
}

/** How a proxy finds the address of an external host. */
type Kind = 'NONE' | 'STATIC' | 'DNS' | 'DNS_ROUND_ROBIN' | 'DYNAMIC_DNS';

/**
 * How a proxy finds the address behind an external host. Each way carries just what it can use, so that the mixes which
 * Istio refuses can't be written.
 *
 * @see https://istio.io/latest/docs/reference/config/networking/service-entry/#ServiceEntry-Resolution
 */
export class Resolution {
  /**
   * The address that the application dialled is kept. Fits wildcards and IP ranges reached from a sidecar. Never through an egress gateway:
   * there the address that was dialled is lost.
   */
  public static none(): Resolution {
    return new Resolution('NONE', [], {});
  }

  /**
   * The proxy resolves the host, or these names, and balances over all answers.
   *
   * @param endpoints names to resolve in the host's place; none means the host itself
   */
  public static dns(...endpoints: ExternalEndpoint[]): Resolution {
    return new Resolution('DNS', endpoints, {});
  }

  /**
   * The proxy resolves the host, or this one name, and keeps to the answer of the moment. Fits hosts with many or fast changing addresses.
   *
   * @param endpoint the name to resolve in the host's place
   */
  public static dnsRoundRobin(endpoint?: ExternalEndpoint): Resolution {
    return new Resolution('DNS_ROUND_ROBIN', endpoint ? [endpoint] : [], {});
  }

  /**
   * These IP addresses.
   *
   * @param endpoints at least one
   */
  public static static(...endpoints: ExternalEndpoint[]): Resolution {
    return new Resolution('STATIC', endpoints, {});
  }

  /**
   * The same as `static`, under a name that no language reserves.
   *
   * @param endpoints the endpoints, each with an IP address
   */
  public static addresses(...endpoints: ExternalEndpoint[]): Resolution {
    return Resolution.static(...endpoints);
  }

  /**
   * Workloads of the mesh or WorkloadEntries with these labels, in the ServiceEntry's namespace.
   *
   * @param labels at least one label
   */
  public static workloads(labels: { [key: string]: string }): Resolution {
    return new Resolution('STATIC', [], labels);
  }

  /**
   * The proxy resolves whatever name of a wildcard host was asked for. Honoured by waypoints (ambient mode) of Istio 1.29 and
   * newer only: a sidecar cuts such traffic, and an egress gateway has no route for it.
   */
  public static dynamicDns(): Resolution {
    return new Resolution('DYNAMIC_DNS', [], {});
  }

  /**
   * An egress gateway resolves whatever name of a wildcard host was asked for: by the SNI of TLS that applications make, by the Host header of
   * plain HTTP. Fits domains whose hosts nobody can list, HTTP on port 80 and TLS.
   *
   * Istio has no field for it: an EnvoyFilter for the gateway is rendered, with Envoy's dynamic forward proxy, so try it with each new
   * release of Istio. Where it is missing, or a request reaches the host in any other way, the name behind the entry does not exist, and the
   * request fails. Callers who are let in may ask for any name of the domain, also one that leads to an address inside.
   *
   * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_proxy
   */
  public static dynamicForwardProxy(): Resolution {
    return new Resolution('DNS', [{ address: 'dynamic-forward-proxy.mesh-edge.invalid' }], {}, true);
  }

  /** Istio's word for it, such as "DNS_ROUND_ROBIN". */
  public readonly kind: string;

  private constructor(
    kind: Kind,
    private readonly endpoints: readonly ExternalEndpoint[],
    private readonly labels: { readonly [key: string]: string },
    /** @internal */
    public readonly _isForwardProxy = false,
  ) {
    this.kind = kind;
  }

  /** @internal */
  public get _isDns(): boolean {
    return this.kind === 'DNS' || this.kind === 'DNS_ROUND_ROBIN';
  }

  /** @internal */
  public get _hasEndpoints(): boolean {
    return this.endpoints.length > 0;
  }

  /** @internal */
  public _spec(): Pick<networking.ServiceEntrySpec, 'resolution' | 'endpoints' | 'workloadSelector'> {
    return {
      resolution: this.kind as networking.ServiceEntrySpecResolution,
      endpoints: this.endpoints.length ? this.endpoints.map((endpoint) => ({ ...endpoint })) : undefined,
      workloadSelector: Object.keys(this.labels).length ? { labels: { ...this.labels } } : undefined,
    };
  }

  /**
   * Whether it says where its addresses are.
   *
   * @internal
   */
  public get _hasLocalities(): boolean {
    return this.endpoints.some(({ locality }) => locality !== undefined) || Object.keys(this.labels).length > 0;
  }

  /** @internal */
  public _problems(portNames: readonly string[]): Problem[] {
    return [...this.endpointProblems(), ...this.portProblems(portNames)];
  }

  private endpointProblems(): Problem[] {
    const problems: Problem[] = [];
    if (this.kind === 'STATIC' && !this.endpoints.length && !Object.keys(this.labels).length) {
      problems.push({
        what: 'static resolution names no endpoint',
        why: 'a proxy would have nowhere to send to, and answer 503',
        fix: 'give Resolution.static at least one address, or use Resolution.dns()',
      });
    }
    const isIp = this.endpoints.map((endpoint) => isIpAddress(endpoint.address));
    this.endpoints.forEach((endpoint, i) => {
      if (this.kind === 'STATIC' && !isIp[i]) {
        problems.push({
          what: `endpoint ${quote(endpoint.address)} of a static resolution is not an IP address`,
          why: 'static endpoints are never resolved',
          fix: 'use Resolution.dns(...) for names',
        });
      }
      if (this._isDns && !isIp[i])
        problems.push(...hostProblems(endpoint.address).map((p) => ({ ...p, what: `endpoint ${p.what}` })));
    });
    if (this._isDns && isIp.includes(true) && isIp.includes(false)) {
      problems.push({
        what: 'DNS resolution mixes names with IP addresses',
        why: 'Envoy drops one kind of the two',
        fix: 'use Resolution.static for the addresses, or names only',
      });
    }
    if (this._isDns && isIp.length > 0 && !isIp.includes(false)) {
      problems.push({
        what: `DNS resolution of the IP address ${quote(this.endpoints[0].address)}`,
        why: 'there is nothing to resolve',
        fix: 'use Resolution.static',
      });
    }
    return problems;
  }

  private portProblems(portNames: readonly string[]): Problem[] {
    return this.endpoints.flatMap((endpoint) =>
      Object.entries(endpoint.ports ?? {}).flatMap(([name, port]) => [
        ...portProblems(`port of endpoint ${quote(endpoint.address)}`, port),
        ...(portNames.includes(name)
          ? []
          : [
              {
                what: `endpoint ${quote(endpoint.address)} maps port ${quote(name)}, which the service has not`,
                why: "Istio's webhook refuses it",
                fix: `use one of ${portNames.map(quote).join(', ')}`,
              },
            ]),
      ]),
    );
  }
}
