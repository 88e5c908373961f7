/** Random NetworkPolicies over the Pods of network-world.ts, and requests that meet them. */
import fc from 'fast-check';
import { maybe, pick, some, type Thing } from '../../trace/oracle/vocabulary';

const METADATA = 'kubernetes.io/metadata.name';

const expression = pick(
  { key: 'app', operator: 'In', values: ['sleep', 'shop', 'bare'] },
  { key: 'app', operator: 'NotIn', values: ['other', 'egw', 'plain'] },
  { key: 'tier', operator: 'Exists' },
  { key: 'version', operator: 'DoesNotExist' },
  { key: 'tier', operator: 'NotIn', values: ['front'] },
);
const podSelector = fc.oneof(
  { arbitrary: fc.constant({}), weight: 3 },
  {
    arbitrary: pick('sleep', 'other', 'bare', 'visitor', 'shop', 'store', 'egw', 'front', 'plain').map((app) => ({
      matchLabels: { app },
    })),
    weight: 5,
  },
  { arbitrary: pick({ tier: 'front' }, { istio: 'egw' }).map((matchLabels) => ({ matchLabels })), weight: 2 },
  { arbitrary: expression.map((one) => ({ matchExpressions: [one] })), weight: 2 },
  {
    arbitrary: expression.map((one) => ({ matchLabels: { tier: 'front' }, matchExpressions: [one] })),
    weight: 1,
  },
);
const namespaceSelector = fc.oneof(
  pick('app', 'web', 'edge', 'legacy', 'kube-system', 'istio-system').map((name) => ({
    matchLabels: { [METADATA]: name },
  })),
  pick<object>(
    {},
    { matchLabels: { team: 'front' } },
    { matchLabels: { 'istio-injection': 'enabled' } },
    { matchExpressions: [{ key: METADATA, operator: 'In', values: ['edge', 'istio-system'] }] },
    { matchExpressions: [{ key: METADATA, operator: 'NotIn', values: ['edge'] }] },
    { matchExpressions: [{ key: 'team', operator: 'Exists' }] },
    { matchExpressions: [{ key: 'istio-injection', operator: 'DoesNotExist' }] },
  ),
);
const inside = fc.oneof(
  podSelector.map((pods) => ({ podSelector: pods })),
  namespaceSelector.map((namespaces) => ({ namespaceSelector: namespaces })),
  fc.record({ namespaceSelector, podSelector }),
);

/** Addresses of the world's Pods take the place of `{app/shop}`. */
const blockOut = pick<object>(
  { cidr: '0.0.0.0/0' },
  { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] },
  { cidr: '0.0.0.0/0', except: ['203.0.113.60/32'] },
  { cidr: '203.0.113.0/24' },
  { cidr: '203.0.113.0/24', except: ['203.0.113.61/32', '203.0.113.62/31'] },
  { cidr: '203.0.113.61/32' },
  { cidr: '10.244.0.0/16' },
  { cidr: '10.96.0.0/16' },
  { cidr: '{app/shop}/32' },
  { cidr: '{web/store}/32' },
  { cidr: '10.244.0.0/16', except: ['{app/shop}/32', '10.244.0.3/32'] },
  { cidr: '::/0' },
);
/** Nothing tells trace where requests from outside come from, so no block singles the lab's internet out. */
const blockIn = pick<object>(
  { cidr: '0.0.0.0/0' },
  { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] },
  { cidr: '10.244.0.0/16' },
  { cidr: '10.244.0.0/16', except: ['{app/sleep}/32', '{edge/front}/32'] },
  { cidr: '{edge/egw}/32' },
  { cidr: '{app/bare}/32' },
  { cidr: '::/0' },
);

