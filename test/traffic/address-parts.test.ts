/** Addresses that are told apart by objects: by NetworkPolicies, by routes for subnets, and by what sidecars capture. */
import fc from 'fast-check';
import { partsOf } from '../../src/traffic/address-parts';
import { diff } from '../../src/diff/diff';
import { acceptedMesh } from '../../src/check/accepted';
import { canonicalCidr, contains } from '../../src/model/addresses';
import { register } from '../../src/list/register';
import { loadText } from '../../src/model/load';
import type { Mesh } from '../../src/model/mesh';
import type { MeshOptions } from '../../src/model/mesh-options';
import { prove } from '../../src/prove/prove';
import { readRules } from '../../src/prove/rules';

const client = (annotations = ''): string => `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: shop}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}, annotations: {${annotations}}}, spec: {containers: [{name: web, image: web}]}}}}
`;
const entry = (more: string): string => `---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: db, namespace: shop}, spec: {hosts: [db.example.com], ports: [{number: 5432, name: tcp, protocol: TCP}], ${more}}}
`;
const RANGE = entry('addresses: [198.51.100.0/24], resolution: NONE');
const policy = (rule: string): string => `---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: out, namespace: shop}, spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}]}, ${rule}]}}
`;
const block = (cidr: string, ...except: string[]): string =>
  `{to: [{ipBlock: {cidr: ${cidr}, except: [${except.join()}]}}]}`;

const told = (was: string, is: string, mesh: MeshOptions = {}): readonly string[] =>
  diff(loadText(was).manifests, loadText(is).manifests, { mesh }).changes.map(
    ({ effect, to }) => `${effect} ${[to].flat().join(' ')}`,
  );

describe('a change for some addresses', () => {
  it('is told of a block that leaves out a part of what an entry claims, and of one that takes it in again', () => {
    const all = client() + RANGE + policy(block('0.0.0.0/0'));
    const part = client() + RANGE + policy(block('0.0.0.0/0', '198.51.100.128/25'));
    expect(told(all, part)).toEqual(['narrowed tcp://db.example.com:5432 at 198.51.100.129']);
    expect(told(part, all)).toEqual(['widened tcp://db.example.com:5432 at 198.51.100.129']);
    expect(told(part, part.replace('name: out', 'name: same'))).toEqual([]);
  });

  it('is told of TLS too, where the range that an entry claims is cut', () => {
    const range = RANGE.replace('5432', '443').replace('protocol: TCP', 'protocol: TLS');
    const to = (...except: string[]): string => client() + range + policy(block('0.0.0.0/0', ...except));
    expect(told(to(), to('198.51.100.128/25'))).toEqual(['narrowed https://db.example.com/ at 198.51.100.129']);
  });

  it('is told of a block that leaves out addresses which no object claims', () => {
    const [all, part] = [client() + policy(block('0.0.0.0/0')), client() + policy(block('0.0.0.0/0', '10.20.0.0/16'))];
    expect(told(all, part)).toEqual(['narrowed tcp://(any other address in 10.20.0.0/16):443']);
  });

  it('is told of each port that a rule names', () => {
    const on = (port: number): string => client() + policy(`{to: [{ipBlock: {cidr: 10.20.0.0/16}}], ports: [{port: ${port}}]}`); // prettier-ignore
    expect(told(on(5432), on(6379))).toEqual(
      expect.arrayContaining([
        'widened tcp://(any other address in 10.20.0.0/16):6379',
        'narrowed tcp://(any other address in 10.20.0.0/16):5432',
      ]),
    );
  });

  it('is told of one of two subnets in one range', () => {
    const routed = (subnet: string): string => `${client()}${RANGE}---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: other, namespace: shop}, spec: {hosts: [other.example.com], ports: [{number: 5432, name: tcp, protocol: TCP}], resolution: DNS}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: v, namespace: shop}, spec: {hosts: [db.example.com], tcp: [{match: [{destinationSubnets: [198.51.100.0/26]}, {destinationSubnets: [${subnet}]}], route: [{destination: {host: other.example.com}}]}, {route: [{destination: {host: db.example.com}}]}]}}
`;
    expect(told(routed('198.51.100.64/26'), routed('198.51.100.128/26'))).toEqual([
      'rerouted tcp://db.example.com:5432 at 198.51.100.129',
      'rerouted tcp://db.example.com:5432 at 198.51.100.65',
    ]);
  });

  it('is told of ranges that are not led to a sidecar any more', () => {
    const left = client('traffic.sidecar.istio.io/excludeOutboundIPRanges: 10.9.0.0/16');
    expect(told(client(), left, { outbound: 'REGISTRY_ONLY' })).toContain('widened tcp://(any other address in 10.9.0.0/16):443'); // prettier-ignore
  });
});

