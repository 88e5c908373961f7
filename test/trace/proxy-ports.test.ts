import { outcome, traceIn } from './text';

const STRICT = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: plain}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: app}
spec: {mtls: {mode: STRICT}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: app}
spec: {clusterIP: None, selector: {app: shop}, ports: [{name: tcp, port: 9000}]}
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: app, labels: {app: shop}}
spec: {containers: [{name: shop, image: shop, ports: [{containerPort: 9000}]}]}
status: {podIP: 10.0.0.7}
---
apiVersion: v1
kind: Pod
metadata: {name: other, namespace: app, labels: {app: other}}
spec: {containers: [{name: other, image: other}]}
status: {podIP: 10.0.0.8}`;

const GATEWAY = `
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: istio-system}
spec: {type: LoadBalancer, selector: {istio: ingressgateway}, ports: [{name: status, port: 15021}, {name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: istio-system}
spec: {template: {metadata: {labels: {istio: ingressgateway}, annotations: {inject.istio.io/templates: gateway}}, spec: {containers: [{name: istio-proxy, image: auto}]}}}`;

const OUTSIDE = { from: 'outside', at: 'istio-system/edge' } as const;
const PLAIN = { from: 'plain/probe' } as const;

describe('a port that the proxy itself listens on', () => {
  const told = traceIn(STRICT + GATEWAY);

  it('says at a gateway that no Gateway is bound to whether it is ready', () => {
    const ready = told('http://edge.example.com:15021/healthz/ready', OUTSIDE);
    expect(outcome(ready)).toBe('direct_response 200 at ingress-gateway');
    expect(ready.outcome).toBe('answered');
  });

  it('serves nothing else there', () =>
    expect(outcome(told('http://edge.example.com:15021/', OUTSIDE))).toBe('NR 404 at ingress-gateway'));

  it('speaks no TLS', () =>
    expect(outcome(told('https://edge.example.com:15021/healthz/ready', OUTSIDE))).toBe('UF - at ingress-gateway'));

  it('gives metrics of a sidecar to whoever asks in plain text, whatever mutual TLS is demanded', () => {
    expect(outcome(told('http://10.0.0.7:15090/stats/prometheus', PLAIN))).toBe('direct_response 200 at sidecar');
    expect(outcome(told('http://10.0.0.7:9000/', PLAIN))).toContain('at sidecar');
  });
});

describe('a Pod that dials its own address', () => {
  const told = traceIn(STRICT);

  it.each(['tcp://10.0.0.7:9000', 'http://10.0.0.7:9000/'])('by %s meets no proxy', (request) => {
    const own = told(request, { from: 'app/shop' });
    expect(own.outcome).toBe('delivered');
    expect(own.hops.map(({ proxy }) => proxy.kind)).toEqual(['none']);
  });

  it('meets none by the name of a headless Service, and others meet two', () => {
    const request = 'tcp://shop.app.svc.cluster.local:9000';
    expect(told(request, { from: 'app/shop' }).hops.map(({ proxy }) => proxy.kind)).toEqual(['none']);
    expect(told(request, { from: 'app/other' }).hops.map(({ proxy }) => proxy.kind)).toEqual(['sidecar', 'sidecar']);
  });

  it('meets neither ztunnel nor a waypoint', () => {
    const ambient = traceIn(STRICT.replace('istio-injection: enabled', 'istio.io/dataplane-mode: ambient'));
    expect(ambient('tcp://10.0.0.7:9000', { from: 'app/shop' }).hops.map(({ proxy }) => proxy.kind)).toEqual(['none']);
  });
});
