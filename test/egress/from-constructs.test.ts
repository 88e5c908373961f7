import { ApiObject, Chart, App } from 'cdk8s';
import * as kplus from 'cdk8s-plus-27';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { Resolution } from '../../src/egress/resolution';
import { SidecarEgress } from '../../src/egress/sidecar-egress';
import { IngressBackend } from '../../src/ingress/ingress-backend';
import { Audience } from '../../src/mesh/audience';
import { Workloads } from '../../src/mesh/workloads';
import { Mesh, payments } from './policy-mesh';
import { refusals, rendered, world } from './world';

const shop = () => new Chart(new App(), 'shop', { namespace: 'shop' });

describe('objects of cdk8s in place of names', () => {
  it('takes the Pods of a Deployment of cdk8s-plus, with its account', () => {
    const chart = shop();
    const serviceAccount = new kplus.ServiceAccount(chart, 'Account', { metadata: { name: 'payments' } });
    const deployment = new kplus.Deployment(chart, 'Payments', { serviceAccount, containers: [{ image: 'x' }] });
    const found = Workloads.of(deployment);
    expect(found.namespace).toBe('shop');
    expect(found.labels).toEqual(deployment.matchLabels);
    expect(Object.keys(found.labels)).not.toHaveLength(0);
    expect(found.serviceAccounts).toEqual(['payments']);
  });

  it('takes Pods, CronJobs, Namespaces and ServiceAccounts that are plain objects', () => {
    const chart = shop();
    const object = (id: string, kind: string, rest: object = {}) =>
      new ApiObject(chart, id, { apiVersion: 'v1', kind, metadata: { name: id.toLowerCase() }, ...rest });
    const labels = { app: 'a' };
    const template = { metadata: { labels }, spec: { serviceAccountName: 'default' } };
    expect(Workloads.of(object('P', 'Pod', { metadata: { name: 'p', labels } })).labels).toEqual(labels);
    const job = Workloads.of(object('C', 'CronJob', { spec: { jobTemplate: { spec: { template } } } }));
    expect([job.labels, job.serviceAccounts]).toEqual([labels, []]);
    expect(Workloads.of(object('Billing', 'Namespace')).namespace).toBe('billing');
    expect(Workloads.of(object('Runner', 'ServiceAccount')).serviceAccounts).toEqual(['runner']);
    expect(Audience.of(object('Other', 'Namespace'), object('S', 'Secret'))._exportTo('x')).toEqual([
      '.',
      'other',
      'shop',
    ]);
  });

  it('says what a construct is that has no Pods, no object or no namespace', () => {
    const chart = new Chart(new App(), 'bare');
    const object = (kind: string) =>
      new ApiObject(chart, kind, { apiVersion: 'v1', kind, metadata: { name: 'x' }, spec: { template: {} } });
    expect(() => Workloads.of(object('Deployment'))).toThrow(/Deployment "x" \(bare\/Deployment\) has no namespace/);
    expect(() => Workloads.of(chart)).toThrow(/bare is no Kubernetes object/);
    expect(() => Workloads.of(new ApiObject(shop(), 'M', { apiVersion: 'v1', kind: 'ConfigMap' }))).toThrow(
      /has no Pods/,
    );
    expect(() => Audience.of(object('Secret'))).toThrow(/has no namespace/);
  });

  it('takes a Service, and checks its port', () => {
    const service = new kplus.Service(shop(), 'Web', { metadata: { name: 'web' }, ports: [{ port: 8080 }] });
    expect(IngressBackend.of(service)).toMatchObject({ name: 'web', namespace: 'shop', port: 8080 });
    expect(() => IngressBackend.of(service, 80)).toThrow(/has ports 8080, and not 80/);
    expect(() => IngressBackend.of(new ApiObject(shop(), 'D', { apiVersion: 'apps/v1', kind: 'Deployment' }))).toThrow(
      /is no Service/,
    );
  });

  it('has names that no language reserves', () => {
    expect(Workloads.inNamespace('shop', { app: 'a' })).toEqual(Workloads.in('shop', { app: 'a' }));
    expect(Resolution.addresses({ address: '192.0.2.1' })).toEqual(Resolution.static({ address: '192.0.2.1' }));
  });
});

describe('plain HTTP that leaves as TLS', () => {
  const ports = [ExternalPort.httpThenTls()];

  it('is originated at the gateway with no further word', () => {
    const chart = world();
    const site = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports });
    EgressGateway.fromInstalled(chart, 'Egress').forward(site);
    expect(rendered(chart, 'ServiceEntry').spec.ports).toEqual([
      { name: 'http', number: 80, protocol: 'HTTP', targetPort: 443 },
    ]);
    const rule = rendered(chart, 'DestinationRule', 'originate-tls-for-a-example-com');
    expect(rule.spec.trafficPolicy.portLevelSettings[0].tls.mode).toBe('SIMPLE');
    expect(refusals(chart)).toEqual([]);
  });

  it('is originated at the sidecar, and by a policy', () => {
    const chart = world();
    const service = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports });
    new SidecarEgress(chart, 'Way', { service });
    expect(rendered(chart, 'DestinationRule').spec.subsets[0].trafficPolicy.portLevelSettings[0].tls.mode).toBe(
      'SIMPLE',
    );
    const mesh = new Mesh();
    mesh.policy({ from: [payments], to: [mesh.service('a.example.com', { ports })] });
    const rule = mesh.spec('DestinationRule', 'originate-tls-for-a-example-com');
    expect(rule.trafficPolicy.portLevelSettings[0].tls.mode).toBe('SIMPLE');
    expect(mesh.refused()).toBe('');
  });

  it.each([ExternalPort.httpThenTls(), ExternalPort.http(80, { targetPort: 443 })])(
    'is refused where it would be sent on as it is',
    (port) => {
      const http = HttpEgress.asIs();
      const chart = world();
      const site = new ExternalService(chart, 'Site', { hosts: ['a.example.com'], ports: [port] });
      EgressGateway.fromInstalled(chart, 'Egress').forward(site, { http });
      expect(refusals(chart).join()).toMatch(/HTTP to "a.example.com" port 80 is sent on as it is, to port 443/);
      const mesh = new Mesh();
      mesh.policy({ from: [payments], to: [mesh.service('a.example.com', { ports: [port] })], http });
      expect(mesh.refused()).toMatch(/is sent on as it is, to port 443/);
    },
  );
});