const port = fc.oneof(
  { arbitrary: pick(80, 8080, 9000, 53, 15012).map((number) => ({ port: number })), weight: 6 },
  { arbitrary: pick(80, 8080).map((number) => ({ port: number, protocol: 'TCP' })), weight: 2 },
  { arbitrary: pick<object>({ port: 8000, endPort: 8999 }, { port: 79, endPort: 8080 }, { port: 8081, endPort: 20000 }), weight: 2 }, // prettier-ignore
  { arbitrary: pick<object>({ port: 'web' }, { port: 'admin' }, { port: 'metrics' }), weight: 3 },
  { arbitrary: pick<object>({ protocol: 'TCP' }, { protocol: 'UDP' }, { port: 8080, protocol: 'UDP' }), weight: 2 },
);
const ports = maybe(some(port, 0, 2), 3, 2);

const rules = (side: 'from' | 'to', block: fc.Arbitrary<object>) => {
  const peer = fc.oneof(
    { arbitrary: inside, weight: 3 },
    { arbitrary: block.map((ipBlock) => ({ ipBlock })), weight: 2 },
  );
  const rule = fc.record({ peers: maybe(some(peer, 0, 2), 4, 1), ports });
  return maybe(
    some(
      rule.map(({ peers, ports: some }) => ({ [side]: peers, ports: some })),
      0,
      2,
    ),
    4,
    1,
  );
};

const policy = fc.record({
  owner: pick('app', 'app', 'web', 'edge', 'edge', 'legacy'),
  podSelector,
  ingress: rules('from', blockIn),
  egress: rules('to', blockOut),
  policyTypes: pick<readonly string[] | undefined>(
    undefined,
    undefined,
    [],
    ['Ingress'],
    ['Egress'],
    ['Ingress', 'Egress'],
  ),
});

interface Door {
  /** `{app/shop}` stands for the address of that Pod. */
  readonly host: string;
  readonly port: number;
}

const DOORS: readonly Door[] = [
  { host: 'shop.app.svc.cluster.local', port: 80 },
  { host: 'shop.app.svc.cluster.local', port: 8080 },
  { host: 'store.web.svc.cluster.local', port: 80 },
  { host: 'store.web.svc.cluster.local', port: 9000 },
];
const NAMED: readonly Door[] = [
  { host: 'api.example.com', port: 80 },
  { host: 'www.example.com', port: 80 },
];
const NUMBERS: readonly Door[] = [
  { host: '{app/shop}', port: 9000 },
  { host: '{web/store}', port: 8080 },
  { host: '203.0.113.60', port: 80 },
  { host: '203.0.113.62', port: 8080 },
  { host: '10.244.0.2', port: 53 },
  { host: '10.244.0.3', port: 15012 },
];

export interface NetworkAsk extends Door {
  readonly from: string;
}

const ask: fc.Arbitrary<NetworkAsk> = fc.oneof(
  {
    arbitrary: fc
      .record({ from: pick('app/sleep', 'app/sleep', 'app/other'), to: pick(...DOORS, ...NAMED, ...NAMED) })
      .map(({ from, to }) => ({ from, ...to })),
    weight: 4,
  },
  {
    arbitrary: fc
      .record({ from: pick('app/bare', 'web/visitor', 'legacy/plain'), to: pick(...DOORS, ...NUMBERS) })
      .map(({ from, to }) => ({ from, ...to })),
    weight: 4,
  },
  {
    arbitrary: pick('shop.example.org', 'store.example.org').map((host) => ({ from: 'outside', host, port: 80 })),
    weight: 1,
  },
);

export interface NetworkSet {
  readonly policies: readonly Thing[];
  readonly asks: readonly NetworkAsk[];
}

export function networkSets(requests: number): fc.Arbitrary<NetworkSet> {
  return fc.record({ policies: some(policy, 1, 6), asks: some(ask, requests, requests) }).map(({ policies, asks }) => ({
    asks,
    policies: policies.map(({ owner, ...spec }, index): Thing => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: `policy-${index}`, namespace: owner },
      spec: JSON.parse(JSON.stringify(spec)) as object,
    })),
  }));
}
