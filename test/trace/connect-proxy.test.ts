/** A connection that a gateway or sidecar leads through an HTTP CONNECT proxy: it is told of wherever the path is. */
import { diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';
import { buildMesh } from '../../src/model/mesh';
import { pathOf } from '../../src/report/diagram/path';
import { traceMermaid } from '../../src/report/trace-mermaid';
import { traceText } from '../../src/report/trace-text';
import { trace } from '../../src/trace';

const yaml = (proxy: string) => `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: proxy, namespace: app}
spec:
  hosts: [${proxy}]
  ports: [{number: 3128, name: tcp, protocol: TCP}]
  resolution: STATIC
  endpoints: [{address: 192.0.2.10}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cnn, namespace: app}
spec:
  hosts: [cnn.example.com]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: DNS
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cnn, namespace: app}
spec:
  hosts: [cnn.example.com]
  tls:
    - match: [{port: 443, sniHosts: [cnn.example.com]}]
      route: [{destination: {host: ${proxy}, port: {number: 3128}, subset: cnn}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: proxy, namespace: app}
spec:
  host: ${proxy}
  subsets:
    - name: cnn
      trafficPolicy: {tunnel: {protocol: CONNECT, targetHost: cnn.example.com, targetPort: 443}}
`;
const request = { from: 'app/sleep', request: 'tls://cnn.example.com:443' };
const told = trace(buildMesh(loadText(yaml('proxy.example.com')).manifests), request);

it('is named beside the destination', () => {
  expect(told.destination).toMatchObject({
    host: 'cnn.example.com',
    port: 443,
    tls: 'APPLICATION',
    through: { host: 'proxy.example.com', port: 3128 },
  });
  expect(traceText(told, request, { color: false })).toContain('through the CONNECT proxy proxy.example.com:3128');
});

it('is a stop of every picture', () => {
  const { stops, links } = pathOf(told, request);
  expect(stops.map(({ kind }) => kind)).toEqual(['client', 'sidecar', 'forward-proxy', 'destination']);
  expect(links).toHaveLength(3);
  expect(traceMermaid(told, request)).toContain('|"CONNECT cnn.example.com:443"| tunnel');
});

it('is what a change of it says', () => {
  const sides = ['proxy.example.com', 'other.example.com'].map((proxy) => loadText(yaml(proxy)).manifests);
  const changes = diff(sides[0] ?? [], sides[1] ?? []).changes.filter(({ to }) => to.includes('cnn.example.com'));
  expect(changes.map(({ effect }) => effect)).toContain('rerouted');
  const [change] = changes;
  expect(change?.was.text).toContain('tunnelled by the CONNECT proxy proxy.example.com:3128');
  expect(change?.is.text).toContain('tunnelled by the CONNECT proxy other.example.com:3128');
});
