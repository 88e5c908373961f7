import { EgressTrafficPolicy, EgressTrafficRule } from '../../src/egress/egress-traffic-policy';
import { HttpEgress, TlsEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { Resolution } from '../../src/egress/resolution';
import { TransparentProxy } from '../../src/egress/transparent-proxy';
import { TlsCredential } from '../../src/mesh/tls-credential';
import { Workloads } from '../../src/mesh/workloads';
import { http, https, payments, orders, Mesh } from './policy-mesh';

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
