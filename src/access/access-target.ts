import { IConstruct } from 'constructs';
import type * as security from '../../imports/security.istio.io';
import { renderedBy } from '../core/api-objects';
import { Problem, quote } from '../core/problem';
import { ClassicIngress } from '../ingress/classic-ingress';
import { IIngressGateway } from '../ingress/ingress-gateway';
import { sameMesh } from '../mesh/mesh-boundary';
import type { NamedNamespace } from '../mesh/namespace-names';
import { Workloads } from '../mesh/workloads';

/** A port that a proxy reads, as policies see it. */
interface TargetPort {
  /** The number that the workload listens on: what policies mean by a port. */
  readonly number?: number;
  /** The number by which others dial it. */
  readonly dialled?: number;
  /** Whether requests of HTTP are read there; undefined where it is found out at run time. */
  readonly isHttp?: boolean;
}

interface Selection {
  readonly namespace: string;
  readonly labels: { readonly [key: string]: string };
  readonly gateway?: IIngressGateway;
  readonly construct?: IConstruct;
  readonly ports?: readonly TargetPort[];
  readonly problems?: readonly Problem[];
  /** The namespace, where a user wrote it. */
  readonly named?: readonly NamedNamespace[];
}

const HTTP_PROTOCOLS = new Set(['http', 'http2', 'grpc', 'grpc-web', 'kubernetes.io/h2c', 'kubernetes.io/ws']);

/**
 * The proxies that read a policy: sidecars before workloads, or the gateways at the edge. What is known of their ports is checked: a policy
 * counts the ports that workloads listen on, and reads HTTP on those of HTTP alone.
 *
 * @see https://istio.io/latest/docs/reference/config/security/authorization-policy/#AuthorizationPolicy
 */
export class AccessTarget {
  /**
   * Workloads of a namespace, or all of it. Service accounts can not be selected here.
   *
   * @param workloads the workloads, by labels or as a whole namespace
   */
  public static workloads(workloads: Workloads): AccessTarget {
    const accounts = workloads.serviceAccounts;
    const problems = accounts.length
      ? [
          {
            what: `a target of service account ${accounts.map(quote).join(', ')}`,
            why: 'policies select the workloads that they guard by labels, and accounts are those of callers',
            fix: `use Workloads.in(${quote(workloads.namespace)}, { ... }) with the labels of the Pods`,
          },
        ]
      : [];
    return new AccessTarget({
      namespace: workloads.namespace,
      labels: workloads._sourceLabels ?? {},
      named: [workloads._named('`target`')],
      problems: [...problems, ...workloads._problems()],
    });
  }

  /**
   * The workloads behind a Service, whose ports and protocols are then known.
   *
   * @param service a Service, made by any version of cdk8s-plus or as an ApiObject
   * @throws Error where the construct is no Service, selects nothing, or nothing says its namespace
   */
  public static service(service: IConstruct): AccessTarget {
    const { kind, name, namespace, body } = renderedBy(service, 'AccessTarget.service');
    const where = `AccessTarget.service: ${kind} ${quote(name)} (${service.node.path})`;
    if (kind !== 'Service') throw new Error(`${where} is no Service. Use AccessTarget.workloads for the workload`);
    if (namespace === undefined)
      throw new Error(`${where} has no namespace of its own, and its chart has none. Give either a namespace`);
    const spec = body.spec as { selector?: { [key: string]: string }; ports?: ServicePort[] } | undefined;
    const labels = spec?.selector ?? {};
    if (!Object.keys(labels).length)
      throw new Error(`${where} selects no Pods. Use AccessTarget.workloads(Workloads.in(...)) with their labels`);
    return new AccessTarget({ namespace, labels, construct: service, ports: (spec?.ports ?? []).map(portOf) });
  }

  /**
   * Every sidecar and gateway of the mesh.
   *
   * @param rootNamespace the mesh's root namespace; left out, "istio-system"
   */
  public static mesh(rootNamespace?: string): AccessTarget {
    return new AccessTarget({ namespace: rootNamespace ?? 'istio-system', labels: {} });
  }

