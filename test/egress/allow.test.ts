import { EgressGateway } from '../../src/egress/egress-gateway';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService, ExternalServiceAttributes } from '../../src/egress/external-service';
import { Audience } from '../../src/mesh/audience';
import { Workloads } from '../../src/mesh/workloads';
import { traceOf } from './judged';
import { Mesh, http, https, orders, payments } from './policy-mesh';
import { refusals, rendered, world } from './world';

describe('allow', () => {
  it('lets one caller reach one service, as a policy of one rule does', () => {
    const one = new Mesh();
    const site = one.service('a.example.com', { ports: [ExternalPort.httpThenTls()] });
    const policy = one.gateway.allow(payments, site, { methods: ['POST'] });
    expect(policy.node.path).toBe('world/a.example.com/AllowEgress-shop-payments-payments');
    const other = new Mesh();
    const to = [other.service('a.example.com', { ports: [ExternalPort.httpThenTls()] })];
    other.policy({ from: [payments], to, methods: ['POST'] });
    for (const kind of ['AuthorizationPolicy', 'ServiceEntry', 'VirtualService', 'DestinationRule'])
      expect(one.names(kind)).toEqual(other.names(kind));
    expect(one.spec('AuthorizationPolicy')).toEqual(other.spec('AuthorizationPolicy'));
    expect(one.refused()).toBe('');
  });

  it('adds up, for several callers and again for the same', () => {
    const mesh = new Mesh();
    const site = mesh.service('a.example.com', { ports: [http, https] });
    mesh.gateway.allow(payments, site, { ports: [80] });
    mesh.gateway.allow(orders, site, { ports: [80] });
    const again = mesh.gateway.allow(payments, site, { ports: [443] });
    expect(again.node.id).toBe('AllowEgress-shop-payments-payments.2');
    expect(mesh.refused()).toBe('');
    const trace = traceOf(
      mesh.chart,
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n',
    );
    const ask = (app: string, request: string) =>
      trace(request, { from: `shop/${app}`, labels: { app }, serviceAccount: app }).outcome;
    expect(ask('orders', 'http://a.example.com/')).toBe('delivered');
    expect(ask('orders', 'https://a.example.com/')).toBe('refused');
    expect(ask('payments', 'https://a.example.com/')).toBe('delivered');
    expect(ask('web', 'http://a.example.com/')).toBe('refused');
  });
});

describe('an external service that another repository owns', () => {
  const ATTRIBUTES: ExternalServiceAttributes = {
    hosts: ['api.vendor.com'],
    ports: [http, https],
    namespace: 'vendors',
    name: 'vendor',
  };
  const ENTRY = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: vendor, namespace: vendors}
spec: {hosts: [api.vendor.com], ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}], resolution: DNS}
`;

  it('is forwarded with no ServiceEntry of our own', () => {
    const chart = world();
    const vendor = ExternalService.fromAttributes(chart, 'Vendor', ATTRIBUTES);
    EgressGateway.fromInstalled(chart, 'Egress').forward(vendor, { http: HttpEgress.originateTls() });
    expect(() => rendered(chart, 'ServiceEntry')).toThrow(/0 objects/);
    expect(refusals(chart)).toEqual([]);
    const told = traceOf(chart, ENTRY)('http://api.vendor.com/', { from: 'app/sleep' });
    expect(told.destination).toMatchObject({ host: 'api.vendor.com', port: 443, tls: 'SIMPLE' });
  });

  it('is refused where its owner does not show it, and where a policy would have to hide it', () => {
    const mesh = new Mesh();
    const exportedTo = Audience.namespaces('shop');
    mesh.gateway.forward(ExternalService.fromAttributes(mesh.chart, 'Vendor', { ...ATTRIBUTES, exportedTo }));
    expect(mesh.refused()).toMatch(/reached from "istio-system", where its ServiceEntry vendors\/vendor is not seen/);
    const other = new Mesh();
    const vendor = ExternalService.fromAttributes(other.chart, 'Vendor', ATTRIBUTES);
    other.gateway.allow(Workloads.in('shop'), vendor, { ports: [80] });
    expect(other.refused()).toMatch(/decided on by a policy, and another repository owns/);
  });
});
