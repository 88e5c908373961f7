import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { outcome, traceIn } from './text';

const NETWORKS = `
{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: 'defaultConfig: {}', meshNetworks: 'networks: {east: {gateways: [{address: 203.0.113.50, port: 15443}]}}'}}
---`;
const GATEWAY = `
{apiVersion: v1, kind: Service, metadata: {name: eastwest, namespace: istio-system, labels: {topology.istio.io/network: east}}, spec: {selector: {istio: eastwestgateway}, ports: [{name: tls, port: 15443}]}}
---`;
const world = (own: string, ...endpoints: readonly string[]): string => `
{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: sleep, namespace: app, labels: {app: sleep${own === '' ? '' : `, topology.istio.io/network: ${own}`}}}, spec: {containers: [{name: a, image: a}]}}
---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: far, namespace: app}, spec: {hosts: [far.internal], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [${endpoints.join(', ')}]}}
`;
const ask = (yaml: string): string => outcome(traceIn(yaml)('http://far.internal/'));
const EAST = '{address: 10.20.0.5, network: east, serviceAccount: far}';
const LABELLED = '{address: 10.20.0.5, labels: {topology.istio.io/network: east}, serviceAccount: far}';
const PLAIN = '{address: 10.20.0.5, network: east}';
const NEAR = '{address: 10.10.0.5, network: west}';

describe('an endpoint of another network', () => {
  it.each([
    ['configured', NETWORKS + world('west', EAST)],
    ['labelled', NETWORKS + world('west', LABELLED)],
    ['with a labelled gateway', GATEWAY + world('west', EAST)],
  ])('is reached through gateways, which are not followed: %s', (_what, yaml) => expect(ask(yaml)).toMatch(/^unknown/));

  it.each([
    ['the proxy is of the same', NETWORKS + world('east', EAST)],
    ['the proxy says nothing of its own', NETWORKS + world('', EAST)],
    ['no gateway leads to it', world('west', EAST)],
    ['another endpoint is near, and it takes no mutual TLS', NETWORKS + world('west', PLAIN, NEAR)],
  ])('is dialled where %s', (_what, yaml) => expect(ask(yaml)).toMatch(/^delivered/));

  it('is left out where it takes no mutual TLS', () =>
    expect(ask(NETWORKS + world('west', PLAIN))).toBe('UH 503 at sidecar'));
});

describe('diff between networks', () => {
  const between = (was: string, is: string): { readonly complete: boolean; readonly changes: number } => {
    const { complete, changes } = diff(loadText(was).manifests, loadText(is).manifests, {});
    return { complete, changes: changes.length };
  };

  it('leaves undecided what moves behind gateways', () =>
    expect(between(NETWORKS + world('west', NEAR), NETWORKS + world('west', '{address: 10.10.0.5, network: east, serviceAccount: far}')).complete).toBe(false)); // prettier-ignore

  it('tells a client that moves to another network', () => {
    const { complete, changes } = between(NETWORKS + world('west', PLAIN), NETWORKS + world('east', PLAIN));
    expect([complete, changes > 0]).toEqual([true, true]);
  });
});
