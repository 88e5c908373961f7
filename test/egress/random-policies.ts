/** Policies made at random, the callers and hosts that they are about, and who may reach what by the plain meaning of their rules. */
import { App, Chart } from 'cdk8s';
import fc from 'fast-check';
import { EgressGateway } from '../../src/egress/egress-gateway';
import { EgressTrafficPolicy, EgressTrafficRule } from '../../src/egress/egress-traffic-policy';
import { HttpEgress, TcpEgress, TlsEgress } from '../../src/egress/egress-ways';
import { ExternalPort } from '../../src/egress/external-port';
import { ExternalService } from '../../src/egress/external-service';
import { Resolution } from '../../src/egress/resolution';
import { TransparentProxy } from '../../src/egress/transparent-proxy';
import { Workloads } from '../../src/mesh/workloads';
import { refusals } from './world';

/** A workload that calls. */
export interface Caller {
  readonly namespace: string;
  readonly name: string;
  readonly account: string;
  readonly labels: Readonly<Record<string, string>>;
}

const caller = (namespace: string, name: string, labels: Record<string, string> = {}): Caller => ({
  namespace,
  name,
  account: name,
  labels: { app: name, ...labels },
});

export const CALLERS: readonly Caller[] = [
  caller('shop', 'payments'),
  caller('shop', 'orders'),
  caller('shop', 'reports', { tier: 'batch' }),
  caller('billing', 'invoices', { tier: 'batch' }),
  caller('rogue', 'snoop'),
];

interface Site {
  readonly host: string;
  /** The wildcard that it is declared by, if it is by one, and a host that serves all of that. */
  readonly wildcard?: { readonly host: string; readonly servedBy: string };
  readonly address: string;
  readonly ports: readonly number[];
}

/** Hosts that the lab's internet has too. On 5432 the server speaks first, on the others it waits. */
export const SITES: readonly Site[] = [
  { host: 'stripe.example.com', address: '203.0.113.19', ports: [80, 443] },
  { host: 'ledger.example.com', address: '203.0.113.20', ports: [80, 443] },
  { host: 'edition.cnn.com', address: '203.0.113.10', ports: [80, 443] },
  { host: 'db.example.com', address: '203.0.113.30', ports: [5432] },
  {
    host: 'en.wikipedia.org',
    address: '203.0.113.12',
    ports: [80, 443],
    wildcard: { host: '*.wikipedia.org', servedBy: 'www.wikipedia.org' },
  },
];

/** The address of the proxy that some sites are tunnelled through. */
export const PROXY_ADDRESS = '192.0.2.10';

/** One call, whether it may pass, and whether the caller's own sidecar may let it go as far as the gateway. */
export interface Call {
  readonly from: Caller;
  readonly site: Site;
  readonly port: number;
  readonly passes: boolean;
  readonly passesSidecar: boolean;
}

/** A world of policies. */
export interface PolicyWorld {
  readonly said: string;
  /** The sites that leave from the sidecar, and those that leave through a proxy outside. */
  readonly direct: readonly number[];
  readonly tunnelled: readonly number[];
  readonly objects: readonly object[];
  readonly calls: readonly Call[];
}

interface From {
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly account?: string;
}

interface Rule {
  readonly from: readonly From[];
  readonly to: readonly number[];
  readonly ports?: readonly number[];
}

const from: fc.Arbitrary<From> = fc.constantFrom<From[]>(
  { namespace: 'shop' },
  { namespace: 'shop', labels: { app: 'payments' } },
  { namespace: 'shop', labels: { app: 'payments' }, account: 'payments' },
  { namespace: 'shop', labels: { tier: 'batch' } },
  { namespace: 'shop', account: 'orders' },
  { namespace: 'shop', labels: { app: 'orders' }, account: 'payments' },
  { namespace: 'billing' },
  { namespace: 'billing', labels: { tier: 'batch' }, account: 'invoices' },
);

const rule: fc.Arbitrary<Rule> = fc.record(
  {
    from: fc.uniqueArray(from, { minLength: 1, maxLength: 3 }),
    to: fc.uniqueArray(fc.nat(SITES.length - 1), { minLength: 1, maxLength: 3 }),
    ports: fc.option(fc.uniqueArray(fc.constantFrom(80, 443), { minLength: 1 }), { nil: undefined }),
  },
  { requiredKeys: ['from', 'to'] },
);

const mayBe = (one: From, { namespace, labels }: Caller) =>
  one.namespace === namespace && Object.entries(one.labels ?? {}).every(([key, value]) => labels[key] === value);

const isPort = (one: Rule, port: number) => one.ports === undefined || port === 5432 || one.ports.includes(port);

