import { TrafficSource } from './traffic-source';

/** Where requests go. All that is given must hold together; what is left out is anything. */
export interface TrafficTarget {
  /**
   * Hosts, and wildcards (`*.example.com`).
   *
   * @default any
   */
  readonly hosts?: string[];

  /**
   * Services of the cluster, as `NAMESPACE/NAME`.
   *
   * @default any
   */
  readonly services?: string[];

  /**
   * Blocks of addresses that are dialled.
   *
   * @default any
   */
  readonly cidrs?: string[];

  /**
   * Ports that are dialled.
   *
   * @default any
   */
  readonly ports?: number[];

  /**
   * `http`, `https`, `tls`, `tcp`.
   *
   * @default any
   */
  readonly protocols?: string[];

  /**
   * Methods of HTTP.
   *
   * @default any
   */
  readonly methods?: string[];

  /**
   * Paths, exact, or prefixes that end in `*`.
   *
   * @default any
   */
  readonly paths?: string[];

  /**
   * Whether only destinations outside of the mesh are meant.
   *
   * @default false
   */
  readonly outside?: boolean;

  /**
   * Hosts and wildcards where it is no matter that requests arrive.
   *
   * @default none
   */
  readonly exceptHosts?: string[];
}

/** Traffic that may not be. */
export interface ForbiddenTraffic {
  /**
   * Whose requests.
   *
   * @default every workload
   */
  readonly from?: TrafficSource[];

  /**
   * Who of these may.
   *
   * @default nobody
   */
  readonly except?: TrafficSource[];

  /**
   * Where to.
   *
   * @default anywhere
   */
  readonly to?: TrafficTarget;
}

/** TLS on the connection that leaves the mesh, on each between workloads of it, and on the one by which a client outside enters. */
export enum TlsDemand {
  /** Some TLS. */
  ENCRYPTED = 'encrypted',

  /** TLS whose server is verified. TLS that an application makes by itself shows in no manifest, and is undecided. */
  VERIFIED = 'verified',
}

/** What holds of traffic wherever it arrives. At least one demand has to be made. */
export interface RequiredTraffic extends ForbiddenTraffic {
  /**
   * The gateway that it passes, as `NAMESPACE/NAME` of its workload or of its Gateway.
   *
   * @default none
   */
  readonly through?: string;

  /**
   * Its TLS.
   *
   * @default any, or none
   */
  readonly tls?: TlsDemand;

  /**
   * Whether whoever sends it shows a certificate, or a token that a proxy verifies.
   *
   * @default false
   */
  readonly authenticated?: boolean;

  /**
   * Whom the next proxy sees by Istio's mutual TLS, as `NAMESPACE/SERVICEACCOUNT`; `true` for anybody.
   *
   * @default nobody in particular
   */
  readonly identity?: string;
}

/** What an EdgeInvariant says. */
export class InvariantRule {
  /**
   * No request of these clients arrives there.
   *
   * @param traffic the traffic that may not be
   */
  public static forbid(traffic: ForbiddenTraffic): InvariantRule {
    return new InvariantRule({ forbid: written(traffic) });
  }

  /**
   * Each request of these clients that arrives there does so in this way.
   *
   * @param traffic the traffic, and what it has to do
   */
  public static require(traffic: RequiredTraffic): InvariantRule {
    const { through, tls, authenticated, identity } = traffic;
    return new InvariantRule({ require: { ...written(traffic), through, tls, authenticated, identity } });
  }

  private constructor(private readonly rule: { [key: string]: unknown }) {}

  /**
   * As a rule of `mesh-edge prove` is written.
   *
   * @internal
   */
  public _written(): { [key: string]: unknown } {
    return this.rule;
  }
}

function written({ from, except, to }: ForbiddenTraffic): { [key: string]: unknown } {
  const sources = (some: TrafficSource[] | undefined): unknown => some?.flatMap((one) => one._written());
  const { exceptHosts, ...others } = to ?? {};
  return {
    from: sources(from) ?? '*',
    except: sources(except),
    to: to === undefined ? '*' : { ...others, except: exceptHosts },
  };
}
