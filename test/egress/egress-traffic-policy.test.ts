import { ApiObject, Chart } from 'cdk8s';
import { EgressGateway, EgressGatewayBase, InstalledEgressGatewayProps } from '../../src/egress/egress-gateway';
import { EgressTrafficPolicy, EgressTrafficRule } from '../../src/egress/egress-traffic-policy';
import { HttpEgress, TlsEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { GatewayHop } from '../../src/egress/gateway-hop';
import { Resolution } from '../../src/egress/resolution';
import { SidecarEgress } from '../../src/egress/sidecar-egress';
import { TransparentProxy } from '../../src/egress/transparent-proxy';
import { Audience } from '../../src/mesh/audience';
import { MeshBoundary } from '../../src/mesh/mesh-boundary';
import { MeshMembership } from '../../src/mesh/mesh-membership';
import { MeshNamespace } from '../../src/mesh/mesh-namespace';
import { OutboundMode, OutboundTrafficPolicy } from '../../src/mesh/outbound-traffic-policy';
import { TlsCredential } from '../../src/mesh/tls-credential';
import { Workloads } from '../../src/mesh/workloads';
import { refusals, rendered, world } from './world';

const http = ExternalPort.http();
const https = ExternalPort.https();
const payments = Workloads.serviceAccount('shop', 'payments', { app: 'payments' });
const orders = Workloads.in('shop', { app: 'orders' });
const HOST = 'istio-egressgateway.istio-system.svc.cluster.local';

class Mesh {
  public readonly chart: Chart = world();
  public readonly gateway: EgressGatewayBase;
  private count = 0;

  public constructor(gateway?: InstalledEgressGatewayProps) {
    this.gateway = EgressGateway.fromInstalled(this.chart, 'Egress', gateway);
  }

  public service(host: string, props: Partial<ExternalServiceProps> = {}, id = host): ExternalService {
    return new ExternalService(this.chart, id, { hosts: [host], ports: [http, https], namespace: 'shop', ...props });
  }

  public policy(...rules: EgressTrafficRule[]): EgressTrafficPolicy {
    return new EgressTrafficPolicy(this.chart, `Policy${++this.count}`, { gateway: this.gateway, rules });
  }

  public spec(kind: string, name?: string): any {
    return rendered(this.chart, kind, name).spec;
  }

  public names(kind: string): string[] {
    const objects = this.chart.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
    return objects.filter((object) => object.kind === kind).map(({ name }) => name);
  }

  /** The VirtualService that the sidecars of a namespace read. */
  public first(name: string): any {
    const found = this.names('VirtualService').filter((other) => other.includes(name));
    expect(found).toHaveLength(1);
    return this.spec('VirtualService', found[0]);
  }

  public refused(): string {
    return refusals(this.chart).join('\n');
  }
}

describe('EgressTrafficPolicy', () => {
  it('shows the host to the gateway alone, with the ports that a rule allows', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com')], ports: [443] });
    const spec = mesh.spec('ServiceEntry', 'a-example-com');
    expect(spec.exportTo).toEqual(['istio-system']);
    expect(spec.ports).toEqual([{ number: 443, name: 'https', protocol: 'HTTPS' }]);
    expect(mesh.refused()).toBe('');
  });

  it('leads the callers, told by their labels, to the gateway in mutual TLS', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments, orders], to: [mesh.service('a.example.com', { ports: [http] })] });
    const spec = mesh.first('from-shop');
    expect(spec.exportTo).toEqual(['shop']);
    expect(spec.http[0].match).toEqual([
      { port: 80, sourceLabels: { app: 'orders' } },
      { port: 80, sourceLabels: { app: 'payments' } },
    ]);
    expect(spec.http[0].route[0].destination).toEqual({ host: HOST, subset: 'mutual-tls', port: { number: 80 } });
    expect(mesh.spec('DestinationRule').exportTo).toEqual(['.', 'shop']);
  });

  it('says it of all hosts that the same callers reach in the same way by one VirtualService', () => {
    const mesh = new Mesh();
    const to = ['b.example.com', 'a.example.com'].map((host) => mesh.service(host, { ports: [https] }));
    mesh.policy({ from: [payments], to });
    const spec = mesh.spec('VirtualService', 'istio-egressgateway-from-shop-app-payments-tls-443');
    expect(spec.hosts.slice(1)).toEqual(['a.example.com', 'b.example.com']);
    expect(spec.tls).toHaveLength(1);
    expect(spec.tls[0].match[0].sniHosts).toEqual(['a.example.com', 'b.example.com']);
  });

  it('gives the callers an entry that leads nowhere for their VirtualService to hang on', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com')] });
    const { metadata, spec } = rendered(mesh.chart, 'ServiceEntry', 'istio-egressgateway-from-shop');
    expect(spec).toMatchObject({ resolution: 'STATIC', exportTo: ['shop'] });
    expect(spec.endpoints).toBeUndefined();
    expect(spec.hosts).toEqual([
      mesh.spec('VirtualService', 'istio-egressgateway-from-shop-app-payments-http-80-tls-443').hosts[0],
    ]);
    expect(metadata.labels).toEqual({ 'networking.istio.io/enable-autoallocate-ip': 'false' });
  });

  it('admits at the gateway by account, host and hop, and by namespace where no account is named', () => {
    const mesh = new Mesh();
    const a = mesh.service('a.example.com', { ports: [http] });
    mesh.policy({ from: [payments], to: [a], methods: ['GET'] }, { from: [orders], to: [a] });
    const { rules, action, selector } = mesh.spec('AuthorizationPolicy');
    expect({ action, selector }).toEqual({ action: 'ALLOW', selector: { matchLabels: { istio: 'egressgateway' } } });
    expect(rules).toEqual([
      {
        from: [{ source: { namespaces: ['shop'] } }],
        to: [{ operation: { hosts: ['a.example.com', 'a.example.com:*'] } }],
      },
      {
        from: [{ source: { principals: ['cluster.local/ns/shop/sa/payments'] } }],
        to: [{ operation: { hosts: ['a.example.com', 'a.example.com:*'], methods: ['GET'] } }],
      },
    ]);
  });

  it('carries TLS of applications inside mutual TLS, and reads its SNI on a port that only the gateway itself reaches', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com', { ports: [https] })] });
    const [outer, inner] = mesh.spec('Gateway').servers;
    expect(outer).toMatchObject({ port: { number: 443, protocol: 'TLS' }, tls: { mode: 'ISTIO_MUTUAL' } });
    expect(inner).toMatchObject({ bind: '127.0.0.1', port: { protocol: 'TLS' }, tls: { mode: 'PASSTHROUGH' } });
    const subset = mesh.spec('DestinationRule').subsets[0];
    expect(subset.trafficPolicy.portLevelSettings[0].tls).toEqual({ mode: 'ISTIO_MUTUAL', sni: outer.hosts[0] });
    const admitted = mesh.spec('AuthorizationPolicy', 'istio-egressgateway-from-shop').rules[0];
    expect(admitted.when).toEqual([{ key: 'connection.sni', values: outer.hosts }]);
    expect(mesh.spec('AuthorizationPolicy', 'istio-egressgateway-from-itself').rules[0].to[0].operation.ports).toEqual([
      String(inner.port.number),
    ]);
    expect(mesh.spec('VirtualService', 'a-example-com-443-through-istio-egressgateway').tls[0].match).toEqual([
      { port: inner.port.number, sniHosts: ['a.example.com'] },
    ]);
  });

  it('never lets hosts with other callers share a hop', () => {
    const mesh = new Mesh();
    mesh.policy(
      { from: [payments], to: [mesh.service('a.example.com', { ports: [https] })] },
      { from: [orders], to: [mesh.service('b.example.com', { ports: [https] })] },
    );
    const outer = mesh.spec('Gateway').servers.filter((server: any) => server.tls.mode === 'ISTIO_MUTUAL');
    expect(new Set(outer.flatMap((server: any) => server.hosts)).size).toBe(2);
  });

  it('gives clients of a TCP host an entry with its address that leads nowhere, and a hop of its own', () => {
    const mesh = new Mesh();
    const db = mesh.service('db.example.com', { ports: [ExternalPort.tcp(5432)], addresses: ['203.0.113.30'] });
    mesh.policy({ from: [payments], to: [db] });
    const twin = mesh.spec('ServiceEntry', 'db-example-com-clients');
    expect(twin).toMatchObject({ addresses: ['203.0.113.30'], resolution: 'STATIC', exportTo: ['shop'] });
    expect(twin.endpoints).toBeUndefined();
    expect(mesh.spec('AuthorizationPolicy').rules[0].when[0].values).toEqual(['tcp-5432.db.example.com']);
    expect(mesh.refused()).toBe('');
  });

  it('has the gateway make TLS of plain HTTP by one cluster', () => {
    const mesh = new Mesh();
    mesh.policy({
      from: [payments],
      to: [mesh.service('a.example.com')],
      ports: [80],
      http: HttpEgress.originateTls(),
    });
    expect(mesh.spec('ServiceEntry', 'a-example-com').ports).toEqual([
      { number: 80, name: 'http', protocol: 'HTTP', targetPort: 443 },
    ]);
    const rule = mesh.spec('DestinationRule', 'originate-tls-for-a-example-com');
    expect(rule.exportTo).toEqual(['.']);
    expect(rule.subsets).toBeUndefined();
    expect(rule.trafficPolicy.portLevelSettings[0].tls).toEqual({
      mode: 'SIMPLE',
      caCertificates: 'system',
      sni: 'a.example.com',
      subjectAltNames: ['a.example.com'],
    });
  });

  it('shows each caller’s own credential to one host, told apart by a Host of its own on the hop', () => {
    const mesh = new Mesh();
    const bank = mesh.service('bank.example.com', { ports: [ExternalPort.http(80, { targetPort: 443 })] });
    const by = (name: string) => HttpEgress.originateMutualTls(TlsCredential.fromSecretName(name));
    mesh.policy({ from: [payments], to: [bank], http: by('for-payments') });
    mesh.policy({ from: [orders], to: [bank], http: by('for-orders') });
    expect(mesh.refused()).toBe('');
    const { subsets } = mesh.spec('DestinationRule', 'originate-tls-for-bank-example-com');
    expect(subsets.map((s: any) => s.trafficPolicy.portLevelSettings[0].tls.credentialName)).toEqual([
      'for-orders',
      'for-payments',
    ]);
    const mine = mesh.first('from-shop').http.find((one: any) => one.match[0].sourceLabels.app === 'payments');
    const { authority } = mine.rewrite;
    expect(authority).toMatch(/^for-payments-[0-9a-f]{6}\.bank\.example\.com$/);
    const second = mesh
      .names('VirtualService')
      .map((name) => mesh.spec('VirtualService', name))
      .find((spec) => spec.hosts[0] === authority);
    expect(second.http[0].rewrite).toEqual({ authority: 'bank.example.com' });
    expect(second.http[0].route[0].destination.subset).toBe(subsets[1].name);
    const admitted = mesh.spec('AuthorizationPolicy').rules.find((rule: any) => rule.from[0].source.principals);
    expect(admitted.to[0].operation.hosts).toEqual([authority, `${authority}:*`]);
  });

  it('sends nothing twice that the site may have seen', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com', { ports: [http] })] });
    for (const name of mesh.names('VirtualService')) {
      expect(mesh.spec('VirtualService', name).http[0].retries.retryOn).toBe('connect-failure,refused-stream');
    }
  });

  it('cuts the rest in the callers’ namespaces, once for each, unless a Sidecar does so already', () => {
    const mesh = new Mesh();
    new OutboundTrafficPolicy(mesh.chart, 'Billing', { namespace: 'billing', mode: OutboundMode.REGISTRY_ONLY });
    const a = mesh.service('a.example.com');
    mesh.policy({ from: [payments, Workloads.in('billing')], to: [a], ports: [80] });
    mesh.policy({ from: [orders], to: [a], ports: [443] });
    expect(mesh.spec('Sidecar', 'registry-only').outboundTrafficPolicy).toEqual({ mode: 'REGISTRY_ONLY' });
    expect(mesh.names('Sidecar')).toHaveLength(2);
    expect(mesh.refused()).toBe('');
  });

  it('comes to the same whatever the order of policies', () => {
    const make = (turned: boolean) => {
      const mesh = new Mesh();
      const a = mesh.service('a.example.com');
      const b = mesh.service('b.example.com', { ports: [http] });
      const rules: EgressTrafficRule[] = [
        { from: [payments], to: [a, b] },
        { from: [orders], to: [a], ports: [443] },
        { from: [Workloads.in('billing')], to: [b] },
      ];
      (turned ? [...rules].reverse() : rules).forEach((rule) => mesh.policy(rule));
      const objects = mesh.chart.node.findAll().filter((node): node is ApiObject => ApiObject.isApiObject(node));
      return objects.map((object) => JSON.stringify(object.toJson())).sort();
    };
    expect(make(true)).toEqual(make(false));
  });
});

