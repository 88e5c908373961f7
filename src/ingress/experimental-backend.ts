import { ApiObject, ApiObjectMetadata, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import * as experiments from '../../imports/gateway.networking.x-k8s.io';
import { hostProblems, isIpAddress, isWildcard } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { namespaceProblems, objectNameProblems, portProblems } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { MeshTarget } from '../mesh/mesh-target';
import { BackendReference } from './ingress-backend';

/** What an XBackend stands for. */
export class ExperimentalBackendDestination {
  /**
   * A host outside the cluster.
   *
   * @param hostname its DNS name, without wildcard
   */
  public static host(hostname: string): ExperimentalBackendDestination {
    const isSingle = !isIpAddress(hostname) && !isWildcard(hostname) && !hostname.endsWith('.cluster.local');
    const why = 'the API server refuses addresses, wildcards and names of the cluster';
    const bad = [{ what: `host ${quote(hostname)}`, why, fix: 'use the DNS name of a single host outside' }];
    return new ExperimentalBackendDestination(
      { type: experiments.XBackendSpecType.EXTERNAL_HOSTNAME, externalHostname: { hostname } },
      [...hostProblems(hostname), ...(isSingle ? [] : bad)],
      hostname,
    );
  }

  /**
   * The Pods of the XBackend's namespace that have these labels.
   *
   * @param labels one at least
   */
  public static pods(labels: { [key: string]: string }): ExperimentalBackendDestination {
    const bad = { what: 'no labels', why: 'the API server refuses it', fix: 'give those of the Pods that are meant' };
    return new ExperimentalBackendDestination(
      { type: experiments.XBackendSpecType.ENDPOINT_SELECTOR, endpointSelector: { matchLabels: labels } },
      Object.keys(labels).length > 0 ? [] : [bad],
    );
  }

  private constructor(
    private readonly fields: Omit<experiments.XBackendSpec, 'port'>,
    private readonly problems: readonly Problem[],
    private readonly hostname?: string,
  ) {}

  /** @internal */
  public _spec(): Omit<experiments.XBackendSpec, 'port'> {
    return this.fields;
  }

  /** @internal */
  public _hostname(): string | undefined {
    return this.hostname;
  }

  /** @internal */
  public _problems(): readonly Problem[] {
    return this.problems;
  }
}

/** What is spoken with an XBackend. */
export enum ExperimentalBackendProtocol {
  /** Bytes, as they come. */
  TCP = 'TCP',
  /** HTTP of any version. */
  HTTP = 'HTTP',
  /** HTTP/1.1 alone. */
  HTTP11 = 'HTTP11',
  /** HTTP/2, by TLS or without. */
  HTTP2 = 'HTTP2',
  /** HTTP/2 without TLS. */
  H2C = 'H2C',
  /** gRPC, on HTTP/2. */
  GRPC = 'GRPC',
  /** The Model Context Protocol. */
  MCP = 'MCP',
  /** WebSocket over TLS. */
  WSS = 'WSS',
}

/** How a gateway speaks TLS with an XBackend. */
export interface ExperimentalBackendTls {
  /**
   * The name that is asked for by SNI, and that the certificate has to carry.
   *
   * @default the host that the XBackend stands for
   */
  readonly hostname?: string;

  /**
   * The ConfigMap with the authorities that the certificate is checked against, under the key `ca.crt`, in the namespace of the XBackend.
   *
   * @default the authorities that the system trusts
   */
  readonly caConfigMapName?: string;

  /**
   * The Secret (`tls.crt`, `tls.key`) with which the gateway shows who it is, in the namespace of the XBackend.
   *
   * @default it shows nothing
   */
  readonly clientCertificateSecretName?: string;
}

/** What there is to say of an XBackend. */
export interface ExperimentalBackendProps {
  /** What it stands for. */
  readonly destination: ExperimentalBackendDestination;

  /** The port, 1 to 65535. */
  readonly port: number;

  /**
   * What is spoken with it.
   *
   * @default the controller's own
   */
  readonly protocol?: ExperimentalBackendProtocol;

  /**
   * TLS towards it.
   *
   * @default plain text
   */
  readonly tls?: ExperimentalBackendTls;

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
   * Labels and annotations of the XBackend.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;
}

/**
 * A destination of routes that is no Service: a host outside, or Pods. Renders one XBackend, an experiment of Gateway API whose fields change without notice.
 *
 * Needs Gateway API 1.7 with its experimental channel, and a controller that reads it: Istio 1.32 does where istiod has PILOT_ENABLE_ALPHA_GATEWAY_API=true, Envoy Gateway
 * does not. What Istio makes of it was not seen on a proxy. `ExternalBackend` for Envoy Gateway and `ExternalService` for Istio are no experiments.
 *
 * @see https://gateway-api.sigs.k8s.io/geps/gep-4488/
 * @example
 * const partner = new ExperimentalBackend(this, 'Partner', {
 *   destination: ExperimentalBackendDestination.host('api.partner.example'),
 *   port: 443,
 *   tls: {},
 * });
 * const backends = [IngressBackend.reference(partner.reference)];
 */
export class ExperimentalBackend extends Construct {
  /** Its name. */
  public readonly name: string;

  /** Its namespace. */
  public readonly namespace: string;

  /** The rendered XBackend, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: ExperimentalBackendProps) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'default';
    this.resource = new MeshObject<experiments.XBackendProps>(this, 'Resource', {
      ...experiments.XBackend.GVK,
      metadata: objectMetadata({ name: this.name, namespace: this.namespace }, props.metadata),
      manifest: experiments.XBackend.manifest,
      spec: () => ({
        spec: {
          ...props.destination._spec(),
          port: { number: props.port },
          protocol: props.protocol && PROTOCOLS[props.protocol],
          tls: props.tls && tlsOf(props.tls, props.destination._hostname()),
        },
      }),
    });
    refuseAtSynth(this, () => this.problems(props));
  }

  /** What routes name, for `IngressBackend.reference`. */
  public get reference(): BackendReference {
    return { group: 'gateway.networking.x-k8s.io', kind: 'XBackend', name: this.name };
  }

  private problems({ destination, port, protocol, tls, ...props }: ExperimentalBackendProps): Problem[] {
    const problems = [
      ...objectNameProblems('name', props.name),
      ...namespaceProblems('namespace', props.namespace),
      ...portProblems('port', port),
      ...destination._problems(),
    ];
    if (!MeshTarget.of(this).gatewayApi.startsWith('1.7'))
      problems.push({
        what: `an XBackend of Gateway API ${MeshTarget.of(this).gatewayApi}`,
        why: 'the fields of this experiment were others before 1.7',
        fix: "say `gatewayApi: '1.7/experimental'` of the MeshTarget, or use a Service",
      });
    if (tls !== undefined && protocol === ExperimentalBackendProtocol.H2C)
      problems.push({ what: 'TLS with H2C', why: 'H2C is HTTP/2 without TLS', fix: 'use HTTP2, or leave out `tls`' });
    const name = tls?.hostname ?? destination._hostname();
    if (tls !== undefined && name === undefined)
      problems.push({
        what: 'TLS with Pods, without a host',
        why: 'the certificate is checked against a name',
        fix: 'say `tls.hostname`',
      });
    if (tls?.hostname !== undefined) problems.push(...hostProblems(tls.hostname));
    return problems;
  }
}

const PROTOCOLS: { readonly [protocol in ExperimentalBackendProtocol]: experiments.XBackendSpecProtocol } = {
  TCP: experiments.XBackendSpecProtocol.TCP,
  HTTP: experiments.XBackendSpecProtocol.HTTP,
  HTTP11: experiments.XBackendSpecProtocol.HTTP11,
  HTTP2: experiments.XBackendSpecProtocol.HTTP2,
  H2C: experiments.XBackendSpecProtocol.H2_C,
  GRPC: experiments.XBackendSpecProtocol.GRPC,
  MCP: experiments.XBackendSpecProtocol.MCP,
  WSS: experiments.XBackendSpecProtocol.WSS,
};

function tlsOf(tls: ExperimentalBackendTls, host: string | undefined): experiments.XBackendSpecTls {
  const { caConfigMapName, clientCertificateSecretName } = tls;
  const checked =
    caConfigMapName === undefined
      ? { wellKnownCaCertificates: 'System' }
      : { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: caConfigMapName }] };
  return {
    mode:
      clientCertificateSecretName === undefined
        ? experiments.XBackendSpecTlsMode.SERVER_ONLY
        : experiments.XBackendSpecTlsMode.CLIENT_AND_SERVER,
    clientCertificateRef: clientCertificateSecretName === undefined ? undefined : { name: clientCertificateSecretName },
    validation: { hostname: tls.hostname ?? host ?? '', ...checked },
  };
}
