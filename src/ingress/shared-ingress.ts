import { ApiObject, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { ClassicIngressPath } from './classic-ingress';
import { ListenerCertificate } from './listener-certificate';

/** What DNS is told of what is published, by annotations that external-dns reads. */
export interface DnsRecord {
  /**
   * How long resolvers may keep it.
   *
   * @default external-dns's own
   */
  readonly ttl?: Duration;

  /**
   * Where the name leads. Gateway API has it said at the gateway: `dnsTarget` of a SharedIngressGateway.
   *
   * @default the address of the gateway's Service
   */
  readonly target?: string;
}

/** Paths of a published host. */
export interface PublishedPath extends ClassicIngressPath {
  /**
   * The name of its rule, for policies that are about it alone (`PolicyTarget.rule`). Needs Gateway API 1.2 or newer.
   *
   * @default none
   */
  readonly name?: string;

  /**
   * How long a request may take.
   *
   * @default that of the publication
   */
  readonly timeout?: Duration;
}

/** A host of what is published, with all that a gateway needs to know of it. */
export interface Publication {
  readonly name: string;
  readonly namespace: string;
  readonly hostname: string;
  readonly paths: readonly PublishedPath[];
  readonly certificate?: ListenerCertificate;
  readonly redirectHttp: boolean;
  readonly plainHttp: boolean;
  readonly timeout?: Duration;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations: { readonly [key: string]: string };
}

/**
 * A gateway that several services are published on (`PublishedService`): it grows by a listener, a certificate and a redirect for each host, whoever publishes, from any chart. What is
 * published is the same whichever runs it: Istio or Envoy Gateway by Gateway API (`SharedIngressGateway`), or Istio's own API (`SharedClassicIngress`).
 */
export abstract class SharedIngress extends Construct {
  /** The namespace of the gateway object. */
  public abstract readonly namespace: string;

  /** The name of the gateway object. */
  public abstract readonly name: string;

  /**
   * Renders what one publication needs, below `scope`.
   *
   * @internal
   */
  public abstract _publish(scope: Construct, publication: Publication): ApiObject[];

  /**
   * Where the annotations for DNS go: external-dns reads the target of Gateway API at the gateway.
   *
   * @internal
   */
  public abstract get _targetsByGateway(): boolean;
}
