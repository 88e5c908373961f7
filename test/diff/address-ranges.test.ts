/** Addresses that are told apart by objects: by NetworkPolicies, by routes for subnets, and by what sidecars capture. */
import { partsOf } from '../../src/diff/address-ranges';
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import type { MeshOptions } from '../../src/model/mesh-options';

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

describe('parts of a range', () => {
  it('are each told by which of the others they are in', () => {
    expect(partsOf('10.0.0.0/24', [])).toEqual([{ address: '10.0.0.1', range: undefined }]);
    expect(partsOf('10.0.0.7', ['10.0.0.0/8'])).toEqual([{ address: '10.0.0.7', range: '10.0.0.0/8' }]);
    expect(partsOf('10.0.0.0/24', ['10.0.0.128/25', '10.0.0.192/26', '0.0.0.0/0', '11.0.0.0/8'])).toEqual([
      { address: '10.0.0.1', range: '0.0.0.0/0' },
      { address: '10.0.0.129', range: '10.0.0.128/25' },
      { address: '10.0.0.193', range: '10.0.0.192/26' },
    ]);
    expect(partsOf('10.0.0.0/30', ['10.0.0.0/32', '10.0.0.2/31'])).toEqual([
      { address: '10.0.0.0', range: '10.0.0.0/32' },
      { address: '10.0.0.1', range: undefined },
      { address: '10.0.0.3', range: '10.0.0.2/31' },
    ]);
    expect(partsOf('2001:db8::/32', ['2001:db8:1::/48'])).toEqual([{ address: '2001:db8::', range: undefined }]);
  });
});
