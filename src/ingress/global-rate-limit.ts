import { ApiObject, Chart } from 'cdk8s';
import { Construct, IConstruct } from 'constructs';
import * as security from '../../imports/security.istio.io';
import { nameOfId } from '../core/ids';
import { namespaceProblems, objectNameProblems } from '../core/names';
import { refuseAtSynth } from '../core/problem';
import { MeshObject } from '../mesh/mesh-object';

/** Where the counts of global rate limits are kept. */
export interface IRateLimitStore extends IConstruct {
  /** Host and port of Redis. */
  readonly url: string;
}

/** What there is to say of a Redis for global rate limits. */
export interface RateLimitRedisProps {
  /**
   * The namespace that it runs in. Its Pod gets a sidecar where the namespace's Pods do.
   *
   * @default the chart's namespace, else "envoy-gateway-system"
   */
  readonly namespace?: string;

  /**
   * The name of its Deployment and Service.
   *
   * @default the construct's id, in lower case with hyphens
   */
  readonly name?: string;

  /**
   * The identity that may use it, as the mesh names it. Needs sidecars on both ends.
   *
   * @default "cluster.local/ns/NAMESPACE/sa/envoy-ratelimit" for the namespace of each EnvoyGatewayInMesh that it is given to; with none, its own namespace
   */
  readonly client?: string;

  /**
   * The image.
   *
   * @default "redis:7.4-alpine"
   */
  readonly image?: string;
}

/**
 * A Redis that keeps the counts of global rate limits, without storage: when it restarts, all counts start at zero. Only the rate-limit
 * service may use it, by its identity in the mesh; there is no password.
 *
 * @see https://gateway.envoyproxy.io/docs/tasks/traffic/global-rate-limit/
 * @example
 * const store = new RateLimitRedis(this, 'Redis', { namespace: 'envoy-gateway-system' });
 * new EnvoyGatewayInMesh(this, 'EnvoyGateway', { rateLimitStore: store });
 * new BackendTrafficPolicy(this, 'Limits', {
 *   target: PolicyTarget.route(route),
 *   rateLimit: RateLimit.global([{ requests: 100, unit: RateLimitUnit.MINUTE }]),
 * });
 */
export class RateLimitRedis extends Construct implements IRateLimitStore {
  /** Its name. */
  public readonly name: string;

  /** The namespace that it runs in. */
  public readonly namespace: string;

  public readonly url: string;

  /** The rendered Deployment, to patch. */
  public readonly deployment: ApiObject;

  /** The rendered Service, to patch. */
  public readonly service: ApiObject;

  /** The rendered AuthorizationPolicy, to patch. */
  public readonly authorizationPolicy: ApiObject;

  private readonly users = new Set<string>();

  public constructor(scope: Construct, id: string, props: RateLimitRedisProps = {}) {
    super(scope, id);
    this.name = props.name ?? nameOfId(id);
    this.namespace = props.namespace ?? Chart.of(this).namespace ?? 'envoy-gateway-system';
    this.url = `${this.name}.${this.namespace}.svc.cluster.local:6379`;
    const labels = { app: this.name };
    const metadata = { name: this.name, namespace: this.namespace, labels };
    const container = {
      name: 'redis',
      image: props.image ?? 'redis:7.4-alpine',
      // Protected mode refuses whoever is not on the same machine; who may come is said by the AuthorizationPolicy instead.
      args: ['--save', '', '--appendonly', 'no', '--protected-mode', 'no'],
      ports: [{ name: 'tcp-redis', containerPort: 6379 }],
      readinessProbe: { tcpSocket: { port: 6379 } },
      resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '256Mi' } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        runAsUser: 999,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    };
    this.deployment = new MeshObject<unknown>(this, 'Deployment', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      manifest: (fields) => fields,
      spec: () => ({
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { automountServiceAccountToken: false, containers: [container] },
          },
        },
      }),
    });
    this.service = new MeshObject<unknown>(this, 'Service', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      manifest: (fields) => fields,
      // The port's name tells sidecars that this is TCP, so that they need not guess from the first bytes.
      spec: () => ({ spec: { selector: labels, ports: [{ name: 'tcp-redis', port: 6379, targetPort: 6379 }] } }),
    });
    this.authorizationPolicy = new MeshObject<security.AuthorizationPolicyProps>(this, 'Clients', {
      ...security.AuthorizationPolicy.GVK,
      metadata: { name: this.name, namespace: this.namespace },
      manifest: security.AuthorizationPolicy.manifest,
      spec: () => ({
        spec: {
          selector: { matchLabels: labels },
          action: security.AuthorizationPolicySpecAction.ALLOW,
          rules: [{ from: [{ source: { principals: props.client === undefined ? this.clients() : [props.client] } }] }],
        },
      }),
    });
    refuseAtSynth(this, () => [
      ...objectNameProblems('name', this.name),
      ...namespaceProblems('namespace', this.namespace),
    ]);
  }

  /**
   * Admits the rate-limit service of an Envoy Gateway that counts here.
   *
   * @internal
   */
  public _admit(namespace: string): void {
    this.users.add(namespace);
  }

  private clients(): string[] {
    const namespaces = this.users.size ? [...this.users].sort() : [this.namespace];
    return namespaces.map((namespace) => `cluster.local/ns/${namespace}/sa/envoy-ratelimit`);
  }
}
