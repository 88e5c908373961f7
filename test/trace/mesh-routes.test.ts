import { outcome, traceIn } from './text';

const clients = ['search', 'other']
  .map(
    (namespace) => `
apiVersion: v1
kind: Namespace
metadata: {name: ${namespace}, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: app, namespace: ${namespace}, labels: {app: app}}
spec: {containers: [{name: app, image: app}]}
`,
  )
  .join('---\n');

const EGRESS = `${clients}---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: partner, namespace: edge}
spec:
  hosts: [site.partner.com]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: out, namespace: edge}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: site.partner.com}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: leave, namespace: edge}
spec:
  parentRefs: [{name: out}]
  rules: [{backendRefs: [{group: networking.istio.io, kind: Hostname, name: site.partner.com, port: 80}]}]
`;

const route = ({
  namespace = 'edge',
  name = 'enter',
  parent = 'partner',
  group = 'networking.istio.io',
  rules = '',
}) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  parentRefs: [{group: "${group}", kind: ServiceEntry, name: ${parent}, namespace: edge, port: 80}]
  rules: [{${rules}backendRefs: [{name: out-istio, namespace: edge, port: 80}]}]
`;

function through(manifests: string, request = 'http://site.partner.com/', from = 'search/app'): string {
  const told = traceIn(manifests)(request, { from });
  const way = told.hops.map((hop) => hop.cluster ?? '-').join(' > ');
  return `${outcome(told)} by ${way}`;
}

const DIRECT = 'delivered to site.partner.com:80 by outbound|80||site.partner.com';
const BY_GATEWAY =
  'delivered to site.partner.com:80 by outbound|80||out-istio.edge.svc.cluster.local > outbound|80||site.partner.com';

describe('a route whose parent is a ServiceEntry', () => {
  it('takes the requests of the mesh for its hosts through the gateway that it names', () => {
    expect(through(EGRESS)).toBe(DIRECT);
    expect(through(EGRESS + route({}))).toBe(BY_GATEWAY);
    expect(through(EGRESS + route({}), 'https://site.partner.com/')).toBe(
      'delivered to site.partner.com:443 by outbound|443||site.partner.com',
    );
  });

  it('has no effect if there is no such entry, or its group is not that of ServiceEntries', () => {
    expect(through(EGRESS + route({ parent: 'partners' }))).toBe(DIRECT);
    expect(through(EGRESS + route({ group: 'gateway.networking.k8s.io' }))).toBe(DIRECT);
  });

  it('is for the clients of its own namespace where that is not the namespace of the entry, and needs no grant', () => {
    const manifests = EGRESS + route({ namespace: 'search' });
    expect(through(manifests)).toBe(BY_GATEWAY);
    expect(through(manifests, 'http://site.partner.com/', 'other/app')).toBe(DIRECT);
  });

  it('is weighed with the other routes of its namespace by the precedence of the Gateway API', () => {
    const manifests =
      EGRESS +
      route({ name: 'a' }).replace('name: out-istio', 'name: nowhere') +
      route({ name: 'b', rules: 'matches: [{path: {type: PathPrefix, value: /feed}}], ' });
    expect(through(manifests, 'http://site.partner.com/feed')).toBe(BY_GATEWAY);
    expect(through(manifests)).toBe('NC 500 at sidecar by outbound|80||nowhere.edge.svc.cluster.local');
  });
});

describe('a TLSRoute for a Service none of whose backends has a weight', () => {
  it('is for no connection, as in istiod: the Service answers as without it', () => {
    const mesh = (weight: number): string => `
{apiVersion: v1, kind: Namespace, metadata: {name: app, labels: {istio-injection: enabled}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: sleep, namespace: app}, spec: {selector: {matchLabels: {app: sleep}}, template: {metadata: {labels: {app: sleep}}, spec: {containers: [{name: c, image: c}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {name: vault, namespace: app}, spec: {selector: {app: sleep}, ports: [{name: tls, port: 443}, {name: tls-new, port: 8443}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: TLSRoute, metadata: {name: vault, namespace: app}, spec: {parentRefs: [{group: "", kind: Service, name: vault, port: 443}], hostnames: [vault.app.svc.cluster.local], rules: [{backendRefs: [{name: vault, port: 8443, weight: ${weight}}]}]}}
`;
    const ends = [1, 0].map((weight) =>
      outcome(traceIn(mesh(weight), { istioVersion: '1.31' })('https://vault.app.svc.cluster.local/')),
    );
    expect(ends).toEqual([8443, 443].map((port) => `delivered to vault.app.svc.cluster.local:${port}`));
  });
});
