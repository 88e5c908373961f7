import { Chart, JsonPatch } from 'cdk8s';
import { EgressGateway, EgressGatewayBase, InstalledEgressGatewayProps } from '../../src/egress/egress-gateway';
import { ForwardOptions } from '../../src/egress/egress-route';
import { HttpEgress, TcpEgress, TlsEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { GatewayHop } from '../../src/egress/gateway-hop';
import { Resolution } from '../../src/egress/resolution';
import { ServerTrust } from '../../src/egress/server-trust';
import { Audience } from '../../src/mesh/audience';
import { MeshBoundary } from '../../src/mesh/mesh-boundary';
import { TlsCredential } from '../../src/mesh/tls-credential';
import { refusals, rendered, world } from './world';

const http = ExternalPort.http();
const https = ExternalPort.https();

interface Case {
  readonly service?: Partial<ExternalServiceProps>;
  readonly options?: ForwardOptions;
  readonly gateway?: InstalledEgressGatewayProps;
}

function forwarded({ service, options, gateway }: Case) {
  const chart = world();
  const egress = EgressGateway.fromInstalled(chart, 'Egress', gateway);
  const site = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports: [http, https], ...service });
  const route = egress.forward(site, options);
  return { chart, egress, site, route };
}

const route = (c: Case) => rendered(forwarded(c).chart, 'VirtualService').spec;
const refused = (c: Case) => refusals(forwarded(c).chart).join('\n');

describe('forwarding through a gateway', () => {
  it('takes every port in its own way when nothing else is said', () => {
    const spec = route({});
    expect(spec.gateways).toEqual(['istio-system/istio-egressgateway', 'mesh']);
    expect(spec.http).toEqual([
      {
        match: [{ gateways: ['mesh'], port: 80 }],
        route: [
          {
            destination: {
              host: 'istio-egressgateway.istio-system.svc.cluster.local',
              subset: 'mutual-tls',
              port: { number: 80 },
            },
          },
        ],
      },
      {
        match: [{ gateways: ['istio-system/istio-egressgateway'], port: 80 }],
        route: [{ destination: { host: 'a.example.com', port: { number: 80 } } }],
      },
    ]);
    expect(spec.tls.map((rule: any) => rule.route[0].destination)).toEqual([
      { host: 'istio-egressgateway.istio-system.svc.cluster.local', subset: 'passthrough', port: { number: 443 } },
      { host: 'a.example.com', port: { number: 443 } },
    ]);
    expect(spec.tls.every((rule: any) => rule.match[0].sniHosts[0] === 'a.example.com')).toBe(true);
  });

  it('shows service and route to the clients and to the gateway, and to nobody else', () => {
    const { chart } = forwarded({ service: { namespace: 'shop', audience: Audience.namespaces('web') } });
    expect(rendered(chart, 'ServiceEntry').spec.exportTo).toEqual(['.', 'istio-system', 'web']);
    expect(rendered(chart, 'VirtualService').spec.exportTo).toEqual(['.', 'istio-system', 'web']);
    expect(rendered(chart, 'DestinationRule').spec.exportTo).toEqual(['.', 'shop', 'web']);
  });

  it('names one SNI for the shared hop, so that a client needs one cluster for all hosts', () => {
    const { chart, egress } = forwarded({});
    egress.forward(new ExternalService(chart, 'Other', { hosts: ['b.example.com'], ports: [http] }));
    const { subsets } = rendered(chart, 'DestinationRule').spec;
    expect(subsets).toEqual([
      {
        name: 'mutual-tls',
        trafficPolicy: {
          portLevelSettings: [
            {
              port: { number: 80 },
              tls: { mode: 'ISTIO_MUTUAL', sni: 'istio-egressgateway.istio-system.svc.cluster.local' },
            },
          ],
        },
      },
      { name: 'passthrough' },
    ]);
  });

  it('leaves alone what goes direct', () => {
    const spec = route({ options: { https: TlsEgress.direct() } });
    expect(spec.tls).toBeUndefined();
    expect(route({ options: { http: HttpEgress.direct() } }).http).toBeUndefined();
  });

  it('gives TCP an SNI of its own on the hop, and a server that listens for it', () => {
    const { chart } = forwarded({
      service: { hosts: ['db.example.com'], ports: [ExternalPort.tcp(5432)], addresses: ['203.0.113.30'] },
    });
    expect(rendered(chart, 'Gateway').spec.servers).toEqual([
      {
        hosts: ['tcp-5432.db.example.com'],
        port: { name: 'tls', number: 443, protocol: 'TLS' },
        tls: { mode: 'ISTIO_MUTUAL' },
      },
    ]);
    expect(rendered(chart, 'DestinationRule').spec.subsets[0].trafficPolicy.portLevelSettings[0].tls).toEqual({
      mode: 'ISTIO_MUTUAL',
      sni: 'tcp-5432.db.example.com',
    });
    const atGateway = rendered(chart, 'VirtualService', 'site-through-istio-egressgateway-tcp-5432').spec;
    expect(atGateway.hosts).toEqual(['tcp-5432.db.example.com']);
    expect(atGateway.tcp[0].route[0].destination).toEqual({ host: 'db.example.com', port: { number: 5432 } });
  });
});

