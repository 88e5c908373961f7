import { Chart } from 'cdk8s';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { EgressLockdown } from '../../src/egress/egress-lockdown';
import { EgressTrafficPolicy } from '../../src/egress/egress-traffic-policy';
import { EgressWaypoint, EgressWaypointProps } from '../../src/egress/egress-waypoint';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { Resolution } from '../../src/egress/resolution';
import { WaypointTrafficPolicy, WaypointTrafficRule } from '../../src/egress/waypoint-traffic-policy';
import { Audience } from '../../src/mesh/audience';
import { MeshMembership } from '../../src/mesh/mesh-membership';
import { MeshNamespace } from '../../src/mesh/mesh-namespace';
import { TlsCredential } from '../../src/mesh/tls-credential';
import { Workloads } from '../../src/mesh/workloads';
import { refusals, rendered, world } from './world';

const http = ExternalPort.http();
const https = ExternalPort.https();
const payments = Workloads.serviceAccount('shop', 'payments');
const orders = Workloads.serviceAccount('shop', 'orders');

class Mesh {
  public readonly chart: Chart = world();
  public readonly waypoint: EgressWaypoint;
  private count = 0;

  public constructor(props: EgressWaypointProps = {}) {
    this.waypoint = new EgressWaypoint(this.chart, 'Egress', { namespace: 'istio-egress', ...props });
  }

  public service(host: string, props: Partial<ExternalServiceProps> = {}, id = host): ExternalService {
    const usual = { hosts: [host], ports: [http, https], namespace: 'istio-egress' };
    return new ExternalService(this.chart, id, { ...usual, ...props });
  }

  public policy(...rules: WaypointTrafficRule[]): WaypointTrafficPolicy {
    return new WaypointTrafficPolicy(this.chart, `Policy${++this.count}`, { waypoint: this.waypoint, rules });
  }

  public refused(): string {
    return refusals(this.chart).join('\n');
  }

  public render(kind: string, name?: string): any {
    return rendered(this.chart, kind, name);
  }
}

