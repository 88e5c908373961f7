import { ApiObject, Chart } from 'cdk8s';
import { ClusterLockdown } from '../../src/egress/cluster-lockdown';
import { DedicatedNodes } from '../../src/egress/dedicated-nodes';
import { EgressAssurance } from '../../src/egress/egress-assurance';
import { EgressGateway, EgressGatewayProps } from '../../src/egress/egress-gateway';
import { EgressLockdown, EgressLockdownProps } from '../../src/egress/egress-lockdown';
import { EgressTrafficPolicy } from '../../src/egress/egress-traffic-policy';
import { ExternalPort } from '../../src/egress/external-port';
import { HttpEgress, TlsEgress } from '../../src/egress/egress-ways';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { TransparentProxy } from '../../src/egress/transparent-proxy';
import { Workloads } from '../../src/mesh/workloads';
import { loadObjects } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { trace } from '../../src/trace';
import { refusals, rendered, world } from './world';

const nodes = DedicatedNodes.labeled({ edge: 'egress' });

function locked(props: Partial<EgressLockdownProps> = {}, gatewayProps: EgressGatewayProps = {}): Chart {
  const chart = world();
  const gateway = new EgressGateway(chart, 'Egress', { name: 'egress', ...gatewayProps });
  const site = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports: [ExternalPort.http()] });
  new EgressTrafficPolicy(chart, 'Policy', {
    gateway,
    rules: [{ from: [Workloads.in('shop', { app: 'payments' })], to: [site] }],
  });
  new EgressLockdown(chart, 'Lockdown', { gateway, namespaces: ['shop'], ...props });
  return chart;
}

const spec = (chart: Chart, name: string) => rendered(chart, 'NetworkPolicy', name).spec;
const portsOf = (rule: any) => (rule.ports ?? []).map(({ port }: any) => port);

