/** The filter for authorization is one, whoever's policies its rules were made of. */
import fc from 'fast-check';
import { decide, type Action, type Truth } from '../../src/trace/rbac';
import { outcome, traceIn } from './text';

const actions = fc.constantFrom<Action>('ALLOW', 'DENY');
const rules = fc.array(fc.record({ action: actions, truth: fc.constantFrom<Truth>(true, false, 'unknown') }), {
  maxLength: 6,
});

type Given = readonly { readonly action: Action; readonly truth: Truth }[];

/** What each way comes to in which what is not known may turn out. */
function everyWay(given: Given, otherwise: Action): ReadonlySet<Action> {
  const found = new Set<Action>();
  const open = given.filter(({ truth }) => truth === 'unknown').length;
  for (let way = 0; way < 2 ** open; way += 1) {
    let at = 0;
    const first = given.find(({ truth }) => (truth === 'unknown' ? (way & (1 << at++)) !== 0 : truth));
    found.add(first?.action ?? otherwise);
  }
  return found;
}

describe('which rule decides', () => {
  it('is told where every way of what is not known comes to the same, and only there', () => {
    fc.assert(
      fc.property(rules, actions, (given, otherwise) => {
        const outcome = decide(given, ({ truth }) => truth, otherwise);
        const ways = everyWay(given, otherwise);
        expect(outcome.is).toBe(ways.size === 1 ? 'decided' : 'open');
        if (outcome.is === 'decided') expect([...ways]).toEqual([outcome.action]);
      }),
    );
  });

  it('asks no rule behind the one that matches', () => {
    const asked: number[] = [];
    const given = [false, true, true].map((truth, index) => ({ action: 'ALLOW' as const, truth, index }));
    const outcome = decide(given, ({ truth, index }) => (asked.push(index), truth), 'DENY');
    expect(outcome).toEqual({ is: 'decided', action: 'ALLOW', rule: given[1] });
    expect(asked).toEqual([0, 1]);
  });
});

const SHOP = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Service
metadata: { name: shop, namespace: shop }
spec: { clusterIP: 10.0.0.1, selector: { app: shop }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, namespace: shop }
spec: { selector: { matchLabels: { app: shop } }, template: { metadata: { labels: { app: shop } }, spec: { containers: [{ name: shop, image: shop }] } } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-such-addresses, namespace: shop }
spec: { action: DENY, rules: [{ from: [{ source: { ipBlocks: [192.0.2.0/24] } }] }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: orders, namespace: shop }
spec: { action: ALLOW, rules: [{ to: [{ operation: { methods: [POST] } }] }] }
`;

describe('a client whose address no manifest shows, before a DENY by addresses,', () => {
  const ask = (method: string): string => outcome(traceIn(SHOP)('http://shop.shop.svc.cluster.local/', { method }));

  it('is refused where no ALLOW takes its request: the DENY may only refuse it too', () => {
    expect(ask('GET')).toBe('RBAC 403 at sidecar');
  });

  it('fares nobody knows how where an ALLOW does', () => {
    expect(ask('POST')).toBe('unknown');
  });
});