type Make = (mesh: Mesh) => void;

describe('a policy refuses', () => {
  const rule =
    (partial: Partial<EgressTrafficRule>, props: Partial<ExternalServiceProps> = {}): Make =>
    (mesh) => {
      mesh.policy({ from: [payments], to: [mesh.service('a.example.com', props)], ...partial });
    };
  const way = (credential: string) => HttpEgress.originateMutualTls(TlsCredential.fromSecretName(credential));
  const upgradable = { ports: [ExternalPort.http(80, { targetPort: 443 })] };

  const cases: readonly (readonly [string, Make, readonly string[]])[] = [
    ['no rule', (mesh) => mesh.policy(), ['`rules` is empty']],
    ['a rule from nobody', rule({ from: [] }), ['rules[0]: `from` is empty', 'allow nothing']],
    ['a rule to nothing', rule({ to: [] }), ['`to` is empty']],
    ['no port', rule({ ports: [] }), ['`ports` is empty']],
    ['no method', rule({ ports: [80], methods: [] }), ['`methods` is empty']],
    [
      'a whole top-level domain',
      rule({}, { hosts: ['*.com'], resolution: Resolution.dns({ address: 'a.example.com' }) }),
      ['"*.com" takes in a whole top-level domain'],
    ],
    ['every path', rule({ ports: [80], paths: ['/*'] }), ['path "/*"', 'takes in every path']],
    ['a method that is none', rule({ ports: [80], methods: ['get'] }), ['method "get"']],
    ['methods on TLS', rule({ methods: ['GET'] }), ['methods or paths on HTTPS port 443']],
    ['a port that the service has not', rule({ ports: [8080] }), ['world/a.example.com has no port 8080', '80, 443']],
    ['a port that the gateway has not', rule({ gatewayPort: 9443 }), ['world/Egress has no port 9443', '80, 443']],
    [
      'a label that no Pod carries',
      rule({ from: [Workloads.in('shop', { app: 'pay ments' })] }),
      ['label "app": "pay ments" can be on no Pod'],
    ],
    ['an empty selector', rule({ from: [Workloads.in('shop', {})] }), ['chosen by no label']],
    [
      'an account that can’t exist',
      rule({ from: [Workloads.serviceAccount('shop', '*')] }),
      ['service account "*" can\'t exist'],
    ],
    [
      'callers without a sidecar',
      (mesh) => {
        new MeshNamespace(mesh.chart, 'Shop', { name: 'shop', membership: MeshMembership.optedOut() });
        rule({})(mesh);
      },
      ["can't match", 'world/Shop keeps sidecars out'],
    ],
    [
      'callers beside the gateway',
      rule({ from: [Workloads.in('istio-system')] }),
      ['all workloads of "istio-system" are in the namespace of the gateway'],
    ],
    [
      'a host without resolution',
      rule({}, { hosts: ['*.example.com'] }),
      ['"*.example.com" with NONE resolution, through a gateway'],
    ],
    [
      'TLS with nowhere to go',
      rule({ http: HttpEgress.originateTls() }, { ports: [http] }),
      ['TLS origination, but world/a.example.com has no port for the TLS to go to'],
    ],
    ['HTTP that goes direct', rule({ ports: [80], http: HttpEgress.direct() }), ['HttpEgress.direct() in a rule']],
    ['a way for HTTP without HTTP', rule({ ports: [443], http: HttpEgress.asIs() }), ['no plain-text HTTP port']],
    [
      'an audience beside its own',
      rule({}, { audience: Audience.mesh() }),
      ['has an `audience`, and an EgressTrafficPolicy'],
    ],
    [
      'a host through two gateways',
      (mesh) => {
        rule({})(mesh);
        const other = EgressGateway.fromInstalled(mesh.chart, 'Other', {
          namespace: 'other-egress',
          selector: { istio: 'other' },
        });
        const again = mesh.service('a.example.com', { namespace: 'elsewhere' }, 'again');
        new EgressTrafficPolicy(mesh.chart, 'Second', { gateway: other, rules: [{ from: [payments], to: [again] }] });
      },
      [
        'host "a.example.com" goes through world/Egress by world/Policy1 rules[0]',
        'world/Other by world/Second rules[0]',
      ],
    ],
    [
      'two protocols on one port for one namespace',
      (mesh) =>
        mesh.policy(
          { from: [payments], to: [mesh.service('a.example.com', { ports: [ExternalPort.http(8080)] })] },
          { from: [orders], to: [mesh.service('b.example.com', { ports: [ExternalPort.tls(8080)] })] },
        ),
      [
        'port 8080 is HTTP for "a.example.com" in world/Policy1 rules[0] and TLS for "b.example.com" in world/Policy1 rules[1]',
      ],
    ],
    [
      'one caller with two credentials',
      (mesh) => {
        const bank = mesh.service('a.example.com', upgradable);
        mesh.policy({ from: [payments], to: [bank], http: way('one') });
        mesh.policy({ from: [Workloads.in('shop')], to: [bank], http: way('two') });
      },
      ['credential "one" by world/Policy1 rules[0]', 'credential "two" by world/Policy2 rules[0]'],
    ],
    [
      'two credentials for one wildcard',
      (mesh) => {
        const wild = mesh.service('*.example.org', {
          ...upgradable,
          resolution: Resolution.dns({ address: 'edge.example.org' }),
        });
        mesh.policy({ from: [payments], to: [wild], http: way('one') });
        mesh.policy({ from: [orders], to: [wild], http: way('two') });
      },
      ['wildcard "*.example.org" leaves the gateway as mutual TLS with credential "one" by world/Policy1 rules[0]'],
    ],
    [
      'a caller held to GET by one rule and free by another',
      (mesh) => {
        const a = mesh.service('a.example.com', { ports: [http] });
        mesh.policy({ from: [payments], to: [a], methods: ['GET'] }, { from: [payments], to: [a] });
      },
      ['with GET by world/Policy1 rules[0]', 'with any method and path by world/Policy1 rules[1]'],
    ],
    [
      'TLS made for some callers of a host and not for others',
      (mesh) => {
        const a = mesh.service('a.example.com', upgradable);
        mesh.policy({ from: [payments], to: [a], http: HttpEgress.originateTls() }, { from: [orders], to: [a] });
      },
      [
        'leaves the gateway as it is by world/Policy1 rules[1]',
        'as TLS that the gateway makes by world/Policy1 rules[0]',
      ],
    ],
    [
      'a gateway that also forwards by hand',
      (mesh) => {
        rule({})(mesh);
        mesh.gateway.forward(mesh.service('b.example.com', { namespace: 'default' }));
      },
      ['forwards by world/b.example.com/ThroughEgress, and admits by world/Policy1 rules[0]', '403'],
    ],
    [
      'a service that is also routed by hand',
      (mesh) => {
        const a = mesh.service('a.example.com');
        mesh.policy({ from: [payments], to: [a], ports: [443] });
        new SidecarEgress(mesh.chart, 'Direct', { service: a, http: HttpEgress.originateTls() });
      },
      ['world/a.example.com is routed by world/Direct, and by world/Policy1 rules[0]'],
    ],
  ];

  it.each(cases)('%s', (_, make, said) => {
    const mesh = new Mesh();
    make(mesh);
    const refused = mesh.refused();
    for (const words of said) expect(refused).toContain(words);
  });

  it('a hop in plain text', () => {
    const mesh = new Mesh({ hop: GatewayHop.plainText() });
    rule({})(mesh);
    expect(mesh.refused()).toContain('takes its hop in plain text');
  });

  it('a gateway of another mesh', () => {
    const mesh = new Mesh();
    MeshBoundary.at(mesh.chart);
    const elsewhere = new Chart(mesh.chart.node.root as never, 'elsewhere');
    MeshBoundary.at(elsewhere);
    const a = new ExternalService(elsewhere, 'A', { hosts: ['a.example.com'], ports: [http] });
    new EgressTrafficPolicy(elsewhere, 'Policy', { gateway: mesh.gateway, rules: [{ from: [payments], to: [a] }] });
    expect(refusals(mesh.chart).join('\n')).toContain('gateway world/Egress belongs to another mesh');
  });
});

