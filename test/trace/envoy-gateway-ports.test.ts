import { check } from '../../src/check/check';
import { loadText } from '../../src/model/load';
import { outcome, traceIn } from './text';

const edge = (listeners: string, parents: string, proxy = ''): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: eg }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
---
apiVersion: v1
kind: Namespace
metadata: { name: envoy-gateway-system }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: app }
spec: { clusterIP: 10.96.0.10, selector: { app: web }, ports: [{ name: http, port: 80 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: app, labels: { app: web } }
spec: { containers: [{ name: web, image: web }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: app }
spec:
  gatewayClassName: eg
  ${proxy === '' ? '' : 'infrastructure: { parametersRef: { group: gateway.envoyproxy.io, kind: EnvoyProxy, name: own } }'}
  listeners: [${listeners}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: app }
spec: { parentRefs: [${parents}], rules: [{ backendRefs: [{ name: web, port: 80 }] }] }
${proxy}`;
const AS_THEY_ARE = `---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: { name: own, namespace: app }
spec: { provider: { type: Kubernetes, kubernetes: { useListenerPortAsContainerPort: true } } }
`;
const BOTH = '{ name: edge }';
const FIRST = '{ name: edge, sectionName: low }';
const hosts = (low: string, high: string): string =>
  `{ name: low, port: 80, protocol: HTTP${low} }, { name: high, port: 10080, protocol: HTTP${high} }`;

const at = (yaml: string, url: string): string => outcome(traceIn(yaml)(url, { from: 'outside', at: 'app/edge' }));
const refused = (yaml: string): readonly string[] =>
  check(loadText(yaml, 'a.yaml')).findings.filter(({ severity }) => severity === 'error').map(({ id, what }) => `${id} ${what.split(':')[0]}`); // prettier-ignore

describe('ports 80 and 10080 of a Gateway of Envoy Gateway', () => {
  it('are one port of the proxies, on which Envoy takes no host twice', () => {
    const yaml = edge(hosts('', ''), BOTH);
    expect(at(yaml, 'http://a.example.com/')).toBe('NR 404 at envoy-gateway');
    expect(at(yaml, 'http://a.example.com:10080/')).toBe('NR 404 at envoy-gateway');
    expect(refused(yaml)).toEqual(['EDGE852 Envoy refuses the routes of port 80 and 10080']);
  });

  it('have the hosts of each other', () => {
    const yaml = edge(hosts(', hostname: a.example.com', ', hostname: b.example.com'), BOTH);
    for (const url of ['http://a.example.com/', 'http://b.example.com/', 'http://a.example.com:10080/'])
      expect(at(yaml, url)).toMatch(/^delivered/);
    expect(at(yaml, 'http://c.example.com/')).toBe('NR 404 at envoy-gateway');
    expect(refused(yaml)).toEqual([]);
  });

  it('go together where the route is for one of them', () => {
    const yaml = edge(hosts('', ''), FIRST);
    expect(at(yaml, 'http://a.example.com/')).toMatch(/^delivered/);
    expect(at(yaml, 'http://a.example.com:10080/')).toMatch(/^delivered/);
  });

  it('are two where the proxies listen on the ports of the listeners', () => {
    const yaml = edge(hosts('', ''), BOTH, AS_THEY_ARE);
    expect(at(yaml, 'http://a.example.com/')).toMatch(/^delivered/);
    expect(refused(yaml)).toEqual([]);
  });
});
