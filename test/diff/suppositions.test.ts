import { diff } from '../../src/diff/diff';
import type { Diff } from '../../src/diff/types';
import { loadText } from '../../src/model/load';
import { contains } from '../../src/model/addresses';
import { random } from '../traffic/worlds';

const MESH = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: web, ports: [{ containerPort: 8080 }] }] } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ingress, namespace: shop }
spec:
  selector: { matchLabels: { istio: ingress } }
  template: { metadata: { labels: { istio: ingress }, annotations: { inject.istio.io/templates: gateway } }, spec: { containers: [{ name: istio-proxy, image: auto }] } }
---
apiVersion: v1
kind: Service
metadata: { name: ingress, namespace: shop }
spec: { selector: { istio: ingress }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: door, namespace: shop }
spec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [shop.example.com] }] }
---
`;

const route = (rest = ''): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: shop }
spec: { hosts: [shop.example.com], gateways: [door], http: [{ ${rest} route: [{ destination: { host: web.shop.svc.cluster.local } }] }] }
---
`;

const policy = (source: string, action = 'ALLOW'): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: by-address, namespace: shop }
spec: { action: ${action}, selector: { matchLabels: { istio: ingress } }, rules: [{ from: [{ source: ${source} }] }] }
---
`;

function between(was: string, is: string): Diff {
  const [before, after] = [was, is].map((one) => loadText(MESH + one).manifests);
  return diff(before!, after!);
}

describe('what no manifest tells and is as it was', () => {
  it('leaves other changes decided', () => {
    const found = between(route() + policy('{ ipBlocks: [203.0.113.0/24] }'), route('timeout: 3s,') + policy('{ ipBlocks: [203.0.113.0/24] }')); // prettier-ignore
    expect([found.changes, found.undecided]).toEqual([[], []]);
  });

  it.each([
    ['in another order', '{ remoteIpBlocks: [203.0.113.0/24, 198.51.100.7] }', '{ remoteIpBlocks: [198.51.100.7/32, 203.0.113.9/24] }'],
    ['in two halves', '{ ipBlocks: [203.0.113.0/24] }', '{ ipBlocks: [203.0.113.0/25, 203.0.113.128/25] }'],
    ['by what is left out', '{ ipBlocks: [203.0.113.0/24], notIpBlocks: [203.0.113.0/25] }', '{ ipBlocks: [203.0.113.128/25] }'],
    ['of the other family too', '{ ipBlocks: ["2001:db8::/32", 203.0.113.0/24] }', '{ ipBlocks: [203.0.113.0/24, "2001:db8::/33", "2001:db8:8000::/33"] }'],
  ])('is the same block, %s', (_how, was, is) => {
    const found = between(route() + policy(was), route() + policy(is));
    expect([found.changes, found.undecided]).toEqual([[], []]);
  }); // prettier-ignore

  it('is no change where blocks come to all addresses together', () => {
    const egress = (blocks: string): string => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: out, namespace: shop }
spec: { podSelector: {}, policyTypes: [Egress], egress: [{ to: ${blocks} }] }
---
`;
    const all = route() + egress('[{ ipBlock: { cidr: 0.0.0.0/0 } }]');
    const halves = between(all, route() + egress('[{ ipBlock: { cidr: 0.0.0.0/1 } }, { ipBlock: { cidr: 128.0.0.0/1 } }]')); // prettier-ignore
    expect([halves.changes, halves.undecided]).toEqual([[], []]);
    const most = between(all, route() + egress('[{ ipBlock: { cidr: 0.0.0.0/1 } }, { ipBlock: { cidr: 128.0.0.0/2 } }]')); // prettier-ignore
    expect(most.changes.length + most.undecided.length).toBeGreaterThan(0);
  });

  it('names whom a change of blocks is about', () => {
    const found = between(route() + policy('{ ipBlocks: [203.0.113.0/24] }'), route() + policy('{ ipBlocks: [203.0.113.0/25] }')); // prettier-ignore
    expect(found.complete).toBe(false);
    expect(found.undecided).toContainEqual({
      from: ['outside, at shop/door'],
      to: 'http://shop.example.com/',
      what: 'address of the client in 203.0.113.0/24 and not in 203.0.113.0/25',
      why: expect.stringMatching(/^before: through gateway .*; now: refused with 403 .*; no manifest tells which these are$/) as string, // prettier-ignore
    });
  });

  it('is decided for random blocks exactly where the same addresses are let in', () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const next = random(seed);
      const blocks = (): readonly string[] =>
        Array.from({ length: 1 + Math.floor(next() * 3) }, () => `203.0.113.${Math.floor(next() * 4) * 64}/${25 + Math.floor(next() * 2)}`); // prettier-ignore
      const [was, is] = [blocks(), blocks()];
      const all = Array.from({ length: 256 }, (_one, last) => `203.0.113.${last}`);
      const isSame = all.every((one) => [was, is].map((own) => own.some((block) => contains(block, one))).every((held, _at, both) => held === both[0])); // prettier-ignore
      const found = between(route() + policy(`{ ipBlocks: [${was.join(', ')}] }`), route() + policy(`{ ipBlocks: [${is.join(', ')}] }`)); // prettier-ignore
      expect([was, is, found.complete]).toEqual([was, is, isSame]);
    }
  });
});

it('tells of copies of requests that are refused where they go', () => {
  const mirror = (to: string): string =>
    route(`mirror: { host: ${to}.shop.svc.cluster.local }, `) +
    `
apiVersion: v1
kind: Service
metadata: { name: other, namespace: shop }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nobody, namespace: shop }
spec: { selector: { matchLabels: { app: web } } }
---
`;
  const found = between(mirror('web'), mirror('other'));
  expect(found.changes.map(({ effect, from, to }) => [effect, from, to])).toEqual([
    ['widened', ['outside, at shop/door'], 'http://shop.example.com/'],
  ]);
});
