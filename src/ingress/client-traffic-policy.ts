import { ApiObject, ApiObjectMetadata, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { nameOfId } from '../core/ids';
import { objectMetadata } from '../core/metadata';
import { objectNameProblems } from '../core/names';
import { Problem, refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';
import { TlsVersion } from '../mesh/tls-version';
import { gatewayDuration } from './durations';
import { ENVOY_GATEWAY_API, envoyGateway, envoyGatewayBindings } from './envoy-gateway-bindings';
import { PolicyTarget } from './policy-target';
import { grantReferences } from './reference-grants';

/** Which certificates clients have to show. */
export interface ClientCertificates {
  /** The name of the ConfigMap or Secret with the authorities that sign them, under the key `ca.crt`. */
  readonly caName: string;

  /**
   * Whether that is a Secret rather than a ConfigMap.
   *
   * @default false
   */
  readonly caIsSecret?: boolean;

  /**
   * Where it lies, if not in the namespace of the gateway; the ReferenceGrant that this takes is rendered too.
   *
   * @default the gateway's namespace
   */
  readonly caNamespace?: string;

  /**
   * Whether clients without a certificate pass too.
   *
   * @default false
   */
  readonly optional?: boolean;
}

/** How clients connect. */
export interface ClientTrafficPolicyProps {
  /** What it is about: a gateway, or a listener. */
  readonly target: PolicyTarget;

  /**
   * The oldest version of TLS that is spoken.
   *
   * @default 1.2
   */
  readonly minTlsVersion?: TlsVersion;

  /**
   * The newest version of TLS that is spoken.
   *
   * @default 1.3
   */
  readonly maxTlsVersion?: TlsVersion;

  /**
   * Which certificates clients have to show.
   *
   * @default none
   */
  readonly clientCertificates?: ClientCertificates;

  /**
   * Whether a load balancer in front speaks the PROXY protocol. All clients then have to.
   *
   * @default false
   */
  readonly proxyProtocol?: boolean;

  /**
   * How many proxies in front put an address into x-forwarded-for that can be believed.
   *
   * @default 0: the client's address is the connection's
   */
  readonly trustedHops?: number;

  /**
   * How long a client may take to send a whole request.
   *
   * @default no limit
   */
  readonly requestReceivedTimeout?: Duration;

  /**
   * How long a connection that no one uses is kept.
   *
   * @default 1 hour
   */
  readonly idleTimeout?: Duration;

  /**
   * Whether clients may speak HTTP/3 (QUIC, over UDP on the same port). Takes a listener of HTTPS, and a load balancer that takes UDP.
   *
   * @default false
   */
  readonly http3?: boolean;

  /**
   * Labels and annotations of the object.
   *
   * @default none
   */
  readonly metadata?: ApiObjectMetadata;

  /**
   * Its name.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;
}

/**
 * Says how clients connect to an Envoy Gateway: TLS versions, certificates, who says what a client's address is, timeouts. Renders one
 * ClientTrafficPolicy in the namespace of its target.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/traffic/client-traffic-policy/
 * @example
 * new ClientTrafficPolicy(this, 'Clients', {
 *   target: PolicyTarget.gateway(gateway),
 *   minTlsVersion: TlsVersion.V1_3,
 * });
 */
export class ClientTrafficPolicy extends Construct {
  /** What it is about. */
  public readonly target: PolicyTarget;

  /** The rendered ClientTrafficPolicy, to patch. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: ClientTrafficPolicyProps) {
    super(scope, id);
    this.target = props.target;
    const { namespace } = props.target;
    const name = props.name ?? nameOfId(id);
    this.resource = new MeshObject<envoyGateway.ClientTrafficPolicySpec>(this, 'Resource', {
      apiVersion: ENVOY_GATEWAY_API,
      kind: 'ClientTrafficPolicy',
      metadata: objectMetadata({ name, namespace }, props.metadata),
      manifest: (spec) => envoyGatewayBindings().ClientTrafficPolicy.manifest({ spec }),
      spec: () => ({
        targetRefs: [props.target._ref()],
        tls: tlsSpec(props, namespace),
        enableProxyProtocol: props.proxyProtocol,
        clientIpDetection: props.trustedHops ? { xForwardedFor: { numTrustedHops: props.trustedHops } } : undefined,
        timeout: timeoutSpec(props),
        http3: props.http3 ? {} : undefined,
      }),
    });
    props.target._guardedBy(this);
    const ca = props.clientCertificates;
    if (ca?.caNamespace) {
      const from = {
        fromGroup: 'gateway.envoyproxy.io',
        fromKind: 'ClientTrafficPolicy',
        fromNamespace: namespace,
      };
      const toKind = ca.caIsSecret ? 'Secret' : 'ConfigMap';
      grantReferences(this, name, [{ ...from, toGroup: '', toKind, toNamespace: ca.caNamespace, toName: ca.caName }]);
    }
    refuseAtSynth(this, () => this.problems(props));
  }

  private problems(props: ClientTrafficPolicyProps): Problem[] {
    const problems = [...objectNameProblems('name', props.name), ...props.target._problems()];
    if (!props.target._isGateway) {
      problems.push({
        what: `is about the ${props.target.kind} ${JSON.stringify(props.target.name)}`,
        why: 'how clients connect is settled before a route is known: the policy would be refused',
        fix: 'use PolicyTarget.gateway or .listener',
      });
    }
    const { listeners } = props.target._gateway();
    const named = listeners.filter(({ name }) => name === (props.target.sectionName ?? name));
    if (props.http3 && named.length && !named.some(({ protocol }) => protocol === 'HTTPS'))
      problems.push({
        what: '`http3` where no listener is HTTPS',
        why: 'HTTP/3 is always encrypted: nothing would be offered',
        fix: 'add IngressListener.https(...), or leave it out',
      });
    if (props.minTlsVersion === TlsVersion.V1_3 && props.maxTlsVersion === TlsVersion.V1_2) {
      const fix = 'swap them';
      problems.push({ what: 'minTlsVersion is above maxTlsVersion', why: 'no client could connect', fix });
    }
    return problems;
  }
}

function tlsSpec(
  props: ClientTrafficPolicyProps,
  namespace: string,
): envoyGateway.ClientTrafficPolicySpecTls | undefined {
  const { minTlsVersion, maxTlsVersion, clientCertificates: ca } = props;
  if (!minTlsVersion && !maxTlsVersion && !ca) return undefined;
  return {
    minVersion: minTlsVersion as string as envoyGateway.ClientTrafficPolicySpecTlsMinVersion | undefined,
    maxVersion: maxTlsVersion as string as envoyGateway.ClientTrafficPolicySpecTlsMaxVersion | undefined,
    clientValidation: ca && {
      optional: ca.optional,
      caCertificateRefs: [
        {
          kind: ca.caIsSecret ? 'Secret' : 'ConfigMap',
          name: ca.caName,
          namespace: ca.caNamespace === namespace ? undefined : ca.caNamespace,
        },
      ],
    },
  };
}

function timeoutSpec(props: ClientTrafficPolicyProps): envoyGateway.ClientTrafficPolicySpecTimeout | undefined {
  const requestReceivedTimeout = gatewayDuration(props.requestReceivedTimeout);
  const idleTimeout = gatewayDuration(props.idleTimeout);
  return requestReceivedTimeout || idleTimeout ? { http: { requestReceivedTimeout, idleTimeout } } : undefined;
}