/** Worlds of one to three policies at one gateway, each with one to three rules. */
export const policyWorlds: fc.Arbitrary<PolicyWorld> = fc
  .record({
    policies: fc.array(fc.array(rule, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
    upgraded: fc.subarray([0, 1, 2]),
    direct: fc.subarray([0, 1, 2, 3, 4]),
    tunnelled: fc.subarray([1, 2, 3]),
  })
  .map(({ policies, upgraded, direct, tunnelled }) => {
    const chart = new Chart(new App(), 'world');
    const gateway = EgressGateway.fromInstalled(chart, 'Gateway');
    const proxy = new TransparentProxy(chart, 'Proxy', {
      host: 'proxy.example.com',
      addresses: [PROXY_ADDRESS],
      namespace: 'shop',
    });
    const services = SITES.map(
      ({ host, address, ports, wildcard }, site) =>
        new ExternalService(chart, host, {
          hosts: [wildcard?.host ?? host],
          namespace: 'shop',
          resolution: wildcard && !direct.includes(site) ? Resolution.dns({ address: wildcard.servedBy }) : undefined,
          addresses: ports.includes(5432) ? [address] : undefined,
          ports: ports.map((port) =>
            port === 80 ? ExternalPort.http() : port === 443 ? ExternalPort.https() : ExternalPort.tcp(port),
          ),
        }),
    );
    const workloads = ({ namespace, labels, account }: From) =>
      Workloads.in(namespace, labels, { serviceAccounts: account === undefined ? [] : [account] });
    // Plain HTTP is never tunnelled, and what leaves from the sidecar is judged by labels alone.
    const portsOf = (one: Rule, site: number) =>
      SITES[site].ports.filter((port) => isPort(one, port) && !(port === 80 && tunnelled.includes(site)));
    const fromOf = ({ account, ...rest }: From, site: number): From =>
      direct.includes(site) ? rest : { ...rest, account };
    // A rule of ours is one of the library's for each site, since ports and ways differ between them.
    const rules = (one: Rule): EgressTrafficRule[] =>
      one.to
        .filter((site) => portsOf(one, site).length)
        .map((site) => ({
          from: one.from.map((who) => workloads(fromOf(who, site))),
          to: [services[site]],
          ports: portsOf(one, site),
          direct: direct.includes(site),
          http: upgraded.includes(site) && portsOf(one, site).includes(80) ? HttpEgress.originateTls() : undefined,
          https: tunnelled.includes(site) && portsOf(one, site).includes(443) ? TlsEgress.tunnel(proxy) : undefined,
          tcp: tunnelled.includes(site) && portsOf(one, site).includes(5432) ? TcpEgress.tunnel(proxy) : undefined,
        }));
    const made = policies.map((some) => some.flatMap(rules)).filter((some) => some.length);
    made.forEach((some, i) => new EgressTrafficPolicy(chart, `P${i}`, { gateway, rules: some }));
    if (!made.flat().some(({ https, tcp }) => https || tcp)) chart.node.tryRemoveChild('Proxy');
    if (made.flat().every((one) => one.direct)) chart.node.tryRemoveChild('Gateway');
    const refused = refusals(chart);
    if (refused.length) throw new Error(refused.join('\n'));
    const all = policies.flat();
    const unused = services.filter((service) => !made.flat().some(({ to }) => to.includes(service)));
    unused.forEach((service) => chart.node.tryRemoveChild(service.node.id));
    return {
      said: JSON.stringify({ policies, upgraded, direct, tunnelled }),
      direct,
      tunnelled,
      objects: chart.toJson() as object[],
      calls: CALLERS.flatMap((who) =>
        SITES.flatMap((site, at) =>
          site.ports.map((port) => {
            const about = all
              .filter((one) => one.to.includes(at) && portsOf(one, at).includes(port))
              .flatMap((one) => one.from.map((who) => fromOf(who, at)));
            const known = about.filter((one) => one.namespace === who.namespace);
            // Labels are the sidecar's to judge, accounts the gateway's: each takes what some rule says of what it knows.
            const bySidecar = known.some((one) => mayBe(one, who));
            const byGateway = known.some((one) => one.account === undefined || one.account === who.account);
            return { from: who, site, port, passesSidecar: bySidecar, passes: bySidecar && byGateway };
          }),
        ),
      ),
    };
  });

/** The callers, their namespaces and accounts, as objects. `address` gives each Pod an IP where no kubelet does. */
export function callerObjects(address?: (index: number) => string): object[] {
  const namespaces = [...new Set(CALLERS.map(({ namespace }) => namespace))];
  return [
    ...namespaces.map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'istio-injection': 'enabled' } },
    })),
    ...CALLERS.map(({ namespace, account }) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name: account },
    })),
    ...CALLERS.map(({ namespace, name, account, labels }, i) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name, labels },
      spec: {
        serviceAccountName: account,
        terminationGracePeriodSeconds: 0,
        containers: [{ name, image: 'curlimages/curl' }],
      },
      ...(address && { status: { podIP: address(i) } }),
    })),
  ];
}

/** A gateway where no lab runs one. */
export const GATEWAY_OBJECTS: readonly object[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'istio-system', name: 'istio-egressgateway' },
    spec: {
      clusterIP: '10.96.0.50',
      selector: { istio: 'egressgateway' },
      ports: [
        { name: 'http2', port: 80, targetPort: 8080 },
        { name: 'https', port: 443, targetPort: 8443 },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: 'istio-system',
      name: 'egress',
      labels: { istio: 'egressgateway' },
      annotations: { 'inject.istio.io/templates': 'gateway' },
    },
    spec: { serviceAccountName: 'egress', containers: [{ name: 'istio-proxy', image: 'auto' }] },
    status: { podIP: '10.244.2.10' },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType: 'IPv4',
    metadata: {
      namespace: 'istio-system',
      name: 'istio-egressgateway-1',
      labels: { 'kubernetes.io/service-name': 'istio-egressgateway' },
    },
    endpoints: [{ addresses: ['10.244.2.10'], conditions: { ready: true } }],
    ports: [
      { name: 'http2', port: 8080, protocol: 'TCP' },
      { name: 'https', port: 8443, protocol: 'TCP' },
    ],
  },
];
