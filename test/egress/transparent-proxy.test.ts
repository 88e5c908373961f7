import { Construct } from 'constructs';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { HttpEgress, TcpEgress, TlsEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalProxy } from '../../src/egress/external-proxy';
import { ExternalService, ExternalServiceProps } from '../../src/egress/external-service';
import { Resolution } from '../../src/egress/resolution';
import { SidecarEgress } from '../../src/egress/sidecar-egress';
import { TransparentProxy, TransparentProxyProps } from '../../src/egress/transparent-proxy';
import { Audience } from '../../src/mesh/audience';
import { MeshBoundary } from '../../src/mesh/mesh-boundary';
import { refusals, rendered, world } from './world';

const https = ExternalPort.https();

function setting(props: Partial<TransparentProxyProps> = {}) {
  const chart = world();
  const proxy = new TransparentProxy(chart, 'Proxy', {
    host: 'proxy.example.com',
    addresses: ['192.0.2.10'],
    ...props,
  });
  const site = (id: string, host: string, more: Partial<ExternalServiceProps> = {}) =>
    new ExternalService(chart, id, { hosts: [host], ports: [https], ...more });
  return { chart, proxy, site };
}

/** A site tunnelled from the sidecar. */
function bySidecar(service: Partial<ExternalServiceProps> = {}, props: Partial<TransparentProxyProps> = {}) {
  const { chart, proxy, site } = setting(props);
  const one = site('Site', 'a.example.com', service);
  const isTcp = one.ports.some((port) => port.isTcp);
  new SidecarEgress(chart, 'Out', {
    service: one,
    ...(isTcp ? { tcp: TcpEgress.tunnel(proxy) } : { https: TlsEgress.tunnel(proxy) }),
  });
  return { chart, proxy, site };
}

/** A site tunnelled from the gateway. */
function byGateway(service: Partial<ExternalServiceProps> = {}) {
  const { chart, proxy, site } = setting();
  const gateway = EgressGateway.fromInstalled(chart, 'Egress');
  gateway.forward(site('Site', 'a.example.com', service), { https: TlsEgress.tunnel(proxy) });
  return { chart, proxy, gateway, site };
}

const PROXY = { host: 'proxy.example.com', port: { number: 3128 } };

describe('a proxy that applications know nothing of', () => {
  it('has a subset with a tunnel for each site, whatever their order', () => {
    const { chart, proxy, site } = setting();
    for (const host of ['b.example.com', 'a.example.com'])
      new SidecarEgress(chart, host, { service: site(`${host}-site`, host), https: TlsEgress.tunnel(proxy) });
    expect(rendered(chart, 'DestinationRule').spec).toEqual({
      host: 'proxy.example.com',
      exportTo: ['.'],
      subsets: ['a', 'b'].map((name) => ({
        name: `to-${name}-example-com-443`,
        trafficPolicy: { tunnel: { protocol: 'CONNECT', targetHost: `${name}.example.com`, targetPort: 443 } },
      })),
    });
    expect(refusals(chart)).toEqual([]);
  });

  it('is reached by TLS that the sidecar routes by SNI', () => {
    expect(rendered(bySidecar().chart, 'VirtualService').spec.tls).toEqual([
      {
        match: [{ port: 443, sniHosts: ['a.example.com'] }],
        route: [{ destination: { ...PROXY, subset: 'to-a-example-com-443' } }],
      },
    ]);
  });

  it('is reached by TCP that the sidecar knows by address', () => {
    const { chart } = bySidecar({ ports: [ExternalPort.tcp(5432)], addresses: ['203.0.113.30'] });
    expect(rendered(chart, 'VirtualService').spec.tcp).toEqual([
      { match: [{ port: 5432 }], route: [{ destination: { ...PROXY, subset: 'to-a-example-com-5432' } }] },
    ]);
    expect(refusals(chart)).toEqual([]);
  });

  it('is reached from the gateway by its second hop alone', () => {
    const { chart } = byGateway();
    const [first, second] = rendered(chart, 'VirtualService').spec.tls;
    expect(first.route[0].destination.host).toBe('istio-egressgateway.istio-system.svc.cluster.local');
    expect(second.route).toEqual([{ destination: { ...PROXY, subset: 'to-a-example-com-443' } }]);
    expect(refusals(chart)).toEqual([]);
  });

  it('is seen by those who tunnel, and by nobody else', () => {
    expect(rendered(byGateway().chart, 'ServiceEntry', 'proxy').spec.exportTo).toEqual(['istio-system']);
    expect(rendered(byGateway().chart, 'DestinationRule', 'proxy-tunnels').spec.exportTo).toEqual(['istio-system']);
    const { chart } = bySidecar({ audience: Audience.namespaces('shop') });
    expect(rendered(chart, 'ServiceEntry', 'proxy').spec.exportTo).toEqual(['.', 'shop']);
    const everybody = bySidecar({ audience: Audience.mesh() }).chart;
    expect(rendered(everybody, 'ServiceEntry', 'proxy').spec.exportTo).toEqual(['*']);
    expect(refusals(everybody)).toEqual([]);
  });

  it('opens no port on which an application could speak to it', () => {
    const { metadata, spec } = rendered(bySidecar().chart, 'ServiceEntry', 'proxy');
    expect(spec.ports).toEqual([{ number: 3128, name: 'tls', protocol: 'TLS' }]);
    expect(spec.addresses).toBeUndefined();
    expect(metadata.labels).toEqual({ 'networking.istio.io/enable-autoallocate-ip': 'false' });
  });

  it('is found by its addresses, or by its name', () => {
    const spec = (props: Partial<TransparentProxyProps>) =>
      rendered(bySidecar({}, props).chart, 'ServiceEntry', 'proxy').spec;
    expect(spec({})).toMatchObject({ resolution: 'STATIC', endpoints: [{ address: '192.0.2.10' }] });
    expect(spec({ addresses: undefined })).toMatchObject({ resolution: 'DNS' });
  });

  it('takes sites that no proxy of the mesh could resolve', () => {
    expect(refusals(byGateway({ resolution: Resolution.none() }).chart)).toEqual([]);
  });
});