describe('TLS made by the gateway', () => {
  const rule = (c: Case) => rendered(forwarded(c).route, 'DestinationRule');

  it("hangs on a subset where the application's own TLS takes the same way", () => {
    const c = { options: { http: HttpEgress.originateTls() } };
    expect(route(c).http[1].route[0].destination).toEqual({
      host: 'a.example.com',
      subset: 'originate-tls',
      port: { number: 443 },
    });
    const { spec, metadata } = rule(c);
    expect(metadata).toMatchObject({ name: 'originate-tls-for-a-example-com', namespace: 'default' });
    expect(spec.exportTo).toEqual(['.', 'istio-system']);
    expect(spec.trafficPolicy).toEqual({ loadBalancer: { simple: 'ROUND_ROBIN' } });
    expect(spec.subsets).toEqual([
      {
        name: 'originate-tls',
        trafficPolicy: {
          loadBalancer: { simple: 'ROUND_ROBIN' },
          portLevelSettings: [
            {
              port: { number: 443 },
              tls: {
                mode: 'SIMPLE',
                caCertificates: 'system',
                sni: 'a.example.com',
                subjectAltNames: ['a.example.com'],
              },
            },
          ],
        },
      },
    ]);
  });

  it.each([
    ['the SNI', {}, {}, ['a.example.com']],
    ['the SNI that is asked for', {}, { sni: 'b.example.com' }, ['b.example.com']],
    ['what the service says of itself', { subjectAltNames: ['c.example.com'] }, {}, undefined],
    [
      'what the way says',
      { subjectAltNames: ['c.example.com'] },
      { subjectAltNames: ['d.example.com'] },
      ['d.example.com'],
    ],
    ['nothing, where that is asked for', {}, { subjectAltNames: [] }, undefined],
  ] as const)("has the server's certificate verified against %s", (_what, service, tls, expected) => {
    const options = {
      http: HttpEgress.originateTls({
        ...tls,
        subjectAltNames: 'subjectAltNames' in tls ? [...tls.subjectAltNames] : undefined,
      }),
      https: TlsEgress.direct(),
    };
    const names = 'subjectAltNames' in service ? [...service.subjectAltNames] : undefined;
    const { spec } = rule({ service: { subjectAltNames: names }, options });
    expect(spec.trafficPolicy.portLevelSettings[0].tls.subjectAltNames).toEqual(expected);
  });

  it('hangs on the port as a whole where nothing else takes it', () => {
    const { spec } = rule({ options: { http: HttpEgress.originateTls(), https: TlsEgress.direct() } });
    expect(spec.subsets).toBeUndefined();
    expect(spec.trafficPolicy.portLevelSettings).toEqual([
      {
        port: { number: 443 },
        tls: { mode: 'SIMPLE', caCertificates: 'system', sni: 'a.example.com', subjectAltNames: ['a.example.com'] },
      },
    ]);
  });

  it('stays on the plain port where that maps to another', () => {
    const c = {
      service: { ports: [ExternalPort.http(80, { targetPort: 443 })] },
      options: { http: HttpEgress.originateTls() },
    };
    expect(route(c).http[1].route[0].destination.port).toEqual({ number: 80 });
    expect(rule(c).spec.trafficPolicy.portLevelSettings[0].port).toEqual({ number: 80 });
  });

  it('shows a client certificate by name of its Secret', () => {
    const { spec } = rule({
      options: {
        http: HttpEgress.originateMutualTls(TlsCredential.fromSecretName('client-credential')),
        https: TlsEgress.direct(),
      },
    });
    expect(spec.trafficPolicy.portLevelSettings[0].tls).toEqual({
      mode: 'MUTUAL',
      credentialName: 'client-credential',
      sni: 'a.example.com',
    });
  });

  it('trusts whom it is told to', () => {
    const tls = (trust: ServerTrust) =>
      rule({
        options: {
          http: HttpEgress.originateTls({ trust, subjectAltNames: ['x.example.com'] }),
          https: TlsEgress.direct(),
        },
      }).spec.trafficPolicy.portLevelSettings[0].tls;
    expect(tls(ServerTrust.file('/etc/ca.crt'))).toMatchObject({
      caCertificates: '/etc/ca.crt',
      subjectAltNames: ['x.example.com'],
    });
    expect(tls(ServerTrust.secret('partner-ca'))).toMatchObject({ credentialName: 'partner-ca' });
  });
});

