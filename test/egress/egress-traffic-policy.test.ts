import { ApiObject, Chart } from 'cdk8s';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { EgressTrafficPolicy, EgressTrafficRule } from '../../src/egress/egress-traffic-policy';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { GatewayHop } from '../../src/egress/gateway-hop';
import { Resolution } from '../../src/egress/resolution';
import { SidecarEgress } from '../../src/egress/sidecar-egress';
import { Audience } from '../../src/mesh/audience';
import { MeshBoundary } from '../../src/mesh/mesh-boundary';
import { MeshMembership } from '../../src/mesh/mesh-membership';
import { MeshNamespace } from '../../src/mesh/mesh-namespace';
import { OutboundMode, OutboundTrafficPolicy } from '../../src/mesh/outbound-traffic-policy';
import { SidecarScope } from '../../src/mesh/sidecar-scope';
import { TlsCredential } from '../../src/mesh/tls-credential';
import { Workloads } from '../../src/mesh/workloads';
import { http, https, payments, orders, HOST, Mesh } from './policy-mesh';
import { refusals, rendered } from './world';

describe('EgressTrafficPolicy', () => {
  it('shows the host to the gateway alone, with the ports that a rule allows', () => {
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com')], ports: [443] });
    const spec = mesh.spec('ServiceEntry', 'a-example-com');
    expect(spec.exportTo).toEqual(['istio-system']);
    expect(spec.ports).toEqual([{ number: 443, name: 'https', protocol: 'HTTPS' }]);
    expect(mesh.refused()).toBe('');
  });

  it('leaves fields of a user of its own alone, which are no slip', () => {
    const mesh = new Mesh();
    const own = JSON.parse('{"owner":"shop","id":"NET-1"}') as Partial<EgressTrafficRule>;
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com')], ...own });
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
    const spec = mesh.spec('VirtualService', 'istio-egressgateway-from-shop-tls-443');
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
    expect(spec.hosts).toEqual([mesh.spec('VirtualService', 'istio-egressgateway-from-shop-http-80-tls-443').hosts[0]]);
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

  it('takes a Sidecar that cuts nothing for none, and is refused beside it', () => {
    const held = (mode?: OutboundMode): string => {
      const mesh = new Mesh();
      new SidecarScope(mesh.chart, 'Scope', { namespace: 'billing', hosts: ['*/*'], mode });
      mesh.policy({ from: [Workloads.in('billing')], to: [mesh.service('a.example.com')], ports: [80] });
      return mesh.refused();
    };
    expect(held(OutboundMode.REGISTRY_ONLY)).toBe('');
    expect(held()).toMatch(/all workloads of "billing" have a Sidecar by both/);
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
    [
      'a slip of the keyboard, which would allow every method',
      rule(JSON.parse('{"ports":[80],"method":["GET"]}') as Partial<EgressTrafficRule>),
      ['rules[0]: `method` is no field of a rule', 'did you mean "methods"?'],
    ],
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