describe('what a tunnel refuses', () => {
  const all = (made: { chart: ReturnType<typeof world> }) => refusals(made.chart).join('\n');

  it('a wildcard, from the sidecar and from the gateway', () => {
    const wild = { hosts: ['*.example.org'] };
    const said = /wildcard "\*\.example\.org" through a tunnel[^]*leads to one host[^]*ExternalProxy/;
    expect(all(bySidecar(wild))).toMatch(said);
    expect(all(byGateway(wild))).toMatch(said);
  });

  it('plain HTTP beside it, which would leave past the proxy', () => {
    const both = { ports: [ExternalPort.http(), https] };
    const said = /HTTP port 80 of "a\.example\.com", beside a tunnel[^]*never requests/;
    expect(all(bySidecar(both))).toMatch(said);
    expect(all(byGateway(both))).toMatch(said);
  });

  it('a proxy whose address is a range', () => {
    expect(all(bySidecar({}, { addresses: ['192.0.2.0/24'] }))).toMatch(/address "192\.0\.2\.0\/24" is no IP address/);
  });

  it('a proxy that nothing goes through', () => {
    expect(all(setting())).toMatch(/nothing is tunnelled through "proxy\.example\.com"/);
  });

  it('a proxy of another mesh, naming both', () => {
    const { chart, proxy } = setting();
    const other = new Construct(chart, 'other');
    MeshBoundary.at(other);
    const site = new ExternalService(other, 'Site', { hosts: ['a.example.com'], ports: [https] });
    new SidecarEgress(other, 'Out', { service: site, https: TlsEgress.tunnel(proxy) });
    expect(all({ chart })).toMatch(/\[world\/Proxy\] world\/other\/Out is of another mesh/);
  });

  it('a proxy that is itself led through a gateway', () => {
    const { chart, proxy } = bySidecar();
    EgressGateway.fromInstalled(chart, 'Egress').forward(proxy.service);
    expect(all({ chart })).toMatch(/"proxy\.example\.com" is itself routed by world\/Proxy\/Service\/ThroughEgress/);
  });

  it('a way at the sidecar that changes nothing', () => {
    const { chart, site } = setting();
    new SidecarEgress(chart, 'Out', { service: site('Site', 'a.example.com'), https: TlsEgress.passthrough() });
    expect(all({ chart })).toMatch(/"AS_IS", "PASSTHROUGH" at the sidecar|"PASSTHROUGH" at the sidecar/);
  });

  it('a tunnel for a port that the service has not', () => {
    const { chart, proxy, site } = setting();
    new SidecarEgress(chart, 'Out', {
      service: site('Site', 'a.example.com', { ports: [ExternalPort.http()] }),
      http: HttpEgress.originateTls(),
      https: TlsEgress.tunnel(proxy),
    });
    expect(all({ chart })).toMatch(/a tunnel for TLS, but the service has no TLS port/);
  });

  it('a site of which applications are said to use the proxy themselves', () => {
    const { chart } = bySidecar();
    new ExternalProxy(chart, 'Dialled', {
      host: 'other.example.com',
      addresses: ['192.0.2.11'],
      sites: ['a.example.com'],
    });
    expect(all({ chart })).toMatch(
      /"a\.example\.com" is reached by the proxy world\/Dialled, and registered by world\/Site/,
    );
  });

  it('one host that is both dialled and tunnelled through', () => {
    const { chart } = bySidecar();
    new ExternalProxy(chart, 'Dialled', { host: 'proxy.example.com', addresses: ['192.0.2.10'] });
    expect(all({ chart })).toMatch(/world\/Proxy\/Service[^]*world\/Dialled\/Service/);
  });
});