  /**
   * A gateway of Gateway API that Istio runs. Envoy Gateway's read a `SecurityPolicy` instead.
   *
   * @param gateway the gateway
   */
  public static gateway(gateway: IIngressGateway): AccessTarget {
    const ports = gateway.listeners.map(({ port, isHttp }) => ({ number: port, dialled: port, isHttp }));
    return new AccessTarget({ namespace: gateway.namespace, labels: {}, gateway, construct: gateway, ports });
  }

  /**
   * The gateway behind a ClassicIngress, and all else that its Pods take in.
   *
   * @param ingress the ingress
   */
  public static classicIngress(ingress: ClassicIngress): AccessTarget {
    return new AccessTarget({ namespace: ingress.proxyNamespace, labels: ingress.selector, construct: ingress });
  }

  /** The namespace of the policies: that of the proxies. */
  public readonly namespace: string;

  private constructor(private readonly selection: Selection) {
    this.namespace = selection.namespace;
  }

  /** @internal */
  public get _named(): readonly NamedNamespace[] {
    return this.selection.named ?? [];
  }

  /** @internal */
  public get _ports(): readonly TargetPort[] | undefined {
    return this.selection.ports;
  }

  /** @internal */
  public get _isGateway(): boolean {
    return this.selection.gateway !== undefined || this.selection.construct instanceof ClassicIngress;
  }

  /** @internal */
  public _spec(): Pick<security.AuthorizationPolicySpec, 'selector' | 'targetRefs'> {
    const { gateway, labels } = this.selection;
    if (gateway) return { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: gateway.name }] };
    return { selector: Object.keys(labels).length ? { matchLabels: { ...labels } } : undefined };
  }

  /** @internal */
  public _words(): string {
    const { gateway, namespace, labels } = this.selection;
    if (gateway) return `gateway ${namespace}/${gateway.name}`;
    const chosen = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    return chosen.length ? `workloads ${chosen.join(', ')} of ${quote(namespace)}` : `all of ${quote(namespace)}`;
  }

  /**
   * Whether everything that reads `other` reads this too.
   *
   * @internal
   */
  public _covers(other: AccessTarget, rootNamespace: string): boolean {
    const [mine, theirs] = [this.selection, other.selection];
    if (mine.gateway) return theirs.gateway === mine.gateway;
    if (mine.namespace !== theirs.namespace && mine.namespace !== rootNamespace) return false;
    const labels = Object.entries(mine.labels);
    // The labels of a Gateway API gateway's Pods are its class's to give.
    if (theirs.gateway) return !labels.length;
    return labels.every(([key, value]) => theirs.labels[key] === value);
  }

  /** @internal */
  public _problems(policy: IConstruct): Problem[] {
    const { gateway, construct, problems = [] } = this.selection;
    const found = [...problems];
    if (gateway?.ingressClass.sendsThroughSidecar)
      found.push({
        what: `gateway ${gateway.node.path} is Envoy Gateway's`,
        why: "its proxies are none of istiod's, and read no policy of Istio",
        fix: 'use SecurityPolicy, or guard the workloads behind it',
      });
    if (construct && !sameMesh(policy, construct))
      found.push({
        what: `${construct.node.path} belongs to another mesh`,
        why: 'its proxies never see the policy',
        fix: 'put both below one MeshBoundary',
      });
    return found;
  }
}

interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

function portOf({ name, port, targetPort, appProtocol }: ServicePort): TargetPort {
  const word = (appProtocol ?? name?.split('-')[0] ?? '').toLowerCase();
  return {
    // A named target port is the container's to say.
    number: typeof targetPort === 'string' ? undefined : (targetPort ?? port),
    dialled: port,
    isHttp: isHttp(word, appProtocol, name),
  };
}

/** By the name or `appProtocol`, as pkg/config/protocol and pkg/config/kube/conversion.go have it; other names are looked at as they come. */
function isHttp(word: string, appProtocol: string | undefined, name: string | undefined): boolean | undefined {
  if (HTTP_PROTOCOLS.has(word) || (appProtocol === undefined && (name ?? '').startsWith('grpc-web'))) return true;
  return ['tcp', 'tls', 'https', 'mongo', 'redis', 'mysql', 'udp'].includes(word) ? false : undefined;
}
