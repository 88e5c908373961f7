import { ApiObject } from 'cdk8s';
import type * as k8s from '../../imports/k8s';
import { Construct, IConstruct } from 'constructs';
import { isIpAddress, nameOfHost } from '../core/hostname';
import { nameOfId } from '../core/ids';
import { namespaceProblems, portProblems, shorten } from '../core/names';
import { Problem, quote, refuseAtSynth } from '../core/problem';
import { coreBindings } from '../mesh/core-bindings';
import { meshMembers } from '../mesh/mesh-boundary';
import { MeshObject } from '../mesh/mesh-object';
import { namesNamespaces } from '../mesh/namespace-names';
import { Workloads } from '../mesh/workloads';
import { ClusterLockdown } from './cluster-lockdown';
import { EgressAssurance } from './egress-assurance';
import { EgressGatewayBase } from './egress-gateway';
import type { EgressTrafficPolicy } from './egress-traffic-policy';
import { gatewayOf, grouped, whereOf } from './policy-grant';
import { IEgressProxy } from './egress-proxy';

/** Who is locked in, and what they still need. */
export interface EgressLockdownProps {
  /** The gateway or waypoint, which alone leaves the cluster. Its namespace should hold nothing else. */
  readonly gateway: IEgressProxy;

  /**
   * The namespaces of the applications. Each gets a NetworkPolicy for all of its pods.
   *
   * @default those of the callers in the policies of the gateway, and in others that name this lockdown (`EgressTrafficPolicyProps.lockdown`)
   */
  readonly namespaces?: string[];

  /**
   * Further namespaces of the mesh that the applications call.
   *
   * @default none: they call one another
   */
  readonly meshNamespaces?: string[];

  /**
   * The cluster's own address ranges: of pods, of Services, of nodes. The gateway may go anywhere but there.
   *
   * @default the private ranges 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16
   */
  readonly clusterRanges?: string[];

  /**
   * The ports that the gateway's pods listen on: a NetworkPolicy sees pods, never a Service's ports.
   *
   * @default as the gateway says
   */
  readonly gatewayPodPorts?: number[];

  /**
   * The namespace of the control plane, whose pods carry `app: istiod`.
   *
   * @default "istio-system"
   */
  readonly istiodNamespace?: string;

  /**
   * The ports of the cluster's DNS pods.
   *
   * @default 53; add 8053 or 5353 where the pods listen there
   */
  readonly dnsPodPorts?: number[];

  /**
   * Addresses of DNS caches on the nodes, which are no pods.
   *
   * @default none; NodeLocal DNSCache has 169.254.20.10
   */
  readonly dnsAddresses?: string[];

  /**
   * A policy of the network plugin for every namespace at once, where plain NetworkPolicies fall short: they say nothing of namespaces that are
   * made tomorrow.
   *
   * @default none
   */
  readonly clusterWide?: ClusterLockdown;

  /**
   * How sure it is, for the manifests to state.
   *
   * @default EgressAssurance.networkPolicy()
   */
  readonly assurance?: EgressAssurance;
}

const PRIVATE_RANGES = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'];
const ISTIOD_XDS = 15012;

/**
 * Has the cluster's network hold what the mesh can't: applications reach DNS, the control plane, the mesh and the gateway, and only the gateway
 * leaves. Renders a NetworkPolicy for each namespace of applications, and two for the gateway's.
 *
 * UDP, QUIC and ICMP are cut with the rest. Policies are enforced by the network plugin; on a cluster without one that does, they are accepted
 * and mean nothing.
 *
 * @see https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/#additional-security-considerations
 * @example
 * const gateway = new EgressGateway(this, 'Egress');
 * new EgressLockdown(this, 'Lockdown', { gateway, namespaces: ['shop'] });
 */
export class EgressLockdown extends Construct {
  /**
   * The rendered NetworkPolicies: one for each namespace of applications, those of the gateway's namespace, and what policies that name this
   * lockdown add.
   */
  public readonly networkPolicies: ApiObject[] = [];

  /** The rendered policy of the network plugin, if one was asked for. */
  public readonly clusterPolicy?: ApiObject;

  /** How sure it is. */
  public readonly assurance: EgressAssurance;

  /** The gateway or waypoint, which alone leaves the cluster. */
  public readonly gateway: IEgressProxy;

