import { App, Chart } from 'cdk8s';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { EgressLockdown } from '../../src/egress/egress-lockdown';
import { EgressTrafficPolicy } from '../../src/egress/egress-traffic-policy';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { Workloads } from '../../src/mesh/workloads';
import { type KubeObject } from '../lab/api';
import { siteAddress } from '../lab/internet';
import { eventually, fixture, Mesh } from './mesh';

const GATEWAY = 'istio-egress/egress';
const DATABASE = 'db.example.com';
const ALLOWED = { from: 'default/sleep' };
const OTHER = { from: 'default/client' };
/** The user that a sidecar runs as, whose packets are not captured: what a lockdown is against. */
const PAST = { user: 1337 };

/** One workload goes to a site by the gateway, and straight to a database; its namespace is locked in. */
function locked(): readonly KubeObject[] {
  const chart = new Chart(new App(), 'locked');
  const gateway = new EgressGateway(chart, 'Egress', { name: 'egress', minReplicas: 1 });
  const lockdown = new EgressLockdown(chart, 'Lockdown', { gateway });
  const from = [Workloads.in('default', { app: 'sleep' })];
  const site = new ExternalService(chart, 'Site', { hosts: ['edition.cnn.com'], ports: [ExternalPort.http()] });
  const database = new ExternalService(chart, 'Database', {
    hosts: [DATABASE],
    ports: [ExternalPort.tcp(5432)],
    addresses: [`${siteAddress(DATABASE)}/32`],
    namespace: 'default',
  });
  new EgressTrafficPolicy(chart, 'Policy', {
    gateway,
    lockdown,
    rules: [
      { from, to: [site] },
      { from, to: [database], direct: true },
    ],
  });
  const home: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-egress' } };
  return [home, ...(chart.toJson() as KubeObject[])];
}

describe('EgressLockdown with a direct rule', () => {
  let mesh: Mesh;
  beforeAll(async () => {
    mesh = await Mesh.open();
    await mesh.use([...fixture('policy-scenarios.yaml'), ...locked()]);
  });
  afterAll(() => mesh.clear());

  const site = 'http://edition.cnn.com/';
  const database = `http://${siteAddress(DATABASE)}:5432/`;
  const seen = (request: object, url: string) =>
    mesh.request({ ...request, url, gateway: GATEWAY, args: ['--http0.9', '--max-time', '3'] });

  it('lets the workload of the rule reach the site by the gateway, and the database by itself', async () => {
    await eventually(async () =>
      expect(await seen(ALLOWED, site)).toMatchObject({ status: 200, site: { scheme: 'http' } }),
    );
    await eventually(async () => expect((await seen(ALLOWED, database)).site).toMatchObject({ scheme: 'tcp' }));
    expect((await seen({ ...ALLOWED, ...PAST }, database)).site).toMatchObject({ scheme: 'tcp' });
  });

  it.each([
    ['the site by another way than the gateway', ALLOWED, site],
    ['another port of the address that is open to it', ALLOWED, `http://${siteAddress(DATABASE)}:80/`],
    ['the database for another workload of the namespace', OTHER, database],
    ['the site for another workload of the namespace', OTHER, site],
  ])('has the network drop %s, even past the sidecar', async (_, who, url) =>
    expect(await seen({ ...who, ...PAST }, url)).toMatchObject({ status: 0, site: null }),
  );

  it('is accepted by every proxy', async () => expect(await mesh.newRejects()).toBe(''));
});