describe('EgressLockdown', () => {
  it('is said once for all policies of a gateway, whichever is made first', () => {
    const names = (isFirst: boolean): string[] => {
      const chart = world();
      const gateway = new EgressGateway(chart, 'Egress', { name: 'egress' });
      const site = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports: [ExternalPort.https()] });
      const lock = (): void => void new EgressLockdown(chart, 'Lockdown', { gateway });
      if (isFirst) lock();
      for (const namespace of ['shop', 'mobile'])
        new EgressTrafficPolicy(chart, namespace, { gateway, rules: [{ from: [Workloads.inNamespace(namespace)], to: [site] }] }); // prettier-ignore
      gateway.allow(Workloads.inNamespace('data'), site);
      if (!isFirst) lock();
      expect(refusals(chart)).toEqual([]);
      const policies = chart.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node) && node.kind === 'NetworkPolicy'); // prettier-ignore
      return policies.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();
    };
    expect(names(true)).toEqual([
      'data/lockdown-applications',
      'istio-egress/lockdown-gateway',
      'istio-egress/lockdown-rest',
      'mobile/lockdown-applications',
      'shop/lockdown-applications',
    ]);
    expect(names(false)).toEqual(names(true));
  });

  it("lets out what its gateway's policies let leave straight, unless it names its namespaces", () => {
    const chart = (namespaces?: string[]): Chart => {
      const of = world();
      const gateway = new EgressGateway(of, 'Egress', { name: 'egress' });
      const site = new ExternalService(of, 'Site', { hosts: ['a.example.com'], ports: [ExternalPort.https()] });
      const other = new ExternalService(of, 'Other', { hosts: ['b.example.com'], ports: [ExternalPort.https()] });
      new EgressLockdown(of, 'Lockdown', { gateway, namespaces });
      new EgressTrafficPolicy(of, 'Policy', {
        gateway,
        rules: [
          { from: [Workloads.in('shop', { app: 'push' })], to: [site], direct: true },
          { from: [Workloads.in('shop', { app: 'cart' })], to: [other] },
        ],
      });
      return of;
    };
    expect(refusals(chart())).toEqual([]);
    expect(spec(chart(), 'lockdown-direct-app-push').podSelector).toEqual({ matchLabels: { app: 'push' } });
    expect(refusals(chart(['shop'])).join()).toContain('leave straight from their sidecars');
  });

  it('lets applications reach DNS, istiod, one another, and the gateway by the ports of its pods', () => {
    const { egress, podSelector, policyTypes } = spec(locked({ meshNamespaces: ['common'] }), 'lockdown-applications');
    expect({ podSelector, policyTypes }).toEqual({ podSelector: {}, policyTypes: ['Egress'] });
    expect(egress.map(portsOf)).toEqual([[53, 53], [15012], [], [8080, 8443]]);
    expect(egress[2].to[0].namespaceSelector.matchExpressions[0].values).toEqual(['common', 'shop']);
    expect(egress[3].to[0].podSelector.matchLabels).toEqual({ istio: 'egress' });
  });

  it('lets the gateway go anywhere outside the cluster, and only those namespaces come to it', () => {
    const { egress, ingress } = spec(locked({ clusterRanges: ['10.0.0.0/8', 'fd00::/8'] }), 'lockdown-gateway');
    expect(egress[2].to).toEqual([
      { ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } },
      { ipBlock: { cidr: '::/0', except: ['fd00::/8'] } },
    ]);
    expect(ingress[0].from[0].namespaceSelector.matchExpressions[0].values).toEqual(['shop']);
    expect(portsOf(ingress[0])).toEqual([8080, 8443]);
  });

  it('lets nothing else of the gateway’s namespace out', () => {
    const { egress, podSelector } = spec(locked(), 'lockdown-rest');
    expect(podSelector).toEqual({});
    expect(egress.map(portsOf)).toEqual([[53, 53], [15012]]);
  });

  it('knows DNS on other ports, and caches on the nodes', () => {
    const [dns] = spec(locked({ dnsPodPorts: [8053], dnsAddresses: ['169.254.20.10'] }), 'lockdown-rest').egress;
    expect(portsOf(dns)).toEqual([8053, 8053]);
    expect(dns.to[1]).toEqual({ ipBlock: { cidr: '169.254.20.10/32' } });
  });

  it('states how sure it is on every policy', () => {
    const claim = EgressAssurance.dedicatedNodes(nodes, 'NAT gateway nat-1');
    const chart = locked({ assurance: claim }, { nodes });
    const annotations = chart.node
      .findAll()
      .filter((node): node is ApiObject => ApiObject.isApiObject(node) && node.kind === 'NetworkPolicy')
      .map((object) => (object.toJson() as any).metadata.annotations);
    expect(annotations).toHaveLength(3);
    for (const one of annotations) {
      expect(one['mesh-edge.cdk8s.io/assurance']).toBe('dedicated-nodes');
      expect(one['mesh-edge.cdk8s.io/residual-risks']).toContain('NAT gateway nat-1');
    }
    expect(refusals(chart)).toEqual([]);
  });

  it('denies the world to all namespaces at once by Cilium or Calico', () => {
    const cilium = rendered(locked({ clusterWide: ClusterLockdown.cilium() }), 'CiliumClusterwideNetworkPolicy');
    expect(cilium.metadata.namespace).toBeUndefined();
    expect(cilium.spec.egressDeny).toEqual([{ toEntities: ['world'] }]);
    expect(cilium.spec.endpointSelector.matchExpressions[0].values).toEqual([
      'istio-egress',
      'istio-system',
      'kube-system',
    ]);
    const calico = rendered(locked({ clusterWide: ClusterLockdown.calico() }), 'GlobalNetworkPolicy');
    expect(calico.spec.namespaceSelector).toContain("not in { 'istio-egress', 'istio-system', 'kube-system' }");
    expect(calico.spec.egress.map(({ action }: any) => action)).toEqual(['Pass', 'Deny']);
  });

  it('lets the way through the gateway stay open, and shuts every other, as its manifests are traced', () => {
    const pod = (namespace: string, name: string, ip: string, injected: boolean, labels = {}) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name, labels: { app: name, 'sidecar.istio.io/inject': String(injected), ...labels } },
      spec: { containers: [{ name: 'app', image: 'app' }] },
      status: { podIP: ip },
    });
    const namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } },
    };
    const objects = [
      namespace,
      pod('shop', 'payments', '10.244.1.1', true),
      pod('shop', 'plain', '10.244.1.2', false),
      pod('istio-egress', 'squatter', '10.244.1.3', false),
    ];
    const { manifests } = loadObjects([...objects, ...(locked().toJson() as object[])]);
    const mesh = buildMesh(manifests, { outbound: 'REGISTRY_ONLY' });
    const ask = (from: string) => trace(mesh, { from, request: 'http://a.example.com/', address: '203.0.113.10' });
    for (const from of ['shop/plain', 'istio-egress/squatter']) {
      expect(ask(from)).toMatchObject({ outcome: 'refused', refusal: { code: 'NetworkPolicy' } });
    }
    const through = ask('shop/payments');
    expect(through.outcome).not.toBe('refused');
    expect(through.hops.map(({ proxy }) => proxy.kind)).toEqual(['sidecar', 'egress-gateway']);
  });
});