  private readonly props: EgressLockdownProps;
  private readonly locked = new Set<string>();
  private readonly exits = new Map<string, DirectExit[]>();

  public constructor(scope: Construct, id: string, props: EgressLockdownProps) {
    super(scope, id);
    this.props = props;
    this.assurance = props.assurance ?? EgressAssurance.networkPolicy();
    const { gateway } = props;
    this.gateway = gateway;
    const name = nameOfId(id);
    for (const namespace of [...(props.namespaces ?? [])].sort()) this._lockIn(namespace);
    this.policy('Gateway', `${name}-gateway`, gateway.namespace, () => this.gatewayPods());
    this.policy('Rest', `${name}-rest`, gateway.namespace, () => this.restOfGatewayNamespace());
    if (props.clusterWide) this.clusterPolicy = this.clusterWide(props.clusterWide, name);
    if (!props.namespaces && gateway instanceof EgressGatewayBase) gateway._lockdown.lockBy(this);
    refuseAtSynth(this, () => this.problems());
    namesNamespaces(this, () => [
      ...(props.namespaces ?? []).map((one) => ({ where: '`namespaces`', name: one })),
      ...(props.meshNamespaces ?? []).map((one) => ({ where: '`meshNamespaces`', name: one })),
    ]);
  }

  /**
   * Locks in one more namespace.
   *
   * @internal
   */
  public _lockIn(namespace: string): void {
    if (this.locked.has(namespace)) return;
    this.locked.add(namespace);
    const name = `${nameOfId(this.node.id)}-applications`;
    this.policy(`Applications-${namespace}`, name, namespace, () => this.applications());
  }

  /**
   * Lets some pods out past the gateway, as a rule says that is direct.
   *
   * @internal
   */
  public _letOut(exit: DirectExit): void {
    const { namespace, labels } = exit.from;
    const words = Object.entries(labels).map(([key, value]) => `${nameOfHost(key)}-${nameOfHost(value)}`);
    const id = ['direct', ...words].join('-');
    const key = `${id}-of-${namespace}`;
    const known = this.exits.get(key);
    this.exits.set(key, [...(known ?? []), exit]);
    if (known) return;
    const risk = `these pods leave by themselves, past the gateway, as ${whereOf(exit)} says`;
    this.policy(
      `Direct-${key}`,
      shorten(`${nameOfId(this.node.id)}-${id}`),
      namespace,
      () => ({
        podSelector: Object.keys(labels).length ? { matchLabels: labels } : {},
        policyTypes: ['Egress'],
        egress: this.waysOut(this.exits.get(key)!),
      }),
      risk,
    );
  }

