import { outcome, traceIn } from './text';

const NAMESPACE = `
apiVersion: v1
kind: Namespace
metadata: { name: app, labels: { istio-injection: enabled } }
`;

/** What comparing istiod's own configuration with ours has shown. */
describe('clusters and scopes as istiod makes them', () => {
  it('gives a namespace the service that it hides from itself where a route that everyone sees sends there', () => {
    const ask = traceIn(`${NAMESPACE}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: hidden, namespace: app }
spec: { hosts: [hidden.example.com], exportTo: ['~'], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shown, namespace: app }
spec: { hosts: [shown.example.com], resolution: DNS, ports: [{ number: 80, name: http, protocol: HTTP }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: route, namespace: app }
spec: { hosts: [shown.example.com], http: [{ route: [{ destination: { host: hidden.example.com, port: { number: 80 } } }] }] }
`);
    expect(outcome(ask('http://shown.example.com/'))).toBe('delivered to hidden.example.com:80');
  });

  it("begins a subset's cluster with the original destination of its rule, whatever balancing the subset asks for", () => {
    const ask = traceIn(`${NAMESPACE}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: api, namespace: app }
spec:
  hosts: [api.example.com]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP }]
  endpoints: [{ address: 198.51.100.7, labels: { tier: one } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: api, namespace: app }
spec:
  host: api.example.com
  trafficPolicy: { loadBalancer: { simple: PASSTHROUGH } }
  subsets: [{ name: two, labels: { tier: two }, trafficPolicy: { loadBalancer: { simple: ROUND_ROBIN } } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: api, namespace: app }
spec: { hosts: [api.example.com], http: [{ route: [{ destination: { host: api.example.com, subset: two } }] }] }
`);
    // No endpoint has the labels of the subset, and none is looked for.
    expect(outcome(ask('http://api.example.com/', { address: '203.0.113.9' }))).toBe('delivered to api.example.com:80');
  });
});
