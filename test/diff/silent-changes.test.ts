/** Changes that alter no route: what peers see of a client, what a server's proxy takes, what is asked for, and who gets copies. */
import { diff } from '../../src/diff/diff';
import type { Diff } from '../../src/diff/diff';
import { loadText } from '../../src/model/load';

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: stock, namespace: shop}
spec: {clusterIP: 10.0.0.1, selector: {app: stock}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stock, namespace: shop}
spec:
  selector: {matchLabels: {app: stock}}
  template: {metadata: {labels: {app: stock}}, spec: {containers: [{name: stock, image: stock}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {serviceAccountName: cart, containers: [{name: cart, image: cart}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {serviceAccountName: web, containers: [{name: web, image: web}]}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: sites, namespace: shop}
spec:
  hosts: [api.example.com, copy.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
`;
const route = (rule: string): string => `
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api, namespace: shop}
spec: {hosts: [api.example.com], http: [{route: [{destination: {host: api.example.com}}]${rule}}]}`;
const sidecar = (ingress: string): string => `
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: stock, namespace: shop}
spec: {workloadSelector: {labels: {app: stock}}, ingress: [${ingress}], egress: [{hosts: ['*/*']}]}`;

const between = (was: string, is: string): Diff => diff(loadText(was).manifests, loadText(is).manifests);
const told = (found: Diff): readonly string[] =>
  found.changes.map(
    ({ effect, from, to, was, is }) => `${effect}: ${from.join(', ')} to ${to}: ${was.text} -> ${is.text}`,
  );

describe('diff tells of', () => {
  it('another service account, which its peers in the mesh see, for the workload that has it and no other', () => {
    const found = told(between(MESH, MESH.replace('serviceAccountName: cart', 'serviceAccountName: basket')));
    expect(found).toEqual([
      'rerouted: shop/cart to http://stock.shop.svc.cluster.local/: directly from its sidecar; reaches port 80 with mutual TLS of the mesh; seen as cluster.local/ns/shop/sa/cart -> directly from its sidecar; reaches port 80 with mutual TLS of the mesh; seen as cluster.local/ns/shop/sa/basket',
    ]);
  });

  it('an ingress listener that leads to another port, and of one whose protocol changes, for what HTTP does not take', () => {
    const listener = (port: number, protocol = 'HTTP'): string =>
      sidecar(`{port: {number: 8080, name: p, protocol: ${protocol}}, defaultEndpoint: '127.0.0.1:${port}'}`);
    // Of clients with a sidecar and without.
    expect(told(between(MESH + listener(9000), MESH + listener(9001)))).toHaveLength(2);
    const other = told(between(MESH + listener(9000), MESH + listener(9000, 'TCP'))).filter((one) => one.includes('every workload')); // prettier-ignore
    expect(other).toEqual([
      'widened: every workload to tcp://stock.shop.svc.cluster.local:80: refused, connection closed by the sidecar of shop/stock: the proxy expects another protocol -> directly, as a host that the mesh does not know; reaches port 80 in plain text',
      "widened: every workload to https://stock.shop.svc.cluster.local:80/: refused, connection closed by the sidecar of shop/stock: no route for it -> directly, as a host that the mesh does not know; reaches port 80 with the application's own TLS",
    ]);
  });

  it('one port more of the Service of a gateway, by which clients outside come in', () => {
    const door = (more: string): string => `${MESH}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: shop}
spec:
  template:
    metadata: {labels: {istio: ingress}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: shop}
spec: {selector: {istio: ingress}, ports: [{name: http, port: 80}${more}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door, namespace: shop}
spec: {selector: {istio: ingress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [site.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: site, namespace: shop}
spec: {hosts: [site.example.com], gateways: [door], http: [{route: [{destination: {host: stock}}]}]}
`;
    const found = between(door(''), door(', {name: more, port: 9080, targetPort: 80}'));
    expect(found.changes.map(({ effect, request }) => [effect, request.from, request.request])).toContainEqual([
      'widened',
      'outside',
      'http://site.example.com:9080/',
    ]);
  });

  it('copies that a route sends somewhere', () => {
    const found = told(
      between(MESH + route(''), MESH + route(', mirror: {host: copy.example.com}, mirrorPercentage: {value: 20}')),
    );
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^widened: .*; copied to copy\.example\.com:80 \(20 %\)$/);
    expect(
      told(between(MESH + route(''), MESH + route(', mirror: {host: copy.example.com}, mirrorPercentage: {value: 0}'))),
    ).toEqual([]);
  });

  it('another host or path that the site is asked for', () => {
    const found = told(between(MESH + route(''), MESH + route(', rewrite: {authority: v2.example.com}')));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/as a request for v2\.example\.com\/$/);
  });

  it('a ProxyConfig that lets sidecars answer DNS', () => {
    const db = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, namespace: shop}
spec: {hosts: [db.example.com, db2.example.com], ports: [{number: 5432, name: tcp, protocol: TCP}], resolution: DNS}`;
    const two = db.replace('[db.example.com, db2.example.com]', '[db.example.com]') + db.replace('name: db,', 'name: db2,').replace('[db.example.com, db2.example.com]', '[db2.example.com]'); // prettier-ignore
    const config = `
---
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: dns, namespace: shop}
spec: {environmentVariables: {ISTIO_META_DNS_CAPTURE: "true"}}`;
    expect(told(between(MESH + two, MESH + two + config)).join()).toContain('db2.example.com');
  });

  it('whose tokens a policy trusts, and by which keys, which shows in no way at all', () => {
    const trusts = (issuer: string, keys = 'https://a.example'): string => `
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: shop}
spec: {jwtRules: [{issuer: ${issuer}, jwksUri: ${keys}}]}`;
    const { changes, notes } = between(MESH + trusts('a'), MESH + trusts('b'));
    expect(new Set(changes.map(({ effect, request }) => `${effect} ${JSON.stringify(request.tokens)}`))).toEqual(
      new Set([
        'widened {"header authorization Bearer":{"iss":"b"}}',
        'narrowed {"header authorization Bearer":{"iss":"a"}}',
      ]),
    );
    expect(notes).toEqual([]);
    const keys = between(MESH + trusts('a'), MESH + trusts('a', 'https://b.example'));
    expect(keys.changes).toEqual([]);
    expect(keys).toMatchObject({
      complete: false,
      undecided: [{ what: 'RequestAuthentication shop/tokens is changed in jwtRules[].jwksUri' }],
      settings: [{ decided: false, fields: ['jwtRules[].jwksUri'] }],
    });
  });

  it('which headers a route sets, which shows in no way at all', () => {
    const headers = (team: string): string => route(`, headers: {request: {set: {x-team: ${team}}}}`);
    const notes = (was: string, is: string): readonly string[] => between(MESH + was, MESH + is).notes;
    expect(notes(headers('a'), headers('b'))[0]).toMatch(
      /^VirtualService shop\/api is changed in http\[\]\.headers\.request\.set\.x-team: headers and bodies, /,
    );
    expect(notes(headers('a'), headers('a').replace('name: api,', 'name: other,'))).toEqual([]);
  });

  it('a Gateway of a class that nobody knows: what is for it cannot be told', () => {
    const gateway = (port: number): string => `
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {gatewayClassName: someones, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: stock, namespace: shop}
spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: stock, port: ${port}}]}]}`;
    const found = between(MESH + gateway(80), MESH + gateway(81));
    const why = expect.stringMatching(/^it is for a Gateway whose class /) as string;
    expect(found).toMatchObject({ complete: false, undecided: [{ what: 'HTTPRoute shop/stock is changed', why }] });
    expect(found.summary.objects.withoutEffect).toBe(0);
  });
});