  /** A rule for each set of addresses. What is known by name only may be anywhere but in the cluster. */
  private waysOut(exits: readonly DirectExit[]): k8s.NetworkPolicyEgressRule[] {
    const groups = [...grouped(exits, ({ addresses }) => [...addresses].sort().join(' ')).entries()];
    return groups
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, some]) => ({
        to: some[0].addresses.length ? some[0].addresses.map(blockOf) : this.outside(),
        ports: tcp([...new Set(some.map(({ port }) => port))].sort((a, b) => a - b)),
      }));
  }

  private policy(id: string, name: string, namespace: string, spec: () => k8s.NetworkPolicySpec, risk?: string): void {
    const { annotations } = this.assurance;
    const risks = {
      'mesh-edge.cdk8s.io/residual-risks': `${annotations['mesh-edge.cdk8s.io/residual-risks']}; ${risk}`,
    };
    this.networkPolicies.push(
      new MeshObject(this, id, {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name, namespace, annotations: risk === undefined ? annotations : { ...annotations, ...risks } },
        manifest: coreBindings().KubeNetworkPolicy.manifest,
        spec: () => ({ spec: spec() }),
      }),
    );
  }

  private applications(): k8s.NetworkPolicySpec {
    const { gateway, meshNamespaces = [] } = this.props;
    const mesh = [...new Set([...this.locked, ...meshNamespaces])].sort();
    return {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        ...this.toDns(),
        this.toIstiod(),
        {
          to: [{ namespaceSelector: { matchExpressions: [{ key: NAMESPACE_NAME, operator: 'In', values: mesh }] } }],
        },
        {
          to: [{ namespaceSelector: inNamespace(gateway.namespace), podSelector: { matchLabels: gateway.selector } }],
          ports: tcp(this.gatewayPodPorts()),
        },
      ],
    };
  }

  private gatewayPods(): k8s.NetworkPolicySpec {
    const { gateway } = this.props;
    const callers = { matchExpressions: [{ key: NAMESPACE_NAME, operator: 'In', values: [...this.locked].sort() }] };
    return {
      podSelector: { matchLabels: gateway.selector },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ namespaceSelector: callers }], ports: tcp(this.gatewayPodPorts()) }],
      egress: [...this.toDns(), this.toIstiod(), { to: this.outside() }],
    };
  }

  private outside(): k8s.NetworkPolicyPeer[] {
    return [
      { ipBlock: { cidr: '0.0.0.0/0', except: this.ranges(false) } },
      { ipBlock: { cidr: '::/0', except: this.ranges(true) } },
    ];
  }

  /** What shares the gateway's namespace does not share its way out. */
  private restOfGatewayNamespace(): k8s.NetworkPolicySpec {
    return { podSelector: {}, policyTypes: ['Egress'], egress: [...this.toDns(), this.toIstiod()] };
  }

  private clusterWide(lockdown: ClusterLockdown, name: string): ApiObject {
    const { gateway, istiodNamespace } = this.props;
    return new MeshObject<{ [key: string]: unknown }>(this, 'ClusterWide', {
      ...lockdown._kind,
      metadata: { name, annotations: this.assurance.annotations },
      clusterScoped: true,
      manifest: (props) => props,
      spec: () => ({
        spec: lockdown._spec({
          annotations: this.assurance.annotations,
          gatewayNamespace: gateway.namespace,
          gatewaySelector: gateway.selector,
          exempt: ['kube-system', istiodNamespace ?? 'istio-system'].filter(
            (namespace) => namespace !== gateway.namespace,
          ),
          clusterRanges: this.props.clusterRanges ?? PRIVATE_RANGES,
        }),
      }),
    });
  }

  private toDns(): k8s.NetworkPolicyEgressRule[] {
    const { dnsPodPorts = [53], dnsAddresses = [] } = this.props;
    const ports = dnsPodPorts.flatMap((port) => [
      { protocol: 'UDP', port: portOf(port) },
      { protocol: 'TCP', port: portOf(port) },
    ]);
    const pods = {
      namespaceSelector: inNamespace('kube-system'),
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    };
    const caches = dnsAddresses.map(blockOf);
    return [{ to: [pods, ...caches], ports }];
  }

  private toIstiod(): k8s.NetworkPolicyEgressRule {
    const namespace = this.props.istiodNamespace ?? 'istio-system';
    return {
      to: [{ namespaceSelector: inNamespace(namespace), podSelector: { matchLabels: { app: 'istiod' } } }],
      ports: tcp([ISTIOD_XDS]),
    };
  }

  private gatewayPodPorts(): number[] {
    return [...new Set(this.props.gatewayPodPorts ?? this.props.gateway.podPorts)].sort((a, b) => a - b);
  }

  private ranges(isIpv6: boolean): string[] | undefined {
    const ranges = (this.props.clusterRanges ?? PRIVATE_RANGES).filter((range) => range.includes(':') === isIpv6);
    return ranges.length ? ranges : undefined;
  }

  private problems(): Problem[] {
    const { gateway, meshNamespaces = [], clusterRanges = [] } = this.props;
    const namespaces = [...this.locked];
    const problems = [...namespaces, ...meshNamespaces].flatMap((name) => namespaceProblems('namespace', name));
    problems.push(...this.gatewayPodPorts().flatMap((port) => portProblems('gateway pod port', port)));
    if (!namespaces.length)
      problems.push({
        what: '`namespaces` is empty',
        why: 'nobody would be locked in',
        fix: 'name the namespaces of the applications, or let a policy go through the gateway',
      });
    if ([...namespaces, ...meshNamespaces].includes(gateway.namespace))
      problems.push({
        what: `namespace ${quote(gateway.namespace)} holds both applications and the gateway`,
        why: 'who may run pods there may run one with the gateway’s labels, and leave',
        fix: 'give the gateway a namespace of its own',
      });
    for (const range of clusterRanges.filter((text) => !isRange(text)))
      problems.push({
        what: `cluster range ${quote(range)} is no IP range`,
        why: 'the API server would refuse the NetworkPolicy',
        fix: 'write ranges as "10.0.0.0/16"',
      });
    const missing = gateway._callingNamespaces.filter((namespace) => !namespaces.includes(namespace));
    for (const namespace of missing)
      problems.push({
        what: `namespace ${quote(namespace)} may use the gateway by a policy, and is not locked in`,
        why: 'its traffic to the gateway would be dropped by the network, and all its other traffic let out',
        fix: `add ${quote(namespace)} to \`namespaces\``,
      });
    return [...problems, ...this.directProblems(), ...this.nodeProblems()];
  }

  /** Rules that let workloads out past the gateway, which network policies deny all the same. */
  private directProblems(): Problem[] {
    const policies = meshMembers<EgressTrafficPolicy>('EgressTrafficPolicy', this);
    const direct = policies
      .filter((policy) => policy._lockdown !== this)
      .flatMap(({ _permissions }) =>
        _permissions.filter((one) => !gatewayOf(one) && this.locked.has(one.from.namespace)),
      );
    const byRule = [...grouped(direct, whereOf).values()].map(([one]) => one);
    const problems = byRule.map((one) => ({
      what: `${one.from._words()} leave straight from their sidecars by ${whereOf(one)}, and are locked in`,
      why: 'the network would drop what the rule allows',
      fix: 'give the policy this lockdown (`lockdown`), which then lets these pods out; or let the rule go through the gateway',
    }));
    const [exit] = [...this.exits.values()].flat();
    if (exit && this.props.clusterWide)
      problems.push({
        what: `${exit.from._words()} leave straight from their sidecars by ${whereOf(exit)}, and the ${this.props.clusterWide.plugin} policy denies that in every namespace`,
        why: 'the denial wins over what NetworkPolicies allow',
        fix: 'let the rule go through the gateway, or leave out `clusterWide`',
      });
    return problems;
  }

  private nodeProblems(): Problem[] {
    const { nodes, boundary } = this.assurance;
    if (!nodes) return [];
    const problems: Problem[] = [];
    if (!boundary?.trim())
      problems.push({
        what: 'dedicated nodes with no boundary named',
        why: 'nodes of its own change nothing unless something outside the cluster lets only them out',
        fix: 'say which firewall or NAT that is, or claim EgressAssurance.networkPolicy()',
      });
    const own = this.props.gateway._nodes;
    if (own !== 'unknown' && JSON.stringify(own?.labels) !== JSON.stringify(nodes.labels))
      problems.push({
        what: `assurance of nodes ${quote(nodes.labels)}, but the gateway runs on ${own ? `nodes ${quote(own.labels)}` : 'any node'}`,
        why: 'the boundary would let out nodes that the gateway is not on',
        fix: 'give the gateway and the assurance one value of DedicatedNodes',
      });
    return problems;
  }
}

/** What a rule lets some pods reach past the gateway. */
interface DirectExit {
  readonly by: IConstruct;
  readonly rule: number;
  readonly from: Workloads;
  /** The port that is dialled. */
  readonly port: number;
  /** Where it is; none means that only a name is known. */
  readonly addresses: readonly string[];
}

function blockOf(address: string): k8s.NetworkPolicyPeer {
  return { ipBlock: { cidr: address.includes('/') ? address : `${address}/${address.includes(':') ? 128 : 32}` } };
}

const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

function inNamespace(name: string): k8s.LabelSelector {
  return { matchLabels: { [NAMESPACE_NAME]: name } };
}

function portOf(port: number): k8s.IntOrString {
  return coreBindings().IntOrString.fromNumber(port);
}

function tcp(ports: readonly number[]): k8s.NetworkPolicyPort[] {
  return ports.map((port) => ({ protocol: 'TCP', port: portOf(port) }));
}

function isRange(range: string): boolean {
  const [ip, prefix, more] = range.split('/');
  return (
    isIpAddress(ip) &&
    /^\d{1,3}$/.test(prefix ?? '') &&
    Number(prefix) <= (ip.includes(':') ? 128 : 32) &&
    more === undefined
  );
}