describe('what hosts share', () => {
  const build = (order: readonly number[]) => {
    const chart = world();
    const egress = EgressGateway.fromInstalled(chart, 'Egress');
    const services = [
      new ExternalService(chart, 'A', { hosts: ['a.example.com'], ports: [http] }),
      new ExternalService(chart, 'B', { hosts: ['b.example.com'], ports: [https], namespace: 'shop' }),
      new ExternalService(chart, 'C', {
        hosts: ['c.example.com'],
        ports: [ExternalPort.tcp(5432)],
        addresses: ['203.0.113.30'],
      }),
    ];
    for (const i of order) egress.forward(services[i], i === 0 ? { subset: 'own' } : undefined);
    return [rendered(chart, 'Gateway'), rendered(chart, 'DestinationRule')];
  };

  it('does not depend on the order of calls', () => {
    expect(build([2, 1, 0])).toEqual(build([0, 1, 2]));
  });

  it('takes a patch after all of it is merged, even of a field that the bindings do not know', () => {
    const { egress, chart } = forwarded({});
    egress.gateway.addJsonPatch(JsonPatch.add('/spec/futureField', 7));
    expect(rendered(chart, 'Gateway').spec).toMatchObject({ selector: { istio: 'egressgateway' }, futureField: 7 });
  });
});