describe('a policy by a waypoint', () => {
  it('binds the service, asks for an address, and shows it to no sidecar', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com', { name: 'a' })] });
    const { metadata, spec } = mesh.render('ServiceEntry', 'a');
    expect(metadata.labels).toEqual({
      'istio.io/use-waypoint': 'egress',
      'istio.io/use-waypoint-namespace': 'istio-egress',
      'networking.istio.io/enable-autoallocate-ip': 'true',
    });
    expect(spec.exportTo).toEqual(['.']);
    expect(mesh.refused()).toBe('');
  });

  it('lets callers in by identity, port, host and SNI, by a policy for the service, and nobody else', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com', { name: 'a' })] });
    const from = [{ source: { principals: ['cluster.local/ns/shop/sa/payments'] } }];
    expect(mesh.render('AuthorizationPolicy', 'egress-allow-a').spec).toEqual({
      targetRefs: [{ group: 'networking.istio.io', kind: 'ServiceEntry', name: 'a' }],
      action: 'ALLOW',
      rules: [
        { from, to: [{ operation: { ports: ['80'], hosts: ['a.example.com', 'a.example.com:*'] } }] },
        { from, to: [{ operation: { ports: ['443'] } }], when: [{ key: 'connection.sni', values: ['a.example.com'] }] },
      ],
    });
    expect(mesh.render('AuthorizationPolicy', 'egress-deny-rest').spec).toEqual({
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'egress' }],
    });
  });

  it('adds up over several policies, in any order', () => {
    const rules = (mesh: Mesh): WaypointTrafficRule[] => {
      const a = mesh.service('a.example.com', { name: 'a' });
      return [
        { from: [payments], to: [a], ports: [80], methods: ['GET'] },
        { from: [orders], to: [a], ports: [443] },
      ];
    };
    const [one, other] = [new Mesh(), new Mesh()];
    rules(one).forEach((rule) => one.policy(rule));
    other.policy(...rules(other).reverse());
    const spec = (mesh: Mesh) => mesh.render('AuthorizationPolicy', 'egress-allow-a').spec;
    expect(spec(one)).toEqual(spec(other));
    expect(spec(one).rules).toHaveLength(2);
  });

  it('opens the waypoint to namespaces whose services are bound to it, and no further', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com', { namespace: 'partners' })] });
    expect(mesh.render('Gateway').spec.listeners[0].allowedRoutes.namespaces).toEqual({
      from: 'Selector',
      selector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['partners'] }] },
    });
  });

  it('makes TLS by a rule that the waypoint alone sees, on the port that applications dial', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com')], http: HttpEgress.originateTls() });
    const { metadata, spec } = mesh.render('DestinationRule');
    expect(metadata.namespace).toBe('istio-egress');
    expect(spec).toMatchObject({
      exportTo: ['.'],
      trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'SIMPLE', sni: 'a.example.com' } }] },
    });
    expect(mesh.render('ServiceEntry').spec.ports[0]).toMatchObject({ number: 80, targetPort: 443 });
  });

  it('lets the waypoint read the Secret of a client certificate, and no other waypoint', () => {
    const mesh = new Mesh();
    const way = HttpEgress.originateMutualTls(TlsCredential.fromSecretName('client'));
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com')], http: way });
    expect(mesh.render('Role').rules).toEqual([
      { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch', 'list'] },
    ]);
    expect(mesh.render('RoleBinding').subjects).toEqual([
      { kind: 'ServiceAccount', name: 'egress', namespace: 'istio-egress' },
    ]);
    expect(mesh.refused()).toBe('');
  });

  it('runs in two Pods, of which one is taken away at a time', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com')] });
    expect(mesh.render('ConfigMap').data).toEqual({
      deployment: 'spec:\n  replicas: 2\n',
      podDisruptionBudget: 'spec:\n  maxUnavailable: 1\n',
    });
    expect(mesh.render('Gateway').spec.infrastructure.parametersRef.name).toBe('egress-parameters');
  });

  it('is held to by the network where it is locked down', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com')] });
    new EgressLockdown(mesh.chart, 'lockdown', { gateway: mesh.waypoint, namespaces: ['shop'] });
    const { egress } = mesh.render('NetworkPolicy', 'lockdown-applications').spec;
    expect(egress.at(-1)).toMatchObject({
      ports: [{ port: 15008 }],
      to: [{ podSelector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'egress' } } }],
    });
    expect(mesh.refused()).toBe('');
  });
});

