import { Chart } from 'cdk8s';
import { HttpEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { Resolution } from '../../src/egress/resolution';
import { EgressTrafficPolicy } from '../../src/egress/egress-traffic-policy';
import { Workloads } from '../../src/mesh/workloads';
import { findings, traceOf } from './judged';
import { Mesh, http, https, orders, payments } from './policy-mesh';

const namesOf = (objects: readonly { readonly name: string }[]) => objects.map(({ name }) => name).sort();
const WORLD = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: istio-egressgateway, namespace: istio-system}
spec: {selector: {istio: egressgateway}, ports: [{name: http2, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]}
---
apiVersion: v1
kind: Pod
metadata: {name: egress, namespace: istio-system, labels: {istio: egressgateway, sidecar.istio.io/inject: "true"}, annotations: {inject.istio.io/templates: gateway}}
spec: {containers: [{name: istio-proxy, image: auto}]}
`;

describe('what a policy rendered', () => {
  it('is exposed by kind, and patched where it is shared', () => {
    const mesh = new Mesh();
    const port = ExternalPort.http(80, { targetPort: 443 });
    const site = mesh.service('a.example.com', { ports: [port, ExternalPort.https()] });
    const policy = mesh.policy({ from: [payments], to: [site], http: HttpEgress.originateTls() });
    const other = mesh.policy({ from: [orders], to: [mesh.service('b.example.com', { ports: [http] })] });
    expect(namesOf(policy.destinationRules)).toEqual(['originate-tls-for-a-example-com']);
    expect(namesOf(policy.authorizationPolicies)).toEqual([
      'istio-egressgateway-from-itself',
      'istio-egressgateway-from-shop',
    ]);
    expect(namesOf(policy.virtualServices)).toContain('a-example-com-through-istio-egressgateway');
    expect(namesOf(policy.virtualServices)).not.toContain('b-example-com-through-istio-egressgateway');
    expect(namesOf(policy.serviceEntries)).toEqual(['istio-egressgateway-from-shop', 'istio-egressgateway-inner']);
    expect(other.destinationRules).toEqual([]);
    other.authorizationPolicies[0].metadata.addLabel('team', 'b');
    expect(policy.authorizationPolicies.map(({ metadata }) => metadata.getLabel('team'))).toContain('b');
  });

  it('is exposed of what leaves straight from sidecars', () => {
    const mesh = new Mesh();
    const to = [mesh.service('a.example.com', { ports: [http, https] })];
    const policy = new EgressTrafficPolicy(mesh.chart, 'Direct', {
      rules: [{ from: [orders], to, upstream: { rateLimit: { requests: 1 }, timeout: undefined } }],
    });
    expect(namesOf(policy.virtualServices)).toEqual(['a-example-com-from-shop']);
    expect(namesOf(policy.serviceEntries)).toEqual(['nowhere-of-a-example-com']);
    expect(namesOf(policy.envoyFilters)).toEqual(['upstream-a-example-com']);
  });
});

describe('forward and policies on one gateway', () => {
  function moving(admitForwarded: boolean): Mesh {
    const mesh = new Mesh({ admitForwarded });
    mesh.gateway.forward(mesh.service('old.example.com', { ports: [http, https] }));
    const db = {
      ports: [ExternalPort.tcp(5432)],
      addresses: ['192.0.2.10'],
      resolution: Resolution.static({ address: '192.0.2.10' }),
    };
    mesh.gateway.forward(mesh.service('db.example.com', db));
    mesh.policy({ from: [payments], to: [mesh.service('new.example.com', { ports: [http] })] });
    return mesh;
  }

  it('are refused together unless the gateway says so', () => {
    expect(moving(false).refused()).toMatch(/forwards by[^]*admitForwarded: true/);
    expect(moving(true).refused()).toBe('');
  });

  it('leave open what is forwarded, on each protocol, and hold what a policy says', () => {
    const trace = traceOf(moving(true).chart, WORLD);
    const ask = (app: string, request: string) => {
      const told = trace(request, { from: `shop/${app}`, labels: { app }, serviceAccount: app });
      return told.outcome === 'delivered' ? told.hops.length : told.outcome;
    };
    expect(
      ['http://old.example.com/', 'https://old.example.com/', 'tcp://192.0.2.10:5432'].map((to) => ask('web', to)),
    ).toEqual([2, 2, 2]);
    expect(ask('payments', 'http://new.example.com/')).toBe(2);
    expect(ask('web', 'http://new.example.com/')).toBe('refused');
    expect(findings(moving(true).chart, WORLD)).toEqual([]);
  });

  it('are refused for one service all the same', () => {
    const mesh = new Mesh({ admitForwarded: true });
    const site = mesh.service('a.example.com', { ports: [http] });
    mesh.gateway.forward(site);
    mesh.policy({ from: [payments], to: [site] });
    expect(mesh.refused()).toMatch(/is routed by/);
  });
});

describe('one more caller', () => {
  const hosts = ['a.example.com', 'b.example.com', 'c.example.com'];
  function mesh(...more: Array<[string[], Workloads]>): Set<string> {
    const one = new Mesh();
    const services = new Map(hosts.map((host) => [host, one.service(host, { ports: [http, https] })]));
    one.policy({ from: [payments], to: [...services.values()] });
    for (const [some, caller] of more) one.policy({ from: [caller], to: some.map((host) => services.get(host)!) });
    return objects(one.chart);
  }
  const objects = (chart: Chart) =>
    new Set((chart.toJson() as any[]).map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`));

  it.each<[string, string[]]>([
    ['all hosts', hosts],
    ['the first host', hosts.slice(0, 1)],
    ['the last host', hosts.slice(2)],
    ['some hosts', hosts.slice(1)],
  ])('of %s renames nothing', (_, some) => {
    const before = mesh();
    const after = mesh([some, orders]);
    // The hop of TLS is named after those who may use it: another set of callers is another hop.
    const gone = [...before].filter((name) => !after.has(name) && !/\/tls-443-from-/.test(name));
    expect(gone).toEqual([]);
  });
});