describe('EgressLockdown refuses', () => {
  it.each<readonly [string, Partial<EgressLockdownProps>, EgressGatewayProps, string]>([
    ['to lock in nobody', { namespaces: [] }, {}, '`namespaces` is empty'],
    [
      'a gateway among the applications',
      { namespaces: ['shop', 'istio-egress'] },
      {},
      'holds both applications and the gateway',
    ],
    [
      'callers that stay outside',
      { namespaces: ['billing'] },
      {},
      'namespace "shop" may use the gateway by a policy, and is not locked in',
    ],
    ['a range that is none', { clusterRanges: ['10.0.0.0'] }, {}, 'cluster range "10.0.0.0" is no IP range'],
    ['a port that is none', { gatewayPodPorts: [0] }, {}, 'gateway pod port 0'],
    [
      'a claim of nodes that the gateway is not on',
      { assurance: EgressAssurance.dedicatedNodes(nodes, 'NAT') },
      {},
      'but the gateway runs on any node',
    ],
    [
      'nodes without a boundary',
      { assurance: EgressAssurance.dedicatedNodes(nodes, ' ') },
      { nodes },
      'no boundary named',
    ],
  ])('%s', (_, props, gateway, said) => {
    expect(refusals(locked(props, gateway)).join('\n')).toContain(said);
  });
});