describe('a policy by a waypoint refuses', () => {
  const rule =
    (more: Partial<WaypointTrafficRule>, props?: Partial<ExternalServiceProps>) =>
    (mesh: Mesh): void =>
      void mesh.policy({ from: [payments], to: [mesh.service('a.example.com', props)], ...more });

  const cases: Array<[string, (mesh: Mesh) => void, string[]]> = [
    ['no rule', (mesh) => void mesh.policy(), ['`rules` is empty', 'waypoint "egress" lets nothing through']],
    ['a rule for nobody', rule({ from: [] }), ['rules[0]: `from` is empty']],
    ['an unknown port', rule({ ports: [8080] }), ['world/a.example.com has no port 8080', 'use one of 80, 443']],
    [
      'callers by label',
      rule({ from: [Workloads.in('shop', { app: 'web' })] }),
      ['are chosen by labels', 'Workloads.serviceAccount("shop", "...")'],
    ],
    [
      'callers beside the waypoint',
      rule({ from: [Workloads.serviceAccount('istio-egress', 'x')] }),
      ['are in the namespace of the waypoint'],
    ],
    [
      'callers with sidecars',
      (mesh) => {
        new MeshNamespace(mesh.chart, 'shop', { membership: MeshMembership.sidecar() });
        rule({})(mesh);
      },
      ["can't match: world/shop is not ambient", 'MeshMembership.ambient()'],
    ],
    ['methods on TLS', rule({ methods: ['GET'] }), ['methods or paths on HTTPS port 443']],
    [
      'an IP range',
      rule({}, { ports: [ExternalPort.tcp(5432)], addresses: ['203.0.113.0/24'] }),
      ['IP range "203.0.113.0/24"', 'ztunnel knows services by single addresses'],
    ],
    [
      'a service without an address',
      rule({}, { resolution: Resolution.none() }),
      ['with NONE resolution, through a waypoint'],
    ],
    [
      'TLS to any name of a domain',
      rule({}, { hosts: ['*.example.com'], resolution: Resolution.dynamicDns() }),
      ['TLS to any name of "*.example.com"', 'HTTP works with the wildcard'],
    ],
    [
      'TLS with nowhere to go',
      rule({ http: HttpEgress.originateTls() }, { ports: [http] }),
      ['has no port for the TLS to go to'],
    ],
    [
      'a subset for the TLS',
      rule({ http: HttpEgress.originateTls({ subset: 'tls' }) }),
      ['subset "tls" for TLS that a waypoint makes'],
    ],
    [
      'a credential of another namespace',
      rule({ http: HttpEgress.originateMutualTls(TlsCredential.fromSecretName('client', 'shop')) }),
      ['credential "client" lies in namespace "shop"'],
    ],
    [
      'two ways for one service',
      (mesh) => {
        const a = mesh.service('a.example.com');
        mesh.policy({ from: [payments], to: [a], http: HttpEgress.originateTls() });
        mesh.policy({ from: [orders], to: [a] });
      },
      ['as TLS that the waypoint makes by world/Policy1 rules[0]', 'as it is by world/Policy2 rules[0]'],
    ],
    [
      'a service through two waypoints',
      (mesh) => {
        const a = mesh.service('a.example.com');
        mesh.policy({ from: [payments], to: [a] });
        const other = new EgressWaypoint(mesh.chart, 'Other', { namespace: 'istio-egress' });
        new WaypointTrafficPolicy(mesh.chart, 'Second', { waypoint: other, rules: [{ from: [orders], to: [a] }] });
      },
      ['is bound to waypoints "istio-egress/egress" and "istio-egress/other"'],
    ],
    [
      'a service through a gateway too',
      (mesh) => {
        const a = mesh.service('a.example.com');
        mesh.policy({ from: [payments], to: [a] });
        const gateway = EgressGateway.fromInstalled(mesh.chart, 'Gateway');
        new EgressTrafficPolicy(mesh.chart, 'Second', { gateway, rules: [{ from: [orders], to: [a] }] });
      },
      ['world/a.example.com is led by world/Second, and through waypoint "egress" by world/Policy1 rules[0]'],
    ],
    [
      'an audience beside its own',
      rule({}, { audience: Audience.mesh() }),
      ['has an `audience`, and a WaypointTrafficPolicy'],
    ],
  ];

  it.each(cases)('%s', (_, make, said) => {
    const mesh = new Mesh();
    make(mesh);
    const refused = mesh.refused();
    for (const words of said) expect(refused).toContain(words);
  });

  it.each([
    [{ name: 'none' }, 'a waypoint named "none"'],
    [{ replicas: 0 }, '`replicas` is 0'],
    [{ name: 'Not_a_name' }, '"Not_a_name"'],
  ])('a waypoint of %j', (props, said) => {
    const mesh = new Mesh(props);
    rule({})(mesh);
    expect(mesh.refused()).toContain(said);
  });

  it('two waypoints of one name', () => {
    const mesh = new Mesh();
    rule({})(mesh);
    new EgressWaypoint(mesh.chart, 'Again', { name: 'egress', namespace: 'istio-egress' });
    expect(mesh.refused()).toContain('waypoint "istio-egress/egress" is made by both world/Egress and world/Again');
  });
});
