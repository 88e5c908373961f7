/** Changes of the blocks by which NetworkPolicies tell clients apart: Pods by their addresses, and clients outside, whose address no request says. */
import { diff, type Diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const namespace = (name: string): string => `
---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {istio-injection: enabled}}`;
const pod = (name: string, address: string): string => `
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: app, labels: {app: ${name}}}
spec: {containers: [{name: app, image: app}]}
status: {phase: Running, podIP: ${address}}`;
const STOCK = `
---
apiVersion: v1
kind: Service
metadata: {name: stock, namespace: shop}
spec: {selector: {app: stock}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stock, namespace: shop}
spec:
  selector: {matchLabels: {app: stock}}
  template: {metadata: {labels: {app: stock}}, spec: {containers: [{name: stock, image: stock}]}}`;
const GATEWAY = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: shop}
spec:
  selector: {matchLabels: {app: ingress}}
  template:
    metadata: {labels: {app: ingress}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: shop}
spec: {selector: {app: ingress}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: door, namespace: shop}
spec: {hosts: [shop.example.com], gateways: [door], http: [{route: [{destination: {host: stock}}]}]}`;
const admits = (app: string, blocks: string): string => `
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: admits, namespace: shop}
spec: {podSelector: {matchLabels: {app: ${app}}}, policyTypes: [Ingress], ingress: [{from: [${blocks}]}]}`;
const block = (cidr: string, ...except: string[]): string =>
  `{ipBlock: {cidr: ${cidr}, except: [${except.join(', ')}]}}`;

function between(mesh: string, app: string, was: string, is: string): Diff {
  const [before, after] = [was, is].map((blocks) => loadText(mesh + admits(app, blocks)).manifests);
  return diff(before!, after!);
}

describe('a block of addresses that a NetworkPolicy lets in', () => {
  const pods = namespace('app') + namespace('shop') + pod('near', '10.0.1.5') + pod('far', '10.0.2.5') + STOCK;

  it('tells Pods of one namespace apart by their addresses', () => {
    const found = between(pods, 'stock', block('10.0.1.0/24'), `${block('10.0.1.0/24')}, ${block('10.0.2.0/24')}`);
    expect(found.changes.map(({ effect, from }) => [effect, from])).toEqual([['widened', ['app/far']]]);
    const other = between(pods, 'stock', block('10.0.0.0/8', '10.0.1.0/24'), block('10.0.0.0/8', '10.0.2.0/24'));
    expect(other.changes.map(({ effect, from }) => [effect, from])).toEqual([
      ['widened', ['app/near']],
      ['narrowed', ['app/far']],
    ]);
  });

  it.each([
    [block('0.0.0.0/0'), block('0.0.0.0/0', '8.8.8.0/24')],
    [block('0.0.0.0/0'), block('0.0.0.0/0', '203.0.113.0/24')],
    [block('203.0.113.0/24'), block('198.51.100.0/24')],
    [block('10.0.0.0/8'), block('192.168.0.0/16')],
  ])('leaves open who comes in from outside: %s, and then %s', (was, is) => {
    const door = namespace('shop') + STOCK + GATEWAY;
    const found = between(door, 'ingress', was, is);
    expect(found.changes).toEqual([]);
    expect(found.undecided).toContainEqual(
      expect.objectContaining({
        from: ['outside, at shop/door'],
        to: 'http://shop.example.com:8080/',
        what: expect.stringContaining('address of the client'),
        why: expect.stringContaining('no manifest tells which these are'),
      }),
    );
    expect(between(door, 'ingress', was, was).complete).toBe(true);
  });

  it.each([
    [block('203.0.113.0/24'), `${block('203.0.113.0/25')}, ${block('203.0.113.128/25')}`],
    [block('203.0.113.0/24'), block('203.0.113.77/24')],
    [block('203.0.113.7/32'), block('203.0.113.6/31', '203.0.113.6/32')],
    [`${block('203.0.113.0/24')}, ${block('198.51.100.0/24')}`, `${block('198.51.100.0/24')}, ${block('203.0.113.0/24')}`],
    [block('203.0.113.0/24', '203.0.113.128/25'), block('203.0.113.0/25')],
  ])('is the same block however it is written: %s, and then %s', (was, is) => {
    const found = between(namespace('shop') + STOCK + GATEWAY, 'ingress', was, is);
    expect(found.changes).toEqual([]);
    expect(found.undecided).toEqual([]);
  }); // prettier-ignore
});