describe('a policy that names its lockdown', () => {
  const app = Workloads.in('shop', { app: 'payments' });

  function held(options: { lockdown?: Partial<EgressLockdownProps>; named?: boolean; tunnel?: boolean } = {}) {
    const chart = world();
    const gateway = new EgressGateway(chart, 'Egress', { name: 'egress' });
    const lockdown = new EgressLockdown(chart, 'Lockdown', { gateway, ...options.lockdown });
    const service = (host: string, props: Partial<ExternalServiceProps> = {}) =>
      new ExternalService(chart, host, {
        hosts: [host],
        ports: [ExternalPort.http(80, { targetPort: 443 })],
        namespace: 'shop',
        ...props,
      });
    const proxy = new TransparentProxy(chart, 'Proxy', { host: 'proxy.example.com', addresses: ['192.0.2.10'] });
    const tls = { ports: [ExternalPort.https()] };
    const policy = new EgressTrafficPolicy(chart, 'Policy', {
      gateway,
      lockdown: options.named === false ? undefined : lockdown,
      rules: [
        { from: [Workloads.in('billing')], to: [service('a.example.com')], http: HttpEgress.originateTls() },
        { from: [app], to: [service('b.example.com')], direct: true, http: HttpEgress.originateTls() },
        {
          from: [app],
          to: [
            service('range', {
              hosts: ['db.example.com'],
              ports: [ExternalPort.tcp(5432)],
              addresses: ['203.0.113.0/24'],
            }),
          ],
          direct: true,
        },
        { from: [app], to: [service('c.example.com', tls)], direct: true, https: TlsEgress.tunnel(proxy) },
      ],
    });
    return { chart, policy, lockdown };
  }

  it('has the namespaces of its callers locked in', () => {
    const { chart } = held();
    const names = chart.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
    const applications = names.filter(({ name }) => name === 'lockdown-applications');
    expect(applications.map(({ metadata }) => metadata.namespace).sort()).toEqual(['billing', 'shop']);
    expect(spec(chart, 'lockdown-gateway').ingress[0].from[0].namespaceSelector.matchExpressions[0].values).toEqual([
      'billing',
      'shop',
    ]);
    expect(refusals(chart)).toEqual([]);
  });

  it('lets out the pods of direct rules, by the ports and addresses that they dial, and says so', () => {
    const { chart } = held();
    const { podSelector, egress } = spec(chart, 'lockdown-direct-app-payments');
    expect(podSelector).toEqual({ matchLabels: { app: 'payments' } });
    expect(egress.map((rule: any) => [rule.to[0].ipBlock.cidr, portsOf(rule)])).toEqual([
      ['0.0.0.0/0', [443]],
      ['192.0.2.10/32', [3128]],
      ['203.0.113.0/24', [5432]],
    ]);
    expect(egress[0].to[0].ipBlock.except).toContain('10.0.0.0/8');
    const { metadata } = rendered(chart, 'NetworkPolicy', 'lockdown-direct-app-payments');
    expect(metadata.annotations['mesh-edge.cdk8s.io/residual-risks']).toContain(
      'leave by themselves, past the gateway, as world/Policy rules[1] says',
    );
  });

  it('has the network let its direct calls out, and nobody else, by their trace', () => {
    const pod = (name: string, ip: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name, labels: { app: name, 'sidecar.istio.io/inject': 'true' } },
      spec: { containers: [{ name: 'app', image: 'app' }] },
      status: { podIP: ip },
    });
    const { manifests } = loadObjects([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } } },
      pod('payments', '10.244.1.1'),
      pod('orders', '10.244.1.2'),
      ...(held().chart.toJson() as object[]),
    ]);
    const mesh = buildMesh(manifests, { outbound: 'ALLOW_ANY' });
    const ask = (from: string, request: string, address: string) => trace(mesh, { from, request, address });
    expect(ask('shop/payments', 'tcp://203.0.113.30:5432', '203.0.113.30').outcome).toBe('delivered');
    expect(ask('shop/payments', 'tcp://203.0.113.30:6432', '203.0.113.30').outcome).toBe('refused');
    expect(ask('shop/orders', 'tcp://203.0.113.30:5432', '203.0.113.30').outcome).toBe('refused');
    expect(ask('shop/payments', 'https://c.example.com/', '198.51.100.9')).toMatchObject({
      outcome: 'delivered',
      destination: { host: 'c.example.com' },
    });
  });

  it('is refused a direct rule that another lockdown would drop, naming both', () => {
    const { chart } = held({ named: false, lockdown: { namespaces: ['shop', 'billing'] } });
    expect(refusals(chart).join('\n')).toContain(
      'workloads app=payments of "shop" leave straight from their sidecars by world/Policy rules[1], and are locked in',
    );
  });

  it('is refused a direct rule that the network plugin would deny', () => {
    const { chart } = held({ lockdown: { clusterWide: ClusterLockdown.cilium() } });
    expect(refusals(chart).join('\n')).toContain('by world/Policy rules[1], and the cilium policy denies that');
  });

  it('is refused a lockdown of another gateway', () => {
    const { chart, lockdown } = held();
    const other = new EgressGateway(chart, 'Other', { name: 'other', namespace: 'other-egress' });
    const site = new ExternalService(chart, 'Site', { hosts: ['d.example.com'], ports: [ExternalPort.http()] });
    new EgressTrafficPolicy(chart, 'Second', { gateway: other, lockdown, rules: [{ from: [app], to: [site] }] });
    expect(refusals(chart).join('\n')).toContain(
      'world/Lockdown lets world/Egress out, and the policy goes through world/Other',
    );
  });
});
