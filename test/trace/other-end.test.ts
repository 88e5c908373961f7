/** Two databases behind one port of a gateway: a connection is told nothing of which of them it is for. */
import { acceptedMesh } from '../../src/check/accepted';
import { loadText } from '../../src/model/load';
import { RequestError, trace } from '../../src/trace';

const entry = (name: string, address: string): string => `
---
{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: ${name}, namespace: egress}, spec: {hosts: [${name}.example.com], addresses: [${address}], ports: [{number: 3306, name: tcp, protocol: TCP}], resolution: STATIC, endpoints: [{address: ${address}}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: ${name}, namespace: egress}, spec: {hosts: [${name}.example.com], gateways: [mesh, g], tcp: [{match: [{gateways: [mesh], port: 3306}], route: [{destination: {host: eg.egress.svc.cluster.local, port: {number: 3306}}}]}, {match: [{gateways: [g], port: 3306}], route: [{destination: {host: ${name}.example.com, port: {number: 3306}}}]}]}}`;
const WORLD = `
{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio-injection: enabled}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: eg, namespace: egress}, spec: {selector: {matchLabels: {istio: eg}}, template: {metadata: {labels: {istio: eg, sidecar.istio.io/inject: "true"}, annotations: {inject.istio.io/templates: gateway}}, spec: {containers: [{name: istio-proxy, image: auto}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: eg, namespace: egress}, spec: {clusterIP: 10.0.0.77, selector: {istio: eg}, ports: [{name: tcp, port: 3306, targetPort: 3306}]}}
---
{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: g, namespace: egress}, spec: {selector: {istio: eg}, servers: [{port: {number: 3306, name: tcp, protocol: TCP}, hosts: [a.example.com, b.example.com]}]}}${entry('a', '198.51.100.33')}${entry('b', '198.51.100.34')}`;
const ask = (request: string, yaml = WORLD) =>
  trace(acceptedMesh(loadText(yaml).manifests, { outbound: 'REGISTRY_ONLY' }), { from: 'app/client', request });
const note = (request: string): string =>
  ask(request)
    .notes.filter((one) => one.startsWith('this connection'))
    .join();

describe('a connection that ends at another host', () => {
  it('is said to, by the name or by the address that its client dials', () => {
    expect(ask('tcp://198.51.100.34:3306').destination?.host).toBe('a.example.com');
    expect(note('tcp://198.51.100.34:3306')).toContain('is for 198.51.100.34, and ends at a.example.com');
    expect(note('tcp://b.example.com:3306')).toContain('is for b.example.com, and ends at a.example.com');
    expect(note('tcp://198.51.100.33:3306')).toBe('');
  });

  it('is not asked about at a gateway that an API server refuses, and says why', () => {
    const yaml = WORLD.replace('{number: 3306, name: tcp, protocol: TCP}, hosts', '{number: "3306", name: tcp, protocol: TCP}, hosts'); // prettier-ignore
    const mesh = acceptedMesh(loadText(yaml).manifests);
    const enter = () => trace(mesh, { from: 'outside', at: 'egress/g', request: 'tcp://a.example.com:3306' });
    expect(enter).toThrow(RequestError);
    expect(enter).toThrow('Gateway egress/g is not followed: an API server refuses it');
  });
});