describe('what forwarding refuses', () => {
  const tcp = { ports: [ExternalPort.tcp(5432)], addresses: ['203.0.113.30'] };
  it.each<[string, Case, RegExp]>([
    [
      'TLS origination with no plain-text port',
      { service: { ports: [https] }, options: { http: HttpEgress.originateTls() } },
      /TLS origination, but the service has no plain-text HTTP port/,
    ],
    [
      'TLS origination with no port to go to',
      { service: { ports: [http] }, options: { http: HttpEgress.originateTls() } },
      /no port for the TLS to go to/,
    ],
    [
      'a way for HTTPS that the service has not',
      { service: { ports: [http] }, options: { https: TlsEgress.passthrough() } },
      /a way for HTTPS, but the service has no TLS port/,
    ],
    [
      'a way for TCP that the service has not',
      { options: { tcp: TcpEgress.asIs() } },
      /a way for TCP, but the service has no TCP port/,
    ],
    [
      'a call that forwards nothing',
      { options: { http: HttpEgress.direct(), https: TlsEgress.direct() } },
      /every port goes direct/,
    ],
    ['two HTTP ports of a host', { service: { ports: [http, ExternalPort.http(8080)] } }, /HTTP ports 80 and 8080/],
    ['two TLS ports of a host', { service: { ports: [https, ExternalPort.tls(8443)] } }, /TLS ports 443 and 8443/],
    [
      'a wildcard with no address',
      { service: { hosts: ['*.example.com'], ports: [https] } },
      /"\*\.example\.com" has no resolution, and goes through a gateway/,
    ],
    [
      'DYNAMIC_DNS',
      { service: { hosts: ['*.example.com'], ports: [https], resolution: Resolution.dynamicDns() } },
      /DYNAMIC_DNS resolution, through an egress gateway/,
    ],
    [
      'a credential of another namespace',
      { options: { http: HttpEgress.originateMutualTls(TlsCredential.fromSecretName('c', 'default')) } },
      /credential "c" lies in namespace "default", the proxy that uses it runs in "istio-system"/,
    ],
    [
      'a second trust beside a credential',
      {
        options: {
          http: HttpEgress.originateMutualTls(TlsCredential.fromSecretName('c'), { trust: ServerTrust.file('/ca') }),
        },
      },
      /mutual TLS to "a\.example\.com" with a trust of its own/,
    ],
    [
      'a port that the Service has not',
      { gateway: { servicePorts: [80] } },
      /goes to port 443 of istio-egressgateway\.istio-system\.svc\.cluster\.local, which its Service has not/,
    ],
    ['a selector of nothing', { gateway: { selector: {} } }, /selector of the gateway names no label/],
    [
      'a DestinationRule where clients do not look',
      { gateway: { configNamespace: 'other' } },
      /the DestinationRule for .* is in "other", and read by "default"/,
    ],
    [
      'HTTP in plain text where TLS is passed through',
      { options: { hop: GatewayHop.plainText({ port: 443 }) } },
      /port 443 of the gateway would be/,
    ],
    [
      'one subset with the same SNI twice',
      { options: { subset: 'own', hop: GatewayHop.mutualTls({ port: 443 }) } },
      /subset "own" takes HTTP and HTTPS of one host to port 443/,
    ],
    ['nothing wrong', { service: tcp }, /^$/],
  ])('%s', (_, c, expected) => {
    expect(refused(c)).toMatch(expected);
  });

  it('a gateway that forwards nothing', () => {
    const chart = world();
    EgressGateway.fromInstalled(chart, 'Egress');
    expect(refusals(chart).join()).toMatch(/forwards nothing/);
  });

  it('a gateway of another mesh, which no proxy of the service knows', () => {
    const chart = world();
    const [here, there] = ['Here', 'There'].map((id) => new Chart(chart, id));
    MeshBoundary.at(there);
    const egress = EgressGateway.fromInstalled(there, 'Egress');
    egress.forward(new ExternalService(here, 'A', { hosts: ['a.example.com'], ports: [http] }));
    expect(refusals(chart).join()).toMatch(
      /world\/Here\/A is forwarded by world\/There\/Egress, a gateway of another mesh/,
    );
  });

  it('a host that is forwarded twice, naming both', () => {
    const { chart, egress, site } = forwarded({});
    egress.forward(site);
    expect(refusals(chart).join()).toMatch(
      /host "a\.example\.com" is routed by both world\/Site\/ThroughEgress and world\/Site\/ThroughEgress2/,
    );
  });

  it('one subset that two hosts want to be two things, naming both', () => {
    const { chart, egress } = forwarded({ options: { subset: 'own', https: TlsEgress.direct() } });
    egress.forward(new ExternalService(chart, 'Other', { hosts: ['b.example.com'], ports: [http] }), { subset: 'own' });
    expect(refusals(chart).join()).toMatch(
      /subset "own", port 80 is mutual TLS with SNI "a\.example\.com" for world\/Site\/ThroughEgress and mutual TLS with SNI "b\.example\.com" for world\/Other\/ThroughEgress/,
    );
  });

  it('plain text and mutual TLS on one port, naming both', () => {
    const { chart, egress } = forwarded({ options: { https: TlsEgress.direct() } });
    egress.forward(new ExternalService(chart, 'Other', { hosts: ['b.example.com'], ports: [http] }), {
      hop: GatewayHop.plainText(),
    });
    expect(refusals(chart).join()).toMatch(
      /port 80 of the gateway would be HTTPS for world\/Site\/ThroughEgress and HTTP for world\/Other\/ThroughEgress/,
    );
  });
});

describe('a gateway that the construct runs', () => {
  it('has workload, Service and configuration that agree', () => {
    const chart = world();
    const egress: EgressGatewayBase = new EgressGateway(chart, 'TeamEgress');
    egress.forward(new ExternalService(chart, 'A', { hosts: ['a.example.com'], ports: [http] }));
    const labels = rendered(chart, 'Deployment').spec.template.metadata.labels;
    expect(labels).toMatchObject(rendered(chart, 'Gateway').spec.selector);
    expect(labels).toMatchObject(rendered(chart, 'Service').spec.selector);
    expect(egress.host).toBe('team-egress.istio-egress.svc.cluster.local');
    expect(rendered(chart, 'DestinationRule').spec.host).toBe(egress.host);
    expect(refusals(chart)).toEqual([]);
  });

  it('opens ports above 1024 in the pod, which need no privilege', () => {
    const chart = world();
    const egress = new EgressGateway(chart, 'Egress', { servicePorts: [80, 443, 15443] });
    egress.forward(new ExternalService(chart, 'A', { hosts: ['a.example.com'], ports: [http] }));
    expect(rendered(chart, 'Service').spec.ports.map((p: any) => [p.port, p.targetPort])).toEqual([
      [80, 8080],
      [443, 8443],
      [15443, 15443],
    ]);
  });
});