describe('a change among very many ranges', () => {
  const blocks = (count: number, from = 0): string =>
    Array.from({ length: count }, (_, index) => `{ipBlock: {cidr: 10.${from + index}.0.0/16}}`).join();
  const each = (count: number): string =>
    Array.from({ length: count }, (_, index) => `{to: [{ipBlock: {cidr: 10.${index}.0.0/16}}], ports: [{port: ${1000 + index}}]}`).join(); // prettier-ignore

  it('is told however many of them one rule names, and however many addresses entries claim', () => {
    const claimed = Array.from({ length: 80 }, (_, index) => entry(`addresses: [192.0.${index}.7], resolution: DNS`).replace('name: db', `name: db${index}`).replace('db.example.com', `db${index}.example.com`)).join(''); // prettier-ignore
    const to = (rows: string): string => client() + claimed + policy(`{to: [${rows}], ports: [{port: 5432}]}`);
    expect(told(to(blocks(200)), to(blocks(199)))).toEqual([
      'narrowed tcp://(any other address in 10.199.0.0/16):5432',
    ]);
    expect(told(to(blocks(3)), to('{podSelector: {}}'))).toContain(
      'narrowed tcp://(any other address in 10.0.0.0/16, 10.1.0.0/16, 10.2.0.0/16):5432',
    );
  });

  it('is told of ranges of IPv6', () => {
    const [all, part] = ['', 'except: [2001:db8:7::/48]'].map((except) => client() + policy(`{to: [{ipBlock: {cidr: "2001:db8::/32", ${except}}}]}`)) as [string, string]; // prettier-ignore
    expect(told(all, part)).toEqual(['narrowed tcp://(any other address in 2001:db8:7::/48):443']);
  });

  it('leaves undecided what more ranges there are than are followed', () => {
    const diffOf = (was: number, is: number) =>
      diff(loadText(client() + policy(each(was))).manifests, loadText(client() + policy(each(is))).manifests);
    const beyond = (was: number, is: number): readonly string[] =>
      diffOf(was, is)
        .undecided.map(({ what }) => what)
        .filter((what) => what.includes('more ranges'));
    expect(beyond(80, 79)).toEqual(['connections to addresses in 16 more ranges that no entry claims']);
    expect(beyond(30, 29)).toEqual([]);
    expect(
      diffOf(30, 29)
        .changes.map(({ to }) => to)
        .flat(),
    ).toContain('tcp://(any other address in 10.29.0.0/16):1029');
  });

  it('leaves them undecided in the register and in a rule as well', () => {
    const meshOf = (count: number): Mesh => acceptedMesh(loadText(client() + policy(each(count))).manifests, {});
    const [many, few] = [meshOf(80), meshOf(30)];
    const beyond = 'connections to addresses in 16 more ranges that no entry claims';
    const listed = (mesh: Mesh): readonly string[] => register(mesh).undecided.map(({ what }) => what);
    expect(listed(many)).toContain(beyond);
    expect(register(many).complete).toBe(false);
    expect(listed(few).filter((what) => what.includes('more ranges'))).toEqual([]);
    const halved = `{to: [{ipBlock: {cidr: 198.51.100.0/25}}], ports: [{port: 5432}]}`;
    const told = register(acceptedMesh(loadText(client() + RANGE + policy(`${each(80)}, ${halved}`)).manifests, {}));
    expect(told.undecided.filter(({ what }) => what.includes('more ranges')).map(({ to }) => to)).not.toContainEqual(
      expect.stringContaining('db.example.com'),
    );
    const { rules } = readRules(
      'rules: [{ name: not so, forbid: { from: shop/web, to: { ports: [9999], protocols: [tcp] } } }]',
    );
    expect(prove(many, rules)[0]).toMatchObject({
      verdict: 'undecided',
      because: expect.arrayContaining([expect.stringContaining(beyond)]) as unknown,
    });
    expect(prove(few, rules)[0]?.verdict).not.toBe('undecided');
  });
});

describe('parts of a range', () => {
  const partsIn = (...given: Parameters<typeof partsOf>) =>
    partsOf(...given).map(({ address, ranges }) => ({ address, ranges }));
  const named = (...ranges: string[]) => ranges.map((range) => ({ range, at: range }));

  it('are each told by which of the others they are in', () => {
    expect(partsIn('10.0.0.0/24', [])).toEqual([{ address: '10.0.0.1', ranges: [] }]);
    expect(partsIn('10.0.0.7', named('10.0.0.0/8'))).toEqual([{ address: '10.0.0.7', ranges: ['10.0.0.0/8'] }]);
    expect(partsIn('10.0.0.0/24', named('10.0.0.128/25', '10.0.0.192/26', '0.0.0.0/0', '11.0.0.0/8'))).toEqual([
      { address: '10.0.0.1', ranges: ['0.0.0.0/0'] },
      { address: '10.0.0.129', ranges: ['10.0.0.128/25'] },
      { address: '10.0.0.193', ranges: ['10.0.0.192/26'] },
    ]);
    expect(partsIn('10.0.0.0/30', named('10.0.0.0/32', '10.0.0.2/31'))).toEqual([
      { address: '10.0.0.0', ranges: ['10.0.0.0/32'] },
      { address: '10.0.0.1', ranges: [] },
      { address: '10.0.0.3', ranges: ['10.0.0.2/31'] },
    ]);
    expect(partsIn('2001:db8::/32', named('2001:db8:1::/48'))).toEqual([
      { address: '2001:db8::1', ranges: [] },
      { address: '2001:db8:1::1', ranges: ['2001:db8:1::/48'] },
    ]);
  });

  it('are one where one place names their ranges, and have no address that is claimed', () => {
    const told = ['10.0.0.0/26', '10.0.0.128/26'].map((range) => ({ range, at: 'rule' }));
    expect(partsIn('10.0.0.0/24', told, { claimed: ['10.0.0.0/27'], standing: ['10.0.0.130'] })).toEqual([
      { address: '10.0.0.130', ranges: ['10.0.0.0/26', '10.0.0.128/26'] },
      { address: '10.0.0.65', ranges: [] },
    ]);
  });

  it('cover the whole, and each address is in the part of its ranges', () => {
    const range = fc
      .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
      .map(([last, bits]) => canonicalCidr(`10.0.0.${last}/${bits}`));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
        const parts = partsIn('10.0.0.0/24', named(...ranges));
        const keyOf = (address: string): string => [...new Set(ranges.filter((one) => contains(one, address)))].sort().join(); // prettier-ignore
        const all = Array.from({ length: 256 }, (_, last) => keyOf(`10.0.0.${last}`));
        expect(parts.map(({ address }) => keyOf(address)).sort()).toEqual([...new Set(all)].sort());
      }),
    );
  });
});