describe('a rule straight from the sidecar', () => {
  const shop = Workloads.in('shop');
  const billing = Workloads.in('billing');
  const app = Workloads.in('shop', { app: 'payments' });
  const service = (mesh: Mesh, props: Partial<ExternalServiceProps> = {}) => mesh.service('a.example.com', props);
  const from = (
    workloads: Workloads[],
    props: Partial<ExternalServiceProps>,
    rule: Partial<EgressTrafficRule> = {},
  ) => {
    const mesh = new Mesh();
    const one = new EgressTrafficPolicy(mesh.chart, 'Direct', {
      rules: [{ from: workloads, to: [service(mesh, props)], ...rule }],
    });
    mesh.chart.node.tryRemoveChild('Egress');
    return { mesh, one };
  };
  const only = { from: [app], to: [] as ExternalService[] };

  it('shows the host to the namespaces of its callers, and needs no more where all of them may', () => {
    const { mesh } = from([shop, billing], {});
    expect(mesh.spec('ServiceEntry', 'a-example-com').exportTo).toEqual(['.', 'billing']);
    expect(mesh.names('VirtualService')).toEqual([]);
    expect(mesh.names('Sidecar')).toEqual(['registry-only', 'registry-only']);
    expect(mesh.refused()).toBe('');
  });

  it('leads whom no rule names nowhere: HTTP to 502, the rest to an entry of no host', () => {
    const { mesh } = from([app], { ports: [http, https] });
    const spec = mesh.spec('VirtualService');
    expect(spec.exportTo).toEqual(['.']);
    expect(spec.http[0].match).toEqual([{ port: 80, sourceLabels: { app: 'payments' } }]);
    expect(spec.http.at(-1)).toEqual({ directResponse: { status: 502 } });
    expect(spec.tls[0].match).toEqual([{ port: 443, sniHosts: ['a.example.com'], sourceLabels: { app: 'payments' } }]);
    const nowhere = 'nowhere-of-a-example-com.mesh-edge.invalid';
    expect(spec.tls.at(-1)).toEqual({
      match: [{ sniHosts: ['a.example.com'] }],
      route: [{ destination: { host: nowhere, port: { number: 9 } } }],
    });
    expect(mesh.spec('ServiceEntry', 'nowhere-of-a-example-com')).toMatchObject({
      hosts: [nowhere],
      resolution: 'STATIC',
      exportTo: ['.'],
    });
    expect(mesh.refused()).toBe('');
  });

  it('holds a namespace to its own ports, where another has more', () => {
    const mesh = new Mesh();
    const a = service(mesh);
    new EgressTrafficPolicy(mesh.chart, 'One', { rules: [{ from: [shop], to: [a], ports: [443] }] });
    new EgressTrafficPolicy(mesh.chart, 'Two', { rules: [{ from: [billing], to: [a] }] });
    mesh.chart.node.tryRemoveChild('Egress');
    expect(mesh.names('VirtualService')).toEqual(['a-example-com-from-shop']);
    expect(mesh.spec('VirtualService').http).toEqual([{ directResponse: { status: 502 } }]);
    expect(mesh.refused()).toBe('');
  });

  it('has the sidecar make TLS', () => {
    const { mesh } = from([shop, billing], {}, { ports: [80], http: HttpEgress.originateTls() });
    expect(mesh.spec('ServiceEntry', 'a-example-com').ports).toEqual([
      { number: 80, name: 'http', protocol: 'HTTP', targetPort: 443 },
    ]);
    expect(mesh.spec('DestinationRule')).toMatchObject({
      host: 'a.example.com',
      exportTo: ['.', 'billing'],
      trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'SIMPLE', sni: 'a.example.com' } }] },
    });
  });

  it('answers 403 to other methods and paths of whom it allows', () => {
    const { mesh } = from([app], { ports: [http] }, { methods: ['GET'], paths: ['/v1/*', '*/health'] });
    const [allowed, limited, others] = mesh.spec('VirtualService').http;
    const common = { port: 80, sourceLabels: { app: 'payments' }, method: { exact: 'GET' } };
    expect(allowed.match).toEqual([
      { ...common, uri: { regex: '.*/health' } },
      { ...common, uri: { prefix: '/v1/' } },
    ]);
    expect(limited).toEqual({
      match: [{ port: 80, sourceLabels: { app: 'payments' } }],
      directResponse: { status: 403 },
    });
    expect(others).toEqual({ directResponse: { status: 502 } });
  });

  it('stands beside rules through a gateway, in one policy', () => {
    const mesh = new Mesh();
    mesh.policy(
      { from: [payments], to: [mesh.service('a.example.com')] },
      { from: [app], to: [mesh.service('b.example.com')], direct: true },
    );
    expect(mesh.spec('ServiceEntry', 'a-example-com').exportTo).toEqual(['istio-system']);
    expect(mesh.spec('ServiceEntry', 'b-example-com').exportTo).toEqual(['.']);
    expect(mesh.refused()).toBe('');
  });

  it('takes wildcards, and IP ranges', () => {
    const wild = from([app], { hosts: ['*.example.org'] }).mesh;
    expect(wild.spec('VirtualService').tls[0].match[0].sniHosts).toEqual(['*.example.org']);
    expect(wild.refused()).toBe('');
    const range = from([app], { ports: [ExternalPort.tcp(5432)], addresses: ['203.0.113.0/24'] }).mesh;
    expect(range.spec('VirtualService').tcp).toHaveLength(2);
    expect(range.refused()).toBe('');
  });

  it('leads through a proxy outside, from the gateway and from the sidecar', () => {
    const mesh = new Mesh();
    const proxy = new TransparentProxy(mesh.chart, 'Proxy', { host: 'proxy.example.com', namespace: 'shop' });
    const tunnel = TlsEgress.tunnel(proxy);
    const tls = (host: string) => mesh.service(host, { ports: [https] });
    mesh.policy(
      { from: [payments], to: [tls('a.example.com')], https: tunnel },
      { from: [app], to: [tls('b.example.com')], https: tunnel, direct: true },
    );
    expect(mesh.spec('ServiceEntry', 'proxy').exportTo).toEqual(['.', 'istio-system']);
    const to = (host: string) => ({ host: 'proxy.example.com', subset: `to-${host}-443`, port: { number: 3128 } });
    const routes = mesh.names('VirtualService').flatMap((name) => mesh.spec('VirtualService', name).tls ?? []);
    const led = routes.flatMap(({ route }) => route).map(({ destination }) => destination);
    expect(led).toContainEqual(to('a-example-com'));
    expect(led).toContainEqual(to('b-example-com'));
    expect(mesh.refused()).toBe('');
  });

  it.each<[string, Partial<EgressTrafficRule>, Partial<ExternalServiceProps>, string]>([
    ['a service account', { from: [payments] }, {}, 'service account payments of "shop", straight from the sidecar'],
    ['a gateway port', { gatewayPort: 443 }, {}, 'gateway port 443 of a rule without a gateway'],
    [
      'a credential',
      { ports: [80], http: HttpEgress.originateMutualTls(TlsCredential.fromSecretName('c')) },
      {},
      'a credential at the sidecar',
    ],
    [
      'TLS made for what has no resolution',
      { ports: [80], http: HttpEgress.originateTls() },
      { resolution: Resolution.none() },
      'which has no resolution',
    ],
    [
      'what only waypoints resolve',
      {},
      { hosts: ['*.example.org'], resolution: Resolution.dynamicDns() },
      'with DYNAMIC_DNS resolution, from a sidecar',
    ],
    ['another direct', { https: TlsEgress.direct() }, {}, '`https` that is direct in a rule'],
  ])('refuses %s', (_, rule, props, said) => {
    expect(from([app], props, rule).mesh.refused()).toContain(said);
  });

  it('refuses a host that goes straight by one rule and through a gateway by another, naming both', () => {
    const mesh = new Mesh();
    const a = service(mesh);
    mesh.policy({ from: [payments], to: [a] });
    new EgressTrafficPolicy(mesh.chart, 'Direct', { rules: [{ ...only, to: [a] }] });
    expect(mesh.refused()).toContain(
      'host "a.example.com" goes through world/Egress by world/Policy1 rules[0], and straight from the sidecar by world/Direct rules[0]',
    );
  });

  it('refuses TLS that the sidecar makes for some and not for others, or in two ways, naming both', () => {
    const mesh = new Mesh();
    const a = service(mesh, { ports: [ExternalPort.http(80, { targetPort: 443 })] });
    const b = mesh.service('b.example.com', { ports: [ExternalPort.http(80, { targetPort: 443 })] });
    const tls = (sni?: string) => HttpEgress.originateTls({ sni });
    new EgressTrafficPolicy(mesh.chart, 'Direct', {
      rules: [
        { from: [app], to: [a], http: tls() },
        { from: [billing], to: [a] },
        { from: [app], to: [b], http: tls('one.example.com') },
        { from: [billing], to: [b], http: tls('two.example.com') },
      ],
    });
    expect(mesh.refused()).toContain(
      'leaves the sidecar as it is by world/Direct rules[1], and as TLS that the sidecar makes by world/Direct rules[0]',
    );
    expect(mesh.refused()).toContain('by world/Direct rules[2], and as TLS that the sidecar makes with other options');
  });

  it('refuses a tunnel for some callers of a gateway and not for others', () => {
    const mesh = new Mesh();
    const proxy = new TransparentProxy(mesh.chart, 'Proxy', { host: 'proxy.example.com', namespace: 'shop' });
    const a = service(mesh, { ports: [https] });
    mesh.policy({ from: [payments], to: [a], https: TlsEgress.tunnel(proxy) }, { from: [orders], to: [a] });
    expect(mesh.refused()).toContain('leaves the gateway through the proxy world/Proxy by world/Policy1 rules[0]');
  });

  it('refuses plain HTTP, and wildcards, through a tunnel', () => {
    const mesh = new Mesh();
    const proxy = new TransparentProxy(mesh.chart, 'Proxy', { host: 'proxy.example.com', namespace: 'shop' });
    mesh.policy({
      from: [payments],
      to: [service(mesh, { hosts: ['*.example.org'] })],
      https: TlsEgress.tunnel(proxy),
    });
    expect(mesh.refused()).toContain('wildcard "*.example.org" through a tunnel');
    expect(mesh.refused()).toContain('HTTP port 80 of "*.example.org", beside a tunnel');
  });

  it('does not depend on the order of policies', () => {
    const objects = (reversed: boolean) => {
      const mesh = new Mesh();
      const a = service(mesh);
      const rules = [
        { from: [app], to: [a] },
        { from: [billing], to: [a], ports: [80] },
      ];
      const given = reversed ? [...rules].reverse() : rules;
      for (const rule of given)
        new EgressTrafficPolicy(mesh.chart, `From-${rule.from[0].namespace}`, { rules: [rule] });
      mesh.chart.node.tryRemoveChild('Egress');
      const all = Object.fromEntries(
        ['ServiceEntry', 'VirtualService', 'DestinationRule'].map((kind) => [
          kind,
          Object.fromEntries(
            mesh
              .names(kind)
              .sort()
              .map((name) => [name, mesh.spec(kind, name)]),
          ),
        ]),
      );
      return JSON.stringify(all);
    };
    expect(objects(true)).toBe(objects(false));
  });
});
